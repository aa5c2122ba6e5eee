import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { RefusedError, UnavailableError } from '@tandem-clouds/replication/errors';
import { type ContinuedRead, continuedRead } from '../../../src/shared/adapters/continued-read.ts';
import { objectResumesMax } from '../../../src/shared/bounds.ts';
import { crc64Of } from '../../../src/shared/crc64.ts';
import { ContentMismatchError } from '../../../src/shared/errors.ts';

const WHOLE = Buffer.from('the content of an object');

/** What comes before the connection breaks. */
function broken(bytes: Buffer): Readable {
  return Readable.from(
    (function* () {
      if (bytes.length > 0) yield bytes;
      throw new Error('ECONNRESET');
    })(),
  );
}

function reading(given: Partial<ContinuedRead>): {
  bytes: Promise<Buffer>;
  asked: number[];
  slept: number[];
} {
  const asked: number[] = [];
  const slept: number[] = [];
  const open: ContinuedRead['open'] = (from, bytes) => {
    asked.push(from);
    return Promise.resolve(Readable.from([WHOLE.subarray(from, from + bytes)]));
  };
  const { content } = continuedRead({
    key: 'a',
    first: Readable.from([WHOLE]),
    from: 0,
    bytes: WHOLE.length,
    crc64: crc64Of(WHOLE),
    ...given,
    open: (from, bytes) =>
      given.open === undefined ? open(from, bytes) : (asked.push(from), given.open(from, bytes)),
    sleep: (ms) => Promise.resolve(slept.push(ms)),
  });
  return { bytes: buffer(content), asked, slept };
}

describe('a read that is continued', () => {
  test.each<readonly [string, Readable, number]>([
    ['breaks', broken(WHOLE.subarray(0, 7)), 7],
    ['breaks before the first byte', broken(Buffer.alloc(0)), 0],
    ['ends early', Readable.from([WHOLE.subarray(0, 7)]), 7],
    ['breaks at the end', broken(WHOLE.subarray(0, 23)), 23],
  ])('asks for the rest when it %s', async (_title, first, from) => {
    const { bytes, asked } = reading({ first });
    expect(await bytes).toEqual(WHOLE);
    expect(asked).toEqual([from]);
  });

  test('does not wait for ever for a byte', async () => {
    const first = new Readable({ read: () => undefined });
    first.push(WHOLE.subarray(0, 4));
    const { bytes, asked } = reading({ first, stallMs: 5 });
    expect(await bytes).toEqual(WHOLE);
    expect(asked).toEqual([4]);
  });

  test('ends after its attempts, with pauses that grow', async () => {
    const open = () => Promise.reject(new UnavailableError('busy'));
    const { bytes, asked, slept } = reading({ first: broken(WHOLE.subarray(0, 4)), open });
    await expect(bytes).rejects.toThrow(UnavailableError);
    expect(asked).toHaveLength(objectResumesMax);
    expect(slept).toEqual([...slept].sort((a, b) => a - b));
    expect(new Set(slept).size).toBe(objectResumesMax);
  });

  test('ends at once with a refusal that stays', async () => {
    const open = () => Promise.reject(new RefusedError('no'));
    const { bytes, asked } = reading({ first: broken(WHOLE.subarray(0, 4)), open });
    await expect(bytes).rejects.toThrow(RefusedError);
    expect(asked).toHaveLength(1);
  });

  test('does not take more than was promised, nor other bytes', async () => {
    await expect(reading({ bytes: 5, crc64: undefined }).bytes).rejects.toThrow('more bytes came');
    const first = Readable.from([Buffer.from('the content of an opject')]);
    await expect(reading({ first }).bytes).rejects.toThrow(ContentMismatchError);
  });

  test('gives up its connection when nobody reads on', async () => {
    const unread = Readable.from([WHOLE]);
    continuedRead({
      key: 'a',
      first: unread,
      from: 0,
      bytes: 1,
      crc64: undefined,
      open: () => Promise.reject(new Error()),
    }).cancel();
    const left = Readable.from([WHOLE.subarray(0, 3), WHOLE.subarray(3)]);
    const { content } = continuedRead({
      ...{ key: 'a', first: left, from: 0, bytes: WHOLE.length, crc64: undefined },
      open: () => Promise.reject(new Error()),
    });
    for await (const piece of content) if (piece.length > 0) break;
    expect([unread.destroyed, left.destroyed]).toEqual([true, true]);
  });
});
