/**
 * Seeded randomness: the one source of chance in a schedule, so that its seed replays it.
 *
 * Invariant: what a stream draws depends on its seed and its name alone, never on other streams. So a schedule from which
 * an operation or a fault is taken out draws the same for everything else, and can be made smaller step by step.
 */

/** A generator of pseudo-random numbers (mulberry32, 32 bits of state). */
export class Random {
  /** Whose chance this is: `op17`, or `sweep aws-1`. */
  readonly name: string;
  /** How many numbers have been drawn. */
  drawn = 0;
  readonly #seed: number;
  #state: number;

  constructor(seed: number, name = '') {
    this.name = name;
    this.#seed = seed;
    // Neighbouring seeds must not give neighbouring runs: spread them first (Knuth's multiplicative hash).
    let state = Math.imul(seed + 1, 0x9e3779b1);
    for (let i = 0; i < name.length; i += 1) state = Math.imul(state ^ name.charCodeAt(i), 0x01000193);
    this.#state = state >>> 0;
  }

  /** The stream of this seed with that name. */
  stream(name: string): Random {
    return new Random(this.#seed, name);
  }

  /** From 0, inclusive, to 1, exclusive. */
  next(): number {
    this.drawn += 1;
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to `below`, exclusive. */
  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** True with this probability. Draws nothing for 0, so that a fault that is off costs nothing. */
  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  /** @throws RangeError for an empty list. */
  pick<T>(from: readonly T[]): T {
    const picked = from[this.int(from.length)];
    if (picked === undefined) throw new RangeError('nothing to pick from');
    return picked;
  }

  /** A copy in random order (Fisher and Yates). */
  shuffled<T>(from: readonly T[]): T[] {
    const list = [...from];
    for (let i = list.length - 1; i > 0; i -= 1) {
      const j = this.int(i + 1);
      const held = list[i] as T;
      list[i] = list[j] as T;
      list[j] = held;
    }
    return list;
  }
}
