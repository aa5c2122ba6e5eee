/** The actions of the SQS API, by name: each takes the request as it came and returns the response to send. */
import {
  type Attributes,
  changedAttributes,
  describeAttributes,
  initialAttributes,
  redrivePolicyOf,
  validateAttributes,
} from './attributes.ts';
import { type BatchEntry, runBatch } from './batch.ts';
import { invalidParameter, missingParameter, queueDoesNotExist, SqsError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { messageBytes } from './message.ts';
import type { MoveTasks } from './move-tasks.ts';
import type { Queue } from './queue.ts';
import { changeVisibility, deleteMessage, type VisibilityRequest } from './receipt-handle.ts';
import { receiveMessages } from './receive.ts';
import { sendMessage, type SendRequest } from './send.ts';
import type { SqsStore } from './store.ts';

/** What an action works with. */
export interface SqsContext {
  readonly store: SqsStore;
  readonly moveTasks: MoveTasks;
  /** Base of the queue URLs. */
  readonly endpoint: string;
  /** The caller's `X-Amzn-Trace-Id`, which a message carries unless it brings an `AWSTraceHeader` of its own. */
  readonly traceHeader: string | undefined;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** The `duplicate` fault hits this call. */
  readonly duplicate: boolean;
  /** The `reorder` fault hits this call: the bound of each message's delay, else 0. */
  readonly reorderMs: number;
  /** A receive that finds nothing waits so long at most; undefined: as long as it asks for. */
  readonly longPollMaxMs: number | undefined;
}

type Input = Record<string, unknown>;

/** The response of an action that has nothing to say. */
const NO_MEMBERS = {};

type Action = (context: SqsContext, input: Input) => unknown;

const QUEUE_NAME = /^[\w-]{1,80}$/;

const ACTIONS: Readonly<Record<string, Action>> = {
  CreateQueue: createQueue,
  DeleteQueue: (context, input) => {
    context.store.drop(queueOf(context, input));
    return NO_MEMBERS;
  },
  GetQueueUrl: (context, input) => ({ QueueUrl: queueUrl(context, namedQueue(context, input['QueueName'])) }),
  ListQueues: listQueues,
  GetQueueAttributes: getQueueAttributes,
  SetQueueAttributes: setQueueAttributes,
  PurgeQueue: (context, input) => {
    context.store.purge(queueOf(context, input));
    return NO_MEMBERS;
  },
  TagQueue: tagQueue,
  UntagQueue: untagQueue,
  ListQueueTags: (context, input) => ({ Tags: queueOf(context, input).tags }),
  SendMessage: (context, input) => sendMessage(context.store, queueOf(context, input), input, context),
  SendMessageBatch: sendMessageBatch,
  ReceiveMessage: (context, input) =>
    receiveMessages(context.store, queueOf(context, input), input, context.signal, context.longPollMaxMs),
  DeleteMessage: (context, input) => {
    const handle = input['ReceiptHandle'] as string | undefined;
    deleteMessage(context.store, queueOf(context, input), handle, context.duplicate);
    return NO_MEMBERS;
  },
  DeleteMessageBatch: (context, input) => {
    const queue = queueOf(context, input);
    return runBatch(input['Entries'] as (BatchEntry & { ReceiptHandle?: string })[], (entry) => {
      deleteMessage(context.store, queue, entry.ReceiptHandle, context.duplicate);
      return NO_MEMBERS;
    });
  },
  ChangeMessageVisibility: (context, input) => {
    changeVisibility(context.store, queueOf(context, input), input);
    return NO_MEMBERS;
  },
  ChangeMessageVisibilityBatch: (context, input) => {
    const queue = queueOf(context, input);
    return runBatch(input['Entries'] as (BatchEntry & VisibilityRequest)[], (entry) => {
      changeVisibility(context.store, queue, entry);
      return NO_MEMBERS;
    });
  },
  ListDeadLetterSourceQueues: listDeadLetterSourceQueues,
  StartMessageMoveTask: (context, input) => context.moveTasks.start(input),
  ListMessageMoveTasks: (context, input) =>
    context.moveTasks.list(
      input['SourceArn'] as string | undefined,
      input['MaxResults'] as number | undefined,
    ),
  CancelMessageMoveTask: (context, input) =>
    context.moveTasks.cancel(input['TaskHandle'] as string | undefined),
};

/** Performs an action; an unknown one is refused as unsupported. */
export async function runOperation(operation: string, context: SqsContext, input: Input): Promise<unknown> {
  const action = Object.hasOwn(ACTIONS, operation) ? ACTIONS[operation] : undefined;
  if (action === undefined) {
    throw new SqsError('UnsupportedOperation', `The local queue service has no ${operation}.`);
  }
  return await action(context, input);
}

/** The queue that a request is about, for matching fault rules; empty when it is about none. */
export function queueNameOf(input: Input): string {
  const references = ['QueueUrl', 'QueueName', 'SourceArn'].map((member) => textOf(input, member));
  return (
    references
      .find((text) => text !== '')
      ?.split(/[/:]/)
      .at(-1) ?? ''
  );
}

/** A member that is text; empty when it is absent or something else. */
function textOf(input: Input, member: string): string {
  const value = input[member];
  return typeof value === 'string' ? value : '';
}

function queueUrl({ endpoint, store }: SqsContext, queue: Queue): string {
  return `${endpoint}/${store.account}/${queue.name}`;
}

/** Queues are found by the last part of the URL, so that a URL survives a change of port. */
function queueOf(context: SqsContext, input: Input): Queue {
  if (typeof input['QueueUrl'] !== 'string') throw missingParameter('QueueUrl');
  return namedQueue(context, queueNameOf(input));
}

function namedQueue({ store }: SqsContext, name: unknown): Queue {
  const queue = store.queues.get(String(name));
  if (queue === undefined) throw queueDoesNotExist();
  store.settle(queue);
  return queue;
}

function createQueue(context: SqsContext, input: Input): unknown {
  const { store } = context;
  const name = textOf(input, 'QueueName');
  if (!QUEUE_NAME.test(name.replace(/\.fifo$/, '')) || name.length > 80) {
    throw new SqsError(
      'InvalidParameterValueException',
      'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
    );
  }
  const requested = (input['Attributes'] ?? {}) as Attributes;
  validateAttributes(store, name, requested);
  const existing = store.queues.get(name);
  if (existing === undefined) {
    store.create(name, initialAttributes(name, requested), (input['tags'] ?? {}) as Attributes);
  } else {
    const different = Object.keys(requested).find((key) => existing.attributes[key] !== requested[key]);
    if (different !== undefined) {
      throw new SqsError(
        'QueueNameExists',
        `A queue already exists with the same name and a different value for attribute ${different}`,
      );
    }
  }
  return { QueueUrl: queueUrl(context, namedQueue(context, name)) };
}

function listQueues(context: SqsContext, input: Input): unknown {
  const prefix = textOf(input, 'QueueNamePrefix');
  const queues = [...context.store.queues.values()].filter((queue) => queue.name.startsWith(prefix));
  const { page, NextToken } = pageOf(queues, input);
  return { QueueUrls: page.map((queue) => queueUrl(context, queue)), ...(NextToken && { NextToken }) };
}

function listDeadLetterSourceQueues(context: SqsContext, input: Input): unknown {
  const { arn } = queueOf(context, input);
  const sources = [...context.store.queues.values()].filter(
    (queue) => redrivePolicyOf(queue)?.deadLetterTargetArn === arn,
  );
  const { page, NextToken } = pageOf(sources, input);
  return { queueUrls: page.map((queue) => queueUrl(context, queue)), ...(NextToken && { NextToken }) };
}

/** The token is the name of the last queue of the page before. */
function pageOf(queues: readonly Queue[], input: Input): { page: Queue[]; NextToken: string | undefined } {
  const max = (input['MaxResults'] as number | undefined) ?? LIMITS.listPageMax;
  if (!Number.isInteger(max) || max < 1 || max > LIMITS.listPageMax) {
    throw invalidParameter('MaxResults', max, `Must be 1 to ${LIMITS.listPageMax}.`);
  }
  const after = textOf(input, 'NextToken');
  const rest = [...queues].sort((a, b) => (a.name < b.name ? -1 : 1)).filter((queue) => queue.name > after);
  const page = rest.slice(0, max);
  return { page, NextToken: rest.length > max ? page.at(-1)?.name : undefined };
}

function getQueueAttributes(context: SqsContext, input: Input): unknown {
  const names = (input['AttributeNames'] ?? []) as string[];
  return { Attributes: describeAttributes(queueOf(context, input), names, context.store.now()) };
}

function setQueueAttributes(context: SqsContext, input: Input): unknown {
  const queue = queueOf(context, input);
  const requested = (input['Attributes'] ?? {}) as Attributes;
  validateAttributes(context.store, queue.name, requested);
  context.store.configure(queue, changedAttributes(queue, requested));
  return NO_MEMBERS;
}

function tagQueue(context: SqsContext, input: Input): unknown {
  const queue = queueOf(context, input);
  context.store.tag(queue, { ...queue.tags, ...(input['Tags'] as Attributes) });
  return NO_MEMBERS;
}

function untagQueue(context: SqsContext, input: Input): unknown {
  const queue = queueOf(context, input);
  const removed = new Set((input['TagKeys'] ?? []) as string[]);
  const kept = Object.entries(queue.tags).filter(([key]) => !removed.has(key));
  context.store.tag(queue, Object.fromEntries(kept));
  return NO_MEMBERS;
}

function sendMessageBatch(context: SqsContext, input: Input): unknown {
  const queue = queueOf(context, input);
  const entries = (input['Entries'] ?? []) as (SendRequest & BatchEntry)[];
  const bytes = entries.reduce(
    (sum, entry) => sum + messageBytes(entry.MessageBody ?? '', entry.MessageAttributes),
    0,
  );
  if (bytes > LIMITS.batchBytesMax) {
    throw new SqsError(
      'BatchRequestTooLong',
      `Batch requests cannot be longer than ${LIMITS.batchBytesMax} bytes. You have sent ${bytes} bytes.`,
    );
  }
  return runBatch(entries, (entry) => sendMessage(context.store, queue, entry, context));
}
