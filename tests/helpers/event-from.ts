import type { ReplicationEvent } from '@tandem-clouds/replication/event';
import { encodeStamp } from '@tandem-clouds/replication/stamp';

let serial = 0;

/** The event that a site sends after the first write of a user, whose name is Ada. */
export function eventFrom(
  source: string,
  key: string,
  change: Partial<ReplicationEvent> = {},
): ReplicationEvent {
  serial += 1;
  const stamp = encodeStamp(Date.now(), serial, source);
  return {
    specversion: '1.0',
    event_id: `${source}|${key}|${stamp}`,
    source,
    type: 'user.created',
    timestamp: new Date().toISOString(),
    key,
    payload: { name: 'Ada' },
    state: { stamps: { name: stamp }, vector: { [source]: stamp } },
    sent_at: Date.now(),
    ...change,
  };
}
