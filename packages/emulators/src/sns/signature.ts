/**
 * AWS Signature Version 4 of a request without a path: in a header, with the payload signed.
 *
 * Invariant: nothing of a request that is not covered by a signature of the account's key, for this service and region and of
 * this time, has an effect.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import type { ApiCall } from '../core/api-server.ts';
import {
  ALGORITHM,
  canonicalHeader,
  hmac,
  isSame,
  partsOf,
  sha256,
  signingKey,
  stringToSign,
  timeOf,
  unsignedHeaders,
} from '../core/sigv4.ts';
import { SnsError } from './errors.ts';

export interface SignatureRules {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly regions: readonly string[];
  readonly now: () => number;
}

const SERVICE = 'sns';
const SKEW_MS = 300_000;
const CREDENTIAL = /^([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/;

/** @throws SnsError */
export function authorize({ method, headers, body }: ApiCall, rules: SignatureRules): void {
  const header = headers.authorization;
  if (header === undefined)
    throw new SnsError('MissingAuthenticationToken', 'Request is missing Authentication Token');
  const parts = partsOf(header);
  const [, keyId, date = '', region, service] = CREDENTIAL.exec(parts.get('Credential') ?? '') ?? [];
  const [names, given] = [parts.get('SignedHeaders')?.split(';'), parts.get('Signature')];
  const timestamp = headers['x-amz-date']?.toString() ?? '';
  const atMs = timeOf(timestamp);
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
  if (atMs === undefined || !timestamp.startsWith(date))
    throw new SnsError(
      'IncompleteSignature',
      'Authorization header requires existence of a valid X-Amz-Date header.',
    );
  if (keyId !== rules.accessKeyId)
    throw new SnsError('InvalidClientTokenId', 'The security token included in the request is invalid.');
  if (region === undefined || !rules.regions.includes(region) || service !== SERVICE)
    throw mismatch(`Credential should be scoped to a valid region and to the service '${SERVICE}'.`);
  if (Math.abs(atMs - rules.now()) > SKEW_MS)
    throw mismatch(`Signature expired: ${timestamp} is too far from the time of the service.`);
  const unsigned = unsignedHeaders(headers, names);
  if (unsigned.length > 0) throw mismatch(`'${unsigned.join(', ')}' must be a 'SignedHeader'.`);
  const canonical = [
    ...[method, '/', ''],
    names.map((name) => canonicalHeader(name, headers[name]?.toString() ?? '')).join(''),
    ...[names.join(';'), sha256(body)],
  ].join('\n');
  const scope = { date, region, service };
  const toSign = stringToSign(timestamp, scope, canonical);
  if (!isSame(hmac(signingKey(rules.secretAccessKey, scope), toSign).toString('hex'), given))
    throw mismatch(
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
    );
}

const mismatch = (message: string): SnsError => new SnsError('SignatureDoesNotMatch', message);
