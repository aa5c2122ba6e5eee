/** Which records a site's peers do not hold yet, by key: for operators, because ids may say something about people. */
import { refusedKeys } from '@tandem-clouds/replication/heartbeat';
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import { pauseKey } from '@tandem-clouds/replication/paused-peers';
import type { Store } from '@tandem-clouds/replication/ports/store';
import type { Site } from '@tandem-clouds/replication/protocol';
import { isOwnBusiness } from '@tandem-clouds/replication/reserved';
import { unusableKeys } from '@tandem-clouds/replication/unusable-keys';
import { readEach } from '../read-each.ts';
import { scanPending } from './replication-view.ts';

/** What is answered of each peer, in the order of the configuration. */
export interface PendingView {
  readonly site: string;
  /** RFC 3339, by this site's clock: a write that was made later may be missing. */
  readonly now: string;
  readonly peers: readonly {
    readonly site: string;
    /** The oldest first. */
    readonly keys: readonly PendingKey[];
    /** There are more of them, or may be. */
    readonly atLeast: boolean;
  }[];
  /** Keys that this site cannot read or write itself, for good; absent when none is known. */
  readonly unusable?: readonly UnusableView[];
}

/** A key that a function of this site has met and passed over. */
export interface UnusableView {
  readonly key: string;
  /** What met it: `compare`, `repair`, `tombstones`, or `status` itself. */
  readonly during: string;
  readonly reason: string;
  /** RFC 3339: when it was first met, and last. */
  readonly since: string;
  readonly last: string;
}

export interface PendingKey {
  readonly key: string;
  /** RFC 3339: when the oldest write was made that the peer's queue has not accepted. */
  readonly since: string;
  /** Why the peer's queue refuses the record for good; absent when it is only on its way. */
  readonly refused?: string;
}

/** @param limit Keys that are named for each peer. @throws what the store throws. */
export async function pendingView(
  self: Site,
  store: Pick<Store, 'exposure' | 'getMany'>,
  limit: number,
): Promise<PendingView> {
  const own = heartbeatKey(self.site);
  const [{ nowMs, page }, { held, failed }] = await Promise.all([
    scanPending(self, store),
    readEach(store, [own, pauseKey(self.site)]),
  ]);
  const heartbeat = held.get(own)?.record;
  const refused = refusedKeys(heartbeat);
  const time = (ms: number): string => new Date(ms).toISOString();
  const unusable: UnusableView[] = [
    ...[...failed].map(([key, { message }]) => ({
      key,
      during: 'status',
      reason: message,
      since: time(nowMs),
      last: time(nowMs),
    })),
    ...unusableKeys(heartbeat, nowMs).map(({ key, during, reason, sinceMs, lastMs }) => ({
      key,
      during,
      reason,
      since: time(sinceMs),
      last: time(lastMs),
    })),
  ];
  const entries = page.entries.filter(({ key }) => !isOwnBusiness(key));
  return {
    site: self.site,
    now: new Date(nowMs).toISOString(),
    peers: self.peers.map((site) => {
      const pending = entries.filter(({ peers }) => peers.includes(site));
      const reasons = new Map(Object.entries(refused[site] ?? {}));
      return {
        site,
        keys: pending.slice(0, limit).map(({ key, sinceMs }) => {
          const reason = reasons.get(key);
          const since = new Date(sinceMs).toISOString();
          return { key, since, ...(reason !== undefined && { refused: reason }) };
        }),
        atLeast: page.cutAtMs !== undefined || pending.length > limit,
      };
    }),
    ...(unusable.length > 0 && { unusable }),
  };
}
