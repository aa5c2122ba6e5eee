/**
 * Invariant 19, places: nothing of a record that some sites keep is in a store or a queue of another, neither its name nor a
 * value of it; and all that was acknowledged of it is at every site that keeps it.
 *
 * It is found by its text, wherever it is: every key and value of an entity begins with the entity's name and a colon.
 */
import type { KeptAt } from '@tandem-clouds/replication/declared-places';
import { elementsOf } from '@tandem-clouds/replication/policies/set';
import { entityOf, partsOf, type StoredRecord } from '@tandem-clouds/replication/record';
import { CURSOR } from '@tandem-clouds/replication/reserved';
import type { AppliedPut, CommittedWrite, Finding, Snapshot } from '../../history/facts.ts';
import type { SimSite } from '../sim-site.ts';
import type { Watcher, World } from '../world.ts';
import { type Confirmed, DONE, ENTITIES } from './traffic.ts';

const INVARIANT = '19 places';

/** The entities that a site does not keep and a text names. */
function leaks(keptAt: KeptAt, site: string, text: string): readonly string[] {
  return ENTITIES.filter(
    (entity) => keptAt(`${entity}:`)?.includes(site) === false && text.includes(`${entity}:`),
  ).filter((entity) => text.replaceAll(`${entity}:*`, '').includes(`${entity}:`));
}

/** Sees every put and every message, from the moment at which every site knows the declaration. */
export class PlacesWatcher implements Watcher {
  readonly #world: World;
  readonly #keptAt: KeptAt;

  constructor(world: World, keptAt: KeptAt) {
    this.#world = world;
    this.#keptAt = keptAt;
  }

  committed({ key, site }: CommittedWrite): void {
    this.#look(site, 'store', JSON.stringify(this.#world.site(site).store.records.get(key)));
  }

  applied({ site, after }: AppliedPut): void {
    this.#look(site, 'store', JSON.stringify(after));
  }

  queued(site: SimSite, kind: string, body: string): void {
    this.#look(site.name, `${kind} queue`, body);
  }

  #look(site: string, where: string, text: string): void {
    for (const entity of leaks(this.#keptAt, site, text))
      this.#world.find([
        { invariant: INVARIANT, detail: `${entity} is in the ${where} of ${site}: ${text}` },
      ]);
  }
}

/** At rest: nothing is left where it is not kept. */
export function checkPlaces(snapshot: Snapshot, keptAt: KeptAt): readonly Finding[] {
  return [...snapshot].flatMap(([site, records]) =>
    [...records].flatMap(([key, record]) =>
      leaks(keptAt, site, `${key} ${JSON.stringify(record)}`).map((entity) => ({
        invariant: INVARIANT,
        key,
        detail: `${entity} is left at ${site}, in ${key}`,
      })),
    ),
  );
}

/** At rest: nothing that was acknowledged is missing where it is kept. */
export function checkKept(
  snapshot: Snapshot,
  confirmed: readonly Confirmed[],
  keptAt: KeptAt,
): readonly Finding[] {
  return confirmed.flatMap(({ key, id }) =>
    [...snapshot].flatMap(([site, records]) => {
      if (keptAt(key)?.includes(site) === false || doneIn(records.get(key)).has(id)) return [];
      return [{ invariant: INVARIANT, key, detail: `${site} lacks ${id}, which was acknowledged` }];
    }),
  );
}

function doneIn(record: StoredRecord | undefined): ReadonlySet<string> {
  const texts = record === undefined ? [] : (elementsOf(partsOf(record.state, DONE)) as readonly string[]);
  return new Set(texts.map((text) => text.split(':')[1] ?? ''));
}

/** The records that the same sites keep, as these hold them: each group must be the same at all of its sites. */
export function byPlace(snapshot: Snapshot, keptAt: KeptAt): readonly Snapshot[] {
  const groups = new Map<string, Map<string, Map<string, StoredRecord>>>();
  for (const [site, records] of snapshot)
    for (const [key, record] of records) {
      const everywhere = [...snapshot.keys()];
      const isAtHome = entityOf(key) === CURSOR;
      const sites = isAtHome ? [site] : (keptAt(key, record.state) ?? everywhere);
      const group =
        groups.get(sites.join()) ?? new Map(sites.map((name) => [name, new Map<string, StoredRecord>()]));
      groups.set(sites.join(), group);
      group.get(site)?.set(key, record);
    }
  return [...groups.values()];
}
