/** What crosses the bridge in a round: events as the local write makes them, and the records that they came from. */
import { eventOf } from '@tandem-clouds/replication/event';
import { messageOf } from '@tandem-clouds/replication/message';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';

export interface Workload {
  /** Message bodies, in the order of the writes. */
  readonly bodies: readonly string[];
  /** Every key as its last write leaves it at the site that wrote, with its marker. */
  readonly records: readonly StoredRecord[];
}

/** Makes the plain record of a write about a kilobyte long as JSON. */
const PADDING_CHARACTERS = 800;

/**
 * `events` writes at `site` whose peer is `peer`.
 * @param options.perKey Writes of one key, one after the other: 1 for fresh keys only.
 * @param options.run Names the keys, so that no two rounds share one.
 */
export function makeWorkload(options: {
  readonly site: string;
  readonly peer: string;
  readonly events: number;
  readonly perKey: number;
  readonly run: string;
  readonly nowMs: number;
}): Workload {
  const { site, events, perKey, run, nowMs } = options;
  const bodies: string[] = [];
  const records: StoredRecord[] = [];
  for (let first = 0; first < events; first += perKey) {
    const key = `item:${run}-${first}`;
    let record: StoredRecord | undefined;
    for (let n = first; n < Math.min(events, first + perKey); n += 1) {
      record = written(record, { ...options, key, n });
      bodies.push(messageOf(eventOf(record, { source: site, nowMs })).body);
    }
    if (record !== undefined) records.push(record);
  }
  return { bodies, records };
}

/** The record after a write that sets the counter; the first one sets everything. */
function written(
  held: StoredRecord | undefined,
  options: { site: string; peer: string; key: string; n: number; nowMs: number },
): StoredRecord {
  const { site, peer, key, n, nowMs } = options;
  const stamp = encodeStamp(nowMs, n % 1_000_000, site);
  const fields = held?.state.fields ?? {
    createdAt: [stamp, new Date(nowMs).toISOString()],
    data: [stamp, { kind: 'bench', filling: 'x'.repeat(PADDING_CHARACTERS) }],
  };
  return {
    key,
    state: { fields: { ...fields, count: [stamp, n] }, vector: { [site]: stamp } },
    version: stamp,
    pending: { [peer]: stamp },
    pendingSince: nowMs,
    operations: [String(n)],
  };
}
