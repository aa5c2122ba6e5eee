/**
 * Generates and resolves in a process that stays (workshop-main.ts).
 *
 * Invariants: a start pays nothing, because the process is started by the first use, or when it is warmed. Every question ends: a
 * process that ends, or that does not answer in time, fails what it was asked, and the next question starts another one.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromWorkshop, Generated, ToWorkshop } from './workshop-main.ts';

const MAIN = fileURLToPath(new URL('./workshop-main.ts', import.meta.url));
/** What was evaluated again is never freed: the process is replaced by another one after so many. */
const GENERATIONS_MAX = 30;
/** A generation takes a second at its first time, on a busy machine some; one that takes longer waits for something. */
const ANSWERED_WITHIN_MS = 60_000;
const LAST_WORDS_MAX = 2_000;

export interface WorkshopOptions {
  /** Absolute. */
  readonly projectDir: string;
  /** The whole environment, in which the variables of a definition are looked up. */
  readonly env: Readonly<Record<string, string>>;
  /** What runs in the process; absolute. Default workshop-main.ts. */
  readonly main?: string;
  /** Default 60 s. */
  readonly answeredWithinMs?: number;
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: PromiseWithResolvers<undefined>;
  readonly waiting: Map<number, PromiseWithResolvers<string>>;
  generations: number;
}

type Task =
  | { readonly type: 'generate' }
  | { readonly type: 'warm' }
  | { readonly type: 'resolve'; readonly file: string; readonly region: string };

export class Workshop {
  readonly #options: WorkshopOptions;
  #started: Started | undefined;
  #hasEnded = false;
  #id = 0;

  constructor(options: WorkshopOptions) {
    this.#options = options;
  }

  /** Of the process; undefined while there is none. */
  get pid(): number | undefined {
    return this.#started?.child.pid;
  }

  /** Something will be needed soon. */
  open(): void {
    if (!this.#hasEnded) this.#started ??= this.#start();
  }

  /** Unless it was used: loads what a generation needs. What fails, the first use says. */
  async warm(): Promise<void> {
    if (this.#started !== undefined || this.#hasEnded) return;
    await this.#ask({ type: 'warm' }).catch(() => undefined);
  }

  /**
   * Writes what follows from the declarations.
   * @throws Error with a line for each mistake.
   */
  async generate(): Promise<Generated> {
    return JSON.parse(await this.#ask({ type: 'generate' })) as Generated;
  }

  /** @param file The definition; absolute. @returns It as JSON. @throws Error with the framework's words. */
  async resolve(file: string, region: string): Promise<string> {
    return this.#ask({ type: 'resolve', file, region });
  }

  async stop(): Promise<void> {
    this.#hasEnded = true;
    await this.#end();
  }

  async #end(): Promise<void> {
    const started = this.#started;
    this.#started = undefined;
    if (started === undefined) return;
    started.child.kill('SIGKILL');
    await started.ended.promise;
  }

  async #ask(task: Task): Promise<string> {
    const isWorn = (this.#started?.generations ?? 0) >= GENERATIONS_MAX;
    if (isWorn && this.#started?.waiting.size === 0) await this.#end();
    if (this.#hasEnded) throw new Error('the stack ends');
    const started = (this.#started ??= this.#start());
    if (task.type === 'generate') started.generations += 1;
    const id = (this.#id += 1);
    const answer = Promise.withResolvers<string>();
    started.waiting.set(id, answer);
    started.child.send({ id, ...task } satisfies ToWorkshop, () => undefined);
    const { answeredWithinMs = ANSWERED_WITHIN_MS } = this.#options;
    const late = setTimeout(() => {
      this.#fail(
        started,
        `to ${task.type} takes longer than ${answeredWithinMs / 1_000} s: what waits, or has no end?`,
      );
    }, answeredWithinMs);
    try {
      return await answer.promise;
    } finally {
      clearTimeout(late);
    }
  }

  /** Nothing comes of this process any more. */
  #fail(started: Started, why: string): void {
    if (this.#started === started) this.#started = undefined;
    for (const { reject } of started.waiting.values()) reject(new Error(why));
    started.waiting.clear();
    started.child.kill('SIGKILL');
  }

  #start(): Started {
    const { projectDir, env, main = MAIN } = this.#options;
    const child = fork(main, [projectDir], {
      cwd: projectDir,
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const ended = Promise.withResolvers<undefined>();
    const started: Started = { child, ended, waiting: new Map(), generations: 0 };
    let lastWords = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      lastWords = (lastWords + chunk.toString()).slice(-LAST_WORDS_MAX);
    });
    child.on('message', (message: FromWorkshop) => {
      const answer = started.waiting.get(message.id);
      started.waiting.delete(message.id);
      if ('problem' in message) answer?.reject(new Error(message.problem));
      else answer?.resolve(message.result);
    });
    // It could not be started, or killed; 'close' need not follow.
    child.on('error', ({ message }) => {
      ended.resolve(undefined);
      this.#fail(started, `${main}: ${message}`);
    });
    child.once('close', (code, signal) => {
      ended.resolve(undefined);
      this.#fail(started, `${main} ended (${signal ?? `exit code ${code ?? ''}`})\n${lastWords}`.trim());
    });
    return started;
  }
}
