/** Files that change while `npm start` runs, however they are saved. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { waitUntil } from '../../../../tests/helpers/wait-until.ts';
import { SourceWatch } from '../../src/code/source-watch.ts';

let dir: string;
let watch: SourceWatch;
let reported: string[];

const file = (name: string): string => path.join(dir, name);

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-watch-'));
  fs.mkdirSync(file('src/deep'), { recursive: true });
  fs.writeFileSync(file('src/deep/a.ts'), '1');
  fs.writeFileSync(file('one.yml'), '1');
  reported = [];
  watch = new SourceWatch({
    projectDir: dir,
    folders: ['src'],
    files: ['one.yml'],
    onChange: (files) => reported.push(...files),
    onProblem: (message) => reported.push(message),
  });
  watch.start();
});

afterEach(() => {
  watch.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

async function changed(name: string): Promise<void> {
  await waitUntil(name, () => (reported.includes(name) ? true : undefined));
  reported = [];
}

test('a file that is written', async () => {
  fs.writeFileSync(file('src/deep/a.ts'), '2');
  await changed('src/deep/a.ts');
});

test('a file that is written without a pause', async () => {
  await waitUntil('it', () => {
    // The system reports it before the next sample.
    fs.writeFileSync(file('src/deep/a.ts'), '2');
    return reported.includes('src/deep/a.ts') ? true : undefined;
  });
});

test('a file that is replaced, again and again', async () => {
  for (const text of ['2', '3', '4']) {
    fs.writeFileSync(file('src/deep/.a.ts.swp'), text);
    fs.renameSync(file('src/deep/.a.ts.swp'), file('src/deep/a.ts'));
    await changed('src/deep/a.ts');
  }
});

test('a file in a new folder, whether it was there first or comes later', async () => {
  fs.mkdirSync(file('other/inner'), { recursive: true });
  fs.writeFileSync(file('other/inner/b.ts'), '1');
  fs.renameSync(file('other'), file('src/other'));
  await changed('src/other/inner/b.ts');
  fs.writeFileSync(file('src/other/inner/c.ts'), '1');
  await changed('src/other/inner/c.ts');
});

test('a file that is removed', async () => {
  fs.rmSync(file('src/deep/a.ts'));
  await changed('src/deep/a.ts');
});

test('a folder that is moved away, with its files', async () => {
  fs.renameSync(file('src/deep'), file('deep'));
  await changed('src/deep');
});

test('in the folder of the project only those that were asked for, and never what editors put beside a file', async () => {
  fs.writeFileSync(file('two.yml'), '1');
  fs.writeFileSync(file('src/deep/a.ts~'), '1');
  fs.writeFileSync(file('src/deep/4913'), '1');
  fs.writeFileSync(file('src/deep/sedAbC1d2'), '1');
  fs.writeFileSync(file('src/deep/a.ts.tmp.4711.1732'), '1');
  fs.writeFileSync(file('src/deep/.#a.ts'), '1');
  fs.writeFileSync(file('one.yml'), '2');
  await waitUntil('one.yml', () => (reported.includes('one.yml') ? true : undefined));
  expect(reported.every((name) => name === 'one.yml')).toBe(true);
});
