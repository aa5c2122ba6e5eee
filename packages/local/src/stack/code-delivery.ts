/**
 * The code on its way to the sites: which each has been given, and what became of it.
 *
 * Invariants: every change ends on the screen, in one line when all its sites serve it, or with the reason of each that
 * does not; changes that overtake it are in the same line. A site that does not answer in time begins anew with the
 * newest code, so it takes the next change whatever this one did to it.
 */
import type { Code, CodeTaken } from '../code/messages.ts';
import { seconds } from './output.ts';

/** The slowest change, of triggers, takes 2 s on a busy machine. */
const TAKEN_WITHIN_MS = 30_000;
/** The rest of a long list is a number. */
const NAMED_MAX = 4;

export interface CodeDeliveryOptions {
  readonly send: (site: string, code: Code) => void;
  /** False: it is being started, or has ended; somebody else sees to that, and `started` follows. */
  readonly isReady: (site: string) => boolean;
  /** Ends the process of a site; another one is started. */
  readonly restart: (site: string, why: string) => void;
  /** A debugger may hold a site for as long as a person looks at it. */
  readonly isInspected: boolean;
  /** Takes a line. */
  readonly print: (line: string) => void;
  readonly onProblem: (what: string, lines: readonly string[]) => void;
  /** No site has to take anything any more. */
  readonly onSettled: () => void;
  readonly now?: () => number;
  /** @returns What stops it. */
  readonly startTimer?: (ms: number, onEnd: () => void) => () => void;
}

interface Change {
  readonly files: readonly string[];
  readonly begunAt: number;
  /** Generation by the sites that have not taken it yet. */
  readonly waiting: Map<string, number>;
  readonly taken: string[];
}

export class CodeDelivery {
  readonly #options: CodeDeliveryOptions;
  readonly #now: () => number;
  readonly #codes = new Map<string, Code>();
  /** What stops the timer of a site. */
  readonly #timers = new Map<string, () => void>();
  #change: Change = { files: [], begunAt: 0, waiting: new Map(), taken: [] };

  constructor(options: CodeDeliveryOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get isSettled(): boolean {
    return this.#change.waiting.size === 0;
  }

  /**
   * @param codes By site; none: everything is as it was before a mistake.
   * @param files What has changed; none: this is the start.
   * @param begunAt When that was noticed, as `now` counts.
   */
  handOut(codes: ReadonlyMap<string, Code>, files: readonly string[], begunAt: number): void {
    const { print, send, isReady } = this.#options;
    for (const [site, code] of codes) this.#codes.set(site, code);
    if (files.length > 0 && codes.size > 0) this.#change = this.#changeWith(codes, files, begunAt);
    if (files.length > 0 && codes.size === 0) print(`Builds again, as before: ${named(files)}`);
    for (const [site, code] of codes) {
      send(site, code);
      if (files.length > 0 && isReady(site)) this.#expect(site);
    }
  }

  /** The process of a site has just begun. */
  started(site: string): void {
    this.#stopTimer(site);
    const code = this.#codes.get(site);
    if (code !== undefined) this.#options.send(site, code);
  }

  taken(site: string, { generation, problem }: CodeTaken): void {
    const { onProblem, onSettled, print } = this.#options;
    this.#stopTimer(site);
    if (problem !== undefined)
      onProblem(`Change not taken, ${site} goes on with the code from before`, problem.split('\n'));
    const { waiting, taken, files, begunAt } = this.#change;
    const expected = waiting.get(site);
    // One from before: what it shall serve is still on its way.
    if (expected !== undefined && expected !== generation) this.#expect(site);
    if (expected !== generation) return;
    waiting.delete(site);
    if (problem === undefined) taken.push(site);
    if (waiting.size > 0) return;
    if (taken.length > 0)
      print(`Changed after ${seconds(this.#now() - begunAt)}: ${named(files)}, at ${taken.join(', ')}`);
    onSettled();
  }

  stop(): void {
    for (const site of [...this.#timers.keys()]) this.#stopTimer(site);
  }

  /** What some sites have still to take is a part of it. */
  #changeWith(codes: ReadonlyMap<string, Code>, files: readonly string[], begunAt: number): Change {
    const before = this.isSettled ? undefined : this.#change;
    return {
      files: [...new Set([...(before?.files ?? []), ...files])],
      begunAt: before?.begunAt ?? begunAt,
      waiting: new Map([
        ...(before?.waiting ?? []),
        ...[...codes].map(([site, { generation }]) => [site, generation] as const),
      ]),
      taken: (before?.taken ?? []).filter((site) => !codes.has(site)),
    };
  }

  #expect(site: string): void {
    const { startTimer = timer, isInspected, restart, onProblem } = this.#options;
    // One that takes nothing is not given more time because there is more to take.
    if (this.#timers.has(site)) return;
    const stop = startTimer(TAKEN_WITHIN_MS, () => {
      this.#timers.delete(site);
      const late = `has not taken the change after ${TAKEN_WITHIN_MS / 1_000} s`;
      if (isInspected) onProblem(`${site} ${late}: it does when no breakpoint holds it`, []);
      else restart(site, late);
    });
    this.#timers.set(site, stop);
  }

  #stopTimer(site: string): void {
    this.#timers.get(site)?.();
    this.#timers.delete(site);
  }
}

function timer(ms: number, onEnd: () => void): () => void {
  const running = setTimeout(onEnd, ms);
  return () => clearTimeout(running);
}

/** `src/handlers/items.ts, src/shared/bounds.ts` */
export function named(files: readonly string[]): string {
  const rest = files.length - NAMED_MAX;
  return files.slice(0, NAMED_MAX).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
