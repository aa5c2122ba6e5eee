/** What of a storage holds an archive: listing all of a prefix, and reading an object whole. */
import type { SiteId } from '@tandem-clouds/replication/stamp';
import { NotFoundError } from '../errors.ts';
import type { Objects } from '../ports/objects.ts';
import { DamagedArchiveError } from './errors.ts';
import { type ArchiveFile, decodeFile, sha256Of } from './file.ts';
import { type ArchiveName, type Folder, type HashedName, nameOf, prefixOf, readName } from './names.ts';

export type ArchiveStorage = Pick<
  Objects,
  'put' | 'read' | 'list' | 'head' | 'beginUpload' | 'putPart' | 'completeUpload'
>;

/** An object of an archive that is there. */
export type Listed<Name extends ArchiveName = ArchiveName> = Name & { readonly bytes: number };

/** Of one site, in the order of their names. What is no object of an archive is left out. */
export async function listArchive(
  storage: Pick<ArchiveStorage, 'list'>,
  site: SiteId,
  folder: Folder,
): Promise<readonly Listed[]> {
  return listAll(storage, prefixOf(folder, site));
}

export async function listAll(
  storage: Pick<ArchiveStorage, 'list'>,
  prefix: string,
): Promise<readonly Listed[]> {
  const found: (readonly [string, Listed])[] = [];
  let cursor: string | undefined;
  do {
    const page = await storage.list({ prefix, ...(cursor !== undefined && { cursor }) });
    for (const { key, bytes } of page.objects) {
      const name = readName(key);
      if (name !== undefined) found.push([key, { ...name, bytes }]);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, listed]) => listed);
}

/** @throws DamagedArchiveError when it is not there. */
export async function readBytes(storage: Pick<ArchiveStorage, 'read'>, key: string): Promise<Uint8Array> {
  try {
    const { content } = await storage.read(key);
    const pieces: Uint8Array[] = [];
    for await (const piece of content) pieces.push(piece);
    return Buffer.concat(pieces);
  } catch (error) {
    if (error instanceof NotFoundError)
      throw new DamagedArchiveError(`${key}: it is missing`, { cause: error });
    throw error;
  }
}

/** @throws DamagedArchiveError */
export async function readFile(
  storage: Pick<ArchiveStorage, 'read'>,
  name: HashedName,
): Promise<ArchiveFile> {
  return decodeFile(name, await readBytes(storage, nameOf(name)));
}

/** A JSON document whose name has its digest. @throws DamagedArchiveError */
export async function readDocument(
  storage: Pick<ArchiveStorage, 'read'>,
  name: HashedName,
): Promise<Readonly<Record<string, unknown>>> {
  const key = nameOf(name);
  const bytes = await readBytes(storage, key);
  if (sha256Of(bytes) !== name.sha256)
    throw new DamagedArchiveError(`${key}: its SHA-256 is ${sha256Of(bytes)}, not that of its name`);
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as Readonly<Record<string, unknown>>;
}

/** Runs over all of them, so many at once, and ends when all have. @throws what the first that threw has thrown. */
export async function eachAtOnce<Item>(
  items: readonly Item[],
  atOnce: number,
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (const item of queue) {
      if (failures.length > 0) return;
      try {
        await act(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
}
