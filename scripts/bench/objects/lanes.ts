/** Runs what is numbered from 0, so many side by side. */
export async function lanes(
  count: number,
  atOnce: number,
  run: (at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) await run(at);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
