/**
 * Uploads in parts to Blob Storage: blocks, and the list that makes them a blob.
 *
 * The service knows no upload, only blocks of a name with ids. So the id of a block says which upload and part it is of, when
 * it was sent, and its CRC-64. A block is there only if the service found that CRC in it: whoever goes on learns from the
 * list of blocks what is there, verified, and the CRC of the whole follows from theirs.
 * @see https://learn.microsoft.com/rest/api/storageservices/put-block
 * @see https://learn.microsoft.com/rest/api/storageservices/put-block-list
 */
import { randomBytes } from 'node:crypto';
import type { ContainerClient } from '@azure/storage-blob';
import { crc64Of, littleEndian } from '../../crc64.ts';
import {
  attributeFailures,
  check,
  checksumFailures,
  keyFailures,
  partFailures,
  partsFailures,
} from '../../ports/object-rules.ts';
import type {
  Checksums,
  ObjectAttributes,
  ObjectHead,
  ObjectPart,
  ObjectUpload,
  WrittenObject,
} from '../../ports/objects.ts';
import { asCompleted, asWritten, crc64OfParts, storedMetadata } from '../object-writes.ts';
import { withDeadline } from '../with-deadline.ts';
import { objectsError, objectsReadError } from './errors.ts';

/** 16 characters. */
const ID_BYTES = 12;
const BLOCK = /^([\w-]{16})(\d{5})([0-9a-z]{9})([A-Za-z0-9+/]{11}=)$/;

export class BlobParts {
  readonly #container: ContainerClient;
  readonly #head: (key: string) => Promise<ObjectHead | undefined>;
  readonly #now: () => number;

  constructor(
    container: ContainerClient,
    head: (key: string) => Promise<ObjectHead | undefined>,
    now: () => number,
  ) {
    this.#container = container;
    this.#head = head;
    this.#now = now;
  }

  /** Nothing is sent: what is said here comes with the list. */
  async begin(
    key: string,
    { contentType, metadata, sha256 }: ObjectAttributes & { readonly sha256?: string },
  ): Promise<ObjectUpload> {
    const announced = sha256 === undefined ? {} : { sha256 };
    const attributes = { contentType, ...(metadata !== undefined && { metadata }) };
    check(keyFailures(key), attributeFailures(attributes), checksumFailures(announced));
    const id = randomBytes(ID_BYTES).toString('base64url');
    return Promise.resolve({ key, id, ...attributes, ...announced });
  }

  async put(
    { key, id }: ObjectUpload,
    { number, body }: { readonly number: number; readonly body: Uint8Array },
  ): Promise<ObjectPart> {
    check(partFailures(number, body));
    const crc64 = crc64Of(body);
    const sent = Math.floor(this.#now()).toString(36).padStart(9, '0');
    const tag = Buffer.from(`${id}${String(number).padStart(5, '0')}${sent}${crc64}`).toString('base64');
    try {
      await withDeadline((abortSignal) =>
        this.#container.getBlockBlobClient(key).stageBlock(tag, body, body.length, {
          abortSignal,
          transactionalContentCrc64: littleEndian(crc64),
        }),
      );
      return { number, bytes: body.length, crc64, tag };
    } catch (error) {
      throw objectsError(error);
    }
  }

  async list({ key, id }: ObjectUpload): Promise<readonly ObjectPart[]> {
    try {
      const { uncommittedBlocks = [] } = await withDeadline((abortSignal) =>
        this.#container.getBlockBlobClient(key).getBlockList('uncommitted', { abortSignal }),
      );
      const latest = new Map<number, { part: ObjectPart; sent: string }>();
      for (const { name: tag, size: bytes } of uncommittedBlocks) {
        const [, upload, digits, sent = '', crc64 = ''] =
          BLOCK.exec(Buffer.from(tag, 'base64').toString()) ?? [];
        const number = Number(digits);
        if (upload !== id || sent < (latest.get(number)?.sent ?? '')) continue;
        latest.set(number, { sent, part: { number, bytes, crc64, tag } });
      }
      return [...latest.values()].map(({ part }) => part).sort((a, b) => a.number - b.number);
    } catch (error) {
      if ((error as { readonly code?: string }).code === 'BlobNotFound') return [];
      throw objectsReadError(error);
    }
  }

  async complete(
    upload: ObjectUpload,
    parts: readonly ObjectPart[],
    { checksums = {}, createOnly = false }: { readonly checksums?: Checksums; readonly createOnly?: boolean },
  ): Promise<WrittenObject> {
    check(partsFailures(parts), checksumFailures(checksums));
    const { key, contentType, metadata, sha256 } = upload;
    const crc64 = crc64OfParts(key, parts, checksums.crc64);
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const tags = parts.map(({ tag }) => tag);
    try {
      const answer = await withDeadline((abortSignal) =>
        this.#container.getBlockBlobClient(key).commitBlockList(tags, {
          abortSignal,
          blobHTTPHeaders: { blobContentType: contentType },
          metadata: storedMetadata(metadata, { crc64, ...(sha256 !== undefined && { sha256 }) }),
          ...(createOnly && { conditions: { ifNoneMatch: '*' } }),
        }),
      );
      return writtenOf(answer);
    } catch (error) {
      const { code, statusCode } = error as { readonly code?: string; readonly statusCode?: number };
      // Blocks go with a list that does not name them.
      if (code === 'InvalidBlockList') return asCompleted(await this.#head(key), key, parts);
      if (code === 'BlobAlreadyExists' || statusCode === 412)
        return asWritten(await this.#head(key), key, { bytes, crc64 });
      throw objectsError(error);
    }
  }
}

/** What a write answers with. */
export function writtenOf({
  etag = '',
  versionId,
}: {
  readonly etag?: string | undefined;
  readonly versionId?: string | undefined;
}): WrittenObject {
  return { etag, ...(versionId !== undefined && { versionId }) };
}
