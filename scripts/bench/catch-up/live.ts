/** Live writes while something else goes on: how long each took, and how long until the other site had it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Replica } from '../../../src/shared/domain/replica.ts';
import { type Hops, LIVE } from './hops.ts';

const POLL_MS = 20;
/** After so long it is looked for at the other site although no function has been seen with it: the sweeper may have sent it. */
const UNSEEN_MS = 2_000;

/** Milliseconds that one live write spent on each part of its way; they follow one another. */
export interface LiveSample {
  /** From when it was due until it was acknowledged. */
  readonly write: number;
  /** In the outbound queue. */
  readonly outbound: number;
  /** From when `forward` had it until `apply` had it: sending, and the inbound queue. */
  readonly inbound: number;
  readonly apply: number;
  /** Until it could be read. */
  readonly read: number;
}

export type Hop = keyof LiveSample;

export const HOPS: readonly Hop[] = ['write', 'outbound', 'inbound', 'apply', 'read'];

export interface LiveSamples {
  /** Milliseconds from the call of a write to its answer. */
  readonly writeMs: readonly number[];
  /** Milliseconds from the call of a write until it could be read at the other site. */
  readonly lagMs: readonly number[];
  /** Of the writes that were seen by every function once. */
  readonly hops: readonly LiveSample[];
  readonly failed: number;
  /** Times that a function took up a write that it had had before. */
  readonly repeats: number;
}

export interface LiveOptions {
  readonly at: Replica;
  readonly other: Replica;
  readonly hops: Hops;
  readonly perSecond: number;
}

/** Writes at a rate, whatever the writes before it do, until it is stopped. */
export class LiveWrites {
  readonly #options: LiveOptions;
  readonly #writeMs: number[] = [];
  readonly #lagMs: number[] = [];
  readonly #hops: LiveSample[] = [];
  readonly #calls = new Set<Promise<void>>();
  #failed = 0;
  #repeats = 0;
  #stopped = false;
  #loop: Promise<void> | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  start(run: string): void {
    this.#loop = this.#run(run);
  }

  /** Ends, once everything that was written has arrived. */
  async stop(): Promise<LiveSamples> {
    this.#stopped = true;
    await this.#loop;
    await Promise.all(this.#calls);
    return {
      writeMs: this.#writeMs,
      lagMs: this.#lagMs,
      hops: this.#hops,
      failed: this.#failed,
      repeats: this.#repeats,
    };
  }

  async #run(run: string): Promise<void> {
    const begun = performance.now();
    for (let n = 0; !this.#stopped; n += 1) {
      const dueAt = begun + (n * 1_000) / this.#options.perSecond;
      const waitMs = dueAt - performance.now();
      if (waitMs > 0) await delay(waitMs);
      const call = this.#write(`${LIVE}${run}-${n}`, dueAt).finally(() => this.#calls.delete(call));
      this.#calls.add(call);
    }
  }

  async #write(key: string, dueAt: number): Promise<void> {
    const { at, other, hops } = this.#options;
    try {
      const data = { filling: 'x'.repeat(700) };
      await at.write({ key, decide: () => ({ data }) });
    } catch {
      this.#failed += 1;
      return;
    }
    const writtenAt = performance.now();
    this.#writeMs.push(writtenAt - dueAt);
    const unseen = new AbortController();
    const late = delay(UNSEEN_MS, undefined, { signal: unseen.signal }).catch(() => undefined);
    await Promise.race([hops.applied(key), late]);
    unseen.abort();
    while ((await other.read(key).catch(() => undefined)) === undefined) await delay(POLL_MS);
    const readAt = performance.now();
    this.#lagMs.push(readAt - dueAt);
    const { forwardAt, applyAt, appliedAt, repeats } = hops.of(key);
    this.#repeats += repeats;
    if (forwardAt === undefined || applyAt === undefined || appliedAt === undefined) return;
    this.#hops.push({
      write: writtenAt - dueAt,
      // A function may have it before the writer has its answer.
      outbound: Math.max(0, forwardAt - writtenAt),
      inbound: applyAt - forwardAt,
      apply: appliedAt - applyAt,
      read: readAt - appliedAt,
    });
  }
}
