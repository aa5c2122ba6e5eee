/**
 * The two ends of an SQS event source mapping: the event that Lambda builds from received messages, and what
 * Lambda makes of the answer. After "Handling errors for an SQS event source" in the Lambda developer guide.
 */
import type { Message } from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSMessageAttributes, SQSRecord, SQSRecordAttributes } from 'aws-lambda';

export interface EventSource {
  readonly queueArn: string;
  readonly region: string;
}

function messageAttributes(message: Message): SQSMessageAttributes {
  return Object.fromEntries(
    Object.entries(message.MessageAttributes ?? {}).map(([name, attribute]) => [
      name,
      {
        ...(attribute.StringValue === undefined ? {} : { stringValue: attribute.StringValue }),
        ...(attribute.BinaryValue === undefined
          ? {}
          : { binaryValue: Buffer.from(attribute.BinaryValue).toString('base64') }),
        stringListValues: [],
        binaryListValues: [],
        dataType: attribute.DataType ?? 'String',
      },
    ]),
  );
}

function toRecord(message: Message, source: EventSource): SQSRecord {
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: { ...message.Attributes } as unknown as SQSRecordAttributes,
    messageAttributes: messageAttributes(message),
    ...(message.MD5OfMessageAttributes === undefined
      ? {}
      : { md5OfMessageAttributes: message.MD5OfMessageAttributes }),
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: source.queueArn,
    awsRegion: source.region,
  };
}

/** The event that Lambda would invoke the function with. */
export function toSqsEvent(messages: readonly Message[], source: EventSource): SQSEvent {
  return { Records: messages.map((message) => toRecord(message, source)) };
}

/** `failed` stay in the queue until their visibility times out; everything else of the batch is deleted. */
export type BatchVerdict =
  | { readonly kind: 'handled'; readonly failed: ReadonlySet<string> }
  /** The answer makes no sense, so that nothing of the batch counts as handled. */
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Reads the answer of a function with `ReportBatchItemFailures`. Nothing, an empty object and an empty or null
 * list mean success; a list that is not one, an identifier that is missing, empty or of no message in the batch
 * fails the whole batch.
 */
export function batchVerdict(response: unknown, messageIds: ReadonlySet<string>): BatchVerdict {
  const failed = new Set<string>();
  if (response === undefined || response === null) return { kind: 'handled', failed };
  const list = (response as { batchItemFailures?: unknown }).batchItemFailures;
  if (list === undefined || list === null) return { kind: 'handled', failed };
  if (!Array.isArray(list)) return { kind: 'refused', reason: 'batchItemFailures is not a list' };
  for (const item of list as unknown[]) {
    const id = (item as { itemIdentifier?: unknown } | null)?.itemIdentifier;
    if (typeof id !== 'string' || id === '') {
      return { kind: 'refused', reason: 'an entry of batchItemFailures has no itemIdentifier' };
    }
    if (!messageIds.has(id)) return { kind: 'refused', reason: `itemIdentifier ${id} is not in the batch` };
    failed.add(id);
  }
  return { kind: 'handled', failed };
}
