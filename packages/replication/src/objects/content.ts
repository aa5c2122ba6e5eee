/**
 * The content of a record: bytes that lie in the storage of sites, beside the record that names them.
 *
 * Invariants (docs/objects.md):
 * - Bytes have a name of their own for each upload and are never replaced: whoever holds an upload holds just these bytes.
 * - A site is among `heldBy` only after its own storage has said that it has so many bytes with this checksum.
 * - What a record says of its content is one register: of two uploads that meet, one wins whole, and the loser is in the
 *   conflict log, by which its bytes can be put back.
 */
import type { RecordState } from '../record.ts';
import type { SiteId } from '../stamp.ts';

/** One upload that was verified, as the record names it. */
export interface Content {
  /** `<site>.<id>`: unique over all sites; names the site whose storage the client sent the bytes to. */
  readonly upload: string;
  readonly bytes: number;
  /** CRC-64/NVME of all bytes, in base64. */
  readonly crc64: string;
  /** As the client announced it, in base64. */
  readonly sha256?: string;
  readonly contentType: string;
  /** In the storage of the site that it was sent to. */
  readonly versionId?: string;
  /** Epoch milliseconds. */
  readonly completedMs: number;
}

/** What a live record says of its bytes. */
export interface Held {
  readonly content: Content;
  /** Sites whose storage has said that it has this very upload. */
  readonly heldBy: readonly SiteId[];
  /** Epoch milliseconds from which on the other sites fetch it, and by which they should have it. */
  readonly fromMs: number;
  readonly byMs: number;
}

/** Which records have content. Pure. */
export interface Contents {
  /** Undefined: none, or the record is deleted or expired. */
  readonly of: (key: string, state: RecordState, nowMs: number) => Held | undefined;
  /** Whether records of this key may have content. */
  readonly may: (key: string) => boolean;
  /** Whether a record that never got content is nothing, and goes when no upload of it can be completed any more. */
  readonly isNothingWithout?: (key: string) => boolean;
}

/** The reactions that are made for what has content; no declared reaction may have these names. */
export const HOLD = 'hold';
export const CROSSING = 'crossing';

/** The fields of such a record: a register that is written as a whole, and a set of claims. */
export const CONTENT = 'content';
export const HELD_BY = 'heldBy';

/** The name of an upload in the storage of every site. Of a key `object:abc`: `content/object/abc/<upload>`. */
export function storageName(key: string, upload: string): string {
  return `${storagePrefix(key)}${upload}`;
}

/** What the names of all uploads of a record begin with. */
export function storagePrefix(key: string): string {
  const colon = key.indexOf(':');
  return `${CONTENT_PREFIX}${key.slice(0, colon)}/${key.slice(colon + 1)}/`;
}

export const CONTENT_PREFIX = 'content/';

/** The record and the upload that a name is of; undefined: it is no name of an upload. */
export function uploadOfName(name: string): { readonly key: string; readonly upload: string } | undefined {
  const match = /^content\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(name);
  const [, entity, id, upload] = match ?? [];
  if (entity === undefined || id === undefined || upload === undefined) return undefined;
  return { key: `${entity}:${id}`, upload };
}

/** The site that an upload was sent to. */
export function siteOfUpload(upload: string): SiteId {
  return upload.slice(0, upload.lastIndexOf('.'));
}

/** An element of the set by which a record says who holds what. */
export function claim(upload: string, site: SiteId): string {
  return `${upload}@${site}`;
}

/** Who claims an upload. */
export function claimants(claims: readonly string[], upload: string): readonly SiteId[] {
  return claims.filter((each) => each.startsWith(`${upload}@`)).map((each) => each.slice(upload.length + 1));
}
