/**
 * What an archive says of records, as they were at a moment: the last full that ended before it, and the segments since.
 *
 * Invariant: states are merged as a site merges them, so it does not matter in which order files are read, how often a write is in
 * them, or that those of several sites are read together. A segment is of one write, whose state includes nothing later; so what
 * is later than the moment is left out write by write, but for what was erased since: that is gone at every moment.
 */
import { hasErasures, withErasuresOf } from '@tandem-clouds/replication/lives';
import { mergeStates } from '@tandem-clouds/replication/merge';
import { entityOf, type RecordState } from '@tandem-clouds/replication/record';
import { type SiteId, stampMs } from '@tandem-clouds/replication/stamp';
import { archiveAtOnce, archiveMarginMs } from '../bounds.ts';
import type { ArchivedRecord } from './file.ts';
import { type Full, type FullDocument, listFulls, readFull } from './full.ts';
import { type HashedName, prefixOf } from './names.ts';
import { type ArchiveStorage, eachAtOnce, listAll, listArchive, readFile } from './storage.ts';

type Readable = Pick<ArchiveStorage, 'read' | 'list'>;

export interface ReadArchiveOptions {
  readonly site: SiteId;
  /** Epoch milliseconds: records as they were then. Absent: as they are in all that is there. */
  readonly atMs?: number;
  /** Only records that this is true of; absent: all. */
  readonly wanted?: (key: string) => boolean;
  /** Told after each file. */
  readonly progress?: (done: number, all: number) => void;
}

export interface ArchivedStates {
  readonly states: ReadonlyMap<string, RecordState>;
  /** The full that it began with; absent: all of it is in segments. */
  readonly full?: FullDocument;
  readonly segments: number;
}

/** @throws DamagedArchiveError at the first file that is missing, changed, cut short or newer: nothing is restored from a part. */
export async function readArchive(storage: Readable, options: ReadArchiveOptions): Promise<ArchivedStates> {
  const { erased, ...read } = await readFiles(storage, options);
  return { ...read, states: withoutErased(read.states, erased) };
}

/** The same, with what is known of records that were erased, then or since. */
async function readFiles(
  storage: Readable,
  { site, atMs = Infinity, wanted = () => true, progress = () => undefined }: ReadArchiveOptions,
): Promise<ArchivedStates & { readonly erased: ReadonlyMap<string, RecordState> }> {
  const fulls = await listFulls(storage, site);
  const base = await baseOf(storage, fulls, atMs);
  // Segments that said so may have expired by now; tombstones of erasures are in every full since.
  const newest = atMs === Infinity ? undefined : await baseOf(storage, fulls, Infinity);
  const fromMs = base === undefined ? 0 : base.full.beganMs - archiveMarginMs;
  const segments = (await listArchive(storage, site, 'segments')).filter(
    (each) => each.kind === 'segment' && each.ms >= fromMs,
  );
  const since = newest?.full.beganMs === base?.full.beganMs ? [] : (newest?.full.parts ?? []);
  const files = [...(base?.full.parts ?? []), ...segments] as readonly HashedName[];
  const states = new Map<string, RecordState>();
  const erased = new Map<string, RecordState>();
  let done = 0;
  const read = async (name: HashedName, isOfThen: boolean): Promise<void> => {
    const { records } = await readFile(storage, name);
    for (const record of records.filter(({ key }) => wanted(key))) {
      if (isOfThen && isBefore(record, atMs)) addTo(states, record);
      if (hasErasures(record.state)) addTo(erased, record);
    }
    done += 1;
    progress(done, files.length + since.length);
  };
  await eachAtOnce(files, archiveAtOnce, (name) => read(name, true));
  await eachAtOnce(since as readonly HashedName[], archiveAtOnce, (name) => read(name, false));
  return { states, erased, ...(base !== undefined && { full: base.document }), segments: segments.length };
}

/** No restore brings back what was erased, to whatever moment (decision 0212). */
function withoutErased(
  states: ReadonlyMap<string, RecordState>,
  erased: ReadonlyMap<string, RecordState>,
): ReadonlyMap<string, RecordState> {
  const seen = new Map(states);
  for (const [key, later] of erased) {
    const then = states.get(key);
    if (then !== undefined) seen.set(key, withErasuresOf(then, later));
  }
  return seen;
}

function isBefore({ version }: ArchivedRecord, atMs: number): boolean {
  return version === undefined || stampMs(version) <= atMs;
}

function addTo(states: Map<string, RecordState>, { key, state }: ArchivedRecord): void {
  const held = states.get(key);
  states.set(key, held === undefined ? state : mergeStates(held, state).state);
}

async function baseOf(
  storage: Readable,
  fulls: readonly Full[],
  atMs: number,
): Promise<{ readonly full: Full; readonly document: FullDocument } | undefined> {
  for (const full of fulls.filter(({ complete }) => complete !== undefined).reverse()) {
    if (full.beganMs > atMs) continue;
    const document = await readFull(storage, full);
    if (Date.parse(document.endedAt) <= atMs) return { full, document };
  }
  return undefined;
}

/** The sites that an archive is of, in their order. */
export async function sitesOf(storage: Pick<ArchiveStorage, 'list'>): Promise<readonly SiteId[]> {
  const folders = ['manifests', 'daily', 'weekly', 'segments'] as const;
  const listed = await Promise.all(folders.map((folder) => listAll(storage, prefixOf(folder))));
  return [...new Set(listed.flat().map(({ site }) => site))].sort();
}

/** Of several archives together, so that what each site wrote itself is there. */
export async function readArchives(
  archives: readonly { readonly storage: Readable; readonly site: SiteId }[],
  options: Omit<ReadArchiveOptions, 'site'>,
): Promise<ReadonlyMap<string, RecordState>> {
  const together = new Map<string, RecordState>();
  const erasedAnywhere = new Map<string, RecordState>();
  for (const { storage, site } of archives) {
    const { states, erased } = await readFiles(storage, { ...options, site });
    for (const [key, state] of states) addTo(together, { key, state });
    for (const [key, state] of erased) addTo(erasedAnywhere, { key, state });
  }
  return withoutErased(together, erasedAnywhere);
}

/** Of all the records an entity's, or all. */
export function wantedOf({
  entity,
  key,
}: {
  readonly entity?: string | undefined;
  readonly key?: string | undefined;
}) {
  return (each: string): boolean =>
    (entity === undefined || entityOf(each) === entity) && (key === undefined || each === key);
}
