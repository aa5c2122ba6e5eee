/**
 * A cache that nobody waits for: each call has a little time, and after a few that failed in a row nobody asks for a while
 * (a circuit breaker). No call ever fails.
 */
import { cacheBreakMs, cacheCallMs, cacheFailuresMax, cacheKeepMs } from '../../bounds.ts';
import type { KeptText, TextCache } from '../../ports/text-cache.ts';

export interface GuardOptions {
  /** Monotonic milliseconds. */
  readonly elapsed: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Why nobody asks for a while. */
  readonly opened?: (error: unknown) => void;
}

export class GuardedCache implements TextCache {
  readonly #cache: TextCache;
  readonly #options: GuardOptions;
  #failures = 0;
  #untilMs = -Infinity;

  constructor(cache: TextCache, options: GuardOptions) {
    this.#cache = cache;
    this.#options = options;
  }

  async getMany(names: readonly string[]): Promise<readonly (string | undefined)[]> {
    return (await this.#call(cacheCallMs, () => this.#cache.getMany(names))) ?? names.map(() => undefined);
  }

  async keep(texts: readonly KeptText[]): Promise<void> {
    await this.#call(cacheKeepMs, () => this.#cache.keep(texts));
  }

  async drop(names: readonly string[]): Promise<void> {
    await this.#call(cacheKeepMs, () => this.#cache.drop(names));
  }

  async #call<Result>(withinMs: number, act: () => Promise<Result>): Promise<Result | undefined> {
    const { elapsed, sleep } = this.#options;
    if (elapsed() < this.#untilMs) return undefined;
    try {
      const acting = act();
      // Nobody may be left to hear of it.
      acting.catch(() => undefined);
      const result = await Promise.race([acting, sleep(withinMs).then(() => LATE)]);
      if (result === LATE) throw new Error(`no answer within ${withinMs} ms`);
      this.#failures = 0;
      return result as Result;
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #failed(error: unknown): void {
    this.#failures += 1;
    if (this.#failures < cacheFailuresMax) return;
    this.#failures = 0;
    this.#untilMs = this.#options.elapsed() + cacheBreakMs;
    this.#options.opened?.(error);
  }
}

const LATE = Symbol('late');
