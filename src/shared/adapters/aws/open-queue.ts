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
  return new SqsSender(openSqs(options), options.url);
}

/** A client with our bounds. */
export function openSqs({ region, endpoint }: { region: string; endpoint?: string | undefined }): SQSClient {
  return new SQSClient({
    region,
    maxAttempts: vendorAttemptsMax,
    requestHandler: { requestTimeout: queueTimeoutMs, throwOnRequestTimeout: true, connectionTimeout: 1_000 },
    ...(endpoint !== undefined && { endpoint }),
  });
}
