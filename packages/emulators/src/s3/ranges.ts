/**
 * Ranges of one object: `Range` of a read, `x-amz-copy-source-range`, and parts by their number.
 * https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
 */
import type { ByteRange } from '../core/object-files.ts';
import { S3Error } from './errors.ts';
import type { ObjectVersion } from './model.ts';

/** Undefined: all of it, because there is no range, or none that S3 serves. @throws S3Error InvalidRange */
export function rangeIn(header: string | undefined, size: number): ByteRange | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (from >= size || (first === '' && Number(last) === 0))
    throw new S3Error('InvalidRange', 'The requested range is not satisfiable', {
      elements: { RangeRequested: header ?? '', ActualObjectSize: size },
      headers: { 'content-range': `bytes */${size}` },
    });
  return { from, bytes: end - from };
}

/** Both ends, within the source. @throws S3Error InvalidArgument */
export function copyRangeIn(header: string, size: number): ByteRange {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? [];
  if (first === undefined || last === undefined || Number(first) > Number(last))
    throw new S3Error(
      'InvalidArgument',
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
    );
  if (Number(last) >= size)
    throw new S3Error('InvalidArgument', `Range specified is not valid for source object of size: ${size}`);
  return { from: Number(first), bytes: Number(last) - Number(first) + 1 };
}

/** @param number From 1; an object of one PUT has one part. @throws S3Error InvalidPartNumber */
export function partRange({ parts, bytes }: ObjectVersion, number: number): ByteRange {
  const sizes = parts?.map((part) => part.bytes) ?? [bytes];
  const size = sizes[number - 1];
  if (size === undefined)
    throw new S3Error('InvalidPartNumber', 'The requested partnumber is not satisfiable');
  return { from: sizes.slice(0, number - 1).reduce((sum, one) => sum + one, 0), bytes: size };
}
