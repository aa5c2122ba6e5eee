/** Which acknowledged writes are at the other site, by looking into its store. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isSilence } from '../cluster/request.ts';
import type { TestCluster } from '../cluster/test-cluster.ts';
import { vectorHolds } from '../history/facts.ts';
import type { Call } from '../history/observed.ts';
import { recordsAt } from '../observe/converge.ts';
import { type Known, knownWrites } from '../observe/exposure.ts';

const PAGE = 1_000;
const POLL_MS = 250;

/** The writes that `origin` acknowledged and `peer` does not hold. @throws AppError when its store does not answer. */
export async function notAt(
  cluster: TestCluster,
  peer: string,
  { origin, writes }: { readonly origin: string; readonly writes: readonly Known[] },
): Promise<readonly Known[]> {
  const missing: Known[] = [];
  for (let from = 0; from < writes.length; from += PAGE) {
    const page = writes.slice(from, from + PAGE);
    const held = await recordsAt(
      cluster,
      peer,
      page.map(({ key }) => key),
    );
    missing.push(
      ...page.filter(({ key, stamp }) => !vectorHolds(held.get(key)?.state.vector, origin, stamp)),
    );
  }
  return missing;
}

/** Waits until both sites hold what the other one acknowledged in these calls. Returns when; undefined: not in time. */
export async function untilCrossed(
  cluster: TestCluster,
  calls: readonly Call[],
  withinMs: number,
): Promise<number | undefined> {
  const [a, b] = cluster.sites;
  const open = [
    { origin: a, peer: b, writes: knownWrites(cluster, calls, a) },
    { origin: b, peer: a, writes: knownWrites(cluster, calls, b) },
  ];
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      // What has crossed once is not asked for again.
      for (const way of open) way.writes = await notAt(cluster, way.peer, way);
      if (open.every(({ writes }) => writes.length === 0)) return Date.now();
    } catch (error) {
      if (!isSilence(error)) throw error;
    }
    if (Date.now() > deadline) return undefined;
    await sleep(POLL_MS);
  }
}
