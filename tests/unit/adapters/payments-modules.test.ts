/** The SDK of Stripe is in the bundles of those functions alone that take payments. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';

const SRC = path.join(import.meta.dirname, '../../../src');
const HOME = path.join('shared', 'adapters', 'payments');

const files = fs
  .readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: fs.readFileSync(path.join(SRC, file), 'utf8') }));

test('only the adapter imports the SDK', () => {
  const importers = files
    .filter(({ text }) => text.includes("from 'stripe'"))
    .map(({ file }) => path.dirname(file));
  expect(new Set(importers)).toEqual(new Set([HOME]));
});

test('no module that every function has imports the adapter', () => {
  const shared = files.filter(({ file }) => file.startsWith('shared') && !file.startsWith(HOME));
  const importers = shared.filter(({ text }) =>
    /from '[^']*adapters\/payments\/|from '\.\/payments\//.test(text),
  );
  expect(importers.map(({ file }) => file)).toEqual([]);
});
