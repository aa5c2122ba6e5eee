/**
 * A forked process that is kept running: restarted within a second when it dies, with the reason and its last
 * lines printed, until it is stopped.
 */
import { type ChildProcess, fork, type Serializable } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const LAST_LINES = 20;
const RESTART_MIN_MS = 50;
const RESTART_MAX_MS = 800;
/** A process that does not serve within this time, although it is alive, is killed and started again. */
const READY_WITHIN_MS = 60_000;
/** A process that ran this long has not failed at its start: the next restart is quick again. */
const HEALTHY_AFTER_MS = 10_000;

export interface KeptForkOptions<Message extends Serializable> {
  /** Names the process in what is printed: `aws bridge`. */
  readonly label: string;
  readonly main: string;
  readonly args?: readonly string[];
  /** The whole environment of the process. */
  readonly env: NodeJS.ProcessEnv;
  /** Receives every line of its output, and why it died. */
  readonly print: (line: string) => void;
  /** What tells it to end by itself. */
  readonly stopMessage: Message;
  readonly stopWithinMs: number;
  /** Called after every start, the first one included. */
  readonly onStart?: () => void;
  /** Called when the process serves, which its first message says. */
  readonly onReady?: () => void;
  /** Called with each message, the first one included. */
  readonly onMessage?: (message: unknown) => void;
  /** Where it has an inspector: `127.0.0.1:9229`. */
  readonly inspect?: string | undefined;
  /** Default 60 s. */
  readonly readyWithinMs?: number;
  readonly now?: () => number;
}

export class KeptFork<Message extends Serializable> {
  readonly #options: KeptForkOptions<Message>;
  readonly #now: () => number;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #restartMs = RESTART_MIN_MS;
  #overdue: NodeJS.Timeout | undefined;
  #trial: PromiseWithResolvers<undefined> | undefined;
  #stopping = false;

  constructor(options: KeptForkOptions<Message>) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Of the process that runs now; undefined between a death and the restart. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** @param isInspected False: another one still has the address of the inspector. */
  start(isInspected = true): void {
    const { main, args = [], env, print, onStart, onReady, onMessage, inspect } = this.#options;
    const last: string[] = [];
    const startedAt = this.#now();
    const child = fork(main, args, {
      execArgv: inspect !== undefined && isInspected ? [`--inspect=${inspect}`] : [],
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        last.push(line);
        if (last.length > LAST_LINES) last.shift();
        print(line);
      });
    }
    let isReady = false;
    child.on('message', (message) => {
      clearTimeout(this.#overdue);
      if (!isReady) {
        this.#trial?.resolve(undefined);
        this.#trial = undefined;
        onReady?.();
      }
      isReady = true;
      onMessage?.(message);
    });
    // A message that crosses the death of the process is lost with it; `onStart` tells its successor.
    child.on('error', () => undefined);
    child.once('close', (code, signal) => {
      this.#died({ why: signal ?? `exit code ${code ?? ''}`, last, ranMs: this.#now() - startedAt });
    });
    onStart?.();
  }

  /**
   * Resolves when it serves. If it ends before that it is not started again.
   * @throws Error with its last lines.
   */
  async trial(): Promise<void> {
    this.#trial = Promise.withResolvers<undefined>();
    await this.#trial.promise;
  }

  /** From now on the process has its time to report that it serves. Call it once it has all that it needs. */
  expectReady(): void {
    const { label, print, readyWithinMs = READY_WITHIN_MS } = this.#options;
    const child = this.#child;
    clearTimeout(this.#overdue);
    this.#overdue = setTimeout(() => {
      print(`[${label}] does not serve after ${readyWithinMs / 1_000} s`);
      child?.kill('SIGKILL');
    }, readyWithinMs);
  }

  send(message: Message): void {
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
  }

  /** Ends the process and restarts it no more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    clearTimeout(this.#overdue);
    const child = this.#child;
    if (child === undefined) return;
    const closed = once(child, 'close');
    this.send(this.#options.stopMessage);
    const kill = setTimeout(() => child.kill('SIGKILL'), this.#options.stopWithinMs);
    await closed;
    clearTimeout(kill);
  }

  #died({ why, last, ranMs }: { why: string; last: readonly string[]; ranMs: number }): void {
    this.#child = undefined;
    clearTimeout(this.#overdue);
    const { label, print } = this.#options;
    if (this.#trial !== undefined) {
      this.#stopping = true;
      this.#trial.reject(new Error([`${label} ended (${why})`, ...last].join('\n')));
      this.#trial = undefined;
    }
    if (this.#stopping) return;
    print(`[${label}] ended (${why}), restarting${last.length > 0 ? '; last lines:' : ''}`);
    for (const line of last) print(`  ${line}`);
    this.#restartMs =
      ranMs >= HEALTHY_AFTER_MS ? RESTART_MIN_MS : Math.min(this.#restartMs * 2, RESTART_MAX_MS);
    this.#restart = setTimeout(() => {
      this.start();
    }, this.#restartMs);
  }
}
