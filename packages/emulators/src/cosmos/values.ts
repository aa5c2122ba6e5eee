/**
 * How the service orders and compares values: by type first, undefined < null < booleans < numbers < strings <
 * arrays < objects, then by value within a type.
 */

/** Rank of a value's type in the order above, 0 for undefined. */
export function typeRank(value: unknown): number {
  if (value === undefined) return 0;
  if (value === null) return 1;
  if (typeof value === 'boolean') return 2;
  if (typeof value === 'number') return 3;
  if (typeof value === 'string') return 4;
  return Array.isArray(value) ? 5 : 6;
}

/** Values that an index can hold and a predicate can narrow to: null, booleans, numbers and strings. */
export type IndexValue = null | boolean | number | string;

export function isIndexValue(value: unknown): value is IndexValue {
  const rank = typeRank(value);
  return rank >= 1 && rank <= 4;
}

/** Total order; arrays and objects compare by their canonical text, so that a sort is repeatable. */
export function compareValues(a: unknown, b: unknown): number {
  if (a === b) return 0;
  const byType = typeRank(a) - typeRank(b);
  if (byType !== 0) return byType;
  if (isIndexValue(a) && isIndexValue(b)) return (a as number) < (b as number) ? -1 : 1;
  const left = canonical(a);
  const right = canonical(b);
  return left === right ? 0 : left < right ? -1 : 1;
}

/** JSON text with sorted keys: equal for equal values, whatever the order of their properties. */
export function canonical(value: unknown): string {
  if (value === undefined) return 'undefined';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const entries = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, entry]) => `${JSON.stringify(key)}:${canonical(entry)}`);
  return `{${entries.join(',')}}`;
}
