/** One record as several sites have it, field by field. Pure. */

export type RecordValues = Readonly<Record<string, unknown>>;

export interface FieldRow {
  /** `name`, or `data.text`: a member of an object. */
  readonly name: string;
  /** In the order of the versions; undefined: nothing there. */
  readonly values: readonly unknown[];
  readonly differs: boolean;
}

/** Members of an object are compared one by one while there are so few. */
const MEMBERS_MAX = 40;

/**
 * @param versions Undefined: not known there, which differs from nothing.
 * @param order Fields that come first; what else a record has follows.
 */
export function fieldRows(
  versions: readonly (RecordValues | undefined)[],
  order: readonly string[],
): readonly FieldRow[] {
  const names = [...new Set([...order, ...versions.flatMap((version) => Object.keys(version ?? {}))])];
  return names.flatMap((name) => {
    const values = versions.map((version) => version?.[name]);
    if (values.every((value) => value === undefined)) return [];
    const members = new Set(values.flatMap((value) => (isObject(value) ? Object.keys(value) : [])));
    const isSplit = values.every((value) => value === undefined || isObject(value));
    if (!isSplit || members.size === 0 || members.size > MEMBERS_MAX) return [rowOf(name, values, versions)];
    return [...members].map((member) =>
      rowOf(
        `${name}.${member}`,
        values.map((value) => (isObject(value) ? value[member] : undefined)),
        versions,
      ),
    );
  });
}

/** What is another value than before, with both. */
export function changedFields(
  before: RecordValues,
  after: RecordValues,
): readonly { readonly name: string; readonly before: unknown; readonly after: unknown }[] {
  return fieldRows([before, after], [])
    .filter(({ differs }) => differs)
    .map(({ name, values: [old, now] }) => ({ name, before: old, after: now }));
}

/** A field that holds a text or a number, as text. */
export function textAt(record: RecordValues | undefined, field: string, otherwise = '—'): string {
  const value = record?.[field];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise;
}

function rowOf(
  name: string,
  values: readonly unknown[],
  versions: readonly (RecordValues | undefined)[],
): FieldRow {
  const known = values.filter((_, at) => versions[at] !== undefined).map(canonical);
  return { name, values, differs: new Set(known).size > 1 };
}

/** Members in one order: what a store does with their order is no difference. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_, each: unknown) =>
    isObject(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each,
  );
}

function isObject(value: unknown): value is RecordValues {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
