/**
 * Makes a failed schedule smaller: fewer sites, fewer client operations, fewer faults, as long as it still fails the
 * same way. Deterministic: the same schedule shrinks to the same one. (Zeller and Hildebrandt, "Simplifying and
 * Isolating Failure-Inducing Input", 2002.)
 */
import type { Fault } from './faults.ts';
import { type Only, type Parts, runSchedule, type ScheduleOptions, type ScheduleResult } from './schedule.ts';

/** Faults that are a property of a site and strike all the time. */
const LASTING = [
  'skew',
  'coarse',
  'staleIndex',
  'oversized',
  'newerMinor',
  'olderRelease',
] as const satisfies readonly Fault[];
const RUNS_MAX = 2_000;

export interface Shrunk {
  /** Runs the smallest schedule that still fails. */
  readonly options: ScheduleOptions;
  readonly result: ScheduleResult;
  /** How many schedules were tried. */
  readonly runs: number;
}

/** Whether a schedule still shows what is looked for. */
type Fails = (result: ScheduleResult, options: ScheduleOptions) => boolean;

/**
 * The smallest schedule that can be reached from these options and for which `fails` holds as it does for them.
 * @throws RangeError when it does not hold for them.
 */
export function shrink(options: ScheduleOptions, fails: Fails): Shrunk {
  return new Shrinker(options, fails).shrink();
}

class Shrinker {
  readonly #fails: Fails;
  #runs = 1;
  #options: ScheduleOptions;
  #result: ScheduleResult;

  constructor(options: ScheduleOptions, fails: Fails) {
    this.#fails = fails;
    this.#options = options;
    this.#result = runSchedule(options);
  }

  shrink(): Shrunk {
    if (!this.#fails(this.#result, this.#options)) throw new RangeError('there is nothing to shrink');
    for (let sites = 2; sites < this.#result.sites; sites += 1) if (this.#try({ sites })) break;
    let before: number;
    do {
      before = size(this.#result.parts);
      for (const name of ['operations', 'events', 'strikes'] as const) this.#reduce(name);
      for (const fault of LASTING) {
        if ((this.#result.faults[fault] ?? 0) > 0)
          this.#try({ faults: { ...this.#options.faults, [fault]: 0 } });
      }
    } while (size(this.#result.parts) < before);
    return { options: this.#options, result: this.#result, runs: this.#runs };
  }

  #try(change: Partial<ScheduleOptions>): boolean {
    if (this.#runs >= RUNS_MAX) return false;
    this.#runs += 1;
    const options = { ...this.#options, ...change };
    const result = runSchedule(options);
    if (!this.#fails(result, options)) return false;
    this.#options = options;
    this.#result = result;
    return true;
  }

  /** Leaves out ever smaller groups of one kind of parts: half of them, a quarter, and in the end one by one. */
  #reduce(name: keyof Only): void {
    let groups = 1;
    while (this.#result.parts[name].length > 0) {
      const present = this.#result.parts[name];
      const width = Math.ceil(present.length / groups);
      let removed = false;
      for (let from = 0; from < present.length; from += width) {
        const gone = new Set(present.slice(from, from + width));
        const left = this.#result.parts[name].filter((part) => !gone.has(part));
        if (left.length < this.#result.parts[name].length && this.#try({ only: this.#onlyWith(name, left) }))
          removed = true;
      }
      if (width === 1 && !removed) return;
      groups = removed ? Math.max(1, Math.floor(groups / 2)) : Math.min(groups * 2, present.length);
    }
  }

  #onlyWith(name: keyof Only, left: readonly string[]): Only {
    const { operations, events, strikes } = this.#result.parts;
    const all = { operations, events, strikes, [name]: left };
    return {
      operations: new Set(all.operations),
      events: new Set(all.events),
      strikes: new Set(all.strikes),
    };
  }
}

function size({ operations, events, strikes }: Parts): number {
  return operations.length + events.length + strikes.length;
}
