/** One difference between two releases' declarations. */
import { canonicalJson } from '@tandem-clouds/replication/canonical-json';
import type { Json } from '@tandem-clouds/replication/json';

/**
 * | class | what it asks for |
 * |---|---|
 * | `additive` | nothing: both releases can run side by side |
 * | `backfill` | something is done for records that are there already |
 * | `breaking` | it is refused: what one release wrote, or a caller sends, the other cannot take |
 */
export type ChangeClass = 'additive' | 'backfill' | 'breaking';

export interface SchemaChange {
  readonly kind: ChangeClass;
  /** `booking.fields.title.maxLength` */
  readonly place: string;
  readonly what: string;
  /** What to do about it, or how to do it in two releases; empty: nothing is to be done. */
  readonly mend: string;
}

export type Changes = Generator<SchemaChange, void>;

export function additive(place: string, what: string, mend = ''): SchemaChange {
  return { kind: 'additive', place, what, mend };
}

export function backfill(place: string, what: string, mend: string): SchemaChange {
  return { kind: 'backfill', place, what, mend };
}

export function breaking(place: string, what: string, mend: string): SchemaChange {
  return { kind: 'breaking', place, what, mend };
}

/** Values as data, whose members have no order. */
export function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson((a ?? null) as Json) === canonicalJson((b ?? null) as Json);
}

/** For a message: what a person declared. */
export function shown(value: unknown): string {
  return value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
}

export type Pair<T> = readonly [name: string, before: T | undefined, after: T | undefined];

/** The members of two objects, side by side. */
export function paired<T>(
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
): readonly Pair<T>[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const member = (of: Readonly<Record<string, T>>, name: string): T | undefined =>
    Object.hasOwn(of, name) ? of[name] : undefined;
  return [...names].sort().map((name) => [name, member(before, name), member(after, name)]);
}
