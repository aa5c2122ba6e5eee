/**
 * Time that passes only when nothing is left to be computed: what is measured on it is what the algorithms wait for, and
 * none of it is the processor's.
 */

interface Sleeper {
  readonly atMs: number;
  /** Of two that wake at the same time the one that fell asleep first wakes first. */
  readonly order: number;
  readonly wake: () => void;
}

export class VirtualTime {
  #nowMs: number;
  #order = 0;
  /** A binary heap: the first wakes next. */
  readonly #sleepers: Sleeper[] = [];

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  /** Epoch milliseconds. */
  readonly now = (): number => this.#nowMs;

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((wake) => {
      this.#order += 1;
      this.#push({ atMs: this.#nowMs + Math.max(0, ms), order: this.#order, wake });
    });

  /** Lets time pass until `isOver`. @throws Error when nobody waits for anything any more. */
  async run(isOver: () => boolean): Promise<void> {
    for (;;) {
      // Everything that can go on does so before any time passes.
      await new Promise((resolve) => setImmediate(resolve));
      if (isOver()) return;
      const next = this.#pop();
      if (next === undefined) throw new Error('nothing is left that could happen');
      this.#nowMs = next.atMs;
      next.wake();
    }
  }

  #push(sleeper: Sleeper): void {
    const heap = this.#sleepers;
    let index = heap.push(sleeper) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(heap[index], heap[parent])) return;
      swap(heap, index, parent);
      index = parent;
    }
  }

  #pop(): Sleeper | undefined {
    const heap = this.#sleepers;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let index = 0; ;) {
      const left = 2 * index + 1;
      const least = isBefore(heap[left + 1], heap[left]) ? left + 1 : left;
      if (!isBefore(heap[least], heap[index])) return first;
      swap(heap, index, least);
      index = least;
    }
  }
}

function isBefore(a: Sleeper | undefined, b: Sleeper | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.atMs - b.atMs < 0 || (a.atMs === b.atMs && a.order < b.order);
}

function swap(heap: Sleeper[], i: number, j: number): void {
  const [a, b] = [heap[i], heap[j]];
  if (a === undefined || b === undefined) return;
  heap[i] = b;
  heap[j] = a;
}
