/**
 * Keeps the trigger process of one site running: forks it, restarts it within a second when it dies, and says why
 * it died with its last lines.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ToBridge } from './bridge-main.ts';

const MAIN = fileURLToPath(new URL('./bridge-main.ts', import.meta.url));
const LAST_LINES = 20;
const RESTART_MIN_MS = 50;
const RESTART_MAX_MS = 800;
/** A process that ran this long has not failed at its start: the next restart is quick again. */
const HEALTHY_AFTER_MS = 10_000;
const STOP_WITHIN_MS = 3_000;

export interface BridgeSupervisorOptions {
  readonly appDir: string;
  /** The whole environment of the trigger process, app settings included. */
  readonly env: NodeJS.ProcessEnv;
  readonly print: (line: string) => void;
}

export class BridgeSupervisor {
  readonly #options: BridgeSupervisorOptions;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #restartMs = RESTART_MIN_MS;
  #stopping = false;

  constructor(options: BridgeSupervisorOptions) {
    this.#options = options;
  }

  /** Starts the process; it announces itself when its triggers run. */
  start(): void {
    const { appDir, env, print } = this.#options;
    const last: string[] = [];
    const startedAt = Date.now();
    const child = fork(MAIN, [appDir], { execArgv: [], env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        last.push(line);
        if (last.length > LAST_LINES) last.shift();
        print(line);
      });
    }
    // A message that crosses the death of the process is lost with it; its successor loads the newest bundles.
    child.on('error', () => undefined);
    child.once('close', (code, signal) => {
      this.#died({ why: signal ?? `exit code ${code ?? ''}`, last, ranMs: Date.now() - startedAt });
    });
  }

  /** Makes the functions load their bundles again. */
  reload(): void {
    this.#send('reload');
  }

  /** Ends the process and restarts it no more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined) return;
    const closed = once(child, 'close');
    this.#send('stop');
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    await closed;
    clearTimeout(kill);
  }

  #send(message: ToBridge): void {
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
  }

  #died({ why, last, ranMs }: { why: string; last: readonly string[]; ranMs: number }): void {
    this.#child = undefined;
    if (this.#stopping) return;
    const { print } = this.#options;
    print(`[azure bridge] ended (${why}), restarting${last.length > 0 ? '; last lines:' : ''}`);
    for (const line of last) print(`  ${line}`);
    this.#restartMs =
      ranMs >= HEALTHY_AFTER_MS ? RESTART_MIN_MS : Math.min(this.#restartMs * 2, RESTART_MAX_MS);
    this.#restart = setTimeout(() => {
      this.start();
    }, this.#restartMs);
  }
}
