/**
 * What names, attributes and sizes of objects may be: what both clouds take, so that what is accepted here is refused nowhere.
 *
 * Each check names every rule that is broken, in an InvalidError.
 */
import {
  objectBodyBytesMax,
  objectBytesMax,
  objectHeaderCharsMax,
  objectKeyBytesMax,
  objectKeySegmentsMax,
  objectMetadataBytesMax,
  objectPageMax,
  objectPartBytesMin,
  objectPartsMax,
  signedUrlSecondsMax,
} from '../bounds.ts';
import { type Failure, InvalidError } from '../errors.ts';
import type { Checksums, DownloadTerms, ObjectAttributes, ObjectPart, UploadTerms } from './objects.ts';

/** Names of metadata that are ours begin so. */
export const OWN_METADATA = 'tandem';

const METADATA_NAME = /^[a-z][a-z0-9]{0,63}$/;
const METADATA_VALUE = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/;
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+( *;[\x20-\x7e]*)?$/;
const HEADER_VALUE = /^[\x20-\x7e]*$/;
const CRC64 = /^[A-Za-z0-9+/]{11}=$/;
const SHA256 = /^[A-Za-z0-9+/]{43}=$/;
/**
 * Control characters, which XML 1.0 or Blob Storage do not carry, its two noncharacters, and the backslash, which clients
 * take for a slash.
 * @see https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
 */
const NOT_IN_KEYS = /[\u0000-\u001f\u007f-\u009f\\\ufffe\uffff]/u;

/** @throws InvalidError */
export function check(...failures: readonly (readonly Failure[])[]): void {
  const all = failures.flat();
  if (all.length === 0) return;
  throw new InvalidError(all.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; '), all);
}

const failed = (pointer: string, rule: string, detail: string): Failure => ({ pointer, rule, detail });

/** @param what Where the key stands. */
export function keyFailures(key: string, what = '/key'): Failure[] {
  const failures: Failure[] = [];
  const refuse = (rule: string, detail: string): void => void failures.push(failed(what, rule, detail));
  if (!key.isWellFormed()) refuse('characters', 'has half of a surrogate pair');
  if (NOT_IN_KEYS.test(key)) refuse('characters', 'has a control character, a backslash, U+FFFE or U+FFFF');
  if (Buffer.byteLength(key) > objectKeyBytesMax)
    refuse('maxLength', `has more than ${objectKeyBytesMax} bytes of UTF-8`);
  const segments = key.split('/');
  if (segments.length > objectKeySegmentsMax)
    refuse('segments', `has more than ${objectKeySegmentsMax} segments between slashes`);
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..'))
    refuse('segments', "has a segment between slashes that is empty, '.' or '..'");
  if (key.endsWith('.')) refuse('characters', 'ends with a dot');
  return failures;
}

export function attributeFailures({ contentType, metadata = {} }: ObjectAttributes): Failure[] {
  const failures = headerFailures({ contentType });
  if (!MEDIA_TYPE.test(contentType)) failures.push(failed('/contentType', 'format', 'is no media type'));
  let bytes = 0;
  for (const [name, value] of Object.entries(metadata)) {
    const pointer = `/metadata/${name}`;
    bytes += name.length + value.length;
    if (!METADATA_NAME.test(name) || name.startsWith(OWN_METADATA))
      failures.push(
        failed(pointer, 'name', 'is no name of lower-case letters and digits, or begins with tandem'),
      );
    if (!METADATA_VALUE.test(value))
      failures.push(failed(pointer, 'characters', 'is empty, or has more than printable ASCII'));
  }
  if (bytes > objectMetadataBytesMax)
    failures.push(failed('/metadata', 'maxLength', `has more than ${objectMetadataBytesMax} bytes`));
  return failures;
}

/** Of what becomes a header of an answer. */
export function headerFailures(headers: Readonly<Record<string, string | undefined>>): Failure[] {
  return Object.entries(headers).flatMap(([name, value = '']) => [
    ...(HEADER_VALUE.test(value) ? [] : [failed(`/${name}`, 'characters', 'has more than printable ASCII')]),
    ...(value.length > objectHeaderCharsMax
      ? [failed(`/${name}`, 'maxLength', `has more than ${objectHeaderCharsMax} characters`)]
      : []),
  ]);
}

export function checksumFailures({ crc64, sha256 }: Checksums, isNeeded = false): Failure[] {
  const failures: Failure[] = [];
  if (crc64 !== undefined && !CRC64.test(crc64))
    failures.push(failed('/checksums/crc64', 'format', 'is no base64 of 8 bytes'));
  if (sha256 !== undefined && !SHA256.test(sha256))
    failures.push(failed('/checksums/sha256', 'format', 'is no base64 of 32 bytes'));
  if (isNeeded && crc64 === undefined && sha256 === undefined)
    failures.push(failed('/checksums', 'required', 'has neither crc64 nor sha256'));
  return failures;
}

const within = (pointer: string, value: number, [min, max]: readonly [number, number]): Failure[] =>
  Number.isInteger(value) && value >= min && value <= max
    ? []
    : [failed(pointer, 'range', `is not a whole number from ${min} to ${max}`)];

export const sizeFailures = (bytes: number): Failure[] => within('/bytes', bytes, [0, objectBytesMax]);
export const bodyFailures = (body: Uint8Array): Failure[] =>
  within('/body', body.length, [0, objectBodyBytesMax]);
export const partFailures = (number: number, body: Uint8Array): Failure[] => [
  ...within('/number', number, [1, objectPartsMax]),
  // Blob Storage has no block of nothing.
  ...within('/body', body.length, [1, objectBodyBytesMax]),
];
export const limitFailures = (limit: number): Failure[] => within('/limit', limit, [1, objectPageMax]);
export const lifetimeFailures = (seconds: number): Failure[] =>
  within('/expiresInSeconds', seconds, [1, signedUrlSecondsMax]);
export const rangeFailures = (from: number, bytes = 1): Failure[] => [
  ...within('/from', from, [0, objectBytesMax]),
  ...within('/bytes', bytes, [1, objectBytesMax]),
];

/** Of a signed upload. */
export const uploadFailures = (key: string, terms: UploadTerms, seconds: number): Failure[] => [
  ...[...keyFailures(key), ...attributeFailures(terms), ...checksumFailures(terms.checksums, true)],
  ...[...sizeFailures(terms.bytes), ...lifetimeFailures(seconds)],
];

/** Of a signed download. */
export function downloadFailures(key: string, terms: DownloadTerms, seconds: number): Failure[] {
  const { contentType, contentDisposition, cacheControl } = terms;
  const headers = headerFailures({ contentType, contentDisposition, cacheControl });
  return [...keyFailures(key), ...lifetimeFailures(seconds), ...headers];
}

export const beyondEnd = (from: number): InvalidError =>
  new InvalidError(`/from ${from} is beyond the end`, [failed('/from', 'range', 'is beyond the end')]);

/** Of those that are to be an object. */
export function partsFailures(parts: readonly ObjectPart[]): Failure[] {
  const failures = within('/parts', parts.length, [1, objectPartsMax]);
  parts.forEach(({ number, bytes }, index) => {
    const next = parts[index + 1];
    if (next === undefined) return;
    if (next.number <= number)
      failures.push(failed(`/parts/${index + 1}`, 'order', 'is not after the part before it'));
    if (bytes < objectPartBytesMin)
      failures.push(
        failed(
          `/parts/${index}`,
          'minLength',
          `has less than ${objectPartBytesMin} bytes and is not the last`,
        ),
      );
  });
  return [...failures, ...sizeFailures(parts.reduce((sum, { bytes }) => sum + bytes, 0))];
}
