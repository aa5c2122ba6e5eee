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
  /** Arguments of Node. */
  readonly execArgv?: readonly string[];
}

export class BridgeSupervisor {
  readonly #process: KeptFork<ToBridge>;
  readonly #ready = Promise.withResolvers<undefined>();
  readonly #reloads = new Reloads();

  constructor({ appDir, env, print, execArgv }: BridgeSupervisorOptions) {
    this.#process = new KeptFork({
      label: 'azure bridge',
      main: fileURLToPath(new URL('./bridge-main.ts', import.meta.url)),
      args: [appDir],
      env,
      print,
      execArgv,
      stopMessage: 'stop',
      stopWithinMs: STOP_WITHIN_MS,
      onStart: () => {
        // It loads what is there now.
        this.#reloads.endAll();
        this.#process.expectReady();
      },
      onReady: () => {
        this.#ready.resolve(undefined);
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

  /** Resolves when its triggers run for the first time. */
  async whenReady(): Promise<void> {
    await this.#ready.promise;
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
