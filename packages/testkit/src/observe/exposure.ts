/**
 * Is what `GET /replication` says true? Looks at the origin's claims first, then into the peer's inbound queue and
 * dead letters, then into its store.
 *
 * A message leaves the queue only for the store or the dead letters, and nothing leaves those. So what is in none of
 * the three, looked at in this order, was in none of them when the claim was made: whatever is found wrong is wrong,
 * although not everything that is wrong for a moment is found.
 */
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { dynamoIndexLagMs } from '../../../../src/shared/bounds.ts';
import type { ReplicationView } from '../../../../src/shared/operations/replication-view.ts';
import { checkExposure } from '../checkers/exposure.ts';
import { type Carried, carriedBy, carriedTo } from '../cluster/queues.ts';
import { queryJson } from '../cluster/request.ts';
import type { TestCluster } from '../cluster/test-cluster.ts';
import { type Attempt, isWrite } from '../history/client-log.ts';
import { keyOf } from '../history/committed.ts';
import { type Finding, vectorHolds } from '../history/facts.ts';
import type { Random } from '../random.ts';
import { recordsAt } from './converge.ts';

const invariant = '11 exposure';
const RESPONSE_WITHIN_MS = 5_000;
/** Keys that one sample looks at: the newest, and as many others. */
const KEYS = 100;
/** Writes among which the newest keys are looked for. */
const RECENT = 600;

/** A write that committed at the origin, as its token tells. */
export interface Known {
  readonly key: string;
  readonly stamp: string;
  /** When the answer came, by the origin's clock; undefined while that clock was being moved. */
  readonly knownAtMs: number | undefined;
}

/** What was said and what was there, in the order in which it was looked at. */
export interface Sample {
  readonly origin: string;
  readonly peer: string;
  readonly writes: readonly Known[];
  readonly view: Pick<ReplicationView, 'now' | 'peers'>;
  readonly atOrigin: ReadonlyMap<string, StoredRecord>;
  readonly queued: readonly Carried[];
  readonly atPeer: ReadonlyMap<string, StoredRecord>;
}

export interface Checked {
  readonly findings: readonly Finding[];
  /** Keys with a write that the peer did not have: the ones that a claim can be wrong about. */
  readonly missing: number;
}

/** Judges one sample. Pure. */
export function checkSample(sample: Sample): Checked {
  const { origin, peer, writes, view, atOrigin, queued, atPeer } = sample;
  const inQueue = new Map<string, string>();
  for (const { key, vector } of queued) {
    const stamp = vector[origin] ?? '';
    if (stamp > (inQueue.get(key) ?? '')) inQueue.set(key, stamp);
  }
  const isQueued = ({ key, stamp }: Known): boolean => (inQueue.get(key) ?? '') >= stamp;
  const missing = writes.filter(
    (write) => !isQueued(write) && !vectorHolds(atPeer.get(write.key)?.state.vector, origin, write.stamp),
  );
  return {
    missing: missing.length,
    findings: [
      ...missing.flatMap(({ key, stamp }) =>
        checkExposure({
          key,
          origin,
          peer,
          newest: stamp,
          atOrigin: atOrigin.get(key),
          atPeer: atPeer.get(key),
          queued: false,
        }),
      ),
      ...checkClaims({ origin, peer, view }, missing),
    ],
  };
}

/** The safe time and the number of keys, against the writes that the peer certainly lacked. */
export function checkClaims(
  { origin, peer, view }: Pick<Sample, 'origin' | 'peer' | 'view'>,
  missing: readonly Known[],
): Finding[] {
  const claim = view.peers.find(({ site }) => site === peer);
  if (claim === undefined) return [{ invariant, detail: `${origin} says nothing about ${peer}` }];
  const safeMs = Date.parse(claim.safeTime);
  const countedUntilMs = Date.parse(view.now) - dynamoIndexLagMs;
  const unsafe = missing.filter(({ knownAtMs }) => knownAtMs !== undefined && knownAtMs < safeMs);
  const counted = missing.filter(({ knownAtMs }) => knownAtMs !== undefined && knownAtMs < countedUntilMs);
  return [
    ...unsafe.map(({ key, stamp }) => ({
      invariant,
      key,
      detail: `${origin} said that all before ${claim.safeTime} is safe at ${peer}, which lacked ${stamp}`,
    })),
    ...(counted.length > claim.exposure.keys && !claim.exposure.atLeast
      ? [
          {
            invariant,
            detail: `${origin} said ${claim.exposure.keys} keys at risk, and ${peer} lacked ${counted.length} or more`,
          },
        ]
      : []),
  ];
}

/** The newest write of each key that `origin` acknowledged, the latest first. */
export function knownWrites(cluster: TestCluster, log: readonly Attempt[], origin: string): readonly Known[] {
  const newest = new Map<string, Known>();
  for (const attempt of log) {
    const { result, token, site, startMs, endMs } = attempt;
    const key = keyOf(attempt);
    const stamp = token?.vector[origin];
    if (!isWrite(attempt) || result !== 'acknowledged' || site !== origin) continue;
    if (key === undefined || stamp === undefined || (newest.get(key)?.stamp ?? '') >= stamp) continue;
    const offsetMs = cluster.clocks.offsetDuring(origin, startMs, endMs);
    newest.delete(key);
    newest.set(key, { key, stamp, knownAtMs: offsetMs === undefined ? undefined : endMs + offsetMs });
  }
  return [...newest.values()].reverse();
}

/** Asks a site what it says about its peers. @throws NoAnswerError */
export async function queryReplication(url: string): Promise<ReplicationView> {
  return (await queryJson(new URL('/replication', url), RESPONSE_WITHIN_MS)) as ReplicationView;
}

/** Looks once in one direction. @throws NoAnswerError, or an AppError of a store: then nothing is known. */
export async function takeSample(
  cluster: TestCluster,
  { origin, peer }: { readonly origin: string; readonly peer: string },
  log: readonly Attempt[],
  random: Random,
): Promise<Sample> {
  // Only what was acknowledged before the question: the log goes on while the answers come.
  const newest = knownWrites(cluster, log.slice(-RECENT), origin).slice(0, KEYS);
  const older = knownWrites(cluster, someOf(log, random), origin).slice(0, KEYS);
  const writes = [...new Map([...older, ...newest].map((write) => [write.key, write])).values()];
  const view = await queryReplication(cluster.site(origin).url);
  const keys = writes.map(({ key }) => key);
  const atOrigin = await recordsAt(cluster, origin, keys);
  const queued = [
    ...(await carriedTo(cluster.site(peer))),
    ...(await carriedBy(cluster.site(peer), 'tandem-dead')),
  ];
  const atPeer = await recordsAt(cluster, peer, keys);
  return { origin, peer, writes, view, atOrigin, queued, atPeer };
}

function someOf(log: readonly Attempt[], random: Random): readonly Attempt[] {
  const from = random.int(Math.max(1, log.length - RECENT));
  return log.slice(from, from + RECENT / 2);
}
