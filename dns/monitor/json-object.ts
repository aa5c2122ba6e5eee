/** A variable of the environment that holds a JSON object. */

/** Its entries; none, and a mistake more, when it is something else. @param of What the object is of, for the mistake. */
export function entriesOf(
  text: string | undefined,
  { name, of }: { readonly name: string; readonly of: string },
  mistakes: string[],
): readonly (readonly [string, unknown])[] {
  if (text === undefined || text === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value);
  mistakes.push(`${name}: is not a JSON object of ${of}`);
  return [];
}
