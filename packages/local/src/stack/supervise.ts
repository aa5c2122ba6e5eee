/**
 * All processes of one stack: started together, watched, ended in order.
 *
 * Invariant: the edge ends first, then the functions, then what they depend on; within 5 s nothing is left.
 */
import fs from 'node:fs';
import path from 'node:path';
import { FileWriteError } from '@tandem-clouds/emulators/core/files';
import { announced } from '../run-registry.ts';
import { type Death, Keeper, START_FAILURES_MAX } from './keeper.ts';
import type { ProcessPlan } from './topology.ts';

const POLL_STARTING_MS = 40;
const POLL_RUNNING_MS = 250;

/** How long each kind of process has for an orderly end; together under 5 s. */
const STOP_WITHIN_MS: Readonly<Record<ProcessPlan['role'], number>> = {
  edge: 1_300,
  host: 2_700,
  emulators: 800,
};
const STOP_ORDER = ['edge', 'host', 'emulators'] as const;

/** A process that cannot run, found before the stack was ready. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly death: Death;

  constructor(death: Death) {
    super(explain(death));
    this.death = death;
  }
}

/** What a person should know about a process that restarting does not help. */
export function explain({ name, why, hopeless }: Death): string {
  return hopeless === 'cannot start'
    ? `${name} cannot start`
    : `${name} ended ${START_FAILURES_MAX} times in a row before it was ready, last with ${why}`;
}

export interface SupervisorOptions {
  readonly plans: readonly ProcessPlan[];
  /** Working directory of every process. */
  readonly cwd: string;
  /** Where processes announce themselves; emptied at the start. */
  readonly runDir: string;
  readonly logsDir: string;
  readonly onLine: (name: string, line: string) => void;
  /** A process has started, has become ready or has died: `keepers` says which. */
  readonly onChange: () => void;
  readonly onDeath: (death: Death) => void;
  /** As of a keeper. */
  readonly onStart?: (keeper: Keeper) => void;
  readonly onMessage?: (keeper: Keeper, message: unknown) => void;
}

export class Supervisor {
  readonly keepers: readonly Keeper[];
  readonly #options: SupervisorOptions;
  readonly #ready = Promise.withResolvers<undefined>();
  #isReady = false;
  #poll: NodeJS.Timeout | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { runDir, logsDir, cwd, onLine, onChange, onStart, onMessage } = options;
    fs.rmSync(runDir, { recursive: true, force: true });
    makeFolder(runDir);
    this.keepers = options.plans.map(
      (plan) =>
        new Keeper({
          plan,
          cwd,
          runDir,
          logFile: path.join(logsDir, `${plan.name}.log`),
          onLine,
          onChange,
          onDeath: (death) => this.#died(death),
          ...(onStart && { onStart }),
          ...(onMessage && { onMessage }),
        }),
    );
    // Awaited by whenReady().
    this.#ready.promise.catch(() => undefined);
  }

  /** Starts everything at once: processes wait for each other by themselves. */
  start(): void {
    for (const keeper of this.keepers) keeper.start();
    this.#watch();
  }

  /**
   * Resolves when all have announced themselves for the first time.
   * @throws StartError when one of them cannot run.
   */
  async whenReady(): Promise<void> {
    await this.#ready.promise;
  }

  /** Ends all processes, in order. Calling it again waits for the same end. */
  async stop(): Promise<void> {
    this.#stopped ??= this.#stopInOrder();
    await this.#stopped;
  }

  /** The last resort, for when the supervisor itself is about to end: no waiting. */
  kill(): void {
    clearTimeout(this.#poll);
    for (const keeper of this.keepers) keeper.kill();
  }

  async #stopInOrder(): Promise<void> {
    clearTimeout(this.#poll);
    for (const keeper of this.keepers) keeper.restartNoMore();
    for (const role of STOP_ORDER) {
      const group = this.keepers.filter(({ plan }) => plan.role === role);
      await Promise.all(group.map((keeper) => keeper.stop(STOP_WITHIN_MS[role])));
    }
  }

  #watch(): void {
    this.#sample();
    this.#poll = setTimeout(() => this.#watch(), this.#isReady ? POLL_RUNNING_MS : POLL_STARTING_MS);
  }

  #sample(): void {
    try {
      // Somebody may have removed the folder with all that is in it.
      makeFolder(this.#options.runDir);
    } catch {
      // Nobody can announce anything now; what has been announced holds.
      return;
    }
    const entries = announced(this.#options.runDir);
    for (const keeper of this.keepers) keeper.take(entries);
    if (!this.#isReady && this.keepers.every(({ ready }) => ready)) {
      this.#isReady = true;
      this.#ready.resolve(undefined);
    }
  }

  #died(death: Death): void {
    this.#options.onDeath(death);
    if (death.hopeless !== undefined && !this.#isReady) this.#ready.reject(new StartError(death));
    for (const keeper of this.keepers) {
      if (keeper.plan.startsAnewWith === death.name) keeper.startAnew();
    }
  }
}

/** @throws FileWriteError */
function makeFolder(dir: string): void {
  try {
    fs.mkdirSync(dir, { recursive: true });
  } catch (cause) {
    throw new FileWriteError(dir, cause);
  }
}
