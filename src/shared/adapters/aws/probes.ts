/**
 * Probes of a site on AWS. They are made with the role of `operations`, whose rights they do not widen: a write is one
 * whose condition cannot hold, so it needs the right and changes nothing. The roles of the other functions are seen by
 * what they do: the command waits until the triggers have emptied the queues.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteMessageBatchCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';
import type { Store } from '@tandem-clouds/replication/ports/store';
import type { Config } from '../../config/config.ts';
import type { DeadLetterBox, QueueDepths } from '../../ports/dead-letter-box.ts';
import type { Probe, ProbeGroup } from '../../ports/probe.ts';
import { tlsProbe } from '../negotiated-tls.ts';
import { sendProbe } from '../peers/peer-probes.ts';
import { queueError } from './errors.ts';

interface Opened {
  readonly config: Config;
  readonly store: Store;
  readonly client: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly queues: Readonly<Record<'out' | 'in' | 'verify' | 'react' | 'objects', QueueSender>>;
  readonly deadLetters: DeadLetterBox;
  readonly depths: () => Promise<QueueDepths>;
}

/** No such record is ever written. */
const NOBODY = 'probe:none';

export function awsProbes({ config, store, client, sqs, queues, deadLetters, depths }: Opened): ProbeGroup[] {
  const address = addressOf(client);
  const { inUrl = '', deadUrl = '' } = config.aws ?? {};
  return [
    [...storeProbes(store), lazyTls('store', address)],
    [
      sendProbe('queue.send', 'tandem-out', config.site, queues.out),
      sendProbe('queue.send', 'tandem-in', config.site, queues.in),
      sendProbe('queue.send', 'tandem-verify', config.site, queues.verify),
      sendProbe('queue.send', 'tandem-react', config.site, queues.react),
      sendProbe('queue.send', 'tandem-objects', config.site, queues.objects),
    ],
    [
      { id: 'queue.depth', subject: 'all', run: async () => JSON.stringify(await depths()) },
      {
        id: 'queue.receive',
        subject: 'tandem-dead',
        run: async () => `${(await deadLetters.scan(1, () => undefined)).scanned} seen`,
      },
      { id: 'queue.settle', subject: 'tandem-dead', run: () => settle(sqs, deadUrl) },
      tlsProbe('queues', inUrl),
    ],
  ];
}

function storeProbes(store: Store): Probe[] {
  return [
    { id: 'store.read', run: async () => responded(await store.get(NOBODY)) },
    {
      id: 'store.read-many',
      run: async () => `${(await store.getMany([NOBODY, `${NOBODY}-either`])).size} found`,
    },
    {
      id: 'store.list',
      run: async () => `${(await store.list('probe', { after: undefined, limit: 1 })).length} found`,
    },
    { id: 'store.pending', run: async () => `${(await store.pending(0, 1)).length} found` },
    { id: 'store.due', run: async () => `${(await store.due(0, 1)).length} found` },
    {
      id: 'store.write',
      run: async () => {
        const record = { key: NOBODY, state: { fields: {}, vector: {} }, pending: {}, operations: [] };
        const [result] = await store.putMany([{ record, expected: '1' }]);
        if (result?.status === 'failed') throw result.error;
        return 'the condition was looked at';
      },
    },
    {
      id: 'store.patch',
      run: async () => {
        const [error] = await store.clearPending([{ key: NOBODY, accepted: { nobody: '0' } }]);
        if (error !== undefined) throw error;
        return 'the condition was looked at';
      },
    },
  ];
}

const responded = (found: unknown): string => (found === undefined ? 'no such record' : 'a record');

/**
 * Deletes with a receipt that is none. Whoever may not is refused as a whole; whoever may is told about the receipt.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html
 */
async function settle(sqs: SQSClient, url: string): Promise<string> {
  try {
    // Without waiting, for the right to receive is another probe's.
    await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, VisibilityTimeout: 0, WaitTimeSeconds: 0 }));
    const { Failed = [] } = await sqs.send(
      new DeleteMessageBatchCommand({ QueueUrl: url, Entries: [{ Id: '0', ReceiptHandle: 'none' }] }),
    );
    return Failed[0]?.Code ?? 'accepted';
  } catch (error) {
    throw queueError(error);
  }
}

/** Where a client's calls go, known once one has been made: the SDK decides by region and environment. */
function addressOf(client: DynamoDBClient): () => string {
  let address = '';
  client.middlewareStack.add(
    (next) => (args) => {
      const { protocol, hostname, port } = args.request as {
        protocol: string;
        hostname: string;
        port?: number;
      };
      address = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
      return next(args);
    },
    { step: 'finalizeRequest', name: 'addressOf' },
  );
  return () => address;
}

function lazyTls(subject: string, address: () => string): Probe {
  return { id: 'tls', subject, run: () => tlsProbe(subject, address()).run() };
}
