/** A running hash of everything that happened: two runs of one seed must end with the same. */

/** Two FNV-1a hashes (Fowler, Noll, Vo) with different offsets: 64 bits together. */
export class TraceHash {
  #high = 0x811c9dc5;
  #low = 0x01000193;

  add(text: string): void {
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      this.#high = Math.imul(this.#high ^ code, 0x01000193);
      this.#low = Math.imul(this.#low ^ code, 0x85ebca6b);
    }
  }

  toString(): string {
    const hex = (part: number): string => (part >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }
}
