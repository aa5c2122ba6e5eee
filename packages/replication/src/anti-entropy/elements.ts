/**
 * What two sites compare: every record by its key, the name of its state and its contents, as a hash of 64 bits. Sites
 * whose releases merged by different rules may hold different contents under one name. With a peer whose release does not
 * know of contents they are left out.
 *
 * Invariant: whether a record counts is decided by the record and by the comparison's own time, so two sites that hold
 * the same record decide alike.
 */
import { compareMarginMs } from '../bounds.ts';
import { hashLanes, hashText } from '../hash.ts';
import { goneAtMs, keptMsOf } from '../lives.ts';
import { contentsOf } from '../merge.ts';
import { keeps } from '../placement.ts';
import type { Site } from '../protocol.ts';
import { entityOf, includes, type RecordState, stateName, type StoredRecord } from '../record.ts';
import { isOwnBusiness, UNIQUE } from '../reserved.ts';
import { vectorOfName } from '../vector.ts';
import type { Job, Offered } from './job.ts';
import type { Hash } from './sketch.ts';

/**
 * The element of a record; undefined when it does not count. What has been gone for almost as long as tombstones are kept
 * may be there or removed already, at each site as it happens. What the other site does not keep is none of its business.
 */
export function elementOf(
  site: Pick<Site, 'site' | 'keptAt'>,
  { key, state }: StoredRecord,
  { atMs, contents, from, to, of }: Pick<Job, 'atMs' | 'contents' | 'from' | 'of' | 'to'>,
): Hash | undefined {
  if (of !== undefined && !isPartOf(of, key)) return undefined;
  if (!keeps(site, site.site === from ? to : from, { key, state })) return undefined;
  if (isOwnBusiness(key) || atMs - goneAtMs(state) > keptMsOf(state) - compareMarginMs) return undefined;
  const name = `${key}\n${stateName(state)}`;
  return hashLanes(contents === true ? `${name}\n${contentsOf(state)}` : name);
}

/** Whether a comparison of an entity is about a record: one of its own, or a claim, which does not say whose it is. */
function isPartOf(entity: string, key: string): boolean {
  return [entity, UNIQUE].includes(entityOf(key));
}

export function offered({ key, state }: StoredRecord, { contents }: Pick<Job, 'contents'>): Offered {
  const name = stateName(state);
  return contents === true ? [key, name, hashText(contentsOf(state))] : [key, name];
}

/** Whether a site lacks what it was offered: it does not include it, or names it alike and holds something else. */
export function lacks(held: RecordState | undefined, [, name, contents]: Offered): boolean {
  if (held === undefined || !includes(held, vectorOfName(name) ?? {})) return true;
  return contents !== undefined && stateName(held) === name && hashText(contentsOf(held)) !== contents;
}

/** A hash as text, and back. */
export function hashToText([a, b]: Hash): string {
  return `${a.toString(36)}.${b.toString(36)}`;
}
