/**
 * Setting entries for records that nobody writes: a new reaction is asked to run for old ones (`backfill`), and what a
 * site that is gone for good has left is taken over.
 *
 * Invariant: the condition is in the state, so a scan of the records finds all that is left, in any number of parts and as
 * often as one likes: an entry that is there stays.
 */
import { reactionScanMs, reactionScanPage } from '../bounds.ts';
import { isPermanent } from '../errors.ts';
import { scanPage } from '../isolate.ts';
import { all, type Protocol, type Site } from '../protocol.ts';
import { entityOf, type StoredRecord } from '../record.ts';
import type { SiteId } from '../stamp.ts';
import type { Condition } from './condition.ts';
import { wakeKeys } from './due.ts';
import { conditionsAt, entriesAfter } from './entries.ts';
import type { ReactionEntry } from './entry.ts';
import { updateEntries } from './react.ts';

/** Which conditions are to have an entry. */
export type Wanted =
  /** One reaction of an entity, whoever made its condition true. */
  | { readonly entity: string; readonly reaction: string }
  /** All that are this site's because another is gone for good. */
  | { readonly lost: SiteId };

export interface ScanReport {
  /** Records that were looked at. */
  readonly scanned: number;
  /** Entries that were set. */
  readonly set: number;
  /** Keys that cannot be read or written, for good. */
  readonly unusable: readonly string[];
  /** Where to go on; absent at the end. */
  readonly next?: string;
}

/** One part of a scan, from a cursor on; goes on for a bounded time. @throws what the store throws */
export function* setEntries(
  site: Site,
  wanted: Wanted,
  { cursor, runMs = reactionScanMs }: { readonly cursor?: string | undefined; readonly runMs?: number } = {},
): Protocol<ScanReport> {
  const startMs = site.now();
  let next = cursor;
  let [scanned, set] = [0, 0];
  const unusable: string[] = [];
  do {
    const page = yield* scanPage(next, reactionScanPage);
    next = page.next;
    scanned += page.records.length;
    unusable.push(...(page.unreadable?.keys() ?? []));
    const candidates = page.records.filter((record) => lacks(site, record, wanted).length > 0);
    const results = yield* all(candidates.map(({ key }) => setOne(site, key, wanted)));
    results.forEach((result, index) => {
      if (result === undefined) unusable.push(candidates[index]?.key ?? '');
      else set += result;
    });
  } while (next !== undefined && site.now() - startMs < runMs);
  return { scanned, set, unusable, ...(next !== undefined && { next }) };
}

/** Sets the entries of one record; undefined when it cannot be read or written for good. */
function* setOne(site: Site, key: string, wanted: Wanted): Protocol<number | undefined> {
  let set = 0;
  try {
    const written = yield* updateEntries(key, (held) => {
      const names = lacks(site, held, wanted);
      set = names.length;
      const asked = entriesAfter(site, key, { held, state: held.state, asked: true });
      if (set === 0) return held.reactions;
      const entries: Record<string, ReactionEntry> = { ...held.reactions };
      for (const name of names) entries[name] = asked?.[name] ?? {};
      return entries;
    });
    if (written !== undefined) yield* wakeKeys(site, [written.record]);
    return set;
  } catch (error) {
    if (!isPermanent(error)) throw error;
    return undefined;
  }
}

/** Reactions that are wanted and whose conditions hold, without an entry. */
function lacks(site: Site, record: StoredRecord, wanted: Wanted): readonly string[] {
  const isWanted = ({ reaction, site: where, origin, preparesFor }: Condition): boolean => {
    if ('lost' in wanted) return where === 'origin' && origin === wanted.lost;
    const of = preparesFor ?? { entity: entityOf(record.key), reaction };
    return of.entity === wanted.entity && of.reaction === wanted.reaction;
  };
  return [...conditionsAt(site, record.key, record.state).values()]
    .filter((condition) => {
      const entry = record.reactions?.[condition.reaction];
      const isDone = condition.site === 'every' && entry?.done === condition.effectId;
      return isWanted(condition) && entry?.effectId !== condition.effectId && !isDone;
    })
    .map(({ reaction }) => reaction);
}
