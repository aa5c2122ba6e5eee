/**
 * Ranges of a read: `x-ms-range`, which goes before `Range`.
 * @see https://learn.microsoft.com/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations
 */
import type { ByteRange } from '../core/object-files.ts';
import { type Call, header } from './call.ts';
import { BlobError } from './errors.ts';

/** Both ends are included; without a second one, to the end. Other forms, and more ranges than one, are not served. */
const RANGE = /^bytes=(\d+)-(\d*)$/;

/** Undefined: the whole. @throws BlobError when nothing is there. */
export function rangeOf(call: Call, bytes: number): ByteRange | undefined {
  return rangeIn(header(call, 'x-ms-range') ?? header(call, 'range'), bytes);
}

export function rangeIn(text: string | undefined, bytes: number): ByteRange | undefined {
  const [, first, last] = RANGE.exec(text ?? '') ?? [];
  if (first === undefined) return undefined;
  const from = Number(first);
  const end = last === undefined || last === '' ? bytes : Math.min(bytes, Number(last) + 1);
  if (from >= bytes || end <= from) {
    throw new BlobError('InvalidRange', {}, { headers: { 'content-range': `bytes */${bytes}` } });
  }
  return { from, bytes: end - from };
}

export const contentRange = ({ from, bytes }: ByteRange, total: number): string =>
  `bytes ${from}-${from + bytes - 1}/${total}`;
