/**
 * Which findings of repeated checks are worth a line: a line a change, not a line a question.
 *
 * Invariant: whoever has just started, and has never been well, is not reported: a peer may be starting as well. Once it has
 * had `graceMs` for that, it is.
 */
export class CheckChanges {
  readonly #found = new Map<string, boolean>();
  readonly #now: () => number;
  readonly #graceEndMs: number;

  /** @param now Monotonic milliseconds. */
  constructor(graceMs: number, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#graceEndMs = now() + graceMs;
  }

  /** @param mayBeStarting Of what is checked. @returns Whether this finding is another one than the one before. */
  isNew(name: string, ok: boolean, mayBeStarting: boolean): boolean {
    const before = this.#found.get(name);
    if (!ok && before === undefined && mayBeStarting && this.#now() < this.#graceEndMs) return false;
    this.#found.set(name, ok);
    return (before ?? true) !== ok;
  }
}
