/** The tarball that `npm pack -w packages/client` makes: it runs where only openapi-fetch is, and in a browser. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import ts from 'typescript';
import { exampleOf, node } from '../../../tests/helpers/package-examples.ts';
import { waitUntil } from '../../../tests/helpers/wait-until.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const MODULES = path.join(ROOT, 'node_modules');
/** Of what a page loads, compressed: a client is no framework. */
const GZIP_BYTES_MAX = 12_000;

let copy: string;
let user: string;
let installed: string;

beforeAll(() => {
  copy = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'client-copy-')));
  user = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'client-user-')));
  fs.writeFileSync(path.join(user, 'package.json'), '{ "private": true }\n');
  fs.cpSync(path.join(ROOT, 'tsconfig.json'), path.join(copy, 'tsconfig.json'));
  for (const name of ['client', 'emulators'])
    fs.cpSync(path.join(ROOT, 'packages', name), path.join(copy, 'packages', name), { recursive: true });
  fs.symlinkSync(MODULES, path.join(copy, 'node_modules'));
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', user], {
    cwd: path.join(copy, 'packages/client'),
    encoding: 'utf8',
  }).trim();
  installed = path.join(user, 'node_modules/@tandem-clouds/client');
  fs.mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', path.join(user, packed), '--strip-components=1', '-C', installed]);
  for (const name of ['openapi-fetch', 'openapi-typescript-helpers', '@types/node', 'undici-types']) {
    const link = path.join(user, 'node_modules', name);
    fs.mkdirSync(path.dirname(link), { recursive: true });
    fs.symlinkSync(path.join(MODULES, name), link);
  }
});

afterAll(() => {
  for (const folder of [copy, user]) fs.rmSync(folder, { recursive: true, force: true });
});

const files = (): string[] =>
  fs
    .readdirSync(installed, { recursive: true, encoding: 'utf8' })
    .filter((name) => fs.statSync(path.join(installed, name)).isFile());

describe('the tarball', () => {
  test('holds JavaScript with its declarations, the README and the licence, and nothing else', () => {
    expect(files()).toEqual(
      expect.arrayContaining([
        'README.md',
        'LICENSE',
        'dist/client.js',
        'dist/client.d.ts',
        'dist/errors.js',
      ]),
    );
    expect(
      files().filter((file) => !/^dist\/.*\.(?:js|d\.ts)$|^(?:package\.json|README\.md|LICENSE)$/.test(file)),
    ).toEqual([]);
  });

  test('leaves the package as it was, also when npm fails after the preparation', async () => {
    const folder = path.join(copy, 'packages/client');
    const before = fs.readFileSync(path.join(ROOT, 'packages/client/package.json'));
    expect(fs.readFileSync(path.join(folder, 'package.json'))).toEqual(before);
    const { status, stderr } = spawnSync('npm', ['pack', '--pack-destination', path.join(copy, 'nowhere')], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(status).not.toBe(0);
    expect(stderr).toContain('ENOENT');
    await waitUntil(
      'the guard has restored it',
      () => !fs.existsSync(path.join(folder, 'dist')) || undefined,
    );
    expect(fs.readFileSync(path.join(folder, 'package.json'))).toEqual(before);
    expect(fs.readdirSync(folder).filter((name) => /dist|kept/.test(name))).toEqual([]);
  });

  test('depends on openapi-fetch alone, and imports nothing of Node', () => {
    const manifest = JSON.parse(fs.readFileSync(path.join(installed, 'package.json'), 'utf8')) as {
      dependencies: object;
      private: boolean;
    };
    expect([Object.keys(manifest.dependencies), manifest.private]).toEqual([['openapi-fetch'], true]);
    const imports = files()
      .filter((file) => file.startsWith('dist/'))
      .flatMap((file) =>
        ts
          .preProcessFile(fs.readFileSync(path.join(installed, file), 'utf8'), true, true)
          .importedFiles.map(({ fileName }) => fileName),
      );
    expect(imports.length).toBeGreaterThan(20);
    expect([...new Set(imports.filter((name) => !name.startsWith('.')))]).toEqual(['openapi-fetch']);
  });

  test('runs the example of its README', async () => {
    await node(user, exampleOf('client', user));
  });

  test('is small in a page, where there is no Node', async () => {
    const entry = path.join(user, 'page.mjs');
    fs.writeFileSync(
      entry,
      `import { createTandemClient } from '@tandem-clouds/client';\nglobalThis.client = createTandemClient({ sites: ['https://a.example'] });\n`,
    );
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      platform: 'browser',
      format: 'esm',
      write: false,
    });
    const [page] = outputFiles;
    expect(gzipSync(page?.contents ?? '').length).toBeLessThan(GZIP_BYTES_MAX);
  });

  test('has types: a field that nobody declared is a mistake', () => {
    const file = path.join(user, 'user.mts');
    fs.writeFileSync(
      file,
      `import { createTandemClient } from '@tandem-clouds/client';
import { ProblemError } from '@tandem-clouds/client/errors';
const users = createTandemClient({ sites: ['https://a.example'] }).collection('users');
const { data } = await users.get('ada');
data.email.trim();
await users.patch('ada', { labels: { add: ['x'] } }).catch((error: unknown) => (error as ProblemError).errors);
// @ts-expect-error Nobody declared it.
await users.patch('ada', { age: 3 });
`,
    );
    const program = ts.createProgram([file], {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2024,
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      types: ['node'],
      typeRoots: [path.join(user, 'node_modules/@types')],
    });
    const own = program
      .getSourceFiles()
      .filter(({ fileName }) => fileName === file || fileName.startsWith(installed));
    expect(own.length).toBeGreaterThan(5);
    const mistakes = own.flatMap((source) => program.getSemanticDiagnostics(source));
    expect(mistakes.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
  });
});
