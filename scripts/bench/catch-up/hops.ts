/**
 * Where the time of a live write goes on its way to the other site: when each function that it passes began with it and
 * ended, by one clock, because they run in this process.
 */
import type { PlatformHandler } from '../bridge/functions.ts';
import type { FedFunction } from './site-run.ts';

/** Begins the keys of live writes; no event of anything else holds it. */
export const LIVE = 'item:live-';

const LIVE_KEY = new RegExp(`${LIVE}[a-z]+-\\d+`);

/** Milliseconds of `performance.now()`. */
export interface Passage {
  forwardAt?: number;
  /** Of the batch that applied it; of the last one, when it took several. */
  applyAt?: number;
  appliedAt?: number;
  /** Times that a function took it up beyond the first of each. */
  repeats: number;
}

export class Hops {
  readonly #passages = new Map<string, Passage>();
  readonly #waiting = new Map<string, () => void>();

  /** A function that notes when live writes pass it. */
  watch(name: FedFunction, handler: PlatformHandler): PlatformHandler {
    return async (...args) => {
      const keys = bodiesOf(args[0]).flatMap((body) => LIVE_KEY.exec(body)?.[0] ?? []);
      const beganAt = performance.now();
      for (const key of keys) this.#began(name, key, beganAt);
      const response = await handler(...args);
      const endedAt = performance.now();
      if (name === 'apply') for (const key of keys) this.#applied(key, endedAt);
      return response;
    };
  }

  /** What is known of a live write so far. */
  of(key: string): Readonly<Passage> {
    return this.#passages.get(key) ?? { repeats: 0 };
  }

  /** Resolves once a batch with it has been applied. */
  applied(key: string): Promise<void> {
    if (this.of(key).appliedAt !== undefined) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(key, resolve));
  }

  #passage(key: string): Passage {
    const known = this.#passages.get(key) ?? { repeats: 0 };
    this.#passages.set(key, known);
    return known;
  }

  #began(name: FedFunction, key: string, at: number): void {
    const passage = this.#passage(key);
    const field = name === 'forward' ? 'forwardAt' : 'applyAt';
    if (passage[field] !== undefined) passage.repeats += 1;
    if (name === 'forward') passage.forwardAt ??= at;
    else passage.applyAt = at;
  }

  #applied(key: string, at: number): void {
    this.#passage(key).appliedAt = at;
    this.#waiting.get(key)?.();
    this.#waiting.delete(key);
  }
}

/** Of an event of SQS, or of what the Functions host hands over. */
function bodiesOf(input: unknown): readonly string[] {
  if (Array.isArray(input)) return input.map(String);
  const { Records = [] } = input as { Records?: readonly { body: string }[] };
  return Records.map(({ body }) => body);
}
