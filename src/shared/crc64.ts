/**
 * CRC-64/NVME, which S3 and Blob Storage both compare: of bytes as they come, and of joined bytes from those of the parts.
 * The services' own code for it is in each of their SDKs; this is for what runs at both, without the other one's SDK.
 *
 * Pure. Held to the check value of the catalogue, and to what both services (their emulators) compute.
 * @see https://reveng.sourceforge.io/crc-catalogue/all.htm#crc.cat.crc-64-nvme
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */

import { crc64Code, PIECE_AT, PIECE_BYTES, SLICES } from './crc64-module.ts';

/** The generator, reflected: the least significant bit is the highest power. */
const POLYNOMIAL = 0x9a6c9329ac4bc9b5n;
const BITS = 64;

const { memory, sum } = crc64Code(tables());
const MEMORY = new Uint8Array(memory.buffer);

/** Table s: the CRC of a byte with s bytes of zeros behind it. */
function tables(): BigUint64Array {
  const values = new BigUint64Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = shifted(crc);
    values[byte] = crc;
  }
  for (let at = 256; at < values.length; at += 1) {
    const before = values[at - 256] ?? 0n;
    values[at] = (before >> 8n) ^ (values[Number(before & 0xffn)] ?? 0n);
  }
  return values;
}

/** Times x, modulo the polynomial. */
function shifted(crc: bigint): bigint {
  return (crc & 1n) === 1n ? (crc >> 1n) ^ POLYNOMIAL : crc >> 1n;
}

export class Crc64 {
  /** Inverted. */
  #crc = -1n;

  update(bytes: Uint8Array): this {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      MEMORY.set(piece, PIECE_AT);
      this.#crc = sum(this.#crc, PIECE_AT, PIECE_AT + piece.length);
    }
    return this;
  }

  /** In base64, big-endian. More bytes may follow. */
  digest(): string {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(~this.#crc);
    return bytes.toString('base64');
  }
}

export function crc64Of(bytes: Uint8Array): string {
  return new Crc64().update(bytes).digest();
}

/** As Blob Storage writes it, from base64 as S3 does. */
export function littleEndian(crc64: string): Buffer {
  return Buffer.from(crc64, 'base64').reverse();
}

/**
 * The CRC of the parts one after the other, without their bytes: crc(AB) = crc(A)·x^(8·|B|) + crc(B) modulo the polynomial,
 * which holds for CRCs that begin and end with all bits inverted (zlib's `crc32_combine`).
 */
export function joinedCrc64(parts: readonly { readonly crc64: string; readonly bytes: number }[]): string {
  const powers = new Map<number, bigint>();
  let joined = 0n;
  for (const { crc64, bytes } of parts) {
    const power = powers.get(bytes) ?? powerOfX(BigInt(bytes) * 8n);
    powers.set(bytes, power);
    joined = product(joined, power) ^ Buffer.from(crc64, 'base64').readBigUInt64BE();
  }
  const digest = Buffer.alloc(8);
  digest.writeBigUInt64BE(joined);
  return digest.toString('base64');
}

/** a·b modulo the polynomial. */
function product(a: bigint, b: bigint): bigint {
  let sum = 0n;
  for (let bit = BigInt(BITS - 1); bit >= 0n; bit -= 1n) {
    if (((a >> bit) & 1n) === 1n) sum ^= b;
    b = shifted(b);
  }
  return sum;
}

/** x^exponent modulo the polynomial, by squaring. */
function powerOfX(exponent: bigint): bigint {
  let power = 1n << BigInt(BITS - 1);
  let square = 1n << BigInt(BITS - 2);
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) power = product(power, square);
    square = product(square, square);
  }
  return power;
}
