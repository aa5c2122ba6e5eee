/** The headers of an answer about one record. */
import type { StoredRecord } from '../replication/record.ts';
import { etagOf } from './conditional.ts';
import { sessionToken } from './session.ts';

export function recordHeaders(record: StoredRecord): Record<string, string> {
  return {
    etag: etagOf(record.state),
    'cache-control': 'private, no-cache',
    'x-tandem-session': sessionToken(record),
  };
}
