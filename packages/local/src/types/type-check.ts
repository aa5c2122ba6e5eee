/**
 * Reports type errors of what is changed while a stack runs.
 *
 * Invariant: the compiler's process is started by the first change after `open`, so who changes nothing pays nothing, and
 * it ends with the stack. Between `hold` and `release` it computes nothing, but not for longer than `HELD_MS_MAX`.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TypeReport } from './type-checker.ts';
import type { FromTypes, ToTypes } from './types-main.ts';

const MAIN = fileURLToPath(new URL('./types-main.ts', import.meta.url));
/** What can have types, or is imported by what has. */
const TYPED = /\.(?:ts|js|json)$/;
/** Nobody waits so long for a change; a site that takes none holds up no report. */
const HELD_MS_MAX = 10_000;

export interface TypeCheckOptions {
  /** Absolute. */
  readonly projectDir: string;
  /** Whose files are checked; relative to it. */
  readonly folders: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly onReport: (report: TypeReport, changed: readonly string[]) => void;
  /** Takes why types will not be checked; no change is after that. */
  readonly onProblem: (message: string) => void;
}

export class TypeCheck {
  readonly #options: TypeCheckOptions;
  #child: ChildProcess | undefined;
  #waiting: string[] = [];
  #state: 'waits' | 'open' | 'ended' = 'waits';
  /** What ends a hold that nobody ends; undefined while there is none. */
  #held: NodeJS.Timeout | undefined;

  constructor(options: TypeCheckOptions) {
    this.#options = options;
  }

  /** Of the compiler's process; undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Nothing is delayed by it any more: the stack is up. */
  open(): void {
    if (this.#state === 'waits') this.#state = 'open';
    this.check([]);
  }

  /** @param changed Files relative to the project; they are on the disk as they shall be checked. */
  check(changed: readonly string[]): void {
    this.#waiting.push(...changed.filter((file) => TYPED.test(file)));
    if (this.#state !== 'open' || this.#waiting.length === 0) return;
    this.#child ??= this.#start();
    this.#send({ changed: this.#waiting });
    this.#waiting = [];
  }

  /** Somebody waits for a change, which needs the processors: what is being checked stands still. */
  hold(): void {
    clearTimeout(this.#held);
    this.#held = setTimeout(() => this.release(), HELD_MS_MAX).unref();
    this.#send({ isHeld: true });
  }

  /** It goes on. */
  release(): void {
    clearTimeout(this.#held);
    this.#held = undefined;
    this.#send({ isHeld: false });
  }

  async stop(): Promise<void> {
    this.#state = 'ended';
    clearTimeout(this.#held);
    const child = this.#child;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    // It hears nothing while it checks.
    child.kill('SIGKILL');
    await exited;
  }

  #send(message: ToTypes): void {
    this.#child?.send(message, () => undefined);
  }

  #start(): ChildProcess {
    const { projectDir, folders, env, onReport } = this.#options;
    const child = fork(MAIN, [projectDir, ...folders], {
      cwd: projectDir,
      env,
      // Garbage of the compiler's short steps is collected early: 490 MB in place of 650.
      execArgv: ['--max-semi-space-size=4'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let lastWords = '';
    child.stderr?.on('data', (chunk: Buffer) => (lastWords = chunk.toString()));
    child.on('message', (message: FromTypes) => {
      if ('report' in message) onReport(message.report, message.changed);
      else this.#giveUp(message.problem);
    });
    child.on('error', (error) => this.#giveUp(error.message));
    if (this.#held !== undefined) child.send({ isHeld: true } satisfies ToTypes, () => undefined);
    child.once('exit', (code, signal) => {
      this.#child = undefined;
      if (code !== 0) this.#giveUp(lastWords.trim() || (signal ?? `exit code ${code ?? ''}`));
    });
    return child;
  }

  #giveUp(why: string): void {
    if (this.#state !== 'open') return;
    this.#options.onProblem(why);
    void this.stop();
  }
}
