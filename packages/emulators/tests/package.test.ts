/**
 * The tarball that `npm pack -w packages/emulators` makes, without a registry: what is in it, and that it runs where only
 * its declared dependencies are. Packed in a copy, because the package.json of the project changes meanwhile. What npm
 * installs from it is tried by `npm run test:peers -- emulators-package`.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { copyExamples, exampleOf, node, output } from '../../../tests/helpers/package-examples.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const MODULES = path.join(ROOT, 'node_modules');
/** What a user of the package brings. */
const BROUGHT = [
  '@aws-sdk/client-dynamodb',
  '@aws-sdk/client-sqs',
  '@azure/cosmos',
  '@azure/service-bus',
  '@jest/globals',
  '@types/node',
];

/** Of a project of somebody else, in which the package is installed. */
let user: string;
let copy: string;
let installed: string;
let tarball: string;

interface Manifest {
  readonly private: boolean;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: unknown;
  readonly scripts?: unknown;
}

const readJson = (file: string): Manifest => JSON.parse(fs.readFileSync(file, 'utf8')) as Manifest;
const copied = (file: string): string => path.join(copy, 'packages/emulators', file);

function filesOf(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => fs.statSync(path.join(folder, name)).isFile())
    .map((name) => name.replaceAll(path.sep, '/'));
}

function link(name: string): void {
  const file = path.join(user, 'node_modules', name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.symlinkSync(path.join(MODULES, name), file);
}

beforeAll(() => {
  copy = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'emulators-copy-')));
  user = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'emulators-user-')));
  fs.writeFileSync(path.join(user, 'package.json'), '{ "private": true }\n');
  fs.cpSync(path.join(ROOT, 'tsconfig.json'), path.join(copy, 'tsconfig.json'));
  for (const name of ['command-line', 'zone', 'emulators'])
    fs.cpSync(path.join(ROOT, 'packages', name), path.join(copy, 'packages', name), { recursive: true });
  fs.symlinkSync(MODULES, path.join(copy, 'node_modules'));

  tarball = execFileSync('npm', ['pack', '--silent', '--pack-destination', user], {
    cwd: copied(''),
    encoding: 'utf8',
  }).trim();
  installed = path.join(user, 'node_modules/@tandem-clouds/emulators');
  fs.mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', path.join(user, tarball), '--strip-components=1', '-C', installed]);
  for (const name of [
    ...BROUGHT,
    ...Object.keys(readJson(path.join(installed, 'package.json')).dependencies),
  ])
    link(name);
  copyExamples(user);
});

afterAll(() => {
  for (const folder of [copy, user]) fs.rmSync(folder, { recursive: true, force: true });
});

describe('the tarball', () => {
  test('holds JavaScript with its declarations, the README, the licence and the examples', () => {
    const files = filesOf(installed);
    expect(files).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'LICENSE',
        'dist/start-emulators.js',
        'dist/start-emulators.d.ts',
        'dist/main.js',
        'examples/node-test.test.mjs',
        'examples/vitest.test.mjs',
        'examples/jest.test.mjs',
      ]),
    );
    expect(files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([]);
    expect(
      files.filter((file) => !/^(dist|examples)\/|^(package\.json|README\.md|LICENSE)$/.test(file)),
    ).toEqual([]);
    expect(fs.readFileSync(path.join(installed, 'LICENSE'))).toEqual(
      fs.readFileSync(path.join(ROOT, 'LICENSE')),
    );
  });

  test('is private, and depends on nothing of the scope that anybody could register', () => {
    const manifest = readJson(path.join(installed, 'package.json'));
    expect(manifest.private).toBe(true);
    expect(Object.keys(manifest.dependencies).sort()).toEqual([
      '@aws-sdk/checksums',
      '@zeit/cosmosdb-query',
      'ajv',
      'ajv-formats',
      'dynalite',
      'jose',
      'postal-mime',
      'rhea',
      'smtp-server',
    ]);
    expect([manifest.devDependencies, manifest.scripts]).toEqual([undefined, undefined]);
    const imports = filesOf(path.join(installed, 'dist')).flatMap((file) =>
      ts
        .preProcessFile(fs.readFileSync(path.join(installed, 'dist', file), 'utf8'), true, true)
        .importedFiles.map(({ fileName }) => fileName),
    );
    expect(imports.length).toBeGreaterThan(500);
    expect(imports.filter((name) => name.startsWith('@tandem-clouds') || /(?<!\.d)\.ts$/.test(name))).toEqual(
      [],
    );
  });

  test('is refused by npm publish, before a registry is asked', () => {
    // Nobody listens on port 9 of this machine (RFC 863), should npm ask after all.
    const registry = [
      '--registry=http://127.0.0.1:9',
      '--//127.0.0.1:9/:_authToken=none',
      '--fetch-retries=0',
    ];
    const { status, stderr } = spawnSync('npm', ['publish', ...registry, `./${tarball}`], {
      cwd: user,
      encoding: 'utf8',
    });
    expect(status).not.toBe(0);
    expect(stderr).toContain('EPRIVATE');
  });

  // When npm fails after the preparation: packages/client/tests/package.test.ts, which compiles less.
  test('leaves the package as it was', () => {
    expect(fs.readFileSync(copied('package.json'))).toEqual(
      fs.readFileSync(path.join(ROOT, 'packages/emulators/package.json')),
    );
    expect(fs.readdirSync(copied('')).filter((name) => /dist|kept/.test(name))).toEqual([]);
  });
});

describe('what is installed', () => {
  test('loads, every module of it', async () => {
    const modules = filesOf(path.join(installed, 'dist'))
      .filter((file) => file.endsWith('.js') && file !== 'main.js')
      .map((file) => path.join(installed, 'dist', file));
    expect(modules.length).toBeGreaterThan(100);
    fs.writeFileSync(
      path.join(user, 'load.mjs'),
      `for (const file of ${JSON.stringify(modules)}) await import(file);\nconsole.log('loaded');\n`,
    );
    expect(await node(user, 'load.mjs')).toBe('loaded\n');
  });

  test("runs the README's example", async () => {
    expect((await node(user, exampleOf('emulators', user))).trim()).toBe('1');
  });

  test('runs the example for node:test', async () => {
    expect(await node(user, '--test', 'examples/node-test.test.mjs')).toMatch(/pass 4\n/);
  });

  test('runs the example for jest', async () => {
    const reported = await output(
      user,
      process.execPath,
      [
        path.join(MODULES, 'jest/bin/jest.js'),
        '--rootDir',
        user,
        '--testMatch',
        '**/*.test.mjs',
        '--',
        'examples/jest',
      ],
      { NODE_OPTIONS: '--experimental-vm-modules' },
    );
    expect(reported).toMatch(/4 passed/);
  });

  test('has types: a service that was not asked for is a mistake', () => {
    const file = path.join(user, 'user.mts');
    fs.writeFileSync(
      file,
      `import { SQSClient } from '@aws-sdk/client-sqs';
import { startEmulators } from '@tandem-clouds/emulators';
import { startSqs } from '@tandem-clouds/emulators/sqs/server';
const emulators = await startEmulators({ services: ['sqs'] });
new SQSClient(emulators.sqs.config);
emulators.sqs.faults.add({ kind: 'error', operation: 'SendMessage', times: 1 });
(await startSqs()).queueUrlOf('orders');
// @ts-expect-error It was not started.
emulators.cosmos.config;
// @ts-expect-error There is no such service.
await startEmulators({ services: ['s4'] });
`,
    );
    const program = ts.createProgram([file], {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2024,
      strict: true,
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

  test('serves from a shell until Ctrl-C, and says in JSON where', async () => {
    const child = spawn(
      process.execPath,
      [path.join(installed, 'dist/main.js'), '--services', 'sqs,servicebus', '--queue', 'orders', '--json'],
      { cwd: user, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const ended = once(child, 'exit');
    try {
      const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
      const { services } = JSON.parse(line) as { services: Record<string, Record<string, string>> };
      const queues = await fetch(`${services['servicebus']?.['controlUrl']}/_tandem/queues`);
      expect(Object.keys((await queues.json()) as object)).toEqual(['orders']);
      expect((await fetch(services['sqs']?.['faultsUrl'] ?? '')).status).toBe(200);
    } finally {
      child.kill('SIGINT');
    }
    expect(await ended).toEqual([0, null]);
  });

  const main = (...words: readonly string[]) =>
    spawnSync(process.execPath, [path.join(installed, 'dist/main.js'), ...words], {
      cwd: user,
      encoding: 'utf8',
    });

  test('explains itself', () => {
    expect(main('--help').stdout).toContain('Usage: npx tandem-emulators [options]');
    expect(main('--version').stdout).toMatch(/^tandem-emulators \d+\.\d+\.\d+\n$/);
  });

  test.each([
    [
      ['--services', 'dynamo'],
      "'dynamo' is not one of dynamodb, sqs, s3, secretsmanager, cosmos, servicebus, keyvault, blob, oidc, stripe, paypal, smtp, sns, communicationservices; did you mean 'dynamodb'?",
    ],
    [['--prot', 'sqs=1'], "takes no option --prot; did you mean '--port'?"],
    [
      ['--port', 'sqs=1e3'],
      "--port sqs: a whole number from 0 to 65535 is needed, in plain digits, not '1e3'",
    ],
    [['--port', 'sqs'], '--port sqs: a whole number'],
    [['--port', 'http=1'], "--port: 'http' is not one of"],
    [['--port', 'sqs=1', '--port', 'sqs=2'], '--port sqs is given twice'],
    [['--services', 'sqs', '--port', 'cosmos=1'], '--port cosmos: --services does not name it'],
    [['--services', 'sqs', '--queue', 'orders'], '--queue: --services does not name servicebus'],
    [['--queue', '$orders'], "'$orders' is not a queue name"],
    [['serve'], "takes no argument 'serve'"],
  ])('refuses %j', (words, message) => {
    const { status, stderr } = main(...words);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });
});
