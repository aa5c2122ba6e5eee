/**
 * Sends spans to a collector, as `OtlpClient` does.
 *
 * Invariant: memory holds `bufferedMax` spans, the newest. A span that comes twice is one, so what was not answered is sent
 * again.
 */
import { traceBounds } from '../../bounds.ts';
import { OtlpClient, type OtlpTarget } from './otlp-client.ts';
import type { Span } from './span.ts';

export interface OtlpSenderOptions extends OtlpTarget {
  readonly encode: (spans: readonly Span[]) => string;
}

export class OtlpSender {
  readonly #options: OtlpSenderOptions;
  readonly #client: OtlpClient;
  #buffered: Span[] = [];
  #dropped = 0;

  constructor(options: OtlpSenderOptions) {
    this.#options = options;
    this.#client = new OtlpClient(options, 'traces', () => {
      const dropped = this.#dropped;
      this.#dropped = 0;
      return { waiting: this.#buffered.length, dropped };
    });
  }

  /** How many spans wait to be sent. */
  get buffered(): number {
    return this.#buffered.length;
  }

  add(spans: readonly Span[]): void {
    if (spans.length === 0) return;
    this.#buffered.push(...spans);
    const excess = this.#buffered.length - traceBounds.bufferedMax;
    if (excess <= 0) return;
    this.#buffered.splice(0, excess);
    this.#dropped += excess;
  }

  /** Sends what waits, in this time. What a collector does not take for a passing reason waits on. */
  async flush(withinMs: number): Promise<void> {
    const { elapsed, encode } = this.#options;
    const endsAtMs = elapsed() + withinMs;
    while (this.#buffered.length > 0) {
      const leftMs = Math.floor(endsAtMs - elapsed());
      if (leftMs < 1 || !this.#client.mayPost()) return;
      const spans = this.#buffered.splice(0, traceBounds.sendMax);
      const isTaken = await this.#client.post(encode(spans), leftMs, (failure) => {
        if (failure === 'refused') this.#dropped += spans.length;
        else this.#putBack(spans);
      });
      if (!isTaken) return;
    }
  }

  #putBack(spans: readonly Span[]): void {
    const newer = this.#buffered;
    this.#buffered = [];
    this.add([...spans, ...newer]);
  }
}
