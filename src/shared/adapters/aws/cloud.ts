/** `#cloud` on AWS. The platform's shapes are the core's own, so the entries are thin. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';
import { type IndexEntries, noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import { credentialFreshness, vendorAttemptsMax } from '../../bounds.ts';
import type { Config } from '../../config/config.ts';
import { keepFresh } from '../../keep-fresh.ts';
import type { Cloud, DeadLetters, Urgency } from '../../ports/cloud.ts';
import type { DeadLetterBox, QueueDepths } from '../../ports/dead-letter-box.ts';
import type { ProbeGroup } from '../../ports/probe.ts';
import { deadLettersOn } from '../dead-letters.ts';
import { fetchClient } from '../fetch-client.ts';
import { SqsDeadLetterBox } from './dead-letter-box.ts';
import { openSqs, openSqsQueue } from './open-queue.ts';
import { awsProbes } from './probes.ts';
import { measureSqs } from './queue-depths.ts';
import { DynamoStore } from './store.ts';

export { httpEntry, queueEntry, timerEntry } from './entries.ts';
export { openMetrics, openOwnMetrics } from './metrics.ts';
export { openVault } from './open-vault.ts';

export const cloudName: Cloud['cloudName'] = 'aws';

export function openStore(config: Config, entriesOf: IndexEntries, urgency: Urgency = 'live'): Store {
  return new DynamoStore(openDynamo(config), settings(config).table, { urgency, entriesOf });
}

function openDynamo({ region, storeTimeoutMs }: Config): DynamoDBClient {
  return new DynamoDBClient({
    region,
    maxAttempts: vendorAttemptsMax,
    requestHandler: {
      requestTimeout: storeTimeoutMs,
      throwOnRequestTimeout: true,
      connectionTimeout: (2 * storeTimeoutMs) / 3,
    },
  });
}

export function openOutbox(config: Config): QueueSender {
  return openSqsQueue({ region: config.region, url: settings(config).outUrl });
}

export function openDeadLetters(config: Config): DeadLetters {
  return deadLettersOn(openSqsQueue({ region: config.region, url: settings(config).deadUrl }));
}

export function openInbox(config: Config): QueueSender {
  return openSqsQueue({ region: config.region, url: settings(config).inUrl });
}

export function openVerifyQueue(config: Config): QueueSender {
  return openSqsQueue({ region: config.region, url: settings(config).verifyUrl });
}

export function openReactQueue(config: Config): QueueSender {
  return openSqsQueue({ region: config.region, url: settings(config).reactUrl });
}

export function openObjectsQueue(config: Config): QueueSender {
  return openSqsQueue({ region: config.region, url: settings(config).objectsQueueUrl });
}

export function openDeadLetterBox(config: Config): DeadLetterBox {
  const { inUrl, outUrl, deadUrl, verifyUrl, reactUrl, objectsQueueUrl } = settings(config);
  const sources = new Map([
    [nameOf(inUrl), 'tandem-in'],
    [nameOf(outUrl), 'tandem-out'],
    [nameOf(verifyUrl), 'tandem-verify'],
    [nameOf(reactUrl), 'tandem-react'],
    [nameOf(objectsQueueUrl), 'tandem-objects'],
  ]);
  const sourceOf = (arn: string): string | undefined => sources.get(arn.split(':').at(-1) ?? '');
  return new SqsDeadLetterBox(openSqs({ region: config.region }), deadUrl, sourceOf);
}

/** The name of a queue: the last segment of its URL. */
function nameOf(url: string): string {
  return url.split('/').at(-1) ?? '';
}

export function openQueueDepths(config: Config): () => Promise<QueueDepths> {
  const { inUrl, outUrl, deadUrl } = settings(config);
  const client = openSqs({ region: config.region });
  return () => measureSqs(client, { out: outUrl, in: inUrl, dead: deadUrl });
}

/** The SDK for it loads with the first line that is sent. */
export function openCentralLogsToken(config: Config): () => Promise<string> {
  const { centralLogs } = config;
  const { centralLogsRole } = settings(config);
  const fresh = keepFresh(async () => {
    const { openCentralLogsToken: open } = await import('../peers/central-logs-token.ts');
    return open({ ...centralLogs, roleArn: centralLogsRole, client: fetchClient });
  }, credentialFreshness);
  return async () => (await fresh()).value;
}

export function openProbes(config: Config, _nonce: string): readonly ProbeGroup[] {
  const client = openDynamo(config);
  return awsProbes({
    config,
    client,
    store: new DynamoStore(client, settings(config).table, { entriesOf: noEntries }),
    sqs: openSqs({ region: config.region }),
    queues: {
      out: openOutbox(config),
      in: openInbox(config),
      verify: openVerifyQueue(config),
      react: openReactQueue(config),
      objects: openObjectsQueue(config),
    },
    deadLetters: openDeadLetterBox(config),
    depths: openQueueDepths(config),
  });
}

function settings(config: Config): NonNullable<Config['aws']> {
  if (config.aws === undefined) throw new TypeError('this bundle runs on AWS and has no AWS settings');
  return config.aws;
}
