/** Keeps the trigger process of one Azure site running. */
import { fileURLToPath } from 'node:url';
import { KeptFork } from '../kept-fork.ts';
import type { ToBridge } from './bridge-main.ts';

const STOP_WITHIN_MS = 3_000;

export interface BridgeSupervisorOptions {
  readonly appDir: string;
  /** The whole environment of the trigger process, app settings included. */
  readonly env: NodeJS.ProcessEnv;
  readonly print: (line: string) => void;
}

export class BridgeSupervisor {
  readonly #process: KeptFork<ToBridge>;

  constructor({ appDir, env, print }: BridgeSupervisorOptions) {
    this.#process = new KeptFork({
      label: 'azure bridge',
      main: fileURLToPath(new URL('./bridge-main.ts', import.meta.url)),
      args: [appDir],
      env,
      print,
      stopMessage: 'stop',
      stopWithinMs: STOP_WITHIN_MS,
      onStart: () => {
        this.#process.expectReady();
      },
    });
  }

  /** Starts the process; it announces itself when its triggers run. */
  start(): void {
    this.#process.start();
  }

  /** Makes the functions load their bundles again. */
  reload(): void {
    this.#process.send('reload');
  }

  /** Ends the process and restarts it no more. */
  stop(): Promise<void> {
    return this.#process.stop();
  }
}
