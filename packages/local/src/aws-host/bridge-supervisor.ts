/** Keeps the trigger process of one AWS site running and hands its plan to it, whenever it starts. */
import { fileURLToPath } from 'node:url';
import { KeptFork } from '../kept-fork.ts';
import { Reloads } from '../reloads.ts';
import type { BridgePlan, FromBridge, ToBridge } from './plan.ts';

const STOP_WITHIN_MS = 2_000;

export interface BridgeSupervisorOptions {
  /** The whole environment of the trigger process. */
  readonly env: NodeJS.ProcessEnv;
  readonly print: (line: string) => void;
  readonly now?: () => number;
  /** Default 60 s, from the moment at which it has its plan. */
  readonly readyWithinMs?: number;
  /** Where it has an inspector: `127.0.0.1:9229`. */
  readonly inspect?: string | undefined;
}

export class BridgeSupervisor {
  readonly #process: KeptFork<ToBridge & Record<string, unknown>>;
  readonly #ready = Promise.withResolvers<undefined>();
  readonly #reloads = new Reloads();
  readonly #inspect: string | undefined;
  #plan: BridgePlan | undefined;

  constructor(options: BridgeSupervisorOptions) {
    this.#inspect = options.inspect;
    this.#process = new KeptFork({
      ...options,
      label: 'aws bridge',
      main: fileURLToPath(new URL('./bridge-main.ts', import.meta.url)),
      stopMessage: { type: 'stop' },
      stopWithinMs: STOP_WITHIN_MS,
      onStart: () => {
        // It loads what is there now.
        this.#reloads.endAll();
        this.#handOver();
      },
      onReady: () => {
        this.#ready.resolve(undefined);
      },
      onMessage: (message) => {
        const { type, ...rest } = message as FromBridge;
        if (type === 'reloaded') this.#reloads.end('problem' in rest ? rest.problem : undefined);
      },
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /**
   * Starts the process, which loads its modules and waits for the plan: bundling can go on meanwhile.
   * @param isInspected False: another one still has the address of the inspector; `inspectNow` follows.
   */
  fork(isInspected = true): void {
    this.#process.start(isInspected);
  }

  /** The address of the inspector is free. */
  inspectNow(): void {
    if (this.#inspect !== undefined) this.#process.send({ type: 'inspect', address: this.#inspect });
  }

  /** Hands over the plan; resolves when the triggers run for the first time. */
  async start(plan: BridgePlan): Promise<void> {
    this.#plan = plan;
    if (this.#process.pid === undefined) this.fork();
    else this.#handOver();
    await this.#ready.promise;
  }

  /** Hands over the plan to a process that waits for it. @throws Error when it ends before its triggers run. */
  async tryPlan(plan: BridgePlan): Promise<void> {
    this.#plan = plan;
    const trial = this.#process.trial();
    this.#handOver();
    await trial;
  }

  /** Makes the functions load their bundles again. @returns Why they did not; undefined when they did. */
  reload(): Promise<string | undefined> {
    if (this.#plan === undefined || this.pid === undefined) return Promise.resolve(undefined);
    this.#process.send({ type: 'reload' });
    return this.#reloads.begin();
  }

  /** Ends the process and restarts it no more. */
  stop(): Promise<void> {
    this.#reloads.endAll();
    return this.#process.stop();
  }

  #handOver(): void {
    if (this.#plan === undefined) return;
    this.#process.send({ type: 'start', plan: this.#plan });
    this.#process.expectReady();
  }
}
