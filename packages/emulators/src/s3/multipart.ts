/**
 * Multipart uploads. Parts become the object without being moved.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html (full object and composite)
 */
import { createHash, randomBytes } from 'node:crypto';
import { digestOf, isCrc, joinedCrc } from '../core/digests.ts';
import type { Content } from '../core/object-files.ts';
import type { Element } from '../core/xml.ts';
import { attributesOf } from './attributes.ts';
import { malformedXml } from './body.ts';
import type { Bucket } from './bucket.ts';
import { type Call, type Reply, versionHeader } from './call.ts';
import {
  type Algorithm,
  algorithmNamed,
  announcedIn,
  type Checksum,
  checksumElements,
  type ChecksumType,
  DEFAULT_ALGORITHM,
  digestNameOf,
  elementOf,
  valueOf,
} from './checksums.ts';
import { checkWrite, writeConditionIn } from './conditions.ts';
import { copiedRange } from './copies.ts';
import { S3Error } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { ObjectVersion, Part, Upload } from './model.ts';
import { checkKey, partNumberIn, received, tooLarge } from './objects.ts';
import { childrenOf, document, textIn } from './xml.ts';

export function createUpload(call: Call): Reply {
  const { request, store, key, now } = call;
  const { headers } = request;
  const bucket = call.bucket();
  checkKey(key);
  const chosen = headers['x-amz-checksum-algorithm'];
  const algorithm = chosen === undefined ? DEFAULT_ALGORITHM : algorithmNamed(chosen);
  const checksumType = checksumTypeIn(headers['x-amz-checksum-type'], algorithm, chosen !== undefined);
  const id = randomBytes(48).toString('base64url');
  const isChosen = chosen !== undefined;
  store.startUpload(bucket, {
    ...attributesOf(call, bucket),
    id,
    key,
    at: now,
    algorithm,
    checksumType,
    isChosen,
  });
  return {
    status: 200,
    headers: {
      'x-amz-server-side-encryption': 'AES256',
      ...(isChosen && { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': checksumType }),
    },
    text: document('InitiateMultipartUploadResult', { Bucket: bucket.name, Key: key, UploadId: id }),
  };
}

/** Which algorithm can cover the whole, and which only its parts. @throws S3Error */
function checksumTypeIn(text: string | undefined, algorithm: Algorithm, isChosen: boolean): ChecksumType {
  const isCrcLike = isCrc(digestNameOf(algorithm));
  const standard = algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE';
  if (text === undefined) return standard;
  if (!isChosen)
    throw new S3Error(
      'InvalidRequest',
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    );
  if (text !== 'FULL_OBJECT' && text !== 'COMPOSITE')
    throw new S3Error('InvalidRequest', 'Value for x-amz-checksum-type header is invalid.');
  if ((text === 'FULL_OBJECT' && !isCrcLike) || (text === 'COMPOSITE' && algorithm === 'CRC64NVME'))
    throw new S3Error(
      'InvalidRequest',
      `The ${text} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  return text;
}

/** @throws S3Error NoSuchUpload: also of one that was completed or aborted. */
export function uploadFor(bucket: Bucket, { request, key }: Call): Upload {
  const id = request.query.get('uploadId') ?? '';
  const upload = bucket.uploads.get(id);
  if (upload?.key === key) return upload;
  throw new S3Error(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { elements: { UploadId: id } },
  );
}

export async function uploadPart(call: Call): Promise<Reply> {
  const { request, store, now } = call;
  const bucket = call.bucket();
  const number = partNumberIn(request.query.get('partNumber'));
  const { id, algorithm, checksumType, isChosen } = uploadFor(bucket, call);
  const announced = announcedIn(request, call.payload);
  const given = announced.algorithm;
  // A composite checksum is that of the clients' checksums: each part must bring one.
  const isWrong =
    given === undefined ? isChosen && checksumType === 'COMPOSITE' : !isChosen || given !== algorithm;
  if (isWrong)
    throw new S3Error(
      'InvalidRequest',
      `Checksum Type mismatch occurred, expected checksum Type: ${isChosen ? algorithm.toLowerCase() : 'null'}, actual checksum Type: ${given?.toLowerCase() ?? 'null'}`,
    );
  const body = call.body();
  if (body.bytes > LIMITS.putBytesMax) throw tooLarge(body.bytes);
  const { content, digests } = await received(call, body, { announced, algorithm });
  try {
    uploadFor(call.bucket(), call);
    const etag = digests.md5?.toString('hex') ?? '';
    const checksum = valueOf(digests, algorithm);
    store.putPart(bucket, id, { number, at: now, etag, bytes: body.bytes, content, checksum });
    return {
      status: 200,
      headers: {
        etag: `"${etag}"`,
        'x-amz-server-side-encryption': 'AES256',
        ...(isChosen && { [`x-amz-checksum-${algorithm.toLowerCase()}`]: checksum }),
      },
    };
  } finally {
    store.files.release(content);
  }
}

export async function uploadPartCopy(call: Call): Promise<Reply> {
  const { request, store, now } = call;
  const bucket = call.bucket();
  const number = partNumberIn(request.query.get('partNumber'));
  const { id, algorithm, isChosen } = uploadFor(bucket, call);
  const { content, range, headers } = copiedRange(call);
  try {
    const digests = await store.files.digest(content, ['md5', digestNameOf(algorithm)]);
    uploadFor(call.bucket(), call);
    const etag = digests.md5?.toString('hex') ?? '';
    const checksum = valueOf(digests, algorithm);
    store.putPart(bucket, id, { number, at: now, etag, bytes: range.bytes, content, checksum });
    const text = document('CopyPartResult', {
      LastModified: new Date(now).toISOString(),
      ETag: `"${etag}"`,
      ...(isChosen && { [elementOf(algorithm)]: checksum }),
    });
    return { status: 200, headers: { ...headers, 'x-amz-server-side-encryption': 'AES256' }, text };
  } finally {
    store.files.release(content);
  }
}

export async function completeUpload(call: Call): Promise<Reply> {
  const { request, store, key, now } = call;
  const { headers } = request;
  const bucket = call.bucket();
  const condition = writeConditionIn(headers);
  const watch = bucket.watch(key);
  try {
    const elements = childrenOf(await bodyXml(call), 'Part');
    const before = completedBefore(bucket, call, elements);
    if (before !== undefined) return completed(call, bucket, before);
    const upload = uploadFor(call.bucket(), call);
    const parts = elements.map((part) => chosenPart(upload, part));
    checkOrder(parts);
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const checksum = await wholeChecksum(upload, parts);
    checkExpected(headers, upload, { checksum, bytes });
    const content: Content = parts.flatMap((part) => part.content);
    uploadFor(call.bucket(), call);
    checkWrite(condition, { bucket, key, watch });
    const { headers: kept, metadata, tags, storageClass, retention, isHeld, isChosen } = upload;
    const version: ObjectVersion = {
      ...{ headers: kept, metadata, tags, storageClass, retention, isHeld },
      kind: 'object',
      versionId: store.newVersionId(bucket),
      at: now,
      etag: etagOfParts(parts.map(({ etag }) => etag)),
      bytes,
      content,
      checksum,
      parts: parts.map((part) => ({ bytes: part.bytes, ...(isChosen && { checksum: part.checksum }) })),
      uploadId: upload.id,
    };
    const notify = call.notify(bucket, { ...version, name: 'ObjectCreated:CompleteMultipartUpload', key });
    store.put(bucket, key, version, { upload: upload.id, notify });
    return completed(call, bucket, version);
  } finally {
    watch.end();
  }
}

/**
 * A completion that is sent again has the answer of the first, as long as its object is there: tried with the service in
 * https://github.com/adobe/S3Mock/issues/2586
 */
function completedBefore(
  bucket: Bucket,
  { request, key }: Call,
  elements: readonly Element[],
): ObjectVersion | undefined {
  const id = request.query.get('uploadId');
  const etag = etagOfParts(elements.map((part) => textIn(part, 'ETag')?.replaceAll('"', '') ?? ''));
  return bucket
    .versions(key)
    .filter((version) => version.kind === 'object')
    .find((version) => version.uploadId === id && version.etag === etag);
}

function completed({ request, key }: Call, bucket: Bucket, version: ObjectVersion): Reply {
  return {
    status: 200,
    headers: { ...versionHeader(bucket, version.versionId), 'x-amz-server-side-encryption': 'AES256' },
    text: document('CompleteMultipartUploadResult', {
      Location: `http://${request.headers['host'] ?? ''}/${bucket.name}/${key}`,
      Bucket: bucket.name,
      Key: key,
      ETag: `"${version.etag}"`,
      ...checksumElements(version.checksum),
    }),
  };
}

/** The checksum headers of a completion are about the object, not about this XML. */
async function bodyXml(call: Call): Promise<Element> {
  const { request } = call;
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => !/^x-amz-(sdk-)?checksum-/.test(name)),
  );
  return await call.withHeaders(headers).xml('CompleteMultipartUpload');
}

/** @throws S3Error InvalidPart when it is not there, or not the one that is meant. */
function chosenPart(upload: Upload, element: Element): Part {
  const number = Number(textIn(element, 'PartNumber'));
  const part = upload.parts.get(number);
  const etag = textIn(element, 'ETag')?.replaceAll('"', '');
  const checksum = textIn(element, elementOf(upload.algorithm));
  if (part === undefined || etag !== part.etag || (checksum ?? part.checksum) !== part.checksum)
    throw new S3Error(
      'InvalidPart',
      "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      { elements: { UploadId: upload.id, PartNumber: number, ETag: etag ?? '' } },
    );
  if (checksum === undefined && upload.isChosen && upload.checksumType === 'COMPOSITE')
    throw new S3Error(
      'InvalidRequest',
      `The upload was created using a ${upload.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
    );
  return part;
}

/** @throws S3Error MalformedXML, InvalidPartOrder, EntityTooSmall */
function checkOrder(parts: readonly Part[]): void {
  if (parts.length === 0 || parts.length > LIMITS.partNumberMax) throw malformedXml();
  parts.forEach((part, index) => {
    const next = parts[index + 1];
    if (next === undefined) return;
    if (next.number <= part.number)
      throw new S3Error(
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
      );
    if (part.bytes < LIMITS.partBytesMin)
      throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
        elements: {
          ...{ ProposedSize: part.bytes, MinSizeAllowed: LIMITS.partBytesMin },
          ...{ PartNumber: part.number, ETag: part.etag },
        },
      });
  });
}

async function wholeChecksum({ algorithm, checksumType }: Upload, parts: readonly Part[]): Promise<Checksum> {
  const name = digestNameOf(algorithm);
  const digests = parts.map(({ checksum, bytes }) => ({ crc: Buffer.from(checksum, 'base64'), bytes }));
  if (checksumType === 'FULL_OBJECT' && isCrc(name))
    return { algorithm, type: checksumType, value: joinedCrc(name, digests).toString('base64') };
  const ofDigests = await digestOf(name, Buffer.concat(digests.map(({ crc }) => crc)));
  return { algorithm, type: 'COMPOSITE', value: `${ofDigests.toString('base64')}-${parts.length}` };
}

/** What the client says of the whole. @throws S3Error */
function checkExpected(
  headers: Readonly<Record<string, string>>,
  { algorithm, checksumType }: Upload,
  { checksum, bytes }: { readonly checksum: Checksum; readonly bytes: number },
): void {
  const type = headers['x-amz-checksum-type'];
  if (type !== undefined && type !== checksumType)
    throw new S3Error(
      'InvalidRequest',
      `The upload was created using the ${checksumType} checksum mode. The complete request must use the same checksum mode.`,
    );
  const size = headers['x-amz-mp-object-size'];
  if (size !== undefined && Number(size) !== bytes)
    throw new S3Error(
      'InvalidRequest',
      'The provided x-amz-mp-object-size header does not match what was computed.',
    );
  const given = headers[`x-amz-checksum-${algorithm.toLowerCase()}`];
  if (given !== undefined && given !== checksum.value)
    throw new S3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
  if (bytes > LIMITS.objectBytesMax)
    throw new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed object size.');
}

/** The MD5 of their MD5s, and how many they are. */
function etagOfParts(etags: readonly string[]): string {
  const hash = createHash('md5');
  for (const etag of etags) hash.update(etag, 'hex');
  return `${hash.digest('hex')}-${etags.length}`;
}

export function abortUpload(call: Call): Reply {
  const bucket = call.bucket();
  call.store.abortUpload(bucket, uploadFor(bucket, call).id);
  return { status: 204 };
}
