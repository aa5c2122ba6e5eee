/** Results in the order of the items, so many of which are under way at a time. */
export async function mapped<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  map: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await map(items[at] as Item);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}
