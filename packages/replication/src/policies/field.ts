/**
 * A field of a record: what every merge policy reads and writes.
 *
 * Invariant: the parts say by themselves how they merge, so two sites merge alike whatever each believes the policy
 * to be, and a field's policy can change in a later release without a migration: a policy decides only how a local
 * write changes the parts. What the parts mean is one rule for all of them, `fieldValue`.
 */
import { canonicalJson } from '../canonical-json.ts';
import type { Json } from '../json.ts';
import type { SiteId, Stamp } from '../stamp.ts';
import type { Slots } from './slots.ts';

/**
 * A register: when it was written, and what. The later stamp wins, unless a rank says otherwise: a higher rank wins
 * whatever the stamps say, and no rank is the lowest.
 */
export type Register = readonly [stamp: Stamp, value: Json, rank?: string];

export interface FieldParts {
  readonly register?: Register;
  /** One slot per element and site: the value is the element. */
  readonly set?: Slots;
  /**
   * One slot per site: the value is the sum of what that site has added. And one per site named `-<site>`: the slot
   * as it was when the field was last written as a whole, which no longer counts.
   */
  readonly counter?: Slots;
}

/** What a local write does to a field: pure, from its parts as they are to its parts after the write. */
export type FieldOperation = (
  parts: FieldParts,
  at: { readonly stamp: Stamp; readonly site: SiteId },
) => FieldParts;

/** Whether `a` wins against `b`: by rank, then by stamp. A total order on distinct writes. */
export function outranks(a: Register, b: Register): boolean {
  const [aRank, bRank] = [a[2] ?? '', b[2] ?? ''];
  return aRank === bRank ? a[0] > b[0] : aRank > bRank;
}

/**
 * What a field means: the register's value, to which a counter adds what was counted since, and a set its elements.
 * So a field keeps its meaning when it becomes a counter or a set.
 */
export function fieldValue({ register, set, counter }: FieldParts): Json {
  const plain = register?.[1] ?? null;
  if (counter !== undefined && isCounting(counter))
    return total(counter) + (typeof plain === 'number' ? plain : 0);
  return set === undefined ? plain : elements(plain, set);
}

/** Name of the slot that says what of a site's slot no longer counts. */
export function baseOf(site: SiteId): string {
  return `-${site}`;
}

/** Whether anything was counted since the field was last written as a whole. */
function isCounting(counter: Slots): boolean {
  return Object.entries(counter).some(
    ([name, [stamp]]) => !name.startsWith('-') && (counter[baseOf(name)]?.[0] ?? '') < stamp,
  );
}

function total(counter: Slots): number {
  let sum = 0;
  for (const [name, [, counted]] of Object.entries(counter)) {
    sum += name.startsWith('-') ? -Number(counted) : Number(counted);
  }
  return sum;
}

/** In the order in which they were added, the same at every site. */
function elements(plain: Json, set: Slots): Json[] {
  const distinct = new Map<string, Json>();
  if (Array.isArray(plain))
    for (const each of plain as readonly Json[]) distinct.set(canonicalJson(each), each);
  const slots = Object.entries(set).sort(([a, [aStamp]], [b, [bStamp]]) =>
    aStamp === bStamp ? (a < b ? -1 : 1) : aStamp < bStamp ? -1 : 1,
  );
  for (const [, [, element]] of slots) {
    const name = canonicalJson(element);
    if (!distinct.has(name)) distinct.set(name, element);
  }
  return [...distinct.values()];
}
