/**
 * How many messages Service Bus queues hold, counted by peeking up to a bound: the broker's own counts take the right
 * to manage the namespace, which a site must not have. Each time on a connection of its own, because the SDK goes on
 * peeking where the connection peeked last.
 */
import type { ServiceBusClient } from '@azure/service-bus';
import { queueDepthMax } from '../../bounds.ts';
import type { QueueDepth, QueueDepths } from '../../ports/dead-letter-box.ts';
import { queueError } from './errors.ts';

/** @throws UnavailableError @throws AmbiguousError */
export async function measureServiceBus(
  connect: () => ServiceBusClient,
  queues: Readonly<Record<keyof QueueDepths | 'verify', string>>,
): Promise<QueueDepths> {
  const { out, in: inbound, verify, dead } = queues;
  const client = connect();
  try {
    const [outDepth, inDepth, ...deadDepths] = await Promise.all([
      depthOf(client, out, false),
      depthOf(client, inbound, false),
      depthOf(client, dead, false),
      ...[out, inbound, verify, dead].map((queue) => depthOf(client, queue, true)),
    ]);
    return { out: outDepth, in: inDepth, dead: deadDepths.reduce(sum) };
  } catch (error) {
    throw queueError(error);
  } finally {
    await client.close();
  }
}

function sum(a: QueueDepth, b: QueueDepth): QueueDepth {
  return { messages: a.messages + b.messages, atLeast: a.atLeast || b.atLeast };
}

async function depthOf(client: ServiceBusClient, queue: string, deadLetters: boolean): Promise<QueueDepth> {
  const receiver = client.createReceiver(queue, {
    skipParsingBodyAsJson: true,
    ...(deadLetters && { subQueueType: 'deadLetter' }),
  });
  try {
    let messages = 0;
    let page = await receiver.peekMessages(queueDepthMax);
    while (page.length > 0 && messages < queueDepthMax) {
      messages += page.length;
      const from = page.at(-1)?.sequenceNumber?.add(1);
      page = await receiver.peekMessages(queueDepthMax, {
        ...(from !== undefined && { fromSequenceNumber: from }),
      });
    }
    return { messages: Math.min(messages, queueDepthMax), atLeast: messages >= queueDepthMax };
  } finally {
    await receiver.close();
  }
}
