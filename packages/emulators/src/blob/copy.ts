/**
 * Content that is read from a URL: Put Blob From URL, Put Block From URL, Copy Blob From URL, Copy Blob (done at once here).
 *
 * Invariant: the source is read as anybody else reads it, with what the URL or the request brings to sign in, so nobody
 * copies what they may not read. Only sources on this machine are asked.
 * @see https://learn.microsoft.com/rest/api/storageservices/put-blob-from-url
 * @see https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url
 * @see https://learn.microsoft.com/rest/api/storageservices/copy-blob
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { hmac } from './account.ts';
import { type Call, header, neededHeader } from './call.ts';
import { badHeader, BlobError } from './errors.ts';
import { BLOCK_BYTES_MAX, PUT_BYTES_MAX, SYNC_COPY_BYTES_MAX } from './limits.ts';
import { metadataIn } from './metadata.ts';
import type { BlobHeaders } from './model.ts';
import { DEFAULT_TYPE, type Draft, headersIn, publish } from './publish.ts';
import { blockIdIn, stage, writtenHeaders } from './put.ts';
import { type Received, store as receiveFrom } from './receive.ts';
import { DEFAULT_VERSION } from './service-versions.ts';
import type { Reply, Work } from './work.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const TIMEOUT_MS = 30_000;

/** Header of the request to the source, by the header that says it here. */
const SOURCE_CONDITIONS: Readonly<Record<string, string>> = {
  'x-ms-source-if-match': 'if-match',
  'x-ms-source-if-none-match': 'if-none-match',
  'x-ms-source-if-modified-since': 'if-modified-since',
  'x-ms-source-if-unmodified-since': 'if-unmodified-since',
  'x-ms-source-if-tags': 'x-ms-if-tags',
  'x-ms-source-range': 'x-ms-range',
  'x-ms-copy-source-authorization': 'authorization',
};

export async function putBlobFromUrl(work: Work): Promise<Reply> {
  const { call } = work;
  const type = header(call, 'x-ms-blob-type');
  if (type !== 'BlockBlob') throw badHeader('x-ms-blob-type', type);
  return withSource(work, PUT_BYTES_MAX, (source, received) => {
    const { content, bytes, md5, crc64 } = received;
    const isCopied = header(call, 'x-ms-copy-source-blob-properties') !== 'false';
    const given = headersIn(call, header(call, 'x-ms-blob-content-md5') ?? md5);
    const headers = isCopied ? combined(call, given, sourceHeaders(source)) : given;
    const metadata = metadataOf(call, source, isCopied);
    const version = publish(work, { content, bytes, headers, metadata, api: 'PutBlob' });
    const checksums = { 'content-md5': md5, 'x-ms-content-crc64': crc64 };
    return { status: 201, headers: { ...writtenHeaders(work, version), ...checksums } };
  });
}

export async function putBlockFromUrl(work: Work): Promise<Reply> {
  const id = blockIdIn(work.call);
  return withSource(work, BLOCK_BYTES_MAX, (_source, received) => {
    stage(work, id, received);
    const isMd5 = header(work.call, 'x-ms-source-content-md5') !== undefined;
    const checksum = isMd5 ? { 'content-md5': received.md5 } : { 'x-ms-content-crc64': received.crc64 };
    return { status: 201, headers: { ...checksum, 'x-ms-request-server-encrypted': 'true' } };
  });
}

/** With properties and, unless others are given, metadata of the source. */
export async function copyBlob(work: Work): Promise<Reply> {
  const { call } = work;
  const isSync = header(call, 'x-ms-requires-sync') === 'true';
  return withSource(work, isSync ? SYNC_COPY_BYTES_MAX : PUT_BYTES_MAX, (source, received) => {
    const { content, bytes, md5, crc64 } = received;
    const url = new URL(neededHeader(call, 'x-ms-copy-source'));
    url.searchParams.delete('sig');
    const id = randomUUID();
    const draft: Draft = {
      content,
      bytes,
      headers: sourceHeaders(source),
      metadata: metadataOf(call, source, true),
      copied: { id, source: url.href, bytes },
      api: 'CopyBlob',
    };
    const version = publish(work, draft);
    const checksums = isSync ? { 'content-md5': md5, 'x-ms-content-crc64': crc64 } : {};
    const headers = { ...writtenHeaders(work, version), ...checksums };
    return { status: 202, headers: { ...headers, 'x-ms-copy-id': id, 'x-ms-copy-status': 'success' } };
  });
}

async function withSource(
  work: Work,
  bytesMax: number,
  use: (source: IncomingMessage, received: Received) => Reply,
): Promise<Reply> {
  const { call, store } = work;
  store.container(call.container);
  call.request.resume();
  const source = await open(work);
  const expected = {
    md5: header(call, 'x-ms-source-content-md5'),
    crc64: header(call, 'x-ms-source-content-crc64'),
  };
  const received = await receiveFrom(source, { files: store.files, bytesMax, expected });
  try {
    return use(source, received);
  } finally {
    store.files.release(received.content);
  }
}

/** The answer of the source, its body not yet read. @throws BlobError when it is none. */
async function open(work: Work): Promise<IncomingMessage> {
  const { call } = work;
  const given = neededHeader(call, 'x-ms-copy-source');
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url?.protocol !== 'http:' || !LOOPBACK.test(url.hostname)) throw badHeader('x-ms-copy-source', given);
  const conditions = Object.entries(SOURCE_CONDITIONS).flatMap(([name, to]) => {
    const value = header(call, name);
    return value === undefined ? [] : [[to, value] as const];
  });
  const signed = isOwn(work, url) ? ownSignature(work, url) : {};
  const headers = { ...signed, ...Object.fromEntries(conditions), 'x-ms-version': DEFAULT_VERSION };
  const request = http.get(given, { headers, agent: false, timeout: TIMEOUT_MS });
  request.once('timeout', () => request.destroy(new Error('the source does not answer')));
  try {
    const [source] = (await once(request, 'response')) as [IncomingMessage];
    const { statusCode = 0 } = source;
    if (statusCode === 200 || statusCode === 206) return source;
    source.resume();
    const code = String(source.headers['x-ms-error-code'] ?? '');
    throw new BlobError(
      'CannotVerifyCopySource',
      { CopySourceStatusCode: String(statusCode), CopySourceErrorCode: code },
      { status: statusCode === 304 || statusCode === 412 ? 412 : statusCode },
    );
  } catch (error) {
    throw error instanceof BlobError ? error : new BlobError('CannotVerifyCopySource');
  }
}

/** Within an account, whoever may write may have it copied: https://learn.microsoft.com/rest/api/storageservices/copy-blob#authorization */
function isOwn({ call, account, rights }: Work, url: URL): boolean {
  const hasOwnRight =
    url.searchParams.has('sig') || header(call, 'x-ms-copy-source-authorization') !== undefined;
  const isHere = url.host === call.headers['host'] && url.pathname.startsWith(`/${account.name}/`);
  return !hasOwnRight && isHere && rights.permissions === undefined && isAsync(call);
}

const isAsync = (call: Call): boolean =>
  header(call, 'x-ms-blob-type') === undefined &&
  header(call, 'x-ms-requires-sync') !== 'true' &&
  call.query.get('comp') === null;

/** By the account's key. */
function ownSignature({ account, store }: Work, url: URL): Record<string, string> {
  const date = new Date(store.now()).toUTCString();
  const parameters = [...url.searchParams].sort().map(([name, value]) => `\n${name}:${value}`);
  const text = [
    'GET',
    ...Array.from({ length: 11 }, () => ''),
    `x-ms-date:${date}`,
    `x-ms-version:${DEFAULT_VERSION}`,
    `/${account.name}${url.pathname}${parameters.join('')}`,
  ].join('\n');
  return { 'x-ms-date': date, authorization: `SharedKey ${account.name}:${hmac(account.key, text)}` };
}

function sourceHeaders({ headers }: IncomingMessage): BlobHeaders {
  const get = (name: string): string | undefined => {
    const value = headers[name];
    return value === undefined ? undefined : String(value);
  };
  return {
    contentType: get('content-type') ?? DEFAULT_TYPE,
    contentEncoding: get('content-encoding'),
    contentLanguage: get('content-language'),
    contentDisposition: get('content-disposition'),
    cacheControl: get('cache-control'),
    contentMd5: get('content-md5'),
  };
}

/** What the request says goes before what the source has. */
function combined(call: Call, given: BlobHeaders, source: BlobHeaders): BlobHeaders {
  return {
    contentType: header(call, 'x-ms-blob-content-type') ?? source.contentType,
    contentEncoding: given.contentEncoding ?? source.contentEncoding,
    contentLanguage: given.contentLanguage ?? source.contentLanguage,
    contentDisposition: given.contentDisposition ?? source.contentDisposition,
    cacheControl: given.cacheControl ?? source.cacheControl,
    contentMd5: given.contentMd5,
  };
}

function metadataOf(call: Call, { rawHeaders }: IncomingMessage, isCopied: boolean): Record<string, string> {
  const given = metadataIn(call);
  if (!isCopied || Object.keys(given).length > 0) return given;
  const pairs = rawHeaders.flatMap((name, at) =>
    at % 2 === 0 && name.toLowerCase().startsWith('x-ms-meta-')
      ? [[name.slice('x-ms-meta-'.length), rawHeaders[at + 1] ?? ''] as const]
      : [],
  );
  return Object.fromEntries(pairs);
}
