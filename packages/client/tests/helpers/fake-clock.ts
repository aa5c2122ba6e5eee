/** Time that stands still until somebody sleeps, or an attempt hangs. */
import { AttemptTimeout, type Clock } from '../../src/clock.ts';

export class FakeClock implements Clock {
  nowMs = 1_000;
  readonly slept: number[] = [];
  readonly #open = new Map<AbortController, number>();

  now = (): number => this.nowMs;
  random = (): number => 1;

  sleep = (ms: number): Promise<void> => {
    this.slept.push(ms);
    this.nowMs += ms;
    return Promise.resolve();
  };

  timeout = (ms: number): { signal: AbortSignal; cancel: () => void } => {
    const controller = new AbortController();
    this.#open.set(controller, this.nowMs + ms);
    return { signal: controller.signal, cancel: () => void this.#open.delete(controller) };
  };

  /** Everything that hangs runs out of time. */
  expire(): void {
    for (const [controller, atMs] of this.#open) {
      this.nowMs = Math.max(this.nowMs, atMs);
      controller.abort(new AttemptTimeout('hangs'));
    }
  }
}
