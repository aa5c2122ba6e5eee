/** The headers of an answer about one record. */
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { etagOf } from './conditional.ts';
import { sessionToken } from './session.ts';

export function recordHeaders(record: StoredRecord): Record<string, string> {
  return {
    etag: etagOf(record.state),
    'cache-control': 'private, no-cache',
    'x-tandem-session': sessionToken(record),
  };
}
