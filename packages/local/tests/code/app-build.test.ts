/** Bundles of a cloud's functions: built, placed, and built again. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import { AppBuild, BuildError } from '../../src/code/app-build.ts';
import type { ResolvedDefinition } from '../../src/code/definition.ts';

const require = createRequire(import.meta.url);
let dir: string;
let build: AppBuild;

const appDir = (): string => path.join(dir, 'out');
const save = (text: string): void => fs.writeFileSync(path.join(dir, 'hello.ts'), text);
const greeting = (word: string): string =>
  `interface Event { readonly name: string }\nexport const handler = (event: Event) => \`${word} \${event.name}\`;\n`;

const definition = (esbuild: object = { target: 'node24' }): ResolvedDefinition =>
  ({
    service: 'tandem',
    functions: { hello: { handler: 'hello.handler', name: 'hello', events: [] } },
    custom: { esbuild },
  }) as unknown as ResolvedDefinition;

beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-build-')));
  build = new AppBuild({
    projectDir: dir,
    cloud: 'aws',
    appDir: appDir(),
    cacheDir: path.join(dir, 'cache'),
  });
});

afterEach(() => {
  fs.rmSync(dir, { recursive: true, force: true });
});

afterAll(async () => {
  await AppBuild.endAll();
});

async function place(): Promise<string> {
  const built = await build.build(definition());
  built.place();
  return built.version;
}

type App = Record<string, { handler(event: object): unknown }>;

/** What a site that loads the folder finds; the entry point is evaluated anew there, and only once here. */
function loaded(): App {
  const entry = fs.readFileSync(path.join(appDir(), 'app.cjs'), 'utf8');
  const [, bundle = ''] = /^module\.exports = require\("\.\/(app-\w+\.cjs)"\);\n$/.exec(entry) ?? [];
  return require(path.join(appDir(), bundle)) as App;
}

const answer = (): unknown => loaded()['hello']!.handler({ name: 'Hedy' });

const bundles = (): string[] => fs.readdirSync(appDir()).filter((name) => /^app-\w+\.cjs$/.test(name));

test('each build has a file name and a source map of its own, and the entry point is that of the last one', async () => {
  save(greeting('Hello'));
  await place();
  const [first] = bundles();
  expect(answer()).toBe('Hello Hedy');
  save(greeting('Good morning'));
  await place();
  expect(answer()).toBe('Good morning Hedy');
  const second = bundles().find((name) => name !== first)!;
  expect(fs.readFileSync(path.join(appDir(), second), 'utf8')).toContain(
    `//# sourceMappingURL=${second}.map`,
  );
  expect(fs.existsSync(path.join(appDir(), `${second}.map`))).toBe(true);
});

test('a build of which only the lines of the sources are others has another name: breakpoints go by these', async () => {
  save(greeting('Hello'));
  await place();
  save(`\n// A comment, which no bundle has.\n${greeting('Hello')}`);
  await place();
  expect(bundles()).toHaveLength(2);
});

test('the same sources are the same version, and nothing is found before it is placed', async () => {
  save(greeting('Hello'));
  const version = await place();
  expect((await build.build(definition())).version).toBe(version);
  save(greeting('Good morning'));
  const next = await build.build(definition());
  expect(next.version).not.toBe(version);
  expect(answer()).toBe('Hello Hedy');
});

test('of many builds the last five stay', async () => {
  for (let n = 1; n <= 7; n += 1) {
    save(greeting(`Hello ${n}`));
    await place();
  }
  expect(bundles()).toHaveLength(5);
  expect(fs.readdirSync(appDir()).filter((name) => name.endsWith('.map'))).toHaveLength(5);
  expect(answer()).toBe('Hello 7 Hedy');
});

test('functions that are added are built, and the generated validators stand apart', async () => {
  fs.mkdirSync(path.join(dir, 'src/shared/generated'), { recursive: true });
  const validators = path.join(dir, 'src/shared/generated/validators.js');
  fs.writeFileSync(validators, 'export const isName = (name) => name.length < 9;');
  fs.writeFileSync(
    path.join(dir, 'bye.ts'),
    "import { isName } from './src/shared/generated/validators.js';\nexport const handler = (): boolean => isName('Hedy');\n",
  );
  save(greeting('Hello'));
  await place();
  const { functions, ...rest } = definition();
  const bye = { handler: 'bye.handler', name: 'bye', events: [] };
  const more = { ...rest, functions: { ...functions, bye } };
  (await build.build(more)).place();
  expect(loaded()['bye']!.handler({})).toBe(true);
  expect(bundles().some((name) => fs.readFileSync(path.join(appDir(), name), 'utf8').includes('< 9'))).toBe(
    false,
  );
  fs.writeFileSync(validators, 'export const isName = (name) => name.length < 4;');
  (await build.build(more)).place();
  expect(loaded()['bye']!.handler({})).toBe(false);
  fs.writeFileSync(validators, 'export const =');
  await expect(build.build(more)).rejects.toThrow('src/shared/generated/validators.js');
});

test('after every failure it builds again: a mistake, options that are wrong, a compiler that has ended', async () => {
  save('export const = 3;');
  await expect(place()).rejects.toThrow(BuildError);
  await expect(place()).rejects.toThrow('hello.ts:1:14: Expected identifier but found "="');
  save(greeting('Hello'));
  await place();
  await expect(build.build(definition({ target: 'nonsense' }))).rejects.toThrow('nonsense');
  await place();
  await AppBuild.endAll();
  await expect(place()).rejects.toThrow('The service');
  await place();
  expect(answer()).toBe('Hello Hedy');
});

/** Says in the kept bundle what only a kept one can say. */
function markKept(): void {
  const folder = path.join(dir, 'cache/apps');
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('Hello', 'Kept'));
  }
}

async function placeInAnotherProcess(options: object = {}): Promise<void> {
  build = new AppBuild({
    ...{ projectDir: dir, cloud: 'aws', appDir: appDir(), cacheDir: path.join(dir, 'cache') },
    ...options,
  });
  await place();
}

test('what was built before is not built again, wherever its folder is', async () => {
  save(greeting('Hello'));
  const first = await place();
  const again = new AppBuild({
    ...{ projectDir: dir, cloud: 'aws', appDir: path.join(dir, 'deep/er/out') },
    cacheDir: path.join(dir, 'cache'),
  });
  const built = await again.build(definition());
  expect(built.version).toBe(first);
  built.place();
  const [bundle = ''] = bundles();
  const map = JSON.parse(fs.readFileSync(path.join(dir, 'deep/er/out', `${bundle}.map`), 'utf8')) as {
    sources: string[];
  };
  expect(map.sources).toContain('../../../hello.ts');
  markKept();
  await placeInAnotherProcess();
  expect(answer()).toBe('Kept Hedy');
  await build.warm();
  expect((await build.build(definition())).version).toBe(first);
});

test.each([
  ['a source', () => save(greeting('Good day')), 'Good day Hedy'],
  [
    'what a source imports',
    () => fs.writeFileSync(path.join(dir, 'word.ts'), 'export const word = "Good evening";'),
    'Good evening Hedy',
  ],
  ['what is installed', () => fs.writeFileSync(path.join(dir, 'package-lock.json'), '{}'), 'Hello Hedy'],
  ['how imports are resolved', () => fs.writeFileSync(path.join(dir, 'tsconfig.json'), '{}'), 'Hello Hedy'],
  [
    'the kept file, which is cut off',
    () => {
      const folder = path.join(dir, 'cache/apps');
      for (const name of fs.readdirSync(folder)) fs.truncateSync(path.join(folder, name), 40);
    },
    'Hello Hedy',
  ],
])('it is built again when another is %s', async (_, change, said) => {
  fs.writeFileSync(path.join(dir, 'word.ts'), 'export const word = "Hello";');
  save('import { word } from "./word.ts";\nexport const handler = (event) => `${word} ${event.name}`;\n');
  await place();
  markKept();
  change();
  await placeInAnotherProcess();
  expect(answer()).toBe(said);
});
