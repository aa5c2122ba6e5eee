/**
 * Which contents are not everywhere yet: what this site lacks, and what is here and not at a peer, which would be lost with
 * this site for good.
 *
 * Invariant: every record about which a site has to fetch content, or whose content came to it and is not everywhere, stands
 * in its index of what is due (`conditions.ts`). So a look at that index finds all of them, as far as they have arrived, and
 * costs nothing where there are none. Each is confirmed by the record itself; beyond a bound there are "at least" so many.
 */
import { contentEntriesMax, contentEntriesPage, contentKeysMax } from '../bounds.ts';
import { readKeys } from '../isolate.ts';
import { keeps, peersOf } from '../placement.ts';
import type { DueEntry } from '../ports/store.ts';
import { due, type Protocol, type Site } from '../protocol.ts';
import type { StoredRecord } from '../record.ts';
import type { SiteId } from '../stamp.ts';
import type { Contents, Held } from './content.ts';

/** Contents, together. */
export interface Tally {
  readonly objects: number;
  readonly bytes: number;
  /** Those that should have been there by now. */
  readonly overdue: number;
  /** Epoch milliseconds at which the oldest of them was completed; absent: there are none. */
  readonly oldestMs?: number;
}

export const NO_TALLY: Tally = { objects: 0, bytes: 0, overdue: 0 };

export interface ContentExposure {
  /** What this site is to have and has not. */
  readonly lacking: Tally;
  /** Of that, what nobody says that they have: it cannot be fetched. */
  readonly held: { readonly nowhere: Tally; readonly by: ReadonlyMap<SiteId, Tally> };
  /** What is here and not there, by peer. */
  readonly atRisk: ReadonlyMap<SiteId, Tally>;
  /** There may be more. */
  readonly atLeast: boolean;
}

/** Looks at what is due. @throws what the store throws */
export function* contentExposure(
  site: Site,
  contents: Contents,
  { keysMax = contentKeysMax }: { readonly keysMax?: number } = {},
): Protocol<ContentExposure> {
  const { keys, atLeast } = yield* keysOfContents(contents, keysMax);
  const { held } = yield* readKeys(keys);
  return {
    ...tallied(
      site,
      contents,
      [...held.values()].map(({ record }) => record),
    ),
    atLeast,
  };
}

/** Keys in the index whose records may have content, the first that are due. */
function* keysOfContents(
  contents: Contents,
  keysMax: number,
): Protocol<{ readonly keys: readonly string[]; readonly atLeast: boolean }> {
  const keys = new Set<string>();
  let after: DueEntry | undefined;
  for (let seen = 0; seen < contentEntriesMax;) {
    const page: readonly DueEntry[] = yield* due(Number.MAX_SAFE_INTEGER, contentEntriesPage, after);
    for (const { key } of page) if (contents.may(key)) keys.add(key);
    if (keys.size > keysMax) return { keys: [...keys].slice(0, keysMax), atLeast: true };
    if (page.length < contentEntriesPage) return { keys: [...keys], atLeast: false };
    seen += page.length;
    after = page.at(-1);
  }
  return { keys: [...keys], atLeast: true };
}

function tallied(
  site: Site,
  contents: Contents,
  records: readonly StoredRecord[],
): Omit<ContentExposure, 'atLeast'> {
  const nowMs = site.now();
  let [lacking, nowhere] = [NO_TALLY, NO_TALLY];
  const by = new Map<SiteId, Tally>();
  const atRisk = new Map<SiteId, Tally>();
  const count = (tallies: Map<SiteId, Tally>, at: SiteId, each: Held): void => {
    tallies.set(at, added(tallies.get(at) ?? NO_TALLY, each, nowMs));
  };
  for (const record of records) {
    const each = contents.of(record.key, record.state, nowMs);
    if (each === undefined || !keeps(site, site.site, record)) continue;
    const peers = peersOf(site, record);
    if (each.heldBy.includes(site.site)) {
      for (const peer of peers) if (!each.heldBy.includes(peer)) count(atRisk, peer, each);
      continue;
    }
    lacking = added(lacking, each, nowMs);
    const holders = peers.filter((peer) => each.heldBy.includes(peer));
    for (const holder of holders) count(by, holder, each);
    if (holders.length === 0) nowhere = added(nowhere, each, nowMs);
  }
  return { lacking, held: { nowhere, by }, atRisk };
}

function added(tally: Tally, { content, byMs }: Held, nowMs: number): Tally {
  return {
    objects: tally.objects + 1,
    bytes: tally.bytes + content.bytes,
    overdue: tally.overdue + (nowMs > byMs ? 1 : 0),
    oldestMs: Math.min(tally.oldestMs ?? Infinity, content.completedMs),
  };
}
