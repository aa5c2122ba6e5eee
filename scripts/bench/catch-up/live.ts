/** Live writes while something else goes on: how long each took, and how long until the other site had it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Replica } from '../../../src/shared/domain/replica.ts';

const POLL_MS = 20;
/** One in so many is followed to the other site: reading there takes from the same budget. */
const FOLLOWED = 5;

export interface LiveSamples {
  /** Milliseconds from the call of a write to its answer. */
  readonly writeMs: readonly number[];
  /** Milliseconds from the call of a write until it could be read at the other site. */
  readonly lagMs: readonly number[];
  readonly failed: number;
}

/** Writes at a rate, whatever the writes before it do, until it is stopped. */
export class LiveWrites {
  readonly #at: Replica;
  readonly #other: Replica;
  readonly #perSecond: number;
  readonly #writeMs: number[] = [];
  readonly #lagMs: number[] = [];
  readonly #calls: Promise<void>[] = [];
  #failed = 0;
  #stopped = false;
  #loop: Promise<void> | undefined;

  constructor(options: { at: Replica; other: Replica; perSecond: number }) {
    this.#at = options.at;
    this.#other = options.other;
    this.#perSecond = options.perSecond;
  }

  start(run: string): void {
    this.#loop = this.#run(run);
  }

  /** Ends, once everything that was written has arrived. */
  async stop(): Promise<LiveSamples> {
    this.#stopped = true;
    await this.#loop;
    await Promise.all(this.#calls);
    return { writeMs: this.#writeMs, lagMs: this.#lagMs, failed: this.#failed };
  }

  async #run(run: string): Promise<void> {
    const begun = performance.now();
    for (let n = 0; !this.#stopped; n += 1) {
      const dueAt = begun + (n * 1_000) / this.#perSecond;
      const waitMs = dueAt - performance.now();
      if (waitMs > 0) await delay(waitMs);
      this.#calls.push(this.#write(`item:live-${run}-${n}`, dueAt, n % FOLLOWED === 0));
    }
  }

  async #write(key: string, dueAt: number, isFollowed: boolean): Promise<void> {
    try {
      const data = { filling: 'x'.repeat(700) };
      await this.#at.write({ key, decide: () => ({ data }) });
    } catch {
      this.#failed += 1;
      return;
    }
    this.#writeMs.push(performance.now() - dueAt);
    if (!isFollowed) return;
    while ((await this.#other.read(key).catch(() => undefined)) === undefined) await delay(POLL_MS);
    this.#lagMs.push(performance.now() - dueAt);
  }
}
