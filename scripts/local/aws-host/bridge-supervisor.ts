/**
 * Keeps the trigger process of one site running: forks it, restarts it within a second when it dies, and says
 * why it died with its last lines.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BridgePlan, ToBridge } from './plan.ts';

const MAIN = fileURLToPath(new URL('./bridge-main.ts', import.meta.url));
const LAST_LINES = 20;
const RESTART_MIN_MS = 50;
const RESTART_MAX_MS = 800;
/** A process that ran this long has not failed at its start: the next restart is quick again. */
const HEALTHY_AFTER_MS = 10_000;
const STOP_WITHIN_MS = 2_000;

export interface BridgeSupervisorOptions {
  /** The whole environment of the trigger process. */
  readonly env: NodeJS.ProcessEnv;
  readonly print: (line: string) => void;
  readonly now?: () => number;
}

export class BridgeSupervisor {
  readonly #options: BridgeSupervisorOptions;
  readonly #now: () => number;
  #child: ChildProcess | undefined;
  #plan: BridgePlan | undefined;
  #restart: NodeJS.Timeout | undefined;
  #restartMs = RESTART_MIN_MS;
  #startedAt = 0;
  #stopping = false;
  #ready = Promise.withResolvers<undefined>();

  constructor(options: BridgeSupervisorOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Of the process that runs now; undefined between a death and the restart. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the process, which loads its modules and waits for the plan: bundling can go on meanwhile. */
  fork(): void {
    const last: string[] = [];
    const child = fork(MAIN, {
      execArgv: [],
      env: this.#options.env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    this.#startedAt = this.#now();
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        last.push(line);
        if (last.length > LAST_LINES) last.shift();
        this.#options.print(line);
      });
    }
    // It has only one thing to say: `FromBridge`.
    child.on('message', () => {
      this.#ready.resolve(undefined);
    });
    // A message that crosses the death of the process is lost with it; the next one gets the plan anew.
    child.on('error', () => undefined);
    child.once('close', (code, signal) => {
      this.#died(code, signal, last);
    });
    if (this.#plan !== undefined) this.#send({ type: 'start', plan: this.#plan });
  }

  /** Hands over the plan; resolves when the triggers run for the first time. */
  async start(plan: BridgePlan): Promise<void> {
    this.#plan = plan;
    if (this.#child === undefined) this.fork();
    else this.#send({ type: 'start', plan });
    await this.#ready.promise;
  }

  /** Makes the functions load their bundles again. */
  reload(): void {
    this.#send({ type: 'reload' });
  }

  /** Ends the process and restarts it no more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined) return;
    const closed = once(child, 'close');
    this.#send({ type: 'stop' });
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    await closed;
    clearTimeout(kill);
  }

  #send(message: ToBridge): void {
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
  }

  #died(code: number | null, signal: NodeJS.Signals | null, last: readonly string[]): void {
    this.#child = undefined;
    if (this.#stopping) return;
    const { print } = this.#options;
    print(
      `[aws bridge] ended (${signal ?? `exit code ${code ?? ''}`}), restarting${last.length > 0 ? '; last lines:' : ''}`,
    );
    for (const line of last) print(`  ${line}`);
    const healthy = this.#now() - this.#startedAt >= HEALTHY_AFTER_MS;
    this.#restartMs = healthy ? RESTART_MIN_MS : Math.min(this.#restartMs * 2, RESTART_MAX_MS);
    this.#restart = setTimeout(() => {
      this.fork();
    }, this.#restartMs);
  }
}
