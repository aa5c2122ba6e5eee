/**
 * The broker's clockwork: one timer for everything that is due at a known time, and delays for injected latency.
 * Invariant: nothing is armed while nothing is due, so an idle broker uses no CPU.
 */

/** Longest delay that a Node timer takes. */
const TIMER_MAX_MS = 2 ** 31 - 1;
/** Deadlines closer together than this share a wake-up. */
const GRAIN_MS = 5;

export class Alarm {
  readonly #now: () => number;
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #armedFor = Infinity;

  /**
   * @param now Epoch milliseconds.
   * @param ring Called when the time has come; it arms the alarm anew.
   */
  constructor(now: () => number, ring: () => void) {
    this.#now = now;
    this.#ring = ring;
  }

  /** Rings at `dueAt` (epoch milliseconds, `Infinity` for never) unless it rings earlier already. */
  arm(dueAt: number): void {
    if (dueAt >= this.#armedFor) return;
    clearTimeout(this.#timer);
    this.#armedFor = dueAt;
    const delayMs = Math.min(Math.max(dueAt - this.#now(), GRAIN_MS), TIMER_MAX_MS);
    this.#timer = setTimeout(() => {
      this.#armedFor = Infinity;
      this.#ring();
    }, delayMs);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#armedFor = Infinity;
  }
}

/** Work put off by a latency fault; real time, so that an injected clock does not hide it. */
export class Delays {
  readonly #timers = new Set<NodeJS.Timeout>();

  /** Runs `work` after `ms`, at once for 0. */
  after(ms: number, work: () => void): void {
    if (ms <= 0) {
      work();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }

  /** Drops what has not run. */
  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
