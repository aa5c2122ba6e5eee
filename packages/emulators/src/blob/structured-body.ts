/**
 * Bodies in segments with a CRC-64 each and one of the whole (`x-ms-structured-body: XSM/1.0; properties=crc64`), as
 * @azure/storage-blob sends and asks for them when it is to check content by itself. Numbers are little-endian.
 *
 *     version (1) | bytes of the message (8) | flags (2) | segments (2)
 *     for each segment, from 1: number (2) | bytes of content (8) | content | CRC-64 (8)
 *     CRC-64 of all content (8)
 *
 * @see https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/storage/storage-common/src/StructuredMessageEncoding.ts
 */
import { Digests } from '../core/digests.ts';
import { badHeader, BlobError } from './errors.ts';

export const STRUCTURED = 'XSM/1.0; properties=crc64';

const HEADER_BYTES = 13;
const SEGMENT_HEADER_BYTES = 10;
const CRC_BYTES = 8;
const CRC_FLAG = 1;
const SEGMENT_BYTES_MAX = 4 * 1024 * 1024;

type Pieces = AsyncIterable<Uint8Array>;

/**
 * The source is not closed: a request that is would take its connection with it, and the answer.
 * @throws BlobError when a checksum or a length does not hold.
 */
export async function* decoded(
  source: Pieces,
  contentBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new Reader(source);
  const head = await reader.exactly(HEADER_BYTES);
  const segments = head.readUInt16LE(11);
  if (head[0] !== 1 || head.readUInt16LE(9) !== CRC_FLAG) throw badHeader('x-ms-structured-body', STRUCTURED);
  const whole = new Digests(['crc64nvme']);
  let total = 0;
  for (let number = 1; number <= segments; number += 1) {
    const segmentHead = await reader.exactly(SEGMENT_HEADER_BYTES);
    if (segmentHead.readUInt16LE(0) !== number) throw new BlobError('InvalidInput');
    const own = new Digests(['crc64nvme']);
    for await (const piece of reader.pieces(Number(segmentHead.readBigUInt64LE(2)))) {
      own.update(piece);
      whole.update(piece);
      total += piece.length;
      yield piece;
    }
    await check(own, await reader.exactly(CRC_BYTES));
  }
  await check(whole, await reader.exactly(CRC_BYTES));
  if (total !== contentBytes) throw badHeader('x-ms-structured-content-length', String(contentBytes));
}

async function check(running: Digests, given: Uint8Array): Promise<void> {
  const crc = await crcOf(running);
  if (!crc.equals(given)) throw new BlobError('Crc64Mismatch');
}

/** As Azure writes it. */
async function crcOf(running: Digests): Promise<Buffer> {
  const { crc64nvme = Buffer.alloc(CRC_BYTES) } = await running.digest();
  return crc64nvme.reverse();
}

const segmentsOf = (bytes: number): number => Math.ceil(bytes / SEGMENT_BYTES_MAX);

export function encodedBytes(contentBytes: number): number {
  const segments = segmentsOf(contentBytes) * (SEGMENT_HEADER_BYTES + CRC_BYTES);
  return HEADER_BYTES + segments + contentBytes + CRC_BYTES;
}

export async function* encoded(
  source: Pieces,
  contentBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const segments = segmentsOf(contentBytes);
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt8(1, 0);
  head.writeBigUInt64LE(BigInt(encodedBytes(contentBytes)), 1);
  head.writeUInt16LE(CRC_FLAG, 9);
  head.writeUInt16LE(segments, 11);
  yield head;
  const reader = new Reader(source);
  const whole = new Digests(['crc64nvme']);
  try {
    for (let number = 1, left = contentBytes; number <= segments; number += 1) {
      const bytes = Math.min(SEGMENT_BYTES_MAX, left);
      const segmentHead = Buffer.alloc(SEGMENT_HEADER_BYTES);
      segmentHead.writeUInt16LE(number, 0);
      segmentHead.writeBigUInt64LE(BigInt(bytes), 2);
      yield segmentHead;
      const own = new Digests(['crc64nvme']);
      for await (const piece of reader.pieces(bytes)) {
        own.update(piece);
        whole.update(piece);
        yield piece;
      }
      yield await crcOf(own);
      left -= bytes;
    }
    yield await crcOf(whole);
  } finally {
    await reader.close();
  }
}

/** Takes as many bytes as are wanted from pieces of any size. */
class Reader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(source: Pieces) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Lets go of what the pieces come from. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async exactly(bytes: number): Promise<Buffer> {
    const taken: Uint8Array[] = [];
    for await (const piece of this.pieces(bytes)) taken.push(piece);
    return Buffer.concat(taken);
  }

  /** @throws BlobError when the source ends before. */
  async *pieces(bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = bytes; left > 0;) {
      if (this.#rest.length === 0) {
        const next = await this.#source.next();
        if (next.done === true) throw new BlobError('InvalidInput');
        this.#rest = next.value;
      }
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      if (piece.length > 0) yield piece;
    }
  }
}
