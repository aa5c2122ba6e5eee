/**
 * Invariant 20, erasure: once a site says that it is clean of a person, and at rest at every site, nothing that was written of
 * them by the moment of their erasure is in any record there, whatever arrives late or is sent again; what was written of
 * others stands. Values are searched for as text, in all that a site holds.
 */
import { erasureIn } from '@tandem-clouds/replication/anti-entropy/erase';
import { stampMs } from '@tandem-clouds/replication/stamp';
import { type Finding, groupBy } from '../../history/facts.ts';
import type { SimSite } from '../sim-site.ts';
import type { Watcher, World } from '../world.ts';
import { PEOPLE, personOf, subjectId } from './people.ts';
import { valueOf } from './traffic.ts';

const invariant = '20 erasure';

/** Looks at a site whenever it says of itself that it is clean. */
export class CleanWatcher implements Watcher {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  committed(): void {
    // Clients erase nobody.
  }

  applied({ site, key, before, after }: Parameters<Watcher['applied']>[0]): void {
    if (!key.startsWith('erasure:')) return;
    const now = erasureIn(after);
    const was = erasureIn(before)?.sites[site];
    if (now?.sites[site]?.cleanMs === undefined) return;
    if (was?.of === now.atMs && was.cleanMs !== undefined) return;
    this.#world.find(leftOver(this.#world, this.#world.site(site)));
  }
}

/** What a site holds of those that it says it is clean of. */
function leftOver(world: World, site: SimSite): readonly Finding[] {
  const findings: Finding[] = [];
  const byOperation = groupBy(world.committed, ({ operationId }) => operationId);
  for (const person of PEOPLE) {
    const erasure = erasureIn(site.store.records.get(`erasure:${subjectId(person)}`));
    if (erasure?.sites[site.name]?.cleanMs === undefined) continue;
    const values = [...byOperation].flatMap(([id, writes]) => {
      const isErased = writes.every(({ stamp }) => stampMs(stamp) <= erasure.atMs);
      return isErased ? [valueOf(person, id)] : [];
    });
    for (const [key, { state }] of site.store.records) {
      const text = JSON.stringify(state);
      const value = values.find((each) => text.includes(each));
      if (value !== undefined)
        findings.push({ invariant, key, detail: `${site.name} is clean of ${person}, and holds ${value}` });
    }
  }
  return findings;
}

/** At rest, and again when all was sent once more. */
export function checkErased(world: World): readonly Finding[] {
  const findings: Finding[] = [];
  for (const site of world.sites) {
    for (const record of site.store.records.values()) {
      const erasure = erasureIn(record);
      if (erasure !== undefined && erasure.sites[site.name]?.cleanMs === undefined) {
        const state = JSON.stringify(erasure.sites);
        findings.push({ invariant, key: record.key, detail: `${site.name} is not clean of it: ${state}` });
      }
    }
    findings.push(...leftOver(world, site));
  }
  return findings;
}

/** Lives of a key between two erasures, as it must be. */
const ERASURE_LIVES = 2 ** 20;

/** Nobody is erased who was not asked for, nor a record that began after it. */
export function checkOthersStand(world: World): readonly Finding[] {
  const byKey = groupBy(world.committed, ({ key }) => key);
  return world.sites.flatMap(({ name, store: { records } }) =>
    [...records].flatMap(([key, { state }]): Finding[] => {
      const erased = state.fields['$erased'];
      const person = personOf({ key, state, pending: {}, operations: [] });
      if (erased === undefined || person === undefined || !key.startsWith('user:')) return [];
      const erasure = erasureIn(records.get(`erasure:${subjectId(person)}`));
      if (erasure === undefined) return [{ invariant, key, detail: `${name} erased it, and nobody asked` }];
      const times = Math.floor((state.incarnation ?? 0) / ERASURE_LIVES);
      const before = (byKey.get(key) ?? []).filter(
        ({ life }) => Math.floor(life / ERASURE_LIVES) === times - 1,
      );
      if (before.some(({ stamp }) => stampMs(stamp) <= erasure.atMs)) return [];
      return [{ invariant, key, detail: `${name} erased what began after ${erasure.atMs}` }];
    }),
  );
}
