/**
 * What is known of a site from the calls so far.
 *
 * Invariant: a site that failed is avoided for a time that doubles with each failure in a row; then one call tries it, and
 * the others go on avoiding it until that one is over.
 */
import { circuitMs, retryAfterMsMax } from './bounds.ts';

export class Circuit {
  #failures = 0;
  #openUntilMs = -Infinity;
  #notBeforeMs = -Infinity;
  #probing = false;

  /**
   * Whether a call should go elsewhere when it can.
   * @param mayProbe False for a call that would be stuck with this site: what may go elsewhere finds out first.
   */
  isAvoided(nowMs: number, mayProbe: boolean): boolean {
    if (this.#failures > 0 && !mayProbe) return true;
    return this.#notBeforeMs > nowMs || this.#openUntilMs > nowMs || (this.#failures > 0 && this.#probing);
  }

  /** The moment before which the site asked not to be asked (`Retry-After`). */
  get notBeforeMs(): number {
    return this.#notBeforeMs;
  }

  /** An attempt begins; what it returns must be called when that is over. */
  begin(): () => void {
    if (this.#failures === 0 || this.#probing) return () => undefined;
    this.#probing = true;
    return () => {
      this.#probing = false;
    };
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openUntilMs = -Infinity;
  }

  failed(nowMs: number): void {
    const ms = Math.min(circuitMs.first * 2 ** this.#failures, circuitMs.longest);
    this.#failures += 1;
    this.#openUntilMs = nowMs + ms;
  }

  /** The site is there and asks for a pause. */
  paused(nowMs: number, ms: number): void {
    this.#notBeforeMs = Math.max(this.#notBeforeMs, nowMs + Math.min(ms, retryAfterMsMax));
  }
}
