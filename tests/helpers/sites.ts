/** Opens the emulators of one cloud, with the tables, containers and queues of the deployed definitions. */
import fs from 'node:fs';
import path from 'node:path';
import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type ContainerDefinition, CosmosClient } from '@azure/cosmos';
import { ServiceBusClient } from '@azure/service-bus';
import { parse } from 'yaml';
import type { Faults } from '@tandem-clouds/emulators/core/faults';
import { startCosmos } from '@tandem-clouds/emulators/cosmos/server';
import { startDynamo } from '@tandem-clouds/emulators/dynamodb/server';
import { resourceManagerSettings } from '@tandem-clouds/emulators/service-bus/resource-manager';
import { startServiceBus } from '@tandem-clouds/emulators/service-bus/server';
import { startSqs } from '@tandem-clouds/emulators/sqs/server';
import { readSiteTemplate } from '@tandem-clouds/local/azure-host/template';

const ROOT = path.join(import.meta.dirname, '../..');
const QUEUES = [
  'tandem-out',
  'tandem-in',
  'tandem-dead',
  'tandem-tick',
  'tandem-verify',
  'tandem-react',
  'tandem-objects',
] as const;
export type QueueName = (typeof QUEUES)[number];
/** How long an empty queue is waited on: what is sent after its write was answered is sent at once. */
const QUIET_MS = 150;
const POLL_MS = 5;
/** The product asks a queue for a second whether it is empty; here all of it is in one process. */
const LONG_POLL_MAX_MS = 50;
const TAKEN_MAX = 10;
/** A store that answers late for want of a processor is no store that is silent. */
const PATIENT = { TANDEM_STORE_TIMEOUT_MS: '8000' };

export interface Taken {
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface TestCloud {
  readonly cloud: 'aws' | 'azure';
  readonly site: string;
  /** Variables for `loadConfig`, and for the SDKs. */
  readonly env: Readonly<Record<string, string>>;
  readonly storeFaults: Faults;
  readonly queueFaults: Faults;
  /** Makes one more store, which is empty. @returns The variables that lead to it. */
  createStore(name: string): Promise<Readonly<Record<string, string>>>;
  /** How many messages of a queue a receiver would get now. */
  waiting(queue: string): number;
  /** Takes up to ten messages off a queue; an empty one is waited on for a moment. */
  take(queue: QueueName): Promise<readonly Taken[]>;
  close(): Promise<void>;
}

export function startCloud(cloud: 'aws' | 'azure'): Promise<TestCloud> {
  return cloud === 'aws' ? startAws() : startAzure();
}

/** Sets variables and returns what puts the earlier values back. */
export function setEnvironment(env: Readonly<Record<string, string>>): () => void {
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, env);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  };
}

const AWS_ACCESS = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };

async function startAws(): Promise<TestCloud> {
  const [dynamo, sqs] = await Promise.all([startDynamo({}), startSqs({ longPollMaxMs: LONG_POLL_MAX_MS })]);
  const access = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const createTable = async (definition: CreateTableCommandInput): Promise<void> => {
    const dynamoClient = new DynamoDBClient({ ...access, endpoint: dynamo.endpoint });
    await dynamoClient.send(new CreateTableCommand(definition));
    dynamoClient.destroy();
  };
  await createTable(tableDefinition());
  const client = new SQSClient({ ...access, endpoint: sqs.endpoint });
  const waiting = (queue: string): number => sqs.queues()[queue]?.visible ?? 0;
  const urls: Record<string, string> = {};
  for (const name of QUEUES) {
    urls[name] = (await client.send(new CreateQueueCommand({ QueueName: name }))).QueueUrl ?? '';
  }
  return {
    cloud: 'aws',
    site: 'aws-us-east-1',
    env: {
      ...AWS_ACCESS,
      AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
      AWS_ENDPOINT_URL_SQS: sqs.endpoint,
      ...PATIENT,
      TANDEM_SITE: 'aws-us-east-1',
      TANDEM_REGION: 'us-east-1',
      TANDEM_TABLE: 'tandem',
      TANDEM_OUT_URL: urls['tandem-out'] ?? '',
      TANDEM_IN_URL: urls['tandem-in'] ?? '',
      TANDEM_DEAD_URL: urls['tandem-dead'] ?? '',
      TANDEM_TICK_URL: urls['tandem-tick'] ?? '',
      TANDEM_VERIFY_URL: urls['tandem-verify'] ?? '',
      TANDEM_REACT_URL: urls['tandem-react'] ?? '',
      TANDEM_OBJECTS_QUEUE_URL: urls['tandem-objects'] ?? '',
    },
    storeFaults: dynamo.faults,
    queueFaults: sqs.faults,
    async createStore(name) {
      await createTable({ ...tableDefinition(), TableName: name });
      return { TANDEM_TABLE: name };
    },
    waiting,
    take: async (queue) =>
      (await someWait(() => waiting(queue))) ? takeFromSqs(client, urls[queue] ?? '') : [],
    async close() {
      client.destroy();
      await Promise.all([dynamo.close(), sqs.close()]);
    },
  };
}

/** Whether there are messages, or come in a moment. */
async function someWait(count: () => number): Promise<boolean> {
  const deadline = Date.now() + QUIET_MS;
  while (count() === 0) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}

async function takeFromSqs(client: SQSClient, url: string): Promise<readonly Taken[]> {
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: TAKEN_MAX,
      MessageAttributeNames: ['All'],
    }),
  );
  if (Messages.length > 0) {
    const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
    await client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
  }
  return Messages.map(({ Body = '', MessageAttributes = {} }) => ({
    body: Body,
    attributes: Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { StringValue = '' }]) => [name, StringValue]),
    ),
  }));
}

/** The table of the deployed definition, under the name `tandem`. */
export function tableDefinition(): CreateTableCommandInput {
  const template = parse(fs.readFileSync(path.join(ROOT, 'infra/aws/store.yml'), 'utf8')) as {
    Resources: { Table: { Properties: CreateTableCommandInput } };
  };
  const { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, BillingMode } =
    template.Resources.Table.Properties;
  return { TableName: 'tandem', AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, BillingMode };
}

async function startAzure(): Promise<TestCloud> {
  const queues = Object.fromEntries(QUEUES.map((name) => [name, {}]));
  const [cosmos, bus] = await Promise.all([startCosmos({}), startServiceBus({ tier: 'Basic', queues })]);
  const createContainer = async (definition: ContainerDefinition): Promise<void> => {
    const cosmosClient = new CosmosClient({ endpoint: cosmos.endpoint, key: cosmos.key });
    const { database } = await cosmosClient.databases.createIfNotExists({ id: 'tandem' });
    await database.containers.createIfNotExists(definition);
    cosmosClient.dispose();
  };
  await createContainer(containerDefinition());
  const waiting = (queue: string): number => bus.counts(queue).ready;
  const client = new ServiceBusClient(bus.endpoint, { retryOptions: { maxRetries: 1, retryDelayInMs: 200 } });
  return {
    cloud: 'azure',
    site: 'azure-eastus',
    env: {
      ...PATIENT,
      TANDEM_SITE: 'azure-eastus',
      TANDEM_REGION: 'eastus',
      COSMOS_ENDPOINT: cosmos.endpoint,
      COSMOS_KEY: cosmos.key,
      COSMOS_DATABASE: 'tandem',
      COSMOS_CONTAINER: 'records',
      SERVICE_BUS_CONNECTION: bus.endpoint,
      ...resourceManagerSettings(`http://127.0.0.1:${bus.port}`),
    },
    storeFaults: cosmos.faults,
    queueFaults: bus.faults,
    async createStore(name) {
      await createContainer({ ...containerDefinition(), id: name });
      return { COSMOS_CONTAINER: name };
    },
    waiting,
    take: async (queue) =>
      (await someWait(() => waiting(queue)))
        ? takeFromServiceBus(client, queue, Math.min(waiting(queue), TAKEN_MAX))
        : [],
    async close() {
      await client.close();
      await Promise.all([cosmos.close(), bus.close()]);
    },
  };
}

/** @param count Of the messages that are there: for more than that the SDK would wait. */
async function takeFromServiceBus(
  client: ServiceBusClient,
  queue: string,
  count: number,
): Promise<readonly Taken[]> {
  const receiver = client.createReceiver(queue, { receiveMode: 'receiveAndDelete' });
  try {
    const messages = await receiver.receiveMessages(count, { maxWaitTimeInMs: 1_000 });
    return messages.map(({ body, applicationProperties = {} }) => ({
      body:
        typeof body === 'string'
          ? body
          : Buffer.isBuffer(body)
            ? body.toString('utf8')
            : JSON.stringify(body),
      attributes: Object.fromEntries(
        Object.entries(applicationProperties).map(([name, value]) => [name, String(value)]),
      ),
    }));
  } finally {
    await receiver.close();
  }
}

function containerDefinition(): ContainerDefinition {
  return readSiteTemplate(path.join(ROOT, 'infra/azure/site.json')).container;
}
