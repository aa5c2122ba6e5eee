/**
 * Objects of a site: bytes of up to 5 GB under a name, in the storage of its cloud.
 *
 * Invariants of every adapter (tests/contract/objects.test.ts):
 * - What resolves is stored, with just the bytes that were given: each call that brings bytes brings their CRC-64, which the
 *   service compares.
 * - `createOnly` never replaces. A call whose answer was lost is found done when it is made again.
 * - What is read to its end without an error is what was stored; other bytes are a ContentMismatchError.
 * - Nothing is larger in memory than one body or one part (`objectBodyBytesMax`).
 *
 * All methods throw InvalidError for an argument that breaks a rule (`object-rules.ts`), naming it; UnavailableError,
 * ThrottledError or AmbiguousError when the service does not do its part, as the stores and queues do.
 */

/**
 * Of all bytes of an object, in base64. `crc64` is CRC-64/NVME, whose polynomial both clouds share; its bytes are big-endian,
 * as S3 writes them.
 */
export interface Checksums {
  readonly crc64?: string | undefined;
  readonly sha256?: string | undefined;
}

export interface ObjectAttributes {
  readonly contentType: string;
  /** Names of lower-case letters and digits that do not begin with `tandem`; values of printable ASCII. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface WriteOptions extends ObjectAttributes {
  /** Compared with the bytes; ContentMismatchError. */
  readonly checksums?: Checksums;
  /** The writer has compared the bytes with `checksums.crc64` already: only the service does it again. */
  readonly isCompared?: boolean;
  /** ConflictError when something else is there; the same bytes there are success. */
  readonly createOnly?: boolean;
}

/** A version, or what is current. */
export interface ObjectPlace {
  readonly key: string;
  readonly versionId?: string;
}

export interface WrittenObject {
  readonly etag: string;
  /** Absent where the bucket or the account keeps no versions. */
  readonly versionId?: string;
}

export interface ObjectHead extends WrittenObject {
  readonly key: string;
  readonly bytes: number;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly modifiedMs: number;
  /** What the service has computed, or compared, itself. */
  readonly checksums: Checksums;
  /** What the writer said, and nobody has compared yet. */
  readonly announced: Checksums;
}

export interface UploadTerms extends ObjectAttributes {
  /** Just so many. */
  readonly bytes: number;
  /** At least one of them. Blob Storage compares `crc64` only: with `sha256` alone somebody has to read what came. */
  readonly checksums: Checksums;
  /** Default `signedUrlSeconds`. */
  readonly expiresInSeconds?: number;
}

export interface SignedUrl {
  readonly url: string;
  readonly expiresAtMs: number;
}

/**
 * What a stranger may do once: PUT these bytes there, if nothing is there. All headers are bound by the signature. Made again
 * after it was done, the request is refused (412 at S3, 403 at Blob Storage): `head` says what is there.
 */
export interface SignedUpload extends SignedUrl {
  readonly method: 'PUT';
  readonly headers: Readonly<Record<string, string>>;
}

export interface DownloadTerms {
  readonly versionId?: string;
  readonly expiresInSeconds?: number;
  /** Headers of the answer, instead of what is stored. */
  readonly contentType?: string;
  readonly contentDisposition?: string;
  readonly cacheControl?: string;
}

export interface ReadOptions {
  readonly versionId?: string;
  /** The first byte, from 0. Default 0. */
  readonly from?: number;
  /** How many at most. Default: to the end. */
  readonly bytes?: number;
  /** Of the bytes that are asked for. A read of the whole is compared with what is known of it without this, too. */
  readonly crc64?: string;
}

export interface ObjectContent {
  readonly head: ObjectHead;
  readonly from: number;
  readonly bytes: number;
  /**
   * The bytes, once. A connection that breaks is continued, a bounded number of times, in the same version: OvertakenError
   * when that is gone. What was read counts when the iteration has ended without an error.
   */
  readonly content: AsyncIterable<Uint8Array>;
  /** Instead of reading it to its end: the connection is given up. */
  readonly cancel: () => void;
}

export interface ListOptions {
  readonly prefix?: string;
  /** At most `objectPageMax`, which is the default. */
  readonly limit?: number;
  /** Of the page before. */
  readonly cursor?: string;
}

/** The current version of each, in an order of the service's own that stays the same. */
export interface ObjectPage {
  readonly objects: readonly {
    readonly key: string;
    readonly bytes: number;
    readonly etag: string;
    readonly modifiedMs: number;
  }[];
  /** Absent on the last page. */
  readonly cursor?: string;
}

/**
 * An object that comes in parts. Plain data: whoever goes on, perhaps another function, needs it. At Azure the blocks of a
 * name belong together, so a second upload to the same key, when it is completed, ends the first.
 */
export interface ObjectUpload extends ObjectAttributes {
  readonly key: string;
  readonly id: string;
  readonly sha256?: string;
}

export interface ObjectPart {
  /** From 1 to `objectPartsMax`. */
  readonly number: number;
  readonly bytes: number;
  readonly crc64: string;
  /** The service's name for it. */
  readonly tag: string;
}

export interface Objects {
  /** A body of at most `objectBodyBytesMax`. */
  put(key: string, body: Uint8Array, options: WriteOptions): Promise<WrittenObject>;
  signUpload(key: string, terms: UploadTerms): Promise<SignedUpload>;
  /** Whoever has the URL may send a Range header. Whether the object is there is not looked at. */
  signDownload(key: string, terms: DownloadTerms): Promise<SignedUrl>;
  /** Undefined: not there. */
  head(place: ObjectPlace): Promise<ObjectHead | undefined>;
  /** @throws NotFoundError; InvalidError for a range that begins beyond the end. */
  read(key: string, options?: ReadOptions): Promise<ObjectContent>;
  list(options?: ListOptions): Promise<ObjectPage>;
  /**
   * Without a version: the current one is gone, and kept as an earlier one where versions are kept. With one: that, for good;
   * which version is current after that differs between the clouds. What is not there is deleted.
   */
  delete(place: ObjectPlace): Promise<'current' | 'version'>;
  /** All versions of a name, and what marks its deletion, for good: `objectPageMax` of them. What is not there is deleted. */
  purge(key: string): Promise<void>;
  /** Within the storage of this site, attributes and checksums with it. @throws NotFoundError; OvertakenError at Azure when the source is replaced meanwhile. */
  copy(from: ObjectPlace, to: string, options?: { readonly createOnly?: boolean }): Promise<WrittenObject>;

  beginUpload(
    key: string,
    attributes: ObjectAttributes & { readonly sha256?: string },
  ): Promise<ObjectUpload>;
  /** Again with the same number: in place of the first. @throws NotFoundError at S3 when the upload was ended. */
  putPart(
    upload: ObjectUpload,
    part: { readonly number: number; readonly body: Uint8Array },
  ): Promise<ObjectPart>;
  /** Those that are there, by number: what a function that goes on need not send again. None of an upload that was ended. */
  listParts(upload: ObjectUpload): Promise<readonly ObjectPart[]>;
  /**
   * All of these, one after the other, are the object. Made again: the answer of the first time.
   * @throws ContentMismatchError when `checksums.crc64` is not that of the parts; NotFoundError when the upload was ended;
   * ConflictError as `put`.
   */
  completeUpload(
    upload: ObjectUpload,
    parts: readonly ObjectPart[],
    options?: { readonly checksums?: Pick<Checksums, 'crc64'>; readonly createOnly?: boolean },
  ): Promise<WrittenObject>;
  /** Its parts are no longer paid for, at Azure after a week. An upload that is not there is ended. */
  abortUpload(upload: ObjectUpload): Promise<void>;
  close(): void;
}

/** What a site may do with the storage of another. */
export type ReadableObjects = Pick<Objects, 'head' | 'read'>;
