/** What holds for reading objects, whoever reads them: the site itself, or a peer. */
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Faults } from '@tandem-clouds/emulators/core/faults';
import { OvertakenError, ThrottledError, UnavailableError } from '@tandem-clouds/replication/errors';
import { crc64Of } from '../../../src/shared/crc64.ts';
import { ContentMismatchError, InvalidError, NotFoundError } from '../../../src/shared/errors.ts';
import type { ObjectContent, Objects, ReadableObjects } from '../../../src/shared/ports/objects.ts';

export interface Reading {
  /** The storage's own. */
  readonly writer: Objects;
  readonly reader: ReadableObjects;
  readonly faults: Faults;
  /** The emulator's name of a read. */
  readonly get: string;
  /** That nobody has used. */
  readonly key: string;
}

const THIRD = 100_000;
const TEXT = { contentType: 'text/plain; charset=utf-8' };

/** @param given Asked anew by each test. */
export function readingSuite(given: () => Reading): void {
  describe('a read', () => {
    const body = randomBytes(3 * THIRD);
    let of: Reading;
    beforeEach(async () => {
      of = given();
      await of.writer.put(of.key, body, TEXT);
    });
    const rest = ({ content }: ObjectContent): Promise<Buffer> => buffer(content);
    const read = async (options: Parameters<ReadableObjects['read']>[1] = {}): Promise<Buffer> =>
      rest(await of.reader.read(of.key, options));

    test('of a whole is that, with what is known of it', async () => {
      expect((await read()).equals(body)).toBe(true);
      expect(await of.reader.head({ key: of.key })).toEqual(await of.writer.head({ key: of.key }));
      expect((await of.reader.head({ key: of.key }))?.checksums).toEqual({ crc64: crc64Of(body) });
    });

    test('of what is not there finds nothing', async () => {
      expect(await of.reader.head({ key: `${of.key}-none` })).toBeUndefined();
      await expect(of.reader.read(`${of.key}-none`)).rejects.toThrow(NotFoundError);
    });

    test('of a range is that', async () => {
      const range = await of.reader.read(of.key, { from: THIRD, bytes: 1_000 });
      expect(range).toMatchObject({ from: THIRD, bytes: 1_000, head: { bytes: 3 * THIRD } });
      expect((await rest(range)).equals(body.subarray(THIRD, THIRD + 1_000))).toBe(true);
      expect((await read({ from: 3 * THIRD - 10, bytes: 1_000 })).equals(body.subarray(-10))).toBe(true);
      expect((await read({ from: 3 * THIRD - 10 })).equals(body.subarray(-10))).toBe(true);
      await expect(of.reader.read(of.key, { from: 3 * THIRD })).rejects.toThrow(InvalidError);
    });

    test('goes on when its connection breaks', async () => {
      of.faults.set([{ kind: 'cut', operation: of.get, times: 3 }]);
      expect((await read()).equals(body)).toBe(true);
      of.faults.set([{ kind: 'cut', operation: of.get, times: 1 }]);
      const part = await read({ from: THIRD, bytes: THIRD });
      expect(part.equals(body.subarray(THIRD, 2 * THIRD))).toBe(true);
    });

    test('does not go on for ever', async () => {
      of.faults.set([{ kind: 'cut', operation: of.get }]);
      await expect(read()).rejects.toThrow(UnavailableError);
    });

    test('stays with the version that it began with', async () => {
      of.faults.set([{ kind: 'cut', operation: of.get, times: 1 }]);
      const begun = await of.reader.read(of.key);
      await of.writer.put(of.key, randomBytes(3 * THIRD), TEXT);
      expect((await rest(begun)).equals(body)).toBe(true);
    });

    test('ends when that version is gone', async () => {
      of.faults.set([{ kind: 'cut', operation: of.get, times: 1 }]);
      const begun = await of.reader.read(of.key);
      const { versionId = '' } = begun.head;
      expect(await of.writer.delete({ key: of.key, versionId })).toBe('version');
      await expect(rest(begun)).rejects.toThrow(OvertakenError);
    });

    test('of other bytes than were stored does not end well', async () => {
      of.faults.set([{ kind: 'corrupt', operation: of.get }]);
      await expect(read()).rejects.toThrow(ContentMismatchError);
      const crc64 = crc64Of(body.subarray(THIRD, 2 * THIRD));
      await expect(read({ from: THIRD, bytes: THIRD, crc64 })).rejects.toThrow(ContentMismatchError);
      of.faults.clear();
      expect(await read({ from: THIRD, bytes: THIRD, crc64 })).toHaveLength(THIRD);
    });

    test('of a storage that is busy is reported as that', async () => {
      of.faults.set([{ kind: 'error', operation: of.get }]);
      await expect(read()).rejects.toThrow(ThrottledError);
    });
  });
}
