import { describe, expect, test } from '@jest/globals';
import { cacheResponse } from '../../src/shared/cache-response.ts';

/** A question whose answers are given one by one. */
function harness() {
  let nowMs = 0;
  const requested: { response: (value: string) => void; fail: (error: Error) => void }[] = [];
  const query = cacheResponse(
    1_000,
    () => new Promise<string>((response, fail) => requested.push({ response, fail })),
    () => nowMs,
  );
  return { query, requested, at: (ms: number) => (nowMs = ms) };
}

describe('an answer that is kept', () => {
  test('is computed once for all who ask while it is computed, and for a moment after it', async () => {
    const { query, requested, at } = harness();
    const first = [query(), query(), query()];
    at(5_000);
    requested[0]?.response('a');
    await expect(Promise.all(first)).resolves.toEqual(['a', 'a', 'a']);
    at(5_999);
    await expect(query()).resolves.toBe('a');
    expect(requested).toHaveLength(1);
    at(6_000);
    const second = query();
    requested[1]?.response('b');
    await expect(second).resolves.toBe('b');
  });

  test('is asked for again after a failure, which all who waited are given', async () => {
    const { query, requested } = harness();
    const both = [query(), query()];
    requested[0]?.fail(new Error('down'));
    const settled = await Promise.allSettled(both);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const again = query();
    requested[1]?.response('up');
    await expect(again).resolves.toBe('up');
  });

  test('does not last longer when the clock is set back', async () => {
    const { query, requested, at } = harness();
    at(10_000);
    const first = query();
    requested[0]?.response('a');
    await first;
    at(2_000);
    void query();
    expect(requested).toHaveLength(2);
  });
});
