/**
 * Dead letters on Service Bus: the queue that the bridge sends to, and the sub-queue of each queue, to which the
 * broker moves what was delivered too often or has expired.
 *
 * Each look has a connection of its own: the SDK goes on peeking where the connection peeked last, so a second look
 * would miss what the first has seen.
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-dead-letter-queues
 */
import type { ServiceBusClient, ServiceBusReceivedMessage, ServiceBusReceiver } from '@azure/service-bus';
import { deadLetterPageSize } from '../../bounds.ts';
import type { DeadLetter, DeadLetterBox, Sample, Verdict } from '../../ports/dead-letter-box.ts';
import { queueError } from './errors.ts';

/** How long a message is waited for that somebody else may have taken; one that is there comes at once. */
const WAIT_MS = 500;

interface Box {
  /** Begins the ids of its letters. */
  readonly name: string;
  readonly queue: string;
  readonly subQueue: boolean;
  /** Where its letters come from when they do not say it themselves. */
  readonly source: string;
}

export class ServiceBusDeadLetterBox implements DeadLetterBox {
  readonly #connect: () => ServiceBusClient;
  readonly #boxes: readonly Box[];

  /** @param queues Names of the queues, by what they are. */
  constructor(
    connect: () => ServiceBusClient,
    queues: Readonly<Record<'dead' | 'in' | 'out' | 'verify' | 'react' | 'objects', string>>,
  ) {
    this.#connect = connect;
    this.#boxes = [
      { name: 'dead', queue: queues.dead, subQueue: false, source: '' },
      { name: 'in', queue: queues.in, subQueue: true, source: 'tandem-in' },
      { name: 'out', queue: queues.out, subQueue: true, source: 'tandem-out' },
      { name: 'verify', queue: queues.verify, subQueue: true, source: 'tandem-verify' },
      { name: 'react', queue: queues.react, subQueue: true, source: 'tandem-react' },
      { name: 'objects', queue: queues.objects, subQueue: true, source: 'tandem-objects' },
      { name: 'deadest', queue: queues.dead, subQueue: true, source: '' },
    ];
  }

  scan(limit: number, see: (messages: readonly DeadLetter[]) => void): Promise<Sample> {
    return this.#each(limit, async (box, receiver, left) => {
      let scanned = 0;
      for (let from: ServiceBusReceivedMessage['sequenceNumber']; scanned < left;) {
        const count = Math.min(deadLetterPageSize, left - scanned);
        const page = await receiver.peekMessages(count, {
          ...(from !== undefined && { fromSequenceNumber: from }),
        });
        if (page.length === 0) return { scanned, goOn: true };
        scanned += page.length;
        see(page.map((message) => toDeadLetter(box, message)));
        from = page.at(-1)?.sequenceNumber?.add(1);
      }
      return { scanned, goOn: false };
    });
  }

  settle(limit: number, decide: (messages: readonly DeadLetter[]) => Promise<Verdict>): Promise<Sample> {
    return this.#each(limit, async (box, receiver, left) => {
      const kept = new Set<ServiceBusReceivedMessage>();
      let scanned = 0;
      try {
        while (scanned < left) {
          // For more messages than there are the SDK would wait; a peek, which goes on where the one before ended, counts
          // the next ones at once.
          const count = (await receiver.peekMessages(Math.min(deadLetterPageSize, left - scanned))).length;
          if (count === 0) return { scanned, goOn: true };
          const page = await receiver.receiveMessages(count, { maxWaitTimeInMs: WAIT_MS });
          if (page.length === 0) continue;
          scanned += page.length;
          for (const message of page) kept.add(message);
          const messages = page.map((message) => toDeadLetter(box, message));
          const { remove, goOn } = await decide(messages);
          for (const [i, message] of page.entries()) {
            if (!remove.has(messages[i]?.id ?? '')) continue;
            await receiver.completeMessage(message);
            kept.delete(message);
          }
          if (!goOn) break;
        }
        return { scanned, goOn: false };
      } finally {
        // What cannot be released comes back by itself when its lock runs out.
        await Promise.allSettled([...kept].map((message) => receiver.abandonMessage(message)));
      }
    });
  }

  /** Box after box, until one says that it is enough. */
  async #each(
    limit: number,
    act: (
      box: Box,
      receiver: ServiceBusReceiver,
      left: number,
    ) => Promise<{ scanned: number; goOn: boolean }>,
  ): Promise<Sample> {
    const client = this.#connect();
    let scanned = 0;
    try {
      for (const box of this.#boxes) {
        const receiver = client.createReceiver(box.queue, {
          skipParsingBodyAsJson: true,
          ...(box.subQueue && { subQueueType: 'deadLetter' }),
        });
        const part = await act(box, receiver, limit - scanned);
        scanned += part.scanned;
        if (!part.goOn) return { scanned, atLeast: true };
      }
      return { scanned, atLeast: false };
    } catch (error) {
      throw queueError(error);
    } finally {
      await client.close();
    }
  }
}

function toDeadLetter({ name, source }: Box, message: ServiceBusReceivedMessage): DeadLetter {
  const { applicationProperties = {}, sequenceNumber, enqueuedTimeUtc } = message;
  const body: unknown = message.body;
  const { deadLetterReason, deadLetterErrorDescription } = message;
  const text = (property: string): string | undefined => {
    const value = applicationProperties[property];
    return value === undefined ? undefined : String(value);
  };
  return {
    id: `${name}-${sequenceNumber?.toString() ?? ''}`,
    source: text('source') ?? source,
    reason: text('reason') ?? deadLetterReason ?? 'unknown',
    detail: text('detail') ?? deadLetterErrorDescription ?? 'Service Bus moved it here and does not say why',
    body: Buffer.isBuffer(body) ? body.toString('utf8') : String(body),
    atMs: enqueuedTimeUtc?.getTime() ?? 0,
  };
}
