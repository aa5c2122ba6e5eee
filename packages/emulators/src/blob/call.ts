/**
 * A request, taken apart: whom it concerns, and what it wants.
 *
 * Invariant: a name is what the client meant, to the byte: the path is decoded once, and never normalised (a name may have
 * `.` and `..` and empty segments, which a URL parser would resolve).
 */
import type { IncomingMessage } from 'node:http';
import { badHeader, BlobError } from './errors.ts';
import { isVersion } from './service-versions.ts';

/**
 * Of names, as published.
 * @see https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
 */
const CONTAINER = /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/;
const SPECIAL_CONTAINERS = new Set(['$root', '$web', '$logs']);
const NAME_CHARS_MAX = 1_024;
const SEGMENTS_MAX = 254;
/** Control characters are not allowed, encoded or not. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

export interface Call {
  readonly method: string;
  readonly account: string;
  /** Empty: about the account. */
  readonly container: string;
  /** Empty: about the container. */
  readonly blob: string;
  readonly query: URLSearchParams;
  /** As it was sent, for signatures. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Name and value, in the case that they were sent in. */
  readonly rawHeaders: readonly (readonly [string, string])[];
  /** Of the account, as the client reaches it: `http://127.0.0.1:10000/local`. */
  readonly base: string;
  /** Address of the client. */
  readonly address: string;
  readonly request: IncomingMessage;
}

/** @throws BlobError */
export function readCall(request: IncomingMessage): Call {
  const { method = 'GET', url = '/', socket } = request;
  const [path, search] = split(url, '?');
  const [, account = '', container = '', ...rest] = path.split('/').map(decoded);
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  const call = {
    method,
    account,
    container,
    blob: rest.join('/'),
    query: new URLSearchParams(search),
    path,
    headers,
    rawHeaders: pairs(request.rawHeaders),
    base: `http://${headers['host'] ?? ''}/${account}`,
    address: (socket.remoteAddress ?? '').replace('::ffff:', ''),
    request,
  };
  checkNames(call);
  return call;
}

function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new BlobError('InvalidUri');
  }
}

function pairs(raw: readonly string[]): (readonly [string, string])[] {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1] ?? ''] as const] : []));
}

function checkNames({ container, blob }: Pick<Call, 'container' | 'blob'>): void {
  if (container !== '' && !CONTAINER.test(container) && !SPECIAL_CONTAINERS.has(container))
    throw new BlobError('InvalidResourceName');
  if (blob.length > NAME_CHARS_MAX || blob.split('/').length > SEGMENTS_MAX || CONTROL.test(blob))
    throw new BlobError('InvalidResourceName');
}

/** A header that may be absent, or empty, which means the same. */
export function header({ headers }: Pick<Call, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return value === '' ? undefined : value;
}

/** @throws BlobError when it is missing. */
export function neededHeader(call: Call, name: string): string {
  const value = header(call, name);
  if (value === undefined) throw badHeader(name, undefined);
  return value;
}

/** @throws BlobError when it is neither absent nor true or false. */
export function flagHeader(call: Call, name: string): boolean {
  const value = header(call, name)?.toLowerCase();
  if (value !== undefined && value !== 'true' && value !== 'false') throw badHeader(name, value);
  return value === 'true';
}

/** Epoch milliseconds. @throws BlobError when it is no date. */
export function dateHeader(call: Call, name: string): number | undefined {
  const value = header(call, name);
  if (value === undefined) return undefined;
  const atMs = Date.parse(value);
  if (Number.isNaN(atMs)) throw badHeader(name, value);
  return atMs;
}

/** What `x-ms-version` names; undefined when it is absent. @throws BlobError for one that there is not. */
export function versionOf(call: Call): string | undefined {
  const version = header(call, 'x-ms-version');
  if (version !== undefined && !isVersion(version)) throw badHeader('x-ms-version', version);
  return version;
}

/** RFC 1123, as in every date of an answer. */
export const httpDate = (atMs: number): string => new Date(atMs).toUTCString();
