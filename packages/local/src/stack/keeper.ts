/**
 * Keeps one process running: starts it, starts it again when it dies, ends it when told to.
 *
 * Invariants: at most one instance lives; whatever an instance started dies with it (its process group); an instance
 * does not outlive the supervisor (leash.ts); none is started while the file is there that the plan is held by.
 */
import { type ChildProcess, type Serializable, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { CANNOT_START } from '../exit-codes.ts';
import type { RunEntry } from '../run-registry.ts';
import { LastLines } from './last-lines.ts';
import { LogFile } from './log-file.ts';
import { reapGroup, signalGroup } from './process-group.ts';
import type { ProcessPlan } from './topology.ts';

const LEASH = pathToFileURL(path.join(import.meta.dirname, 'leash.ts')).href;

/** Milliseconds before the first, second, … restart of a process that keeps dying. */
export const RESTART_DELAYS_MS = [0, 250, 500, 1_000, 2_000] as const;
/** An instance that ran this long has not failed at its start: the next restart is immediate again. */
const HEALTHY_AFTER_MS = 10_000;
/** So many deaths at start-up in a row, and a person has to look. */
export const START_FAILURES_MAX = 5;
/** An instance that is alive and does not serve after this time is killed, and started again. */
const READY_WITHIN_MS = 180_000;
/** What a dead process left behind, such as its bridge, may finish its batch. */
const ORPHAN_GRACE_MS = 3_000;
/** A pipe that something else still holds is not waited for longer than this. */
const DRAIN_WITHIN_MS = 200;
/** How often the file is looked for that holds a process back. */
const HOLD_POLL_MS = 100;

/** How an instance ended. */
export interface Death {
  readonly name: string;
  readonly pid: number;
  /** `SIGKILL`, `exit code 1`. */
  readonly why: string;
  readonly lastLines: readonly string[];
  /** Milliseconds until the next instance starts; undefined when none will. */
  readonly restartInMs: number | undefined;
  /** It is not started again as long as a file is there (`ProcessPlan.heldBy`). */
  readonly held?: true;
  /** Set when restarting does not seem to help: the reason, for a person. */
  readonly hopeless?: 'cannot start' | 'keeps dying';
}

export interface KeeperOptions {
  readonly plan: ProcessPlan;
  /** Working directory. */
  readonly cwd: string;
  readonly runDir: string;
  readonly logFile: string;
  readonly onLine: (name: string, line: string) => void;
  /** An instance started, or became ready. */
  readonly onChange: () => void;
  readonly onDeath: (death: Death) => void;
  /** An instance started; `send` reaches it. */
  readonly onStart?: (keeper: Keeper) => void;
  /** An instance has sent something. */
  readonly onMessage?: (keeper: Keeper, message: unknown) => void;
}

export class Keeper {
  readonly plan: ProcessPlan;
  readonly #options: KeeperOptions;
  readonly #log: LogFile;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #announced = new Map<string, RunEntry>();
  #startedAt = 0;
  #beginsAnew = false;
  /** Why this instance was killed. */
  #killedBecause: string | undefined;
  #deathsInARow = 0;
  #startFailures = 0;
  #overdue: NodeJS.Timeout | undefined;
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: KeeperOptions) {
    this.plan = options.plan;
    this.#options = options;
    this.#log = new LogFile(options.logFile, {
      onProblem: (message) => options.onLine(options.plan.name, `warning: ${message}`),
    });
  }

  /** Of the instance that runs now. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get ready(): boolean {
    return this.plan.announces.every((name) => this.#announced.has(name));
  }

  /** Milliseconds since the instance was started. */
  get ageMs(): number {
    return Date.now() - this.#startedAt;
  }

  /** What the instance has announced: itself and, for a host, its bridge. */
  announced(name: string): RunEntry | undefined {
    return this.#announced.get(name);
  }

  start(): void {
    const { plan, cwd } = this.#options;
    if (this.#isHeld()) {
      this.#restart = setTimeout(() => this.start(), HOLD_POLL_MS);
      return;
    }
    this.#forgetAnnouncements();
    const child = spawn(process.execPath, ['--import', LEASH, ...plan.args], {
      cwd,
      env: { ...plan.env, ...variablesIn(plan.variablesFile) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C in the terminal reaches the supervisor only, which stops things in order.
      detached: true,
    });
    this.#child = child;
    this.#killedBecause = undefined;
    this.#startedAt = Date.now();
    const output = this.#capture(child);
    this.#expectReady();
    this.#exited = new Promise((resolve) => {
      child.once('error', (error) => {
        if (child.pid === undefined)
          resolve(this.#died(child, `could not be started: ${error.message}`, output));
      });
      // 'exit', not 'close': what the dead process started may hold the pipes open.
      child.once('exit', (code, signal) => {
        const why = this.#killedBecause ?? signal ?? `exit code ${code ?? ''}`;
        resolve(this.#died(child, why, output, code));
      });
    });
    child.on('message', (message: unknown) => this.#options.onMessage?.(this, message));
    this.#options.onStart?.(this);
    this.#options.onChange();
  }

  /** To the instance that runs now. What crosses its death is lost with it. */
  send(message: Serializable): void {
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
  }

  /** Takes what has been announced in the run registry; only what this instance said counts. */
  take(entries: readonly RunEntry[]): void {
    if (this.#child === undefined) return;
    for (const entry of entries) {
      if (!this.plan.announces.includes(entry.name)) continue;
      if (entry.name === this.plan.announces[0] && entry.pid !== this.pid) continue;
      const known = this.#announced.get(entry.name);
      if (known?.pid === entry.pid) continue;
      this.#announced.set(entry.name, entry);
      this.#options.onChange();
    }
  }

  /** Ends the instance in the ordinary way and starts another one. */
  startAnew(): void {
    if (this.#stopping || this.#child === undefined) return;
    this.#beginsAnew = true;
    this.#child.kill('SIGTERM');
  }

  /** Kills the instance with all that it started; another one is started. @param why For a person. */
  killBecause(why: string): void {
    if (this.#stopping || this.pid === undefined) return;
    this.#killedBecause = why;
    signalGroup(this.pid, 'SIGKILL');
  }

  /** From now on a death is final. */
  restartNoMore(): void {
    this.#stopping = true;
    clearTimeout(this.#restart);
  }

  /** Ends the instance: asks, and kills what is still there after `withinMs`. Nothing is started any more. */
  async stop(withinMs: number): Promise<void> {
    this.restartNoMore();
    const { pid } = this;
    if (pid !== undefined) {
      this.#child?.kill('SIGTERM');
      const kill = setTimeout(() => signalGroup(pid, 'SIGKILL'), withinMs);
      await this.#exited;
      clearTimeout(kill);
      await reapGroup(pid, 0);
    }
    this.#log.close();
  }

  /** The last resort: kills the instance and all that it started, without waiting. */
  kill(): void {
    this.restartNoMore();
    if (this.pid !== undefined) signalGroup(this.pid, 'SIGKILL');
  }

  #expectReady(): void {
    const withinMs = this.plan.readyWithinMs ?? READY_WITHIN_MS;
    clearTimeout(this.#overdue);
    this.#overdue = setTimeout(() => {
      if (!this.ready) this.killBecause(`not ready after ${withinMs / 1_000} s`);
    }, withinMs);
  }

  #capture(child: ChildProcess): LastLines {
    const output = new LastLines((line) => this.#options.onLine(this.plan.name, line));
    for (const stream of [child.stdout, child.stderr]) {
      const lines = output.stream();
      stream?.on('data', (chunk: Buffer) => {
        this.#log.write(chunk);
        lines.write(chunk);
      });
      stream?.once('end', () => lines.end());
    }
    return output;
  }

  async #died(child: ChildProcess, why: string, output: LastLines, code?: number | null): Promise<void> {
    const pid = child.pid ?? 0;
    const wasReady = this.ready;
    const onPurpose = this.#beginsAnew;
    this.#beginsAnew = false;
    this.#child = undefined;
    clearTimeout(this.#overdue);
    this.#forgetAnnouncements();
    if (this.#stopping) {
      await drained(child);
      return;
    }
    if (pid !== 0) void reapGroup(pid, ORPHAN_GRACE_MS);
    const hopeless = onPurpose ? undefined : this.#judge(wasReady, code);
    const restartInMs = hopeless === 'cannot start' ? undefined : this.#nextDelayMs();
    if (restartInMs !== undefined) this.#restart = setTimeout(() => this.start(), restartInMs);
    this.#options.onChange();
    await drained(child);
    this.#options.onDeath({
      name: this.plan.name,
      pid,
      why: onPurpose ? `stopped, because what it depends on begins anew` : why,
      lastLines: onPurpose ? [] : output.lines,
      restartInMs,
      ...(this.#isHeld() && { held: true }),
      ...(hopeless && { hopeless }),
    });
  }

  #isHeld(): boolean {
    const { heldBy } = this.plan;
    return heldBy !== undefined && fs.existsSync(heldBy);
  }

  #judge(wasReady: boolean, code: number | null | undefined): Death['hopeless'] {
    if (wasReady) this.#startFailures = 0;
    if (wasReady) return undefined;
    if (code === CANNOT_START) return 'cannot start';
    this.#startFailures += 1;
    if (this.#startFailures < START_FAILURES_MAX) return undefined;
    this.#startFailures = 0;
    return 'keeps dying';
  }

  #nextDelayMs(): number {
    if (this.ageMs >= HEALTHY_AFTER_MS) this.#deathsInARow = 0;
    const delay = RESTART_DELAYS_MS[Math.min(this.#deathsInARow, RESTART_DELAYS_MS.length - 1)] ?? 0;
    this.#deathsInARow += 1;
    return delay;
  }

  #forgetAnnouncements(): void {
    this.#announced = new Map();
    for (const name of this.plan.announces) {
      fs.rmSync(path.join(this.#options.runDir, `${name}.json`), { force: true });
    }
  }
}

/** Of a file that is written whole before it has its name; none when it is not there. */
function variablesIn(file: string | undefined): Readonly<Record<string, string>> {
  if (file === undefined || !fs.existsSync(file)) return {};
  return JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, string>;
}

/** Its last words may still be in the pipes, and they are what a person wants to read. */
async function drained(child: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve));
  await Promise.race([closed, delay(DRAIN_WITHIN_MS, undefined, { ref: false })]);
}
