/** nodemailer and the SDKs for SMS are in the bundle of the function alone that sends. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';

const SRC = path.join(import.meta.dirname, '../../../src');

const sources = fs
  .readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: fs.readFileSync(path.join(SRC, file), 'utf8') }));
const importersOf = (pattern: RegExp): string[] =>
  sources.filter(({ text }) => pattern.test(text)).map(({ file }) => file.replaceAll(path.sep, '/'));

test('one adapter imports nodemailer, one module opens it, and only a function that sends imports that', () => {
  expect(importersOf(/from 'nodemailer/)).toEqual(['shared/adapters/mail/smtp.ts']);
  expect(importersOf(/from '[^']*mail\/smtp\.ts'/)).toEqual(['shared/open-mail.ts']);
  expect(importersOf(/from '[^']*open-mail\.ts'/)).toEqual(['bridge/react.ts']);
});

test('the same of the SDKs for SMS, one a cloud', () => {
  for (const [sdk, cloud] of [
    ['@aws-sdk/client-sns', 'aws'],
    ['@azure/communication-sms', 'azure'],
  ] as const) {
    const adapter = `shared/adapters/${cloud}`;
    const importers = importersOf(new RegExp(`from '${sdk}'`));
    expect(
      importers.filter((file) => ![`${adapter}/sms.ts`, `${adapter}/open-sms.ts`].includes(file)),
    ).toEqual([]);
  }
  expect(importersOf(/from '\.\/sms\.ts'/).sort()).toEqual([
    'shared/adapters/aws/open-sms.ts',
    'shared/adapters/azure/open-sms.ts',
  ]);
  expect(importersOf(/from '#sms'/)).toEqual(['shared/open-sms.ts']);
  expect(importersOf(/from '[^']*open-sms\.ts'/)).toEqual(['bridge/react.ts']);
});
