/**
 * Calling other services from handlers and reactions.
 *
 * Invariants: no call is longer than it says, or than its function has time; nothing is sent twice unless that is safe: a
 * method that is idempotent (RFC 9110, section 9.2.2), a request with an `Idempotency-Key`, or one that has certainly not
 * arrived; nothing goes to another origin than the one that is named.
 */
import type { Json } from '@tandem-clouds/replication/json';
import type { HttpCall } from './http-client.ts';

export interface OutboundRequest {
  /** `https://…`; without credentials in it. */
  readonly url: string | URL;
  /** Default GET; POST with a body. */
  readonly method?: HttpCall['method'];
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: Json;
  /** Sent as it is; `content-type` is the caller's to say. */
  readonly body?: string;
  /**
   * Sent as `Idempotency-Key`: the service does what has the same key once, so that a POST or PATCH may be tried again.
   * A reaction gives its `effectId`.
   */
  readonly idempotencyKey?: string;
  /** Of one attempt, its body included. Default 3,000. */
  readonly attemptMs?: number;
  /** Of all attempts with the pauses between them. Default 7,000. */
  readonly totalMs?: number;
  /** Default 3. */
  readonly attemptsMax?: number;
  /** Default 1 MiB. */
  readonly bodyBytesMax?: number;
}

export interface OutboundResponse {
  readonly status: number;
  /** 2xx. */
  readonly ok: boolean;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly attempts: number;
  /** The body, parsed. @throws OutboundError when it is not JSON. */
  json(): unknown;
}

export interface OutboundHttp {
  /**
   * The answer, whatever its status; where the status is one that passes (408, 429, 500, 502, 503, 504), after the retries
   * that are safe, the pauses that `Retry-After` asks for among them.
   * @throws OutboundError when there is no answer; RangeError or TypeError when the request is not well formed.
   */
  send(request: OutboundRequest): Promise<OutboundResponse>;
  /** The parsed body of a 2xx. @throws OutboundError, also for any other status. */
  json(request: OutboundRequest): Promise<unknown>;
}
