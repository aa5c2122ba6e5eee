/** What Lambda calls. HTTP events are the core's own shape; SQS batches are read and answered here. */
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { BatchHandler, InboundMessage, QueueSender } from '@tandem-clouds/replication/ports/queue';
import type { TimeLimit } from '@tandem-clouds/replication/ports/time-limit';
import { batchReserveMs, batchWorstMs, responseReserveMs } from '../../bounds.ts';
import type { Config } from '../../config/config.ts';
import type { DeadLetters, HttpHandler, TimerHandler } from '../../ports/cloud.ts';
import type { Logger, Metrics } from '../../ports/telemetry.ts';
import { timeLimit } from '../../time-limit.ts';
import { attemptOf, sendAgain } from '../send-again.ts';
import { settleBatch } from '../settle-batch.ts';
import { withoutHeaders } from '../without-headers.ts';
import { openSqsQueue } from './open-queue.ts';
import { PLATFORM_HEADERS } from './platform-headers.ts';

/**
 * API Gateway's HTTP APIs give `rawPath` decoded, `rawQueryString` not, a body as text where its type is one of text and
 * in base64 otherwise, and several headers of one name joined by commas.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function httpEntry(handler: HttpHandler): HttpHandler {
  return (event, context) =>
    handler({ ...event, headers: withoutHeaders(event.headers, PLATFORM_HEADERS) }, context);
}

/**
 * What failed for a passing reason is sent again, as a message that counts its attempts; SQS's own count also holds the
 * receives of batches that Lambda throttled. What cannot be sent is named as a partial batch failure and delivered again
 * after its visibility timeout.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function queueEntry(
  queue: string,
  handler: BatchHandler,
  services: { config: Config; deadLetters: DeadLetters; logger: Logger; metrics: Metrics },
): (event: SQSEvent, context?: Pick<Context, 'getRemainingTimeInMillis'>) => Promise<SQSBatchResponse> {
  const own = openOwnQueue(queue, services.config);
  return async ({ Records }, context) => {
    // A function that is cut off has said nothing about any message, and all of them have been received in vain.
    // Without a context nothing cuts it off.
    const leftMs = (): number => context?.getRemainingTimeInMillis() ?? batchWorstMs;
    const left = (reserveMs: number): TimeLimit => timeLimit({ ms: leftMs() - reserveMs });
    const times = { handle: left(batchReserveMs), send: () => left(responseReserveMs) };
    const retries = await settleBatch(queue, Records.map(toInbound), handler, { ...services, times });
    // What is throttled may be for hours: sent again each time, it would be a chain that Lambda ends.
    const throttled = retries.filter(({ isNoAttempt }) => isNoAttempt === true);
    const others = retries.filter(({ isNoAttempt }) => isNoAttempt !== true);
    const results = await sendAgain(own, others, times.send());
    const back = [...throttled, ...others.filter((_, index) => results[index] !== undefined)];
    return { batchItemFailures: back.map(({ message }) => ({ itemIdentifier: message.id })) };
  };
}

function openOwnQueue(queue: string, { region, aws }: Config): QueueSender {
  const urls = new Map([
    ['tandem-out', aws?.outUrl],
    ['tandem-in', aws?.inUrl],
    ['tandem-verify', aws?.verifyUrl],
    ['tandem-react', aws?.reactUrl],
    ['tandem-objects', aws?.objectsQueueUrl],
  ]);
  const url = urls.get(queue);
  if (url === undefined) throw new TypeError(`no queue ${queue} in the settings`);
  return openSqsQueue({ region, url });
}

function toInbound(record: SQSRecord): InboundMessage {
  const attributes = Object.fromEntries(
    Object.entries(record.messageAttributes).map(([name, { stringValue }]) => [name, stringValue ?? '']),
  );
  return {
    id: record.messageId,
    body: record.body,
    attributes,
    attempts: attemptOf(attributes),
  };
}

/**
 * EventBridge's shortest period is a minute. With `tickMs`, the minute's run sends itself delayed messages, so that
 * the function runs as often as that; a lost one is made good by the next minute.
 */
export function timerEntry(
  handler: TimerHandler,
  { config, tickMs }: { config: Config; tickMs?: number },
): (event: Partial<SQSEvent>) => Promise<unknown> {
  if (tickMs === undefined) return handler;
  const client = new SQSClient({ region: config.region });
  return async ({ Records }) => {
    if (Records === undefined) await sendTicks(client, config, tickMs / 1000);
    return handler();
  };
}

async function sendTicks(client: SQSClient, config: Config, tickSeconds: number): Promise<void> {
  const delays = Array.from({ length: 60 / tickSeconds - 1 }, (_, i) => (i + 1) * tickSeconds);
  await client.send(
    new SendMessageBatchCommand({
      QueueUrl: config.aws?.tickUrl,
      Entries: delays.map((delay) => ({ Id: String(delay), MessageBody: 'tick', DelaySeconds: delay })),
    }),
  );
}
