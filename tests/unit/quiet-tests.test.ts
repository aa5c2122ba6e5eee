/** What the code under test writes is seen when a test fails, and only then. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = path.join(import.meta.dirname, '../..');

const FILE = `
test('passes', () => {
  process.stdout.write('{"expected":"error"}\\n');
  console.error(new Error('also expected'));
});
describe('a group', () => {
  test('fails', () => {
    process.stderr.write('the reason\\n');
    console.warn('and %s', 'another');
    throw new Error('failed');
  });
});
describe('hooks', () => {
  beforeAll(() => {
    console.log('said before');
    throw new Error('not ready');
  });
  test('never begins', () => undefined);
});
`;

test('output of tests that pass is kept back, that of others comes under their names', async () => {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'quiet-')));
  fs.writeFileSync(path.join(dir, 'some.test.cjs'), FILE);
  const config = {
    rootDir: dir,
    testEnvironment: path.join(ROOT, 'jest.environment.js'),
    testMatch: ['**/*.test.cjs'],
    transform: {},
  };
  const args = ['node_modules/jest/bin/jest.js', '--config', JSON.stringify(config)];
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT }, (_error, out, err) => resolve(out + err));
  });
  fs.rmSync(dir, { recursive: true });
  expect(output).toContain('Tests:       2 failed, 1 passed');
  expect(output).not.toContain('expected');
  expect(output).toContain('--- written during: a group › fails\nthe reason\nand another\n---');
  expect(output).toContain('--- written during: beforeAll of hooks\nsaid before\n---');
});
