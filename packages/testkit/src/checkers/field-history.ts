/**
 * What a field must be in the end, from what was meant by all writes of its key that committed. The rules are told here
 * without the product's code:
 * - as a whole the field has the value of the write with the highest rank, and of those the latest; a write without a
 *   rank of its own has that of what it replaced;
 * - an element is in the field when somebody added it and nobody who had seen that removed it or wrote over it;
 * - an increment counts unless somebody who had seen it wrote over it.
 */
import type { Json } from '@tandem-clouds/replication/json';
import { type CommittedWrite, vectorHolds } from '../history/facts.ts';

/** A value as a whole, under the rank that it has. */
export interface Whole {
  readonly write: CommittedWrite;
  readonly rank: string;
  readonly value: Json;
}

/** Whether `later` was made by somebody who had seen `earlier`. */
export function saw(later: CommittedWrite, earlier: CommittedWrite): boolean {
  return vectorHolds(later.replaced?.state.vector, earlier.site, earlier.stamp);
}

/** Every write of the field as a whole, by stamp, with its rank. */
export function wholesOf(field: string, writes: readonly CommittedWrite[]): readonly Whole[] {
  const wholes: Whole[] = [];
  const ranked = writes.some((write) => write.meant?.[field]?.rank !== undefined);
  for (const write of writes.filter(({ fields }) => field in fields).sort(byStamp)) {
    const own = write.meant?.[field]?.rank;
    const rank =
      own ?? (ranked ? (winner(wholes.filter((other) => saw(write, other.write)))?.rank ?? '') : '');
    wholes.push({ write, rank, value: write.fields[field] ?? null });
  }
  return wholes;
}

/** The one that stands; of wholes in the order of their stamps. */
export function winner(wholes: readonly Whole[]): Whole | undefined {
  let best: Whole | undefined;
  for (const whole of wholes) if (best === undefined || whole.rank >= best.rank) best = whole;
  return best;
}

/** What readers must see of the field. */
export function expectedValue(
  field: string,
  writes: readonly CommittedWrite[],
  standing: Whole | undefined,
): Json {
  const plain = standing?.value ?? null;
  const policies = writes.filter(({ meant }) => meant?.[field] !== undefined);
  if (policies.length === 0) return plain;
  const counted = standingCounts(field, writes);
  if (counted.length > 0) {
    const start = typeof plain === 'number' ? plain : 0;
    return counted.reduce((sum, { meant }) => sum + (meant?.[field]?.by ?? 0), start);
  }
  const added = new Set(standingAdditions(field, writes).map(({ element }) => element));
  if (added.size === 0) return plain;
  return [...new Set([...(Array.isArray(plain) ? (plain as Json[]) : []), ...added])];
}

/** The writes over the field as a whole that leave nothing of what was added and counted. */
function clearingWrites(field: string, writes: readonly CommittedWrite[]): readonly CommittedWrite[] {
  return writes.filter(({ fields, meant }) => field in fields && meant?.[field]?.keepsRest !== true);
}

/** The increments that nobody who had seen them wrote over. */
export function standingCounts(field: string, writes: readonly CommittedWrite[]): readonly CommittedWrite[] {
  const clearing = clearingWrites(field, writes);
  return writes.filter(
    (write) => write.meant?.[field]?.by !== undefined && !clearing.some((other) => saw(other, write)),
  );
}

/** The elements that nobody who had seen them removed or wrote over, each with the write that added it. */
export function standingAdditions(
  field: string,
  writes: readonly CommittedWrite[],
): readonly { readonly write: CommittedWrite; readonly element: Json }[] {
  const clearing = clearingWrites(field, writes);
  return writes.flatMap((write) =>
    (write.meant?.[field]?.add ?? [])
      .filter(
        (element) => !writes.some((other) => saw(other, write) && isGone(field, element, other, clearing)),
      )
      .map((element) => ({ write, element })),
  );
}

/** Whether `other`, who had seen the element, took it away; who adds it again has an addition of their own. */
function isGone(
  field: string,
  element: Json,
  other: CommittedWrite,
  clearing: readonly CommittedWrite[],
): boolean {
  const { add = [], remove = [] } = other.meant?.[field] ?? {};
  return clearing.includes(other) || (remove.includes(element) && !add.includes(element));
}

function byStamp(a: CommittedWrite, b: CommittedWrite): number {
  return a.stamp < b.stamp ? -1 : 1;
}
