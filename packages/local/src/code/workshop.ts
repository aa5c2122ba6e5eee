/**
 * Generates and resolves in a process that stays (workshop-main.ts).
 *
 * Invariant: who changes nothing pays nothing, because the process is started by the first use; one that ends is started
 * again by the next.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromWorkshop, ToWorkshop } from './workshop-main.ts';

const MAIN = fileURLToPath(new URL('./workshop-main.ts', import.meta.url));
/** Modules of earlier generations are never freed: the process has 124 MB after the first, 290 after thirty. */
const GENERATIONS_MAX = 30;
const LAST_WORDS_MAX = 2_000;

export interface WorkshopOptions {
  /** Absolute. */
  readonly projectDir: string;
  /** The whole environment, in which the variables of a definition are looked up. */
  readonly env: Readonly<Record<string, string>>;
}

interface Started {
  readonly child: ChildProcess;
  readonly waiting: Map<number, PromiseWithResolvers<string>>;
  generations: number;
}

type Task =
  | { readonly type: 'generate' }
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

  /**
   * Writes what follows from the declarations.
   * @returns What was written or deleted, relative to the project.
   * @throws Error with a line for each mistake.
   */
  async generate(): Promise<readonly string[]> {
    const lines = await this.#ask({ type: 'generate' });
    return [...lines.matchAll(/^(?:wrote|deleted) (.+)$/gm)].map(([, file = '']) => file);
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
    const exited = once(started.child, 'exit');
    started.child.kill('SIGKILL');
    await exited;
  }

  async #ask(task: Task): Promise<string> {
    const isWorn = (this.#started?.generations ?? 0) >= GENERATIONS_MAX;
    if (isWorn && this.#started?.waiting.size === 0) await this.#end();
    if (this.#hasEnded) throw new Error('the stack ends');
    this.#started ??= this.#start();
    const { child, waiting } = this.#started;
    if (task.type === 'generate') this.#started.generations += 1;
    const id = (this.#id += 1);
    const answer = Promise.withResolvers<string>();
    waiting.set(id, answer);
    child.send({ id, ...task } satisfies ToWorkshop, () => undefined);
    return answer.promise;
  }

  #start(): Started {
    const { projectDir, env } = this.#options;
    const child = fork(MAIN, [projectDir], {
      cwd: projectDir,
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const started: Started = { child, waiting: new Map(), generations: 0 };
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
    child.on('error', () => undefined);
    child.once('close', (code, signal) => {
      if (this.#started === started) this.#started = undefined;
      const why = `${MAIN} ended (${signal ?? `exit code ${code ?? ''}`})\n${lastWords}`.trim();
      for (const { reject } of started.waiting.values()) reject(new Error(why));
    });
    return started;
  }
}
