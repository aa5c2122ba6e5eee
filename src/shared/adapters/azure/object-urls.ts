/**
 * Signed URLs of Blob Storage, by a key that the service delegates to this function's identity: no key of the account is
 * known here.
 *
 * An upload is bound by the headers that its signature names (since version 2026-04-06), and may only create: that covers Put
 * Blob, in one call, and no blocks.
 * @see https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas
 * @see https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/storage/storage-blob/CHANGELOG.md
 */
import {
  BlobSASPermissions,
  type BlobSASSignatureValues,
  type BlobServiceClient,
  generateBlobSASQueryParameters,
  SASProtocol,
  type UserDelegationKey,
} from '@azure/storage-blob';
import {
  delegatedKeyFreshness,
  delegatedKeyMs,
  signedUrlSeconds,
  storageClockToleranceMs,
} from '../../bounds.ts';
import { littleEndian } from '../../crc64.ts';
import { type Dated, keepFresh } from '../../keep-fresh.ts';
import { check, downloadFailures, uploadFailures } from '../../ports/object-rules.ts';
import type { DownloadTerms, SignedUpload, SignedUrl, UploadTerms } from '../../ports/objects.ts';
import { storedMetadata } from '../object-writes.ts';
import { withDeadline } from '../with-deadline.ts';
import { objectsReadError } from './errors.ts';

/** The first that signs headers of the request; what the SDK would take is newer than some regions. */
const VERSION = '2026-04-06';

export class BlobUrls {
  readonly #service: BlobServiceClient;
  readonly #container: string;
  readonly #now: () => number;
  readonly #key: () => Promise<Dated<UserDelegationKey>>;

  constructor(service: BlobServiceClient, container: string, now: () => number) {
    this.#service = service;
    this.#container = container;
    this.#now = now;
    this.#key = keepFresh(() => this.#delegated(), delegatedKeyFreshness, now);
  }

  async #delegated(): Promise<Dated<UserDelegationKey>> {
    const nowMs = this.#now();
    const expiresAtMs = nowMs + delegatedKeyMs;
    try {
      const value = await withDeadline((abortSignal) =>
        this.#service.getUserDelegationKey(new Date(nowMs - storageClockToleranceMs), new Date(expiresAtMs), {
          abortSignal,
        }),
      );
      return { value, expiresAtMs };
    } catch (error) {
      throw objectsReadError(error);
    }
  }

  async upload(key: string, terms: UploadTerms): Promise<SignedUpload> {
    const { bytes, contentType, metadata, checksums, expiresInSeconds = signedUrlSeconds } = terms;
    check(uploadFailures(key, terms, expiresInSeconds));
    const kept = Object.entries(storedMetadata(metadata, checksums));
    const { crc64 } = checksums;
    const headers: Record<string, string> = {
      'content-type': contentType,
      'content-length': String(bytes),
      'x-ms-blob-type': 'BlockBlob',
      ...Object.fromEntries(kept.map(([name, value]) => [`x-ms-meta-${name}`, value])),
      ...(crc64 !== undefined && { 'x-ms-content-crc64': littleEndian(crc64).toString('base64') }),
    };
    const signed = await this.#sign(key, {
      permissions: BlobSASPermissions.from({ create: true }),
      requestHeaders: headers,
      expiresInSeconds,
    });
    return { method: 'PUT', headers, ...signed };
  }

  async download(key: string, terms: DownloadTerms): Promise<SignedUrl> {
    const { versionId, contentType, contentDisposition, cacheControl } = terms;
    const { expiresInSeconds = signedUrlSeconds } = terms;
    check(downloadFailures(key, terms, expiresInSeconds));
    return this.#sign(key, {
      permissions: BlobSASPermissions.from({ read: true }),
      expiresInSeconds,
      ...(versionId !== undefined && { versionId }),
      ...(contentType !== undefined && { contentType }),
      ...(contentDisposition !== undefined && { contentDisposition }),
      ...(cacheControl !== undefined && { cacheControl }),
    });
  }

  async #sign(
    key: string,
    {
      expiresInSeconds,
      ...values
    }: Omit<BlobSASSignatureValues, 'containerName' | 'expiresOn'> & { readonly expiresInSeconds: number },
  ): Promise<SignedUrl> {
    const { value: delegated } = await this.#key();
    // To the second, as it is signed.
    const expiresAtMs = Math.floor(this.#now() / 1_000) * 1_000 + expiresInSeconds * 1_000;
    const blob = this.#service.getContainerClient(this.#container).getBlobClient(key);
    const { url } = values.versionId === undefined ? blob : blob.withVersion(values.versionId);
    const sas = generateBlobSASQueryParameters(
      {
        ...values,
        containerName: this.#container,
        blobName: key,
        expiresOn: new Date(expiresAtMs),
        // What has no TLS is on this machine (config-schema.ts).
        protocol: url.startsWith('http:') ? SASProtocol.HttpsAndHttp : SASProtocol.Https,
        version: VERSION,
      },
      delegated,
      this.#service.accountName,
    );
    return { url: `${url}${url.includes('?') ? '&' : '?'}${sas.toString()}`, expiresAtMs };
  }
}
