/** What a site can say of its replication at one moment: for `GET /replication`, and for metrics. */
import { ARCHIVE } from '@tandem-clouds/replication/archive';
import { exposureOf, type PeerExposure } from '@tandem-clouds/replication/exposure';
import { heardMsAgo, outlook, refusedKeys, silentPeers } from '@tandem-clouds/replication/heartbeat';
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import { indexStates, isIndexUsable } from '@tandem-clouds/replication/index-phases';
import type { InventoryCounts } from '@tandem-clouds/replication/objects/inventory-step';
import { own } from '@tandem-clouds/replication/own';
import { type PausedPeers, pausedPeers, pauseKey } from '@tandem-clouds/replication/paused-peers';
import type { ExposurePage, Store } from '@tandem-clouds/replication/ports/store';
import type { Site } from '@tandem-clouds/replication/protocol';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { exposureKeysMax } from '../bounds.ts';
import { readEach } from '../read-each.ts';

/** Contents, together. */
export interface TallyView {
  readonly objects: number;
  readonly bytes: number;
  /** Those that should have crossed by now. */
  readonly overdue: number;
  /** RFC 3339: when the oldest of them was completed; absent where there are none. */
  readonly oldest?: string;
}

/** An inventory, without the names of what it has found: ids may say something about people. */
export interface InventoryView extends InventoryCounts {
  /** RFC 3339. */
  readonly begunAt: string;
  /** Absent: it goes on. */
  readonly endedAt?: string;
  /** All bytes were read, too. */
  readonly read: boolean;
}

export interface ContentView {
  /** What this site is to have and has not. */
  readonly lacking: TallyView;
  /** Of that, what no site says that it has; absent where there is none. */
  readonly nowhere?: TallyView;
  /** There may be more, here and per peer. */
  readonly atLeast: boolean;
  /** The latest of this site; absent: there was none yet. */
  readonly inventory?: InventoryView;
}

/** What is answered; every number is in milliseconds. */
export interface ReplicationView {
  readonly site: string;
  /** RFC 3339, by this site's clock. */
  readonly now: string;
  readonly peers: readonly {
    readonly site: string;
    /** RFC 3339: everything acknowledged here before it is held durably at the peer, but for what is refused. */
    readonly safeTime: string;
    readonly exposure: {
      readonly keys: number;
      readonly atLeast: boolean;
      /** How many of those keys the peer's queue refuses for good; absent when it refuses none. */
      readonly refused?: number;
    };
    readonly oldestPendingMs: number;
    /** An operator has stopped what is sent to it. */
    readonly paused: boolean;
    /** Why it did not take what the last sweep sent; absent when it did, or when there was nothing to send. */
    readonly problem?: string;
    /** Contents that are here and not there; absent where no entity has content. */
    readonly content?: TallyView;
  }[];
  /** The archive of this site, as a peer; absent where none is kept. */
  readonly archive?: {
    /** The site in whose cloud it is. */
    readonly at: string;
    /** RFC 3339: everything acknowledged here before it is in the archive. */
    readonly safeTime: string;
    readonly exposure: { readonly keys: number; readonly atLeast: boolean };
    /** Why it did not take what the last sweep sent; absent when it did, or when there was nothing to send. */
    readonly problem?: string;
  };
  /** A backlog that is being sent; absent when there is none, or its sending has just begun. */
  readonly recovery?: {
    readonly keysPerSecond: number;
    /** RFC 3339, an estimate: when its last key will have been sent, if it goes on so; null while that cannot be said. */
    readonly doneAt: string | null;
  };
  /** Indexes that not every site has completed, as far as this one knows; absent when there are none. */
  readonly indexes?: readonly {
    readonly id: string;
    readonly phase: 'filling' | 'filled';
    /** RFC 3339: since when this site has been filling it. */
    readonly since: string;
  }[];
  readonly inbound: readonly {
    readonly site: string;
    readonly heardMsAgo: number | null;
    /** Contents that are there and not here; absent where no entity has content. */
    readonly content?: TallyView;
  }[];
  /** Absent where no entity has content. */
  readonly content?: ContentView;
}

/** What is pending, and the moment before the store was asked: a write that came in between is not promised. */
export interface PendingScan {
  readonly nowMs: number;
  readonly page: ExposurePage;
}

/** @throws what the store throws. */
export async function scanPending({ now }: Site, store: Pick<Store, 'exposure'>): Promise<PendingScan> {
  const nowMs = now();
  return { nowMs, page: await store.exposure(exposureKeysMax) };
}

/** Asks the store and nothing else. @param sample One that was just taken saves another. @throws what the store throws. */
export async function replicationView(
  self: Site,
  store: Pick<Store, 'exposure' | 'getMany'>,
  sample?: PendingScan,
): Promise<ReplicationView> {
  const { site, peers } = self;
  const [{ nowMs, page }, { held, failed }] = await Promise.all([
    sample ?? scanPending(self, store),
    readEach(store, [pauseKey(site), ...[site, ...peers].map(heartbeatKey)]),
  ]);
  const paused = pausedPeers(held.get(pauseKey(site))?.record);
  const heartbeat = held.get(heartbeatKey(site))?.record;
  const sending = outlook(heartbeat, nowMs);
  const unknown = failed.get(pauseKey(site));
  // Nobody is sent to then (`bridge/open-directions.ts`), and a person must mend the record.
  const silent =
    unknown === undefined
      ? silentPeers(heartbeat)
      : Object.fromEntries(peers.map((peer) => [peer, `what is paused cannot be read: ${unknown.message}`]));
  const archive = archiveView(self, page, { nowMs, silent });
  const exposures = exposureOf(page, { peers, nowMs, refused: refusedKeys(heartbeat) });
  const unfinished = unfinishedIndexes(
    heartbeat,
    peers.map((peer) => held.get(heartbeatKey(peer))?.record),
  );
  return {
    site,
    now: new Date(nowMs).toISOString(),
    peers: exposures.map((exposure) => viewOf(exposure, { nowMs, paused, silent })),
    ...(archive !== undefined && { archive }),
    ...(sending !== undefined && {
      recovery: {
        keysPerSecond: sending.keysPerSecond,
        doneAt: sending.doneAtMs === undefined ? null : new Date(sending.doneAtMs).toISOString(),
      },
    }),
    ...(unfinished.length > 0 && { indexes: unfinished }),
    inbound: peers.map((peer) => ({
      site: peer,
      heardMsAgo: heardMsAgo(held.get(heartbeatKey(peer))?.record, nowMs),
    })),
  };
}

function archiveView(
  { archiveAt }: Site,
  page: PendingScan['page'],
  { nowMs, silent }: { nowMs: number; silent: Readonly<Record<string, string>> },
): ReplicationView['archive'] {
  const [exposure] = exposureOf(page, { peers: [ARCHIVE], nowMs });
  if (archiveAt === undefined || exposure === undefined) return undefined;
  const problem = own(silent, ARCHIVE);
  return {
    at: archiveAt,
    safeTime: new Date(exposure.safeTimeMs).toISOString(),
    exposure: { keys: exposure.keysAtRisk, atLeast: exposure.atLeast },
    ...(problem !== undefined && { problem }),
  };
}

/**
 * By what lists themselves go by: the site notes only at its next tick that an index is open, and answers as soon as the
 * peers' heartbeats say so.
 */
function unfinishedIndexes(
  own: StoredRecord | undefined,
  peers: readonly (StoredRecord | undefined)[],
): NonNullable<ReplicationView['indexes']> {
  return Object.entries(indexStates(own)).flatMap(([id, { phase, sinceMs }]) =>
    phase === 'open' || isIndexUsable(id, own, peers)
      ? []
      : [{ id, phase, since: new Date(sinceMs).toISOString() }],
  );
}

function viewOf(
  exposure: PeerExposure,
  { nowMs, paused, silent }: { nowMs: number; paused: PausedPeers; silent: Readonly<Record<string, string>> },
): ReplicationView['peers'][number] {
  const { site: peer, keysAtRisk, refused, atLeast, safeTimeMs, oldestPendingSince = nowMs } = exposure;
  const problem = own(silent, peer);
  return {
    site: peer,
    safeTime: new Date(safeTimeMs).toISOString(),
    exposure: { keys: keysAtRisk, atLeast, ...(refused > 0 && { refused }) },
    oldestPendingMs: Math.max(0, nowMs - oldestPendingSince),
    paused: Object.hasOwn(paused, peer),
    ...(problem !== undefined && { problem }),
  };
}
