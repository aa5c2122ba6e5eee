/**
 * Sends what was measured, at most every `everyMs`, within an invocation: a process is frozen once it has answered.
 *
 * Invariant: nothing is counted twice. What was not answered may have been taken, and is not sent again; what a collector
 * does not take for a passing reason goes on with what comes next.
 */
import { meterBounds } from '../../bounds.ts';
import { OtlpClient, type OtlpTarget } from '../tracing/otlp-client.ts';
import type { Measured, Meter } from './meter.ts';

export interface MetricsSenderOptions extends OtlpTarget {
  readonly meter: Meter;
  readonly encode: (measured: Measured) => string;
  /** Epoch milliseconds: a monotonic clock may stand still while a process is frozen. */
  readonly now: () => number;
}

export class MetricsSender {
  readonly #options: MetricsSenderOptions;
  readonly #client: OtlpClient;
  #lastMs = -Infinity;
  #dropped = 0;

  constructor(options: MetricsSenderOptions) {
    this.#options = options;
    this.#client = new OtlpClient(options, 'metrics', () => {
      const dropped = this.#dropped;
      this.#dropped = 0;
      return { dropped };
    });
  }

  async flush(withinMs: number): Promise<void> {
    const { meter, encode, now } = this.#options;
    const nowMs = now();
    // A clock that is set back sends at once.
    if (Math.abs(nowMs - this.#lastMs) < meterBounds.everyMs) return;
    const timeoutMs = Math.floor(withinMs);
    if (timeoutMs < 1 || !this.#client.mayPost()) return;
    const measured = meter.take();
    if (measured === undefined) return;
    this.#lastMs = nowMs;
    await this.#client.post(encode(measured), timeoutMs, (failure) => {
      if (failure === 'later') meter.putBack(measured);
      else this.#dropped += measured.series.length;
    });
  }
}
