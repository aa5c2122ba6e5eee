/**
 * What lasts for as long as one of several reasons for it does.
 *
 * Invariant: a name is there until it has been deleted as often as it was added: the end of one fault does not end another
 * that overlaps it.
 */
export class Overlaps {
  readonly #counts = new Map<string, number>();

  has(name: string): boolean {
    return this.#counts.has(name);
  }

  add(name: string): this {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    return this;
  }

  delete(name: string): void {
    const count = this.#counts.get(name) ?? 0;
    if (count > 1) this.#counts.set(name, count - 1);
    else this.#counts.delete(name);
  }

  clear(): void {
    this.#counts.clear();
  }
}
