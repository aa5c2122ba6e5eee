/**
 * What all services that check AWS Signature Version 4 in a header do alike. What each refuses, and by which words, is its own.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export const ALGORITHM = 'AWS4-HMAC-SHA256';

/** What a key is good for: a day (`20130524`), a region and a service. */
export interface Scope {
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** `Credential`, `SignedHeaders` and `Signature` of an `Authorization` header that begins with the algorithm. */
export function partsOf(header: string): ReadonlyMap<string, string> {
  return new Map(
    header
      .slice(ALGORITHM.length)
      .split(',')
      .map((part) => part.trim().split(/=(.*)/s) as [string, string]),
  );
}

/** `20130524T000000Z`, as epoch milliseconds. */
export function timeOf(timestamp: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Host and all of `x-amz-…` must be signed, or a header could be added on the way. */
export function unsignedHeaders(
  headers: Readonly<Record<string, unknown>>,
  signed: readonly string[],
): readonly string[] {
  return Object.keys(headers).filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !signed.includes(name),
  );
}

/** A line of the canonical request. */
export function canonicalHeader(name: string, value: string): string {
  return `${name}:${value.trim().replaceAll(/ +/g, ' ')}\n`;
}

export function scopeText({ date, region, service }: Scope): string {
  return `${date}/${region}/${service}/aws4_request`;
}

export function signingKey(secret: string, scope: Scope): Buffer {
  return scopeText(scope).split('/').reduce<Buffer | string>(hmac, `AWS4${secret}`) as Buffer;
}

/** @param canonical The canonical request. */
export function stringToSign(timestamp: string, scope: Scope, canonical: string): string {
  return [ALGORITHM, timestamp, scopeText(scope), sha256(canonical)].join('\n');
}

export function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** In a time that says nothing of where they differ. */
export function isSame(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
