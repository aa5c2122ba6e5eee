/** CopyObject and UploadPartCopy: no bytes move, but those of a checksum that is not known are read. */
import { type ByteRange, type Content, sliced } from '../core/object-files.ts';
import { keptHeaders, lockIn, metadataIn, storageClassIn, tagsInHeader } from './attributes.ts';
import type { Bucket } from './bucket.ts';
import { type Call, type Reply, versionHeader } from './call.ts';
import { type Algorithm, algorithmNamed, checksumElements, digestNameOf, valueOf } from './checksums.ts';
import { checkRead, checkWrite, writeConditionIn } from './conditions.ts';
import { S3Error } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { Attributes, ObjectVersion } from './model.ts';
import { checkKey, versionFor } from './objects.ts';
import { copyRangeIn } from './ranges.ts';
import { document } from './xml.ts';

interface Source {
  readonly bucket: Bucket;
  readonly key: string;
  readonly version: ObjectVersion;
}

/** `/bucket/key?versionId=…`, encoded. @throws S3Error */
function sourceOf({ request: { headers }, store }: Call): Source {
  const [named = '', versionId] = (headers['x-amz-copy-source'] ?? '').split('?versionId=');
  let decoded: string;
  try {
    decoded = decodeURIComponent(named);
  } catch {
    throw new S3Error(
      'InvalidArgument',
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    );
  }
  const [, name, key] = /^\/?([^/]+)\/(.+)$/s.exec(decoded) ?? [];
  if (name === undefined || key === undefined)
    throw new S3Error(
      'InvalidArgument',
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    );
  const bucket = store.bucket(name);
  const version = versionFor(bucket, key, versionId);
  checkRead(headers, version, 'x-amz-copy-source-');
  return { bucket, key, version };
}

function sourceHeader({ bucket, version }: Source): Record<string, string> {
  return bucket.versioning === undefined ? {} : { 'x-amz-copy-source-version-id': version.versionId };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export async function copyObject(call: Call): Promise<Reply> {
  const { request, store, key, now } = call;
  const { headers } = request;
  const bucket = call.bucket();
  checkKey(key);
  const source = sourceOf(call);
  if (source.version.bytes > LIMITS.putBytesMax)
    throw new S3Error(
      'InvalidRequest',
      `The specified copy source is larger than the maximum allowable size for a copy source: ${LIMITS.putBytesMax}`,
    );
  const attributes = copiedAttributes(call, bucket, source);
  const condition = writeConditionIn(headers);
  const watch = bucket.watch(key);
  const { content } = source.version;
  store.files.hold(content);
  try {
    checkWrite(condition, { bucket, key, watch });
    const wanted = headers['x-amz-checksum-algorithm'];
    const algorithm = wanted === undefined ? source.version.checksum.algorithm : algorithmNamed(wanted);
    const { etag, value } = await wholeDigests(call, source.version, algorithm);
    call.bucket();
    checkWrite(condition, { bucket, key, watch });
    const version: ObjectVersion = {
      ...attributes,
      kind: 'object',
      versionId: store.newVersionId(bucket),
      at: now,
      etag,
      bytes: source.version.bytes,
      content,
      checksum: { algorithm, value, type: 'FULL_OBJECT' },
    };
    const notify = call.notify(bucket, { ...version, name: 'ObjectCreated:Copy', key });
    store.put(bucket, key, version, { notify });
    return {
      status: 200,
      headers: {
        ...sourceHeader(source),
        ...versionHeader(bucket, version.versionId),
        'x-amz-server-side-encryption': 'AES256',
      },
      text: document('CopyObjectResult', {
        LastModified: new Date(now).toISOString(),
        ETag: `"${etag}"`,
        ...checksumElements(version.checksum),
      }),
    };
  } finally {
    store.files.release(content);
    watch.end();
  }
}

/** Those of the source, or of the request, as the directives say. @throws S3Error */
function copiedAttributes(
  { request: { headers, key }, now }: Call,
  bucket: Bucket,
  source: Source,
): Attributes {
  const [ofMetadata, ofTags] = ['x-amz-metadata-directive', 'x-amz-tagging-directive'].map((name) => {
    const directive = headers[name] ?? 'COPY';
    if (directive !== 'COPY' && directive !== 'REPLACE')
      throw new S3Error('InvalidArgument', `Unknown ${name.replace('x-amz-', '')}.`);
    return directive;
  });
  const isSame = source.bucket === bucket && source.key === key && source.version === bucket.versions(key)[0];
  if (isSame && ofMetadata === 'COPY' && headers['x-amz-storage-class'] === undefined)
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  const isReplaced = ofMetadata === 'REPLACE';
  return {
    headers: isReplaced ? keptHeaders(headers) : source.version.headers,
    metadata: isReplaced ? metadataIn(headers) : source.version.metadata,
    tags: ofTags === 'REPLACE' ? tagsInHeader(headers['x-amz-tagging']) : source.version.tags,
    storageClass: storageClassIn(headers),
    ...lockIn(headers, bucket, now),
  };
}

/** A copy is one piece: its ETag is the MD5 of the whole. What is known is not computed again. */
async function wholeDigests(
  { store }: Call,
  { content, etag, checksum, parts }: ObjectVersion,
  algorithm: Algorithm,
): Promise<{ readonly etag: string; readonly value: string }> {
  const isKnown = checksum.algorithm === algorithm && checksum.type === 'FULL_OBJECT';
  if (isKnown && parts === undefined) return { etag, value: checksum.value };
  const digests = await store.files.digest(content, ['md5', digestNameOf(algorithm)]);
  return { etag: digests.md5?.toString('hex') ?? '', value: valueOf(digests, algorithm) };
}

export interface CopiedRange {
  /** Held for the caller, who releases it. */
  readonly content: Content;
  readonly range: ByteRange;
  readonly headers: Record<string, string>;
}

/** What a part is copied from. @throws S3Error */
export function copiedRange(call: Call): CopiedRange {
  const source = sourceOf(call);
  const { bytes, content } = source.version;
  const header = call.request.headers['x-amz-copy-source-range'];
  const range = header === undefined ? { from: 0, bytes } : copyRangeIn(header, bytes);
  if (header !== undefined && bytes < LIMITS.partBytesMin)
    throw new S3Error(
      'InvalidRequest',
      'The specified copy source is not supported as a byte-range copy source',
    );
  if (range.bytes > LIMITS.putBytesMax)
    throw new S3Error(
      'InvalidRequest',
      `The specified copy source is larger than the maximum allowable size for a copy source: ${LIMITS.putBytesMax}`,
    );
  const held = sliced(content, range);
  call.store.files.hold(held);
  return { content: held, range, headers: sourceHeader(source) };
}
