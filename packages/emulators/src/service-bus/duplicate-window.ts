/**
 * The message ids that a queue with duplicate detection remembers.
 * Invariant: an id is remembered from the moment its message is stored until the window is over, and no longer.
 */
export class DuplicateWindow {
  /** Id to the epoch milliseconds until which it counts; ids live equally long, so this is in order of their ends. */
  readonly #seen = new Map<string, number>();

  has(id: string, nowMs: number): boolean {
    const until = this.#seen.get(id);
    return until !== undefined && until > nowMs;
  }

  remember(id: string, untilMs: number): void {
    this.#seen.set(id, untilMs);
  }

  /** Drops the ids whose time is over. */
  forget(nowMs: number): void {
    for (const [id, until] of this.#seen) {
      if (until > nowMs) break;
      this.#seen.delete(id);
    }
  }

  entries(): (readonly [id: string, untilMs: number])[] {
    return [...this.#seen];
  }
}
