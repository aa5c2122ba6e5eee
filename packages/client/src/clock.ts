/** Time as the client needs it: a port, so that tests own it. */

export interface Clock {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Resolves after so long; rejects with the signal's reason when that comes first. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Aborts after so long. `cancel` frees the timer. */
  readonly timeout: (ms: number) => { readonly signal: AbortSignal; readonly cancel: () => void };
  /** 0 to 1. */
  readonly random: () => number;
}

/** The reason of an attempt that took too long. */
export class AttemptTimeout extends Error {
  override readonly name = 'AttemptTimeout';
}

export const realClock: Clock = {
  now: () => performance.now(),
  random: () => Math.random(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        reject(reasonOf(signal));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      if (signal?.aborted === true) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    });
  },
  timeout(ms) {
    const controller = new AbortController();
    const timer = setTimeout(
      () => controller.abort(new AttemptTimeout(`no answer within ${Math.round(ms)} ms`)),
      ms,
    );
    return { signal: controller.signal, cancel: () => clearTimeout(timer) };
  },
};

/** Why a signal was aborted, as an error. */
export function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
