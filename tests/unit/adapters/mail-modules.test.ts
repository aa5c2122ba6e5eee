/** nodemailer is in the bundle of the function alone that sends. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';

const SRC = path.join(import.meta.dirname, '../../../src');

test('one adapter imports nodemailer, one module opens it, and only a function that sends imports that', () => {
  const files = fs
    .readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file, text: fs.readFileSync(path.join(SRC, file), 'utf8') }));
  const importersOf = (pattern: RegExp): string[] =>
    files.filter(({ text }) => pattern.test(text)).map(({ file }) => file.replaceAll(path.sep, '/'));
  expect(importersOf(/from 'nodemailer/)).toEqual(['shared/adapters/mail/smtp.ts']);
  expect(importersOf(/from '[^']*mail\/smtp\.ts'/)).toEqual(['shared/open-mail.ts']);
  expect(importersOf(/from '[^']*open-mail\.ts'/)).toEqual(['bridge/react.ts']);
});
