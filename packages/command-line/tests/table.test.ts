import { expect, test } from '@jest/globals';
import { aligned } from '../src/table.ts';

test('columns are as wide as their widest cell, and numbers end below each other', () => {
  const rows = [
    ['name', 'n', 'note'],
    ['a', '1,000'],
    ['longer', '5', 'x'],
  ];
  expect(aligned(rows, [1])).toEqual(['name        n  note', 'a       1,000', 'longer      5  x']);
});

test('no rows are no lines', () => {
  expect(aligned([])).toEqual([]);
});
