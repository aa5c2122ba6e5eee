/**
 * Event notifications of a bucket: which events go to which queue, and what they look like.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
 */
import { randomUUID } from 'node:crypto';
import type { Element } from '../core/xml.ts';
import type { Notification } from './model.ts';
import { childOf, textIn } from './xml.ts';

export type EventName =
  | 'ObjectCreated:Put'
  | 'ObjectCreated:Copy'
  | 'ObjectCreated:CompleteMultipartUpload'
  | 'ObjectRemoved:Delete'
  | 'ObjectRemoved:DeleteMarkerCreated';

/** What a rule may name. */
export const EVENTS: readonly string[] = [
  's3:ObjectCreated:*',
  's3:ObjectCreated:Put',
  's3:ObjectCreated:Post',
  's3:ObjectCreated:Copy',
  's3:ObjectCreated:CompleteMultipartUpload',
  's3:ObjectRemoved:*',
  's3:ObjectRemoved:Delete',
  's3:ObjectRemoved:DeleteMarkerCreated',
];

export interface QueueRule {
  readonly id: string;
  readonly queueArn: string;
  /** `s3:ObjectCreated:*` */
  readonly events: readonly string[];
  readonly prefix: string;
  readonly suffix: string;
}

/** @param root NotificationConfiguration */
export function queueRulesIn(root: Element): QueueRule[] {
  return root.children
    .filter(({ name }) => name === 'QueueConfiguration')
    .map((rule) => {
      const filters = childOf(childOf(rule, 'Filter'), 'S3Key')?.children ?? [];
      const filter = (wanted: string): string => {
        const found = filters.find((one) => textIn(one, 'Name')?.toLowerCase() === wanted);
        return childOf(found, 'Value')?.text ?? '';
      };
      return {
        id: textIn(rule, 'Id') ?? '',
        queueArn: textIn(rule, 'Queue') ?? '',
        events: rule.children.filter(({ name }) => name === 'Event').map(({ text }) => text.trim()),
        prefix: filter('prefix'),
        suffix: filter('suffix'),
      };
    });
}

export interface ObjectEvent {
  readonly name: EventName;
  readonly key: string;
  /** Of what was created. */
  readonly bytes?: number | undefined;
  readonly etag?: string | undefined;
  /** Undefined while versioning was never enabled. */
  readonly versionId: string | undefined;
}

export interface EventContext {
  readonly bucket: string;
  readonly region: string;
  readonly requestId: string;
  readonly sourceAddress: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly sequencer: string;
}

/** One message for each rule that wants the event. */
export function notificationsOf(
  rules: readonly QueueRule[],
  event: ObjectEvent,
  context: () => EventContext,
): Notification[] {
  const wanting = rules.filter(
    ({ events, prefix, suffix }) =>
      events.some((pattern) => isMatch(pattern, event.name)) &&
      event.key.startsWith(prefix) &&
      event.key.endsWith(suffix),
  );
  if (wanting.length === 0) return [];
  const shared = context();
  return wanting.map(({ id, queueArn }) => ({
    id: randomUUID(),
    queueArn,
    body: JSON.stringify({ Records: [recordOf(event, shared, id)] }),
  }));
}

function isMatch(pattern: string, name: EventName): boolean {
  return pattern.endsWith('*') ? `s3:${name}`.startsWith(pattern.slice(0, -1)) : `s3:${name}` === pattern;
}

/** The key is encoded as in a form: spaces are plus signs. */
const formEncoded = (key: string): string =>
  new URLSearchParams([['', key]]).toString().slice(1).replaceAll('%2F', '/');

function recordOf(
  { name, key, bytes, etag, versionId }: ObjectEvent,
  { bucket, region, requestId, sourceAddress, at, sequencer }: EventContext,
  configurationId: string,
): object {
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: region,
    eventTime: new Date(at).toISOString(),
    eventName: name,
    userIdentity: { principalId: 'AWS:LOCAL' },
    requestParameters: { sourceIPAddress: sourceAddress },
    responseElements: { 'x-amz-request-id': requestId, 'x-amz-id-2': requestId },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId,
      bucket: { name: bucket, ownerIdentity: { principalId: 'LOCAL' }, arn: `arn:aws:s3:::${bucket}` },
      object: {
        key: formEncoded(key),
        ...(bytes !== undefined && { size: bytes }),
        ...(etag !== undefined && { eTag: etag }),
        ...(versionId !== undefined && { versionId }),
        sequencer,
      },
    },
  };
}

/** What is sent when a rule is made, so that its queue is known to be there. */
export function testEvent(bucket: string, requestId: string, at: number): string {
  return JSON.stringify({
    Service: 'Amazon S3',
    Event: 's3:TestEvent',
    Time: new Date(at).toISOString(),
    Bucket: bucket,
    RequestId: requestId,
    HostId: requestId,
  });
}
