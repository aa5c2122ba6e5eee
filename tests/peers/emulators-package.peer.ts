/** The emulators' package, packed and installed by npm into an empty folder: its README's example, its program and every test runner. */
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { copyExamples, exampleOf, node, output } from '../helpers/package-examples.ts';

const folder = process.env['TANDEM_PEER_EMULATORS_PACKAGE'] ?? '';
if (folder === '')
  throw new Error('TANDEM_PEER_EMULATORS_PACKAGE is not set; run npm run test:peers -- emulators-package');

beforeAll(() => {
  copyExamples(folder);
});

test('nothing of the project is beside it', () => {
  expect(fs.readdirSync(path.join(folder, 'node_modules/@tandem-clouds'))).toEqual(['emulators']);
  expect(fs.lstatSync(path.join(folder, 'node_modules/@tandem-clouds/emulators')).isSymbolicLink()).toBe(
    false,
  );
});

test("the README's example runs", async () => {
  expect((await node(folder, exampleOf('emulators', folder))).trim()).toBe('1');
});

test('the program is there under its name', async () => {
  const file = path.join(folder, 'node_modules/.bin/tandem-emulators');
  expect(await output(folder, file, ['--version'])).toMatch(/^tandem-emulators \d/);
});

test('the example for node:test runs', async () => {
  expect(await node(folder, '--test', 'examples/node-test.test.mjs')).toMatch(/pass 4\n/);
});

test('the example for vitest runs', async () => {
  const vitest = path.join(folder, 'node_modules/vitest/vitest.mjs');
  expect(await node(folder, vitest, 'run', 'examples/vitest.test.mjs', '--no-color')).toMatch(/4 passed/);
});

test('the example for jest runs', async () => {
  const jest = path.join(folder, 'node_modules/jest/bin/jest.js');
  const reported = await output(
    folder,
    process.execPath,
    [jest, '--testMatch', '**/*.test.mjs', '--', 'examples/jest'],
    { NODE_OPTIONS: '--experimental-vm-modules' },
  );
  expect(reported).toMatch(/4 passed/);
});
