/** What the store keeps: plain data, as it is in the journal. */
import type { Content } from '../core/object-files.ts';
import type { Algorithm, Checksum, ChecksumType } from './checksums.ts';

/** Version id of what was written while versioning was not enabled. */
export const NULL_VERSION = 'null';

export interface Retention {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
  /** Epoch milliseconds. */
  readonly until: number;
}

/** What a client says of an object when it creates it. */
export interface Attributes {
  /** `content-type`, `cache-control`, …: they come back as they were sent. */
  readonly headers: Readonly<Record<string, string>>;
  /** `x-amz-meta-…`, without that prefix. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly retention?: Retention | undefined;
  readonly isHeld?: boolean | undefined;
}

export interface StoredPart {
  readonly bytes: number;
  readonly checksum?: string | undefined;
}

export interface ObjectVersion extends Attributes {
  readonly kind: 'object';
  readonly versionId: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Without quotation marks. */
  readonly etag: string;
  readonly bytes: number;
  readonly content: Content;
  readonly checksum: Checksum;
  /** Of a multipart upload. */
  readonly parts?: readonly StoredPart[] | undefined;
  readonly uploadId?: string | undefined;
}

/** What can be changed of a version. */
export type VersionChange = Partial<Pick<ObjectVersion, 'retention' | 'isHeld' | 'tags'>>;

export interface DeleteMarker {
  readonly kind: 'marker';
  readonly versionId: string;
  readonly at: number;
}

export type Version = ObjectVersion | DeleteMarker;

export interface Part {
  readonly number: number;
  readonly at: number;
  readonly etag: string;
  readonly bytes: number;
  readonly content: Content;
  /** Base64. */
  readonly checksum: string;
}

export interface UploadStart extends Attributes {
  readonly id: string;
  readonly key: string;
  readonly at: number;
  readonly algorithm: Algorithm;
  readonly checksumType: ChecksumType;
  /** The client chose the algorithm; otherwise it is S3's own. */
  readonly isChosen: boolean;
}

export interface Upload extends UploadStart {
  readonly parts: Map<number, Part>;
}

/** A message for a queue, to be delivered at least once. */
export interface Notification {
  readonly id: string;
  readonly queueArn: string;
  readonly body: string;
}

/** Settings that are kept as they came, by the name of their subresource. */
export const SETTINGS = [
  'cors',
  'encryption',
  'intelligent-tiering',
  'lifecycle',
  'notification',
  'object-lock',
  'ownershipControls',
  'policy',
  'publicAccessBlock',
  'tagging',
  'versioning',
] as const;
export type Setting = (typeof SETTINGS)[number];
