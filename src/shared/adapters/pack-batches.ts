/**
 * Packs messages into batches that a queue takes in one call: by count and by bytes, in order.
 * `overheadBytes` is what the protocol adds to each message.
 */
import type { OutboundMessage } from '../ports/queue.ts';

export type Batch = readonly { readonly index: number; readonly message: OutboundMessage }[];

export interface Packed {
  readonly batches: readonly Batch[];
  /** Indexes of messages that fit no batch, not even alone. */
  readonly tooLarge: readonly number[];
}

export function packBatches(
  messages: readonly OutboundMessage[],
  { messagesMax, bytesMax, overheadBytes }: { messagesMax: number; bytesMax: number; overheadBytes: number },
): Packed {
  const batches: { index: number; message: OutboundMessage }[][] = [];
  const tooLarge: number[] = [];
  let room = 0;
  messages.forEach((message, index) => {
    const bytes = overheadBytes + messageBytes(message);
    if (bytes > bytesMax) {
      tooLarge.push(index);
      return;
    }
    const last = batches.at(-1);
    if (last === undefined || last.length >= messagesMax || bytes > room) {
      batches.push([{ index, message }]);
      room = bytesMax - bytes;
    } else {
      last.push({ index, message });
      room -= bytes;
    }
  });
  return { batches, tooLarge };
}

function messageBytes({ body, attributes }: OutboundMessage): number {
  let bytes = Buffer.byteLength(body);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  return bytes;
}
