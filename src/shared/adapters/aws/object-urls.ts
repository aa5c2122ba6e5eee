/**
 * Signed URLs of S3.
 *
 * What shall bind is a signed header: the presigner would put what begins with `x-amz-` into the query, and S3 ignores a
 * checksum there.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 * @see https://github.com/localstack/localstack/issues/12169
 */
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { signedUrlSeconds } from '../../bounds.ts';
import { check, downloadFailures, uploadFailures } from '../../ports/object-rules.ts';
import type { DownloadTerms, SignedUpload, SignedUrl, UploadTerms } from '../../ports/objects.ts';
import { storedMetadata } from '../object-writes.ts';
import { objectsReadError } from './errors.ts';

export class S3Urls {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #now: () => number;

  constructor(client: S3Client, bucket: string, now: () => number) {
    this.#client = client;
    this.#bucket = bucket;
    this.#now = now;
  }

  async upload(key: string, terms: UploadTerms): Promise<SignedUpload> {
    const { bytes, contentType, metadata, checksums, expiresInSeconds = signedUrlSeconds } = terms;
    check(uploadFailures(key, terms, expiresInSeconds));
    const { crc64, sha256 } = checksums;
    // One algorithm a request. What both clouds compare goes first, and what S3 does not compare is kept as metadata.
    const compared =
      crc64 === undefined ? { 'x-amz-checksum-sha256': sha256 } : { 'x-amz-checksum-crc64nvme': crc64 };
    const kept = storedMetadata(metadata, crc64 === undefined ? {} : { ...checksums, crc64: undefined });
    const headers: Record<string, string> = {
      'content-type': contentType,
      'content-length': String(bytes),
      'if-none-match': '*',
      ...Object.fromEntries(Object.entries(kept).map(([name, value]) => [`x-amz-meta-${name}`, value])),
      ...(compared as Record<string, string>),
    };
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      ContentType: contentType,
      ContentLength: bytes,
      IfNoneMatch: '*',
      Metadata: kept,
      ...(crc64 === undefined ? { ChecksumSHA256: sha256 } : { ChecksumCRC64NVME: crc64 }),
    });
    const names = new Set(Object.keys(headers));
    const signed = await this.#sign(command, expiresInSeconds, {
      signableHeaders: new Set([...names, 'host']),
      unhoistableHeaders: names,
    });
    return { method: 'PUT', headers, ...signed };
  }

  async download(key: string, terms: DownloadTerms): Promise<SignedUrl> {
    const { versionId, contentType, contentDisposition, cacheControl } = terms;
    const { expiresInSeconds = signedUrlSeconds } = terms;
    check(downloadFailures(key, terms, expiresInSeconds));
    const command = new GetObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      ...(versionId !== undefined && { VersionId: versionId }),
      ...(contentType !== undefined && { ResponseContentType: contentType }),
      ...(contentDisposition !== undefined && { ResponseContentDisposition: contentDisposition }),
      ...(cacheControl !== undefined && { ResponseCacheControl: cacheControl }),
    });
    return this.#sign(command, expiresInSeconds);
  }

  async #sign(
    command: PutObjectCommand | GetObjectCommand,
    expiresIn: number,
    headers: Pick<
      NonNullable<Parameters<typeof getSignedUrl>[2]>,
      'signableHeaders' | 'unhoistableHeaders'
    > = {},
  ): Promise<SignedUrl> {
    const signingDate = new Date(this.#now());
    try {
      const url = await getSignedUrl(this.#client, command, { expiresIn, signingDate, ...headers });
      return { url, expiresAtMs: signingDate.getTime() + expiresIn * 1_000 };
    } catch (error) {
      throw objectsReadError(error);
    }
  }
}
