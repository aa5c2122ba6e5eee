/**
 * Traces (docs/traces.md): one object that wraps the other ports, so that one place serves both clouds. Names and attributes
 * are those of OpenTelemetry's semantic conventions.
 *
 * Invariants: where a site is not configured to trace, each wrapper hands back what it was given; and whatever becomes of a
 * trace, no result is another one for it.
 * @see https://opentelemetry.io/docs/specs/semconv/
 */
import type { BatchHandler, QueueSender } from '@tandem-clouds/replication/ports/queue';
import type { Store } from '@tandem-clouds/replication/ports/store';
import type { HttpHandler, TimerHandler } from './cloud.ts';
import type { OutboundHttp } from './outbound-http.ts';
import type { CurrentSpan } from './telemetry.ts';

/** Absent values are left out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** How a cloud's services are called in the semantic conventions. */
export interface CloudNames {
  readonly provider: 'aws' | 'azure';
  readonly platform: string;
  readonly store: string;
  readonly queues: string;
}

export interface Tracing {
  store(store: Store): Store;
  /** @param name Of the queue. @param peer Whose it is; absent: this site's own. */
  queue(queue: QueueSender, name: string, peer?: string): QueueSender;
  outbound(http: OutboundHttp): OutboundHttp;

  /** What the platform calls. A trace that the caller brings goes on, else one begins; it is sent before the result is given. */
  http(handler: HttpHandler): HttpHandler;
  /** @param name Of the function: `apply`. */
  batch(name: string, queue: string, handler: BatchHandler): BatchHandler;
  timer(name: string, handler: TimerHandler): TimerHandler;

  /** Names the request that is being handled by its route: `/items/{id}`. */
  readonly route: (method: string, path: string) => void;
  /** A part of what is being done, of which somebody may want to see how long it took. */
  step<Result>(name: string, attributes: Attributes, act: () => Promise<Result>): Promise<Result>;
  /** The same for one record of a batch: it goes on with the trace that brought the key. */
  record<Result>(name: string, key: string, act: () => Promise<Result>): Promise<Result>;
  /** The span of what is being done; undefined: it is in no trace. */
  current(): CurrentSpan | undefined;
}

/** Of a site that does not trace. */
export const noTracing: Tracing = {
  store: (store) => store,
  queue: (queue) => queue,
  outbound: (http) => http,
  http: (handler) => handler,
  batch: (_name, _queue, handler) => handler,
  timer: (_name, handler) => handler,
  route: () => undefined,
  step: (_name, _attributes, act) => act(),
  record: (_name, _key, act) => act(),
  current: () => undefined,
};
