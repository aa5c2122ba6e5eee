/**
 * One run: clients under faults, then heal, come to rest, judge; then a cloud is destroyed with its data under load,
 * and what it had promised is looked for at the other one.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseSite } from '@tandem-clouds/local/stack/sites';
import { runningAt } from '../../../../infra/rollout/platform.ts';
import { judge, type Violation, withEvidence } from '../checkers/judge.ts';
import { unpackPreviousRelease } from '../cluster/previous-release.ts';
import { TestCluster } from '../cluster/test-cluster.ts';
import type { Attempt } from '../history/client-log.ts';
import type { Finding, Snapshot } from '../history/facts.ts';
import { Clients } from '../load/clients.ts';
import {
  keysOf,
  overruledWrites,
  readEverything,
  type Rest,
  takeSnapshot,
  untilAtRest,
} from '../observe/converge.ts';
import { Random } from '../random.ts';
import { destroyUnderLoad, type Disaster } from './disaster.ts';
import { type InjectedFaults, unleash } from './nemesis.ts';
import { type Episode, makePlan } from './plan.ts';
import { type Planned, planned, type PlannedOptions } from './planned.ts';
import { type Sampled, sampleExposure } from './sampler.ts';

/** Some requests are reads and some are refused: so many a write. */
const REQUESTS_PER_WRITE = 1.5;
const PACE_MAX = 400;
const LAST_STRETCH_S = 5;
const DURABLE_SHARE = 0.15;

export interface ChaosOptions extends PlannedOptions {
  readonly convergedWithinMs: number;
  /** How long the last messages are waited for after that; 0 does not wait. */
  readonly quietWithinMs: number;
  readonly burstMs: number;
}

export interface ChaosResult {
  readonly plan: readonly Episode[];
  readonly injectedFaults: InjectedFaults;
  readonly log: readonly Attempt[];
  readonly acknowledged: number;
  readonly trafficMs: number;
  readonly keys: number;
  readonly sampled: Sampled;
  readonly rest: Rest;
  /** Absent when the sites did not come to rest. */
  readonly disaster: Disaster | undefined;
  readonly destroyed: string;
  /** Everything that is wrong. */
  readonly findings: readonly Finding[];
  /** The first of them, with their evidence. */
  readonly violations: readonly Violation[];
}

/** @throws Error when the stack does not come up, or the run itself fails. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { progress } = options;
  const run = planned(options, makePlan);
  const [, second] = run.order;
  progress(`starting a stack of its own; ${second} begins with the release before this one`);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-previous-'));
  let cluster: TestCluster | undefined;
  try {
    const artefact = unpackPreviousRelease(folder)[parseSite(second).cloud];
    cluster = await TestCluster.open(run.order, { artefacts: { [second]: artefact } });
    return await runIn(cluster, { ...options, ...run });
  } finally {
    await cluster?.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

type Prepared = ChaosOptions & Planned;

async function runIn(cluster: TestCluster, options: Prepared): Promise<ChaosResult> {
  const { plan, random, progress, burstMs, rate } = options;
  // Otherwise this would be today's code beside itself.
  const older = await runningAt(cluster.site(cluster.sites[1]).url);
  if (older === undefined) throw new Error(`${cluster.sites[1]} began with today's release`);
  const traffic = await underFire(cluster, options);
  const { log } = traffic;
  progress('healing');
  await cluster.heal();
  const rest = await untilAtRest(cluster, keysOf(log), options);
  const converged = rest.convergedMs !== undefined;
  progress(converged ? 'converged; reading everything' : `NOT CONVERGED: ${rest.missing}`);
  const snapshot = await takeSnapshot(cluster, keysOf(log));
  const findings = [
    ...checkRest(rest, options),
    ...traffic.sampled.findings,
    ...judge(log, snapshot, await overruledWrites(cluster)),
    ...(converged ? await readEverything(cluster, snapshot) : []),
  ];
  const [destroyed] = cluster.sites;
  progress(`${findings.length} findings; now ${destroyed} is destroyed under load`);
  const disaster = converged
    ? await destroyUnderLoad(cluster, { random, burstMs, writesPerSecond: rate * 2, progress })
    : undefined;
  return {
    plan,
    ...traffic,
    keys: keysOf(log).length,
    rest,
    disaster,
    destroyed,
    findings: [...findings, ...(disaster?.findings ?? [])],
    violations: [...evidence(findings, log, snapshot), ...lossEvidence(disaster)],
  };
}

/** What is wrong when not all of it came to rest in time. */
export function checkRest(
  { convergedMs, restedMs, missing }: Rest,
  { quietWithinMs }: Pick<ChaosOptions, 'quietWithinMs'>,
): Finding[] {
  if (convergedMs === undefined) return [{ invariant: '1 convergence', detail: missing }];
  return restedMs === undefined && quietWithinMs > 0 ? [{ invariant: '12 messages', detail: missing }] : [];
}

type Traffic = Pick<ChaosResult, 'injectedFaults' | 'log' | 'acknowledged' | 'trafficMs' | 'sampled'>;

/** Clients at work, the nemesis among them, and somebody who watches the exposure. */
async function underFire(cluster: TestCluster, options: Prepared): Promise<Traffic> {
  const { plan, random, seed, writes, plannedMs, trafficMaxMs, progress } = options;
  const log: Attempt[] = [];
  const stop = new AbortController();
  const clients = new Clients({
    random,
    endpoints: cluster.endpoints(),
    log,
    name: 'c',
    durableShare: DURABLE_SHARE,
  });
  const beganMs = performance.now();
  const passedMs = (): number => performance.now() - beganMs;
  const enough = (): boolean => clients.acknowledged >= writes || passedMs() > trafficMaxMs;
  const pace = (): number => {
    const leftS = Math.max(LAST_STRETCH_S, (plannedMs - passedMs()) / 1_000);
    return Math.min(PACE_MAX, (REQUESTS_PER_WRITE * (writes - clients.acknowledged)) / leftS + 1);
  };
  const watching = sampleExposure(cluster, log, { random: new Random(seed + 1), signal: stop.signal });
  const falling = unleash(cluster, plan, { signal: stop.signal, progress });
  const telling = setInterval(() => {
    progress(`${Math.round(passedMs() / 1_000)} s: ${clients.acknowledged} writes acknowledged`);
  }, 15_000);
  try {
    await clients.work(pace, enough);
  } finally {
    clearInterval(telling);
    stop.abort();
  }
  const trafficMs = passedMs();
  const [sampled, injectedFaults] = await Promise.all([watching, falling]);
  return { injectedFaults, log, acknowledged: clients.acknowledged, trafficMs, sampled };
}

const VIOLATIONS_MAX = 50;

function evidence(
  findings: readonly Finding[],
  log: readonly Attempt[],
  snapshot: Snapshot,
): readonly Violation[] {
  return withEvidence(findings.slice(0, VIOLATIONS_MAX), log, snapshot);
}

function lossEvidence(disaster: Disaster | undefined): readonly Violation[] {
  return disaster === undefined ? [] : evidence(disaster.findings, disaster.log, new Map());
}
