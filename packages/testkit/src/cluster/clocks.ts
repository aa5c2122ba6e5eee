/** The clocks of the sites' functions and bridges, moved through files (packages/local/src/skewed-clock.ts). */
import fs from 'node:fs';

/** What happens within this time of a move may have seen the clock before or after it. */
const MARGIN_MS = 3_000;

interface Skew {
  readonly site: string;
  readonly offsetMs: number;
}

export class Clocks {
  readonly #files: Readonly<Record<string, string>>;
  /** Of several for one site the latest counts. */
  readonly #skews = new Set<Skew>();
  readonly #moves: (Skew & { readonly atMs: number })[] = [];

  /** @param files Site → the file that its processes read. */
  constructor(files: Readonly<Record<string, string>>) {
    this.#files = files;
  }

  /** Moves a clock to so many milliseconds ahead of the machine's; the result takes that back. */
  skew(site: string, offsetMs: number): () => void {
    const skew = { site, offsetMs };
    this.#skews.add(skew);
    this.#set(site);
    return () => {
      this.#skews.delete(skew);
      this.#set(site);
    };
  }

  clear(): void {
    this.#skews.clear();
    for (const site of Object.keys(this.#files)) this.#set(site);
  }

  /** A site's offset throughout a time, or undefined when it was moved in it, or near it. */
  offsetDuring(site: string, fromMs: number, untilMs: number): number | undefined {
    const moves = this.#moves.filter((move) => move.site === site);
    if (moves.some(({ atMs }) => atMs > fromMs - MARGIN_MS && atMs < untilMs + MARGIN_MS)) return undefined;
    return moves.findLast(({ atMs }) => atMs <= fromMs)?.offsetMs ?? 0;
  }

  #set(site: string): void {
    const file = this.#files[site];
    if (file === undefined) throw new Error(`no clock of ${site}`);
    const offsetMs = [...this.#skews].findLast((skew) => skew.site === site)?.offsetMs ?? 0;
    fs.writeFileSync(`${file}.next`, String(offsetMs));
    fs.renameSync(`${file}.next`, file);
    this.#moves.push({ site, offsetMs, atMs: Date.now() });
  }
}
