/**
 * What is going on, looked at every second while somebody looks on: one look serves every open page.
 *
 * Invariants: nothing is asked while nobody looks; a look that takes longer than a second delays the next one, so that there is
 * never more than one question to a site under way; memory holds the last `POINTS_MAX` points.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ImposedFault } from '@tandem-clouds/local/faults/fault-order';
import { type Direction, directionsOf, withContentRates } from '@tandem-clouds/operator/directions';
import { querySite, type SiteReport } from '@tandem-clouds/operator/query-sites';
import type { Target } from '@tandem-clouds/operator/targets';
import type { Loss } from './loss-clock.ts';

export const EVERY_MS = 1_000;
/** Ten minutes. */
export const POINTS_MAX = 600;
/** A page that is loaded anew finds the points of before. */
const LOOKS_ON_MS = 15_000;

/** What charts are drawn of. */
export interface Point {
  /** Epoch milliseconds by the console's clock. */
  readonly atMs: number;
  /** `<from> → <to>` → what is known; null: nobody could say. */
  readonly directions: Readonly<Record<string, DirectionPoint>>;
  readonly sites: Readonly<Record<string, SitePoint>>;
}

export interface DirectionPoint {
  readonly keysAtRisk: number | null;
  readonly behindMs: number | null;
  readonly heardMsAgo: number | null;
}

export interface SitePoint {
  readonly responds: boolean;
  /** Requests that it has answered since the point before, per second; null: not known. */
  readonly perSecond: number | null;
  readonly out: number | null;
  readonly in: number | null;
  readonly dead: number | null;
}

export interface Look {
  readonly atMs: number;
  readonly reports: readonly SiteReport[];
  readonly directions: readonly Direction[];
  readonly point: Point;
  /** What else there is of this machine's stack; absent: deployed sites. */
  readonly local?: LocalLook;
}

/** What only the stack of this machine can say. */
export interface LocalLook {
  /** Site → whether the edge sends it requests. */
  readonly healthy: Readonly<Record<string, boolean>>;
  /** Site → requests that it has answered since the collector began; absent: not known. */
  readonly served: Readonly<Record<string, number>>;
  /** Faults that are on, as `tandem fault list` has them. */
  readonly faults: readonly ImposedFault[];
  /** The clock of the latest loss. */
  readonly loss?: Loss;
}

export interface WatchOptions {
  /** Whom to ask, anew each time: processes of a stack come back. @throws when there is nobody */
  readonly targets: () => readonly Target[];
  /** @param before The directions of the look before. */
  readonly local?: (before: readonly Direction[]) => Promise<LocalLook>;
  readonly everyMs?: number;
}

export type Watcher = (look: Look) => void;

export class Watch {
  readonly #options: WatchOptions;
  readonly #watchers = new Set<Watcher>();
  readonly #points: Point[] = [];
  #last: Look | undefined;
  #running: Promise<void> | undefined;
  #lastLeftMs = -Infinity;
  #stopped = new AbortController();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  get points(): readonly Point[] {
    return this.#points;
  }

  /** From now on until the result is called. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    if (this.#last !== undefined && Date.now() - this.#last.atMs < 2 * EVERY_MS) watcher(this.#last);
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#lastLeftMs = performance.now();
    };
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    this.#watchers.clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { everyMs = EVERY_MS } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted && this.#isWanted()) {
      const beganMs = performance.now();
      const look = await this.#look();
      this.#last = look;
      this.#points.push(look.point);
      if (this.#points.length > POINTS_MAX) this.#points.shift();
      for (const watcher of this.#watchers) watcher(look);
      const restMs = Math.max(0, everyMs - (performance.now() - beganMs));
      await delay(restMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #isWanted(): boolean {
    return this.#watchers.size > 0 || performance.now() - this.#lastLeftMs < LOOKS_ON_MS;
  }

  async #look(): Promise<Look> {
    const atMs = Date.now();
    const [reports, local] = await Promise.all([
      Promise.all(this.#targets().map((target) => querySite(target, { keys: false, watch: true }))),
      this.#options.local?.(this.#last?.directions ?? []),
    ]);
    const found = directionsOf(reports);
    const directions = withContentRates(found, this.#last, atMs);
    return {
      atMs,
      reports,
      directions,
      point: pointOf({ atMs, reports, directions, local }, this.#last),
      ...(local !== undefined && { local }),
    };
  }

  /** A stack that is being stopped: nothing to ask for a while. */
  #targets(): readonly Target[] {
    try {
      return this.#options.targets();
    } catch {
      return [];
    }
  }
}

export function nameOf({ from, to = '' }: Pick<Direction, 'from' | 'to'>): string {
  return `${from} → ${to}`;
}

function pointOf(
  {
    atMs,
    reports,
    directions,
    local,
  }: Pick<Look, 'atMs' | 'reports' | 'directions'> & { local: LocalLook | undefined },
  before: Look | undefined,
): Point {
  return {
    atMs,
    directions: Object.fromEntries(
      directions.map((direction) => [
        nameOf(direction),
        {
          keysAtRisk: direction.keysAtRisk ?? null,
          behindMs: direction.behindMs ?? null,
          heardMsAgo: direction.heardMsAgo ?? null,
        },
      ]),
    ),
    sites: Object.fromEntries(
      reports.map((report) => {
        const name = report.site ?? report.url;
        return [
          name,
          {
            responds: report.replication !== undefined,
            perSecond: rateOf(
              local?.served[name],
              before?.local?.served[name],
              atMs - (before?.atMs ?? atMs),
            ),
            out: report.queues?.out.messages ?? null,
            in: report.queues?.in.messages ?? null,
            dead: report.queues?.dead.messages ?? null,
          },
        ];
      }),
    ),
  };
}

/** A collector that began anew counts from 0. */
function rateOf(now: number | undefined, before: number | undefined, overMs: number): number | null {
  if (now === undefined || before === undefined || overMs <= 0 || now < before) return null;
  return Math.round(((now - before) * 10_000) / overMs) / 10;
}
