/**
 * What two sites compare: every record by its key and the name of its state, as a hash of 64 bits.
 *
 * Invariant: whether a record counts is decided by the record and by the comparison's own time, so two sites that hold
 * the same record decide alike.
 */
import { compareMarginMs, horizonMs } from '../../bounds.ts';
import { hashLanes } from '../hash.ts';
import {
  DELETED,
  expiresAtSeconds,
  isDeleted,
  stateName,
  type RecordState,
  type StoredRecord,
} from '../record.ts';
import { isOwnBusiness } from '../reserved.ts';
import { stampMs } from '../stamp.ts';
import type { Hash } from './sketch.ts';

/** The element of a record; undefined when it does not count. @param atMs The time of the comparison. */
export function elementOf({ key, state }: StoredRecord, atMs: number): Hash | undefined {
  if (isOwnBusiness(key) || goneForMs(state, atMs) > horizonMs - compareMarginMs) return undefined;
  return hashLanes(`${key}\n${stateName(state)}`);
}

/**
 * How long ago the record ceased to exist; -Infinity when it exists. What has been gone for almost as long as
 * tombstones are kept may be there or removed already, at each site as it happens.
 */
export function goneForMs(state: RecordState, atMs: number): number {
  const deleted = isDeleted(state) ? stampMs(state.fields[DELETED]?.[0] ?? '') : Infinity;
  const expired = (expiresAtSeconds(state) ?? Infinity) * 1000;
  return atMs - Math.min(deleted, expired);
}

/** A hash as text, and back. */
export function hashToText([a, b]: Hash): string {
  return `${a.toString(36)}.${b.toString(36)}`;
}
