/**
 * AWS Signature Version 4 of a request without a path: in a header, with the payload signed.
 *
 * Invariant: nothing of a request that is not covered by a signature of the account's key, for this service and region and of
 * this time, has an effect.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { ApiCall } from '../core/api-server.ts';
import { SnsError } from './errors.ts';

export interface SignatureRules {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly regions: readonly string[];
  readonly now: () => number;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SERVICE = 'sns';
const SKEW_MS = 300_000;
const CREDENTIAL = /^([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/;
const TIMESTAMP = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** @throws SnsError */
export function authorize({ method, headers, body }: ApiCall, rules: SignatureRules): void {
  const header = headers.authorization;
  if (header === undefined)
    throw new SnsError('MissingAuthenticationToken', 'Request is missing Authentication Token');
  const parts = new Map(
    header
      .replace(ALGORITHM, '')
      .split(',')
      .map((part) => part.trim().split(/=(.*)/s) as [string, string]),
  );
  const [, keyId, date, region, service] = CREDENTIAL.exec(parts.get('Credential') ?? '') ?? [];
  const [names, given] = [parts.get('SignedHeaders')?.split(';'), parts.get('Signature')];
  const timestamp = headers['x-amz-date']?.toString() ?? '';
  const [, ...fields] = TIMESTAMP.exec(timestamp) ?? [];
  if (
    !header.startsWith(`${ALGORITHM} `) ||
    keyId === undefined ||
    names === undefined ||
    given === undefined
  )
    throw new SnsError(
      'IncompleteSignature',
      'Authorization header requires Credential, SignedHeaders and Signature.',
    );
  if (fields.length === 0 || !timestamp.startsWith(date ?? ''))
    throw new SnsError(
      'IncompleteSignature',
      'Authorization header requires existence of a valid X-Amz-Date header.',
    );
  if (keyId !== rules.accessKeyId)
    throw new SnsError('InvalidClientTokenId', 'The security token included in the request is invalid.');
  if (region === undefined || !rules.regions.includes(region) || service !== SERVICE)
    throw mismatch(`Credential should be scoped to a valid region and to the service '${SERVICE}'.`);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields.map(Number);
  if (Math.abs(Date.UTC(year, month - 1, day, hour, minute, second) - rules.now()) > SKEW_MS)
    throw mismatch(`Signature expired: ${timestamp} is too far from the time of the service.`);
  const unsigned = Object.keys(headers).filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !names.includes(name),
  );
  if (unsigned.length > 0) throw mismatch(`'${unsigned.join(', ')}' must be a 'SignedHeader'.`);
  const canonical = [
    ...[method, '/', ''],
    ...names.map((name) => `${name}:${(headers[name]?.toString() ?? '').trim().replaceAll(/ +/g, ' ')}`),
    ...['', names.join(';'), sha256(body)],
  ].join('\n');
  const scope = `${date ?? ''}/${region}/${SERVICE}/aws4_request`;
  const key = scope.split('/').reduce<Buffer | string>(hmac, `AWS4${rules.secretAccessKey}`);
  const expected = hmac(key, [ALGORITHM, timestamp, scope, sha256(canonical)].join('\n')).toString('hex');
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  if (a.length !== b.length || !timingSafeEqual(a, b))
    throw mismatch(
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
    );
}

const mismatch = (message: string): SnsError => new SnsError('SignatureDoesNotMatch', message);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();
