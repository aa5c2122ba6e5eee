/** Opens an SQS queue: the site's own, or a peer's from anywhere. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { queueTimeoutMs, vendorAttemptsMax } from '../../bounds.ts';
import type { QueueSender } from '../../ports/queue.ts';
import { SqsSender } from './queue.ts';

export function openSqsQueue(options: {
  region: string;
  url: string;
  endpoint?: string | undefined;
}): QueueSender {
  const client = new SQSClient({
    region: options.region,
    maxAttempts: vendorAttemptsMax,
    requestHandler: { requestTimeout: queueTimeoutMs, throwOnRequestTimeout: true, connectionTimeout: 1_000 },
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
  });
  return new SqsSender(client, options.url);
}
