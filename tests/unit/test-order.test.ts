/** The order in which test files run: jest.sequencer.js, by what jest.costs.json records. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { nameOf, recordedCosts } from '../../jest.costs.js';
import { packed } from '../../jest.sequencer.js';

const ROOT = path.join(import.meta.dirname, '../..');

interface File {
  readonly name: string;
  readonly seconds: number;
  readonly share: number;
}

const file = (name: string, seconds: number, share: number): File => ({ name, seconds, share });
const order = (files: readonly File[], workers: number, processors: number): string[] =>
  packed(files, workers, processors).map(({ name }: File) => name);

describe('the order of files', () => {
  test('fills the processors with what computes most, and the other workers with what waits', () => {
    const files = [
      file('short', 1, 1),
      file('wait 1', 50, 0.1),
      file('compute 1', 40, 1),
      file('wait 2', 60, 0.1),
      file('compute 2', 30, 1),
      file('compute 3', 20, 1),
    ];
    expect(order(files, 4, 2)).toEqual(['compute 1', 'compute 2', 'wait 2', 'wait 1', 'compute 3', 'short']);
  });

  test('has the one that needs least where there is room for none', () => {
    const files = [file('both', 20, 2), file('three', 10, 3), file('one', 10, 1)];
    expect(order(files, 2, 2)).toEqual(['both', 'one', 'three']);
  });

  test('leaves none out, however many run at once', () => {
    const files = Array.from({ length: 50 }, (_, index) =>
      file(`${index}`, (index % 7) + 1, (index % 5) / 2),
    );
    for (const workers of [1, 3, 100])
      expect(order(files, workers, 2).toSorted()).toEqual(files.map(({ name }) => name).toSorted());
  });
});

describe('the record', () => {
  const names = Object.keys(recordedCosts());

  test.each(names)('%s is a test file', (name) => {
    const [at = ''] = name.split(' ');
    expect(fs.existsSync(path.join(ROOT, `${at}.test.ts`))).toBe(true);
  });

  test('knows a file of tests/both by its cloud', () => {
    const project = { rootDir: ROOT, displayName: { name: 'aws', color: 'white' } };
    expect(nameOf(path.join(ROOT, 'tests/both/http.test.ts'), project)).toBe('tests/both/http aws');
    expect(nameOf(path.join(ROOT, 'tests/unit/cost.test.ts'), project)).toBe('tests/unit/cost');
    expect(names).toContain('tests/both/http aws');
  });
});
