/**
 * What the planner asks of whoever serves a zone. A provider is made for one zone, and holds nothing between calls that
 * it cannot read again.
 *
 * A provider declares what it supports, so that the core refuses the rest by name and never asks which provider it is.
 */
import type { LockNote } from '@tandem-clouds/zone/lock-note';
import type { Change, RecordType, Strategy, ZoneRecord } from '@tandem-clouds/zone/model';

/** Both inclusive. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface Capabilities {
  readonly strategies: readonly Strategy[];
  readonly recordTypes: readonly RecordType[];
  /** Routed names may answer with aliases of the provider. */
  readonly aliases: boolean;
  /** It has a network of its own to put in front (CDN, WAF). */
  readonly edge?: boolean;
  /** That network can send some paths of a name elsewhere. */
  readonly paths?: boolean;
  readonly ttlSeconds: Range;
  readonly weightMax: number;
  /** How many targets a strategy takes, where there is a limit. */
  readonly targetsMax: Partial<Readonly<Record<Strategy, number>>>;
  /** Either of a few, or any within a range. */
  readonly checkIntervalSeconds: readonly number[] | Range;
  readonly failureThreshold: Range;
}

/** The policy's records as this provider would hold them. */
export interface Prepared {
  readonly records: readonly ZoneRecord[];
  /** What it cannot hold beyond what its capabilities say; a sentence each, naming the record. */
  readonly refusals: readonly string[];
}

/** A live record that no policy can express. It is never touched. */
export interface Foreign {
  readonly name: string;
  readonly type: string;
  readonly reason: string;
  /** What it is in the model, when only a policy cannot say it: a policy that wants this name and type changes it. */
  readonly record?: ZoneRecord;
  /** Types that it answers for beside its own. */
  readonly alsoTypes?: readonly RecordType[];
}

export interface LiveZone {
  /** Without SOA and NS of the zone itself, and without the lock. */
  readonly records: readonly ZoneRecord[];
  readonly foreign: readonly Foreign[];
  /** Helpers that we made and nothing uses any more, such as health checks; in words. */
  readonly leftovers: readonly string[];
}

/**
 * Every method throws a ProviderError (errors.ts) that says whether it was the credentials, a limit, or an outage, after
 * its own bounded retries.
 */
export interface Provider {
  readonly name: string;
  readonly zone: string;
  readonly capabilities: Capabilities;

  /** Drops what the provider does not hold, so that what is read back compares equal. Pure. */
  prepare(records: readonly ZoneRecord[]): Prepared;

  read(): Promise<LiveZone>;

  /**
   * Makes the changes, in order where it cannot make them at once, and creates the health checks they need. Calls
   * `onDone` as soon as a change is certain; so when it throws, the changes that were not reported did not happen.
   * Resolves when the zone's servers answer with all of them.
   */
  apply(changes: readonly Change[], onDone: (change: Change) => void): Promise<void>;

  /** Removes the leftovers. */
  cleanUp(): Promise<void>;

  /** What the provider's health checks say now, by `checkKey`; absent: it does not know (yet). */
  health(): Promise<ReadonlyMap<string, boolean>>;

  readLock(): Promise<LockNote | undefined>;

  /**
   * Replaces the lock in one step, on condition that it still is `expected` (undefined: that there is none). False when
   * it was not.
   */
  swapLock(expected: LockNote | undefined, next: LockNote | undefined): Promise<boolean>;
}

/** Time, so that tests need not wait for it. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves early when the signal is aborted; the caller looks at the signal. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
