/** Opens an SQS queue: the site's own, or a peer's from anywhere. */
import { SQSClient } from '@aws-sdk/client-sqs';
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';
import { queueTimeoutMs, vendorAttemptsMax } from '../../bounds.ts';
import type { RoleCredentials } from './credential.ts';
import { SqsSender } from './queue.ts';

interface Access {
  readonly region: string;
  readonly endpoint?: string | undefined;
  /** Absent: what the SDK finds in the environment, as the role of a Lambda function. */
  readonly credentials?: (() => Promise<RoleCredentials>) | undefined;
}

export function openSqsQueue(options: Access & { url: string }): QueueSender {
  return new SqsSender(openSqs(options), options.url);
}

/** A client with our bounds. */
export function openSqs({ region, endpoint, credentials }: Access): SQSClient {
  return new SQSClient({
    region,
    maxAttempts: vendorAttemptsMax,
    requestHandler: { requestTimeout: queueTimeoutMs, throwOnRequestTimeout: true, connectionTimeout: 1_000 },
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
  });
}
