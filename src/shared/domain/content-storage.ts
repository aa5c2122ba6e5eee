/**
 * What the storage of sites does for the content of records: it takes uploads, says what has come, and hands it out.
 *
 * Invariant: what `verified` returns lies under a name that nobody writes again, in the storage of the site that the upload
 * names, with just the size, type and checksums that were announced; and a service, or this code, has compared them.
 */
import { uploadCompletedMs } from '@tandem-clouds/replication/bounds';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { type Content, siteOfUpload, storageName } from '@tandem-clouds/replication/objects/content';
import { objectReadToVerifyBytesMax } from '../bounds.ts';
import { Crc64 } from '../crc64.ts';
import { ContentMismatchError, type Failure, InvalidError } from '../errors.ts';
import type { ObjectHead, Objects, ReadableObjects, SignedUpload } from '../ports/objects.ts';
import { takesType } from './content.ts';
import type { ContentRules } from './entity.ts';

/** Of an upload, as a client announces it. */
export interface UploadTerms {
  readonly contentType: string;
  readonly bytes?: number;
  readonly crc64?: string;
  readonly sha256?: string;
  /** In base64: all of it. */
  readonly data?: string;
}

export interface AnnouncedUpload {
  readonly id: string;
  readonly signed: SignedUpload;
}

export interface StorageOptions {
  readonly site: string;
  /** Undefined: this site is configured without. */
  readonly own: Objects | undefined;
  readonly peers: ReadonlyMap<string, ReadableObjects>;
  /** A UUID of version 7. */
  readonly newId: () => string;
  readonly now: () => number;
  /** SHA-256 of bytes as they come, in base64. */
  readonly sha256: () => { update(bytes: Uint8Array): unknown; digest(): string };
}

export class ContentStorage {
  readonly #options: StorageOptions;

  constructor(options: StorageOptions) {
    this.#options = options;
  }

  get site(): string {
    return this.#options.site;
  }

  /**
   * Where bytes go that come with the request: they are there when it resolves.
   * @returns The upload. @throws ContentMismatchError UnavailableError
   */
  async put(key: string, { contentType, crc64, sha256, data = '' }: UploadTerms): Promise<string> {
    const id = this.#newUpload();
    await this.#own.put(storageName(key, id), Buffer.from(data, 'base64'), {
      contentType,
      createOnly: true,
      checksums: { crc64, sha256 },
    });
    return id;
  }

  /** A URL by which bytes are taken once. @throws UnavailableError */
  async announce(
    key: string,
    { contentType, bytes = 0, crc64, sha256 }: UploadTerms,
  ): Promise<AnnouncedUpload> {
    const id = this.#newUpload();
    const signed = await this.#own.signUpload(storageName(key, id), {
      bytes,
      contentType,
      checksums: { crc64, sha256 },
      // Bound by the signature: what came is compared with it, whatever a service makes of the length.
      metadata: { bytes: String(bytes) },
    });
    return { id, signed };
  }

  /**
   * What has come by an upload, once it is compared; undefined: nothing, or too long ago. Its bytes are read where no service compared them.
   * @throws ContentMismatchError UnavailableError, also where a peer's storage cannot be asked
   */
  async verified(key: string, upload: string): Promise<Content | undefined> {
    const storage = this.#at(siteOfUpload(upload));
    const name = storageName(key, upload);
    const head = await storage.head({ key: name });
    // What may soon be removed is as if nothing had come (`replication/objects/inventory.ts`).
    if (head === undefined || this.#options.now() - head.modifiedMs > uploadCompletedMs) return undefined;
    const { bytes, contentType, versionId, metadata, announced } = head;
    if (metadata['bytes'] !== undefined && metadata['bytes'] !== String(bytes))
      throw new ContentMismatchError(`${bytes} bytes came, and ${metadata['bytes']} were announced`);
    const crc64 = await this.#crcOf(storage, name, head);
    const sha256 = head.checksums.sha256 ?? announced.sha256;
    return {
      upload,
      bytes,
      crc64,
      contentType,
      completedMs: this.#options.now(),
      ...(sha256 !== undefined && { sha256 }),
      ...(versionId !== undefined && { versionId }),
    };
  }

  /** Where the bytes are to be had for some minutes, ranges of them too. */
  download(key: string, { upload, contentType }: Content, name: string): Promise<{ readonly url: string }> {
    return this.#own.signDownload(storageName(key, upload), {
      contentType,
      // Another upload has another URL, so this one never says anything else.
      cacheControl: 'private, max-age=31536000, immutable',
      contentDisposition: dispositionOf(name),
    });
  }

  #newUpload(): string {
    return `${this.#options.site}.${this.#options.newId().replaceAll('-', '')}`;
  }

  get #own(): Objects {
    const { own, site } = this.#options;
    if (own === undefined) throw new UnavailableError(`${site} has no storage for objects (feature objects)`);
    return own;
  }

  #at(site: string): ReadableObjects {
    if (site === this.#options.site) return this.#own;
    const peer = this.#options.peers.get(site);
    if (peer === undefined) throw new UnavailableError(`the storage of ${site} cannot be asked from here`);
    return peer;
  }

  /** By the service, where it has compared what was announced; else by reading it. */
  async #crcOf(storage: ReadableObjects, name: string, head: ObjectHead): Promise<string> {
    const { checksums, announced, bytes } = head;
    if (checksums.crc64 !== undefined) return checksums.crc64;
    if (bytes > objectReadToVerifyBytesMax)
      throw new ContentMismatchError(
        `nobody has compared the ${bytes} bytes: more than ${objectReadToVerifyBytesMax} need crc64`,
      );
    const [crc, sha] = [new Crc64(), this.#options.sha256()];
    const { content } = await storage.read(name);
    for await (const chunk of content) {
      crc.update(chunk);
      sha.update(chunk);
    }
    const wanted = announced.sha256;
    if (wanted !== undefined && sha.digest() !== wanted)
      throw new ContentMismatchError('the SHA-256 of what came is not the one that was announced');
    return crc.digest();
  }
}

/** @throws InvalidError that names each rule that is broken */
export function checkTerms(
  rules: ContentRules,
  { contentType, bytes, crc64, sha256, data }: UploadTerms,
): void {
  const failures: Failure[] = [];
  const refuse = (member: string, rule: string, detail: string): void =>
    void failures.push({ pointer: `/upload/${member}`, rule, detail });
  if (!takesType(rules, contentType))
    refuse('contentType', 'types', `must be one of ${rules.types.join(', ')}`);
  if (data === undefined) {
    if (bytes === undefined) refuse('bytes', 'required', 'is required without data');
    if (crc64 === undefined && sha256 === undefined)
      refuse('crc64', 'required', 'is required without data, or sha256 is');
    if (crc64 === undefined && (bytes ?? 0) > objectReadToVerifyBytesMax)
      refuse('crc64', 'required', `is required of more than ${objectReadToVerifyBytesMax} bytes`);
  } else {
    const length = Buffer.byteLength(data, 'base64');
    if (bytes !== undefined && bytes !== length) refuse('bytes', 'bytes', `is not the ${length} of data`);
    if (length > rules.bytesMax) refuse('data', 'maximum', `has more than ${rules.bytesMax} bytes`);
  }
  if (failures.length > 0) throw new InvalidError('the body is invalid', failures);
}

const FILE_NAME_CHARS_MAX = 60;

/** By the last segment of the name (RFC 6266, section 4.3; RFC 8187): shown where the client can, and saved under that name. */
function dispositionOf(name: string): string {
  const file = Array.from(name.split('/').at(-1) ?? '')
    .slice(-FILE_NAME_CHARS_MAX)
    .join('')
    .toWellFormed();
  const encoded = encodeURIComponent(file).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return file === '' || encoded.length > 480 ? 'inline' : `inline; filename*=UTF-8''${encoded}`;
}
