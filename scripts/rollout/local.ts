/**
 * A rollout on a stack of its own, under the load of clients that find the product by DNS: what they saw, and whether
 * what they were told is there in the end.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { localPolicy } from '@tandem-clouds/local/dns-zone';
import { type Cloud, parseSite } from '@tandem-clouds/local/stack/sites';
import { judge } from '@tandem-clouds/testkit/checkers/judge';
import { localDeploy } from '@tandem-clouds/testkit/cluster/deploy-local';
import { TestCluster } from '@tandem-clouds/testkit/cluster/test-cluster';
import type { Finding, Snapshot } from '@tandem-clouds/testkit/history/facts';
import { type Call, isError } from '@tandem-clouds/testkit/history/observed';
import { openTrafficEndpoint, type TrafficEndpoint } from '@tandem-clouds/testkit/load/endpoint';
import { runLoad } from '@tandem-clouds/testkit/load/load-generator';
import { keysOf, takeSnapshot, untilAtRest } from '@tandem-clouds/testkit/observe/converge';
import { Random } from '@tandem-clouds/testkit/random';
import { type Figure, figure } from '@tandem-clouds/testkit/report/report';
import { systemContext } from '../../dns/command/system.ts';
import { platformOf, runningAt } from '../../infra/rollout/platform.ts';
import { artefactOf } from '../../infra/rollout/releases.ts';
import { type RolloutResult, runRollout } from '../../infra/rollout/run-rollout.ts';
import { settleSecondsOf } from '../../infra/rollout/sites.ts';
import { spoiled } from '../../infra/rollout/spoil.ts';
import { Traffic } from '../../infra/rollout/traffic.ts';

const SITES = ['aws-us-east-1', 'azure-eastus'] as const;
/** Shorter than on real clouds: twenty requests tell as much as a minute of them when nobody else is on the machine. */
const SHIFT = { stepPercent: 25, holdSeconds: 4, sampleSeconds: 1 };
const PERIOD_MS = 500;
/** Longer than a TTL, so that clients are spread. */
const STEADY_MS = 12_000;
const TAIL_MS = 12_000;
const CONVERGED_WITHIN_MS = 60_000;

export interface LocalRolloutOptions {
  /** Release that the stack begins with, and the new one. */
  readonly from: string;
  readonly to: string;
  readonly clients: number;
  readonly seed: number;
  readonly only: Cloud | undefined;
  /** The new release of this cloud is made to fail. */
  readonly bad: Cloud | undefined;
  readonly report: (line: string) => void;
}

export interface LocalRollout {
  readonly result: RolloutResult;
  readonly figures: readonly Figure[];
  readonly errors: readonly Call[];
  readonly findings: readonly Finding[];
  /** Site → the release that answers in the end. */
  readonly running: Readonly<Record<string, string | undefined>>;
}

/** @throws Error when the stack does not come up, or the run itself fails. */
export async function rolloutLocally(options: LocalRolloutOptions): Promise<LocalRollout> {
  const { from, to, bad, report } = options;
  report(`starting a stack of its own on ${from}`);
  const begins = SITES.map((site) => [site, artefactOf(from, parseSite(site).cloud)] as const);
  const cluster = await TestCluster.open(SITES, { artefacts: Object.fromEntries(begins) });
  const folders: string[] = [];
  let trafficEndpoint: TrafficEndpoint | undefined;
  try {
    trafficEndpoint = await openTrafficEndpoint(cluster);
    const deploy = localDeploy(cluster.dir, (version, cloud) => {
      const artefact = artefactOf(version, cloud);
      if (version !== to || cloud !== bad) return artefact;
      const folder = spoiled(artefact);
      folders.push(folder);
      return folder;
    });
    return await underLoad(cluster, trafficEndpoint, { ...options, deploy });
  } finally {
    await trafficEndpoint?.close();
    await cluster.close();
    for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
  }
}

interface Prepared extends LocalRolloutOptions {
  readonly deploy: ReturnType<typeof localDeploy>;
}

async function underLoad(
  cluster: TestCluster,
  { endpoints, resolve, record }: TrafficEndpoint,
  options: Prepared,
): Promise<LocalRollout> {
  const { clients, seed, report } = options;
  const calls: Call[] = [];
  const stop = new AbortController();
  const beganMs = Date.now();
  const working = runLoad(
    {
      sizes: { 'honours TTL': clients, 'ignores TTL': 0, 'fails over': 0 },
      periodMs: PERIOD_MS,
      joinWithinMs: record.ttlSeconds * 1_000,
      random: new Random(seed),
      resolve,
      endpoints,
      calls,
      responses: [],
    },
    stop.signal,
  );
  report(`${clients} clients at work`);
  let result: RolloutResult;
  let rolloutMs: number;
  try {
    await sleep(STEADY_MS);
    const rolloutBeganMs = Date.now();
    result = await rollout(cluster, options);
    rolloutMs = Date.now() - rolloutBeganMs;
    await sleep(TAIL_MS);
  } finally {
    stop.abort();
    await working;
  }
  const loadMs = Date.now() - beganMs;
  report('the load has ended; comparing both sites with what the clients were told');
  const findings = await findingsOf(cluster, calls, report);
  const errors = calls.filter(isError);
  const running = Object.fromEntries(
    await Promise.all(SITES.map(async (site) => [site, await runningAt(cluster.site(site).url)] as const)),
  );
  const figures = [...figuresOf({ calls, errors, findings, rolloutMs, loadMs }), ...timesOf(result)];
  return { result, figures, errors, findings, running };
}

async function rollout(
  cluster: TestCluster,
  { from, to, only, deploy, report }: Prepared,
): Promise<RolloutResult> {
  const { dns, sites } = cluster.describe();
  const file = path.join(cluster.dir, 'rollout.policy.yml');
  const ports = sites.map(({ site, url }) => ({ site, port: Number(new URL(url).port) }));
  const policy = localPolicy(ports);
  // JSON is YAML.
  fs.writeFileSync(file, JSON.stringify({ ...policy, shift: { ...policy.shift, ...SHIFT } }));
  const commandContext = systemContext({ cloudflareToken: undefined, localControlUrl: dns.controlUrl });
  const traffic = new Traffic(file, { ...commandContext, out: (text) => report(text.trimEnd()) });
  const [a, b] = SITES;
  const both = [
    { site: a, other: b, previous: from },
    { site: b, other: a, previous: from },
  ];
  return runRollout({
    plan: {
      release: to,
      sites: both.filter(({ site }) => only === undefined || site.startsWith(only)),
      settleSeconds: settleSecondsOf(policy),
    },
    platform: platformOf(traffic, deploy),
    report,
    record: () => undefined,
    signal: commandContext.signal,
  });
}

async function findingsOf(
  cluster: TestCluster,
  calls: readonly Call[],
  progress: (line: string) => void,
): Promise<readonly Finding[]> {
  const keys = keysOf(calls);
  const rest = await untilAtRest(cluster, keys, {
    convergedWithinMs: CONVERGED_WITHIN_MS,
    quietWithinMs: 0,
    progress,
  });
  const restless =
    rest.convergedMs === undefined ? [{ invariant: '1 convergence', detail: rest.missing }] : [];
  return [...restless, ...judge(calls, ofClients(await takeSnapshot(cluster, keys), keys))];
}

/** Without what the smoke and contract tests wrote and deleted. */
function ofClients(snapshot: Snapshot, keys: readonly string[]): Snapshot {
  const known = new Set(keys);
  return new Map(
    [...snapshot].map(([site, records]) => [site, new Map([...records].filter(([key]) => known.has(key)))]),
  );
}

function figuresOf(seen: {
  readonly calls: readonly Call[];
  readonly errors: readonly Call[];
  readonly findings: readonly Finding[];
  readonly rolloutMs: number;
  readonly loadMs: number;
}): Figure[] {
  const { calls, errors, findings, rolloutMs, loadMs } = seen;
  const writes = calls.filter(({ kind, result }) => kind !== 'read' && result === 'acknowledged');
  return [
    figure('requests', calls.length, ''),
    figure('failed requests', errors.length, '', { exactly: 0 }),
    figure('acknowledged writes', writes.length, '', { atLeast: 1 }),
    figure('lost writes and other findings', findings.length, '', { exactly: 0 }),
    figure('requests a second', calls.length / (loadMs / 1_000), '1/s'),
    figure('rollout', rolloutMs / 1_000, 's'),
  ];
}

/** Each deployment, the way back included. */
function timesOf({ steps }: RolloutResult): Figure[] {
  return steps
    .filter(({ action }) => action === 'deploy')
    .map(({ what, ms }) => figure(what, ms / 1_000, 's'));
}
