/**
 * Invariant 20, one writer: once a site has been opened, no other one takes a write, if who was lost is fenced. A site that
 * is opened as planned holds all that was acknowledged; what it did not hold after a loss is named by a marker of the one
 * before, or is in its queues.
 */
import { elementsOf } from '@tandem-clouds/replication/policies/set';
import { entityOf, partsOf, type StoredRecord } from '@tandem-clouds/replication/record';
import { writerIn, writerKey } from '@tandem-clouds/replication/writer-record';
import type { CommittedWrite, Finding, Snapshot } from '../../history/facts.ts';
import type { SimSite } from '../sim-site.ts';
import type { Watcher, World } from '../world.ts';
import { type Confirmed, DONE, LEDGER } from './ledger.ts';

const INVARIANT = '20 one writer';

export class WriterWatcher implements Watcher {
  readonly #world: World;
  /** The site that was opened last; undefined: the declared one. */
  #open: string | undefined;
  /** What the site that is opened next has to hold; undefined: who wrote it is lost. */
  #expected: readonly Confirmed[] | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  /** @param confirmed All that is acknowledged until then. */
  opensWith(confirmed: readonly Confirmed[] | undefined): void {
    this.#expected = confirmed;
  }

  committed({ key, site, atMs }: CommittedWrite): void {
    const { records } = this.#world.site(site).store;
    if (key === writerKey(LEDGER)) {
      const { site: writer, closedBy } = writerIn(records.get(key), '');
      if (closedBy !== undefined) return;
      this.#open = writer;
      this.#world.find(
        (this.#expected ?? [])
          .filter((one) => !doneIn(records.get(one.key)).has(one.id))
          .map((one) => ({
            invariant: INVARIANT,
            key: one.key,
            detail: `${site} is opened and lacks ${one.id}`,
          })),
      );
      return;
    }
    const open = this.#open ?? this.#world.sites[0]?.name;
    if (entityOf(key) !== LEDGER || site === open) return;
    const detail = `${site} takes a write at ${Math.round(atMs)}, and ${open ?? ''} is the writer`;
    this.#world.find([{ invariant: INVARIANT, key, detail }]);
  }

  applied(): void {
    // What comes from a peer is not taken here.
  }

  /** What was acknowledged and is not here is in a record that is marked, or on its way. */
  isNamed(from: SimSite, to: SimSite, confirmed: readonly Confirmed[]): void {
    for (const { key, id } of confirmed) {
      const here = to.store.records.get(key);
      const there = from.store.records.get(key);
      if (doneIn(here).has(id) || there?.pending[to.name] !== undefined) continue;
      const vector = there?.state.vector ?? {};
      if (!doneIn(there).has(id) || [to.inbox, to.steps].some((queue) => queue.carries(key, vector)))
        continue;
      const detail = `${to.name} lacks ${id}, and nothing at ${from.name} says so`;
      this.#world.find([{ invariant: INVARIANT, key, detail }]);
    }
  }
}

/** At rest: every acknowledged write is at every site, and they agree about who writes. */
export function checkWritten(snapshot: Snapshot, confirmed: readonly Confirmed[]): readonly Finding[] {
  return confirmed.flatMap(({ key, id }) =>
    [...snapshot].flatMap(([site, records]) =>
      doneIn(records.get(key)).has(id)
        ? []
        : [{ invariant: INVARIANT, key, detail: `${site} lacks ${id}, which was acknowledged` }],
    ),
  );
}

function doneIn(record: StoredRecord | undefined): ReadonlySet<string> {
  return new Set(record === undefined ? [] : (elementsOf(partsOf(record.state, DONE)) as readonly string[]));
}
