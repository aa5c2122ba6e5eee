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

test('one module opens the adapters, and only functions that take payments import it', () => {
  const importersOf = (pattern: RegExp): string[] =>
    files
      .filter(({ file, text }) => !file.startsWith(HOME) && pattern.test(text))
      .map(({ file }) => file.replaceAll(path.sep, '/'));
  expect(importersOf(/from '[^']*adapters\/payments\/|from '\.\/payments\//)).toEqual([
    'shared/open-payments.ts',
  ]);
  for (const file of importersOf(/from '[^']*\/open-payments\.ts'/))
    expect(file).toMatch(/^(handlers\/routes|bridge)\//);
});
