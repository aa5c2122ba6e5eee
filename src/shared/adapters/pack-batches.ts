/**
 * Packs messages into batches that a queue takes in one call: by count and by bytes, in order.
 * `overheadBytes` is what the protocol adds to each message.
 */
import { isRetryable } from '@tandem-clouds/replication/errors';
import type { OutboundMessage, SendResult } from '@tandem-clouds/replication/ports/queue';

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

/**
 * Sends a batch. One that is refused for good as a whole had no effect, and does not say which of its messages is to
 * blame: it is sent again in halves until what is refused is a single message.
 * @param send Throws the queue's error, as one of ours, for the batch as a whole.
 */
export async function sendInHalves(
  batch: Batch,
  results: SendResult[],
  send: (batch: Batch) => Promise<void>,
): Promise<void> {
  try {
    await send(batch);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (batch.length === 1 || isRetryable(error)) {
      for (const { index } of batch) results[index] = error;
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await sendInHalves(batch.slice(0, middle), results, send);
    await sendInHalves(batch.slice(middle), results, send);
  }
}

function messageBytes({ body, attributes }: OutboundMessage): number {
  let bytes = Buffer.byteLength(body);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  return bytes;
}
