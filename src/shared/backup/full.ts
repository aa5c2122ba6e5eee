/**
 * Full backups: all records of a site in parts, by the scan that comparisons use, and the bytes of the objects that they name.
 *
 * Invariant: each part says where the scan goes on, so whoever comes next needs nothing but the parts themselves. A full is
 * complete when the document that names all its parts is there; until then no restore uses it.
 */
import { isArchived } from '@tandem-clouds/replication/archive';
import type { Contents } from '@tandem-clouds/replication/objects/content';
import { storageName } from '@tandem-clouds/replication/objects/content';
import type { Store } from '@tandem-clouds/replication/ports/store';
import type { Site } from '@tandem-clouds/replication/protocol';
import {
  archiveAtOnce,
  archiveDailyMs,
  archiveFileBytes,
  archiveFullMaxMs,
  archivePartRecords,
  archiveWeeklyMs,
} from '../bounds.ts';
import { ContentMismatchError, NotFoundError } from '../errors.ts';
import type { ReadableObjects } from '../ports/objects.ts';
import { GZIP } from './archive-queue.ts';
import { copyContent } from './contents.ts';
import { DamagedArchiveError } from './errors.ts';
import { ARCHIVE_FORMAT, type ArchivedRecord, encodeFile, sha256Of } from './file.ts';
import { type ArchiveName, type FullKind, nameOf } from './names.ts';
import {
  type ArchiveStorage,
  eachAtOnce,
  listArchive,
  type Listed,
  readDocument,
  readFile,
} from './storage.ts';

type PartName = Extract<ArchiveName, { readonly kind: 'part' }>;
type CompleteName = Extract<ArchiveName, { readonly kind: 'complete' }>;

/** The document that makes a full complete. */
export interface FullDocument {
  readonly format: number;
  readonly site: string;
  readonly full: FullKind;
  /** RFC 3339. */
  readonly begunAt: string;
  readonly endedAt: string;
  readonly records: number;
  readonly parts: readonly { readonly name: string; readonly bytes: number }[];
}

export interface Full {
  readonly kind: FullKind;
  /** Epoch milliseconds. */
  readonly beganMs: number;
  readonly parts: readonly Listed<PartName>[];
  /** Absent: it goes on, or was given up. */
  readonly complete?: CompleteName;
}

/** The oldest first. */
export async function listFulls(
  storage: Pick<ArchiveStorage, 'list'>,
  site: string,
): Promise<readonly Full[]> {
  const [daily, weekly] = await Promise.all(
    (['daily', 'weekly'] as const).map((folder) => listArchive(storage, site, folder)),
  );
  const objects = [...(daily ?? []), ...(weekly ?? [])].flatMap((each) =>
    each.kind === 'part' || each.kind === 'complete' ? [each] : [],
  );
  return [...Map.groupBy(objects, ({ full, ms }) => `${full}/${ms}`).values()]
    .flatMap(([first, ...rest]) => {
      if (first === undefined) return [];
      const all = [first, ...rest];
      const complete = all.find((each): each is Listed<CompleteName> => each.kind === 'complete');
      return [
        {
          kind: first.full,
          beganMs: first.ms,
          parts: all.filter((each): each is Listed<PartName> => each.kind === 'part'),
          ...(complete !== undefined && { complete }),
        },
      ];
    })
    .sort((a, b) => a.beganMs - b.beganMs);
}

/** @throws DamagedArchiveError when it is changed, of a newer format, or names a part that is not there. */
export async function readFull(
  storage: Pick<ArchiveStorage, 'read'>,
  { complete, parts, beganMs }: Full,
): Promise<FullDocument> {
  if (complete === undefined)
    throw new DamagedArchiveError(`the full of ${new Date(beganMs).toISOString()} is not complete`);
  const document = (await readDocument(storage, complete)) as unknown as FullDocument;
  if (typeof document.format !== 'number' || document.format > ARCHIVE_FORMAT)
    throw new DamagedArchiveError(
      `${nameOf(complete)}: its format ${String(document.format)} is newer than this release reads (${ARCHIVE_FORMAT})`,
    );
  const there = new Set(parts.map(nameOf));
  const missing = document.parts.find(({ name }) => !there.has(name));
  if (missing !== undefined) throw new DamagedArchiveError(`${missing.name}: it is missing`);
  return document;
}

export interface FullOptions {
  readonly site: Site;
  readonly store: Pick<Store, 'scan'>;
  readonly storage: ArchiveStorage;
  /** Which records have content; absent: none has. */
  readonly contents?: Contents | undefined;
  /** Where this site keeps the bytes of objects. */
  readonly objects?: ReadableObjects | undefined;
  /** Epoch milliseconds after which nothing more is begun. */
  readonly endsMs: number;
  /** Records of one part; by default `archivePartRecords`. */
  readonly partRecords?: number;
}

export interface FullProgress {
  readonly full: FullKind;
  readonly beganMs: number;
  readonly parts: number;
  readonly records: number;
  readonly contents: number;
  readonly complete: boolean;
  /** Records whose bytes this site could not read to the end → why: they are tried again by the next full. */
  readonly withoutBytes: Readonly<Record<string, string>>;
}

/** Goes on with the full that is not complete, or begins the one that is due; undefined: none is. */
export async function runFull(options: FullOptions): Promise<FullProgress | undefined> {
  const { site, storage } = options;
  const nowMs = site.now();
  const fulls = await listFulls(storage, site.site);
  const open = fulls.findLast(
    ({ complete, beganMs }) => complete === undefined && nowMs - beganMs < archiveFullMaxMs,
  );
  const last = (kind?: FullKind): number =>
    fulls.findLast((full) => full.complete !== undefined && (kind === undefined || full.kind === kind))
      ?.beganMs ?? -Infinity;
  if (open === undefined && nowMs - last() < archiveDailyMs) return undefined;
  const kind = nowMs - last('weekly') >= archiveWeeklyMs ? 'weekly' : 'daily';
  const full: Full = open ?? { kind, beganMs: nowMs, parts: [] };
  return new FullRun(options, full).run();
}

class FullRun {
  readonly #options: FullOptions;
  readonly #full: Full;
  readonly #withoutBytes: Record<string, string> = {};
  #held: Set<string> | undefined;
  #records = 0;
  #contents = 0;

  constructor(options: FullOptions, full: Full) {
    this.#options = options;
    this.#full = full;
  }

  async run(): Promise<FullProgress> {
    const { site, storage, endsMs } = this.#options;
    const parts = [...this.#full.parts];
    const last = parts.at(-1);
    let cursor: string | undefined;
    let ended = false;
    if (last !== undefined) {
      cursor = (await readFile(storage, last)).next;
      ended = cursor === undefined;
    }
    while (!ended && site.now() < endsMs) {
      const part = await this.#part(parts.length + 1, cursor);
      parts.push(part.name);
      cursor = part.next;
      ended = cursor === undefined;
    }
    if (ended) await this.#complete(parts);
    return {
      full: this.#full.kind,
      beganMs: this.#full.beganMs,
      parts: parts.length,
      records: this.#records,
      contents: this.#contents,
      complete: ended,
      withoutBytes: this.#withoutBytes,
    };
  }

  async #part(
    number: number,
    from: string | undefined,
  ): Promise<{ name: Listed<PartName>; next: string | undefined }> {
    const { site, store, storage, partRecords = archivePartRecords } = this.#options;
    const records: ArchivedRecord[] = [];
    let bytes = 0;
    let cursor = from;
    do {
      const page = await store.scan({ cursor, limit: Math.min(500, partRecords - records.length) });
      for (const { key, state } of page.records) {
        if (!isArchived(site, { key, state })) continue;
        records.push({ key, state });
        bytes += JSON.stringify(state).length;
      }
      cursor = page.next;
    } while (cursor !== undefined && records.length < partRecords && bytes < archiveFileBytes);
    await this.#copyContents(records);
    const head = { kind: 'part', site: site.site, madeAt: new Date(site.now()).toISOString() } as const;
    const file = encodeFile({ head, records, ...(cursor !== undefined && { next: cursor }) });
    const { kind: full, beganMs: ms } = this.#full;
    const name: PartName = { kind: 'part', site: site.site, full, ms, number, sha256: file.sha256 };
    await storage.put(nameOf(name), file.bytes, { contentType: GZIP, createOnly: true });
    this.#records += records.length;
    return { name: { ...name, bytes: file.bytes.length }, next: cursor };
  }

  /** Before the part that names them: so a complete full has the bytes of what it names. */
  async #copyContents(records: readonly ArchivedRecord[]): Promise<void> {
    const { site, contents, objects, storage } = this.#options;
    if (contents === undefined || objects === undefined) return;
    const held = (this.#held ??= new Set((await listArchive(storage, site.site, 'contents')).map(nameOf)));
    await eachAtOnce(records, archiveAtOnce, async ({ key, state }) => {
      const content = contents.may(key) ? contents.of(key, state, site.now())?.content : undefined;
      if (content === undefined) return;
      const name = nameOf({ kind: 'content', site: site.site, key, upload: content.upload });
      if (held.has(name)) return;
      try {
        await copyContent(
          { objects, key: storageName(key, content.upload) },
          { storage, key: name },
          content,
        );
        held.add(name);
        this.#contents += 1;
      } catch (error) {
        // What another site is still to send, or a damaged object, must not keep all others out of the archive.
        if (!(error instanceof NotFoundError || error instanceof ContentMismatchError)) throw error;
        this.#withoutBytes[key] = error.message;
      }
    });
  }

  async #complete(parts: readonly Listed<PartName>[]): Promise<void> {
    const { site, storage } = this.#options;
    const { kind: full, beganMs: ms } = this.#full;
    const counts = await countRecords(storage, this.#full.parts);
    const document: FullDocument = {
      format: ARCHIVE_FORMAT,
      site: site.site,
      full,
      begunAt: new Date(ms).toISOString(),
      endedAt: new Date(site.now()).toISOString(),
      records: counts + this.#records,
      parts: parts.map((part) => ({ name: nameOf(part), bytes: part.bytes })),
    };
    const bytes = Buffer.from(`${JSON.stringify(document)}\n`);
    const name: CompleteName = { kind: 'complete', site: site.site, full, ms, sha256: sha256Of(bytes) };
    await storage.put(nameOf(name), bytes, { contentType: 'application/json', createOnly: true });
  }
}

/** Of the parts of runs before this one. */
async function countRecords(storage: ArchiveStorage, parts: readonly PartName[]): Promise<number> {
  let records = 0;
  await eachAtOnce(parts, archiveAtOnce, async (part) => {
    records += (await readFile(storage, part)).records.length;
  });
  return records;
}
