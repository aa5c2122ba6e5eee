/** Which records a site's peers do not hold yet, by key: for operators, because ids may say something about people. */
import type { Store } from './ports/store.ts';
import { heartbeatKey } from './replication/heartbeat-record.ts';
import { refusedKeys } from './replication/heartbeat.ts';
import type { Site } from './replication/protocol.ts';
import { isOwnBusiness } from './replication/reserved.ts';
import { lookAtPending } from './replication-view.ts';

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
  const [{ nowMs, page }, held] = await Promise.all([lookAtPending(self, store), store.getMany([own])]);
  const refused = refusedKeys(held.get(own)?.record);
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
  };
}
