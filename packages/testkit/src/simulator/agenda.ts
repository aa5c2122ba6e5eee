/**
 * Virtual time: what is to happen, and when.
 *
 * Invariant: things happen in the order of their time and, at the same time, in the order they were entered. No
 * real clock or timer is involved. What is entered draws its chances from the stream of whoever entered it.
 */
import type { Random } from '../random.ts';

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly random: Random;
  readonly act: () => void;
}

export class Agenda {
  /** Virtual milliseconds since the start of the schedule. */
  nowMs = 0;
  /** The stream of chances of what is happening now. */
  random: Random;
  /** Called when something has been done; it must change nothing. */
  onStep: (() => void) | undefined;
  #entered = 0;
  /** A binary heap: the earliest entry first. */
  readonly #heap: Entry[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  /** Does something, and all that comes of it, with a stream of its own. */
  as(name: string, act: () => void): void {
    const outer = this.random;
    this.random = outer.stream(name);
    act();
    this.random = outer;
  }

  after(delayMs: number, act: () => void): void {
    this.at(this.nowMs + delayMs, act);
  }

  /** A time that has passed means now. */
  at(atMs: number, act: () => void): void {
    this.#entered += 1;
    const heap = this.#heap;
    heap.push({ atMs: Math.max(atMs, this.nowMs), order: this.#entered, random: this.random, act });
    let child = heap.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#precedes(child, parent)) break;
      this.#swap(child, parent);
      child = parent;
    }
  }

  /** Does everything up to and including `untilMs`, and leaves the clock there. */
  runUntil(untilMs: number): void {
    const outer = this.random;
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= untilMs; first = this.#heap[0]) {
      this.#removeFirst();
      this.nowMs = first.atMs;
      this.random = first.random;
      first.act();
      this.onStep?.();
    }
    this.random = outer;
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let parent = 0; ;) {
      const left = 2 * parent + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const child = right < heap.length && this.#precedes(right, left) ? right : left;
      if (!this.#precedes(child, parent)) return;
      this.#swap(child, parent);
      parent = child;
    }
  }

  #precedes(a: number, b: number): boolean {
    const left = this.#entry(a);
    const right = this.#entry(b);
    return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
  }

  #swap(a: number, b: number): void {
    const held = this.#entry(a);
    this.#heap[a] = this.#entry(b);
    this.#heap[b] = held;
  }

  #entry(index: number): Entry {
    const entry = this.#heap[index];
    if (entry === undefined) throw new RangeError(`the agenda has no entry ${index}`);
    return entry;
  }
}
