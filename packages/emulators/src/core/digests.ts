/**
 * The checksums of content as it streams by, and the checksum of joined content from those of its parts.
 *
 * CRCs are big-endian, as S3 writes them (base64 of these bytes). CRC-64/NVME is the polynomial of Azure Storage too,
 * which writes the bytes the other way round.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
import { createHash } from 'node:crypto';
import zlib from 'node:zlib';
import { Crc32c, Crc64Nvme } from '@aws-sdk/checksums/crc';

export type CrcName = 'crc32' | 'crc32c' | 'crc64nvme';
export type DigestName = 'md5' | 'sha1' | 'sha256' | CrcName;

/** Each name that was asked for, with the bytes of its digest. */
export type Digested = Readonly<Partial<Record<DigestName, Buffer>>>;

interface Running {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array | Promise<Uint8Array>;
}

const RUNNING: Readonly<Record<DigestName, () => Running>> = {
  md5: () => createHash('md5'),
  sha1: () => createHash('sha1'),
  sha256: () => createHash('sha256'),
  crc32: () => new RunningCrc32(),
  crc32c: () => new Crc32c(),
  crc64nvme: () => new Crc64Nvme(),
};

class RunningCrc32 implements Running {
  #crc = 0;

  update(bytes: Uint8Array): void {
    this.#crc = zlib.crc32(bytes, this.#crc);
  }

  digest(): Uint8Array {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.#crc);
    return bytes;
  }
}

/** Several digests of the same bytes, each name once. */
export class Digests {
  readonly #running: readonly (readonly [DigestName, Running])[];

  constructor(names: Iterable<DigestName>) {
    this.#running = [...new Set(names)].map((name) => [name, RUNNING[name]()] as const);
  }

  update(bytes: Uint8Array): void {
    for (const [, running] of this.#running) running.update(bytes);
  }

  /** Once, at the end. */
  async digest(): Promise<Digested> {
    const digested: Partial<Record<DigestName, Buffer>> = {};
    for (const [name, running] of this.#running) digested[name] = Buffer.from(await running.digest());
    return digested;
  }
}

/** The digest of bytes in memory. */
export async function digestOf(name: DigestName, bytes: Uint8Array): Promise<Buffer> {
  const running = RUNNING[name]();
  running.update(bytes);
  return Buffer.from(await running.digest());
}

/** Generator polynomials, reflected: the least significant bit is the highest power. */
const POLYNOMIALS: Readonly<Record<CrcName, bigint>> = {
  crc32: 0xedb88320n,
  crc32c: 0x82f63b78n,
  crc64nvme: 0x9a6c9329ac4bc9b5n,
};
const BITS: Readonly<Record<CrcName, bigint>> = { crc32: 32n, crc32c: 32n, crc64nvme: 64n };

export function isCrc(name: DigestName): name is CrcName {
  return Object.hasOwn(POLYNOMIALS, name);
}

export interface PartCrc {
  readonly crc: Uint8Array;
  /** Length of the part. */
  readonly bytes: number;
}

/**
 * The CRC of the parts one after the other, without their bytes: crc(AB) = crc(A)·x^(8·|B|) + crc(B) modulo the
 * polynomial, which holds for CRCs that begin and end with all bits inverted, as these do (zlib's `crc32_combine`).
 */
export function joinedCrc(name: CrcName, parts: readonly PartCrc[]): Buffer {
  const powers = new Map<number, bigint>();
  const powerOf = (bytes: number): bigint => {
    const known = powers.get(bytes) ?? powerOfX(name, BigInt(bytes) * 8n);
    powers.set(bytes, known);
    return known;
  };
  let joined = 0n;
  for (const { crc, bytes } of parts)
    joined = product(name, joined, powerOf(bytes)) ^ BigInt(`0x${Buffer.from(crc).toString('hex')}`);
  return Buffer.from(joined.toString(16).padStart(Number(BITS[name] / 4n), '0'), 'hex');
}

/** a·b modulo the polynomial. */
function product(name: CrcName, a: bigint, b: bigint): bigint {
  const polynomial = POLYNOMIALS[name];
  let sum = 0n;
  for (let bit = 1n << (BITS[name] - 1n); bit > 0n; bit >>= 1n) {
    if ((a & bit) !== 0n) sum ^= b;
    b = (b & 1n) === 1n ? (b >> 1n) ^ polynomial : b >> 1n;
  }
  return sum;
}

/** x^exponent modulo the polynomial, by squaring. */
function powerOfX(name: CrcName, exponent: bigint): bigint {
  let power = 1n << (BITS[name] - 1n);
  let square = 1n << (BITS[name] - 2n);
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) power = product(name, power, square);
    square = product(name, square, square);
  }
  return power;
}
