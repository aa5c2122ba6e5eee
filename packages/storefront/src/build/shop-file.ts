/** A file of the shop, as a server or a storage gives it out. */
export interface ShopFile {
  /** Below the shop's address. Each has a dot in it, so no route of the API can be the same. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly cacheControl: string;
}

/** Its name changes with what is in it. */
export const FOREVER = 'public, max-age=31536000, immutable';
/** Kept, but never shown without asking whether it is still the newest. */
export const ASK_FIRST = 'no-cache';

/** Whether a name is one that `bundleStorefront` gives: of a file that never changes. */
export const isAsset = (name: string): boolean => /^(?:app|style|icon)-[A-Z0-9]+\.[a-z]+$/.test(name);
