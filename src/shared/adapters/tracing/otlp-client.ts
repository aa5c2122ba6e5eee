/**
 * Posts one signal (traces, metrics or logs) to a collector by OTLP over HTTP.
 *
 * Invariants: nobody waits longer than they say; nothing is thrown; and a collector that fails is left alone for a while
 * (`restMs`, or what it asks for), so that it costs one wait in that time and not one for each request. One that is slow is
 * left alone for a hundred times as long as it took: no more than a hundredth of the time is waited for it.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
 */
import { otlpBounds } from '../../bounds.ts';
import type { HttpClient, HttpResponse } from '../../ports/http-client.ts';
import type { Logger } from '../../ports/telemetry.ts';

export interface OtlpTarget {
  /** Base address: `/v1/traces`, `/v1/metrics` or `/v1/logs` is put behind it. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** In place of that path, with its query. */
  readonly path?: string;
  /** A bearer token, where the collector asks for one. Its time is that of the call; what comes later is for the next one. */
  readonly token?: () => Promise<string>;
  readonly client: HttpClient;
  readonly logger: Logger;
  /** Monotonic milliseconds. */
  readonly elapsed: () => number;
}

export type Signal = 'traces' | 'metrics' | 'logs' | 'central logs';

/** Why it was not taken: it may be later, it never will be, or nobody knows whether it was. */
export type Failure = 'later' | 'refused' | 'unanswered';

/** What passes; everything else is an answer to this very body. */
const PASSING = new Set([408, 429, 502, 503, 504]);
const ANSWER_BYTES_MAX = 64 * 1024;

export class OtlpClient {
  readonly #target: OtlpTarget;
  readonly #signal: Signal;
  readonly #url: URL;
  readonly #facts: () => Readonly<Record<string, unknown>>;
  #failures = 0;
  /** Answers in a row that took longer than `slowMs`. */
  #slow = 0;
  /** Until when the collector is left alone. */
  #restsUntilMs = -Infinity;

  /** @param facts What a warning adds: how much waits, how much was lost since the last one. */
  constructor(target: OtlpTarget, signal: Signal, facts: () => Readonly<Record<string, unknown>>) {
    this.#target = target;
    this.#signal = signal;
    this.#url = new URL(`${target.url.replace(/\/$/, '')}${target.path ?? `/v1/${signal}`}`);
    this.#facts = facts;
  }

  /** Whether to post now. After a rest one caller is let through, and all others go on without. */
  mayPost(): boolean {
    const nowMs = this.#target.elapsed();
    if (nowMs < this.#restsUntilMs) return false;
    if (Math.max(this.#failures, this.#slow) >= otlpBounds.failuresMax)
      this.#restsUntilMs = nowMs + otlpBounds.restMs;
    return true;
  }

  /** True: it was taken. @param failed Is called first otherwise, before a warning asks for its facts. */
  async post(body: string, timeoutMs: number, failed: (failure: Failure) => void): Promise<boolean> {
    const { client, headers, token, elapsed } = this.#target;
    const beganMs = elapsed();
    let response: HttpResponse;
    try {
      const bearer = token && (await inTime(token(), timeoutMs));
      response = await client({
        method: 'POST',
        url: this.#url,
        headers: {
          'content-type': 'application/json',
          ...headers,
          ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        },
        body,
        timeoutMs: Math.max(1, Math.floor(timeoutMs - (elapsed() - beganMs))),
        bodyBytesMax: ANSWER_BYTES_MAX,
      });
    } catch (error) {
      failed('unanswered');
      this.#note(error instanceof Error ? error.message : 'no answer', 0);
      return false;
    }
    if (response.status >= 200 && response.status < 300) {
      this.#failures = 0;
      const restMs = this.#restAfter(elapsed() - beganMs);
      this.#restsUntilMs = restMs === 0 ? -Infinity : elapsed() + restMs;
      return true;
    }
    failed(PASSING.has(response.status) ? 'later' : 'refused');
    this.#note(`status ${response.status}`, retryAfterMs(response));
    return false;
  }

  /** What was taken in time costs nothing; now and then one may be slow. */
  #restAfter(tookMs: number): number {
    this.#slow = tookMs > otlpBounds.slowMs ? this.#slow + 1 : 0;
    if (this.#slow < otlpBounds.failuresMax) return 0;
    return Math.min(tookMs * otlpBounds.slowRests, otlpBounds.restMs);
  }

  #note(reason: string, askedMs: number): void {
    this.#failures += 1;
    if (this.#failures < otlpBounds.failuresMax && askedMs === 0) return;
    const restMs = Math.min(Math.max(askedMs, otlpBounds.restMs), otlpBounds.restMaxMs);
    const { logger, elapsed } = this.#target;
    this.#restsUntilMs = elapsed() + restMs;
    logger.log('warn', `${this.#signal} are not taken`, { reason, restMs, ...this.#facts() });
  }
}

/** What comes too late goes on by itself. */
async function inTime(token: Promise<string>, ms: number): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no token in time')), ms);
  });
  try {
    return await Promise.race([token, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** In seconds; a date is taken for nothing said (RFC 9110, section 10.2.3). */
function retryAfterMs({ headers }: HttpResponse): number {
  const text = headers['retry-after'] ?? '';
  return /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : 0;
}
