/**
 * Removing tombstones.
 *
 * Invariant: a tombstone is removed only when every site has held it, the very same and with nothing pending on it, for
 * longer than the horizon by that site's own clock; one that holds nothing goes by the stamps of the tombstone. So whatever
 * a site sent before it learned of the delete was sent longer ago than the horizon, and is refused where the key is absent
 * or has begun anew (`apply.ts`): nothing can come back. That of an erasure stays for longer (`erasedKeptMs`). One that cannot be read or removed, for good, is noted, and the
 * others go.
 */
import { compareStepMs, horizonMs, offerCharactersMax, offerPageSize, tombstoneMarginMs } from '../bounds.ts';
import { isPermanent } from '../errors.ts';
import { readKeys, scanPage } from '../isolate.ts';
import { keptMsOf } from '../lives.ts';
import { keeps, peersOf } from '../placement.ts';
import { type Protocol, putMany, remove, type Site } from '../protocol.ts';
import { isDeleted, stateName, type StoredRecord } from '../record.ts';
import { type SiteId, stampMs } from '../stamp.ts';
import { noteUnusable } from '../unusable-keys.ts';
import { vectorOfName } from '../vector.ts';
import { pass, type TombstoneCollection } from './job.ts';

/** For how long every site holds a tombstone at least. */
const KEPT_MS = horizonMs + tombstoneMarginMs;

/**
 * Asks the peers that keep them about tombstones of this site that are old enough; as many as fit one message. What has lain here since
 * before sites noted for how long is noted now.
 */
export function* beginCollection(site: Site): Protocol<void> {
  if (site.rebuilding === true) return;
  const atMs = site.now();
  const untilMs = atMs + compareStepMs;
  /** By the sites to be asked. */
  const asked = new Map<string, { readonly left: readonly SiteId[]; readonly states: Named[] }>();
  let characters = 0;
  let cursor: string | undefined;
  do {
    const page = yield* scanPage(cursor, offerPageSize);
    yield* noteUnusable(site, 'tombstones', page.unreadable ?? new Map());
    yield* noteGone(site, page.records);
    for (const record of page.records) {
      if (!mayGo(record, site.now())) continue;
      const name = stateName(record.state);
      const left = peersOf(site, record);
      const group = asked.get(left.join()) ?? { left, states: [] };
      asked.set(left.join(), group);
      group.states.push([record.key, name]);
      characters += record.key.length + name.length;
    }
    cursor = page.next;
  } while (cursor !== undefined && characters < offerCharactersMax && site.now() < untilMs);
  for (const { left, states } of asked.values())
    yield* passOn({ kind: 'bury', from: site.site, atMs, left, states });
}

type Named = readonly [key: string, state: string];

/** Leaves out what this site holds otherwise, and passes the rest on; where it began, removes what is left. */
export function* collectTombstones(site: Site, step: TombstoneCollection): Protocol<void> {
  const { held, failed: unreadable } = yield* readKeys(step.states.map(([key]) => key));
  const nowMs = site.now();
  // What all agree on must have been so when the first of them was asked.
  const sinceMs = Math.min(nowMs, step.atMs ?? 0);
  const same = step.states.filter(([key, name]) => {
    if (unreadable.has(key)) return false;
    const record = held.get(key)?.record;
    // Another release may ask more sites than this one lets keep it: it stays until all agree where it is kept.
    const isKept = (at: SiteId): boolean => keeps(site, at, { key, ...(record && { state: record.state }) });
    if (!step.left.every((peer) => peer === site.site || isKept(peer))) return false;
    return record === undefined
      ? site.rebuilding !== true && isLongPast(name, nowMs)
      : stateName(record.state) === name && mayGo(record, sinceMs);
  });
  if (step.from !== site.site) {
    yield* noteUnusable(site, 'tombstones', unreadable);
    const left = step.left.filter((peer) => peer !== site.site);
    if (same.length > 0) yield* passOn({ ...step, left, states: same });
    return;
  }
  const failed = new Map(unreadable);
  for (const [key] of same) {
    const versioned = held.get(key);
    if (versioned === undefined) continue;
    try {
      yield* remove(key, versioned.revision);
    } catch (error) {
      if (!isPermanent(error)) throw error;
      failed.set(key, error);
    }
  }
  yield* noteUnusable(site, 'tombstones', failed);
}

function* passOn(step: TombstoneCollection): Protocol<void> {
  yield* pass(step.left[0] ?? step.from, step);
}

function mayGo(record: StoredRecord, atMs: number): boolean {
  const { state, pending, goneSince = Infinity } = record;
  return (
    isDeleted(state) &&
    Object.keys(pending).length === 0 &&
    atMs - goneSince > keptMsOf(state) + tombstoneMarginMs &&
    isLongPast(stateName(state), atMs)
  );
}

/** Whether every stamp of a tombstone is older than it has to be kept, by this site's clock: it may have been behind. */
function isLongPast(name: string, nowMs: number): boolean {
  return Object.values(vectorOfName(name) ?? {}).every((stamp) => nowMs - stampMs(stamp) > KEPT_MS);
}

function* noteGone(site: Site, records: readonly StoredRecord[]): Protocol<void> {
  const unnoted = records.filter(({ state, goneSince }) => isDeleted(state) && goneSince === undefined);
  if (unnoted.length === 0) return;
  const { held } = yield* readKeys(unnoted.map(({ key }) => key));
  const writes = [...held.values()].flatMap(({ record, revision }) =>
    isDeleted(record.state) && record.goneSince === undefined
      ? [{ record: { ...record, goneSince: site.now() }, expected: revision }]
      : [],
  );
  // Whichever is being written, or is not written now, is noted in the next run.
  if (writes.length > 0) yield* putMany(writes);
}
