/** Where a shop is published: what both clouds' storages can do with files that the public reads. */
import type { ShopFile } from '@tandem-clouds/storefront/build/shop-file';

/** What is kept beside a file, for the next publication. */
export type Notes = Readonly<Record<string, string>>;

export interface StoredFile {
  /** Which state of the file this is; changes with every write. */
  readonly version: string;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly notes: Notes;
}

export interface ListedFile {
  readonly name: string;
  readonly writtenAtMs: number;
}

/** Somebody else has written the file meanwhile. */
export class ReplacedMeanwhileError extends Error {
  override readonly name = 'ReplacedMeanwhileError';
}

export interface ShopStorage {
  list(): Promise<readonly ListedFile[]>;
  /** Undefined when there is no such file. */
  describe(name: string): Promise<StoredFile | undefined>;
  write(file: ShopFile, notes: Notes): Promise<void>;
  /** @param expected What is there now; undefined: nothing. @throws ReplacedMeanwhileError */
  replace(file: ShopFile, notes: Notes, expected: StoredFile | undefined): Promise<void>;
  remove(name: string): Promise<void>;
}
