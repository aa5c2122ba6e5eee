/** What both clouds' objects have in common around a write: the checksum that goes with it, and what its repetition finds. */
import { createHash } from 'node:crypto';
import { crc64Of, joinedCrc64 } from '../crc64.ts';
import { ConflictError, ContentMismatchError, NotFoundError } from '../errors.ts';
import { OWN_METADATA } from '../ports/object-rules.ts';
import type { Checksums, ObjectHead, ObjectPart, WriteOptions, WrittenObject } from '../ports/objects.ts';

/** Of metadata that is ours: what the writer announced of the whole. */
const CRC64 = `${OWN_METADATA}crc64`;
const SHA256 = `${OWN_METADATA}sha256`;

/** The CRC that goes with a body. @throws ContentMismatchError when the body is not what was announced. */
export function announcedCrc64(
  key: string,
  body: Uint8Array,
  { checksums: { crc64, sha256 } = {}, isCompared = false }: WriteOptions,
): string {
  const computed = isCompared && crc64 !== undefined ? crc64 : crc64Of(body);
  if (crc64 !== undefined && crc64 !== computed) throw mismatch(key, 'crc64');
  if (sha256 !== undefined && sha256 !== createHash('sha256').update(body).digest('base64'))
    throw mismatch(key, 'sha256');
  return computed;
}

/** The CRC of an object of these parts. @throws ContentMismatchError */
export function crc64OfParts(
  key: string,
  parts: readonly ObjectPart[],
  announced: string | undefined,
): string {
  const joined = joinedCrc64(parts);
  if (announced !== undefined && announced !== joined) throw mismatch(key, 'crc64');
  return joined;
}

const mismatch = (key: string, name: string): ContentMismatchError =>
  new ContentMismatchError(`${key}: the bytes have another ${name} than was announced`);

/** Metadata as it is stored: that of the writer, and what was announced. */
export function storedMetadata(
  metadata: Readonly<Record<string, string>> | undefined,
  { crc64, sha256 }: Checksums,
): Record<string, string> {
  return {
    ...metadata,
    ...(crc64 !== undefined && { [CRC64]: crc64 }),
    ...(sha256 !== undefined && { [SHA256]: sha256 }),
  };
}

/** The reverse. Names may come in other letters than they were sent in. */
export function readMetadata(stored: Readonly<Record<string, string>> = {}): {
  readonly metadata: Readonly<Record<string, string>>;
  readonly crc64: string | undefined;
  readonly sha256: string | undefined;
} {
  const all = Object.fromEntries(Object.entries(stored).map(([name, value]) => [name.toLowerCase(), value]));
  const { [CRC64]: crc64, [SHA256]: sha256, ...metadata } = all;
  return { metadata, crc64, sha256 };
}

/**
 * What a write that was refused, because something is there, comes to: the write itself may have put it there, and its
 * answer was lost.
 * @throws ConflictError for something else
 */
export function asWritten(
  head: ObjectHead | undefined,
  key: string,
  { bytes, crc64 }: { readonly bytes: number; readonly crc64: string | undefined },
): WrittenObject {
  if (head !== undefined && crc64 !== undefined && head.bytes === bytes && head.checksums.crc64 === crc64)
    return { etag: head.etag, ...(head.versionId !== undefined && { versionId: head.versionId }) };
  throw new ConflictError(`${key}: another object is there`);
}

/** The same, of an upload that is not there any more. @throws NotFoundError */
export function asCompleted(
  head: ObjectHead | undefined,
  key: string,
  parts: readonly ObjectPart[],
): WrittenObject {
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  try {
    return asWritten(head, key, { bytes, crc64: joinedCrc64(parts) });
  } catch (cause) {
    throw new NotFoundError(`${key}: the upload was ended`, { cause });
  }
}
