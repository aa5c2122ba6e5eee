/**
 * AWS Signature Version 4 as S3 checks it: in a header or in the query, with the payload signed, unsigned or in chunks.
 *
 * Invariant: nothing of a request that is not covered by a valid signature of a known key, for this region and of this
 * time, has an effect.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
import {
  ALGORITHM,
  canonicalHeader,
  hmac,
  isSame,
  partsOf,
  type Scope,
  scopeText,
  sha256,
  signingKey,
  stringToSign,
  timeOf,
  unsignedHeaders,
} from '../core/sigv4.ts';
import { S3Error } from './errors.ts';
import { LIMITS } from './limits.ts';
import { pathEncoded, type S3Request, uriEncoded } from './request.ts';

export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials, which are nothing without it. */
  readonly sessionToken?: string;
  /** Epoch milliseconds; without it for ever. */
  readonly expiresAt?: number;
}

export interface SignatureRules {
  readonly credentials: readonly Credential[];
  readonly region: string;
  readonly now: () => number;
}

/** How the body is covered. */
export type Payload =
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'signed'; readonly sha256: string }
  | { readonly kind: 'chunked'; readonly hasTrailer: boolean; readonly signer: ChunkSigner | undefined };

interface Claim {
  readonly accessKeyId: string;
  /** `20130524` */
  readonly date: string;
  readonly region: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20130524T000000Z` */
  readonly timestamp: string;
  readonly token: string | undefined;
  readonly payloadHash: string;
}

const UNSIGNED = 'UNSIGNED-PAYLOAD';
const EMPTY_SHA256 = sha256('');
const STREAMING = /^STREAMING-(UNSIGNED-PAYLOAD-TRAILER|AWS4-HMAC-SHA256-PAYLOAD(?:-TRAILER)?)$/;
const CREDENTIAL = /^(.+)\/(\d{8})\/([^/]*)\/([^/]*)\/([^/]*)$/;

/** Checks the signature. Returns how the body is covered. @throws S3Error */
export function authorize(request: S3Request, rules: SignatureRules): Payload {
  const isPresigned = request.query.has('X-Amz-Algorithm') || request.query.has('X-Amz-Signature');
  const header = request.headers['authorization'];
  if (isPresigned && header !== undefined)
    throw new S3Error(
      'InvalidArgument',
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header should be specified',
    );
  if (!isPresigned && header === undefined) throw new S3Error('AccessDenied', 'Access Denied');
  const claim = isPresigned ? claimInQuery(request, rules) : claimInHeader(request, header ?? '', rules);
  const secret = secretOf(claim, rules);
  refuseUnsignedHeaders(request, claim.signedHeaders);
  const scope = scopeOf(claim);
  const key = signingKey(secret, scope);
  const canonical = canonicalRequest(request, claim, isPresigned);
  const expected = hmac(key, stringToSign(claim.timestamp, scope, canonical)).toString('hex');
  if (!isSame(expected, claim.signature)) throw mismatch();
  return payloadOf(claim, key);
}

function claimInHeader(request: S3Request, header: string, rules: SignatureRules): Claim {
  if (!header.startsWith(`${ALGORITHM} `))
    throw new S3Error('InvalidArgument', 'Unsupported Authorization Type');
  const malformed = (why: string, elements = {}): S3Error =>
    new S3Error('AuthorizationHeaderMalformed', `The authorization header is malformed; ${why}`, {
      elements,
    });
  const parts = partsOf(header);
  const [, accessKeyId, date, region, service, ending] = CREDENTIAL.exec(parts.get('Credential') ?? '') ?? [];
  const [signedHeaders, signature] = [parts.get('SignedHeaders'), parts.get('Signature')];
  if (accessKeyId === undefined || signedHeaders === undefined || signature === undefined)
    throw malformed('Credential, SignedHeaders and Signature are expected.');
  const timestamp = request.headers['x-amz-date'] ?? '';
  const at = timeOf(timestamp);
  if (at === undefined)
    throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  if (region !== rules.region)
    throw malformed(`the region '${region ?? ''}' is wrong; expecting '${rules.region}'`, {
      Region: rules.region,
    });
  if (service !== 's3')
    throw malformed(`incorrect service "${service ?? ''}". This endpoint belongs to "s3".`);
  if (ending !== 'aws4_request') throw malformed('incorrect terminal; expecting "aws4_request".');
  if (Math.abs(at - rules.now()) > LIMITS.clockSkewMs) {
    const elements = { RequestTime: timestamp, ServerTime: new Date(rules.now()).toISOString() };
    throw new S3Error(
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
      { elements },
    );
  }
  if (!timestamp.startsWith(date ?? ''))
    throw malformed('Invalid credential date. This date is not the same as X-Amz-Date.');
  const payloadHash = request.headers['x-amz-content-sha256'];
  if (payloadHash === undefined)
    throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  return {
    ...{ accessKeyId, date: date ?? '', region, signature, timestamp, payloadHash },
    signedHeaders: signedHeaders.split(';'),
    token: request.headers['x-amz-security-token'],
  };
}

const QUERY_PARAMETERS = [
  'Algorithm',
  'Credential',
  'Date',
  'Expires',
  'SignedHeaders',
  'Signature',
] as const;

function claimInQuery({ query, headers }: S3Request, rules: SignatureRules): Claim {
  const wrong = (why: string): S3Error => new S3Error('AuthorizationQueryParametersError', why);
  const [algorithm, credential, timestamp, expires, signedHeaders, signature] = QUERY_PARAMETERS.map(
    (name) => {
      const value = query.get(`X-Amz-${name}`);
      if (value === undefined)
        throw wrong(
          'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
        );
      return value;
    },
  ) as [string, string, string, string, string, string];
  if (algorithm !== ALGORITHM) throw wrong(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  const [, accessKeyId, date, region, service, ending] = CREDENTIAL.exec(credential) ?? [];
  if (accessKeyId === undefined || service !== 's3' || ending !== 'aws4_request')
    throw wrong(
      'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    );
  if (region !== rules.region)
    throw wrong(
      `Error parsing the X-Amz-Credential parameter; the region '${region ?? ''}' is wrong; expecting '${rules.region}'`,
    );
  const at = timeOf(timestamp);
  if (at === undefined || !timestamp.startsWith(date ?? ''))
    throw wrong("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  if (!/^-?\d+$/.test(expires)) throw wrong('X-Amz-Expires should be a number');
  const seconds = Number(expires);
  if (seconds < 0) throw wrong('X-Amz-Expires must be non-negative');
  if (seconds > LIMITS.presignedSecondsMax)
    throw wrong(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    );
  if (at - rules.now() > LIMITS.clockSkewMs) throw new S3Error('AccessDenied', 'Request is not valid yet');
  if (rules.now() >= at + seconds * 1000) {
    const elements = {
      'X-Amz-Expires': seconds,
      Expires: new Date(at + seconds * 1000).toISOString(),
      ServerTime: new Date(rules.now()).toISOString(),
    };
    throw new S3Error('AccessDenied', 'Request has expired', { elements });
  }
  return {
    ...{ accessKeyId, date: date ?? '', region, signature, timestamp },
    signedHeaders: signedHeaders.split(';'),
    token: query.get('X-Amz-Security-Token') ?? headers['x-amz-security-token'],
    payloadHash: query.get('X-Amz-Content-Sha256') ?? headers['x-amz-content-sha256'] ?? UNSIGNED,
  };
}

function secretOf({ accessKeyId, token }: Claim, { credentials, now }: SignatureRules): string {
  const ofKey = credentials.filter((credential) => credential.accessKeyId === accessKeyId);
  const [first] = ofKey;
  // A temporary key without its token is no key at all.
  if (
    first === undefined ||
    (token === undefined && ofKey.every(({ sessionToken }) => sessionToken !== undefined))
  ) {
    const elements = { AWSAccessKeyId: accessKeyId };
    throw new S3Error(
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
      { elements },
    );
  }
  const found = ofKey.find(({ sessionToken }) => sessionToken === token);
  if (found === undefined)
    throw new S3Error('InvalidToken', 'The provided token is malformed or otherwise invalid.', {
      elements: { 'Token-0': token ?? '' },
    });
  if (found.expiresAt !== undefined && now() >= found.expiresAt)
    throw new S3Error('ExpiredToken', 'The provided token has expired.');
  return found.secretAccessKey;
}

function refuseUnsignedHeaders({ headers }: S3Request, signed: readonly string[]): void {
  const unsigned = unsignedHeaders(headers, signed);
  if (unsigned.length === 0) return;
  const elements = { HeadersNotSigned: unsigned.join(', ') };
  throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed', {
    elements,
  });
}

function canonicalRequest(request: S3Request, claim: Claim, isPresigned: boolean): string {
  const query = request.parameters
    .filter(([name]) => !(isPresigned && name === 'X-Amz-Signature'))
    .map(([name, value]) => [uriEncoded(name), uriEncoded(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const headers = claim.signedHeaders.map((name) => canonicalHeader(name, headerNamed(request, name)));
  return [
    ...[request.method, pathEncoded(request.path), query, headers.join('')],
    ...[claim.signedHeaders.join(';'), claim.payloadHash],
  ].join('\n');
}

/** Not what every object inherits: the names are the client's. */
const headerNamed = ({ headers }: S3Request, name: string): string =>
  (Object.hasOwn(headers, name) ? headers[name] : undefined) ?? '';
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const scopeOf = ({ date, region }: Claim): Scope => ({ date, region, service: 's3' });

function mismatch(): S3Error {
  return new S3Error(
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  );
}

function payloadOf(claim: Claim, key: Buffer): Payload {
  const { payloadHash } = claim;
  if (payloadHash === UNSIGNED) return { kind: 'unsigned' };
  if (/^[0-9a-f]{64}$/.test(payloadHash)) return { kind: 'signed', sha256: payloadHash };
  const [, streaming] = STREAMING.exec(payloadHash) ?? [];
  if (streaming === undefined)
    throw new S3Error(
      'InvalidArgument',
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
    );
  const signer = streaming.startsWith('UNSIGNED')
    ? undefined
    : new ChunkSigner(key, {
        timestamp: claim.timestamp,
        scope: scopeText(scopeOf(claim)),
        seed: claim.signature,
      });
  return { kind: 'chunked', hasTrailer: streaming.endsWith('-TRAILER'), signer };
}

/**
 * The chain of signatures of a body in chunks: each covers the one before, and the first that of the request.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export class ChunkSigner {
  readonly #key: Buffer;
  readonly #context: string;
  #previous: string;

  constructor(
    key: Buffer,
    { timestamp, scope, seed }: { readonly timestamp: string; readonly scope: string; readonly seed: string },
  ) {
    this.#key = key;
    this.#context = `${timestamp}\n${scope}`;
    this.#previous = seed;
  }

  /** @param digest SHA-256 of the data of the chunk, in hexadecimal. @throws S3Error */
  checkChunk(digest: string, signature: string | undefined): void {
    this.#check(['AWS4-HMAC-SHA256-PAYLOAD', this.#context, this.#previous, EMPTY_SHA256, digest], signature);
  }

  /** @param trailer `x-amz-checksum-crc32c:sOO8/Q==\n` of every trailing header. @throws S3Error */
  checkTrailer(trailer: string, signature: string | undefined): void {
    this.#check(['AWS4-HMAC-SHA256-TRAILER', this.#context, this.#previous, sha256(trailer)], signature);
  }

  #check(lines: readonly string[], signature = ''): void {
    const expected = hmac(this.#key, lines.join('\n')).toString('hex');
    if (!isSame(expected, signature)) throw mismatch();
    this.#previous = expected;
  }
}
