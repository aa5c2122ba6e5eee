/** What an account holds: containers, their blobs, and the versions of each blob. Plain data, so that a journal can hold it. */
import type { Content } from '../core/object-files.ts';
import type { SortedNames } from '../core/sorted-names.ts';

export interface BlobHeaders {
  readonly contentType: string;
  readonly contentEncoding?: string | undefined;
  readonly contentLanguage?: string | undefined;
  readonly contentDisposition?: string | undefined;
  readonly cacheControl?: string | undefined;
  /** In base64. */
  readonly contentMd5?: string | undefined;
}

export const TIERS = ['Hot', 'Cool', 'Cold', 'Archive'] as const;
export type Tier = (typeof TIERS)[number];

export interface Immutability {
  readonly untilMs: number;
  readonly mode: 'Unlocked' | 'Locked';
}

export interface Copied {
  readonly id: string;
  readonly source: string;
  readonly bytes: number;
  readonly completedMs: number;
}

/** A block of a blob: committed with it, or waiting for a list that names it. */
export interface Block {
  /** In base64. */
  readonly id: string;
  readonly content: Content;
  readonly bytes: number;
}

export interface StagedBlock extends Block {
  readonly stagedMs: number;
}

export interface BlobVersion {
  /** A timestamp to 100 ns, increasing. The current state has one too where no versions are kept; it is not shown then. */
  readonly id: string;
  readonly etag: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly content: Content;
  readonly bytes: number;
  /** Those of a block list; a blob that was put as a whole has none. */
  readonly blocks: readonly Block[];
  readonly headers: BlobHeaders;
  /** In the case that they were sent in. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly tier: Tier | undefined;
  readonly tierChangedMs?: number | undefined;
  readonly copied?: Copied | undefined;
  readonly immutability?: Immutability | undefined;
  readonly legalHold: boolean;
  /** When it was deleted, as long as it can be recovered. */
  readonly deletedMs?: number | undefined;
}

export interface Lease {
  readonly id: string;
  /** -1: until it is released. */
  readonly seconds: number;
  readonly untilMs: number;
  /** Since when it is broken, or will be. */
  readonly brokenMs?: number | undefined;
}

export interface Blob {
  readonly name: string;
  current: BlobVersion | undefined;
  /** Oldest first: previous versions, and without versions a deleted state that can be recovered. */
  previous: BlobVersion[];
  /** By id. */
  readonly staged: Map<string, StagedBlock>;
  /** When the last of those came. */
  lastStagedMs: number;
  lease: Lease | undefined;
}

export interface ContainerState {
  readonly etag: string;
  readonly modifiedMs: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Versions may be protected from deletion. */
  readonly versionImmutability: boolean;
}

export interface Container {
  readonly name: string;
  state: ContainerState;
  readonly blobs: Map<string, Blob>;
  readonly names: SortedNames;
}

export interface CorsRule {
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly allowedHeaders: readonly string[];
  readonly exposedHeaders: readonly string[];
  readonly maxAgeSeconds: number;
}

/** What `Set Blob Service Properties` sets. */
export interface ServiceProperties {
  readonly cors: readonly CorsRule[];
  /** How long what was deleted can be recovered; undefined: not at all. */
  readonly deleteRetentionDays?: number | undefined;
  readonly defaultVersion?: string | undefined;
}
