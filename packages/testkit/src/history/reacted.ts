/**
 * What a service that reacts was asked for, what its provider saw and what its sites hold in the end: the only thing that the
 * checker of reactions reads. Every change names itself in the field that the condition is about, so a call and a record tell
 * by themselves whose they are.
 */
import type { ReactionEntries } from '@tandem-clouds/replication/reactions/entry';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { stampSite } from '@tandem-clouds/replication/stamp';
import type { Attempt } from './client-log.ts';

/** The field that clients write, and the one that the reaction writes. */
export const CHANGED = 'place';
export const REACTED = 'told';
/** The reaction. */
export const REACTION = 'tell';
/** The end of a change that the provider never accepts. */
export const REFUSED = '-refused';

/** A write that makes the condition true. */
export interface Change {
  readonly id: string;
  /** Sites that may have taken it, each under a stamp of its own: an attempt that was repeated elsewhere may stand twice. */
  readonly takenBy: ReadonlySet<string>;
  readonly acknowledged: boolean;
}

/** `late` and `lost`: it was done, and the caller may not know. */
export type Reply = 'done' | 'failed' | 'refused' | 'late' | 'lost';

export interface ProviderCall {
  /** Epoch milliseconds. */
  readonly atMs: number;
  readonly effectId: string;
  readonly key: string;
  readonly change: string;
  readonly site: string;
  /** Whether this call made the effect come about: the provider honours keys. */
  readonly performed: boolean;
  readonly reply: Reply;
}

/** A record, as one site holds it. */
export interface HeldRecord {
  readonly key: string;
  readonly change: string | undefined;
  /** Who made the change. */
  readonly origin: string;
  readonly told: string | undefined;
  readonly entries: ReactionEntries;
}

export interface Reacted {
  /** By id. */
  readonly changes: ReadonlyMap<string, Change>;
  readonly calls: readonly ProviderCall[];
  /** Site → its records. */
  readonly held: ReadonlyMap<string, readonly HeldRecord[]>;
}

export function changesOf(log: readonly Attempt[]): ReadonlyMap<string, Change> {
  const changes = new Map<string, { id: string; takenBy: Set<string>; acknowledged: boolean }>();
  for (const { id, result, replayed, site, via } of log) {
    const change = changes.get(id) ?? { id, takenBy: new Set<string>(), acknowledged: false };
    changes.set(id, change);
    if (result === 'refused') continue;
    if (result === 'acknowledged') change.acknowledged = true;
    // What was answered again was taken before.
    if (!replayed) change.takenBy.add(site ?? via);
  }
  return changes;
}

export function heldOf({ key, state, reactions = {} }: StoredRecord): HeldRecord {
  const text = (field: string): string | undefined => {
    const value = state.fields[field]?.[1];
    return typeof value === 'string' ? value : undefined;
  };
  const stamp = state.fields[CHANGED]?.[0];
  return {
    key,
    change: text(CHANGED),
    origin: stamp === undefined ? '' : stampSite(stamp),
    told: text(REACTED),
    entries: reactions,
  };
}
