/** Asks `GET /replication` until the answer is about a moment after the question: one from before serves for a second. */
import { waitUntil } from './wait-until.ts';

export function freshResponse<T extends { readonly now: string }>(query: () => Promise<T>): Promise<T> {
  const requestedAtMs = Date.now();
  return waitUntil('an answer of its own', async () => {
    const response = await query();
    return Date.parse(response.now) >= requestedAtMs ? response : undefined;
  });
}
