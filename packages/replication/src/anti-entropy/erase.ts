/**
 * Erasing a person, site by site.
 *
 * An erasure is a record under a keyed hash of whom it is about, so it crosses to every site and names nobody. Each site
 * searches all that it holds for records of that subject, erases them or some of their fields, and then what its conflict log
 * says of them; and notes in the record what it has seen and done. A search is for all erasures that are open at the site.
 *
 * Invariant: what was written by the moment of the erasure is erased; a record that began later stays. An erasure of a record
 * is a life of the highest rank (`lives.ts`), that of a field a register of the highest rank (`policies/erased.ts`), so what
 * arrives late, is sent again, or is put back from an archive adds nothing.
 *
 * Invariant: a site says that it is clean only by a search that found nothing to erase, nothing that waits, and nothing erased
 * that a peer's queue has not accepted, and that began after every peer had made such a search too. What one of them held and
 * had not sent has then crossed, as erased.
 *
 * A step does a bounded amount of work and leaves the rest to a message; taken twice it finds nothing left to do.
 */
import {
  compareStepMs,
  erasedKeptMs,
  erasureSettleMs,
  erasuresSoughtMax,
  erasureToldMax,
  offerPageSize,
} from '../bounds.ts';
import { isPermanent } from '../errors.ts';
import { readKeys, scanPage } from '../isolate.ts';
import type { Json } from '../json.ts';
import { erasuresOf, oldestPartMs } from '../lives.ts';
import { type Changes, localWrite } from '../local-write.ts';
import { erasuresIn } from '../policies/erased.ts';
import { isObject, memberField } from '../policies/members.ts';
import type { Protocol, Site } from '../protocol.ts';
import {
  DELETED,
  entityOf,
  ERASED,
  EXPIRES,
  fieldNames,
  idOf,
  plainValues,
  type StoredRecord,
} from '../record.ts';
import { CONFLICT, ERASURE } from '../reserved.ts';
import { ERASURES, requireUnderstood } from '../semantics.ts';
import { type SiteId, type Stamp, stampMs } from '../stamp.ts';
import { noteUnusable } from '../unusable-keys.ts';
import { type ErasureFound, type ErasureSearch, pass } from './job.ts';

/** What an entity says of one of its records. */
export interface Subject {
  /** The keyed hash of whom it is about: the id of their erasure. */
  readonly id: string;
  /** What is written to a record that has to stay; absent: nothing of it stays. */
  readonly emptied?: Changes;
  /** False while the record is still needed as it is: an order that is being paid. */
  readonly isReady: boolean;
}

export interface Subjects {
  readonly of: (record: StoredRecord) => Subject | undefined;
  /** The field that says whose the records of an entity are; undefined: their keys do, or nobody's. */
  readonly fieldOf: (entity: string) => string | undefined;
}

export function erasureKey(id: string): string {
  return `${ERASURE}:${id}`;
}

/** What one site has seen and done so far. */
export interface ErasureAt {
  /** Which request it is about: a person may be erased again. */
  readonly of: number;
  /** Epoch milliseconds, by the site's own clock, of its last search, and the records that it has seen. */
  readonly beganMs: number;
  readonly endedMs: number;
  readonly searched: number;
  /** In all searches together. */
  readonly erased: number;
  readonly emptied: number;
  readonly entries: number;
  /** In the last one: what is still needed, and what a peer's queue has not accepted as erased. */
  readonly waiting: number;
  readonly pending: number;
  /** When the first search began that found nothing left; absent: none has. */
  readonly quietMs?: number;
  /** When the search began by which the site is clean. */
  readonly cleanMs?: number;
}

export interface Erasure {
  readonly id: string;
  /** What was written until then is erased, epoch milliseconds. */
  readonly atMs: number;
  readonly why: string;
  readonly by: string;
  readonly sites: Readonly<Record<SiteId, ErasureAt>>;
}

/** Reads an erasure; undefined for what is none. */
export function erasureIn(record: StoredRecord | undefined): Erasure | undefined {
  if (record === undefined || entityOf(record.key) !== ERASURE) return undefined;
  const asked = record.state.fields['why']?.[0];
  if (asked === undefined) return undefined;
  const { why, by, sites } = plainValues(record.state);
  // Of two requests that had not heard of each other the later stands, and so does its moment.
  const atMs = stampMs(asked);
  const own = Object.entries(isObject(sites) ? sites : {}).filter(
    ([, value]) => isObject(value) && value['of'] === atMs,
  );
  return {
    id: idOf(record.key),
    atMs,
    why: textOf(why),
    by: textOf(by),
    sites: Object.fromEntries(own) as unknown as Erasure['sites'],
  };
}

/** Whether every site is clean. */
export function isErased(erasure: Erasure, sites: readonly SiteId[]): boolean {
  return sites.every((site) => erasure.sites[site]?.cleanMs !== undefined);
}

/**
 * Asks for an erasure of what was written until now. One that has not ended is gone on with, by its own moment.
 * @throws UnavailableError while a peer runs a release that does not understand it
 */
export function* requestErasure(
  site: Site,
  { id, why, by }: { readonly id: string; readonly why: string; readonly by: string },
): Protocol<Erasure> {
  yield* requireUnderstood(site, ERASURES);
  const atMs = site.now();
  const sites = [site.site, ...site.peers];
  const record = yield* localWrite(site, {
    key: erasureKey(id),
    operationId: `erase-${atMs}`,
    decide: (held) => {
      const known = erasureIn(held);
      if (known !== undefined && !isErased(known, sites)) return undefined;
      return { why, by, [EXPIRES]: Math.ceil((atMs + erasedKeptMs) / 1000) };
    },
  });
  const erasure = erasureIn(record);
  if (erasure === undefined) throw new TypeError(`${record.key} is no erasure`);
  return erasure;
}

/** Of these erasures, those that this site has yet to be clean of; as many as one search is for. */
export function openErasures(site: Site, records: Iterable<StoredRecord>): readonly Erasure[] {
  const open: Erasure[] = [];
  for (const record of records) {
    const erasure = erasureIn(record);
    if (erasure !== undefined && erasure.sites[site.site]?.cleanMs === undefined) open.push(erasure);
  }
  return open.sort((a, b) => a.atMs - b.atMs).slice(0, erasuresSoughtMax);
}

/** Begins a search for them. */
export function* beginSearch(site: Site, open: readonly Erasure[]): Protocol<void> {
  if (open.length === 0) return;
  const sought = Object.fromEntries(open.map(({ id, atMs }) => [id, atMs]));
  yield* pass(site.site, {
    kind: 'erase',
    site: site.site,
    atMs: site.now(),
    phase: 'records',
    sought,
    searched: 0,
    found: {},
    told: {},
  });
}

const NOTHING: ErasureFound = { erased: 0, emptied: 0, entries: 0, waiting: 0, pending: 0 };

/** Searches a part of the site, and the rest in the next step. */
export function* searchErasures(site: Site, step: ErasureSearch, subjects: Subjects): Protocol<void> {
  const untilMs = site.now() + compareStepMs;
  const search = new Search(site, step, subjects);
  let { cursor } = step;
  do {
    const page = yield* scanPage(cursor, offerPageSize);
    yield* noteUnusable(site, 'erase', page.unreadable ?? new Map());
    yield* step.phase === 'records' ? search.records(page.records) : search.entries(page.records);
    cursor = page.next;
  } while (cursor !== undefined && site.now() < untilMs);
  const { cursor: _, ...begun } = step;
  const next: ErasureSearch = { ...begun, ...search.so, ...(cursor !== undefined && { cursor }) };
  // What the log says of a record is known by the record, so that is erased first.
  if (cursor !== undefined) yield* pass(site.site, next);
  else if (step.phase === 'records') yield* pass(site.site, { ...next, phase: 'entries' });
  else yield* noteSearch(site, next);
}

/** One step of a search, and what it has found. */
class Search {
  readonly #site: Site;
  readonly #sought: Readonly<Record<string, number>>;
  readonly #subjects: Subjects;
  readonly #found: Record<string, ErasureFound>;
  readonly #told: Record<string, string>;
  #searched: number;

  constructor(site: Site, { sought, searched, found, told }: ErasureSearch, subjects: Subjects) {
    this.#site = site;
    this.#sought = sought;
    this.#subjects = subjects;
    this.#found = { ...found };
    this.#told = { ...told };
    this.#searched = searched;
  }

  get so(): Pick<ErasureSearch, 'searched' | 'found' | 'told'> {
    return { searched: this.#searched, found: this.#found, told: this.#told };
  }

  *records(records: readonly StoredRecord[]): Protocol<void> {
    const failed = new Map<string, Error>();
    for (const record of records) {
      this.#searched += 1;
      const erasedBy = record.state.fields[ERASED]?.[1];
      if (typeof erasedBy === 'string' && Object.keys(record.pending).length > 0)
        this.#count(erasedBy, 'pending');
      this.#noteTold(record);
      const subject = this.#subjects.of(record);
      if (subject === undefined || !this.#isOf(record, subject)) continue;
      if (!subject.isReady) this.#count(subject.id, 'waiting');
      else if (yield* this.#erase(record.key, subject, failed))
        this.#count(subject.id, subject.emptied === undefined ? 'erased' : 'emptied');
    }
    yield* noteUnusable(this.#site, 'erase', failed);
  }

  /**
   * Two people may have written one record at two sites, of whom it is one's now. What the log says of it is the other's too.
   */
  #noteTold(record: StoredRecord): void {
    const entry = loggedIn(record);
    if (entry === undefined || !this.#isOfSubject(entry)) return;
    for (const [stamp, value] of entry.writes) {
      const fields = { [entry.field]: [stamp, value] as const };
      const writer = { key: entry.about, state: { fields, vector: {} }, pending: {}, operations: [] };
      const id = entry.erasedBy ?? this.#soughtFor(writer, entry.earliest);
      const isRoom = Object.keys(this.#told).length < erasureToldMax;
      if (id !== undefined && isRoom) this.#told[entry.about] = id;
    }
  }

  /** Entries of the conflict log that tell what was erased. */
  *entries(records: readonly StoredRecord[]): Protocol<void> {
    const logged = records
      .flatMap((record) => loggedIn(record) ?? [])
      .filter(({ erasedBy }) => erasedBy === undefined);
    const { held, failed: unreadable } = yield* readKeys([...new Set(logged.map(({ about }) => about))]);
    const failed = new Map(unreadable);
    for (const entry of logged) {
      const id = this.#toldOf(held.get(entry.about)?.record, entry);
      if (id !== undefined && (yield* this.#erase(entry.key, { id, isReady: true }, failed)))
        this.#count(id, 'entries');
    }
    yield* noteUnusable(this.#site, 'erase', failed);
  }

  #count(id: string, what: keyof ErasureFound): void {
    if (!Object.hasOwn(this.#sought, id)) return;
    const found = this.#found[id] ?? NOTHING;
    this.#found[id] = { ...found, [what]: found[what] + 1 };
  }

  /** Whether a record holds something that was written by the moment of its subject's erasure. */
  #isOf({ state }: StoredRecord, { id, emptied }: Subject): boolean {
    const atMs = this.#sought[id];
    if (atMs === undefined || oldestPartMs(state) > atMs) return false;
    return emptied === undefined ? !isBare(state) : stillHolds(state, emptied);
  }

  /** Which erasure an entry is told of; undefined: none. */
  #toldOf(record: StoredRecord | undefined, { about, field, earliest }: Logged): string | undefined {
    const isBefore = (id: string | undefined): boolean => stampMs(earliest) <= (this.#sought[id ?? ''] ?? -1);
    const told = this.#told[about];
    if (isBefore(told)) return told;
    if (record === undefined) return undefined;
    const { state } = record;
    const [erasedAt, erasedBy] = state.fields[ERASED] ?? [];
    if (typeof erasedBy === 'string' && erasedAt !== undefined) {
      const register = state.fields[field];
      const isOfField = erasuresIn(register) > 0 && earliest <= (register?.[0] ?? '');
      // What has begun anew since has entries of its own.
      const begun = Object.values(state.fields).flatMap(([at]) => (at > erasedAt ? at : []));
      if (erasuresOf(state) > 0 ? begun.every((at) => earliest < at) : isOfField) return erasedBy;
    }
    // Of a life that had ended before, and is told of all the same.
    return this.#soughtFor(record, earliest);
  }

  /** That an entry was about the subject stays, for what the log has yet to say of the same record. */
  #saidOf(record: StoredRecord): Changes {
    const entry = loggedIn(record);
    if (entry === undefined || !this.#isOfSubject(entry)) return {};
    return { record: entry.about, field: entry.field };
  }

  /** Whether an entry is about the field that says whose the record is. */
  #isOfSubject({ about, field }: Logged): boolean {
    return field === this.#subjects.fieldOf(entityOf(about));
  }

  #soughtFor(record: StoredRecord, stamp: Stamp): string | undefined {
    const id = this.#subjects.of(record)?.id;
    const atMs = id === undefined ? undefined : this.#sought[id];
    return atMs !== undefined && stampMs(stamp) <= atMs ? id : undefined;
  }

  /** False when it was not there any more as it was found, or cannot be written for good. */
  *#erase(key: string, subject: Subject, failed: Map<string, Error>): Protocol<boolean> {
    const { id, emptied } = subject;
    const isEntry = entityOf(key) === CONFLICT;
    let isDone = false;
    const decide = (held: StoredRecord | undefined): Changes | undefined => {
      isDone = false;
      // It may have begun anew, or be another's, since it was read; an entry is of what it was made of.
      const now = isEntry ? subject : held && this.#subjects.of(held);
      const isStill =
        held !== undefined && now?.id === id && now.isReady && (isEntry || this.#isOf(held, now));
      if (!isStill) return held === undefined ? {} : undefined;
      isDone = true;
      return { ...(now.emptied ?? { [DELETED]: true }), ...this.#saidOf(held), [ERASED]: id };
    };
    try {
      yield* localWrite(this.#site, {
        key,
        operationId: `erase-${id}-${this.#site.now()}`,
        decide,
        isNote: true,
        // What reacts to it is woken by the sweep.
        wakesNobody: true,
        ...(emptied === undefined && { erases: true as const }),
      });
      return isDone;
    } catch (error) {
      if (!isPermanent(error)) throw error;
      failed.set(key, error);
      return false;
    }
  }
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** What an entry of the conflict log says. */
interface Logged {
  readonly key: string;
  readonly about: string;
  readonly field: string;
  /** The earlier of the two writes. */
  readonly earliest: Stamp;
  readonly writes: readonly (readonly [stamp: Stamp, value: Json])[];
  /** The erasure after which it says no more than what it was about. */
  readonly erasedBy: string | undefined;
}

/** Undefined for what is no entry. */
function loggedIn({ key, state }: StoredRecord): Logged | undefined {
  if (entityOf(key) !== CONFLICT) return undefined;
  const { record, field, loser, winner } = plainValues(state);
  const erasedBy = state.fields[ERASED]?.[1];
  const writes = [loser, winner].map((write) =>
    isObject(write) ? ([textOf(write['stamp']), write['value'] ?? null] as const) : (['', null] as const),
  );
  const earliest = writes.map(([stamp]) => stamp).sort()[0] ?? '';
  return {
    ...{ key, about: textOf(record), field: textOf(field), earliest, writes },
    erasedBy: typeof erasedBy === 'string' ? erasedBy : undefined,
  };
}

/** Whether it holds nothing but that it was erased. */
function isBare(state: StoredRecord['state']): boolean {
  return fieldNames(state).every((field) => field === DELETED || field === ERASED);
}

/** Whether a record shows any value that its erasure would take away. */
function stillHolds({ fields }: StoredRecord['state'], emptied: Changes): boolean {
  return Object.keys(emptied).some((field) => fields[field] !== undefined && erasuresIn(fields[field]) === 0);
}

/** What a search has come to, in the record of each erasure that it was for. */
function* noteSearch(site: Site, { atMs, sought, searched, found }: ErasureSearch): Protocol<void> {
  for (const [id, of] of Object.entries(sought)) {
    const { erased, emptied, entries, waiting, pending } = found[id] ?? NOTHING;
    const isQuiet = erased + emptied + entries + waiting + pending === 0;
    yield* localWrite(site, {
      key: erasureKey(id),
      operationId: `searched-${atMs}`,
      decide: (record) => {
        const erasure = erasureIn(record);
        if (erasure?.atMs !== of) return record === undefined ? {} : undefined;
        const before = erasure.sites[site.site];
        const quietMs = isQuiet ? (before?.quietMs ?? atMs) : undefined;
        const peersQuietMs = Math.max(
          0,
          ...site.peers.map((peer) => erasure.sites[peer]?.quietMs ?? Infinity),
        );
        const isClean = isQuiet && atMs > peersQuietMs + erasureSettleMs;
        const at: ErasureAt = {
          of,
          beganMs: atMs,
          endedMs: site.now(),
          searched,
          erased: (before?.erased ?? 0) + erased,
          emptied: (before?.emptied ?? 0) + emptied,
          entries: (before?.entries ?? 0) + entries,
          waiting,
          pending,
          ...(quietMs !== undefined && { quietMs }),
          ...(isClean && { cleanMs: atMs }),
        };
        return { [memberField('sites', site.site)]: at as unknown as Json };
      },
    });
  }
}
