/** Keeps the trigger process of one Azure site running. */
import { fileURLToPath } from 'node:url';
import { KeptFork } from '../kept-fork.ts';
import { Reloads } from '../reloads.ts';
import type { ToBridge } from './bridge-main.ts';

const STOP_WITHIN_MS = 3_000;

export interface BridgeSupervisorOptions {
  readonly appDir: string;
  /** The whole environment of the trigger process, app settings included. */
  readonly env: NodeJS.ProcessEnv;
  readonly print: (line: string) => void;
  /** Where it has an inspector: `127.0.0.1:9229`. */
  readonly inspect?: string | undefined;
}

export class BridgeSupervisor {
  readonly #process: KeptFork<ToBridge>;
  readonly #reloads = new Reloads();
  readonly #inspect: string | undefined;

  constructor({ appDir, env, print, inspect }: BridgeSupervisorOptions) {
    this.#inspect = inspect;
    this.#process = new KeptFork({
      label: 'azure bridge',
      main: fileURLToPath(new URL('./bridge-main.ts', import.meta.url)),
      args: [appDir],
      env,
      print,
      inspect,
      stopMessage: 'stop',
      stopWithinMs: STOP_WITHIN_MS,
      onStart: () => {
        // It loads what is there now.
        this.#reloads.endAll();
        this.#process.expectReady();
      },
      onMessage: (message) => {
        const { type, problem } = message as { readonly type?: 'reloaded'; readonly problem?: string };
        if (type === 'reloaded') this.#reloads.end(problem);
      },
    });
  }

  /** Starts the process; it announces itself when its triggers run. */
  start(): void {
    this.#process.start();
  }

  /**
   * Starts it beside another one, which still has the address of the inspector; `inspectNow` follows.
   * @throws Error when it ends before its triggers run; it is then not started again.
   */
  async tryStart(): Promise<void> {
    const trial = this.#process.trial();
    this.#process.start(false);
    await trial;
  }

  /** The address of the inspector is free. */
  inspectNow(): void {
    if (this.#inspect !== undefined) this.#process.send({ inspect: this.#inspect });
  }

  /** Makes the functions load their bundles again. @returns Why they did not; undefined when they did. */
  reload(): Promise<string | undefined> {
    if (this.#process.pid === undefined) return Promise.resolve(undefined);
    this.#process.send('reload');
    return this.#reloads.begin();
  }

  /** Ends the process and restarts it no more. */
  stop(): Promise<void> {
    this.#reloads.endAll();
    return this.#process.stop();
  }
}
