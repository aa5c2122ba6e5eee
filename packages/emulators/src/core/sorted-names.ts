/**
 * Names in the order of their UTF-8 bytes, which is the order of lists in object storage. A list of one page starts by a
 * binary search, so a page of 100,000 names costs what a page of 1,000 does.
 */

export class SortedNames {
  #names: string[] = [];
  /** Added since the last use; a replayed journal is sorted once. */
  #added: string[] = [];

  get size(): number {
    return this.#names.length + this.#added.length;
  }

  /** @param name One that is not there yet. */
  add(name: string): void {
    this.#added.push(name);
  }

  delete(name: string): void {
    const names = this.#settled();
    const at = indexFrom(names, name);
    if (names[at] === name) names.splice(at, 1);
  }

  /** The names from this one on, itself included, in order. Nothing may be added or deleted meanwhile. */
  *from(name: string): Generator<string, void, undefined> {
    const names = this.#settled();
    for (let at = indexFrom(names, name); at < names.length; at += 1) yield names[at] ?? '';
  }

  #settled(): string[] {
    const [one, ...more] = this.#added;
    if (one === undefined) return this.#names;
    if (more.length === 0) this.#names.splice(indexFrom(this.#names, one), 0, one);
    else this.#names = [...this.#names, ...this.#added].sort(compareNames);
    this.#added = [];
    return this.#names;
  }
}

/** Of the first name that is not before this one. */
function indexFrom(names: readonly string[], name: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareNames(names[middle] ?? '', name) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** By UTF-8 bytes: UTF-16 units have the same order, but for surrogates, which come after all others. */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
