/** The project as somebody has it who has just cloned it and run `npm ci`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '../..');
const OWN_PACKAGES = '@tandem-clouds';
/** What is not in a clone: what commands of the project have made. */
const NOT_CLONED = new Set([
  'node_modules',
  '.git',
  '.tandem',
  '.esbuild',
  '.artifacts',
  '.serverless',
  '.bench',
  '.peers',
  '.simulate',
  'coverage',
]);
/** Variables that a test run has and a person's shell has not, but for the one that only saves time. */
const NOT_INHERITED =
  /^(AWS|AZURE|COSMOS|SERVICE_?BUS|TANDEM|SLS|SERVERLESS|npm|JEST|NODE(?!_COMPILE_CACHE$))_/i;

/** A command of the Serverless CLI that runs in a clone. */
export interface Command {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** The exit code; null after a signal. */
  readonly ended: Promise<number | null>;
}

export class FreshClone {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-clone-'));
  readonly #commands: Command[] = [];

  constructor() {
    for (const name of fs.readdirSync(ROOT)) {
      if (!NOT_CLONED.has(name)) {
        fs.cpSync(path.join(ROOT, name), path.join(this.dir, name), { recursive: true });
      }
    }
    linkModules(path.join(ROOT, 'node_modules'), path.join(this.dir, 'node_modules'));
  }

  /** Begins `sls …`. @param env What the user's shell has besides. */
  sls(args: readonly string[], env: Readonly<Record<string, string>> = {}): Command {
    const inherited = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !NOT_INHERITED.test(name)),
    );
    const cli = path.join(this.dir, 'node_modules/serverless/bin/serverless.js');
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: this.dir,
      env: { ...inherited, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    }
    const ended = once(child, 'close').then(([code]) => code as number | null);
    const command = { child, output: () => text, ended };
    this.#commands.push(command);
    return command;
  }

  /** Ends what still runs and removes the folder. */
  async remove(): Promise<void> {
    for (const { child } of this.#commands) child.kill('SIGTERM');
    await Promise.all(this.#commands.map(({ ended }) => ended));
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/** What is installed, but for the project's own packages: those are the clone's. */
function linkModules(from: string, to: string): void {
  fs.mkdirSync(to);
  for (const name of fs.readdirSync(from)) {
    if (name !== OWN_PACKAGES) fs.symlinkSync(path.join(from, name), path.join(to, name));
  }
  fs.mkdirSync(path.join(to, OWN_PACKAGES));
  for (const name of fs.readdirSync(path.join(from, OWN_PACKAGES))) {
    fs.symlinkSync(path.join('../../packages', name), path.join(to, OWN_PACKAGES, name));
  }
}
