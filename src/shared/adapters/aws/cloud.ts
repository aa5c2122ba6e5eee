/** `#cloud` on AWS. The platform's shapes are the core's own, so the entries are thin. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Config } from '../../config.ts';
import type { Cloud, DeadLetters } from '../../ports/cloud.ts';
import type { QueueSender } from '../../ports/queue.ts';
import type { Store } from '../../ports/store.ts';
import { storeTimeoutMs, vendorAttemptsMax } from '../../bounds.ts';
import { deadLettersOn } from '../dead-letters.ts';
import { openSqsQueue } from './open-queue.ts';
import { DynamoStore } from './store.ts';

export { httpEntry, queueEntry, timerEntry } from './entries.ts';

export const cloudName: Cloud['cloudName'] = 'aws';

export function openStore(config: Config): Store {
  const client = new DynamoDBClient({
    region: config.region,
    maxAttempts: vendorAttemptsMax,
    requestHandler: { requestTimeout: storeTimeoutMs, throwOnRequestTimeout: true, connectionTimeout: 1_000 },
  });
  return new DynamoStore(client, settings(config).table);
}

export function openOutbox(config: Config): QueueSender {
  return openSqsQueue({ region: config.region, url: settings(config).outUrl });
}

export function openDeadLetters(config: Config): DeadLetters {
  return deadLettersOn(openSqsQueue({ region: config.region, url: settings(config).deadUrl }));
}

function settings(config: Config): NonNullable<Config['aws']> {
  if (config.aws === undefined) throw new TypeError('this bundle runs on AWS and has no AWS settings');
  return config.aws;
}
