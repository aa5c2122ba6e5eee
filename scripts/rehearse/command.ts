/**
 * Runs the commands that a person would type, against an emulator on loopback.
 *
 * Invariant: a command knows nothing of this machine's accounts. Of the environment it gets what it needs to run, a home
 * that is empty, and what a rehearsal gives it; and it can reach nothing but the emulator (loopback.cjs).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { processesWith } from './secrets.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const CLI = path.join(ROOT, 'node_modules/serverless/bin/serverless.js');
const COPIED = ['package.json', 'host.json', 'serverless.aws.yml', 'serverless.azure.yml', 'infra', 'src'];
const LINKED = ['node_modules', 'packages'];
/** Time for a command under load; one that takes longer hangs. */
const COMMAND_MS_MAX = 8 * 60_000;
/** How often the list of processes is looked at. */
const SAMPLE_MS = 250;

export interface Ran {
  readonly code: number | null;
  readonly output: string;
  readonly seconds: number;
}

export interface Workplace {
  /** A copy of the project, so that nobody's package is replaced and two rehearsals do not meet. */
  readonly dir: string;
  /** Command lines that a secret was seen in while a command ran. */
  readonly leaks: string[];
  /** Runs `sls` with the environment of a deployment, whose connections end at `port`. */
  sls(port: number, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>;
}

/**
 * @param folder Emptied and made: `project`, the copy; `logs`, what the commands printed; `home`, of their user.
 * @param secrets Looked for in the list of processes while a command runs.
 */
export function prepareWorkplace(folder: string, secrets: readonly string[]): Workplace {
  fs.rmSync(folder, { recursive: true, force: true });
  const [dir, logs, home] = ['project', 'logs', 'home'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const made of [dir, logs, home]) fs.mkdirSync(made, { recursive: true });
  for (const name of COPIED) fs.cpSync(path.join(ROOT, name), path.join(dir, name), { recursive: true });
  for (const name of LINKED) fs.symlinkSync(path.join(ROOT, name), path.join(dir, name));
  const leaks: string[] = [];
  let commands = 0;

  return {
    dir,
    leaks,
    async sls(port, args, env = {}) {
      commands += 1;
      const started = performance.now();
      const child = spawn(process.execPath, [CLI, ...args], {
        cwd: dir,
        env: {
          PATH: path.dirname(process.execPath),
          HOME: home,
          NODE_OPTIONS: `--require "${path.join(import.meta.dirname, 'loopback.cjs')}"`,
          NODE_NO_WARNINGS: '1',
          REHEARSE_PORT: String(port),
          SLS_TELEMETRY_DISABLED: '1',
          SLS_NOTIFICATIONS_MODE: 'off',
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const output: Buffer[] = [];
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => output.push(chunk));
      }
      const sample = setInterval(() => leaks.push(...processesWith(secrets)), SAMPLE_MS);
      const late = setTimeout(() => child.kill('SIGKILL'), COMMAND_MS_MAX);
      const [code] = (await once(child, 'close')) as [number | null];
      clearTimeout(late);
      clearInterval(sample);
      const text = Buffer.concat(output).toString();
      const log = `${String(commands).padStart(2, '0')}-${args[0] ?? ''}.txt`;
      fs.writeFileSync(path.join(logs, log), `sls ${args.join(' ')}\n${text}\nexit ${code ?? 'killed'}\n`);
      return { code, output: text, seconds: (performance.now() - started) / 1000 };
    },
  };
}

/** What a command told the person in front of it when it failed: the lines after `Error:`. */
export function reported({ output }: Ran): string[] {
  const [, message = output] = output.split(/^Error:\n/m);
  return message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('at '))
    .slice(0, 6)
    .map((line) => `says: ${line}`);
}
