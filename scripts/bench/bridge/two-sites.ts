/**
 * One site of each cloud to measure: the emulators of each in a process of its own, with the table, container and
 * queues of the deployed definitions, and the environment in which the functions of each site find them.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { parse } from 'yaml';
import { provision } from '@tandem-clouds/local/azure-host/provision';
import type { EmulatorsSettings } from '@tandem-clouds/local/processes/emulators-settings';
import { announced } from '@tandem-clouds/local/run-registry';
import { type CloudName, CLOUDS, ROOT } from '../service-bundles.ts';

/** What a process needs to know of a site. Plain data: it travels to the measured process. */
export interface BenchSite {
  readonly cloud: CloudName;
  readonly site: string;
  /** What its functions find in `process.env`. */
  readonly env: Readonly<Record<string, string>>;
  /** Base URLs of its emulators' control requests: of the store and of the queues. */
  readonly control: { readonly store: string; readonly queues: string };
}

export type BenchSites = Readonly<Record<CloudName, BenchSite>>;

export interface TwoSites {
  readonly sites: BenchSites;
  close(): Promise<void>;
}

export const OTHER: Readonly<Record<CloudName, CloudName>> = { aws: 'azure', azure: 'aws' };

const REGION: Readonly<Record<CloudName, string>> = { aws: 'us-east-1', azure: 'eastus' };
const SITE: Readonly<Record<CloudName, string>> = { aws: 'aws-us-east-1', azure: 'azure-eastus' };
const ACCESS = { AWS_REGION: REGION.aws, AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };
/** The Azure SDKs would otherwise send what is meant for an emulator to the proxy of the user's network. */
const NO_PROXY = { NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost' };
const TABLE = 'tandem';
const ACCOUNT = '000000000000';
/** By its name in the configuration; the Service Bus queues have the same names. */
const QUEUES = [
  'tandem-out',
  'tandem-in',
  'tandem-dead',
  'tandem-tick',
  'tandem-verify',
  'tandem-react',
  'tandem-objects',
] as const;
const COSMOS_KEY = Buffer.from('local').toString('base64');
const MAIN = path.join(ROOT, 'packages/local/src/processes/emulators-main.ts');
const LEASH = path.join(ROOT, 'packages/local/src/stack/leash.ts');
const READY_WITHIN_MS = 30_000;
const POLL_MS = 25;

type Urls = Readonly<Record<string, string>>;

export interface TwoSitesOptions {
  /** Of the Service Bus emulator; absent: what the tier has. */
  readonly creditsPerSecond?: number;
}

/** Starts everything, with data in memory. @throws Error when an emulator does not come up. */
export async function startTwoSites(options: TwoSitesOptions = {}): Promise<TwoSites> {
  Object.assign(process.env, NO_PROXY);
  const runDir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-bench-'));
  const children = CLOUDS.map((cloud) => startEmulators(cloud, runDir, options));
  const close = async (): Promise<void> => {
    await Promise.all(children.map(ended));
    fs.rmSync(runDir, { recursive: true, force: true });
  };
  try {
    const urls = await untilAnnounced(runDir, children);
    const queueUrls = await createAwsResources(urls.aws);
    const azure = azureEnvironment(urls.azure);
    await provision({
      templateFile: path.join(ROOT, 'infra/azure/site.json'),
      settings: { ...azure, SERVICE_BUS_CONTROL_URL: urls.azure['serviceBusControl'] },
    });
    return { sites: sitesOf(urls, queueUrls, azure), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function startEmulators(
  cloud: CloudName,
  runDir: string,
  { creditsPerSecond }: TwoSitesOptions,
): ChildProcess {
  const settings: EmulatorsSettings = { name: cloud, cloud, region: REGION[cloud], ports: {} };
  return fork(MAIN, [JSON.stringify(settings)], {
    execArgv: ['--import', LEASH],
    env: {
      ...process.env,
      TANDEM_RUN_DIR: runDir,
      ...(creditsPerSecond !== undefined && { TANDEM_SERVICE_BUS_CREDITS: String(creditsPerSecond) }),
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

async function untilAnnounced(
  runDir: string,
  children: readonly ChildProcess[],
): Promise<Record<CloudName, Urls>> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const entries = announced(runDir);
    const of = (cloud: CloudName): Urls | undefined => entries.find(({ name }) => name === cloud)?.urls;
    const [aws, azure] = [of('aws'), of('azure')];
    if (aws !== undefined && azure !== undefined) return { aws, azure };
    if (Date.now() > deadline || children.some(({ exitCode }) => exitCode !== null)) {
      throw new Error('the emulators did not come up');
    }
    await delay(POLL_MS);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** The table and the queues; returns the queues' URLs by name. */
async function createAwsResources({ dynamodb = '', sqs = '' }: Urls): Promise<Record<string, string>> {
  const access = {
    region: REGION.aws,
    credentials: { accessKeyId: ACCESS.AWS_ACCESS_KEY_ID, secretAccessKey: ACCESS.AWS_SECRET_ACCESS_KEY },
  };
  const store = new DynamoDBClient({ ...access, endpoint: dynamodb });
  const queues = new SQSClient({ ...access, endpoint: sqs });
  try {
    await store.send(new CreateTableCommand(tableDefinition()));
    const created = QUEUES.map(async (name) => {
      const { QueueUrl = '' } = await queues.send(new CreateQueueCommand({ QueueName: name }));
      return [name, QueueUrl] as const;
    });
    return Object.fromEntries(await Promise.all(created));
  } finally {
    store.destroy();
    queues.destroy();
  }
}

/** The table of `infra/aws/store.yml`, without what has no meaning on one machine. */
function tableDefinition(): CreateTableCommandInput {
  const text = fs.readFileSync(path.join(ROOT, 'infra/aws/store.yml'), 'utf8');
  const { Properties } = (parse(text) as { Resources: { Table: { Properties: CreateTableCommandInput } } })
    .Resources.Table;
  const { BillingMode, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes } = Properties;
  return { TableName: TABLE, BillingMode, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes };
}

function azureEnvironment({ cosmos = '', serviceBus = '' }: Urls): Record<string, string> {
  return {
    COSMOS_ENDPOINT: cosmos,
    COSMOS_KEY,
    COSMOS_DATABASE: 'tandem',
    COSMOS_CONTAINER: 'records',
    SERVICE_BUS_CONNECTION: serviceBus,
  };
}

function sitesOf(
  urls: Readonly<Record<CloudName, Urls>>,
  queueUrls: Readonly<Record<string, string>>,
  azure: Readonly<Record<string, string>>,
): BenchSites {
  const { dynamodb = '', sqs = '' } = urls.aws;
  const { cosmos = '', serviceBus = '', serviceBusControl = '' } = urls.azure;
  const queueUrl = (name: string): string => `${sqs}/${ACCOUNT}/${name}`;
  const awsPeer = { inbox: queueUrl('tandem-in'), verify: queueUrl('tandem-verify'), endpoint: sqs };
  const azurePeer = { inbox: 'tandem-in', verify: 'tandem-verify', connectionString: serviceBus };
  return {
    aws: {
      cloud: 'aws',
      site: SITE.aws,
      env: {
        ...commonEnvironment('aws', azurePeer),
        AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
        AWS_ENDPOINT_URL_SQS: sqs,
        TANDEM_TABLE: TABLE,
        TANDEM_OUT_URL: queueUrls['tandem-out'] ?? '',
        TANDEM_IN_URL: queueUrls['tandem-in'] ?? '',
        TANDEM_DEAD_URL: queueUrls['tandem-dead'] ?? '',
        TANDEM_TICK_URL: queueUrls['tandem-tick'] ?? '',
        TANDEM_VERIFY_URL: queueUrls['tandem-verify'] ?? '',
        TANDEM_REACT_URL: queueUrls['tandem-react'] ?? '',
        TANDEM_OBJECTS_QUEUE_URL: queueUrls['tandem-objects'] ?? '',
      },
      control: { store: dynamodb, queues: sqs },
    },
    azure: {
      cloud: 'azure',
      site: SITE.azure,
      env: { ...commonEnvironment('azure', awsPeer), ...azure },
      control: { store: cosmos, queues: serviceBusControl },
    },
  };
}

/** An Azure site signs in to the peer's SQS with credentials of its own. */
function commonEnvironment(cloud: CloudName, peerInbox: object): Record<string, string> {
  const peer = OTHER[cloud];
  const address = { site: SITE[peer], cloud: peer, region: REGION[peer], url: 'http://127.0.0.1:1' };
  return {
    ...ACCESS,
    ...NO_PROXY,
    TANDEM_SITE: SITE[cloud],
    TANDEM_REGION: REGION[cloud],
    TANDEM_PEERS: JSON.stringify([{ ...address, ...peerInbox }]),
    TANDEM_LOG_LEVEL: 'error',
  };
}
