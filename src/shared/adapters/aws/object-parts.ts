/**
 * Uploads in parts to S3. The upload is created with an algorithm, so that S3 compares each part with its CRC-64 and joins
 * them to that of the object, which it keeps.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { objectPartsMax } from '../../bounds.ts';
import { crc64Of } from '../../crc64.ts';
import { NotFoundError } from '../../errors.ts';
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
import { objectsError, objectsReadError, statusOf } from './errors.ts';

export class S3Parts {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #head: (key: string) => Promise<ObjectHead | undefined>;

  constructor(client: S3Client, bucket: string, head: (key: string) => Promise<ObjectHead | undefined>) {
    this.#client = client;
    this.#bucket = bucket;
    this.#head = head;
  }

  async begin(
    key: string,
    { contentType, metadata, sha256 }: ObjectAttributes & { readonly sha256?: string },
  ): Promise<ObjectUpload> {
    const announced = sha256 === undefined ? {} : { sha256 };
    const attributes = { contentType, ...(metadata !== undefined && { metadata }) };
    check(keyFailures(key), attributeFailures(attributes), checksumFailures(announced));
    const command = new CreateMultipartUploadCommand({
      Bucket: this.#bucket,
      Key: key,
      ContentType: contentType,
      Metadata: storedMetadata(metadata, announced),
      ChecksumAlgorithm: 'CRC64NVME',
      ChecksumType: 'FULL_OBJECT',
    });
    try {
      const { UploadId: id } = await this.#client.send(command);
      if (id === undefined) throw new UnavailableError('S3: the answer names no upload');
      return { key, id, ...attributes, ...announced };
    } catch (error) {
      throw objectsError(error);
    }
  }

  async put(
    upload: ObjectUpload,
    { number, body }: { readonly number: number; readonly body: Uint8Array },
  ): Promise<ObjectPart> {
    check(partFailures(number, body));
    const crc64 = crc64Of(body);
    const command = new UploadPartCommand({
      ...this.#of(upload),
      PartNumber: number,
      Body: body,
      ContentLength: body.length,
      ChecksumCRC64NVME: crc64,
    });
    try {
      const { ETag: tag = '' } = await this.#client.send(command);
      return { number, bytes: body.length, crc64, tag };
    } catch (error) {
      throw isEnded(error) ? ended(upload, error) : objectsError(error);
    }
  }

  async list(upload: ObjectUpload): Promise<readonly ObjectPart[]> {
    try {
      const command = new ListPartsCommand({ ...this.#of(upload), MaxParts: objectPartsMax });
      const { Parts = [] } = await this.#client.send(command);
      return Parts.map(
        ({ PartNumber: number = 0, Size: bytes = 0, ChecksumCRC64NVME: crc64 = '', ETag: tag = '' }) => ({
          ...{ number, bytes, crc64, tag },
        }),
      );
    } catch (error) {
      if (isEnded(error)) return [];
      throw objectsReadError(error);
    }
  }

  async complete(
    upload: ObjectUpload,
    parts: readonly ObjectPart[],
    { checksums = {}, createOnly = false }: { readonly checksums?: Checksums; readonly createOnly?: boolean },
  ): Promise<WrittenObject> {
    check(partsFailures(parts), checksumFailures(checksums));
    const { key } = upload;
    const crc64 = crc64OfParts(key, parts, checksums.crc64);
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const command = new CompleteMultipartUploadCommand({
      ...this.#of(upload),
      MultipartUpload: {
        Parts: parts.map(({ number, tag, crc64: ofPart }) => ({
          ...{ PartNumber: number, ETag: tag, ChecksumCRC64NVME: ofPart },
        })),
      },
      ChecksumType: 'FULL_OBJECT',
      ChecksumCRC64NVME: crc64,
      MpuObjectSize: bytes,
      ...(createOnly && { IfNoneMatch: '*' }),
    });
    try {
      return writtenOf(await this.#client.send(command));
    } catch (error) {
      if (isEnded(error)) return asCompleted(await this.#head(key), key, parts);
      if (statusOf(error) === 412) return asWritten(await this.#head(key), key, { bytes, crc64 });
      throw objectsError(error);
    }
  }

  async abort(upload: ObjectUpload): Promise<void> {
    try {
      await this.#client.send(new AbortMultipartUploadCommand(this.#of(upload)));
    } catch (error) {
      if (!isEnded(error)) throw objectsError(error);
    }
  }

  #of({ key, id }: ObjectUpload): { Bucket: string; Key: string; UploadId: string } {
    return { Bucket: this.#bucket, Key: key, UploadId: id };
  }
}

/** What a write answers with. */
export function writtenOf({
  ETag = '',
  VersionId,
}: {
  readonly ETag?: string | undefined;
  readonly VersionId?: string | undefined;
}): WrittenObject {
  return { etag: ETag, ...(VersionId !== undefined && { versionId: VersionId }) };
}

const isEnded = (error: unknown): boolean => (error as Error).name === 'NoSuchUpload';

const ended = ({ key }: ObjectUpload, cause: unknown): NotFoundError =>
  new NotFoundError(`${key}: the upload was ended`, { cause });
