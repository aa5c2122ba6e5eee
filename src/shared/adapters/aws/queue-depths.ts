/**
 * How many messages SQS queues hold: visible, held by a consumer, and delayed. Its counts are approximate.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
 */
import { GetQueueAttributesCommand, type QueueAttributeName, type SQSClient } from '@aws-sdk/client-sqs';
import type { QueueDepth, QueueDepths } from '../../ports/dead-letter-box.ts';
import { queueError } from './errors.ts';

const COUNTS: QueueAttributeName[] = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
];

/** @throws UnavailableError @throws AmbiguousError */
export async function measureSqs(
  client: SQSClient,
  urls: Readonly<Record<keyof QueueDepths, string>>,
): Promise<QueueDepths> {
  const depthOf = async (url: string): Promise<QueueDepth> => {
    const { Attributes = {} } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: COUNTS }),
    );
    const messages = COUNTS.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
    return { messages, atLeast: false };
  };
  try {
    const [out, inbound, dead] = await Promise.all([depthOf(urls.out), depthOf(urls.in), depthOf(urls.dead)]);
    return { out, in: inbound, dead };
  } catch (error) {
    throw queueError(error);
  }
}
