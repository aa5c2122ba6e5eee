/**
 * What a client says of an object when it creates it, and what comes back with it.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
import type { Bucket } from './bucket.ts';
import type { Call } from './call.ts';
import { S3Error } from './errors.ts';
import { LIMITS } from './limits.ts';
import { retentionOf, standardRetention } from './lock.ts';
import type { Attributes, ObjectVersion } from './model.ts';

const KEPT = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];
const METADATA = 'x-amz-meta-';
export const STANDARD = 'STANDARD';
const STORAGE_CLASSES = [
  STANDARD,
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'GLACIER_IR',
  'DEEP_ARCHIVE',
];

/** @throws S3Error naming what cannot be kept. */
export function attributesOf({ request: { headers }, now }: Call, bucket: Bucket): Attributes {
  refuseUnserved(headers);
  return {
    headers: keptHeaders(headers),
    metadata: metadataIn(headers),
    tags: tagsInHeader(headers['x-amz-tagging']),
    storageClass: storageClassIn(headers),
    ...lockIn(headers, bucket, now),
  };
}

function refuseUnserved(headers: Readonly<Record<string, string>>): void {
  const encryption = headers['x-amz-server-side-encryption'] ?? 'AES256';
  if (encryption !== 'AES256' || headers['x-amz-server-side-encryption-customer-algorithm'] !== undefined)
    throw new S3Error(
      'NotImplemented',
      'Only server-side encryption with keys of S3 (AES256) is served here',
    );
  const acl = headers['x-amz-acl'] ?? 'private';
  if (!['private', 'bucket-owner-full-control'].includes(acl))
    throw new S3Error('NotImplemented', 'Access control lists are not served here');
}

export function keptHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept = KEPT.flatMap((name): [string, string][] => {
    const value = name === 'content-encoding' ? withoutFraming(headers[name]) : headers[name];
    return value === undefined || value === '' ? [] : [[name, value]];
  });
  return { 'content-type': 'binary/octet-stream', ...Object.fromEntries(kept) };
}

/** `aws-chunked` is of the request, not of the object. */
function withoutFraming(encoding: string | undefined): string | undefined {
  return encoding
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== 'aws-chunked')
    .join(',');
}

export function metadataIn(headers: Readonly<Record<string, string>>): Record<string, string> {
  const metadata = Object.entries(headers)
    .filter(([name]) => name.startsWith(METADATA))
    .map(([name, value]) => [name.slice(METADATA.length), value] as const);
  const bytes = metadata.reduce((sum, [name, value]) => sum + Buffer.byteLength(name + value), 0);
  if (bytes > LIMITS.metadataBytesMax)
    throw new S3Error('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
      elements: { Size: bytes, MaxSizeAllowed: LIMITS.metadataBytesMax },
    });
  return Object.fromEntries(metadata);
}

/** `key1=value1&key2=value2` */
export function tagsInHeader(text: string | undefined): Record<string, string> {
  return checkedTags([...new URLSearchParams(text ?? '')], LIMITS.tagsMax);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html @throws S3Error */
export function checkedTags(
  tags: readonly (readonly [string, string])[],
  tagsMax: number,
): Record<string, string> {
  if (tags.length > tagsMax) throw new S3Error('InvalidTag', `Object tags cannot be greater than ${tagsMax}`);
  if (new Set(tags.map(([key]) => key)).size < tags.length)
    throw new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key');
  for (const [key, value] of tags) {
    if (key.length === 0 || key.length > 128)
      throw new S3Error('InvalidTag', 'The TagKey you have provided is invalid');
    if (value.length > 256) throw new S3Error('InvalidTag', 'The TagValue you have provided is invalid');
  }
  return Object.fromEntries(tags);
}

export function storageClassIn(headers: Readonly<Record<string, string>>): string {
  const storageClass = headers['x-amz-storage-class'] ?? STANDARD;
  if (STORAGE_CLASSES.includes(storageClass)) return storageClass;
  throw new S3Error('InvalidStorageClass', 'The storage class you specified is not valid');
}

export function lockIn(
  headers: Readonly<Record<string, string>>,
  bucket: Bucket,
  now: number,
): Pick<Attributes, 'retention' | 'isHeld'> {
  const mode = headers['x-amz-object-lock-mode'];
  const until = headers['x-amz-object-lock-retain-until-date'];
  const hold = headers['x-amz-object-lock-legal-hold'];
  if ((mode === undefined) !== (until === undefined))
    throw new S3Error(
      'InvalidArgument',
      'x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied',
    );
  if (hold !== undefined && hold !== 'ON' && hold !== 'OFF')
    throw new S3Error('InvalidArgument', 'Legal Hold must be either of "ON" or "OFF"');
  if (bucket.lockRule === undefined && (mode ?? hold) !== undefined)
    throw new S3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration');
  const retention =
    mode === undefined ? standardRetention(bucket.lockRule, now) : retentionOf(mode, until ?? '', now);
  return { ...(retention && { retention }), ...(hold === 'ON' && { isHeld: true }) };
}

/** What a reader learns, without the checksum. */
export function attributeHeaders(version: ObjectVersion): Record<string, string> {
  const { retention, isHeld, storageClass, tags } = version;
  const tagCount = Object.keys(tags).length;
  return {
    ...version.headers,
    ...Object.fromEntries(Object.entries(version.metadata).map(([name, value]) => [METADATA + name, value])),
    etag: `"${version.etag}"`,
    'last-modified': new Date(version.at).toUTCString(),
    'accept-ranges': 'bytes',
    'x-amz-server-side-encryption': 'AES256',
    ...(storageClass !== STANDARD && { 'x-amz-storage-class': storageClass }),
    ...(tagCount > 0 && { 'x-amz-tagging-count': String(tagCount) }),
    ...(retention && {
      'x-amz-object-lock-mode': retention.mode,
      'x-amz-object-lock-retain-until-date': new Date(retention.until).toISOString(),
    }),
    ...(isHeld !== undefined && { 'x-amz-object-lock-legal-hold': isHeld ? 'ON' : 'OFF' }),
  };
}
