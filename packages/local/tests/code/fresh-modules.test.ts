/** Modules of a project that changes, in a process that stays. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const FRESH_MODULES = path.join(import.meta.dirname, '../../src/code/fresh-modules.ts');

let dir: string;

beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-modules-')));
  fs.writeFileSync(path.join(dir, 'package.json'), '{ "type": "module" }');
});

afterEach(() => {
  fs.rmSync(dir, { recursive: true, force: true });
});

/** Each counts how often it is evaluated. */
const MODULES = {
  'top.ts':
    "import { left } from './left.ts'; import { right } from './right.ts'; count('top'); export const all = `${left} ${right}`;",
  'left.ts': "import { word } from './word.ts'; count('left'); export const left: string = `left ${word}`;",
  'right.ts': "count('right'); export const right = 'right';",
  'word.ts': "count('word'); export const word = 'one';",
};

const SCRIPT = `
import fs from 'node:fs';
import { FreshModules } from ${JSON.stringify(FRESH_MODULES)};
const dir = process.argv[1];
const write = (name, text) => fs.writeFileSync(dir + '/' + name, text);
const modules = new FreshModules(dir);
const load = async () => {
  const counted = [];
  globalThis.count = (name) => counted.push(name);
  modules.begin();
  try {
    const { all } = await import(dir + '/top.ts');
    return [all, counted.sort().join()];
  } catch (error) {
    modules.forgetAll();
    return [error.message, counted.sort().join()];
  }
};
const seen = [];
seen.push(await load());
seen.push(await load());
write('word.ts', "count('word'); export const word = 'two';");
seen.push(await load());
write('right.ts', "import './nowhere.ts'; count('right'); export const right = 'right';");
seen.push([(await load())[0].includes('nowhere.ts'), '']);
write('nowhere.ts', "count('nowhere');");
seen.push(await load());
seen.push(modules.files.toSorted().join());
fs.rmSync(dir + '/nowhere.ts');
seen.push([(await load())[0].includes('nowhere.ts'), '']);
console.log(JSON.stringify(seen));
`;

test('those that have changed are evaluated again, with what imports them, and after a failure all', () => {
  for (const [name, text] of Object.entries(MODULES)) fs.writeFileSync(path.join(dir, name), text);
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT, dir], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([
    ['left one right', 'left,right,top,word'],
    ['left one right', ''],
    ['left two right', 'left,top,word'],
    [true, ''],
    ['left two right', 'left,nowhere,right,top,word'],
    'left.ts,nowhere.ts,right.ts,top.ts,word.ts',
    [true, ''],
  ]);
});
