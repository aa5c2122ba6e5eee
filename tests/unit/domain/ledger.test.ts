import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  balance,
  csvOf,
  type LedgerLine,
  linesOf,
  unbalanced,
} from '../../../src/shared/domain/ledger/ledger.ts';
import { type Difference, reconcile } from '../../../src/shared/domain/ledger/reconcile.ts';
import type { BalanceEntry } from '../../../src/shared/ports/payment-provider.ts';

const START_MS = Date.parse('2026-06-01T00:00:00Z');
const window = { provider: 'stripe', fromMs: START_MS, untilMs: START_MS + 86_400_000 } as const;

const charge: BalanceEntry = {
  id: 'txn_1',
  kind: 'charge',
  amountMinor: 1_000,
  feeMinor: 59,
  currency: 'EUR',
  key: 'order-1',
  atMs: START_MS,
};

const anEntry = fc.record({
  id: fc.integer({ min: 0, max: 30 }).map((n) => `txn_${n}`),
  kind: fc.constantFrom('charge', 'refund', 'dispute', 'payout', 'fee', 'other'),
  amountMinor: fc.integer({ min: -1e9, max: 1e9 }).filter((n) => n !== 0),
  feeMinor: fc.integer({ min: 0, max: 5_000 }),
  currency: fc.constantFrom('EUR', 'JPY', 'KWD'),
  key: fc.option(fc.integer({ min: 0, max: 1_000_000 }).map((n) => `order-${n}`)),
  atMs: fc.integer({ min: START_MS, max: START_MS + 86_399_999 }),
}) satisfies fc.Arbitrary<BalanceEntry>;
/** Each once, and one charge an order at most. */
const entries = fc
  .uniqueArray(anEntry, { selector: ({ id }) => id, maxLength: 20 })
  .map((all) =>
    all.map((entry, at) => ({ ...entry, key: entry.key === null ? null : `${entry.key}-${at}` })),
  );

const books = (all: readonly BalanceEntry[]): readonly LedgerLine[] =>
  all.flatMap((entry) => linesOf('stripe', entry));

describe('the ledger', () => {
  test('has two sides of each movement, and the fee beside them', () => {
    expect(linesOf('stripe', charge).map(({ account, amountMinor }) => [account, amountMinor])).toEqual([
      ['provider', 941],
      ['sales', -1_000],
      ['fees', 59],
    ]);
  });

  test('adds up to zero in each currency, and to what the provider holds', () => {
    fc.assert(
      fc.property(entries, (all) => {
        const lines = books(all);
        expect(unbalanced(lines)).toEqual([]);
        for (const [currency, accounts] of Object.entries(balance(lines))) {
          expect(Object.values(accounts).reduce((sum, one) => sum + one, 0)).toBe(0);
          const own = all.filter((entry) => entry.currency === currency);
          expect(accounts.provider ?? 0).toBe(
            own.reduce((sum, one) => sum + one.amountMinor - one.feeMinor, 0),
          );
        }
      }),
    );
  });

  test('refuses an amount that is not safe', () => {
    expect(() => linesOf('stripe', { ...charge, amountMinor: 2 ** 53 })).toThrow(RangeError);
  });

  test('says which movement does not add up', () => {
    const [first, ...rest] = linesOf('stripe', charge);
    expect(unbalanced(rest)).toEqual(['stripe/txn_1']);
    expect(unbalanced([{ ...first!, currency: 'USD' }, ...rest])).toEqual(['stripe/txn_1']);
  });

  test('is exported with quotes where they are needed', () => {
    const [line] = linesOf('stripe', { ...charge, key: 'a,"b"' });
    expect([...csvOf([line!])][1]).toBe(
      'stripe/txn_1/provider,stripe,txn_1,charge,"a,""b""",provider,941,EUR,2026-06-01T00:00:00.000Z\r\n',
    );
  });
});

describe('reconciliation', () => {
  test('finds nothing where both say the same, in any order', () => {
    fc.assert(
      fc.property(entries, (all) => {
        const lines = books(all.toReversed());
        expect(reconcile({ ...window, lines, entries: all })).toEqual([]);
      }),
    );
  });

  const line = linesOf('stripe', charge);
  const cases: readonly (readonly [
    string,
    { readonly lines?: readonly LedgerLine[]; readonly entries?: readonly BalanceEntry[] },
    readonly Partial<Difference>[],
  ])[] = [
    ['what is missing here', { lines: [] }, [{ kind: 'missing here', entryId: 'txn_1' }]],
    ['what is missing there', { entries: [] }, [{ kind: 'missing there', entryId: 'txn_1' }]],
    [
      'another amount, in both accounts that it is in',
      { entries: [{ ...charge, amountMinor: 900 }] },
      [
        { kind: 'other amount', account: 'provider', here: 941, there: 841 },
        { kind: 'other amount', account: 'sales', here: -1_000, there: -900 },
      ],
    ],
    [
      'a fee that is missing here',
      { lines: linesOf('stripe', { ...charge, feeMinor: 0 }) },
      [
        { kind: 'other amount', account: 'provider', here: 1_000, there: 941 },
        { kind: 'other amount', account: 'fees', here: 0, there: 59 },
      ],
    ],
    [
      'another currency',
      { entries: [{ ...charge, currency: 'USD' }] },
      [{ kind: 'other currency', here: 'EUR', there: 'USD' }],
    ],
    [
      'another order',
      { entries: [{ ...charge, key: null }] },
      [{ kind: 'other order', here: 'order-1', there: null }],
    ],
    ['what is doubled here', { lines: [...line, line[0]!] }, [{ kind: 'doubled', where: 'here', times: 2 }]],
    ['what is doubled there', { entries: [charge, charge] }, [{ kind: 'doubled', where: 'there', times: 2 }]],
    [
      'an order that was charged twice',
      { lines: books([charge, { ...charge, id: 'txn_2' }]), entries: [charge, { ...charge, id: 'txn_2' }] },
      [{ kind: 'charged twice', key: 'order-1', entryIds: ['txn_1', 'txn_2'] }],
    ],
  ];
  test.each(cases)('names %s', (_what, given, differences) => {
    const found = reconcile({ ...window, lines: line, entries: [charge], ...given });
    expect(found).toHaveLength(differences.length);
    expect(found).toMatchObject(differences);
  });

  test('names every movement that is left out or changed, and no other', () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.constantFrom('here', 'there', 'amount'), (all, pick, how) => {
        fc.pre(all.length > 0);
        const at = pick % all.length;
        const one = all[at]!;
        const rest = all.filter((_entry, index) => index !== at);
        const lines = books(how === 'here' ? rest : all);
        const listed =
          how === 'there' ? rest : how === 'amount' ? [...rest, { ...one, feeMinor: one.feeMinor + 1 }] : all;
        const found = reconcile({ ...window, lines, entries: listed });
        expect(found.length).toBeGreaterThan(0);
        for (const difference of found) expect(difference).toMatchObject({ entryId: one.id });
      }),
    );
  });

  test('leaves aside what is outside the time, and other providers', () => {
    const late = { ...charge, atMs: window.untilMs };
    expect(reconcile({ ...window, lines: linesOf('paypal', charge), entries: [late] })).toEqual([]);
  });
});
