/**
 * The acts of a drill: steady load through DNS, the cut, the return, and then both sites compared with what the clients
 * were told.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arena } from '../cluster/test-cluster.ts';
import { keysOf, takeSnapshot, untilAtRest } from '../observe/converge.ts';
import { knownWrites } from '../observe/exposure.ts';
import { judge } from '../checkers/judge.ts';
import type { Finding } from '../history/facts.ts';
import { Random } from '../random.ts';
import { notAt, untilCrossed } from './crossed.ts';
import { runCrowd, type CrowdOptions } from '../load/load-generator.ts';
import {
  isError,
  type AtRisk,
  type Call,
  type DnsAnswer,
  type HealthChange,
  type Observed,
} from '../history/observed.ts';
import type { DrillOptions } from './run.ts';
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
const TELL_EVERY_MS = 5_000;

export interface StageOptions
  extends DrillOptions, Pick<CrowdOptions, 'doors' | 'joinWithinMs' | 'periodMs' | 'resolve' | 'sizes'> {
  readonly arena: Arena;
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

export class Stage {
  readonly #options: StageOptions;
  readonly #random: Random;
  readonly #calls: Call[] = [];
  readonly #answers: DnsAnswer[] = [];
  readonly #health: HealthChange[] = [];
  readonly #looks: AtRisk[] = [];

  constructor(options: StageOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
  }

  async play(): Promise<Observed> {
    const { drill, victim, survivor } = this.#options;
    const stop = new AbortController();
    const beganMs = Date.now();
    const working = this.#work(stop.signal);
    const telling = setInterval(() => this.#tell(beganMs), TELL_EVERY_MS);
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
    const { calls, answers, health } = { calls: this.#calls, answers: this.#answers, health: this.#health };
    return { drill, victim, survivor, beganMs, endMs, calls, answers, health, findings, ...acts };
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { arena, doors, resolve, sizes, periodMs, joinWithinMs } = this.#options;
    const [calls, answers, health, looks] = [this.#calls, this.#answers, this.#health, this.#looks];
    const sites = new Map(arena.describe().sites.map(({ site, url }) => [site, url]));
    const { controlUrl } = arena.describe().dns;
    await Promise.all([
      runCrowd(
        { sizes, periodMs, joinWithinMs, random: this.#random, resolve, doors, calls, answers },
        signal,
      ),
      watch({ resolve, doors, controlUrl, sites, answers, health, looks }, signal),
    ]);
  }

  async #acts(): Promise<Acts> {
    const { arena, victim, survivor, awayMs, progress } = this.#options;
    progress('steady load');
    await sleep(STEADY_MS + this.#random.int(MOMENT_WITHIN_MS) - MUTE_MS);
    const mend = arena.cut([`${victim}/${survivor}`], 'refused');
    await sleep(MUTE_MS);
    const atRiskAtCut = this.#lastLooks();
    const cutMs = Date.now();
    const bringBack = arena.takeAway(victim);
    progress(`CUT: ${victim} is killed; ${atRiskAtCut.map(textOf).join(', ') || 'nothing said at risk'}`);
    mend();
    await sleep(awayMs);
    const before = this.#calls.filter(({ endMs }) => endMs <= cutMs);
    const way = { origin: victim, writes: knownWrites(arena, before, victim) };
    const behind = await notAt(arena, survivor, way);
    const waitingAtReturn = this.#looks.findLast(({ origin }) => origin === survivor);
    const backMs = Date.now();
    bringBack();
    progress(`${victim} may return; ${behind.length} of its writes are not at ${survivor}`);
    const told = [...this.#calls];
    const [servesMs, convergedMs] = await Promise.all([
      this.#until('ready', () => arena.site(victim).ready),
      untilCrossed(arena, told, STEP_WITHIN_MS),
    ]);
    progress(convergedMs === undefined ? 'NOT CONVERGED' : 'what was acknowledged before is at both sites');
    await this.#until('in rotation', () =>
      this.#answers.some(({ site, atMs }) => site === victim && atMs > backMs),
    );
    await sleep(TAIL_MS);
    const stillBehind = (await notAt(arena, survivor, { ...way, writes: behind })).length;
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
  #lastLooks(): AtRisk[] {
    return this.#options.arena.sites.flatMap(
      (site) => this.#looks.findLast(({ origin }) => origin === site) ?? [],
    );
  }

  /** Once nobody asks any more: both sites at rest, and everything that clients were told judged. */
  async #findings(): Promise<readonly Finding[]> {
    const { arena, progress } = this.#options;
    progress('the load has ended; comparing both sites with what the clients were told');
    const keys = keysOf(this.#calls);
    const rest = await untilAtRest(arena, keys, {
      convergedWithinMs: STEP_WITHIN_MS,
      quietWithinMs: 0,
      progress,
    });
    const restless =
      rest.convergedMs === undefined ? [{ invariant: '1 convergence', detail: rest.missing }] : [];
    return [...restless, ...judge(this.#calls, await takeSnapshot(arena, keys))];
  }

  #tell(beganMs: number): void {
    const { sizes, progress } = this.#options;
    const recent = this.#calls.filter(({ endMs }) => endMs > Date.now() - TELL_EVERY_MS);
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
