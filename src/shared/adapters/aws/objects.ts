/**
 * The objects port by S3: one bucket.
 *
 * Invariant: every body goes with its CRC-64, which S3 compares and keeps as that of the whole object. The SDK adds no
 * checksum of its own, and checks one only where nobody has said which is right: else `continued-read.ts` does.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
import type { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { OvertakenError } from '@tandem-clouds/replication/errors';
import { objectPageMax } from '../../bounds.ts';
import { NotFoundError } from '../../errors.ts';
import {
  attributeFailures,
  beyondEnd,
  bodyFailures,
  check,
  checksumFailures,
  keyFailures,
  limitFailures,
  rangeFailures,
} from '../../ports/object-rules.ts';
import type {
  DownloadTerms,
  ListOptions,
  ObjectAttributes,
  ObjectContent,
  ObjectHead,
  ObjectPage,
  ObjectPart,
  ObjectPlace,
  Objects,
  ObjectUpload,
  ReadOptions,
  SignedUpload,
  SignedUrl,
  UploadTerms,
  WriteOptions,
  WrittenObject,
} from '../../ports/objects.ts';
import { continuedRead } from '../continued-read.ts';
import { announcedCrc64, asWritten, readMetadata, storedMetadata } from '../object-writes.ts';
import { objectsError, objectsReadError, statusOf } from './errors.ts';
import { S3Parts, writtenOf } from './object-parts.ts';
import { S3Urls } from './object-urls.ts';

export class S3Objects implements Objects {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #parts: S3Parts;
  readonly #urls: S3Urls;

  /** @param client With `requestChecksumCalculation` and `responseChecksumValidation` where they are required only. */
  constructor(client: S3Client, bucket: string, now: () => number = Date.now) {
    this.#client = client;
    this.#bucket = bucket;
    this.#parts = new S3Parts(client, bucket, (key) => this.head({ key }));
    this.#urls = new S3Urls(client, bucket, now);
  }

  async put(key: string, body: Uint8Array, options: WriteOptions): Promise<WrittenObject> {
    const { contentType, metadata, checksums = {}, createOnly = false } = options;
    check(keyFailures(key), attributeFailures(options), checksumFailures(checksums), bodyFailures(body));
    const crc64 = announcedCrc64(key, body, options);
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: body,
      ContentLength: body.length,
      ContentType: contentType,
      Metadata: storedMetadata(metadata, { ...checksums, crc64: undefined }),
      ChecksumCRC64NVME: crc64,
      ...(createOnly && { IfNoneMatch: '*' }),
    });
    try {
      return writtenOf(await this.#client.send(command));
    } catch (error) {
      if (statusOf(error) !== 412) throw objectsError(error);
      return asWritten(await this.head({ key }), key, { bytes: body.length, crc64 });
    }
  }

  async head({ key, versionId }: ObjectPlace): Promise<ObjectHead | undefined> {
    check(keyFailures(key));
    const command = new HeadObjectCommand({ ...this.#at({ key, versionId }), ChecksumMode: 'ENABLED' });
    try {
      return headOf(key, await this.#client.send(command));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw objectsReadError(error);
    }
  }

  async read(key: string, { versionId, from = 0, bytes, crc64 }: ReadOptions = {}): Promise<ObjectContent> {
    check(keyFailures(key), rangeFailures(from, bytes), checksumFailures({ crc64 }));
    const isCompared = crc64 !== undefined;
    const answer = await this.#get({ key, versionId }, { from, bytes, isCompared });
    const { ContentLength: length = 0, ETag: etag } = answer;
    const total = Number(/\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1] ?? length);
    const head = headOf(key, { ...answer, ContentLength: total });
    const isWhole = from === 0 && length === total;
    const read = continuedRead({
      key,
      first: answer.Body as Readable,
      from,
      bytes: length,
      crc64: crc64 ?? (isWhole ? head.checksums.crc64 : undefined),
      open: async (at, left) => {
        const place = { key, versionId: head.versionId };
        return (await this.#get(place, { from: at, bytes: left, isCompared, etag })).Body as Readable;
      },
    });
    return { head, from, bytes: length, ...read };
  }

  /** @param asked.isCompared By who reads it: then the SDK does not sum the bytes once more. */
  async #get(
    place: Place,
    {
      from,
      bytes,
      isCompared,
      etag,
    }: Asked & { readonly isCompared: boolean; readonly etag?: string | undefined },
  ): Promise<GetObjectCommandOutput> {
    const isRange = from > 0 || bytes !== undefined;
    const command = new GetObjectCommand({
      ...this.#at(place),
      ...(!isCompared && { ChecksumMode: 'ENABLED' }),
      ...(isRange && { Range: `bytes=${from}-${bytes === undefined ? '' : from + bytes - 1}` }),
      ...(etag !== undefined && { IfMatch: etag }),
    });
    if (isCompared) askForChecksums(command);
    try {
      return await this.#client.send(command);
    } catch (error) {
      const isContinued = etag !== undefined;
      if (isContinued && (isAbsent(error) || statusOf(error) === 412))
        throw new OvertakenError(`${place.key}: what was read is not there any more`, { cause: error });
      if (isAbsent(error)) throw new NotFoundError(`${place.key}: there is no such object`, { cause: error });
      if (statusOf(error) === 416) throw beyondEnd(from);
      throw objectsReadError(error);
    }
  }

  async list({ prefix = '', limit = objectPageMax, cursor }: ListOptions = {}): Promise<ObjectPage> {
    check(limitFailures(limit));
    const command = new ListObjectsV2Command({
      Bucket: this.#bucket,
      Prefix: prefix,
      MaxKeys: limit,
      // Keys have characters that XML 1.0 has no way for; here they have none, others may have put some there.
      EncodingType: 'url',
      ...(cursor !== undefined && { ContinuationToken: cursor }),
    });
    try {
      const { Contents = [], NextContinuationToken: next } = await this.#client.send(command);
      const objects = Contents.map(({ Key = '', Size = 0, ETag = '', LastModified }) => ({
        key: decodeURIComponent(Key.replaceAll('+', ' ')),
        bytes: Size,
        etag: ETag,
        modifiedMs: LastModified?.getTime() ?? 0,
      }));
      return { objects, ...(next !== undefined && { cursor: next }) };
    } catch (error) {
      throw objectsReadError(error);
    }
  }

  async delete({ key, versionId }: ObjectPlace): Promise<'current' | 'version'> {
    check(keyFailures(key));
    try {
      await this.#client.send(new DeleteObjectCommand(this.#at({ key, versionId })));
    } catch (error) {
      if (!isAbsent(error)) throw objectsError(error);
    }
    return versionId === undefined ? 'current' : 'version';
  }

  async purge(key: string): Promise<void> {
    check(keyFailures(key));
    const command = new ListObjectVersionsCommand({
      Bucket: this.#bucket,
      Prefix: key,
      MaxKeys: objectPageMax,
    });
    try {
      // Those of the key itself come first, because all others are longer.
      const { Versions = [], DeleteMarkers = [] } = await this.#client.send(command);
      for (const { Key, VersionId } of [...Versions, ...DeleteMarkers])
        if (Key === key && VersionId !== undefined) await this.delete({ key, versionId: VersionId });
    } catch (error) {
      throw objectsError(error);
    }
  }

  async copy(from: ObjectPlace, to: string, { createOnly = false } = {}): Promise<WrittenObject> {
    check(keyFailures(from.key, '/from/key'), keyFailures(to, '/to'));
    const version = from.versionId === undefined ? '' : `?versionId=${encodeURIComponent(from.versionId)}`;
    const source = `${this.#bucket}/${from.key.split('/').map(encodeURIComponent).join('/')}${version}`;
    const command = new CopyObjectCommand({
      Bucket: this.#bucket,
      Key: to,
      CopySource: source,
      MetadataDirective: 'COPY',
      ChecksumAlgorithm: 'CRC64NVME',
      ...(createOnly && { IfNoneMatch: '*' }),
    });
    try {
      const { CopyObjectResult, VersionId } = await this.#client.send(command);
      return writtenOf({ ETag: CopyObjectResult?.ETag, VersionId });
    } catch (error) {
      if (isAbsent(error)) throw new NotFoundError(`${from.key}: there is no such object`, { cause: error });
      if (statusOf(error) !== 412) throw objectsError(error);
      const [source, there] = await Promise.all([this.head(from), this.head({ key: to })]);
      if (source === undefined) throw new NotFoundError(`${from.key}: there is no such object`);
      return asWritten(there, to, { bytes: source.bytes, crc64: source.checksums.crc64 });
    }
  }

  signUpload(key: string, terms: UploadTerms): Promise<SignedUpload> {
    return this.#urls.upload(key, terms);
  }

  signDownload(key: string, terms: DownloadTerms): Promise<SignedUrl> {
    return this.#urls.download(key, terms);
  }

  beginUpload(
    key: string,
    attributes: ObjectAttributes & { readonly sha256?: string },
  ): Promise<ObjectUpload> {
    return this.#parts.begin(key, attributes);
  }

  putPart(
    upload: ObjectUpload,
    part: { readonly number: number; readonly body: Uint8Array },
  ): Promise<ObjectPart> {
    return this.#parts.put(upload, part);
  }

  listParts(upload: ObjectUpload): Promise<readonly ObjectPart[]> {
    return this.#parts.list(upload);
  }

  completeUpload(
    upload: ObjectUpload,
    parts: readonly ObjectPart[],
    options: { readonly checksums?: { readonly crc64?: string }; readonly createOnly?: boolean } = {},
  ): Promise<WrittenObject> {
    return this.#parts.complete(upload, parts, options);
  }

  abortUpload(upload: ObjectUpload): Promise<void> {
    return this.#parts.abort(upload);
  }

  close(): void {
    this.#client.destroy();
  }

  #at({ key, versionId }: Place): { Bucket: string; Key: string; VersionId?: string } {
    return { Bucket: this.#bucket, Key: key, ...(versionId !== undefined && { VersionId: versionId }) };
  }
}

interface Place {
  readonly key: string;
  readonly versionId?: string | undefined;
}

interface Asked {
  readonly from: number;
  readonly bytes?: number | undefined;
}

/** As `ChecksumMode` does, because of which the SDK would sum what comes. */
function askForChecksums({ middlewareStack }: GetObjectCommand): void {
  middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { readonly headers: Record<string, string> };
      headers['x-amz-checksum-mode'] = 'ENABLED';
      return next(args);
    },
    { step: 'build' },
  );
}

/** Not there, or a delete marker, which has no content. */
const isAbsent = (error: unknown): boolean => {
  const { name } = error as Error;
  return name === 'NoSuchKey' || name === 'NoSuchVersion' || name === 'NotFound' || statusOf(error) === 405;
};

/** A checksum of the checksums of parts is none of the whole. */
function headOf(key: string, answer: HeadObjectCommandOutput | GetObjectCommandOutput): ObjectHead {
  const { ContentLength = 0, ContentType = '', LastModified, ChecksumType } = answer;
  const { metadata, sha256: announced } = readMetadata(answer.Metadata);
  const isWhole = ChecksumType === undefined || ChecksumType === 'FULL_OBJECT';
  const { ChecksumCRC64NVME: crc64, ChecksumSHA256: sha256 } = isWhole ? answer : {};
  return {
    ...writtenOf(answer),
    key,
    bytes: ContentLength,
    contentType: ContentType,
    metadata,
    modifiedMs: LastModified?.getTime() ?? 0,
    checksums: { ...(crc64 !== undefined && { crc64 }), ...(sha256 !== undefined && { sha256 }) },
    announced: { ...(announced !== undefined && { sha256: announced }) },
  };
}
