/**
 * ListObjectsV2, ListObjectVersions, ListMultipartUploads, ListParts and ListBuckets.
 *
 * Invariant: names come in the order of their UTF-8 bytes, and a list that is continued neither repeats one nor leaves one
 * out that was there all the time.
 */
import { compareNames } from '../core/sorted-names.ts';
import { toXml } from '../core/xml.ts';
import type { Bucket } from './bucket.ts';
import type { Call, Reply } from './call.ts';
import { elementOf } from './checksums.ts';
import { S3Error } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { Upload, Version } from './model.ts';
import { uploadFor } from './multipart.ts';
import { pathEncoded } from './request.ts';
import { document } from './xml.ts';

export const OWNER = { ID: '0'.repeat(64), DisplayName: 'local' };
/** After every name that begins with a prefix. */
const LAST = '\u{10ffff}';

interface Window {
  readonly prefix: string;
  readonly delimiter: string;
  /** Names after this one; a common prefix counts as a name. */
  readonly after: string;
}

type Listed = { readonly key: string } | { readonly prefix: string };

/** Keys and common prefixes in order. @param keysFrom All names from one on. */
function* listed(
  keysFrom: (name: string) => Iterable<string>,
  { prefix, delimiter, after }: Window,
): Generator<Listed> {
  let from = compareNames(after, prefix) > 0 ? after : prefix;
  for (;;) {
    let jump: string | undefined;
    for (const key of keysFrom(from)) {
      if (!key.startsWith(prefix)) {
        if (compareNames(key, prefix) > 0) return;
        continue;
      }
      const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
      if (end < 0) {
        if (compareNames(key, after) > 0 || after === '') yield { key };
        continue;
      }
      const common = key.slice(0, end + delimiter.length);
      if (common !== after) yield { prefix: common };
      jump = common + LAST;
      break;
    }
    if (jump === undefined) return;
    from = jump;
  }
}

/** @throws S3Error */
function countIn(query: ReadonlyMap<string, string>, name: string, max: number): number {
  const text = query.get(name);
  if (text === undefined) return max;
  if (!/^\d{1,9}$/.test(text))
    throw new S3Error('InvalidArgument', `Argument ${name} must be an integer between 0 and 2147483647`, {
      elements: { ArgumentName: name, ArgumentValue: text },
    });
  return Math.min(Number(text), max);
}

/** How names are written. @throws S3Error */
function encoderIn(query: ReadonlyMap<string, string>): (name: string) => string {
  const type = query.get('encoding-type');
  if (type === undefined) return (name) => name;
  if (type === 'url') return pathEncoded;
  throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request', {
    elements: { ArgumentName: 'encoding-type', ArgumentValue: type },
  });
}

/** Opaque for clients. */
const tokenOf = (name: string): string => Buffer.from(`1${name}`).toString('base64url');

function nameInToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString();
  if (text.startsWith('1') && tokenOf(text.slice(1)) === token) return text.slice(1);
  throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect', {
    elements: { ArgumentName: 'continuation-token' },
  });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export function listObjects(call: Call): Reply {
  const { query } = call.request;
  const bucket = call.bucket();
  const encoded = encoderIn(query);
  const max = countIn(query, 'max-keys', LIMITS.listMax);
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? ''];
  const [token, startAfter] = [query.get('continuation-token'), query.get('start-after')];
  const after = token === undefined ? (startAfter ?? '') : nameInToken(token);
  const [contents, prefixes]: [object[], object[]] = [[], []];
  let last: string | undefined;
  let isTruncated = false;
  for (const entry of listed((name) => currentKeys(bucket, name), { prefix, delimiter, after })) {
    if (contents.length + prefixes.length >= max) {
      isTruncated = max > 0;
      break;
    }
    if ('prefix' in entry) prefixes.push({ Prefix: encoded(entry.prefix) });
    else
      contents.push(contentOf(bucket, entry.key, { encoded, hasOwner: query.get('fetch-owner') === 'true' }));
    last = 'prefix' in entry ? entry.prefix : entry.key;
  }
  return {
    status: 200,
    text: document('ListBucketResult', {
      Name: bucket.name,
      Prefix: encoded(prefix),
      ...(startAfter !== undefined && { StartAfter: encoded(startAfter) }),
      ...(token !== undefined && { ContinuationToken: token }),
      ...(isTruncated && last !== undefined && { NextContinuationToken: tokenOf(last) }),
      KeyCount: contents.length + prefixes.length,
      MaxKeys: max,
      ...(delimiter !== '' && { Delimiter: encoded(delimiter) }),
      ...(query.has('encoding-type') && { EncodingType: 'url' }),
      IsTruncated: isTruncated,
      Contents: contents,
      CommonPrefixes: prefixes,
    }),
  };
}

function* currentKeys(bucket: Bucket, from: string): Generator<string> {
  for (const key of bucket.keys.from(from)) if (bucket.versions(key)[0]?.kind === 'object') yield key;
}

interface Written {
  readonly encoded: (name: string) => string;
  readonly hasOwner: boolean;
}

function contentOf(bucket: Bucket, key: string, { encoded, hasOwner }: Written): object {
  const [version] = bucket.versions(key);
  return { Key: encoded(key), ...(version && described(version)), ...(hasOwner && { Owner: OWNER }) };
}

function described(version: Version): object {
  const LastModified = new Date(version.at).toISOString();
  if (version.kind === 'marker') return { LastModified };
  return {
    LastModified,
    ETag: `"${version.etag}"`,
    ChecksumAlgorithm: version.checksum.algorithm,
    ChecksumType: version.checksum.type,
    Size: version.bytes,
    StorageClass: version.storageClass,
  };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html */
export function listVersions(call: Call): Reply {
  const { query } = call.request;
  const bucket = call.bucket();
  const encoded = encoderIn(query);
  const max = countIn(query, 'max-keys', LIMITS.listMax);
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? ''];
  const [keyMarker, versionMarker] = [query.get('key-marker') ?? '', query.get('version-id-marker')];
  const [versions, prefixes]: [string[], object[]] = [[], []];
  let last: { readonly name: string; readonly versionId?: string } | undefined;
  let isTruncated = false;
  const found: (Listed & { readonly version?: Version })[] = [];
  if (versionMarker !== undefined && bucket.versions(keyMarker).length > 0) {
    const all = bucket.versions(keyMarker);
    const at = all.findIndex(({ versionId }) => versionId === versionMarker);
    found.push(...all.slice(at + 1).map((version) => ({ key: keyMarker, version })));
  }
  const rest = listed((name) => bucket.keys.from(name), { prefix, delimiter, after: keyMarker });
  const entries = function* (): Generator<Listed & { readonly version?: Version }> {
    yield* found;
    for (const entry of rest) {
      if ('prefix' in entry) yield entry;
      else for (const version of bucket.versions(entry.key)) yield { ...entry, version };
    }
  };
  for (const entry of entries()) {
    if (versions.length + prefixes.length >= max) {
      isTruncated = max > 0;
      break;
    }
    if ('prefix' in entry) prefixes.push({ Prefix: encoded(entry.prefix) });
    else if (entry.version) versions.push(versionXml(bucket, entry.key, entry.version, encoded));
    last =
      'prefix' in entry
        ? { name: entry.prefix }
        : { name: entry.key, ...(entry.version && { versionId: entry.version.versionId }) };
  }
  const text = document('ListVersionsResult', {
    Name: bucket.name,
    Prefix: encoded(prefix),
    KeyMarker: encoded(keyMarker),
    ...(versionMarker !== undefined && { VersionIdMarker: versionMarker }),
    ...(isTruncated &&
      last && {
        NextKeyMarker: encoded(last.name),
        ...(last.versionId !== undefined && { NextVersionIdMarker: last.versionId }),
      }),
    MaxKeys: max,
    ...(delimiter !== '' && { Delimiter: encoded(delimiter) }),
    ...(query.has('encoding-type') && { EncodingType: 'url' }),
    IsTruncated: isTruncated,
    CommonPrefixes: prefixes,
  });
  // Versions and markers are mixed, in their order.
  return {
    status: 200,
    text: text.replace('</ListVersionsResult>', `${versions.join('')}</ListVersionsResult>`),
  };
}

function versionXml(
  bucket: Bucket,
  key: string,
  version: Version,
  encoded: (name: string) => string,
): string {
  const root = version.kind === 'marker' ? 'DeleteMarker' : 'Version';
  return toXml(root, {
    Key: encoded(key),
    VersionId: version.versionId,
    IsLatest: bucket.versions(key)[0] === version,
    ...described(version),
    Owner: OWNER,
  });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export function listUploads(call: Call): Reply {
  const { query } = call.request;
  const bucket = call.bucket();
  const encoded = encoderIn(query);
  const max = countIn(query, 'max-uploads', LIMITS.listMax);
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? ''];
  const [keyMarker, idMarker] = [query.get('key-marker') ?? '', query.get('upload-id-marker')];
  const byKey = Map.groupBy(
    [...bucket.uploads.values()].sort((a, b) => compareNames(a.key, b.key) || a.at - b.at),
    ({ key }) => key,
  );
  const remaining = idMarker === undefined ? [] : afterId(byKey.get(keyMarker) ?? [], idMarker);
  const names = [...byKey.keys()];
  const found: (Upload | string)[] = [...remaining];
  for (const entry of listed((from) => names.filter((name) => compareNames(name, from) >= 0), {
    prefix,
    delimiter,
    after: keyMarker,
  })) {
    if ('prefix' in entry) found.push(entry.prefix);
    else found.push(...(byKey.get(entry.key) ?? []));
  }
  const page = found.slice(0, max);
  const isTruncated = max > 0 && found.length > max;
  const last = page.at(-1);
  const uploads = page.filter((one) => typeof one !== 'string');
  return {
    status: 200,
    text: document('ListMultipartUploadsResult', {
      Bucket: bucket.name,
      KeyMarker: encoded(keyMarker),
      ...(idMarker !== undefined && { UploadIdMarker: idMarker }),
      ...(isTruncated &&
        last !== undefined &&
        (typeof last === 'string'
          ? { NextKeyMarker: encoded(last) }
          : { NextKeyMarker: encoded(last.key), NextUploadIdMarker: last.id })),
      Prefix: encoded(prefix),
      ...(delimiter !== '' && { Delimiter: encoded(delimiter) }),
      ...(query.has('encoding-type') && { EncodingType: 'url' }),
      MaxUploads: max,
      IsTruncated: isTruncated,
      Upload: uploads.map((upload) => ({
        Key: encoded(upload.key),
        UploadId: upload.id,
        ...uploadElements(upload),
      })),
      CommonPrefixes: page.filter((one) => typeof one === 'string').map((one) => ({ Prefix: encoded(one) })),
    }),
  };
}

const afterId = (uploads: readonly Upload[], id: string): Upload[] =>
  uploads.slice(uploads.findIndex((upload) => upload.id === id) + 1);

function uploadElements({ at, storageClass, algorithm, checksumType, isChosen }: Upload): object {
  return {
    Initiator: OWNER,
    Owner: OWNER,
    StorageClass: storageClass,
    Initiated: new Date(at).toISOString(),
    ...(isChosen && { ChecksumAlgorithm: algorithm, ChecksumType: checksumType }),
  };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
export function listParts(call: Call): Reply {
  const { query } = call.request;
  const bucket = call.bucket();
  const upload = uploadFor(bucket, call);
  const max = countIn(query, 'max-parts', LIMITS.listMax);
  const marker = countIn(query, 'part-number-marker', LIMITS.partNumberMax);
  const after = query.has('part-number-marker') ? marker : 0;
  const parts = [...upload.parts.values()]
    .sort((a, b) => a.number - b.number)
    .filter(({ number }) => number > after);
  const page = parts.slice(0, max);
  const { Initiator, Owner, StorageClass } = uploadElements(upload) as Record<string, unknown>;
  return {
    status: 200,
    text: document('ListPartsResult', {
      Bucket: bucket.name,
      Key: encoderIn(query)(upload.key),
      UploadId: upload.id,
      Initiator,
      Owner,
      StorageClass,
      PartNumberMarker: after,
      NextPartNumberMarker: page.at(-1)?.number ?? 0,
      MaxParts: max,
      IsTruncated: parts.length > page.length,
      ...(upload.isChosen && { ChecksumAlgorithm: upload.algorithm, ChecksumType: upload.checksumType }),
      Part: page.map(({ number, at, etag, bytes, checksum }) => ({
        PartNumber: number,
        LastModified: new Date(at).toISOString(),
        ETag: `"${etag}"`,
        Size: bytes,
        ...(upload.isChosen && { [elementOf(upload.algorithm)]: checksum }),
      })),
    }),
  };
}

export function listBuckets({ store }: Call): Reply {
  const buckets = [...store.buckets.values()].sort((a, b) => compareNames(a.name, b.name));
  return {
    status: 200,
    text: document('ListAllMyBucketsResult', {
      Owner: OWNER,
      Buckets: {
        Bucket: buckets.map(({ name, at }) => ({
          Name: name,
          CreationDate: new Date(at).toISOString(),
          BucketRegion: store.region,
        })),
      },
    }),
  };
}
