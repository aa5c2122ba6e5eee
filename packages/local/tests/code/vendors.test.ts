/** SDKs that are bundled once for what is installed, and stand beside our code. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { build, stop } from 'esbuild';
import { replaceSharedFile } from '@tandem-clouds/emulators/core/files';
import {
  vendorsApart,
  vendorsBeside,
  vendorsFile,
  workerBeside,
  workerFile,
} from '../../src/code/vendors.ts';

const require = createRequire(import.meta.url);
let dir: string;

const write = (file: string, text: string): void => {
  fs.mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
  fs.writeFileSync(path.join(dir, file), text);
};

beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-vendors-')));
  write('package-lock.json', '{}');
  const exports = { '.': { import: './index.mjs', require: './index.cjs' } };
  write('node_modules/@aws-sdk/thing/package.json', JSON.stringify({ name: '@aws-sdk/thing', exports }));
  write(
    'node_modules/@aws-sdk/thing/index.mjs',
    "globalThis.evaluated = true; export const how = 'imported';",
  );
  write('node_modules/@aws-sdk/thing/index.cjs', "exports.how = 'required';");
});

afterEach(() => {
  fs.rmSync(dir, { recursive: true, force: true });
  Reflect.deleteProperty(globalThis, 'evaluated');
});

afterAll(async () => {
  await stop();
});

const file = (options = {}) =>
  vendorsFile({ projectDir: dir, names: ['@aws-sdk/thing'], options, cacheDir: path.join(dir, 'cache') });

describe('the file of the SDKs', () => {
  test('holds what an import would find, and evaluates nothing before it is asked for', async () => {
    const vendors = require(await file()) as Record<string, () => { how: string }>;
    expect(globalThis).not.toHaveProperty('evaluated');
    expect(vendors['@aws-sdk/thing']!().how).toBe('imported');
    expect(globalThis).toHaveProperty('evaluated');
  });

  test('is made once for what is installed', async () => {
    const first = await file();
    fs.writeFileSync(first, 'kept');
    expect(await file()).toBe(first);
    expect(fs.readFileSync(first, 'utf8')).toBe('kept');
    write('package-lock.json', '{"other": true}');
    expect(await file()).not.toBe(first);
    expect(await file({ conditions: ['other'] })).not.toBe(await file());
  });

  test('is waited for while another process makes it', async () => {
    const first = await file();
    fs.rmSync(first);
    fs.writeFileSync(`${first}.made-by`, String(process.pid));
    const waiting = file();
    replaceSharedFile(first, 'made by another');
    expect(await waiting).toBe(first);
    expect(fs.readFileSync(first, 'utf8')).toBe('made by another');
  });

  test('is made when the process that was to make it has died', async () => {
    const first = await file();
    fs.rmSync(first);
    fs.writeFileSync(`${first}.made-by`, String(2 ** 31 - 1));
    const made = require(await file()) as Record<string, () => { how: string }>;
    expect(made['@aws-sdk/thing']!().how).toBe('imported');
    expect(fs.readdirSync(path.dirname(first))).toEqual([path.basename(first)]);
  });
});

test('our code takes them from there and holds nothing of them', async () => {
  write('app.ts', "import { how } from '@aws-sdk/thing';\nexport const response = how;\n");
  const found = new Set<string>();
  const outfile = path.join(dir, 'out/app.cjs');
  await build({
    absWorkingDir: dir,
    entryPoints: ['app.ts'],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    plugins: [vendorsApart(found)],
    outfile,
  });
  expect([...found]).toEqual(['@aws-sdk/thing']);
  expect(fs.readFileSync(outfile, 'utf8')).not.toContain('imported');
  vendorsBeside(path.dirname(outfile), await file());
  expect((require(outfile) as { response: string }).response).toBe('imported');
});

test('what the worker has a part in is evaluated with the app', async () => {
  write('node_modules/@azure/functions/package.json', JSON.stringify({ main: './index.cjs' }));
  write('node_modules/@azure/functions/index.cjs', "exports.app = require('@azure/functions-core').app;");
  write('app.ts', "import { app } from '@azure/functions';\nexport const response = app;\n");
  const outfile = path.join(dir, 'out/app.cjs');
  const found = new Set<string>();
  await build({
    absWorkingDir: dir,
    entryPoints: ['app.ts'],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    plugins: [vendorsApart(found)],
    outfile,
  });
  expect(found.size).toBe(0);
  workerBeside(path.dirname(outfile), await workerFile({ projectDir: dir, options: {}, cacheDir: dir }));
  write('out/node_modules/@azure/functions-core/index.js', "exports.app = 'of the worker';");
  expect((require(outfile) as { response: string }).response).toBe('of the worker');
});
