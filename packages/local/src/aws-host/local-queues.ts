/**
 * Creates the queues of the service definition at a local endpoint, as CloudFormation does in the cloud.
 * Idempotent: a queue that is there keeps its messages and gets the attributes of the definition. Queue policies
 * and encryption have no meaning on one machine.
 */
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { LocalResource, QueuePlan, ResourcePlan } from './resource-plan.ts';
import { whenReachable } from './when-reachable.ts';

const named = (error: unknown, ...names: string[]): boolean =>
  error instanceof Error && names.includes(error.name);

async function ensureQueue(client: SQSClient, queue: QueuePlan, deadLetterArn: string | undefined) {
  const attributes: Record<string, string> = { ...queue.attributes };
  if (queue.redrive !== undefined && deadLetterArn !== undefined) {
    attributes['RedrivePolicy'] = JSON.stringify({
      deadLetterTargetArn: deadLetterArn,
      maxReceiveCount: queue.redrive.maxReceiveCount,
    });
  }
  let url: string | undefined;
  try {
    ({ QueueUrl: url } = await client.send(
      new CreateQueueCommand({ QueueName: queue.name, Attributes: attributes }),
    ));
  } catch (error) {
    // It exists with other attributes: the definition has changed since.
    if (!named(error, 'QueueNameExists', 'QueueAlreadyExists')) throw error;
    ({ QueueUrl: url } = await client.send(new GetQueueUrlCommand({ QueueName: queue.name })));
    await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: attributes }));
  }
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
  );
  return { ref: String(url), arn: String(Attributes?.['QueueArn']) };
}

/** Creates the queues, dead-letter queues first; the result is by logical id. */
export async function ensureQueues(
  client: SQSClient,
  plan: ResourcePlan,
  signal: AbortSignal,
): Promise<Map<string, LocalResource>> {
  const created = new Map<string, LocalResource>();
  const sources = plan.queues.filter((queue) => queue.redrive !== undefined);
  const targets = plan.queues.filter((queue) => queue.redrive === undefined);
  for (const group of [targets, sources]) {
    await Promise.all(
      group.map(async (queue) => {
        const target = queue.redrive && created.get(queue.redrive.deadLetterQueue);
        if (queue.redrive !== undefined && target === undefined) {
          throw new Error(
            `${queue.id}: its dead-letter queue must be a queue of the template without a redrive`,
          );
        }
        created.set(queue.id, await whenReachable(() => ensureQueue(client, queue, target?.arn), signal));
      }),
    );
  }
  return created;
}
