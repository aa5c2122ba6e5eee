/**
 * The objects port by Blob Storage: one container.
 *
 * Invariant: every body goes with its CRC-64, which the service compares; that of the whole is kept as metadata in the same
 * call, because the service keeps none. So what metadata says was compared.
 * @see https://learn.microsoft.com/rest/api/storageservices/put-blob#request-headers-all-blob-types
 */
import type { Readable } from 'node:stream';
import type {
  BlobDownloadResponseParsed,
  BlobGetPropertiesResponse,
  BlobServiceClient,
  BlockBlobClient,
  ContainerClient,
  ContainerListBlobFlatSegmentResponse,
} from '@azure/storage-blob';
import { OvertakenError } from '@tandem-clouds/replication/errors';
import { objectCopyMs, objectPageMax } from '../../bounds.ts';
import { littleEndian } from '../../crc64.ts';
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
import { withDeadline } from '../with-deadline.ts';
import { objectsError, objectsReadError } from './errors.ts';
import { BlobParts, writtenOf } from './object-parts.ts';
import { BlobUrls } from './object-urls.ts';

export class BlobObjects implements Objects {
  readonly #container: ContainerClient;
  readonly #parts: BlobParts;
  readonly #urls: BlobUrls;

  /** @param service Signed in by a token: only that gets a key that signs URLs. */
  constructor(service: BlobServiceClient, container: string, now: () => number = Date.now) {
    this.#container = service.getContainerClient(container);
    this.#parts = new BlobParts(this.#container, (key) => this.head({ key }), now);
    this.#urls = new BlobUrls(service, container, now);
  }

  async put(key: string, body: Uint8Array, options: WriteOptions): Promise<WrittenObject> {
    const { contentType, metadata, checksums = {}, createOnly = false } = options;
    check(keyFailures(key), attributeFailures(options), checksumFailures(checksums), bodyFailures(body));
    const crc64 = announcedCrc64(key, body, options);
    try {
      const answer = await withDeadline((abortSignal) =>
        this.#blob({ key }).upload(body, body.length, {
          abortSignal,
          blobHTTPHeaders: { blobContentType: contentType },
          metadata: storedMetadata(metadata, { ...checksums, crc64 }),
          transactionalContentCrc64: littleEndian(crc64),
          ...(createOnly && { conditions: { ifNoneMatch: '*' } }),
        }),
      );
      return writtenOf(answer);
    } catch (error) {
      if (!isThere(error)) throw objectsError(error);
      return asWritten(await this.head({ key }), key, { bytes: body.length, crc64 });
    }
  }

  async head({ key, versionId }: ObjectPlace): Promise<ObjectHead | undefined> {
    check(keyFailures(key));
    try {
      return headOf(
        key,
        await withDeadline((abortSignal) => this.#blob({ key, versionId }).getProperties({ abortSignal })),
      );
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw objectsReadError(error);
    }
  }

  async read(key: string, { versionId, from = 0, bytes, crc64 }: ReadOptions = {}): Promise<ObjectContent> {
    check(keyFailures(key), rangeFailures(from, bytes), checksumFailures({ crc64 }));
    const answer = await this.#get({ key, versionId }, { from, bytes });
    const { contentLength: length = 0, etag } = answer;
    const total = Number(/\/(\d+)$/.exec(answer.contentRange ?? '')?.[1] ?? length);
    const head = headOf(key, answer, total);
    const isWhole = from === 0 && length === total;
    const read = continuedRead({
      key,
      first: answer.readableStreamBody as Readable,
      from,
      bytes: length,
      crc64: crc64 ?? (isWhole ? head.checksums.crc64 : undefined),
      open: async (at, left) => {
        const place = { key, versionId: head.versionId };
        const next = await this.#get(place, { from: at, bytes: left, etag });
        return next.readableStreamBody as Readable;
      },
    });
    return { head, from, bytes: length, ...read };
  }

  async #get(
    place: Place,
    { from, bytes, etag }: { from: number; bytes?: number | undefined; etag?: string | undefined },
  ): Promise<BlobDownloadResponseParsed> {
    const conditions = etag === undefined ? {} : { conditions: { ifMatch: etag } };
    try {
      return await withDeadline((abortSignal) =>
        // The SDK would continue an answer that ends early, and not one that breaks.
        this.#blob(place).download(from, bytes, { abortSignal, maxRetryRequests: 0, ...conditions }),
      );
    } catch (error) {
      const { statusCode } = error as Refusal;
      if (etag !== undefined && (isAbsent(error) || statusCode === 412))
        throw new OvertakenError(`${place.key}: what was read is not there any more`, { cause: error });
      if (isAbsent(error)) throw new NotFoundError(`${place.key}: there is no such object`, { cause: error });
      if (statusCode === 416) throw beyondEnd(from);
      throw objectsReadError(error);
    }
  }

  async list({ prefix = '', limit = objectPageMax, cursor }: ListOptions = {}): Promise<ObjectPage> {
    check(limitFailures(limit));
    try {
      const answer = await withDeadline((abortSignal) =>
        this.#container
          .listBlobsFlat({ prefix, abortSignal })
          .byPage({ maxPageSize: limit, ...(cursor !== undefined && { continuationToken: cursor }) })
          .next(),
      );
      const page = answer.value as ContainerListBlobFlatSegmentResponse;
      const objects = page.segment.blobItems.map(({ name, properties }) => ({
        key: name,
        bytes: properties.contentLength ?? 0,
        etag: quoted(properties.etag),
        modifiedMs: properties.lastModified.getTime(),
      }));
      const next = page.continuationToken ?? '';
      return { objects, ...(next !== '' && { cursor: next }) };
    } catch (error) {
      throw objectsReadError(error);
    }
  }

  async delete(place: ObjectPlace): Promise<'current' | 'version'> {
    check(keyFailures(place.key));
    try {
      await withDeadline((abortSignal) => this.#blob(place).delete({ abortSignal }));
    } catch (error) {
      // A version that is current cannot be deleted: it becomes an earlier one before.
      const { code } = error as Refusal;
      if (code === 'OperationNotAllowedOnRootBlob') await this.#deleteCurrent(place);
      else if (!isAbsent(error)) throw objectsError(error);
    }
    return place.versionId === undefined ? 'current' : 'version';
  }

  async #deleteCurrent({ key, versionId }: ObjectPlace): Promise<void> {
    try {
      const { etag = '' } = await withDeadline((abortSignal) =>
        this.#blob({ key, versionId }).getProperties({ abortSignal }),
      );
      const conditions = { ifMatch: etag };
      await withDeadline((abortSignal) => this.#blob({ key }).delete({ abortSignal, conditions }));
    } catch (error) {
      // Replaced, or deleted, meanwhile: then it is an earlier one.
      if (!isAbsent(error) && (error as Refusal).statusCode !== 412) throw objectsError(error);
    }
    try {
      await withDeadline((abortSignal) => this.#blob({ key, versionId }).delete({ abortSignal }));
    } catch (error) {
      if (!isAbsent(error)) throw objectsError(error);
    }
  }

  async purge(key: string): Promise<void> {
    check(keyFailures(key));
    // Before the versions are listed: the current one is an earlier one after this.
    await this.delete({ key });
    try {
      const answer = await withDeadline((abortSignal) =>
        this.#container
          .listBlobsFlat({ prefix: key, includeVersions: true, abortSignal })
          .byPage({ maxPageSize: objectPageMax })
          .next(),
      );
      // Those of the key itself come first, because all others are longer.
      const page = answer.value as ContainerListBlobFlatSegmentResponse;
      for (const { name, versionId } of page.segment.blobItems)
        if (name === key && versionId !== undefined) await this.delete({ key, versionId });
    } catch (error) {
      throw objectsError(error);
    }
  }

  async copy(from: ObjectPlace, to: string, { createOnly = false } = {}): Promise<WrittenObject> {
    check(keyFailures(from.key, '/from/key'), keyFailures(to, '/to'));
    const source = await this.head(from);
    if (source === undefined) throw new NotFoundError(`${from.key}: there is no such object`);
    const { url } = await this.#urls.download(from.key, from.versionId === undefined ? {} : { ...from });
    const { crc64 } = source.checksums;
    try {
      const answer = await withDeadline(
        (abortSignal) =>
          this.#blob({ key: to }).syncUploadFromURL(url, {
            abortSignal,
            blobHTTPHeaders: { blobContentType: source.contentType },
            metadata: storedMetadata(source.metadata, { ...source.announced, ...source.checksums }),
            sourceConditions: { ifMatch: source.etag },
            ...(createOnly && { conditions: { ifNoneMatch: '*' } }),
          }),
        objectCopyMs,
      );
      return writtenOf(answer);
    } catch (error) {
      const { code, statusCode } = error as Refusal;
      if (isAbsent(error)) throw new NotFoundError(`${from.key}: there is no such object`, { cause: error });
      if (code === 'BlobAlreadyExists')
        return asWritten(await this.head({ key: to }), to, { bytes: source.bytes, crc64 });
      if (statusCode === 412)
        throw new OvertakenError(`${from.key}: it was replaced while it was copied`, { cause: error });
      throw objectsError(error);
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

  /** Nothing ends blocks but their time, a week: https://learn.microsoft.com/rest/api/storageservices/put-block#remarks */
  abortUpload(_upload: ObjectUpload): Promise<void> {
    return Promise.resolve();
  }

  /** Connections belong to the process. */
  close(): void {
    return undefined;
  }

  #blob({ key, versionId }: Place): BlockBlobClient {
    const blob = this.#container.getBlockBlobClient(key);
    return versionId === undefined ? blob : blob.withVersion(versionId).getBlockBlobClient();
  }
}

interface Place {
  readonly key: string;
  readonly versionId?: string | undefined;
}

interface Refusal {
  readonly statusCode?: number;
  readonly code?: string;
}

/** The object, not its container. */
function isAbsent(error: unknown): boolean {
  const { statusCode, code } = error as Refusal;
  return statusCode === 404 && code !== 'ContainerNotFound';
}

/** What was to be created, or what took its place meanwhile. */
function isThere(error: unknown): boolean {
  const { statusCode, code } = error as Refusal;
  return code === 'BlobAlreadyExists' || statusCode === 412;
}

/** Lists have them without. */
const quoted = (etag: string): string => (etag.startsWith('"') ? etag : `"${etag}"`);

/** @param bytes Of the whole, where the answer is a range. */
function headOf(
  key: string,
  answer: BlobGetPropertiesResponse | BlobDownloadResponseParsed,
  bytes = answer.contentLength ?? 0,
): ObjectHead {
  const { metadata, crc64, sha256 } = readMetadata(answer.metadata);
  return {
    ...writtenOf(answer),
    key,
    bytes,
    contentType: answer.contentType ?? '',
    metadata,
    modifiedMs: answer.lastModified?.getTime() ?? 0,
    checksums: { ...(crc64 !== undefined && { crc64 }) },
    announced: { ...(sha256 !== undefined && { sha256 }) },
  };
}
