/**
 * Checksums of requests: what is announced in a header or a trailing header, and whether the content has it.
 *
 * Invariant: a checksum that S3 stores was computed here from the bytes; what a client says is only compared with it.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
import type { Digested, DigestName } from '../core/digests.ts';
import type { Body } from './body.ts';
import { S3Error } from './errors.ts';
import type { S3Request } from './request.ts';
import type { Payload } from './signature.ts';

export const ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

export interface Checksum {
  readonly algorithm: Algorithm;
  /** Base64; a composite one ends with `-` and the number of parts. */
  readonly value: string;
  readonly type: ChecksumType;
}

/** What S3 computes when the client names none. */
export const DEFAULT_ALGORITHM: Algorithm = 'CRC64NVME';
const PREFIX = 'x-amz-checksum-';
const OTHER_HEADERS = ['x-amz-checksum-mode', 'x-amz-checksum-algorithm', 'x-amz-checksum-type'];
const BYTES: Readonly<Record<Algorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

export const digestNameOf = (algorithm: Algorithm): DigestName => algorithm.toLowerCase() as DigestName;
const headerOf = (algorithm: Algorithm): string => PREFIX + algorithm.toLowerCase();
/** Name of the element: `ChecksumCRC32`. */
export const elementOf = (algorithm: Algorithm): string => `Checksum${algorithm}`;

/** @throws S3Error when it is none that is served. */
export function algorithmNamed(name: string): Algorithm {
  const found = ALGORITHMS.find((algorithm) => algorithm === name.toUpperCase());
  if (found !== undefined) return found;
  throw new S3Error(
    'InvalidRequest',
    `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${ALGORITHMS.join(', ')}]`,
  );
}

/** What the client announces of its content. */
export interface Announced {
  readonly algorithm: Algorithm | undefined;
  /** In a header; otherwise a trailing header has it. */
  readonly value: string | undefined;
  readonly md5: Buffer | undefined;
  readonly sha256: string | undefined;
}

/** @throws S3Error when the headers contradict each other or are malformed. */
export function announcedIn({ headers }: S3Request, payload: Payload): Announced {
  const inHeaders = Object.keys(headers).filter(
    (name) => name.startsWith(PREFIX) && !OTHER_HEADERS.includes(name),
  );
  const inTrailer = (headers['x-amz-trailer'] ?? '').split(',').map((name) => name.trim().toLowerCase());
  const names = [...inHeaders, ...inTrailer.filter((name) => name.startsWith(PREFIX))];
  const [name] = names;
  if (names.length > 1)
    throw new S3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  const sdkAlgorithm = headers['x-amz-sdk-checksum-algorithm'];
  if (sdkAlgorithm !== undefined && name === undefined)
    throw new S3Error(
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  const algorithm = name === undefined ? undefined : algorithmNamed(name.slice(PREFIX.length));
  if (sdkAlgorithm !== undefined && algorithm !== sdkAlgorithm.toUpperCase())
    throw new S3Error('InvalidRequest', 'Value for x-amz-sdk-checksum-algorithm header is invalid.');
  const value = name === undefined ? undefined : headers[name];
  if (algorithm !== undefined && value !== undefined) checkForm(algorithm, value);
  return {
    ...{ algorithm, value, md5: md5In(headers) },
    sha256: payload.kind === 'signed' ? payload.sha256 : undefined,
  };
}

function md5In(headers: S3Request['headers']): Buffer | undefined {
  const text = headers['content-md5'];
  if (text === undefined) return undefined;
  const md5 = Buffer.from(text, 'base64');
  if (md5.length === 16 && md5.toString('base64') === text) return md5;
  throw new S3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.');
}

function checkForm(algorithm: Algorithm, value: string): void {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length === BYTES[algorithm] && bytes.toString('base64') === value) return;
  throw new S3Error('InvalidRequest', `Value for ${headerOf(algorithm)} header is invalid.`);
}

/** What has to be computed while the content passes. */
export function digestsFor({ algorithm, sha256 }: Announced, stored: Algorithm | undefined): DigestName[] {
  const algorithms = [algorithm, stored].filter((one) => one !== undefined);
  return ['md5', ...algorithms.map(digestNameOf), ...(sha256 === undefined ? [] : (['sha256'] as const))];
}

/** @throws S3Error when the content is not what was announced. */
export function verify(
  { algorithm, value, md5, sha256 }: Announced,
  digests: Digested,
  { trailers }: Body,
): void {
  if (sha256 !== undefined && digests.sha256?.toString('hex') !== sha256)
    throw new S3Error(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
      {
        elements: {
          ClientComputedContentSHA256: sha256,
          S3ComputedContentSHA256: digests.sha256?.toString('hex') ?? '',
        },
      },
    );
  if (md5 !== undefined && digests.md5?.equals(md5) !== true)
    throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.');
  if (algorithm === undefined) return;
  const given = value ?? trailers.get(headerOf(algorithm)) ?? '';
  checkForm(algorithm, given);
  if (valueOf(digests, algorithm) !== given)
    throw new S3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
}

/** Base64. */
export function valueOf(digests: Digested, algorithm: Algorithm): string {
  return digests[digestNameOf(algorithm)]?.toString('base64') ?? '';
}

export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return { [headerOf(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type };
}

/** As elements of an answer in XML. */
export function checksumElements(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return { [elementOf(checksum.algorithm)]: checksum.value, ChecksumType: checksum.type };
}
