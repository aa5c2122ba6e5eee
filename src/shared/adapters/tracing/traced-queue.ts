/** A queue to which sending is a span, and whose messages bring the trace. */
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';
import { keyIn, traced } from './message-trace.ts';
import type { Span } from './span.ts';
import type { Tracer } from './tracer.ts';

export interface TracedQueue {
  /** `aws_sqs` */
  readonly system: string;
  readonly name: string;
  /** Whose it is; absent: this site's own. */
  readonly peer: string | undefined;
}

/** @see https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ */
export function tracedQueue(
  queue: QueueSender,
  tracer: Tracer,
  { system, name, peer }: TracedQueue,
): QueueSender {
  return {
    send(messages) {
      const current = tracer.current();
      if (current === undefined) return queue.send(messages);
      // In a batch of several traces each message goes on with its own, and the sending is a part of the batch.
      const owners = messages.map(({ body }) => tracer.spanOf(keyIn(body)) ?? current);
      return tracer.span(
        {
          name: `send ${name}`,
          kind: 'producer',
          attributes: {
            'messaging.system': system,
            'messaging.operation.type': 'send',
            'messaging.operation.name': 'send',
            'messaging.destination.name': name,
            ...(messages.length > 1 && { 'messaging.batch.message_count': messages.length }),
            'tandem.peer': peer,
          },
          links: [...new Set(owners)].filter((owner) => owner !== current),
        },
        async (span) => {
          const contextOf = (owner: Span): string =>
            (owner === current && span !== undefined ? span : owner).traceparent;
          const results = await queue.send(
            messages.map((message, index) => traced(message, contextOf(owners[index] ?? current))),
          );
          const failure = results.find((error) => error !== undefined);
          if (failure !== undefined) span?.fail(failure);
          return results;
        },
      );
    },
    ping: () => queue.ping(),
    close: () => queue.close(),
  };
}
