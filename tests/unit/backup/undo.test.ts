/** Taking back what a bad release wrote, and the format that it is read from. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { Json } from '@tandem-clouds/replication/json';
import type { RecordState } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { decodeFile, encodeFile, sha256Of } from '../../../src/shared/backup/file.ts';
import type { HashedName } from '../../../src/shared/backup/names.ts';
import { undoOf, type UndoWindow } from '../../../src/shared/backup/undo.ts';

const SITE = 'aws-1';
const window: UndoWindow = { beforeMs: 100, untilMs: 200, deletesCreated: false };
const at = (ms: number): string => encodeStamp(ms, 0, SITE);
const slots = (elements: Readonly<Record<string, number>>) =>
  Object.fromEntries(
    Object.entries(elements).map(([element, ms]) => [`${SITE}|"${element}"`, [at(ms), element] as const]),
  );

/** Field → when it was written, and its value. */
function state(
  fields: Readonly<Record<string, readonly [number, Json]>>,
  rest: Partial<RecordState> = {},
): RecordState {
  return {
    fields: Object.fromEntries(Object.entries(fields).map(([name, [ms, value]]) => [name, [at(ms), value]])),
    vector: { [SITE]: at(300) },
    ...rest,
  };
}

describe('an undo', () => {
  const then = state({ name: [50, 'Hedy'], email: [50, 'hedy@example.com'], city: [50, 'Vienna'] });

  test('takes back what was written in between, and keeps what was written later', () => {
    const now = state({ name: [150, 'GARBAGE'], email: [250, 'right@example.com'], city: [50, 'Vienna'] });
    expect(undoOf('user:a', then, now, window)).toMatchObject({
      fields: [{ field: 'name', from: 'GARBAGE', to: 'Hedy', as: 'value' }],
      kept: ['email'],
      open: {},
    });
  });

  test('leaves alone what nobody has changed, and what has its old value already', () => {
    expect(undoOf('user:a', then, then, window)).toBeUndefined();
    const again = state({ name: [180, 'Hedy'], email: [50, 'hedy@example.com'], city: [50, 'Vienna'] });
    expect(undoOf('user:a', then, again, window)).toBeUndefined();
  });

  test('brings nothing back that was erased since', () => {
    const erased = state({ $deleted: [150, true], $erased: [150, 'e1'] }, { incarnation: 2 ** 20 });
    expect(undoOf('user:a', then, erased, window)).toBeUndefined();
    const emptied = state({ city: [50, 'Vienna'], name: [150, 'GARBAGE'], $erased: [150, 'e1'] });
    const now = { ...emptied, fields: { ...emptied.fields, email: [at(150), null, '~000001'] as const } };
    expect(undoOf('user:a', then, now, window)?.fields.map(({ field }) => field)).toEqual(['name']);
  });

  test('takes away a field that was added in between', () => {
    const now = state({
      ...{ name: [50, 'Hedy'], email: [50, 'hedy@example.com'], city: [50, 'Vienna'] },
      junk: [150, 1],
    });
    expect(undoOf('user:a', then, now, window)?.fields).toEqual([
      { field: 'junk', from: 1, to: null, as: 'value' },
    ]);
  });

  test('brings back what was deleted in between, and leaves deleted what was deleted later', () => {
    const gone = (ms: number) => state({ name: [50, 'Hedy'], $deleted: [ms, true] });
    const known = state({ name: [50, 'Hedy'] });
    expect(undoOf('user:a', known, gone(150), window)).toMatchObject({
      life: 'back',
      fields: [{ field: 'name', to: 'Hedy' }],
    });
    expect(undoOf('user:a', known, gone(250), window)).toMatchObject({ kept: ['$deleted'], fields: [] });
  });

  test('deletes what was created in between only when it is told to', () => {
    const now = state({ name: [150, 'junk'] });
    expect(undoOf('user:a', undefined, now, window)).toMatchObject({
      open: { $deleted: expect.any(String) as unknown as string },
    });
    expect(undoOf('user:a', undefined, now, { ...window, deletesCreated: true })).toMatchObject({
      life: 'gone',
    });
    const later = state({ name: [250, 'right'] });
    expect(undoOf('user:a', undefined, later, { ...window, deletesCreated: true })?.life).toBeUndefined();
  });

  test('puts into a set what was taken out, takes out what was put in, and keeps what came later', () => {
    const before = state({}, { sets: { labels: slots({ old: 50, lost: 50 }) } });
    const now = state({}, { sets: { labels: slots({ old: 50, junk: 150, right: 250 }) } });
    expect(undoOf('user:a', before, now, window)?.fields).toMatchObject([
      { field: 'labels', to: ['lost', 'old', 'right'], as: 'set' },
    ]);
  });

  test('takes back what was counted, unless it was counted on since', () => {
    const counted = (ms: number, sum: number) =>
      state({}, { counters: { visits: { [SITE]: [at(ms), sum] } } });
    expect(undoOf('user:a', counted(50, 3), counted(150, 900), window)?.fields).toEqual([
      { field: 'visits', from: 900, to: 3, as: 'counter' },
    ]);
    expect(undoOf('user:a', counted(50, 3), counted(250, 901), window)).toMatchObject({
      fields: [],
      open: { visits: expect.stringContaining('counted on since') as unknown as string },
    });
  });
});

describe('a file of an archive', () => {
  const head = { kind: 'segment', site: SITE, madeAt: '2026-03-01T12:00:00.000Z' } as const;
  const records = [{ key: 'user:a', state: state({ name: [50, 'Hedy'] }), version: at(50) }];
  const nameOfBytes = (bytes: Uint8Array): HashedName => ({
    kind: 'segment',
    site: SITE,
    ms: 1,
    sha256: sha256Of(bytes),
  });
  const textOf = (lines: readonly object[]): Uint8Array =>
    gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const first = { format: 'tandem-archive', version: 1, ...head };

  test('is read as it was written', () => {
    const { bytes, sha256 } = encodeFile({ head, records });
    expect(sha256).toBe(sha256Of(bytes));
    expect(decodeFile(nameOfBytes(bytes), bytes).records).toEqual(records);
  });

  test.each([
    [
      'of a newer format',
      [{ ...first, version: 2 }, { records: 0 }],
      'its format 2 is newer than this release reads (1)',
    ],
    ['of something else', [{ hello: 1 }, { records: 0 }], 'its first line is not that of an archive'],
    ['without its last line', [first, ...records], 'it ends without the line that counts its records'],
    ['with a record less', [first, ...records, { records: 2 }], 'it has 1 records, its last line says 2'],
    ['with a line that is no record', [first, { key: 'a' }, { records: 1 }], 'line 2 is no record'],
  ])('is refused when it is %s', (_what, lines, rule) => {
    const bytes = textOf(lines);
    expect(() => decodeFile(nameOfBytes(bytes), bytes)).toThrow(rule);
  });

  test('is refused when it was cut short although its name fits', () => {
    const bytes = encodeFile({ head, records }).bytes.subarray(0, -12);
    expect(() => decodeFile(nameOfBytes(bytes), bytes)).toThrow('it cannot be decompressed');
  });
});
