/** PutObject, GetObject, HeadObject, DeleteObject and DeleteObjects. */
import type { Digested } from '../core/digests.ts';
import { type Content, ContentTooLongError, sliced } from '../core/object-files.ts';
import { attributeHeaders, attributesOf } from './attributes.ts';
import type { Body } from './body.ts';
import { malformedXml } from './body.ts';
import type { Bucket } from './bucket.ts';
import { type Call, type Reply, versionHeader } from './call.ts';
import {
  type Algorithm,
  type Announced,
  announcedIn,
  checksumHeaders,
  DEFAULT_ALGORITHM,
  digestsFor,
  valueOf,
  verify,
} from './checksums.ts';
import { checkCurrent, checkRead, checkWrite, writeConditionIn } from './conditions.ts';
import { S3Error } from './errors.ts';
import { LIMITS } from './limits.ts';
import { checkRemovable } from './lock.ts';
import { type Notification, NULL_VERSION, type ObjectVersion, type Version } from './model.ts';
import { partRange, rangeIn } from './ranges.ts';
import { childrenOf, document, textIn } from './xml.ts';

export async function putObject(call: Call): Promise<Reply> {
  const { request, store, key, now } = call;
  const bucket = call.bucket();
  checkKey(key);
  const attributes = attributesOf(call, bucket);
  const condition = writeConditionIn(request.headers);
  const announced = announcedIn(request, call.payload);
  if ((attributes.retention ?? attributes.isHeld) !== undefined) needDigest(announced);
  const body = call.body();
  if (body.bytes > LIMITS.putBytesMax) throw tooLarge(body.bytes);
  const watch = bucket.watch(key);
  try {
    checkWrite(condition, { bucket, key, watch });
    const algorithm = announced.algorithm ?? DEFAULT_ALGORITHM;
    const { content, digests } = await received(call, body, { announced, algorithm });
    try {
      call.bucket();
      checkWrite(condition, { bucket, key, watch });
      const version: ObjectVersion = {
        ...attributes,
        kind: 'object',
        versionId: store.newVersionId(bucket),
        at: now,
        etag: digests.md5?.toString('hex') ?? '',
        bytes: body.bytes,
        content,
        checksum: { algorithm, value: valueOf(digests, algorithm), type: 'FULL_OBJECT' },
      };
      const notify = call.notify(bucket, { ...version, name: 'ObjectCreated:Put', key });
      store.put(bucket, key, version, { notify });
      return { status: 200, headers: writtenHeaders(bucket, version) };
    } finally {
      store.files.release(content);
    }
  } finally {
    watch.end();
  }
}

export function writtenHeaders(bucket: Bucket, version: ObjectVersion): Record<string, string> {
  return {
    etag: `"${version.etag}"`,
    ...checksumHeaders(version.checksum),
    ...versionHeader(bucket, version.versionId),
    'x-amz-server-side-encryption': 'AES256',
  };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html @throws S3Error */
export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > LIMITS.keyBytesMax)
    throw new S3Error('KeyTooLongError', 'Your key is too long', {
      elements: { Size: bytes, MaxSizeAllowed: LIMITS.keyBytesMax },
    });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html#object-lock-put-object */
function needDigest({ algorithm, md5 }: Announced): void {
  if (algorithm === undefined && md5 === undefined)
    throw new S3Error(
      'InvalidRequest',
      'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
    );
}

export function tooLarge(bytes: number): S3Error {
  return new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
    elements: { ProposedSize: bytes, MaxSizeAllowed: LIMITS.putBytesMax },
  });
}

/** Writes the body to a file, which the caller releases. @throws S3Error when it is not what was announced. */
export async function received(
  { store }: Call,
  body: Body,
  { announced, algorithm }: { readonly announced: Announced; readonly algorithm: Algorithm },
): Promise<{ readonly content: Content; readonly digests: Digested }> {
  const digests = digestsFor(announced, algorithm);
  const written = await store.files
    .write(body.content, { digests, bytesMax: body.bytes })
    .catch((error: unknown) => {
      if (!(error instanceof ContentTooLongError)) throw error;
      throw new S3Error('IncompleteBody', 'There is more content than was announced');
    });
  try {
    verify(announced, written.digests, body);
  } catch (error) {
    store.files.release(written.content);
    throw error;
  }
  return written;
}

/** The version that a request is about, which must be an object. @throws S3Error */
export function versionFor(bucket: Bucket, key: string, versionId: string | undefined): ObjectVersion {
  const version = anyVersionFor(bucket, key, versionId);
  if (version.kind === 'object') return version;
  const headers = { 'x-amz-delete-marker': 'true', ...versionHeader(bucket, version.versionId) };
  if (versionId === undefined) throw noSuchKey(key, headers);
  throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
    headers: { ...headers, allow: 'DELETE', 'last-modified': new Date(version.at).toUTCString() },
  });
}

function noSuchKey(key: string, headers: Record<string, string> = {}): S3Error {
  return new S3Error('NoSuchKey', 'The specified key does not exist.', { elements: { Key: key }, headers });
}

function anyVersionFor(bucket: Bucket, key: string, versionId: string | undefined): Version {
  const versions = bucket.versions(key);
  if (versionId === undefined) {
    const [current] = versions;
    if (current === undefined) throw noSuchKey(key);
    return current;
  }
  checkVersionId(versionId);
  const found = versions.find((version) => version.versionId === versionId);
  if (found !== undefined) return found;
  throw new S3Error('NoSuchVersion', 'The specified version does not exist.', {
    elements: { Key: key, VersionId: versionId },
  });
}

function checkVersionId(versionId: string): void {
  if (versionId === '') throw new S3Error('InvalidArgument', 'Version id cannot be the empty string');
  if (versionId !== NULL_VERSION && !/^[\w.-]{32}$/.test(versionId))
    throw new S3Error('InvalidArgument', 'Invalid version id specified', {
      elements: { ArgumentName: 'versionId', ArgumentValue: versionId },
    });
}

/** Parameters that change a header of the answer: `response-content-type`. */
const OVERRIDE = 'response-';

export function getObject(call: Call): Reply {
  const { request, store, key } = call;
  const bucket = call.bucket();
  const version = versionFor(bucket, key, request.query.get('versionId'));
  checkRead(request.headers, version);
  const partNumber = request.query.get('partNumber');
  if (partNumber !== undefined && request.headers['range'] !== undefined)
    throw new S3Error('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter');
  const range =
    partNumber === undefined
      ? rangeIn(request.headers['range'], version.bytes)
      : partRange(version, partNumberIn(partNumber));
  const overrides = request.parameters
    .filter(([name]) => name.startsWith(OVERRIDE))
    .map(([name, value]) => [name.slice(OVERRIDE.length), value] as const);
  const headers = {
    ...attributeHeaders(version),
    ...versionHeader(bucket, version.versionId),
    ...Object.fromEntries(overrides),
    ...(partNumber !== undefined && version.parts && { 'x-amz-mp-parts-count': version.parts.length }),
    ...(range && {
      'content-range': `bytes ${range.from}-${range.from + range.bytes - 1}/${version.bytes}`,
    }),
    // A checksum of the whole does not help a reader of a range.
    ...(request.headers['x-amz-checksum-mode'] === 'ENABLED' && !range && checksumHeaders(version.checksum)),
    'content-length': range?.bytes ?? version.bytes,
  };
  const isRange = range !== undefined && (partNumber === undefined || version.parts !== undefined);
  const status = isRange ? 206 : 200;
  if (request.method === 'HEAD') return { status, headers };
  const content = range === undefined ? version.content : sliced(version.content, range);
  store.files.hold(content);
  return { status, headers, content };
}

/** @throws S3Error */
export function partNumberIn(text: string | undefined): number {
  const number = /^\d{1,5}$/.test(text ?? '') ? Number(text) : 0;
  if (number >= 1 && number <= LIMITS.partNumberMax) return number;
  throw new S3Error(
    'InvalidArgument',
    `Part number must be an integer between 1 and ${LIMITS.partNumberMax}, inclusive`,
    {
      elements: { ArgumentName: 'partNumber', ArgumentValue: text ?? '' },
    },
  );
}

export function deleteObject(call: Call): Reply {
  const { request, key } = call;
  const bucket = call.bucket();
  const deleted = deleteOne(call, bucket, {
    key,
    versionId: request.query.get('versionId'),
    ifMatch: request.headers['if-match'],
  });
  return {
    status: 204,
    headers: {
      ...(deleted.isMarker && { 'x-amz-delete-marker': 'true' }),
      ...(deleted.versionId !== undefined && versionHeader(bucket, deleted.versionId)),
    },
  };
}

interface Deletion {
  readonly key: string;
  readonly versionId: string | undefined;
  readonly ifMatch: string | undefined;
}

interface Deleted {
  /** A marker was made, or removed. */
  readonly isMarker: boolean;
  readonly versionId: string | undefined;
}

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
 * @throws S3Error
 */
function deleteOne(call: Call, bucket: Bucket, { key, versionId, ifMatch }: Deletion): Deleted {
  const { store, now } = call;
  checkKey(key);
  if (ifMatch !== undefined) checkCurrent(ifMatch, bucket, key);
  if (versionId !== undefined) return removeVersion(call, bucket, { key, versionId });
  if (bucket.versioning === undefined) {
    const [current] = bucket.versions(key);
    if (current !== undefined)
      store.remove(bucket, key, current, removedEvent(call, bucket, { key, versionId: current.versionId }));
    return { isMarker: false, versionId: undefined };
  }
  const marker = { kind: 'marker', versionId: store.newVersionId(bucket), at: now } as const;
  const notify = call.notify(bucket, {
    name: 'ObjectRemoved:DeleteMarkerCreated',
    key,
    versionId: marker.versionId,
  });
  store.put(bucket, key, marker, { notify });
  return { isMarker: true, versionId: marker.versionId };
}

function removeVersion(
  call: Call,
  bucket: Bucket,
  { key, versionId }: { readonly key: string; readonly versionId: string },
): Deleted {
  checkVersionId(versionId);
  const version = bucket.versions(key).find((one) => one.versionId === versionId);
  // To remove what is not there is no mistake.
  if (version === undefined) return { isMarker: false, versionId };
  if (version.kind === 'object') checkRemovable(version, call.lockContext);
  call.store.remove(bucket, key, version, removedEvent(call, bucket, { key, versionId }));
  return { isMarker: version.kind === 'marker', versionId };
}

function removedEvent(
  call: Call,
  bucket: Bucket,
  removed: { readonly key: string; readonly versionId: string },
): Notification[] {
  return call.notify(bucket, { name: 'ObjectRemoved:Delete', ...removed });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
export async function deleteObjects(call: Call): Promise<Reply> {
  const bucket = call.bucket();
  const root = await call.xml('Delete', { isDigestNeeded: true });
  const wanted = childrenOf(root, 'Object');
  if (wanted.length === 0 || wanted.length > LIMITS.deleteMax) throw malformedXml();
  const isQuiet = textIn(root, 'Quiet') === 'true';
  const results = wanted.map((one) => {
    const key = one.children.find(({ name }) => name === 'Key')?.text ?? '';
    const [versionId, ifMatch] = [textIn(one, 'VersionId'), textIn(one, 'ETag')];
    const named = { Key: key, ...(versionId !== undefined && { VersionId: versionId }) };
    try {
      const deleted = deleteOne(call, bucket, { key, versionId, ifMatch });
      const marker = deleted.isMarker && { DeleteMarker: true, DeleteMarkerVersionId: deleted.versionId };
      return { Deleted: { ...named, ...marker } };
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      return { Error: { ...named, Code: error.code, Message: error.message } };
    }
  });
  const deleted = isQuiet ? [] : results.flatMap((result) => (result.Deleted ? [result.Deleted] : []));
  const errors = results.flatMap((result) => (result.Error ? [result.Error] : []));
  return { status: 200, text: document('DeleteResult', { Deleted: deleted, Error: errors }) };
}
