/**
 * Removing what a site holds and does not keep: it was written before the declaration said so, or has come from a release
 * that did not know.
 *
 * Invariant: a record is removed only when a site that keeps it holds what it holds, or more, and nothing of it is pending
 * for a site that keeps it. So whatever was acknowledged anywhere is at one that keeps it first. And only when nobody writes
 * it here any more (`known-places.ts`): what was removed must not be made anew. Only records of the site that asks are named,
 * and only to sites that keep them.
 */
import { compareStepMs, offerCharactersMax, offerPageSize } from '../bounds.ts';
import { isPermanent } from '../errors.ts';
import { readKeys, scanPage } from '../isolate.ts';
import { isSettled } from '../known-places.ts';
import { keeps, peersOf } from '../placement.ts';
import { type Protocol, remove, type Site } from '../protocol.ts';
import { includes, stateName, type StoredRecord } from '../record.ts';
import { areUnderstood, PLACES } from '../semantics.ts';
import type { SiteId } from '../stamp.ts';
import { noteUnusable } from '../unusable-keys.ts';
import { vectorOfName } from '../vector.ts';
import { forgetNames } from './forget-names.ts';
import { pass, type Purge } from './job.ts';

type Named = readonly [key: string, state: string];

/** Looks for records of this site that it does not keep, from the first one on, once it may remove them. */
export function* beginPurge(site: Site): Protocol<void> {
  if (site.keptAt === undefined) return;
  yield* forgetNames(site);
  if (yield* isSettled(site)) yield* search(site, { cursor: undefined });
}

/** Asks the peers that keep them, as many as fit one message each, and leaves the rest to a message to itself. */
function* search(
  site: Site,
  { cursor: start, hops }: { cursor: string | undefined; hops?: number },
): Protocol<void> {
  const untilMs = site.now() + compareStepMs;
  const asked = new Map<SiteId, Named[]>();
  let characters = 0;
  let cursor = start;
  do {
    const page = yield* scanPage(cursor, offerPageSize);
    for (const record of page.records) {
      const keeper = keeperOf(site, record);
      if (keeper === undefined) continue;
      const named: Named = [record.key, stateName(record.state)];
      asked.set(keeper, [...(asked.get(keeper) ?? []), named]);
      characters += named.join('').length;
    }
    cursor = page.next;
  } while (cursor !== undefined && characters < offerCharactersMax && site.now() < untilMs);
  const step = { kind: 'purge', from: site.site } as const;
  for (const [keeper, states] of asked)
    if (yield* areUnderstood({ ...site, peers: [keeper] }, PLACES))
      yield* pass(keeper, { ...step, by: keeper, states });
  if (cursor !== undefined)
    yield* pass(site.site, {
      ...step,
      by: site.site,
      states: [],
      cursor,
      ...(hops !== undefined && { hops }),
    });
}

/** Whom to ask about a record; undefined: it is kept here, is on its way, or nobody within reach keeps it. */
function keeperOf(site: Site, record: StoredRecord): SiteId | undefined {
  if (keeps(site, site.site, record)) return undefined;
  const keepers = peersOf(site, record);
  return keepers.some((peer) => Object.hasOwn(record.pending, peer)) ? undefined : keepers[0];
}

/** At the site that keeps them: says which of the states it includes. Back where it began: removes those. */
export function* purge(site: Site, step: Purge): Protocol<void> {
  if (step.by === site.site && step.from === site.site) {
    yield* search(site, { cursor: step.cursor, ...(step.hops !== undefined && { hops: step.hops }) });
    return;
  }
  const { held, failed } = yield* readKeys(step.states.map(([key]) => key));
  yield* noteUnusable(site, 'purge', failed);
  if (step.from !== site.site) {
    const states = step.states.filter(([key, name]) => {
      const record = held.get(key)?.record;
      return (
        record !== undefined &&
        keeps(site, site.site, record) &&
        includes(record.state, vectorOfName(name) ?? {})
      );
    });
    if (states.length > 0) yield* pass(step.from, { ...step, states });
    return;
  }
  // It may have come long after it was asked for, and the site have had another release meanwhile.
  if (!(yield* isSettled(site))) return;
  const names = new Map(step.states);
  const unremoved = new Map<string, Error>();
  for (const [key, { record, revision }] of held) {
    if (keeperOf(site, record) === undefined || stateName(record.state) !== names.get(key)) continue;
    try {
      yield* remove(key, revision);
    } catch (error) {
      if (!isPermanent(error)) throw error;
      unremoved.set(key, error);
    }
  }
  yield* noteUnusable(site, 'purge', unremoved);
}
