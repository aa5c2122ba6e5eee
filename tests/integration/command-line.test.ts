/** The one command as a process: exit statuses, what it loads, where paths are meant from, terminals, completion. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { WORKLOADS } from '@tandem-clouds/testkit/simulator/seeds';
import { closeAfterEach } from '../helpers/cleanup.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const onEnd = closeAfterEach();
let dir: string;

beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-command-')));
  onEnd(() => fs.rmSync(dir, { recursive: true }));
});

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

async function ended(
  command: string,
  args: readonly string[],
  { cwd = ROOT, env = {} }: { cwd?: string; env?: Record<string, string | undefined> } = {},
): Promise<Ended> {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onEnd(() => child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const status = await new Promise<number | null>((resolve) => void child.once('close', resolve));
  return { status, out, err };
}

const tandem = (...args: string[]) => ended(process.execPath, ['scripts/tandem.ts', ...args]);
const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

describe('npm run tandem', () => {
  it('ends with 0 when it is done, 1 when it has failed, 2 when it was wrongly used, and never with a stack', async () => {
    expect(await tandem('cost', '--json')).toMatchObject({ status: 0, err: '' });
    expect(await tandem('status', '--stack', dir)).toMatchObject({ status: 1, out: '' });
    const wrong = await tandem('simulate', '--shedules=9');
    expect(wrong).toMatchObject({ status: 2, out: '' });
    expect(wrong.err).toBe(
      "simulate takes no option --shedules; did you mean '--schedules'?\n" +
        'npm run tandem -- simulate --help says more.\n',
    );
  });

  it.each([
    [['--help']],
    [['rollout', '--help']],
    [['bench', 'bundle', '--help']],
    [['status', '--stack', '/nowhere']],
  ])('%j loads what it needs: nothing of others', async (args) => {
    const hook = path.join(dir, 'loaded.mjs');
    const list = path.join(dir, 'loaded.txt');
    fs.writeFileSync(
      hook,
      `import { registerHooks } from 'node:module';\nimport fs from 'node:fs';\n` +
        `registerHooks({ load(url, context, next) { fs.appendFileSync(${JSON.stringify(list)}, url + '\\n'); return next(url, context); } });\n`,
    );
    await ended(process.execPath, ['--import', pathToFileURL(hook).href, 'scripts/tandem.ts', ...args]);
    const loaded = fs.readFileSync(list, 'utf8').split('\n');
    expect(loaded.filter((url) => url.endsWith('/scripts/commands/program.ts'))).toHaveLength(1);
    expect(loaded.filter((url) => url.includes('/node_modules/'))).toEqual([]);
  });

  it('means paths from where the person stands', async () => {
    const npm = ['run', '--silent', '--prefix', ROOT, 'tandem', '--'];
    // As a terminal has it: not below `npm test`.
    const env = { INIT_CWD: undefined, npm_lifecycle_event: undefined };
    const { status, err } = await ended('npm', [...npm, 'dns', 'status', '--policy', 'mine.yml'], {
      cwd: dir,
      env,
    });
    expect(status).toBe(1);
    expect(err).toContain(`${path.join(dir, 'mine.yml')} cannot be read`);
    const written = await ended('npm', [...npm, 'simulate', '--example', 'deep/example.svg'], {
      cwd: dir,
      env,
    });
    expect(written).toMatchObject({ status: 0, err: '' });
    expect(fs.readdirSync(path.join(dir, 'deep'))).toEqual(['example.svg']);
  });
});

const terminals = process.platform === 'linux' && has('script');

(terminals ? describe : describe.skip)('at a terminal', () => {
  it.each([
    ['in colour', { TERM: 'xterm' }, true],
    ['in colour with an empty NO_COLOR, which counts as none', { TERM: 'xterm', NO_COLOR: '' }, true],
    ['without colour when NO_COLOR is set', { TERM: 'xterm', NO_COLOR: '1' }, false],
    ['without colour when it is a dumb one', { TERM: 'dumb' }, false],
  ])('status is %s', async (_title, env, isColoured) => {
    const words = [process.execPath, 'scripts/tandem.ts', 'status', '--site', 'http://127.0.0.1:1'];
    const { out } = await ended(
      'script',
      ['-qefc', words.map((word) => `'${word}'`).join(' '), '/dev/null'],
      {
        env: { NO_COLOR: undefined, FORCE_COLOR: undefined, ...env },
      },
    );
    expect(out).toContain('does not answer');
    expect(out.includes('\u001B[')).toBe(isColoured);
  });
});

describe('completion', () => {
  const script = async (shell: string): Promise<string> => {
    const { status, out } = await tandem('completion', shell);
    expect(status).toBe(0);
    const file = path.join(dir, `completion.${shell}`);
    fs.writeFileSync(file, out);
    return file;
  };

  (has('bash') ? it : it.skip)('completes commands, options and the words of a choice in bash', async () => {
    const file = await script('bash');
    const complete = async (...words: string[]): Promise<string[]> => {
      const line = words.map((word) => `'${word}'`).join(' ');
      const { out, err } = await ended('bash', [
        '-c',
        `source '${file}'; COMP_WORDS=(tandem ${line}); COMP_CWORD=${words.length}; _tandem; printf '%s\\n' "\${COMPREPLY[@]}"`,
      ]);
      expect(err).toBe('');
      return out.split('\n').filter((word) => word !== '');
    };
    expect(await complete('st')).toEqual(['start', 'status', 'stock', 'storefront']);
    expect(await complete('dns', 're')).toEqual(['restore']);
    expect(await complete('dns', 'plan', '--')).toEqual(['--out', '--policy', '--stack', '--json', '--help']);
    expect(await complete('simulate', '--workload', '')).toEqual([...WORKLOADS]);
    expect(await complete('rollback', 'a')).toEqual(['aws', 'azure']);
    expect(await complete('drill', 'aws-lost', '--se')).toEqual(['--seed']);
    expect(await complete('chaos', '--seed', '')).toEqual([]);
  });

  (has('zsh') ? it : it.skip)('is a script that zsh reads', async () => {
    expect(await ended('zsh', ['-n', await script('zsh')])).toEqual({ status: 0, out: '', err: '' });
  });

  (has('fish') ? it : it.skip)('completes in fish', async () => {
    const file = await script('fish');
    const complete = async (line: string): Promise<string[]> => {
      const { out } = await ended('fish', ['--no-config', '-c', `source '${file}'; complete -C '${line}'`]);
      return out
        .split('\n')
        .map((one) => one.split('\t')[0] ?? '')
        .filter((word) => word !== '');
    };
    expect(await complete('tandem dns re')).toEqual(['restore']);
    expect(await complete('tandem simulate --workload ')).toEqual([...WORKLOADS].sort());
  });

  it('refuses another shell', async () => {
    expect(await tandem('completion', 'tcsh')).toMatchObject({ status: 2, out: '' });
  });
});
