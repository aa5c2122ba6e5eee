/**
 * What the storage of this site reports of its objects: notifications of S3, events of Event Grid. Pure. That something was
 * removed is a reason to look at the record: what the site claims may not be true any more. That something was created is
 * none: whoever has sent it says so.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 * @see https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage
 */
import { uploadOfName } from '@tandem-clouds/replication/objects/content';

type Fields = Readonly<Record<string, unknown>>;

/** The keys of the records that a report is about, none for what is no upload; undefined: it is no such report. */
export function keysOfEvent(body: string): readonly string[] | undefined {
  const parsed = parse(body);
  // Event Grid delivers one event a message to a queue; in a list is how its other receivers get them.
  const names = Array.isArray(parsed) ? all(parsed.map(namesIn)) : namesIn(parsed);
  return names && [...new Set(names.flatMap((name) => uploadOfName(name)?.key ?? []))];
}

function namesIn(event: unknown): readonly string[] | undefined {
  if (!isFields(event)) return undefined;
  // S3 sends it when the notification is set up.
  if (event['Event'] === 's3:TestEvent') return [];
  const { Records: records, subject, eventType } = event;
  if (Array.isArray(records) && records.length > 0) return all(records.map(nameInRecord));
  if (eventType === 'Microsoft.Storage.BlobCreated') return [];
  if (eventType !== 'Microsoft.Storage.BlobDeleted') return undefined;
  const [, name] =
    typeof subject === 'string'
      ? (/^\/blobServices\/default\/containers\/[^/]+\/blobs\/(.+)$/.exec(subject) ?? [])
      : [];
  return name === undefined ? undefined : [name];
}

/** A key is encoded there as in a form. */
function nameInRecord(record: unknown): readonly string[] | undefined {
  if (!isFields(record) || record['eventSource'] !== 'aws:s3') return undefined;
  const { s3, eventName } = record;
  if (typeof eventName !== 'string') return undefined;
  if (!eventName.startsWith('ObjectRemoved:')) return [];
  const object = isFields(s3) ? s3['object'] : undefined;
  const key = isFields(object) ? object['key'] : undefined;
  if (typeof key !== 'string') return undefined;
  try {
    return [decodeURIComponent(key.replaceAll('+', ' '))];
  } catch {
    return undefined;
  }
}

function all(names: readonly (readonly string[] | undefined)[]): readonly string[] | undefined {
  const known = names.filter((each) => each !== undefined);
  return known.length === names.length ? known.flat() : undefined;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
