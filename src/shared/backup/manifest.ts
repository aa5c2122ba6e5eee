/**
 * Manifests: each names the segments since the one before, and that one by its digest. So a segment that is missing or was put
 * in later is found, and what a manifest says cannot be changed without changing all that come after it.
 *
 * Invariant: everything that the site acknowledged before `safeTime` is in the segments that this manifest and those before it
 * name, or in the full that they follow. It is taken before the segments are listed. There is no one moment of all data: what is
 * later is in the segments in part.
 */
import type { SiteId } from '@tandem-clouds/replication/stamp';
import { archiveMarginMs } from '../bounds.ts';
import { DamagedArchiveError } from './errors.ts';
import { ARCHIVE_FORMAT, sha256Of } from './file.ts';
import { type ArchiveName, nameOf } from './names.ts';
import { type ArchiveStorage, listArchive, type Listed, readDocument } from './storage.ts';

export interface SegmentEntry {
  readonly name: string;
  readonly bytes: number;
}

export interface Manifest {
  readonly format: number;
  readonly site: SiteId;
  /** RFC 3339. */
  readonly madeAt: string;
  /** RFC 3339. */
  readonly safeTime: string;
  /** SHA-256 of the manifest before; absent in the first one. */
  readonly previous?: string;
  readonly segments: readonly SegmentEntry[];
}

type ManifestName = Extract<ArchiveName, { readonly kind: 'segment' | 'manifest' }>;

interface SealOptions {
  readonly site: SiteId;
  /** Epoch milliseconds, taken before: everything acknowledged until then is in the archive. */
  readonly safeTimeMs: number;
  readonly now: () => number;
  /** A manifest without segments is written only when the last one is so old. */
  readonly everyMs?: number;
}

/**
 * Writes the next manifest, unless nothing was written since. Two that run at once write two with the same predecessor; the later
 * one then names what both saw, and verification takes either.
 */
export async function seal(
  storage: ArchiveStorage,
  { site, safeTimeMs, now, everyMs = 3_600_000 }: SealOptions,
): Promise<Manifest | undefined> {
  const manifests = await readManifests(storage, site);
  const last = manifests.at(-1);
  const sealed = new Set(manifests.flatMap(({ manifest }) => manifest.segments.map(({ name }) => name)));
  // A segment may come later than its name says by as long as a call takes.
  const fromMs = (last?.ms ?? 0) - archiveMarginMs;
  const segments = (await listArchive(storage, site, 'segments'))
    .filter((each) => each.kind === 'segment' && each.ms >= fromMs)
    .map((each) => ({ name: nameOf(each), bytes: each.bytes }))
    .filter(({ name }) => !sealed.has(name));
  const ms = Math.max(now(), (last?.ms ?? 0) + 1);
  if (segments.length === 0 && last !== undefined && ms - last.ms < everyMs) return undefined;
  const manifest: Manifest = {
    format: ARCHIVE_FORMAT,
    site,
    madeAt: new Date(ms).toISOString(),
    safeTime: new Date(safeTimeMs).toISOString(),
    ...(last !== undefined && { previous: last.sha256 }),
    segments,
  };
  const bytes = Buffer.from(`${JSON.stringify(manifest)}\n`);
  const name: ManifestName = { kind: 'manifest', site, ms, sha256: sha256Of(bytes) };
  await storage.put(nameOf(name), bytes, { contentType: 'application/json', createOnly: true });
  return manifest;
}

export interface NamedManifest {
  readonly ms: number;
  readonly sha256: string;
  readonly manifest: Manifest;
}

/** The oldest first. @throws DamagedArchiveError for one that is changed, or of a newer format. */
export async function readManifests(
  storage: Pick<ArchiveStorage, 'read' | 'list'>,
  site: SiteId,
): Promise<readonly NamedManifest[]> {
  const names = await listArchive(storage, site, 'manifests');
  return Promise.all(
    names.flatMap((name) => (name.kind === 'manifest' ? [readManifest(storage, name)] : [])),
  );
}

async function readManifest(
  storage: Pick<ArchiveStorage, 'read'>,
  name: Listed<ManifestName>,
): Promise<NamedManifest> {
  const manifest = (await readDocument(storage, name)) as unknown as Manifest;
  if (typeof manifest.format !== 'number' || manifest.format > ARCHIVE_FORMAT)
    throw new DamagedArchiveError(
      `${nameOf(name)}: its format ${String(manifest.format)} is newer than this release reads (${ARCHIVE_FORMAT})`,
    );
  return { ms: name.ms, sha256: name.sha256, manifest };
}

/** Names of manifests that a later one follows and that are not there. The oldest may follow one that is past its retention. */
export function brokenLinks(manifests: readonly NamedManifest[]): readonly string[] {
  const known = new Set(manifests.map(({ sha256 }) => sha256));
  return manifests
    .slice(1)
    .flatMap(({ manifest: { previous } }) =>
      previous === undefined || !known.has(previous)
        ? [`a manifest says that it follows ${previous ?? 'none'}, which is not there`]
        : [],
    );
}
