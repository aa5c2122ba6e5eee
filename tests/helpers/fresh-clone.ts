/** The project as somebody has it who has just cloned it and run `npm ci`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { compileCacheOf } from '@tandem-clouds/local/stack/own-stack';
import { copyProject } from '@tandem-clouds/testkit/cluster/project-copy';

/** Variables that a test run has and a person's shell has not, but for those that only save time. */
const NOT_INHERITED =
  /^(AWS|AZURE|COSMOS|SERVICE_?BUS|TANDEM|SLS|SERVERLESS|npm|JEST|NODE(?!_COMPILE_CACHE))_/i;

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
    copyProject(this.dir);
  }

  /** Begins `sls …`. @param env What the user's shell has besides. */
  sls(args: readonly string[], env: Readonly<Record<string, string>> = {}): Command {
    const inherited = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !NOT_INHERITED.test(name)),
    );
    const cli = path.join(this.dir, 'node_modules/serverless/bin/serverless.js');
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: this.dir,
      env: { ...inherited, ...compileCacheOf(this.dir), ...env },
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
