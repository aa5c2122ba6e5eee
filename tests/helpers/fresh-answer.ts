/** Asks `GET /replication` until the answer is about a moment after the question: one from before serves for a second. */
import { waitUntil } from './wait-until.ts';

export function freshAnswer<T extends { readonly now: string }>(ask: () => Promise<T>): Promise<T> {
  const askedAtMs = Date.now();
  return waitUntil('an answer of its own', async () => {
    const answer = await ask();
    return Date.parse(answer.now) >= askedAtMs ? answer : undefined;
  });
}
