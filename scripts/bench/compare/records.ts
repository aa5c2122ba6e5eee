/** The records that the two sites hold. */
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';

/** As JSON, without names of attributes: about a kilobyte. */
export const RECORD_BYTES = 1_000;
const OVERHEAD_BYTES = 180;
const BEGAN_MS = 1_800_000_000_000;
const SITE = 'aws-us-east-1';

/** The record of a number; a later version of it includes the earlier ones. */
export function recordOf(index: number, version: number): StoredRecord {
  const stamp = encodeStamp(BEGAN_MS + index + version * 10_000_000, 0, SITE);
  const text = String(index).padEnd(RECORD_BYTES - OVERHEAD_BYTES, '.');
  return {
    key: `user:${index}`,
    state: { fields: { name: [stamp, text] }, vector: { [SITE]: stamp } },
    version: stamp,
    pending: {},
    operations: [],
  };
}
