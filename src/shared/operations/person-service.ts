/**
 * What an operator does about one person: finds all that a site holds of them, and has it erased at every site.
 *
 * Nobody's subject is in a URL, a log or a record: it comes in the body, and only its keyed hash is kept.
 */
import {
  beginSearch,
  type Erasure,
  erasureIn,
  erasureKey,
  isErased,
  openErasures,
  requestErasure,
  type Subjects,
} from '@tandem-clouds/replication/anti-entropy/erase';
import { drive, type Resources } from '@tandem-clouds/replication/drive';
import { type ReplicationEvent, stateOf } from '@tandem-clouds/replication/event';
import { scanPage } from '@tandem-clouds/replication/isolate';
import type { Json } from '@tandem-clouds/replication/json';
import { oldestPartMs } from '@tandem-clouds/replication/lives';
import type { Site } from '@tandem-clouds/replication/protocol';
import {
  entityOf,
  ERASED,
  isDeleted,
  plainValues,
  type StoredRecord,
} from '@tandem-clouds/replication/record';
import { CONFLICT, ERASURE } from '@tandem-clouds/replication/reserved';
import { areUnderstood, ERASURES } from '@tandem-clouds/replication/semantics';
import { erasuresListedMax, personPageMs, personPageSize } from '../bounds.ts';
import { ConflictError } from '../errors.ts';
import type { DeadLetterService } from './dead-letter-service.ts';

export interface PersonRecord {
  readonly key: string;
  readonly deleted: boolean;
  readonly values: Readonly<Record<string, Json>>;
}

export interface PersonPage {
  readonly site: string;
  /** Records that were looked at for this page. */
  readonly searched: number;
  readonly records: readonly PersonRecord[];
  /** Where the next page begins; absent: that was all. */
  readonly next?: string;
}

export interface ErasureView {
  readonly id: string;
  readonly at: string;
  readonly why: string;
  readonly by: string;
  /** Whether every site is clean. */
  readonly ended: boolean;
  readonly sites: Readonly<Record<string, ErasureSiteView>>;
}

export interface ErasureSiteView {
  readonly state: 'not begun' | 'searched' | 'quiet' | 'clean';
  readonly searched?: number;
  readonly erased?: number;
  readonly emptied?: number;
  readonly entries?: number;
  readonly waiting?: number;
  readonly pending?: number;
  readonly lastSearch?: string;
  readonly clean?: string;
}

interface Parts {
  readonly site: Site;
  readonly resources: Resources;
  /** What names a person in what is kept of their erasure. @throws what the vault answers for its key */
  readonly named: () => Promise<(subject: string) => string>;
  readonly subjectsBy: (named: (subject: string) => string) => Subjects;
  readonly letters: DeadLetterService;
}

export class PersonService {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A part of what the site holds of a person, conflict log included. */
  async records(subject: string, cursor: string | undefined): Promise<PersonPage> {
    const { site, resources } = this.#parts;
    const { id, subjects } = await this.#of(subject);
    const untilMs = site.now() + personPageMs;
    const records: PersonRecord[] = [];
    let [at, searched] = [cursor, 0];
    do {
      const page = await drive(scanPage(at, personPageSize), resources);
      searched += page.records.length;
      for (const record of page.records)
        if (subjects.of(record)?.id === id || tells(record, subject, subjects)) records.push(viewOf(record));
      at = page.next;
    } while (at !== undefined && site.now() < untilMs && records.length < personPageSize);
    return { site: site.site, searched, records, ...(at !== undefined && { next: at }) };
  }

  /**
   * Asks for an erasure, or goes on with the one that is there: the site is searched at once.
   * @throws ConflictError while a peer runs a release that would log what is erased
   */
  async erase(
    subject: string,
    { why, by }: { readonly why: string; readonly by: string },
  ): Promise<ErasureView> {
    const { site, resources } = this.#parts;
    const { id } = await this.#of(subject);
    if (!(await drive(areUnderstood(site, ERASURES), resources)))
      throw new ConflictError(
        `not every peer of ${site.site} has said that its release erases: upgrade it, or wait a minute for its heartbeat`,
      );
    const erasure = await drive(requestErasure(site, { id, why, by }), resources);
    if (erasure.sites[site.site]?.cleanMs === undefined) await drive(beginSearch(site, [erasure]), resources);
    return this.#view(erasure);
  }

  /** The erasures that are known here, the newest first. */
  async erasures(): Promise<readonly ErasureView[]> {
    const { resources } = this.#parts;
    const erasures = (await erasuresAt(resources.store)).flatMap((record) => erasureIn(record) ?? []);
    return erasures.sort((a, b) => b.atMs - a.atMs).map((erasure) => this.#view(erasure));
  }

  /** Removes the dead letters of a site that hold what was written of a person until they were erased. */
  async letters(
    subject: string,
  ): Promise<{ readonly scanned: number; readonly discarded: number; readonly atLeast: boolean }> {
    const { resources } = this.#parts;
    const { id, subjects } = await this.#of(subject);
    const erasure = erasureIn((await resources.store.get(erasureKey(id)))?.record);
    const untilMs = erasure?.atMs ?? -1;
    const isMeant = (body: string): boolean =>
      eventsIn(body).some((event) => isOf(event, { id, subjects, untilMs }));
    const { scanned, settled, atLeast } = await this.#parts.letters.discardThose(({ body }) => isMeant(body));
    return { scanned, discarded: settled, atLeast };
  }

  async #of(subject: string): Promise<{ readonly id: string; readonly subjects: Subjects }> {
    const named = await this.#parts.named();
    return { id: named(subject), subjects: this.#parts.subjectsBy(named) };
  }

  #view(erasure: Erasure): ErasureView {
    const { id, atMs, why, by, sites } = erasure;
    const all = [this.#parts.site.site, ...this.#parts.site.peers].sort();
    return {
      id,
      at: new Date(atMs).toISOString(),
      why,
      by,
      ended: isErased(erasure, all),
      sites: Object.fromEntries(all.map((name) => [name, siteView(sites[name])])),
    };
  }
}

/** Of the site: those that it has yet to be clean of are searched for. @returns How many */
export async function searchOpen(site: Site, resources: Resources): Promise<number> {
  const open = openErasures(site, await erasuresAt(resources.store));
  await drive(beginSearch(site, open), resources);
  return open.length;
}

async function erasuresAt(store: Resources['store']): Promise<readonly StoredRecord[]> {
  const keys = await store.list(ERASURE, { after: undefined, limit: erasuresListedMax });
  return [...(await store.getMany(keys)).values()].map(({ record }) => record);
}

function siteView(at: Erasure['sites'][string] | undefined): ErasureSiteView {
  if (at === undefined) return { state: 'not begun' };
  const { searched, erased, emptied, entries, waiting, pending, endedMs, quietMs, cleanMs } = at;
  return {
    state: cleanMs !== undefined ? 'clean' : quietMs !== undefined ? 'quiet' : 'searched',
    ...{ searched, erased, emptied, entries, waiting, pending },
    lastSearch: new Date(endedMs).toISOString(),
    ...(cleanMs !== undefined && { clean: new Date(cleanMs).toISOString() }),
  };
}

function viewOf({ key, state }: StoredRecord): PersonRecord {
  return { key, deleted: isDeleted(state), values: plainValues(state) };
}

/** Whether an entry of the conflict log is about a record of theirs by its key, or names them. */
function tells({ key, state }: StoredRecord, subject: string, subjects: Subjects): boolean {
  if (entityOf(key) !== CONFLICT || state.fields[ERASED] !== undefined) return false;
  const { record, field, loser, winner } = plainValues(state);
  const about = typeof record === 'string' ? record : '';
  const named = field === subjects.fieldOf(entityOf(about)) ? [loser, winner] : [];
  return (
    about.endsWith(`:${subject}`) ||
    named.some((write) => (write as { value?: Json } | null)?.value === subject)
  );
}

/** The events of a message: one, or those of a pack. */
function eventsIn(body: string): readonly ReplicationEvent[] {
  try {
    const value = JSON.parse(body) as { readonly events?: readonly ReplicationEvent[] } & ReplicationEvent;
    if (value.events !== undefined) return value.events;
    return typeof value.key === 'string' && typeof value.state === 'object' ? [value] : [];
  } catch {
    return [];
  }
}

function isOf(
  event: ReplicationEvent,
  { id, subjects, untilMs }: { readonly id: string; readonly subjects: Subjects; readonly untilMs: number },
): boolean {
  const state = stateOf(event);
  const record = { key: event.key, state, pending: {}, operations: [] };
  return subjects.of(record)?.id === id && oldestPartMs(state) <= untilMs;
}
