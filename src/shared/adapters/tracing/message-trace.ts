/**
 * How a trace crosses a queue: as an attribute of the message, beside what it carries. Where the sender did not trace, an
 * event still names the trace of the request that wrote (`replication/event.ts`).
 */
import type { InboundMessage, OutboundMessage } from '@tandem-clouds/replication/ports/queue';
import { traceparentOf } from '../../traceparent.ts';
import { contextOf, type SpanContext } from './span.ts';

const ATTRIBUTE = 'traceparent';
/** Where `eventOf` puts it: as the last member of the whole. No value of a record can stand there. */
const AT_THE_END = /,"traceparent":"([^"]{55})"\}$/;
/** The first `key` of an event or of a message that wakes; before it, an event has nothing that may hold one. */
const KEY = /"key":"((?:[^"\\]|\\.)*)"/;

/** The trace that a message brings; undefined: none. */
export function traceOf({ attributes, body }: InboundMessage): SpanContext | undefined {
  const traceparent = traceparentOf(attributes[ATTRIBUTE]) ?? traceparentOf(AT_THE_END.exec(body)?.[1]);
  return traceparent === undefined ? undefined : contextOf(traceparent);
}

/** The message with the trace that it is to bring. One that has been sent before keeps what it had. */
export function traced(message: OutboundMessage, traceparent: string): OutboundMessage {
  if (message.attributes?.[ATTRIBUTE] !== undefined) return message;
  return { ...message, attributes: { ...message.attributes, [ATTRIBUTE]: traceparent } };
}

/** The key of the record that a message is about; undefined: it names none. */
export function keyIn(body: string): string | undefined {
  const key = KEY.exec(body)?.[1];
  // Reports of storages have keys too, of objects.
  return key?.includes(':') === true ? key : undefined;
}
