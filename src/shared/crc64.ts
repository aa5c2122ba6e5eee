/**
 * CRC-64/NVME, which S3 and Blob Storage both compare: of bytes as they come, and of joined bytes from those of the parts.
 * The services' own code for it is in each of their SDKs; this is for what runs at both, without the other one's SDK.
 *
 * Pure. Held to the check value of the catalogue, and to what both services (their emulators) compute.
 * @see https://reveng.sourceforge.io/crc-catalogue/all.htm#crc.cat.crc-64-nvme
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */

/** The generator, reflected: the least significant bit is the highest power. */
const POLYNOMIAL = 0x9a6c9329ac4bc9b5n;
const BITS = 64;
/** Bytes that are looked up at a time, each in a table of its own. */
const SLICES = 8;

/** Table s: the CRC of a byte with s bytes of zeros behind it; two halves, because numbers are exact up to 53 bits. */
const [HIGH, LOW] = tables();

function tables(): readonly [Uint32Array, Uint32Array] {
  const high = new Uint32Array(SLICES * 256);
  const low = new Uint32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = shifted(crc);
    for (let slice = 0; slice < SLICES; slice += 1) {
      high[slice * 256 + byte] = Number(crc >> 32n);
      low[slice * 256 + byte] = Number(crc & 0xffffffffn);
      for (let bit = 0; bit < 8; bit += 1) crc = shifted(crc);
    }
  }
  return [high, low];
}

/** Times x, modulo the polynomial. */
function shifted(crc: bigint): bigint {
  return (crc & 1n) === 1n ? (crc >> 1n) ^ POLYNOMIAL : crc >> 1n;
}

/** What eight bytes come to, the first of them with seven behind it. Written out, because a loop takes twice as long. */
function combined(
  table: Uint32Array,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
  g: number,
  h: number,
): number {
  const ahead =
    (table[1792 + a] ?? 0) ^ (table[1536 + b] ?? 0) ^ (table[1280 + c] ?? 0) ^ (table[1024 + d] ?? 0);
  return ahead ^ (table[768 + e] ?? 0) ^ (table[512 + f] ?? 0) ^ (table[256 + g] ?? 0) ^ (table[h] ?? 0);
}

export class Crc64 {
  #high = 0xffffffff;
  #low = 0xffffffff;

  update(bytes: Uint8Array): this {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const sliced = bytes.length - (bytes.length % SLICES);
    let high = this.#high;
    let low = this.#low;
    for (let at = 0; at < sliced; at += SLICES) {
      const first = low ^ view.getUint32(at, true);
      const second = high ^ view.getUint32(at + 4, true);
      const [a, b, c, d] = [first & 0xff, (first >>> 8) & 0xff, (first >>> 16) & 0xff, first >>> 24];
      const [e, f, g, h] = [second & 0xff, (second >>> 8) & 0xff, (second >>> 16) & 0xff, second >>> 24];
      high = combined(HIGH, a, b, c, d, e, f, g, h);
      low = combined(LOW, a, b, c, d, e, f, g, h);
    }
    for (let at = sliced; at < bytes.length; at += 1) {
      const index = (low ^ view.getUint8(at)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (LOW[index] ?? 0);
      high = (high >>> 8) ^ (HIGH[index] ?? 0);
    }
    this.#high = high;
    this.#low = low;
    return this;
  }

  /** In base64, big-endian. More bytes may follow. */
  digest(): string {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(~this.#high >>> 0, 0);
    bytes.writeUInt32BE(~this.#low >>> 0, 4);
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
