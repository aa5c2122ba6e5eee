/**
 * Finding the key that fails for good among those that are asked for together.
 *
 * Invariant: one key or page that fails for good never decides about its neighbours. A call about several that is refused
 * for good is made again in halves, until what is refused is one key; what fails for a passing reason is thrown as ever.
 */
import { isPermanent } from './errors.ts';
import type { ScanPage, Versioned } from './ports/store.ts';
import { getMany, scan, type Protocol } from './protocol.ts';

/** Key → why it fails for good. */
export type FailedKeys = ReadonlyMap<string, Error>;

export interface KeysRead {
  readonly held: ReadonlyMap<string, Versioned>;
  readonly failed: FailedKeys;
}

/** Reads keys; those that cannot be read for good are named beside what the others hold. */
export function* readKeys(keys: readonly string[]): Protocol<KeysRead> {
  if (keys.length === 0) return { held: new Map(), failed: new Map() };
  try {
    return { held: yield* getMany(keys), failed: new Map() };
  } catch (error) {
    if (!isPermanent(error)) throw error;
    const [key = ''] = keys;
    if (keys.length === 1) return { held: new Map(), failed: new Map([[key, error]]) };
  }
  const middle = Math.ceil(keys.length / 2);
  const first = yield* readKeys(keys.slice(0, middle));
  const second = yield* readKeys(keys.slice(middle));
  return {
    held: new Map([...first.held, ...second.held]),
    failed: new Map([...first.failed, ...second.failed]),
  };
}

/**
 * One page of a scan. One that is refused for good is asked for again with half as many records, and thrown when it is
 * refused with a single one: the store says where the next page begins, so nobody can step over it.
 */
export function* scanPage(cursor: string | undefined, limit: number): Protocol<ScanPage> {
  for (let size = limit; ; size = Math.ceil(size / 2)) {
    try {
      return yield* scan(cursor, size);
    } catch (error) {
      if (!isPermanent(error) || size === 1) throw error;
    }
  }
}
