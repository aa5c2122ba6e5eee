/**
 * Sends spans to a collector by OTLP over HTTP.
 *
 * Invariants: nobody waits longer than they say; nothing is thrown; memory holds `bufferedMax` spans, the newest; and a
 * collector that fails is left alone for a while (`restMs`, or what it asks for), so that it costs one wait in that time and
 * not one for each request.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
 */
import { traceBounds } from '../../bounds.ts';
import type { HttpClient, HttpResponse } from '../../ports/http-client.ts';
import type { Logger } from '../../ports/telemetry.ts';
import type { Span } from './span.ts';

export interface OtlpSenderOptions {
  /** Base address: `/v1/traces` is put behind it. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly encode: (spans: readonly Span[]) => string;
  readonly client: HttpClient;
  readonly logger: Logger;
  /** Monotonic milliseconds. */
  readonly elapsed: () => number;
}

/** What passes; everything else is an answer to these very spans. */
const PASSING = new Set([408, 429, 502, 503, 504]);
const ANSWER_BYTES_MAX = 64 * 1024;

export class OtlpSender {
  readonly #options: OtlpSenderOptions;
  readonly #url: URL;
  #buffered: Span[] = [];
  #dropped = 0;
  #failures = 0;
  /** Until when the collector is left alone. */
  #restsUntilMs = -Infinity;

  constructor(options: OtlpSenderOptions) {
    this.#options = options;
    this.#url = new URL(`${options.url.replace(/\/$/, '')}/v1/traces`);
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
    const { elapsed } = this.#options;
    const endsAtMs = elapsed() + withinMs;
    while (this.#buffered.length > 0) {
      const nowMs = elapsed();
      const leftMs = Math.floor(endsAtMs - nowMs);
      if (leftMs < 1 || nowMs < this.#restsUntilMs) return;
      // After a rest one tries, and all others go on without.
      if (this.#failures >= traceBounds.failuresMax) this.#restsUntilMs = nowMs + traceBounds.restMs;
      if (!(await this.#send(this.#buffered.splice(0, traceBounds.sendMax), leftMs))) return;
    }
  }

  /** False: nothing more is to be sent now. */
  async #send(spans: readonly Span[], timeoutMs: number): Promise<boolean> {
    const { client, encode, headers } = this.#options;
    try {
      const response = await client({
        method: 'POST',
        url: this.#url,
        headers: { 'content-type': 'application/json', ...headers },
        body: encode(spans),
        timeoutMs,
        bodyBytesMax: ANSWER_BYTES_MAX,
      });
      if (response.status >= 200 && response.status < 300) {
        this.#failures = 0;
        this.#restsUntilMs = -Infinity;
        return true;
      }
      if (PASSING.has(response.status)) this.#putBack(spans);
      else this.#dropped += spans.length;
      this.#note(`status ${response.status}`, retryAfterMs(response));
    } catch (error) {
      this.#putBack(spans);
      this.#note(error instanceof Error ? error.message : 'no answer', 0);
    }
    return false;
  }

  #putBack(spans: readonly Span[]): void {
    const newer = this.#buffered;
    this.#buffered = [];
    this.add([...spans, ...newer]);
  }

  #note(reason: string, askedMs: number): void {
    this.#failures += 1;
    if (this.#failures < traceBounds.failuresMax && askedMs === 0) return;
    const restMs = Math.min(Math.max(askedMs, traceBounds.restMs), traceBounds.restMaxMs);
    this.#restsUntilMs = this.#options.elapsed() + restMs;
    const fields = { reason, restMs, waiting: this.#buffered.length, dropped: this.#dropped };
    this.#options.logger.log('warn', 'traces are not taken', fields);
    this.#dropped = 0;
  }
}

/** In seconds; a date is taken for nothing said (RFC 9110, section 10.2.3). */
function retryAfterMs({ headers }: HttpResponse): number {
  const text = headers['retry-after'] ?? '';
  return /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : 0;
}
