/**
 * One publication of the shop.
 *
 * Invariant: whatever a page names is there before that page is, and for one publication after it. Script, styles and icon have
 * names that change with what is in them, and are written first; the page is written last, in one request, under the condition
 * that it is the one that was read at the beginning. So a publication that ends early has changed nothing that anybody sees, and
 * the next one goes on. What the page names, and what the page before it named, is in the page's own metadata: written with it
 * or not at all.
 */
import { createHash } from 'node:crypto';
import { PAGE } from '@tandem-clouds/storefront/build/page';
import { isAsset, type ShopFile } from '@tandem-clouds/storefront/build/shop-file';
import {
  type ListedFile,
  type Notes,
  ReplacedMeanwhileError,
  type ShopStorage,
  type StoredFile,
} from './shop-storage.ts';

export interface Step {
  readonly action: 'write' | 'keep' | 'remove';
  readonly name: string;
  /** Of a file of this shop. */
  readonly bytes?: number;
}

export interface Publication {
  /** Assets first, then the configuration, and the page. */
  readonly files: readonly ShopFile[];
  readonly dryRun: boolean;
  /** As soon as it is done, or would be. */
  readonly onStep: (step: Step) => void;
}

const digestOf = ({ bytes }: ShopFile): string => createHash('sha256').update(bytes).digest('hex');

const isSame = (file: ShopFile, stored: StoredFile | undefined): boolean =>
  stored?.notes['sha256'] === digestOf(file) &&
  stored.contentType === file.contentType &&
  stored.cacheControl === file.cacheControl;

/** @throws ReplacedMeanwhileError when somebody else has published meanwhile; the page is theirs. */
export async function publish(storage: ShopStorage, { files, dryRun, onStep }: Publication): Promise<void> {
  const page = files.find(({ name }) => name === PAGE);
  if (page === undefined) throw new TypeError(`a shop has ${PAGE}`);
  const [published, listed] = await Promise.all([storage.describe(PAGE), storage.list()]);
  const notes = notesOf(page, files, published);

  for (const file of files.filter((one) => one !== page)) {
    const isThere = isSame(file, await storage.describe(file.name));
    if (!isThere && !dryRun) await storage.write(file, { sha256: digestOf(file) });
    onStep({ action: isThere ? 'keep' : 'write', name: file.name, bytes: file.bytes.length });
  }

  const isThere = isSame(page, published);
  if (!isThere && !dryRun) await replacePage(storage, page, { notes, published });
  onStep({ action: isThere ? 'keep' : 'write', name: PAGE, bytes: page.bytes.length });

  // A page that does not say what it names was put there by hand: then nothing goes.
  for (const name of published?.notes['assets'] === undefined ? [] : outdated(listed, notes)) {
    if (!dryRun) await storage.remove(name);
    onStep({ action: 'remove', name });
  }
}

/** What is written with the page: a page that stays says what it has said. */
function notesOf(page: ShopFile, files: readonly ShopFile[], published: StoredFile | undefined): Notes {
  if (published !== undefined && isSame(page, published)) return published.notes;
  return {
    sha256: digestOf(page),
    assets: files.flatMap(({ name }) => (isAsset(name) ? [name] : [])).join(' '),
    // Neither storage is asked to keep an empty text.
    ...(published?.notes['assets'] !== undefined && { previous: published.notes['assets'] }),
  };
}

async function replacePage(
  storage: ShopStorage,
  page: ShopFile,
  { notes, published }: { readonly notes: Notes; readonly published: StoredFile | undefined },
): Promise<void> {
  try {
    await storage.replace(page, notes, published);
  } catch (error) {
    // The answer to our own write was lost, and its repetition finds it there.
    const isOurs = error instanceof ReplacedMeanwhileError && isSame(page, await storage.describe(page.name));
    if (!isOurs) throw error;
  }
}

/**
 * Assets that neither the page nor the one before it names. What is newer than the page that was there may be of a publication
 * that is under way elsewhere.
 */
function outdated(listed: readonly ListedFile[], { assets = '', previous = '' }: Notes): readonly string[] {
  const kept = new Set([...assets.split(' '), ...previous.split(' ')]);
  const pageWrittenAtMs = listed.find(({ name }) => name === PAGE)?.writtenAtMs ?? 0;
  return listed.flatMap(({ name, writtenAtMs }) =>
    isAsset(name) && !kept.has(name) && writtenAtMs <= pageWrittenAtMs ? [name] : [],
  );
}
