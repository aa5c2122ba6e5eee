/**
 * Reading an object although the connection breaks.
 *
 * Invariants: the bytes that come are those of one version, in order, without a gap or a repeat, just as many as were
 * promised; a read is continued a bounded number of times, and no wait for a byte is longer than `objectStallMs`; what is not
 * as its checksum says ends in an error, never in an end.
 */
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { isRetryable, UnavailableError } from '@tandem-clouds/replication/errors';
import { objectResumePauseMs, objectResumesMax, objectStallMs } from '../bounds.ts';
import { Crc64 } from '../crc64.ts';
import { ContentMismatchError } from '../errors.ts';

export interface ContinuedRead {
  /** For messages. */
  readonly key: string;
  /** The answer that is there already. */
  readonly first: Readable;
  readonly from: number;
  /** How many the answer has promised. */
  readonly bytes: number;
  /** Of these bytes; undefined: nobody knows it. */
  readonly crc64: string | undefined;
  /** Asks again, for what begins there, of the same version. @throws AppError */
  readonly open: (from: number, bytes: number) => Promise<Readable>;
  readonly stallMs?: number;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** @returns The bytes, once; and what ends it before it has begun or in the middle. */
export function continuedRead(read: ContinuedRead): {
  readonly content: AsyncIterable<Uint8Array>;
  readonly cancel: () => void;
} {
  let current = read.first;
  // Nobody may read it: an error then is nobody's.
  current.on('error', () => undefined);
  return {
    content: pieces(read, (next) => (current = next ?? current)),
    cancel: () => void current.destroy(),
  };
}

async function* pieces(
  { key, from, bytes, crc64, open, stallMs = objectStallMs, sleep = delay }: ContinuedRead,
  held: (next?: Readable) => Readable,
): AsyncGenerator<Uint8Array> {
  const crc = crc64 === undefined ? undefined : new Crc64();
  let at = 0;
  let why: unknown;
  try {
    for (let resumes = 0; resumes <= objectResumesMax; resumes += 1) {
      try {
        if (resumes > 0) {
          await sleep(objectResumePauseMs * 2 ** (resumes - 1));
          held(await open(from + at, bytes - at)).on('error', () => undefined);
        }
        const source = arriving(held(), stallMs);
        for (let next = await source(); next !== undefined; next = await source()) {
          at += next.length;
          if (at > bytes) throw new TypeError('more bytes came than were asked for');
          crc?.update(next);
          yield next;
        }
        why = new Error(`the answer ended after ${at} of ${bytes} bytes`);
      } catch (error) {
        if (at > bytes || !isBroken(error)) throw error;
        why = error;
      }
      if (at === bytes) {
        if (crc !== undefined && crc.digest() !== crc64)
          throw new ContentMismatchError(`${key}: other bytes came than those that were stored`);
        return;
      }
    }
  } finally {
    held().destroy();
  }
  throw new UnavailableError(`${key}: the connection broke ${objectResumesMax + 1} times`, { cause: why });
}

/** What has arrived next; undefined at the end. What does not come in time breaks the connection. */
function arriving(source: Readable, stallMs: number): () => Promise<Uint8Array | undefined> {
  const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return async () => {
    const timer = setTimeout(() => source.destroy(new Error(`no byte for ${stallMs} ms`)), stallMs);
    try {
      const next = await iterator.next();
      return next.done === true ? undefined : next.value;
    } finally {
      clearTimeout(timer);
    }
  };
}

/** A connection, or a refusal that passes; not one that says that the version is gone. */
function isBroken(error: unknown): boolean {
  return isRetryable(error) || !(error instanceof Error && 'retryable' in error);
}
