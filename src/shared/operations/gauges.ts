/** The figures that a site knows of each peer, as metrics: those of `GET /replication`, and of the latest comparison. */
import {
  type Verification,
  verificationKey,
  verificationOf,
} from '@tandem-clouds/replication/anti-entropy/verification';
import type { Store } from '@tandem-clouds/replication/ports/store';
import type { Site } from '@tandem-clouds/replication/protocol';
import type { Metrics } from '../ports/telemetry.ts';
import { readEach } from '../read-each.ts';
import { type PendingScan, replicationView } from './replication-view.ts';

/** Measures and records once. What is not known, a peer that was never heard, is not recorded. @throws what the store throws. */
export async function recordGauges(
  site: Site,
  store: Pick<Store, 'exposure' | 'getMany'>,
  metrics: Metrics,
  sample: PendingScan,
): Promise<void> {
  const [view, differences] = await Promise.all([
    replicationView(site, store, sample),
    differencesOf(site, store),
  ]);
  const heard = new Map(view.inbound.map(({ site: peer, heardMsAgo }) => [peer, heardMsAgo]));
  for (const { site: peer, exposure, oldestPendingMs, safeTime } of view.peers) {
    const heardAgoMs = heard.get(peer) ?? undefined;
    const differing = differences.get(peer);
    metrics.record(
      {
        KeysAtRisk: exposure.keys,
        OldestPendingMs: oldestPendingMs,
        SafeTimeAgeMs: Date.parse(view.now) - Date.parse(safeTime),
        ...(heardAgoMs !== undefined && { HeardAgoMs: heardAgoMs }),
        ...(differing !== undefined && { Differences: differing }),
      },
      peer,
    );
  }
}

/** Peer → what the comparison that ended last has found, whoever began it. A repair counts what it has sent, too. */
async function differencesOf(
  { site, peers }: Site,
  store: Pick<Store, 'getMany'>,
): Promise<ReadonlyMap<string, number>> {
  const keysOf = (peer: string): string[] =>
    [
      { from: site, to: peer },
      { from: peer, to: site },
    ].map(verificationKey);
  const { held } = await readEach(store, peers.flatMap(keysOf));
  return new Map(
    peers.flatMap((peer) => {
      const [latest] = keysOf(peer)
        .flatMap((key) => verificationOf(held.get(key)?.record) ?? [])
        .filter(({ endedAtMs }) => endedAtMs !== undefined)
        .sort((a, b) => (b.endedAtMs ?? 0) - (a.endedAtMs ?? 0));
      return latest === undefined ? [] : [[peer, differingOf(latest)] as const];
    }),
  );
}

function differingOf({ from, to }: Verification): number {
  return (from?.differing ?? 0) + (to?.differing ?? 0);
}
