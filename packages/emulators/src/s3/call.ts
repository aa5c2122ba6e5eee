/** One request on its way through an operation, and what an operation answers. */
import { Digests } from '../core/digests.ts';
import type { Content } from '../core/object-files.ts';
import type { Element } from '../core/xml.ts';
import { type Body, bodyOf, wholeBody, xmlOf } from './body.ts';
import type { Bucket } from './bucket.ts';
import { announcedIn, digestNameOf, verify } from './checksums.ts';
import type { Deliveries } from './deliveries.ts';
import { S3Error } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { LockContext } from './lock.ts';
import type { Notification } from './model.ts';
import { notificationsOf, type ObjectEvent } from './notification-rules.ts';
import type { S3Request } from './request.ts';
import type { Payload } from './signature.ts';
import type { S3Store } from './store.ts';

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** XML, or JSON of a policy. */
  readonly text?: string;
  /** Held for the answer; whoever sends it releases it. */
  readonly content?: Content;
}

export interface CallParts {
  readonly request: S3Request;
  readonly payload: Payload;
  /** The body as it comes; reading it tells the client to go on. */
  readonly raw: AsyncIterable<Uint8Array>;
  readonly store: S3Store;
  readonly deliveries: Deliveries;
  readonly requestId: string;
  readonly sourceAddress: string;
}

export class Call {
  readonly request: S3Request;
  readonly payload: Payload;
  readonly store: S3Store;
  readonly deliveries: Deliveries;
  readonly requestId: string;
  readonly #sourceAddress: string;
  readonly #raw: AsyncIterable<Uint8Array>;

  constructor(parts: CallParts) {
    this.request = parts.request;
    this.payload = parts.payload;
    this.store = parts.store;
    this.deliveries = parts.deliveries;
    this.requestId = parts.requestId;
    this.#sourceAddress = parts.sourceAddress;
    this.#raw = parts.raw;
  }

  /** The same call, with other headers. */
  withHeaders(headers: Readonly<Record<string, string>>): Call {
    return new Call({
      ...{ payload: this.payload, store: this.store, deliveries: this.deliveries, requestId: this.requestId },
      ...{ sourceAddress: this.#sourceAddress, raw: this.#raw, request: { ...this.request, headers } },
    });
  }

  get key(): string {
    return this.request.key;
  }

  /** Epoch milliseconds. */
  get now(): number {
    return this.store.now();
  }

  get lockContext(): LockContext {
    const mayBypass = this.request.headers['x-amz-bypass-governance-retention']?.toLowerCase() === 'true';
    return { now: this.now, mayBypass };
  }

  /** @throws S3Error when it is not there. */
  bucket(): Bucket {
    return this.store.bucket(this.request.bucket);
  }

  body(): Body {
    return bodyOf(this.request, this.payload, this.#raw);
  }

  /** A body that fits into memory, with the checksums that were announced. @throws S3Error */
  async text(options: { readonly isDigestNeeded?: boolean } = {}): Promise<Buffer> {
    const announced = announcedIn(this.request, this.payload);
    const { algorithm, md5, sha256 } = announced;
    if (options.isDigestNeeded === true && algorithm === undefined && md5 === undefined)
      throw new S3Error(
        'InvalidRequest',
        'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
      );
    const body = this.body();
    const bytes = await wholeBody(body, LIMITS.xmlBytesMax);
    const digests = new Digests([
      ...(md5 === undefined ? [] : (['md5'] as const)),
      ...(sha256 === undefined ? [] : (['sha256'] as const)),
      ...(algorithm === undefined ? [] : [digestNameOf(algorithm)]),
    ]);
    digests.update(bytes);
    verify(announced, await digests.digest(), body);
    return bytes;
  }

  async xml(root: string, options: { readonly isDigestNeeded?: boolean } = {}): Promise<Element> {
    return xmlOf(await this.text(options), root);
  }

  /** For the queues of the bucket that want to know. */
  notify(
    bucket: Bucket,
    event: Omit<ObjectEvent, 'versionId'> & { readonly versionId: string },
  ): Notification[] {
    const versionId = bucket.versioning === undefined ? undefined : event.versionId;
    return notificationsOf(bucket.queueRules, { ...event, versionId }, () => ({
      bucket: bucket.name,
      region: this.store.region,
      requestId: this.requestId,
      sourceAddress: this.#sourceAddress,
      at: this.now,
      sequencer: this.store.nextSequencer(),
    }));
  }
}

/** Of a version: only buckets that ever had versioning name it. */
export function versionHeader(bucket: Bucket, versionId: string): Record<string, string> {
  return bucket.versioning === undefined ? {} : { 'x-amz-version-id': versionId };
}
