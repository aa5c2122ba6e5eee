/** Reads what `GET /replication` answers. */
import type { ReplicationView } from '../../../src/shared/operations/replication-view.ts';

/** @throws Error when the value is not what `GET /replication` answers. */
export function readReplication(value: unknown): ReplicationView {
  const view = value as Partial<ReplicationView> | null;
  const whole =
    typeof view?.site === 'string' &&
    isTime(view.now) &&
    Array.isArray(view.inbound) &&
    Array.isArray(view.peers) &&
    (view.peers as Partial<ReplicationView['peers'][number]>[]).every(
      ({ safeTime, exposure }) => isTime(safeTime) && typeof exposure?.keys === 'number',
    );
  if (!whole) throw new Error('the answer is not that of a Tandem site');
  return view as ReplicationView;
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}
