/**
 * The bare pipe that the bridge is measured against: what one writes in an afternoon with the same SDKs.
 *
 * It sends the bodies of a batch on as they came, in as few calls as the SDK has (10 messages for SQS, the whole
 * batch for Service Bus), and at the other side puts each event with one conditional write, all of a batch at once:
 * "unless a newer version is there". That is last-write-wins per record. DynamoDB checks the condition with the put;
 * Cosmos DB has no such condition, so a created record is created and any other is read and replaced under its ETag.
 * No validation, no markers to clear, no merging, no grouping by key, no conflicts, no dead letters. What arrives is
 * listed by entity as ours is, since an application has lists with either.
 */
import { ConditionalCheckFailedException, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type Container, CosmosClient } from '@azure/cosmos';
import { ServiceBusClient } from '@azure/service-bus';
import { chunk } from '@tandem-clouds/replication/chunk';
import type { ReplicationEvent } from '@tandem-clouds/replication/event';
import type { PlatformHandler } from './functions.ts';
import type { BenchSite } from './two-sites.ts';

type Environment = Readonly<Record<string, string>>;

const SQS_BATCH = 10;
const CONFLICT = 409;
const PRECONDITION_FAILED = 412;

/** The function for the outbound queue of `from`. */
export function bareForward(from: BenchSite, to: BenchSite): PlatformHandler {
  const send = to.cloud === 'aws' ? openSqs(to.env) : openServiceBus(to.env);
  return async (...args) => {
    await send(bodiesOf(from, args));
    return { batchItemFailures: [] };
  };
}

/** The function for the inbound queue of `to`. */
export function bareApply(to: BenchSite): PlatformHandler {
  const put = to.cloud === 'aws' ? openDynamoDb(to.env) : openCosmosDb(to.env);
  return async (...args) => {
    await Promise.all(bodiesOf(to, args).map((body) => put(JSON.parse(body) as ReplicationEvent)));
    return { batchItemFailures: [] };
  };
}

/** An SQS event on AWS; the bodies, as bytes, and a context on Azure. */
function bodiesOf({ cloud }: BenchSite, [first]: readonly unknown[]): readonly string[] {
  if (cloud === 'azure') return (first as Buffer[]).map((body) => body.toString());
  return (first as { Records: { body: string }[] }).Records.map(({ body }) => body);
}

function openSqs(env: Environment): (bodies: readonly string[]) => Promise<void> {
  const client = new SQSClient({
    region: env['AWS_REGION'] ?? '',
    endpoint: env['AWS_ENDPOINT_URL_SQS'] ?? '',
  });
  return async (bodies) => {
    await Promise.all(
      chunk(bodies, SQS_BATCH).map(async (batch) => {
        const Entries = batch.map((MessageBody, i) => ({ Id: String(i), MessageBody }));
        const { Failed = [] } = await client.send(
          new SendMessageBatchCommand({ QueueUrl: env['TANDEM_IN_URL'], Entries }),
        );
        if (Failed.length > 0) throw new Error(`SQS refused ${Failed.length} messages`);
      }),
    );
  };
}

function openServiceBus(env: Environment): (bodies: readonly string[]) => Promise<void> {
  const sender = new ServiceBusClient(env['SERVICE_BUS_CONNECTION'] ?? '').createSender('tandem-in');
  return (bodies) => sender.sendMessages(bodies.map((body) => ({ body: Buffer.from(body) })));
}

type Put = (event: ReplicationEvent) => Promise<void>;

/** The site's own stamp in the vector: later writes of a key have later ones. */
function versionOf({ source, state }: ReplicationEvent): string {
  return state.vector[source] ?? '';
}

function openDynamoDb(env: Environment): Put {
  const client = new DynamoDBClient({
    region: env['AWS_REGION'] ?? '',
    endpoint: env['AWS_ENDPOINT_URL_DYNAMODB'] ?? '',
  });
  return async (event) => {
    const version = { S: versionOf(event) };
    const put = new PutItemCommand({
      TableName: env['TANDEM_TABLE'],
      Item: {
        k: { S: event.key },
        l: { S: event.key.split(':')[0] ?? '' },
        ver: version,
        s: { S: JSON.stringify({ payload: event.payload, state: event.state }) },
      },
      ConditionExpression: 'attribute_not_exists(k) OR ver < :ver',
      ExpressionAttributeValues: { ':ver': version },
    });
    try {
      await client.send(put);
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  };
}

interface BareDocument {
  readonly id: string;
  readonly l: string;
  readonly ver: string;
  readonly s: object;
}

function openCosmosDb(env: Environment): Put {
  const client = new CosmosClient({ endpoint: env['COSMOS_ENDPOINT'] ?? '', key: env['COSMOS_KEY'] ?? '' });
  const container = client.database(env['COSMOS_DATABASE'] ?? '').container(env['COSMOS_CONTAINER'] ?? '');
  return async (event) => {
    const document: BareDocument = {
      id: event.key,
      l: event.key.split(':')[0] ?? '',
      ver: versionOf(event),
      s: { payload: event.payload, state: event.state },
    };
    const isNew = event.type.endsWith('.created') && (await create(container, document));
    while (!isNew && !(await replaceOlder(container, document)));
  };
}

/** False when the document is there already. */
async function create(container: Container, document: BareDocument): Promise<boolean> {
  try {
    await container.items.create(document);
    return true;
  } catch (error) {
    if ((error as { code?: number }).code !== CONFLICT) throw error;
    return false;
  }
}

/** False when somebody else wrote in between. */
async function replaceOlder(container: Container, document: BareDocument): Promise<boolean> {
  const item = container.item(document.id, document.id);
  const { resource } = await item.read<BareDocument & { _etag: string }>();
  if (resource === undefined) return create(container, document);
  if (resource.ver >= document.ver) return true;
  try {
    await item.replace(document, {
      accessCondition: { type: 'IfMatch', condition: resource._etag },
    });
    return true;
  } catch (error) {
    if ((error as { code?: number }).code !== PRECONDITION_FAILED) throw error;
    return false;
  }
}
