/**
 * A local SQS: the real `@aws-sdk/client-sqs` 3.x talks to it.
 *
 * Standard and FIFO queues, long polling, visibility and delay, batches, attributes and their digests, redrive to a
 * dead-letter queue and back, retention, tags. Not there: permissions, encryption, the 60 seconds that SQS wants
 * between two purges or between deleting a queue and creating it again, and `ReceiveRequestAttemptId`.
 *
 * Faults name the API action (`SendMessageBatch`) and the queue. `duplicate` acts on sends (a second copy) and on
 * deletes (one copy survives), `reorder` on sends, see `send.ts` and `receipt-handle.ts`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import {
  type AwsJsonError,
  type AwsJsonService,
  endpointOf,
  startAwsJsonServer,
} from '../core/aws-json-server.ts';
import { lockDataDir } from '../core/data-lock.ts';
import type { Emulator, EmulatorOptions } from '../core/emulator.ts';
import { Faults } from '../core/faults.ts';
import { UsageMeter } from '../core/usage.ts';
import { SqsError, wireErrorOf } from './errors.ts';
import { LIMITS } from './limits.ts';
import { countCall } from './metering.ts';
import { MoveTasks } from './move-tasks.ts';
import { queueNameOf, runOperation } from './operations.ts';
import type { QueueCounts } from './queue.ts';
import { SqsStore } from './store.ts';

/**
 * Where `GET` answers with the depth and age of every queue: an object of `QueueCounts` by queue name.
 * Below it, `GET <name>/bodies` lists the bodies of all messages of a queue, whatever their state, and takes none.
 */
export const QUEUES_PATH = '/_tandem/queues';

export interface SqsOptions extends EmulatorOptions {
  /** Default `us-east-1`. */
  readonly region?: string;
  /** Default `000000000000`. */
  readonly account?: string;
  /**
   * A receive that finds nothing waits so long at most, whatever it asks for: for tests, which look whether a queue is
   * empty. Default: as long as it asks for.
   */
  readonly longPollMaxMs?: number;
}

export interface SqsEmulator extends Emulator {
  /** Depth, in flight, delayed and oldest age of every queue, by name: what CloudWatch would show. */
  queues(): Record<string, QueueCounts>;
  arnOf(queueName: string): string;
  queueUrlOf(queueName: string): string;
}

const JOURNAL_FILE = 'sqs.jsonl';

/**
 * Starts the emulator.
 * @throws Error when another living process has the data folder, or when the journal is damaged.
 */
export async function startSqs(options: SqsOptions = {}): Promise<SqsEmulator> {
  const { dataDir, region = 'us-east-1', account = '000000000000', now = Date.now } = options;
  const unlock = dataDir === undefined ? undefined : lockDataDir(dataDir);
  let store: SqsStore | undefined;
  const release = (): void => {
    store?.close();
    unlock?.();
  };
  try {
    const file = dataDir === undefined ? undefined : path.join(dataDir, JOURNAL_FILE);
    store = new SqsStore({ file, region, account, now });
    return await serve(store, options, release);
  } catch (error) {
    release();
    throw error;
  }
}

/** What is in so long a request is longer than what it may be about, whatever it is. */
function tooLarge(operation: string): AwsJsonError {
  return operation.endsWith('Batch')
    ? wireErrorOf(
        'BatchRequestTooLong',
        `Batch requests cannot be longer than ${LIMITS.batchBytesMax} bytes.`,
      )
    : wireErrorOf(
        'InvalidParameterValueException',
        `One or more parameters are invalid. Reason: Message must be shorter than ${LIMITS.messageBytesMax} bytes.`,
      );
}

async function serve(
  store: SqsStore,
  { port = 0, longPollMaxMs }: SqsOptions,
  release: () => void,
): Promise<SqsEmulator> {
  const faults = new Faults();
  const usage = new UsageMeter();
  const service: AwsJsonService = {
    faults,
    usage,
    resources: (_operation, input) => [queueNameOf(input)],
    handle: async ({ operation, input, traceHeader, signal, fault }) => {
      const { endpoint } = server;
      const context = { ...fault, store, moveTasks, endpoint, traceHeader, signal, longPollMaxMs };
      const output = await runOperation(operation, context, input);
      countCall(usage, { queue: queueNameOf(input), operation }, input, output);
      return output;
    },
    bodyBytesMax: LIMITS.requestBytesMax,
    tooLarge,
    describeError: (error) =>
      error instanceof SqsError ? wireErrorOf(error.code, error.message) : undefined,
    injectedError: (code = 'ThrottlingException') => wireErrorOf(code, `${code}, injected by a fault rule`),
    control: (request, response) => respondToControl(request, response, store),
  };
  const server = await startAwsJsonServer(port, service);
  const moveTasks = new MoveTasks(store);
  const endpoint = endpointOf(server.port);
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    moveTasks.stop();
    await server.close();
    release();
  };
  return {
    endpoint,
    port: server.port,
    faults,
    queues: () => countsByQueue(store),
    arnOf: (name) => store.arnOf(name),
    queueUrlOf: (name) => `${endpoint}/${store.account}/${name}`,
    close: () => (closed ??= close()),
  };
}

function countsByQueue(store: SqsStore): Record<string, QueueCounts> {
  return Object.fromEntries(
    [...store.queues.values()].map((queue) => {
      store.settle(queue);
      return [queue.name, queue.counts(store.now())];
    }),
  );
}

function respondToControl(request: IncomingMessage, response: ServerResponse, store: SqsStore): boolean {
  if (request.method !== 'GET' || request.url?.startsWith(QUEUES_PATH) !== true) return false;
  const reply = (status: number, body: unknown): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (request.url === QUEUES_PATH) {
    reply(200, countsByQueue(store));
    return true;
  }
  const [name = '', part] = request.url.slice(QUEUES_PATH.length + 1).split('/');
  const queue = store.queues.get(name);
  if (part !== 'bodies') return false;
  if (queue === undefined) reply(404, { message: `there is no queue ${name}` });
  else
    reply(
      200,
      Array.from(queue.messages(), ({ body }) => body),
    );
  return true;
}
