/** A few schedules of the shop inside the test run; `npm run tandem -- simulate --workload shop` runs thousands. */
import { describe, expect, test } from '@jest/globals';
import { NO_FAULTS } from '../../src/simulator/faults.ts';
import { NO_SHOP_FAULTS, type ShopFaults } from '../../src/simulator/shop/faults.ts';
import { shopMutants } from '../../src/simulator/shop/mutants.ts';
import { runShopSchedule, type ShopScheduleOptions } from '../../src/simulator/shop/schedule.ts';
import { describeMutants } from './describe-mutants.ts';

/** What went wrong, with the seed that shows it again. */
const complaints = (options: ShopScheduleOptions): string[] =>
  runShopSchedule(options).findings.map(
    ({ invariant, key, detail }) => `seed ${options.seed}: ${invariant}: ${key ?? ''} ${detail}`,
  );

describe('the shop under faults', () => {
  test.each([2, 3, 4])('keeps every invariant with %i sites', (sites) => {
    for (let seed = 1; seed <= 3; seed += 1) expect(complaints({ seed, sites })).toEqual([]);
  });

  const disasters: [string, Partial<ShopFaults>][] = [
    ['nothing goes wrong', {}],
    ['orders are taken over from sites that are alive', { takeOver: 10, resubmit: 0.6, paymentTimeout: 0.2 }],
    ['customers take their time at the bank', { challenge: 0.6, processing: 0.3, resubmit: 0.3 }],
    [
      'the provider is away for an hour, and answers late',
      { providerAway: 60, paymentTimeout: 0.3, lookupLag: 200_000 },
    ],
    ['messages that wake are lost', { purge: 1, resubmit: 0.5 }],
    ['sites stand still until charging has ended', { stallHours: 20, takeOver: 4, paymentTimeout: 0.3 }],
    ['the provider has forgotten its keys', { stallHours: 27, takeOver: 4, paymentError: 0.4 }],
    ['a site is lost and its stock is counted', { loss: 1, processing: 0.4, resubmit: 0.5 }],
    ['a site under a new id takes the count', { loss: 1, replacement: 1, resubmit: 0.5 }],
  ];
  test.each(disasters)('holds when %s', (_, faults) => {
    for (let seed = 101; seed <= 102; seed += 1)
      expect(
        complaints({ seed, sites: 3, faults: NO_FAULTS, shopFaults: { ...NO_SHOP_FAULTS, ...faults } }),
      ).toEqual([]);
  });

  test('goes on at the last of two sites, comparisons and all', () => {
    for (let seed = 1; seed <= 2; seed += 1)
      expect(
        complaints({
          seed,
          sites: 2,
          faults: { ...NO_FAULTS, compare: 4 },
          shopFaults: { ...NO_SHOP_FAULTS, loss: 1 },
        }),
      ).toEqual([]);
  });

  test('repeats itself effect by effect, watched or not', () => {
    const { hash } = runShopSchedule({ seed: 7 });
    expect(runShopSchedule({ seed: 7, watchedKey: 'order:o1' }).hash).toBe(hash);
    expect(runShopSchedule({ seed: 8 }).hash).not.toBe(hash);
  });
});

describe('mutants of the shop', () => {
  test('have names of their own', () => {
    expect(new Set(shopMutants.map(({ name }) => name)).size).toBe(shopMutants.length);
  });

  describeMutants({
    workload: 'shop',
    mutants: shopMutants,
    killed: [
      ['a site gives what it has not got', '5 stock'],
      ['a paid order is sold wherever it is held', '5 stock'],
      ['a void does not believe a charge', '6 payment'],
      ['a creation takes away what was done elsewhere', '6 payment'],
      ['a rejection outranks what another site has reserved', '7 orders'],
      ['what is little is asked back at once', '7 orders'],
    ],
    count: 80,
  });
});
