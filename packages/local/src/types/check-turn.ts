/**
 * When types are checked: after all that a person waits for.
 *
 * Invariant: from the begin of a change until every site has it, or it has failed, the compiler computes nothing. What has
 * been built is checked once after that, however many changes it came in.
 */
import type { TypeCheck } from './type-check.ts';

export interface CheckTurnOptions {
  /** Absent: types are not checked. */
  readonly types: Pick<TypeCheck, 'hold' | 'release' | 'check'> | undefined;
  /** False: what was built is on its way to a site. */
  readonly isSettled: () => boolean;
}

export class CheckTurn {
  readonly #options: CheckTurnOptions;
  #isBuilding = false;
  /** Built, and not checked yet. */
  #unchecked: string[] = [];

  constructor(options: CheckTurnOptions) {
    this.#options = options;
  }

  /** A change is being generated and built. */
  begun(): void {
    this.#isBuilding = true;
    this.#options.types?.hold();
  }

  /** @param files That were built; none when it failed. Relative to the project. */
  ended(files: readonly string[]): void {
    this.#isBuilding = false;
    this.#unchecked.push(...files);
    this.next();
  }

  /** Perhaps every site has what was built. */
  next(): void {
    const { types, isSettled } = this.#options;
    if (this.#isBuilding || !isSettled()) return;
    types?.check(this.#unchecked);
    types?.release();
    this.#unchecked = [];
  }
}
