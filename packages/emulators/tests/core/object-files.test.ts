import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { closeAfterEach } from '../../../../tests/helpers/cleanup.ts';
import { type CrcName, digestOf, Digests, joinedCrc } from '../../src/core/digests.ts';
import {
  bytesOf,
  type Content,
  ContentTooLongError,
  ObjectFiles,
  sliced,
} from '../../src/core/object-files.ts';
import { compareNames, SortedNames } from '../../src/core/sorted-names.ts';

const onEnd = closeAfterEach();
const CRCS: readonly CrcName[] = ['crc32', 'crc32c', 'crc64nvme'];

function newFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'object-files-'));
  onEnd(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function newFiles(folder: string | undefined = newFolder()): ObjectFiles {
  const files = new ObjectFiles(folder);
  onEnd(() => files.close());
  return files;
}

async function* piecesOf(...pieces: readonly (Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    await Promise.resolve();
    if (piece instanceof Error) throw piece;
    yield piece;
  }
}

const OPTIONS = { digests: [], bytesMax: 1_000_000 } as const;

async function written(files: ObjectFiles, text: string): Promise<Content> {
  return (await files.write(piecesOf(Buffer.from(text)), OPTIONS)).content;
}

const textOf = async (files: ObjectFiles, ...range: Parameters<ObjectFiles['read']>): Promise<string> =>
  (await buffer(files.read(...range))).toString();

function filesIn(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => fs.statSync(path.join(folder, name)).isFile());
}

describe('digests', () => {
  // https://reveng.sourceforge.io/crc-catalogue/all.htm: the check values, of the digits 1 to 9.
  test.each([
    ['crc32', 'cbf43926'],
    ['crc32c', 'e3069283'],
    ['crc64nvme', 'ae8b14860a799888'],
    ['md5', '25f9e794323b453885f5181f1b624d0b'],
    ['sha1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
    ['sha256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
  ] as const)('%s of the check text is as published', async (name, expected) => {
    expect((await digestOf(name, Buffer.from('123456789'))).toString('hex')).toBe(expected);
    const running = new Digests([name]);
    running.update(Buffer.from('12345'));
    running.update(Buffer.from('6789'));
    expect((await running.digest())[name]?.toString('hex')).toBe(expected);
  });

  test.each(CRCS)('%s of parts one after the other is that of the whole', async (name) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), async (parts) => {
        const crcs = await Promise.all(
          parts.map(async (part) => ({ crc: await digestOf(name, part), bytes: part.length })),
        );
        expect(joinedCrc(name, crcs)).toEqual(await digestOf(name, Buffer.concat(parts)));
      }),
      { numRuns: 50 },
    );
  });
});

describe('files of objects', () => {
  test('are written in pieces, with the digests that were asked for, and read back whole or in part', async () => {
    const files = newFiles();
    const bytes = randomBytes(700_000);
    const source = piecesOf(bytes.subarray(0, 1), bytes.subarray(1, 400_000), bytes.subarray(400_000));
    const { content, digests } = await files.write(source, { ...OPTIONS, digests: ['md5', 'sha256'] });
    expect(digests).toEqual({
      md5: createHash('md5').update(bytes).digest(),
      sha256: createHash('sha256').update(bytes).digest(),
    });
    expect(bytesOf(content)).toBe(700_000);
    expect((await buffer(files.read(content))).equals(bytes)).toBe(true);
    const range = await buffer(files.read(content, { from: 262_100, bytes: 300_000 }));
    expect(range.equals(bytes.subarray(262_100, 562_100))).toBe(true);
    expect(await files.digest(content, ['sha256'])).toEqual({ sha256: digests.sha256 });
  });

  test('are joined and cut without moving a byte', async () => {
    const folder = newFolder();
    const files = newFiles(folder);
    const joined = [
      ...(await written(files, 'one')),
      ...(await written(files, 'two')),
      ...(await written(files, 'three')),
    ];
    expect(filesIn(folder)).toHaveLength(3);
    expect(await textOf(files, joined)).toBe('onetwothree');
    expect(await textOf(files, sliced(joined, { from: 2, bytes: 5 }))).toBe('etwot');
    expect(await textOf(files, sliced(sliced(joined, { from: 2, bytes: 5 }), { from: 1, bytes: 3 }))).toBe(
      'two',
    );
    expect(await textOf(files, joined, { from: 9, bytes: 100 })).toBe('ee');
    expect(filesIn(folder)).toHaveLength(3);
  });

  test('that are empty take no file', async () => {
    const folder = newFolder();
    const { content, digests } = await newFiles(folder).write(piecesOf(), {
      ...OPTIONS,
      digests: ['crc64nvme'],
    });
    expect([content, digests.crc64nvme?.toString('hex')]).toEqual([[], '0000000000000000']);
    expect(filesIn(folder)).toEqual([]);
  });

  test('of a source that fails, or of one that is too long, are not left behind', async () => {
    const folder = newFolder();
    const files = newFiles(folder);
    const gone = new Error('the client went away');
    await expect(files.write(piecesOf(Buffer.from('half'), gone), OPTIONS)).rejects.toBe(gone);
    const long = files.write(piecesOf(Buffer.from('12345')), { ...OPTIONS, bytesMax: 4 });
    await expect(long).rejects.toBeInstanceOf(ContentTooLongError);
    expect(filesIn(folder)).toEqual([]);
  });

  test('stay while anybody holds them, a reader too', async () => {
    const folder = newFolder();
    const files = newFiles(folder);
    const joined = [...(await written(files, 'one')), ...(await written(files, 'two'))];
    files.hold(joined);
    files.release(joined);
    const reader = files.read(joined);
    expect((await reader.next()).value?.toString()).toBe('one');
    files.release(joined);
    expect((await reader.next()).value?.toString()).toBe('two');
    expect((await reader.next()).done).toBe(true);
    await files.close();
    expect(filesIn(folder)).toEqual([]);
  });

  test('that were never published are swept after a kill, the others stay', async () => {
    const folder = newFolder();
    const before = new ObjectFiles(folder);
    const published = await written(before, 'published');
    await written(before, 'not published');
    const after = newFiles(folder);
    after.hold(published);
    after.sweep();
    expect(filesIn(folder)).toEqual([published[0]?.file]);
    expect(await textOf(after, published)).toBe('published');
  });

  test('without a folder are in a temporary one, which goes', async () => {
    const files = new ObjectFiles(undefined);
    const [segment] = await written(files, 'one');
    const [folder = ''] = fs
      .readdirSync(os.tmpdir())
      .filter((name) => fs.existsSync(path.join(os.tmpdir(), name, segment?.file ?? '')));
    expect(folder).toMatch(/^tandem-objects-/);
    await files.close();
    expect(fs.existsSync(path.join(os.tmpdir(), folder))).toBe(false);
  });
});

describe('sorted names', () => {
  test('are in the order of their UTF-8 bytes, from any name on, after any additions and deletions', () => {
    const name = fc.string({
      unit: fc.constantFrom('a', 'b', '/', '\u{ffff}', '\u{1f600}', 'é'),
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), name)), name, (changes, from) => {
        const names = new SortedNames();
        const expected = new Set<string>();
        for (const [isAdded, one] of changes) {
          if (!isAdded) names.delete(one);
          else if (!expected.has(one)) names.add(one);
          if (isAdded) expected.add(one);
          else expected.delete(one);
        }
        const inOrder = [...expected].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect([...names.from(from)]).toEqual(inOrder.filter((one) => compareNames(one, from) >= 0));
        expect(names.size).toBe(expected.size);
      }),
    );
  });
});
