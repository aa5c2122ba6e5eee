/**
 * A service that reacts, under faults: clients make changes, each of which is to have one effect at a provider; then one site
 * is lost for good, with changes that it has not acted on, and the other one takes them over.
 */
import { checkConvergence } from '../../checkers/convergence.ts';
import { checkTokens, type Violation, withEvidence } from '../../checkers/judge.ts';
import { checkReacted } from '../../checkers/reacted.ts';
import { TestCluster } from '../../cluster/test-cluster.ts';
import type { Attempt } from '../../history/client-log.ts';
import type { Finding, Snapshot } from '../../history/facts.ts';
import { changesOf, type Reacted } from '../../history/reacted.ts';
import { Clients } from '../../load/clients.ts';
import { keysOf, type Rest, untilAtRest } from '../../observe/converge.ts';
import { type Lag, Lags } from '../../observe/lags.ts';
import { type InjectedFaults, unleash } from '../nemesis.ts';
import { type Episode, makeReactionPlan, quietMs } from '../plan.ts';
import { type Planned, planned } from '../planned.ts';
import { type ChaosOptions, checkRest } from '../run.ts';
import { chooseParcel } from './changes.ts';
import { heldAt, parcelsAt, waitsFor } from './look.ts';
import { loseSite, type TakeOver } from './loss.ts';
import { withParcels } from './parcel.ts';
import type { Provider } from './provider.ts';
import { until } from './until.ts';

const VIOLATIONS_MAX = 50;
const PACE_MAX = 400;
const LAST_STRETCH_S = 5;
const PROGRESS_MS = 15_000;
/** Code that has never run is slow. */
const WARM_UP_MS = 5_000;
/** What is still under way when the first fault comes is not without faults. */
const BEFORE_FAULTS_MS = 5_000;
/** After the pauses of a few attempts in vain: 15, 30, 60, 120 s. */
const REACTED_WITHIN_MS = 420_000;

export interface ReactionChaosResult {
  readonly plan: readonly Episode[];
  readonly injectedFaults: InjectedFaults;
  readonly log: readonly Attempt[];
  readonly acknowledged: number;
  readonly trafficMs: number;
  readonly rest: Rest;
  /** How long after that until all was acted on; undefined: not in time. */
  readonly reactedMs: number | undefined;
  readonly lags: { readonly quiet: readonly Lag[]; readonly all: readonly Lag[] };
  /** Before the loss, at both sites. */
  readonly reacted: Reacted;
  /** Absent when the sites did not come to rest. */
  readonly takeOver: TakeOver | undefined;
  /** Everything that is wrong. */
  readonly findings: readonly Finding[];
  /** The first of them, with their evidence. */
  readonly violations: readonly Violation[];
}

/** @throws Error when the stack does not come up, or the run itself fails. */
export async function runReactionChaos(options: ChaosOptions): Promise<ReactionChaosResult> {
  const { progress } = options;
  const run = planned(options, makeReactionPlan);
  return withParcels(run.random.stream('provider'), async ({ project, provider }) => {
    progress('starting a stack of its own');
    const cluster = await TestCluster.open(run.order, { project });
    try {
      return await runIn(cluster, { ...options, ...run, provider });
    } finally {
      await cluster.close();
    }
  });
}

type Prepared = ChaosOptions & Planned & { readonly provider: Provider };

async function runIn(cluster: TestCluster, options: Prepared): Promise<ReactionChaosResult> {
  const stopLooking = new AbortController();
  const lags = new Lags({
    sites: cluster.sites,
    store: (site) => cluster.store(site),
    signal: stopLooking.signal,
  });
  try {
    return await judged(cluster, { ...options, lags });
  } finally {
    stopLooking.abort();
  }
}

async function judged(
  cluster: TestCluster,
  options: Prepared & { readonly lags: Lags },
): Promise<ReactionChaosResult> {
  const { plan, provider, progress, lags } = options;
  const { quiet, ...traffic } = await underFire(cluster, options);
  const { log } = traffic;
  progress('healing');
  provider.heal();
  await cluster.heal();
  const rest = await untilAtRest(cluster, keysOf(log), options);
  const changes = changesOf(log);
  const look = async (): Promise<{ snapshot: Snapshot; reacted: Reacted }> => {
    const snapshot = await parcelsAt(cluster, cluster.sites, log);
    return { snapshot, reacted: { changes, calls: provider.calls, held: heldAt(snapshot) } };
  };
  const reactedMs = await until(async () => waitsFor((await look()).reacted), {
    withinMs: REACTED_WITHIN_MS,
    progress,
  });
  const all = lags.all();
  const { snapshot, reacted } = await look();
  const converged = rest.convergedMs !== undefined;
  const findings = [
    ...checkRest(rest, options),
    ...checkConvergence(snapshot),
    ...checkTokens(log, snapshot),
    ...checkReacted(reacted),
  ];
  progress(`${findings.length} findings; now ${cluster.sites[0]} is lost for good`);
  const takeOver = converged ? await loseSite(cluster, { ...options, log }) : undefined;
  return {
    plan,
    ...traffic,
    lags: { quiet: all.filter(quiet), all },
    rest,
    reactedMs,
    reacted,
    takeOver,
    findings: [...findings, ...(takeOver?.findings ?? [])],
    violations: [
      ...withEvidence(findings.slice(0, VIOLATIONS_MAX), log, snapshot),
      ...withEvidence((takeOver?.findings ?? []).slice(0, VIOLATIONS_MAX), takeOver?.log ?? [], new Map()),
    ],
  };
}

interface Traffic extends Pick<ReactionChaosResult, 'acknowledged' | 'injectedFaults' | 'log' | 'trafficMs'> {
  /** Whether a change was acknowledged while nothing befell the stack. */
  readonly quiet: (lag: Lag) => boolean;
}

/** Clients at work, and the nemesis among them. */
async function underFire(
  cluster: TestCluster,
  options: Prepared & { readonly lags: Lags },
): Promise<Traffic> {
  const { plan, random, writes, plannedMs, trafficMaxMs, progress, provider, lags } = options;
  const log: Attempt[] = [];
  const stop = new AbortController();
  provider.onCall = ({ change, atMs }) => lags.called(change, atMs);
  const clients = new Clients({
    random,
    endpoints: cluster.endpoints().filter(({ name }) => name !== 'edge'),
    log,
    name: 'c',
    durableShare: 0,
    chooseWrite: chooseParcel(random),
    onAttempt: (attempt) => lags.answered(attempt),
  });
  const [beganMs, beganAtMs] = [performance.now(), Date.now()];
  const passedMs = (): number => performance.now() - beganMs;
  const enough = (): boolean => clients.acknowledged >= writes || passedMs() > trafficMaxMs;
  const pace = (): number => {
    const leftS = Math.max(LAST_STRETCH_S, (plannedMs - passedMs()) / 1_000);
    return Math.min(PACE_MAX, (writes - clients.acknowledged) / leftS + 1);
  };
  const falling = unleash(cluster, plan, { signal: stop.signal, progress, provider });
  const telling = setInterval(() => {
    const { length } = provider.calls;
    progress(`${Math.round(passedMs() / 1_000)} s: ${clients.acknowledged} changes, ${length} calls`);
  }, PROGRESS_MS);
  try {
    await clients.work(pace, enough);
  } finally {
    clearInterval(telling);
    stop.abort();
  }
  const trafficMs = passedMs();
  const injectedFaults = await falling;
  const quiet = quietMs(plannedMs);
  const fromMs = beganAtMs + Math.min(WARM_UP_MS, quiet / 3);
  const untilMs = beganAtMs + quiet - Math.min(BEFORE_FAULTS_MS, quiet / 3);
  return {
    injectedFaults,
    log,
    acknowledged: clients.acknowledged,
    trafficMs,
    quiet: ({ acknowledgedAtMs }) => acknowledgedAtMs >= fromMs && acknowledgedAtMs < untilMs,
  };
}
