/**
 * A sketch of a set of hashes from which the difference of two sets can be read, if it is small: an invertible Bloom
 * lookup table (Eppstein, Goodrich, Uyeda, Varghese, "What's the Difference?", 2011).
 *
 * Invariant: its size depends on the number of differences that it can name, not on the size of the sets. Taking the
 * elements of one set out of a sketch of the other leaves their difference; what cancels out leaves no trace.
 */

/** A hash of 64 bits in two lanes. */
export type Hash = readonly [number, number];

/** The two sides of a difference. */
export interface Difference {
  /** In the set that was put in, not in the one that was taken out. */
  readonly added: readonly Hash[];
  /** In the set that was taken out only. */
  readonly taken: readonly Hash[];
}

/** Each element is in one cell of each of three tables; the difference may be 0.8 of all cells at most (3-uniform peeling). */
const TABLES = 3;
const TABLE_CELLS = 2_730;
const CELLS = TABLES * TABLE_CELLS;
const CELL_BYTES = 12;
/** Of a sketch as text, in base 64. */
export const SKETCH_CHARACTERS = Math.ceil((CELLS * CELL_BYTES) / 3) * 4;

/** 98 kB; 131 kB as text. It names about 6,000 differences. */
export class Sketch {
  /** Elements put in less those taken out, modulo 2^16. */
  readonly #counts: Uint16Array;
  /** The lanes of all elements of the cell, and their check sums, each combined by exclusive or. */
  readonly #a: Uint32Array;
  readonly #b: Uint32Array;
  readonly #checks: Uint16Array;

  constructor() {
    this.#counts = new Uint16Array(CELLS);
    this.#a = new Uint32Array(CELLS);
    this.#b = new Uint32Array(CELLS);
    this.#checks = new Uint16Array(CELLS);
  }

  /** @throws RangeError when the text is not one of `toText`. */
  static fromText(text: string): Sketch {
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length !== CELLS * CELL_BYTES) throw new RangeError('not a sketch of this release');
    const sketch = new Sketch();
    for (let cell = 0; cell < CELLS; cell += 1) {
      const at = cell * CELL_BYTES;
      sketch.#counts[cell] = bytes.readUInt16LE(at);
      sketch.#a[cell] = bytes.readUInt32LE(at + 2);
      sketch.#b[cell] = bytes.readUInt32LE(at + 6);
      sketch.#checks[cell] = bytes.readUInt16LE(at + 10);
    }
    return sketch;
  }

  toText(): string {
    const bytes = Buffer.alloc(CELLS * CELL_BYTES);
    for (let cell = 0; cell < CELLS; cell += 1) {
      const at = cell * CELL_BYTES;
      bytes.writeUInt16LE(this.#counts[cell] ?? 0, at);
      bytes.writeUInt32LE(this.#a[cell] ?? 0, at + 2);
      bytes.writeUInt32LE(this.#b[cell] ?? 0, at + 6);
      bytes.writeUInt16LE(this.#checks[cell] ?? 0, at + 10);
    }
    return bytes.toString('base64');
  }

  add(hash: Hash): void {
    this.#change(hash, 1);
  }

  take(hash: Hash): void {
    this.#change(hash, -1);
  }

  /**
   * Reads the difference and leaves the sketch empty; undefined when there are more differences than it can name.
   * A cell that holds one element names it; taking that out of its other cells may leave them with one. A sketch that
   * names more elements than it has cells was never made from records, and could go on for ever.
   */
  difference(): Difference | undefined {
    const added: Hash[] = [];
    const taken: Hash[] = [];
    const open = Array.from({ length: CELLS }, (_, cell) => cell);
    for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
      const sign = this.#signOf(cell);
      if (sign === undefined) continue;
      if (added.length + taken.length >= CELLS) return undefined;
      const hash: Hash = [this.#a[cell] ?? 0, this.#b[cell] ?? 0];
      (sign === 1 ? added : taken).push(hash);
      this.#change(hash, sign === 1 ? -1 : 1);
      open.push(...cellsOf(hash));
    }
    return this.#isEmpty() ? { added, taken } : undefined;
  }

  #change(hash: Hash, by: 1 | -1): void {
    const check = checkOf(hash);
    for (const cell of cellsOf(hash)) {
      this.#counts[cell] = (this.#counts[cell] ?? 0) + by;
      this.#a[cell] = (this.#a[cell] ?? 0) ^ hash[0];
      this.#b[cell] = (this.#b[cell] ?? 0) ^ hash[1];
      this.#checks[cell] = (this.#checks[cell] ?? 0) ^ check;
    }
  }

  /** 1 or -1 when the cell holds just one element, put in or taken out. */
  #signOf(cell: number): 1 | -1 | undefined {
    const count = this.#counts[cell];
    if (count !== 1 && count !== 0xffff) return undefined;
    const hash: Hash = [this.#a[cell] ?? 0, this.#b[cell] ?? 0];
    if (checkOf(hash) !== this.#checks[cell] || !cellsOf(hash).includes(cell)) return undefined;
    return count === 1 ? 1 : -1;
  }

  #isEmpty(): boolean {
    return [this.#counts, this.#a, this.#b, this.#checks].every((lane) => lane.every((value) => value === 0));
  }
}

/** The element's cell in each table. */
function cellsOf([a, b]: Hash): [number, number, number] {
  return [
    mixed(a) % TABLE_CELLS,
    TABLE_CELLS + (mixed(b) % TABLE_CELLS),
    2 * TABLE_CELLS + (mixed(a ^ Math.imul(b, 0x9e3779b1)) % TABLE_CELLS),
  ];
}

function checkOf([a, b]: Hash): number {
  return mixed(Math.imul(a, 0x85ebca6b) ^ b) & 0xffff;
}

function mixed(lane: number): number {
  const once = Math.imul(lane ^ (lane >>> 16), 0x7feb352d);
  return (once ^ (once >>> 15)) >>> 0;
}
