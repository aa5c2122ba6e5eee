/**
 * What SQS bills for a call: every action is a request, an empty receive too, and each 64 kB of its payload one more.
 * A batch is one action: ten small messages are one request.
 * https://aws.amazon.com/sqs/pricing/
 */
import { billedChunks, type UsageMeter } from '../core/usage.ts';
import { type MessageAttributes, messageBytes } from './message.ts';

interface Sent {
  readonly MessageBody?: string;
  readonly MessageAttributes?: MessageAttributes;
}

interface Received {
  readonly Body: string;
  readonly MessageAttributes?: MessageAttributes;
}

/**
 * Counts a call: its billable requests, and the messages that it was about. A receive that found nothing, or whose
 * client went away, has a name of its own: it depends on the time that passes and not on the work.
 */
export function countCall(
  usage: UsageMeter,
  { queue, operation }: { queue: string; operation: string },
  input: Readonly<Record<string, unknown>>,
  output: unknown,
): void {
  const received = (output as { Messages?: readonly Received[] }).Messages ?? [];
  const entries: readonly Sent[] = (input['Entries'] as readonly Sent[] | undefined) ?? [input];
  const bytes =
    sum(
      entries.map(({ MessageBody = '', MessageAttributes }) => messageBytes(MessageBody, MessageAttributes)),
    ) + sum(received.map(({ Body, MessageAttributes }) => messageBytes(Body, MessageAttributes)));
  const isReceive = operation === 'ReceiveMessage';
  usage.add(queue, isReceive && received.length === 0 ? 'ReceiveMessage (empty)' : operation, {
    requests: billedChunks(bytes),
    messages: isReceive ? received.length : entries.length,
  });
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
