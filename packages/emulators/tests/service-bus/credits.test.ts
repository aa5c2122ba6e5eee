/** The budget of a namespace, as Microsoft publishes it (see the head of credits.ts). */
import { describe, expect, test } from '@jest/globals';
import { Credits, CREDITS_PER_SECOND } from '../../src/service-bus/credits.ts';

function credits(perSecond = CREDITS_PER_SECOND): { budget: Credits; at: (ms: number) => void } {
  let nowMs = 5_000;
  return { budget: new Credits({ perSecond, now: () => nowMs }), at: (ms) => (nowMs = ms) };
}

describe('the credits of a namespace', () => {
  test('are 1,000 a second, and the one that finds none is refused with the hint of the service', () => {
    const { budget } = credits();
    for (let i = 0; i < 1_000; i += 1) budget.spend(1);
    expect(() => budget.spend(1)).toThrow(/Error code: 50009. Please wait 2 seconds/);
    expect(budget.totals).toEqual({ spent: 1_000, throttled: 1 });
  });

  test('are replenished at the start of the next second, and not before', () => {
    const { budget, at } = credits(10);
    expect(budget.take(10)).toBe(true);
    at(5_999);
    expect(budget.take(1)).toBe(false);
    expect(budget.replenishedInMs).toBe(1);
    at(6_000);
    expect(budget.take(1)).toBe(true);
  });

  test('are owed when an operation takes more than there are', () => {
    const { budget, at } = credits(10);
    expect(budget.take(25)).toBe(true);
    at(6_000);
    expect(budget.take(1)).toBe(false);
    at(7_000);
    expect(budget.take(1)).toBe(true);
  });

  test('are not saved for later', () => {
    const { budget, at } = credits(10);
    at(60_000);
    expect(budget.take(10)).toBe(true);
    expect(budget.take(1)).toBe(false);
  });

  test('have no end in Premium', () => {
    const { budget } = credits(Infinity);
    expect(budget.take(1_000_000) && budget.take(1)).toBe(true);
  });
});
