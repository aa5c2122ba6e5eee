import { describe, expect, test } from '@jest/globals';
import { credentialFreshness } from '../../src/shared/bounds.ts';
import { type Dated, keepFresh } from '../../src/shared/keep-fresh.ts';

const HOUR_MS = 3_600_000;

/** Each value is good for an hour from when it was fetched; `answers` may fail. */
function harness(...responses: (string | Error)[]) {
  let nowMs = 0;
  let calls = 0;
  const fresh = keepFresh(
    (): Promise<Dated<string>> => {
      calls += 1;
      const response = responses.shift() ?? new Error('asked too often');
      return response instanceof Error
        ? Promise.reject(response)
        : Promise.resolve({ value: response, expiresAtMs: nowMs + HOUR_MS });
    },
    credentialFreshness,
    () => nowMs,
  );
  return {
    at: async (ms: number): Promise<string> => {
      nowMs = ms;
      return (await fresh()).value;
    },
    calls: () => calls,
  };
}

describe('what is good until a date', () => {
  test('is fetched once for all who come at the same time', async () => {
    const { at, calls } = harness('a');
    await expect(Promise.all([at(0), at(0), at(0)])).resolves.toEqual(['a', 'a', 'a']);
    expect(calls()).toBe(1);
  });

  test('is kept until shortly before its end, and then renewed', async () => {
    const { at } = harness('a', 'b');
    await expect(at(0)).resolves.toBe('a');
    await expect(at(HOUR_MS - 300_001)).resolves.toBe('a');
    await expect(at(HOUR_MS - 300_000)).resolves.toBe('b');
  });

  test('outlives a renewal that fails, which is tried again only after a while', async () => {
    const { at, calls } = harness('a', new Error('refused'), 'b');
    await at(0);
    const renewMs = HOUR_MS - 200_000;
    await expect(at(renewMs)).resolves.toBe('a');
    await expect(at(renewMs + 9_999)).resolves.toBe('a');
    expect(calls()).toBe(2);
    await expect(at(renewMs + 10_000)).resolves.toBe('b');
  });

  test('is never handed out when it is about to end', async () => {
    const { at } = harness('a', new Error('refused'), new Error('refused again'), 'b');
    await at(0);
    await expect(at(HOUR_MS - 30_000)).rejects.toThrow('refused');
    await expect(at(HOUR_MS - 29_000)).rejects.toThrow('refused again');
    await expect(at(HOUR_MS)).resolves.toBe('b');
  });

  test('is fetched again after a first failure', async () => {
    const { at } = harness(new Error('refused'), 'a');
    await expect(at(0)).rejects.toThrow('refused');
    await expect(at(1)).resolves.toBe('a');
  });
});
