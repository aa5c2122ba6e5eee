/**
 * One place for retries at a provider: a pace that stays below its limit, and a bounded number of tries with growing
 * pauses. The clients' own retries are off, so that nothing waits twice and time can be injected.
 */
import { ProviderError } from './errors.ts';
import type { Clock } from './provider.ts';

const TRIES_MAX = 8;
const PAUSE_FIRST_MS = 250;
const PAUSE_MAX_MS = 20_000;

/** A failed call in the core's terms, and how long the provider asks us to stay away. */
export interface Failure {
  readonly error: ProviderError;
  readonly retryAfterMs?: number;
}

export interface RetryOptions {
  readonly clock: Clock;
  /** Requests that may start at once, and how many more each second. */
  readonly pace: { readonly burst: number; readonly perSecond: number };
  /** What an exception of the client means. */
  readonly understand: (error: unknown) => Failure;
}

export type Query = <T>(call: () => Promise<T>) => Promise<T>;

/** A function through which every request goes. It throws the ProviderError of the last try. */
export function withRetry({ clock, pace, understand }: RetryOptions): Query {
  const turn = paced(clock, pace);
  return async (call) => {
    for (let tries = 1; ; tries += 1) {
      await turn();
      try {
        return await call();
      } catch (cause) {
        const { error, retryAfterMs } = understand(cause);
        const passing = error.fault === 'throttled' || error.fault === 'unavailable';
        if (!passing || tries === TRIES_MAX) throw error;
        const pause = Math.min(PAUSE_FIRST_MS * 2 ** (tries - 1), PAUSE_MAX_MS);
        await clock.sleep(Math.max(retryAfterMs ?? 0, pause));
      }
    }
  };
}

/** A token bucket. */
function paced(clock: Clock, { burst, perSecond }: RetryOptions['pace']): () => Promise<void> {
  let tokens = burst;
  let filledAt = clock.now();
  return async () => {
    const now = clock.now();
    tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * perSecond) - 1;
    filledAt = now;
    if (tokens < 0) await clock.sleep(Math.ceil((-tokens / perSecond) * 1000));
  };
}
