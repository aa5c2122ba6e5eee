/**
 * Get Blob, Get Blob Properties, Get Blob Metadata, Get Blob Tags.
 * @see https://learn.microsoft.com/rest/api/storageservices/get-blob
 * @see https://learn.microsoft.com/rest/api/storageservices/get-blob-properties
 */
import { type ByteRange, sliced } from '../core/object-files.ts';
import { type Call, flagHeader, header, httpDate } from './call.ts';
import { checkConditions } from './conditions.ts';
import { badHeader, BlobError } from './errors.ts';
import { find, type Found } from './find.ts';
import { CHECKED_RANGE_BYTES_MAX } from './limits.ts';
import { metadataHeaders } from './metadata.ts';
import type { BlobVersion } from './model.ts';
import { isLeased } from './protection.ts';
import { contentRange, rangeOf } from './ranges.ts';
import { encoded, encodedBytes, STRUCTURED } from './structured-body.ts';
import { tagsDocument } from './tags.ts';
import type { Reply, Work } from './work.ts';

export async function getBlob(work: Work): Promise<Reply> {
  const { call, store } = work;
  const found = findReadable(work);
  const { version } = found;
  if (version.tier === 'Archive') throw new BlobError('BlobArchived');
  const range = rangeOf(call, version.bytes);
  const algorithm = checksumOf(call, range);
  const bytes = range?.bytes ?? version.bytes;
  const { contentMd5 } = version.headers;
  const ofRange =
    range === undefined
      ? { 'content-md5': contentMd5 }
      : { 'content-range': contentRange(range, version.bytes), 'x-ms-blob-content-md5': contentMd5 };
  const structured = header(call, 'x-ms-structured-body');
  if (structured !== undefined && structured !== STRUCTURED)
    throw badHeader('x-ms-structured-body', structured);
  const digested =
    algorithm === undefined || range === undefined ? {} : await rangeDigest(work, version, range, algorithm);
  const headers = {
    ...propertyHeaders(work, found),
    ...ofRange,
    ...signedAnswerHeaders(call),
    ...digested,
  };
  const pieces = begun(store.files.read(version.content, range));
  const cancel = (): Promise<unknown> => pieces.return();
  const status = range === undefined ? 200 : 206;
  if (structured === undefined) return { status, headers, body: { bytes, pieces, cancel } };
  return {
    status,
    headers: {
      ...headers,
      'x-ms-structured-body': STRUCTURED,
      'x-ms-structured-content-length': String(bytes),
    },
    body: { bytes: encodedBytes(bytes), pieces: encoded(pieces, bytes), cancel },
  };
}

interface Pieces extends AsyncIterableIterator<Buffer> {
  return(): Promise<IteratorResult<Buffer, void>>;
}

/** Begins to read at once, so that the files stay although the blob is written meanwhile. */
function begun(pieces: AsyncGenerator<Buffer, void>): Pieces {
  let first: Promise<IteratorResult<Buffer, void>> | undefined = pieces.next();
  // It is reported to whoever takes it.
  first.catch(() => undefined);
  return {
    next() {
      const next = first ?? pieces.next();
      first = undefined;
      return next;
    },
    return: () => pieces.return(undefined),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** @throws BlobError */
function findReadable(work: Work): Found {
  const found = find(work);
  const { call, store } = work;
  const given = header(call, 'x-ms-lease-id')?.toLowerCase();
  const { lease } = found.blob;
  if (given !== undefined && isLeased(lease, store.now()) && given !== lease.id)
    throw new BlobError('LeaseIdMismatchWithBlobOperation');
  checkConditions(call, found.version, 'read');
  return found;
}

/** @throws BlobError without a range, for one that is too long, and when two are asked for. */
function checksumOf(call: Call, range: ByteRange | undefined): 'md5' | 'crc64nvme' | undefined {
  const [name, other] = ['x-ms-range-get-content-md5', 'x-ms-range-get-content-crc64'].filter((one) =>
    flagHeader(call, one),
  );
  if (name === undefined) return undefined;
  if (other !== undefined) throw badHeader(other, 'true');
  if (range === undefined) throw badHeader(name, 'true');
  if (range.bytes > CHECKED_RANGE_BYTES_MAX) throw new BlobError('OutOfRangeInput', { HeaderName: name });
  return name.endsWith('md5') ? 'md5' : 'crc64nvme';
}

async function rangeDigest(
  { store }: Work,
  { content }: BlobVersion,
  range: ByteRange,
  name: 'md5' | 'crc64nvme',
): Promise<Record<string, string>> {
  // Held until the answer's own reading has begun.
  store.files.hold(content);
  const digested = store.files.digest(sliced(content, range), [name]);
  const { md5, crc64nvme } = await digested.finally(() => setImmediate(() => store.files.release(content)));
  if (md5 !== undefined) return { 'content-md5': md5.toString('base64') };
  return { 'x-ms-content-crc64': (crc64nvme ?? Buffer.alloc(0)).reverse().toString('base64') };
}

export function getProperties(work: Work): Reply {
  const found = findReadable(work);
  const { version } = found;
  const headers = {
    ...propertyHeaders(work, found),
    'content-length': String(version.bytes),
    'content-md5': version.headers.contentMd5,
    ...signedAnswerHeaders(work.call),
  };
  return { status: 200, headers };
}

export function getMetadata(work: Work): Reply {
  const { version } = findReadable(work);
  const headers = {
    ...metadataHeaders(version.metadata),
    etag: version.etag,
    'last-modified': httpDate(version.modifiedMs),
  };
  return { status: 200, headers };
}

export function getTags(work: Work): Reply {
  const { version } = findReadable(work);
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: tagsDocument(version.tags) };
}

function propertyHeaders(
  { store, rights }: Work,
  { blob, version, isCurrent }: Found,
): Record<string, string | undefined> {
  const { headers, copied, immutability, tags } = version;
  const tagCount = Object.keys(tags).length;
  const isLocked = isCurrent && isLeased(blob.lease, store.now());
  return {
    ...metadataHeaders(version.metadata),
    etag: version.etag,
    'last-modified': httpDate(version.modifiedMs),
    'x-ms-creation-time': httpDate(version.createdMs),
    'accept-ranges': 'bytes',
    'content-type': headers.contentType,
    'content-encoding': headers.contentEncoding,
    'content-language': headers.contentLanguage,
    'content-disposition': headers.contentDisposition,
    'cache-control': headers.cacheControl,
    'x-ms-blob-type': 'BlockBlob',
    'x-ms-server-encrypted': 'true',
    'x-ms-lease-state': isLocked ? 'leased' : 'available',
    'x-ms-lease-status': isLocked ? 'locked' : 'unlocked',
    'x-ms-lease-duration': isLocked ? (blob.lease?.seconds === -1 ? 'infinite' : 'fixed') : undefined,
    'x-ms-version-id': store.versioning || !isCurrent ? version.id : undefined,
    'x-ms-is-current-version': store.versioning && isCurrent ? 'true' : undefined,
    'x-ms-access-tier': version.tier ?? 'Hot',
    'x-ms-access-tier-inferred': version.tier === undefined ? 'true' : undefined,
    'x-ms-access-tier-change-time':
      version.tierChangedMs === undefined ? undefined : httpDate(version.tierChangedMs),
    'x-ms-tag-count': tagCount > 0 && rights.mayTag ? String(tagCount) : undefined,
    'x-ms-copy-id': copied?.id,
    'x-ms-copy-source': copied?.source,
    'x-ms-copy-status': copied && 'success',
    'x-ms-copy-progress': copied && `${copied.bytes}/${copied.bytes}`,
    'x-ms-copy-completion-time': copied && httpDate(copied.completedMs),
    'x-ms-immutability-policy-until-date': immutability && httpDate(immutability.untilMs),
    'x-ms-immutability-policy-mode': immutability?.mode.toLowerCase(),
    'x-ms-legal-hold': version.legalHold ? 'true' : undefined,
  };
}

/** @see https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas#specify-query-parameters-to-override-response-headers */
const OF_SIGNATURE: Readonly<Record<string, string>> = {
  rscc: 'cache-control',
  rscd: 'content-disposition',
  rsce: 'content-encoding',
  rscl: 'content-language',
  rsct: 'content-type',
};

function signedAnswerHeaders({ query }: Call): Record<string, string> {
  return Object.fromEntries(
    Object.entries(OF_SIGNATURE).flatMap(([parameter, name]) => {
      const value = query.get(parameter);
      return value === null || !query.has('sig') ? [] : [[name, value]];
    }),
  );
}
