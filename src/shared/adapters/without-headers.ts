/** Takes what a platform has added out of a request, so that the core sees what the caller sent. */

/** @param added Names in lower case; one that ends in `*` is the beginning of several. */
export function withoutHeaders<Value>(
  headers: Readonly<Record<string, Value>>,
  added: readonly string[],
): Record<string, Value> {
  const exact = new Set(added);
  const beginnings = added.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !exact.has(name) && !beginnings.some((beginning) => name.startsWith(beginning)),
    ),
  );
}
