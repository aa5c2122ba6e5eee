import { describe, expect, test } from '@jest/globals';
import type { SettledView } from '@tandem-clouds/operator/operator-api';
import { settleLetters, type SettleWanted } from '@tandem-clouds/operator/settle-letters';

const WANTED: SettleWanted = { action: 'replay', selection: { reason: 'malformed' }, rate: 2, dryRun: false };

/** A site with so many letters, of which one cannot be settled. */
function site(letters: number, { refusesOne = false } = {}) {
  let left = letters;
  const asked: object[] = [];
  const leave = new AbortController();
  return {
    asked,
    leave,
    means: {
      settle: (_: string, selection: object): Promise<SettledView> => {
        asked.push(selection);
        const { limit } = selection as { limit: number };
        const settled = Math.min(limit, left);
        left -= settled;
        const failed = refusesOne ? [{ id: 'stuck', detail: 'no queue' }] : [];
        return Promise.resolve({
          dryRun: false,
          scanned: letters,
          atLeast: false,
          matched: settled + failed.length,
          settled,
          failed,
        });
      },
      wait: () => Promise.resolve(),
      progress: () => undefined,
      signal: leave.signal,
    },
  };
}

describe('settling dead letters', () => {
  test('goes on until none is left, so many at a time', async () => {
    const { means, asked } = site(5);
    const { settled, failed } = await settleLetters(WANTED, means);
    expect([settled, failed.size]).toEqual([5, 0]);
    expect(asked).toHaveLength(4);
    expect(asked[0]).toEqual({ reason: 'malformed', limit: 2, dryRun: false });
  });

  test('does not meet again what cannot be settled', async () => {
    const { means } = site(3, { refusesOne: true });
    const { settled, failed } = await settleLetters(WANTED, means);
    expect([settled, [...failed]]).toEqual([3, [['stuck', 'no queue']]]);
  });

  test('ends with the last of the ids that were named', async () => {
    const { means, asked } = site(2);
    await settleLetters({ ...WANTED, selection: { ids: ['a', 'b'] } }, means);
    expect(asked).toHaveLength(1);
  });

  test('of a dry run is one request, and so is one that was stopped', async () => {
    const dry = site(5);
    await settleLetters({ ...WANTED, dryRun: true }, dry.means);
    expect(dry.asked).toHaveLength(1);
    const stopped = site(5);
    const progress = (): void => stopped.leave.abort();
    const { settled } = await settleLetters(WANTED, { ...stopped.means, progress });
    expect([settled, stopped.asked.length]).toEqual([2, 1]);
  });

  test('asks for no more than a site settles at once, however high the rate is', async () => {
    const { means, asked } = site(1);
    await settleLetters({ ...WANTED, rate: 5_000 }, means);
    expect(asked[0]).toMatchObject({ limit: 100 });
  });
});
