/**
 * The acts of a drill: steady load through DNS, the cut, the return, and then both sites compared with what the clients
 * were told.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { checkIncrements } from '../checkers/increments.ts';
import { judge } from '../checkers/judge.ts';
import type { TestCluster } from '../cluster/test-cluster.ts';
import type { Finding } from '../history/facts.ts';
import {
  type AtRisk,
  type Call,
  type DnsAnswer,
  type HealthChange,
  isError,
  type Observed,
} from '../history/observed.ts';
import { type LoadOptions, runLoad } from '../load/load-generator.ts';
import { keysOf, takeSnapshot, untilAtRest } from '../observe/converge.ts';
import { knownWrites } from '../observe/exposure.ts';
import { Random } from '../random.ts';
import { notAt, untilCrossed } from './crossed.ts';
import type { DrillOptions } from './options.ts';
import { watch } from './watch.ts';

/** Before the cut: longer than the TTL over which the clients join. */
const STEADY_MS = 25_000;
/** The cut falls anywhere between two health checks. */
const MOMENT_WITHIN_MS = 10_000;
/**
 * The way out of the lost site is cut so long before the site itself: a cloud seldom dies in one instant, and without
 * this there may be nothing at risk, and nothing that comes back.
 */
const MUTE_MS = 2_000;
/** After the return to rotation, so that clients go there again. */
const TAIL_MS = 15_000;
const STEP_WITHIN_MS = 120_000;
const POLL_MS = 100;
const REPORT_EVERY_MS = 5_000;

export interface DrillRunOptions
  extends DrillOptions, Pick<LoadOptions, 'endpoints' | 'joinWithinMs' | 'periodMs' | 'resolve' | 'sizes'> {
  readonly cluster: TestCluster;
}

/** What the acts find out. */
type Acts = Pick<
  Observed,
  | 'atRiskAtCut'
  | 'backMs'
  | 'convergedMs'
  | 'cutMs'
  | 'servesMs'
  | 'stayedBehind'
  | 'stillBehind'
  | 'waitingAtReturn'
>;

export class DrillRun {
  readonly #options: DrillRunOptions;
  readonly #random: Random;
  readonly #calls: Call[] = [];
  readonly #responses: DnsAnswer[] = [];
  readonly #health: HealthChange[] = [];
  readonly #samples: AtRisk[] = [];

  constructor(options: DrillRunOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
  }

  async play(): Promise<Observed> {
    const { drill, victim, survivor } = this.#options;
    const stop = new AbortController();
    const beganMs = Date.now();
    const working = this.#work(stop.signal);
    const telling = setInterval(() => this.#report(beganMs), REPORT_EVERY_MS);
    let acts: Acts;
    let endMs: number;
    try {
      acts = await Promise.race([this.#acts(), never(working)]);
      endMs = Date.now();
    } finally {
      clearInterval(telling);
      stop.abort();
    }
    await working;
    const findings = await this.#findings();
    const { calls, responses, health, atRisk } = {
      calls: this.#calls,
      responses: this.#responses,
      health: this.#health,
      atRisk: this.#samples,
    };
    return { drill, victim, survivor, beganMs, endMs, calls, responses, health, atRisk, findings, ...acts };
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { cluster, endpoints, resolve, sizes, periodMs, joinWithinMs } = this.#options;
    const [calls, responses, health, samples] = [this.#calls, this.#responses, this.#health, this.#samples];
    const sites = new Map(cluster.describe().sites.map(({ site, url }) => [site, url]));
    const { controlUrl } = cluster.describe().dns;
    await Promise.all([
      runLoad(
        { sizes, periodMs, joinWithinMs, random: this.#random, resolve, endpoints, calls, responses },
        signal,
      ),
      watch({ resolve, endpoints, controlUrl, sites, responses, health, samples }, signal),
    ]);
  }

  async #acts(): Promise<Acts> {
    const { cluster, victim, survivor, awayMs, progress } = this.#options;
    progress('steady load');
    await sleep(STEADY_MS + this.#random.int(MOMENT_WITHIN_MS) - MUTE_MS);
    const mend = cluster.cut([`${victim}/${survivor}`], 'refused');
    await sleep(MUTE_MS);
    const atRiskAtCut = this.#lastSamples();
    const cutMs = Date.now();
    const bringBack = cluster.takeAway(victim);
    progress(`CUT: ${victim} is killed; ${atRiskAtCut.map(textOf).join(', ') || 'nothing said at risk'}`);
    mend();
    await sleep(awayMs);
    const before = this.#calls.filter(({ endMs }) => endMs <= cutMs);
    const way = { origin: victim, writes: knownWrites(cluster, before, victim) };
    const behind = await notAt(cluster, survivor, way);
    const waitingAtReturn = this.#samples.findLast(({ origin }) => origin === survivor);
    const backMs = Date.now();
    bringBack();
    progress(`${victim} may return; ${behind.length} of its writes are not at ${survivor}`);
    const reported = [...this.#calls];
    const [servesMs, convergedMs] = await Promise.all([
      this.#until('ready', () => cluster.site(victim).ready),
      untilCrossed(cluster, reported, STEP_WITHIN_MS),
    ]);
    progress(convergedMs === undefined ? 'NOT CONVERGED' : 'what was acknowledged before is at both sites');
    await this.#until('in rotation', () =>
      this.#responses.some(({ site, atMs }) => site === victim && atMs > backMs),
    );
    await sleep(TAIL_MS);
    const stillBehind = (await notAt(cluster, survivor, { ...way, writes: behind })).length;
    return {
      atRiskAtCut,
      cutMs,
      stayedBehind: behind.length,
      stillBehind,
      backMs,
      waitingAtReturn,
      servesMs,
      convergedMs,
    };
  }

  /** When it came about; undefined: not in time. */
  async #until(what: string, isSo: () => boolean): Promise<number | undefined> {
    const deadline = Date.now() + STEP_WITHIN_MS;
    while (!isSo()) {
      if (Date.now() > deadline) return undefined;
      await sleep(POLL_MS);
    }
    this.#options.progress(`${this.#options.victim} is ${what}`);
    return Date.now();
  }

  /** The last that each site said. */
  #lastSamples(): AtRisk[] {
    return this.#options.cluster.sites.flatMap(
      (site) => this.#samples.findLast(({ origin }) => origin === site) ?? [],
    );
  }

  /** Once nobody asks any more: both sites at rest, and everything that clients were told judged. */
  async #findings(): Promise<readonly Finding[]> {
    const { cluster, progress } = this.#options;
    progress('the load has ended; comparing both sites with what the clients were told');
    const keys = keysOf(this.#calls);
    const rest = await untilAtRest(cluster, keys, {
      convergedWithinMs: STEP_WITHIN_MS,
      quietWithinMs: 0,
      progress,
    });
    const restless =
      rest.convergedMs === undefined ? [{ invariant: '1 convergence', detail: rest.missing }] : [];
    const snapshot = await takeSnapshot(cluster, keys);
    return [...restless, ...judge(this.#calls, snapshot), ...checkIncrements(this.#calls, snapshot)];
  }

  #report(beganMs: number): void {
    const { sizes, progress } = this.#options;
    const recent = this.#calls.filter(({ endMs }) => endMs > Date.now() - REPORT_EVERY_MS);
    const counts = Object.keys(sizes).map((group) => {
      const own = recent.filter((call) => call.group === group);
      return `${group}: ${own.length} requests, ${own.filter(isError).length} errors`;
    });
    progress(`${Math.round((Date.now() - beganMs) / 1_000)} s  ${counts.join('; ')}`);
  }
}

function textOf({ origin, peer, keys }: AtRisk): string {
  return `${keys} keys at risk ${origin} → ${peer}`;
}

/** Rejects as the promise does, and never resolves. */
async function never(promise: Promise<unknown>): Promise<never> {
  await promise;
  return new Promise(() => undefined);
}
