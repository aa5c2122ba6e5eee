/**
 * Conditional headers.
 * @see https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations
 */
import { type Call, dateHeader, header } from './call.ts';
import { BlobError } from './errors.ts';
import type { BlobVersion } from './model.ts';
import { matchesTags } from './tags.ts';

/** A read is answered with 304 when nothing is new; a write is refused with 412. */
type Access = 'read' | 'write';

/** @throws BlobError */
export function checkConditions(call: Call, version: BlobVersion | undefined, access: Access): void {
  const [match, noneMatch] = [header(call, 'if-match'), header(call, 'if-none-match')];
  const modifiedSince = dateHeader(call, 'if-modified-since');
  const unmodifiedSince = dateHeader(call, 'if-unmodified-since');
  const tags = header(call, 'x-ms-if-tags');
  // A write that creates is not refused by what asks for something else than it, or for something newer.
  if (version === undefined) {
    if (match !== undefined || tags !== undefined) throw new BlobError('ConditionNotMet');
    return;
  }
  if (noneMatch === '*' && access === 'write') throw new BlobError('BlobAlreadyExists');
  const seconds = Math.floor(version.modifiedMs / 1_000) * 1_000;
  if (match !== undefined && !names(match, version.etag)) throw new BlobError('ConditionNotMet');
  if (unmodifiedSince !== undefined && seconds > unmodifiedSince) throw new BlobError('ConditionNotMet');
  if (tags !== undefined && !matchesTags(tags, version.tags)) throw new BlobError('ConditionNotMet');
  const isOld =
    noneMatch !== undefined
      ? names(noneMatch, version.etag)
      : modifiedSince !== undefined && seconds <= modifiedSince;
  if (isOld) throw new BlobError('ConditionNotMet', {}, { status: access === 'read' ? 304 : 412 });
}

/** @param condition An ETag, with or without its quotes, or `*`. */
function names(condition: string, etag: string): boolean {
  return condition === '*' || condition.replaceAll('"', '') === etag.replaceAll('"', '');
}
