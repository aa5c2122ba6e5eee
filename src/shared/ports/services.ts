/** What handlers and reactions need beside records, in one object (docs/handlers.md). */
import type { TimeLimit } from '@tandem-clouds/replication/ports/time-limit';
import type { OwnConfig } from '../config/own-settings.ts';
import type { OutboundHttp } from './outbound-http.ts';
import type { Secrets } from './secrets.ts';
import type { Logger, OwnMetrics } from './telemetry.ts';

export interface Services {
  readonly secrets: Secrets;
  readonly http: OutboundHttp;
  /** Secrets that were read are masked in what it writes. */
  readonly log: Logger;
  readonly metrics: OwnMetrics;
  /** The settings of `config/own-settings.ts`. */
  readonly config: OwnConfig;
}

/** What one invocation adds: what its calls are bounded by, and what they belong to. */
export interface Invocation {
  /** Milliseconds that the function still has; absent: nothing says so. */
  readonly remainingMs?: (() => number) | undefined;
  /** Of a batch of a queue. */
  readonly limit?: TimeLimit | undefined;
  /** Of the request, checked (`traceparent.ts`); sent along with every call. */
  readonly traceparent?: string | undefined;
  /** In every line of the log. */
  readonly requestId?: string | undefined;
}

/** Of the process; `within` is what one invocation uses. */
export interface ProcessServices extends Services {
  within(invocation: Invocation): Services;
}
