import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { withDotEnv } from '@tandem-clouds/local/stack/dot-env';
import { closeAfterEach } from '../../../../tests/helpers/cleanup.ts';

const closing = closeAfterEach();

function project(text?: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dot-env-'));
  closing(() => fs.rmSync(folder, { recursive: true, force: true }));
  if (text !== undefined) fs.writeFileSync(path.join(folder, '.env'), text);
  return folder;
}

describe('.env', () => {
  test('is as if it had been in the environment, which wins', () => {
    const folder = project('MAIL_FROM="a@example.com"\n# a remark\nMODE=test\n');
    expect(withDotEnv(folder, { MODE: 'live', HOME: '/home' })).toEqual({
      MAIL_FROM: 'a@example.com',
      MODE: 'live',
      HOME: '/home',
    });
  });

  test('has secrets for the vaults only: no process finds them in its environment', () => {
    expect(withDotEnv(project('SECRET_STRIPE_KEY=sk\n'), {})).toEqual({});
  });

  test('need not be there', () => {
    expect(withDotEnv(project(), { HOME: '/home' })).toEqual({ HOME: '/home' });
  });
});
