/**
 * Changes of a stack that runs, from the save to the line that says that both sites have it; and the same of a process
 * that does nothing but evaluate the file that is saved.
 *
 * Invariant: a time counts only when both sites really serve the change.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readStack, type Stack } from '@tandem-clouds/command-line/running-stack';
import { copyProject } from '@tandem-clouds/testkit/cluster/project-copy';

const UP = 'Ctrl-C';
const UP_WITHIN_MS = 120_000;
const CHANGED_WITHIN_MS = 60_000;
const POLL_MS = 2;
/** Between two changes, as a person saves; what follows from one, such as the check of types, is not in the next. */
const PAUSE_MS = 3_000;

interface Project {
  readonly dir: string;
  readonly stack: Stack;
  readonly output: () => string;
}

/** What is saved, and how a site shows it. */
interface Change {
  readonly name: string;
  /** @param n Another one each time. */
  save(dir: string, n: number): void;
  /** Resolves with whether a site serves it. */
  isServed(url: string, n: number): Promise<boolean>;
}

/** What says that a change has come. */
const LINE = /^Changed after .*\n/gm;
const SETTING = 'BENCH_CHANGES';

const CHANGES: readonly Change[] = [
  {
    name: 'a handler',
    save: (dir, n) => {
      edit(dir, 'src/handlers/region.ts', /status: '[\w ]+'/, `status: 'change ${n}'`);
    },
    isServed: async (url, n) => (await textOf(`${url}/region`)).includes(`change ${n}`),
  },
  {
    name: 'a schema',
    save: (dir, n) => {
      edit(dir, 'src/shared/entities/user.ts', /maxLength: \d+/, `maxLength: ${n + 100}`);
    },
    isServed: async (url, n) => {
      const body = JSON.stringify({ userId: 'long', name: 'x'.repeat(1_000), email: 'hedy@example.com' });
      const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
      return (await textOf(`${url}/users`, init)).includes(`more than ${n + 100} characters`);
    },
  },
  {
    name: 'a route in both definitions',
    save: (dir, n) => {
      const old = /  - bench:\n(?: {4,}.*\n)+/;
      fs.writeFileSync(path.join(dir, 'src/handlers/bench.ts'), handler(n));
      for (const [cloud, event] of [
        ['aws', `      role: RegionRole\n      events: [{ httpApi: { method: '*', path: /bench-${n} } }]\n`],
        ['azure', `      events: [{ <<: *http, route: bench-${n} }]\n`],
      ] as const) {
        const file = `serverless.${cloud}.yml`;
        edit(dir, file, old, '', true);
        const added = `functions:\n  - bench:\n      handler: src/handlers/bench.handler\n${event}`;
        edit(dir, file, /^functions:\n/m, added);
      }
    },
    isServed: async (url, n) => (await fetch(`${url}/bench-${n}`)).status === 200,
  },
  {
    name: 'a setting of the AWS site, with which its bridge begins anew',
    save: (dir, n) => {
      const file = 'serverless.aws.yml';
      edit(dir, file, new RegExp(`^ +${SETTING}:.*\n`, 'm'), '', true);
      edit(dir, file, /^  environment:\n/m, `  environment:\n    ${SETTING}: '${n}'\n`);
    },
    // No function answers with its environment.
    isServed: async (url) => (await fetch(`${url}/region`)).status === 200,
  },
  {
    name: 'an entity more',
    save: (dir, n) => {
      fs.writeFileSync(path.join(dir, `src/shared/entities/film-${n}.ts`), entity(n));
    },
    isServed: async (url, n) => (await fetch(`${url}/films-${n}`)).status === 200,
  },
];

const handler = (n: number): string => `import { openRuntime, serve } from '../shared/runtime.ts';

export const handler = serve(openRuntime(), [
  { method: 'GET', path: '/bench-${n}', handle: () => ({ status: 200, body: {} }) },
]);
`;

const entity = (n: number): string => `import { defineEntity } from '../domain/define-entity.ts';

export const film${n} = defineEntity({
  name: 'film-${n}',
  collection: 'films-${n}',
  ...{ idField: 'filmId', description: 'A film' },
  required: ['title'],
  fields: { title: { type: 'string', maxLength: 100 } },
  example: { title: 'Alien' },
});
`;

/** Milliseconds by what is saved; the first of each list is the first such change of the stack. */
export type ReloadTimes = ReadonlyMap<string, readonly number[]>;

/**
 * Starts a stack from a copy of the checkout and changes its files.
 * @param scratch A folder; what is made in it is removed with it.
 * @throws Error with the output when a change does not come, or never is what both sites serve.
 */
export async function measureReloads(tree: string, scratch: string, times: number): Promise<ReloadTimes> {
  const dir = path.join(scratch, 'copy');
  fs.mkdirSync(dir);
  copyProject(dir, tree);
  const child = spawn(process.execPath, ['scripts/start.js', '--ephemeral', '--port', 'all=0'], {
    cwd: dir,
    env: { ...process.env, TANDEM_CACHE_DIR: path.join(scratch, 'cache') },
  });
  const closed = once(child, 'close');
  const output = textFrom(child);
  try {
    await until('the stack', output, () => output().includes(UP), UP_WITHIN_MS);
    const stack = readStack(path.join(dir, '.tandem'));
    if (stack === undefined) throw new Error(`no stack:\n${output()}`);
    const found = new Map<string, number[]>();
    for (let n = 1; n <= times; n += 1) {
      for (const change of CHANGES) {
        const ms = await measure({ dir, stack, output }, change, n);
        found.set(change.name, [...(found.get(change.name) ?? []), ms]);
      }
    }
    return found;
  } finally {
    child.kill('SIGINT');
    await closed;
  }
}

async function measure({ dir, stack, output }: Project, change: Change, n: number): Promise<number> {
  await delay(PAUSE_MS);
  const before = output().length;
  const savedAt = performance.now();
  change.save(dir, n);
  // Files that are saved one after the other may be two changes, each with its line.
  for (let lines = 1; ; lines += 1) {
    const has = (): boolean => (output().slice(before).match(LINE) ?? []).length >= lines;
    await until(change.name, output, has, CHANGED_WITHIN_MS);
    const ms = performance.now() - savedAt;
    const served = await Promise.all(stack.sites.map(({ url }) => change.isServed(url, n)));
    if (!served.includes(false)) return ms;
  }
}

/** Milliseconds from a save of one file to its evaluation in a process that watches it and does nothing else. */
export async function bareReloadsMs(scratch: string, times: number): Promise<number[]> {
  const folder = path.join(scratch, 'bare');
  const file = path.join(folder, 'module.cjs');
  fs.mkdirSync(folder);
  fs.writeFileSync(file, '');
  const watch = `
    require('node:fs').watch(${JSON.stringify(folder)}, () => {
      delete require.cache[${JSON.stringify(file)}];
      console.log('is ' + require(${JSON.stringify(file)}));
    });
    console.log('watching');`;
  const child = spawn(process.execPath, ['-e', watch], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const output = textFrom(child);
  try {
    await until('the watcher', output, () => output().includes('watching'), UP_WITHIN_MS);
    const found: number[] = [];
    for (let n = 1; n <= times; n += 1) {
      const savedAt = performance.now();
      fs.writeFileSync(file, `module.exports = 'evaluated ${n}';\n`);
      await until('it', output, () => output().includes(`is evaluated ${n}\n`), CHANGED_WITHIN_MS);
      found.push(performance.now() - savedAt);
    }
    return found;
  } finally {
    child.kill('SIGKILL');
    await closed;
  }
}

function textFrom(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return () => text;
}

async function until(
  what: string,
  output: () => string,
  isThere: () => boolean,
  withinMs: number,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!isThere()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms\n${output()}`);
    await delay(POLL_MS);
  }
}

/** @param isOptional Whether the file may have nothing of it. */
function edit(dir: string, name: string, from: RegExp, to: string, isOptional = false): void {
  const file = path.join(dir, name);
  const text = fs.readFileSync(file, 'utf8');
  if (from.test(text)) fs.writeFileSync(file, text.replace(from, to));
  else if (!isOptional) throw new Error(`${name} has nothing like ${String(from)}`);
}

async function textOf(url: string, init?: RequestInit): Promise<string> {
  return (await fetch(url, init)).text();
}
