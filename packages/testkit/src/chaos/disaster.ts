/**
 * A cloud is destroyed with its data while clients write there: what it had promised must be at the other one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { dynamoIndexLagMs } from '../../../../src/shared/bounds.ts';
import type { ReplicationView } from '../../../../src/shared/operations/replication-view.ts';
import { carriedTo, depths, redrive } from '../cluster/queues.ts';
import type { TestCluster } from '../cluster/test-cluster.ts';
import { type Attempt, isWrite } from '../history/client-log.ts';
import { keyOf } from '../history/committed.ts';
import { type Finding, vectorHolds } from '../history/facts.ts';
import { Clients } from '../load/clients.ts';
import { everyRecordAt } from '../observe/converge.ts';
import { checkClaims, type Known, queryReplication } from '../observe/exposure.ts';
import type { Random } from '../random.ts';

const QUERY_EVERY_MS = 100;
const POLL_MS = 200;
const DRAINED_WITHIN_MS = 120_000;
/** Share of the burst before the way to the peer becomes slow, so that there is something to lose. */
const SLOW_FROM = 0.6;
const SLOW_MS = 1_500;
/** As many writes with the promise as without it. */
const DURABLE_SHARE = 0.5;

export interface DisasterOptions {
  readonly random: Random;
  readonly writesPerSecond: number;
  readonly burstMs: number;
  readonly progress: (line: string) => void;
}

export interface Disaster {
  readonly log: readonly Attempt[];
  readonly findings: readonly Finding[];
  /** Acknowledged at the destroyed site, and with `Preference-Applied`. */
  readonly acknowledged: number;
  readonly promised: number;
  /** Of those that were not promised. */
  readonly lost: number;
  readonly lostKeys: number;
  /** What the last answer of `GET /replication` said would be lost, and what was written since. */
  readonly reportedAtRisk: number;
  readonly writtenSince: number;
  /** How long before the end that answer came. */
  readonly responseAgeMs: number;
}

/** Runs the burst, destroys the first site, and judges what the second one holds. */
export async function destroyUnderLoad(cluster: TestCluster, options: DisasterOptions): Promise<Disaster> {
  const [victim, survivor] = cluster.sites;
  const { random, burstMs, writesPerSecond, progress } = options;
  const log: Attempt[] = [];
  const stop = new AbortController();
  const endpoints = [{ name: victim, url: cluster.site(victim).url }];
  const clients = new Clients({ random, endpoints, log, name: 'd', durableShare: DURABLE_SHARE });
  const responses = queryUntil(cluster.site(victim).url, stop.signal);
  const working = clients.work(
    () => writesPerSecond,
    () => stop.signal.aborted,
  );
  await sleep(burstMs * SLOW_FROM);
  cluster.slow([`${victim}/${survivor}`], SLOW_MS);
  await sleep(burstMs * (1 - SLOW_FROM));
  const destroyedMs = Date.now();
  const gone = cluster.destroy(victim);
  stop.abort();
  await Promise.all([working, gone]);
  progress(`${victim} and its data are gone`);
  await untilDrained(cluster, survivor);
  const { last, respondedMs } = await responses;
  return judgeLoss(cluster, log, { last, responseAgeMs: destroyedMs - respondedMs });
}

/** Asks again and again; resolves with the last answer that came. */
async function queryUntil(
  url: string,
  signal: AbortSignal,
): Promise<{ last: ReplicationView | undefined; respondedMs: number }> {
  let last: ReplicationView | undefined;
  let respondedMs = 0;
  while (!signal.aborted) {
    const view = await queryReplication(url).catch(() => undefined);
    if (view !== undefined) {
      last = view;
      respondedMs = Date.now();
    }
    await sleep(QUERY_EVERY_MS);
  }
  return { last, respondedMs };
}

/** The inbound queue is empty, and nothing is set aside. */
async function untilDrained(cluster: TestCluster, survivor: string): Promise<void> {
  const deadline = performance.now() + DRAINED_WITHIN_MS;
  for (;;) {
    const { in: inbound, dead } = await depths(cluster.site(survivor));
    if (inbound + dead === 0) return;
    if (performance.now() > deadline)
      throw new Error(`${survivor} still has ${inbound} in, ${dead} dead letters`);
    if (dead > 0) await redrive(cluster.site(survivor));
    await sleep(POLL_MS);
  }
}

async function judgeLoss(
  cluster: TestCluster,
  log: readonly Attempt[],
  { last, responseAgeMs }: { last: ReplicationView | undefined; responseAgeMs: number },
): Promise<Disaster> {
  const [victim, survivor] = cluster.sites;
  const acknowledged = log.filter((attempt) => isWrite(attempt) && attempt.result === 'acknowledged');
  const keys = [...new Set(acknowledged.flatMap((attempt) => keyOf(attempt) ?? []))];
  const held = await everyRecordAt(cluster, survivor, keys);
  const queued = await carriedTo(cluster.site(survivor));
  const lost = acknowledged.filter(
    ({ token }) =>
      token !== undefined &&
      !vectorHolds(held.get(token.key)?.state.vector, victim, token.vector[victim] ?? ''),
  );
  const lostKeys = new Map<string, Known>();
  for (const { token, endMs } of lost) {
    if (token === undefined || lostKeys.has(token.key)) continue;
    lostKeys.set(token.key, { key: token.key, stamp: token.vector[victim] ?? '', knownAtMs: endMs });
  }
  const promised = acknowledged.filter(({ durability }) => durability === 'applied');
  const nowMs = last === undefined ? 0 : Date.parse(last.now) - dynamoIndexLagMs;
  const since = new Set(acknowledged.filter(({ endMs }) => endMs >= nowMs).map(keyOf));
  return {
    log,
    acknowledged: acknowledged.length,
    promised: promised.length,
    lost: lost.length,
    lostKeys: lostKeys.size,
    reportedAtRisk: last?.peers.find(({ site }) => site === survivor)?.exposure.keys ?? 0,
    writtenSince: since.size,
    responseAgeMs,
    findings: [
      ...lost
        .filter(({ durability }) => durability === 'applied')
        .map(({ id, token }) => ({
          invariant: 'durability=all',
          key: token?.key,
          detail: `${id} was acknowledged with Preference-Applied and is not at ${survivor}`,
        })),
      ...(queued.length > 0
        ? [{ invariant: '12 messages', detail: `${survivor} still has ${queued.length} messages` }]
        : []),
      ...(last === undefined
        ? [{ invariant: '11 exposure', detail: `${victim} never said what was at risk` }]
        : checkClaims({ origin: victim, peer: survivor, view: last }, [...lostKeys.values()])),
    ],
  };
}
