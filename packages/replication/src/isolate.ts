/**
 * Finding the key that fails for good among those that are asked for together.
 *
 * Invariant: one key or page that fails for good never decides about its neighbours. A call about several that is refused
 * for good is made again in halves, until what is refused is one key; what fails for a passing reason is thrown as ever.
 */
import { isPermanent } from './errors.ts';
import type { ScanPage, Versioned } from './ports/store.ts';
import { getMany, type Protocol, scan, scanKeys } from './protocol.ts';

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

/** A page of a scan that may have begun anew. */
export interface ScannedPage extends ScanPage {
  /** The first page of another, ordered scan: what was read of the one before comes again. */
  readonly again?: true;
}

/**
 * One page of a scan. One that is refused for good is asked for again with half as many records. What is refused with a single
 * one is passed over: its key is read by itself, and named when that fails too. A store that cannot say which key it was is
 * scanned anew, in an order in which it can.
 */
export function* scanPage(cursor: string | undefined, limit: number, ordered = false): Protocol<ScannedPage> {
  const from = { cursor, ...(ordered && { ordered }) };
  for (let size = limit; ; size = Math.ceil(size / 2)) {
    try {
      return yield* scan({ ...from, limit: size });
    } catch (error) {
      if (!isPermanent(error)) throw error;
      if (size === 1) break;
    }
  }
  const behind = yield* scanKeys(from);
  if (behind === undefined) return { ...(yield* scanPage(undefined, limit, true)), again: true };
  const { held, failed } = yield* readKeys(behind.keys);
  return {
    records: [...held.values()].map(({ record }) => record),
    ...(failed.size > 0 && { unreadable: failed }),
    ...(behind.next !== undefined && { next: behind.next }),
  };
}
