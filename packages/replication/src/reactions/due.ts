/**
 * The sparse index of entries, and what is woken from it.
 *
 * Invariant: a record is in the index for as long as one of its entries stands: by the moment of the next attempt, or,
 * when all of them are parked, behind every moment there is. The message that wakes a key is the fast path only.
 */
import { reactionsLatelyMs, wakeGraceMs, wakeKeysMax } from '../bounds.ts';
import type { DueEntry } from '../ports/store.ts';
import { due, type Protocol, type Site, wake } from '../protocol.ts';
import type { StoredRecord } from '../record.ts';
import { isDue } from './due-at.ts';

/** Wakes keys that have something to do now. Best effort: what is lost is woken by the sweep. */
export function* wakeKeys(site: Site, records: readonly StoredRecord[]): Protocol<void> {
  if (site.reactions === undefined) return;
  const nowMs = site.now();
  const keys = records.filter((record) => isDue(record, nowMs)).map(({ key }) => key);
  if (keys.length > 0) yield* wake(keys);
}

export interface WakeReport {
  /** Keys that were woken. */
  readonly woken: number;
  /** How long the oldest of them had been due; 0: none was. */
  readonly oldestMs: number;
}

/**
 * Wakes what is due and was not run: the oldest first, and beside them what has become due lately, which need not wait
 * for the end of a backlog, nor behind keys that cannot be read.
 */
export function* wakeDue(
  site: Site,
  {
    graceMs = wakeGraceMs,
    keysMax = wakeKeysMax,
  }: { readonly graceMs?: number; readonly keysMax?: number } = {},
): Protocol<WakeReport> {
  const nowMs = site.now();
  const beforeMs = nowMs - graceMs;
  const share = Math.ceil(keysMax / 2);
  const oldest = yield* due(beforeMs, share);
  const since: DueEntry = { key: '', sinceMs: beforeMs - reactionsLatelyMs };
  const lately = oldest.length < share ? [] : yield* due(beforeMs, share, since);
  const keys = [...new Set([...oldest, ...lately].map(({ key }) => key))];
  if (keys.length > 0) yield* wake(keys);
  return { woken: keys.length, oldestMs: Math.max(0, nowMs - (oldest[0]?.sinceMs ?? nowMs)) };
}
