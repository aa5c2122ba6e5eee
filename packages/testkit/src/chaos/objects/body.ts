/** Bytes of an upload, made again from its number: so nobody needs to keep gigabytes to compare with. */
import { createCipheriv } from 'node:crypto';
import { Crc64, crc64Of } from '../../../../../src/shared/crc64.ts';
import type { Random } from '../../random.ts';

const SMALLEST = 1_000;
const LARGEST = 20_000_000;

/** The key stream of AES-128 in counter mode (NIST SP 800-38A): as quick as copying. */
export function bodyOf(seed: number, bytes: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed >>> 0, 0);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

/** Log-uniform from 1 kB to 20 MB. */
export function someSize(random: Random): number {
  return Math.round(SMALLEST * (LARGEST / SMALLEST) ** random.next());
}

export interface Sum {
  readonly bytes: number;
  readonly crc64: string;
}

export function sumOf(body: Uint8Array): Sum {
  return { bytes: body.byteLength, crc64: crc64Of(body) };
}

/** Of an answer, as it comes. @throws whatever breaks it off */
export async function sumOfResponse(response: Response): Promise<Sum> {
  const crc = new Crc64();
  let bytes = 0;
  const chunks: AsyncIterable<Uint8Array> | readonly Uint8Array[] = response.body ?? [];
  for await (const chunk of chunks) {
    crc.update(chunk);
    bytes += chunk.byteLength;
  }
  return { bytes, crc64: crc.digest() };
}
