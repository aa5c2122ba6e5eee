/** The tracing of a site: what each port is wrapped in, and what a platform calls. */
import type { Disposition, InboundMessage } from '@tandem-clouds/replication/ports/queue';
import { entityOf } from '@tandem-clouds/replication/record';
import type { HttpHandler, InvocationContext } from '../../ports/cloud.ts';
import type { CloudNames, Tracing } from '../../ports/tracing.ts';
import { traceparentOf } from '../../traceparent.ts';
import { keyIn, traceOf } from './message-trace.ts';
import { remainingOf } from './sending-beside.ts';
import { contextOf, type Span, type SpanContext } from './span.ts';
import { tracedOutbound } from './traced-outbound.ts';
import { tracedQueue } from './traced-queue.ts';
import { tracedStore } from './traced-store.ts';
import type { Tracer } from './tracer.ts';

export interface TracingOptions {
  readonly tracer: Tracer;
  readonly names: CloudNames;
  /** Peer → how queues of its cloud are called. */
  readonly queuesOf: (peer: string) => string;
}

export function openTracing({ tracer, names, queuesOf }: TracingOptions): Tracing {
  return {
    store: (store) => tracedStore(store, tracer, names.store),
    queue: (queue, name, peer) =>
      tracedQueue(queue, tracer, { system: peer === undefined ? names.queues : queuesOf(peer), name, peer }),
    outbound: (http) => tracedOutbound(http, tracer),
    http: (handler) => tracedHandler(handler, tracer),
    batch: (name, queue, handler) => async (messages, limit) => {
      const contexts = messages.map(traceOf);
      const { parent, links, isMixed } = meeting(contexts);
      return tracer.invocation(
        {
          name: `${name} ${queue}`,
          kind: 'consumer',
          parent,
          links,
          attributes: consumerAttributes(name, queue, { names, messages }),
        },
        async (batch) => {
          if (!isMixed) return noting(batch, await handler(messages, limit));
          const spans = recordSpans(tracer, batch, { messages, contexts });
          const byKey = new Map(spans.flatMap((span, index) => entryOf(messages[index], span)));
          try {
            const dispositions = await tracer.withRecords(byKey, () => handler(messages, limit));
            spans.forEach((span, index) => span && noting(span, dispositions.slice(index, index + 1)));
            return noting(batch, dispositions);
          } finally {
            for (const span of spans) span?.end();
          }
        },
      );
    },
    timer: (name, handler) => () =>
      tracer.invocation({ name, kind: 'internal', attributes: { 'faas.trigger': 'timer' } }, handler),
    route: (method, path) => {
      const span = tracer.current();
      if (span?.kind !== 'server') return;
      span.name = `${method} ${path}`;
      span.set({ 'http.route': path });
    },
    step: (name, attributes, act) => tracer.span({ name, kind: 'internal', attributes }, act),
    record: (name, key, act) =>
      tracer.span(
        { name, kind: 'internal', attributes: { 'tandem.entity': entityOf(key) } },
        act,
        tracer.spanOf(key),
      ),
    current: () => tracer.current(),
  };
}

const HEALTH = new Set(['/health', '/health/deep']);

/** @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server */
function tracedHandler(handler: HttpHandler, tracer: Tracer): HttpHandler {
  return (event, context) => {
    const traceparent = traceparentOf(event.headers['traceparent']);
    // They come every second, whoever else comes, and nobody looks for one of them.
    if (traceparent === undefined && HEALTH.has(event.rawPath)) return handler(event, context);
    const { method } = event.requestContext.http;
    return tracer.invocation(
      {
        name: method,
        kind: 'server',
        parent: traceparent === undefined ? undefined : contextOf(traceparent),
        remainingMs: remainingOf(context),
        attributes: {
          'http.request.method': method,
          'url.scheme': 'https',
          'faas.trigger': 'http',
          'faas.invocation_id': (context as InvocationContext | undefined)?.awsRequestId,
        },
      },
      async (span) => {
        // What is sent on from here on, with the write and with every call, names this span.
        const result = await handler(
          { ...event, headers: { ...event.headers, traceparent: span.traceparent } },
          context,
        );
        const { statusCode = 200 } = result;
        span.set({ 'http.response.status_code': statusCode });
        if (statusCode >= 500) span.fail(String(statusCode));
        return result;
      },
    );
  };
}

/** One trace goes on; where several meet, one begins that is linked with them. */
function meeting(contexts: readonly (SpanContext | undefined)[]): {
  readonly parent: SpanContext | undefined;
  readonly links: readonly SpanContext[];
  readonly isMixed: boolean;
} {
  const known = contexts.filter((context) => context !== undefined);
  const bySpan = [...new Map(known.map((context) => [context.spanId, context])).values()];
  const isMixed = new Set(bySpan.map(({ traceId }) => traceId)).size > 1;
  const [parent, ...others] = bySpan;
  return isMixed ? { parent: undefined, links: bySpan, isMixed } : { parent, links: others, isMixed };
}

/** In the trace of each message a span that stands for its part of the batch. */
function recordSpans(
  tracer: Tracer,
  batch: Span,
  {
    messages,
    contexts,
  }: { messages: readonly InboundMessage[]; contexts: readonly (SpanContext | undefined)[] },
): readonly (Span | undefined)[] {
  return messages.map(({ body }, index) => {
    const context = contexts[index];
    if (context === undefined) return undefined;
    const key = keyIn(body);
    return tracer.begin(batch.invocation, context, {
      name: batch.name,
      kind: 'consumer',
      links: [batch],
      attributes: {
        ...batch.attributes,
        ...(key !== undefined && { 'tandem.entity': entityOf(key) }),
      },
    });
  });
}

function entryOf(message: InboundMessage | undefined, span: Span | undefined): [string, Span][] {
  const key = message && keyIn(message.body);
  return key === undefined || span === undefined ? [] : [[key, span]];
}

/** @see https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/#consumer-spans */
function consumerAttributes(
  name: string,
  queue: string,
  { names, messages }: { names: CloudNames; messages: readonly InboundMessage[] },
): Record<string, string | number> {
  return {
    'messaging.system': names.queues,
    'messaging.operation.type': 'process',
    'messaging.operation.name': name,
    'messaging.destination.name': queue,
    ...(messages.length > 1 && { 'messaging.batch.message_count': messages.length }),
    'faas.trigger': 'pubsub',
  };
}

/** What was not done is an error of the span. */
function noting<Found extends readonly Disposition[]>(span: Span, dispositions: Found): Found {
  for (const disposition of dispositions) {
    if (disposition.kind === 'retry') span.fail(disposition.error);
    else if (disposition.kind === 'dead') span.fail(disposition.reason);
  }
  return dispositions;
}
