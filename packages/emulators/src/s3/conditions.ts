/**
 * Conditions of reads and of writes.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-reads.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
import type { Bucket, Watch } from './bucket.ts';
import { S3Error } from './errors.ts';
import type { ObjectVersion } from './model.ts';

const unquoted = (etag: string): string => etag.trim().replaceAll('"', '');

const isMatch = (list: string, etag: string): boolean =>
  list.split(',').some((one) => one.trim() === '*' || unquoted(one) === etag);

/** S3 knows seconds. */
const secondsOf = (time: string): number => Math.floor(Date.parse(time) / 1000);

function failed(condition: string): S3Error {
  return new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
    elements: { Condition: condition },
  });
}

/**
 * @param prefix `x-amz-copy-source-` for the source of a copy, which never answers 304.
 * @throws S3Error PreconditionFailed, or NotModified with the headers of that answer.
 */
export function checkRead(
  headers: Readonly<Record<string, string>>,
  { etag, at }: ObjectVersion,
  prefix = '',
): void {
  const [ifMatch, ifNoneMatch, since, unmodifiedSince] = [
    ...['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'],
  ].map((name) => headers[prefix + name]);
  const modified = Math.floor(at / 1000);
  if (ifMatch !== undefined) {
    if (!isMatch(ifMatch, etag)) throw failed('If-Match');
  } else if (unmodifiedSince !== undefined && modified > secondsOf(unmodifiedSince))
    throw failed('If-Unmodified-Since');
  const isUnchanged =
    ifNoneMatch === undefined
      ? since !== undefined && modified <= secondsOf(since)
      : isMatch(ifNoneMatch, etag);
  if (!isUnchanged) return;
  if (prefix !== '') throw failed(ifNoneMatch === undefined ? 'If-Modified-Since' : 'If-None-Match');
  const unchanged = { etag: `"${etag}"`, 'last-modified': new Date(at).toUTCString() };
  throw new S3Error('NotModified', 'Not Modified', { headers: unchanged });
}

export interface WriteCondition {
  readonly ifMatch: string | undefined;
  readonly isCreateOnly: boolean;
}

/** @throws S3Error for what S3 does not know. */
export function writeConditionIn(headers: Readonly<Record<string, string>>): WriteCondition {
  const [ifMatch, ifNoneMatch] = [headers['if-match'], headers['if-none-match']];
  if ((ifNoneMatch ?? '*') !== '*' || ifMatch === '*' || (ifMatch !== undefined && ifNoneMatch !== undefined))
    throw new S3Error(
      'NotImplemented',
      'A header you provided implies functionality that is not implemented: If-None-Match takes *, If-Match an ETag, and one of them',
    );
  return { ifMatch, isCreateOnly: ifNoneMatch !== undefined };
}

/**
 * Before the content is read, and again in the moment of the write.
 * @throws S3Error PreconditionFailed; NoSuchKey when what should be replaced is gone; ConditionalRequestConflict when the
 * key was deleted while the content came.
 */
export function checkWrite(
  { ifMatch, isCreateOnly }: WriteCondition,
  { bucket, key, watch }: { readonly bucket: Bucket; readonly key: string; readonly watch: Watch },
): void {
  const [current] = bucket.versions(key);
  if (isCreateOnly) {
    if (current?.kind === 'object') throw failed('If-None-Match');
    if (watch.isConflict)
      throw new S3Error(
        'ConditionalRequestConflict',
        'The conditional request cannot succeed due to a conflicting operation against this resource.',
      );
  }
  if (ifMatch !== undefined) checkCurrent(ifMatch, bucket, key);
}

/** @throws S3Error unless the current version is there and has this ETag, or any for `*`. */
export function checkCurrent(ifMatch: string, bucket: Bucket, key: string): void {
  const [current] = bucket.versions(key);
  if (current?.kind !== 'object')
    throw new S3Error('NoSuchKey', 'The specified key does not exist.', { elements: { Key: key } });
  if (!isMatch(ifMatch, current.etag)) throw failed('If-Match');
}
