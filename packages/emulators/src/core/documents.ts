/**
 * The objects of an emulator, by collection and id, in memory and, with a folder, in a journal.
 *
 * Invariant: what one request has changed is one line of the journal, so after a crash it is there as a whole or not at
 * all. A value that was put is never changed in place.
 */
import path from 'node:path';
import { lockDataDir } from './data-lock.ts';
import { Journal } from './journal.ts';

/** Collection, id, value; without a value it is removed. */
type Change = readonly [collection: string, id: string, value?: unknown];

/** Lines of the journal, for each object that lives, beyond which it is written anew. */
const LINES_PER_OBJECT = 4;
const COMPACT_FROM = 1_000;

export class Documents {
  readonly #collections = new Map<string, Map<string, unknown>>();
  readonly #journal: Journal<readonly Change[]>;
  readonly #unlock: () => void;
  #changes: Change[] = [];

  /** @throws Error when another process has the folder. */
  constructor(dataDir?: string) {
    this.#unlock = dataDir === undefined ? () => undefined : lockDataDir(dataDir);
    const file = dataDir === undefined ? undefined : path.join(dataDir, 'objects.jsonl');
    this.#journal = Journal.open<readonly Change[]>(file, (changes) => {
      for (const change of changes) this.#apply(change);
    });
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the collection says what its objects are
  get<Value>(collection: string, id: string): Value | undefined {
    return this.#of(collection).get(id) as Value | undefined;
  }

  /** Oldest first. */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the collection says what its objects are
  all<Value>(collection: string): readonly Value[] {
    return [...this.#of(collection).values()] as Value[];
  }

  put(collection: string, id: string, value: unknown): void {
    this.#change([collection, id, value]);
  }

  remove(collection: string, id: string): void {
    this.#change([collection, id]);
  }

  /** Hands what was changed since the last time to the operating system. */
  commit(): void {
    if (this.#changes.length === 0) return;
    this.#journal.append(this.#changes);
    this.#changes = [];
    if (this.#journal.length < COMPACT_FROM) return;
    const entries = [...this.#collections].flatMap(([name, objects]) =>
      [...objects].map(([id, value]): readonly Change[] => [[name, id, value]]),
    );
    if (this.#journal.length > LINES_PER_OBJECT * entries.length) this.#journal.compact(entries);
  }

  close(): void {
    this.commit();
    this.#journal.close();
    this.#unlock();
  }

  #change(change: Change): void {
    this.#apply(change);
    this.#changes.push(change);
  }

  #apply([collection, id, value]: Change): void {
    if (value === undefined) this.#of(collection).delete(id);
    else this.#of(collection).set(id, value);
  }

  #of(collection: string): Map<string, unknown> {
    const known = this.#collections.get(collection) ?? new Map<string, unknown>();
    this.#collections.set(collection, known);
    return known;
  }
}
