/**
 * Metadata: headers `x-ms-meta-<name>`.
 * @see https://learn.microsoft.com/rest/api/storageservices/setting-and-retrieving-properties-and-metadata-for-blob-resources
 */
import type { Call } from './call.ts';
import { BlobError } from './errors.ts';

const PREFIX = 'x-ms-meta-';
/** Names and values together. */
const BYTES_MAX = 8 * 1024;
/** An identifier of C#: https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata#metadata-names */
const NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u;

export type Metadata = Readonly<Record<string, string>>;

/** In the case that the names were sent in. @throws BlobError */
export function metadataIn({ rawHeaders }: Call): Metadata {
  const found = rawHeaders.flatMap(([name, value]) =>
    name.toLowerCase().startsWith(PREFIX) ? [[name.slice(PREFIX.length), value.trim()] as const] : [],
  );
  const bytes = found.reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  );
  if (found.some(([name]) => name === '')) throw new BlobError('EmptyMetadataKey');
  if (bytes > BYTES_MAX) throw new BlobError('MetadataTooLarge');
  const names = new Set(found.map(([name]) => name.toLowerCase()));
  if (names.size !== found.length || !found.every(([name]) => NAME.test(name)))
    throw new BlobError('InvalidMetadata');
  return Object.fromEntries(found);
}

export function metadataHeaders(metadata: Metadata): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [PREFIX + name, value]));
}
