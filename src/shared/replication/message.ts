/** Events as queue messages, both ways. */
import { eventBytesMax } from '../bounds.ts';
import { TooLargeError } from '../errors.ts';
import type { OutboundMessage } from '../ports/queue.ts';
import type { ReplicationEvent } from './event.ts';

/** @throws TooLargeError when the event would not fit one Service Bus message. */
export function messageOf(event: ReplicationEvent, bytesMax = eventBytesMax): OutboundMessage {
  const body = JSON.stringify(event);
  const bytes = Buffer.byteLength(body);
  if (bytes > bytesMax) {
    throw new TooLargeError(`${event.key}: ${bytes} bytes as an event, at most ${bytesMax} can cross`);
  }
  return { id: event.event_id, body };
}
