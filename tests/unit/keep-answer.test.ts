import { describe, expect, test } from '@jest/globals';
import { keepAnswer } from '../../src/shared/keep-answer.ts';

/** A question whose answers are given one by one. */
function harness() {
  let nowMs = 0;
  const asked: { answer: (value: string) => void; fail: (error: Error) => void }[] = [];
  const ask = keepAnswer(
    1_000,
    () => new Promise<string>((answer, fail) => asked.push({ answer, fail })),
    () => nowMs,
  );
  return { ask, asked, at: (ms: number) => (nowMs = ms) };
}

describe('an answer that is kept', () => {
  test('is computed once for all who ask while it is computed, and for a moment after it', async () => {
    const { ask, asked, at } = harness();
    const first = [ask(), ask(), ask()];
    at(5_000);
    asked[0]?.answer('a');
    await expect(Promise.all(first)).resolves.toEqual(['a', 'a', 'a']);
    at(5_999);
    await expect(ask()).resolves.toBe('a');
    expect(asked).toHaveLength(1);
    at(6_000);
    const second = ask();
    asked[1]?.answer('b');
    await expect(second).resolves.toBe('b');
  });

  test('is asked for again after a failure, which all who waited are given', async () => {
    const { ask, asked } = harness();
    const both = [ask(), ask()];
    asked[0]?.fail(new Error('down'));
    const settled = await Promise.allSettled(both);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const again = ask();
    asked[1]?.answer('up');
    await expect(again).resolves.toBe('up');
  });

  test('does not last longer when the clock is set back', async () => {
    const { ask, asked, at } = harness();
    at(10_000);
    const first = ask();
    asked[0]?.answer('a');
    await first;
    at(2_000);
    void ask();
    expect(asked).toHaveLength(2);
  });
});
