/**
 * Which bucket and key a request is about: path style (`/bucket/key`) and virtual-host style (`bucket.localhost`), and the
 * parts of it that a signature covers.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 */
import type { IncomingMessage } from 'node:http';
import { S3Error } from './errors.ts';

export interface S3Request {
  readonly method: string;
  /** '' for the service itself. */
  readonly bucket: string;
  /** '' for the bucket itself. */
  readonly key: string;
  /** Decoded, as it was sent. */
  readonly path: string;
  /** Decoded, in the order of the request. */
  readonly parameters: readonly (readonly [string, string])[];
  readonly query: ReadonlyMap<string, string>;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/** `bucket.localhost:1234`, `bucket.s3.localhost`, `bucket.s3.eu-west-1.localhost`: names below localhost are this machine's (RFC 6761). */
const VIRTUAL_HOST = /^(.+?)(?:\.s3(?:\.[a-z0-9-]+)?)?\.localhost(:\d+)?$/i;
const HOISTED = /^x-amz-(?!checksum-|sdk-checksum-)/;
const SERVICE_HOST = /^s3(?:\.[a-z0-9-]+)?\.localhost(:\d+)?$/i;

/** The host without the bucket in front of it, for the check that it is this machine. */
export function loopbackHost(host: string): { readonly host: string; readonly bucket: string } {
  const service = SERVICE_HOST.exec(host);
  if (service) return { host: `localhost${service[1] ?? ''}`, bucket: '' };
  const [, bucket, port = ''] = VIRTUAL_HOST.exec(host) ?? [];
  return bucket === undefined ? { host, bucket: '' } : { host: `localhost${port}`, bucket };
}

/** @throws S3Error when the address is not well formed. */
export function readRequest({ method = '', url = '/', headers }: IncomingMessage): S3Request {
  const [rawPath = '/', rawQuery = ''] = url.split(/\?(.*)/s);
  const path = decode(rawPath);
  const { bucket: inHost } = loopbackHost(headers.host ?? '');
  const [, first = '', rest = ''] = /^\/([^/]*)(?:\/(.*))?$/s.exec(path) ?? [];
  const parameters = rawQuery
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', value = ''] = part.split(/=(.*)/s);
      return [decode(name.replaceAll('+', ' ')), decode(value.replaceAll('+', ' '))] as const;
    });
  return {
    method,
    bucket: inHost === '' ? first : inHost,
    key: inHost === '' ? rest : path.slice(1),
    path,
    parameters,
    query: new Map(parameters),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(',') : (value ?? ''),
      ]),
    ),
  };
}

/**
 * A presigned address has headers of S3 in its query, which count like headers. Checksums there do not: the SDK for
 * JavaScript puts that of no body into every upload that it signs beforehand, and S3 ignores it. One that shall bind has to
 * be a signed header.
 * https://github.com/ministackorg/ministack/issues/1695
 * https://github.com/localstack/localstack/issues/12169
 */
export function withHoisted(request: S3Request): S3Request {
  if (!request.query.has('X-Amz-Signature')) return request;
  const hoisted = request.parameters.filter(([name]) => HOISTED.test(name));
  return { ...request, headers: { ...Object.fromEntries(hoisted), ...request.headers } };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidURI', "Couldn't parse the specified URI.");
  }
}

/** RFC 3986: all but letters, digits and `-._~`. */
export function uriEncoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The same, for keys in lists and paths: slashes stay. */
export const pathEncoded = (text: string): string => uriEncoded(text).replaceAll('%2F', '/');
