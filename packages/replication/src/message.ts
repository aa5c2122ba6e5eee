/** What the sites send each other as the bodies of queue messages: one JSON text that every carrier takes. */
import { eventBytesMax } from './bounds.ts';
import { TooLargeError } from './errors.ts';
import type { ReplicationEvent } from './event.ts';
import type { OutboundMessage } from './ports/queue.ts';

/**
 * What `JSON.stringify` leaves as it is and SQS does not take; control characters and surrogates without a partner are
 * escaped already. Outside of strings JSON has no such characters.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
const NOT_CARRIED = /[\uFFFE\uFFFF]/g;

/** A JSON value as the body of a message: equal to the value when it is parsed, and free of what a carrier refuses. */
export function messageText(value: object): string {
  return JSON.stringify(value).replace(
    NOT_CARRIED,
    (character) => `\\u${character.charCodeAt(0).toString(16)}`,
  );
}

/** @throws TooLargeError when the event would not fit one Service Bus message. */
export function messageOf(event: ReplicationEvent, bytesMax = eventBytesMax): OutboundMessage {
  const body = messageText(event);
  const bytes = Buffer.byteLength(body);
  if (bytes > bytesMax) {
    throw new TooLargeError(`${event.key}: ${bytes} bytes as an event, at most ${bytesMax} can cross`);
  }
  return { id: event.event_id, body };
}
