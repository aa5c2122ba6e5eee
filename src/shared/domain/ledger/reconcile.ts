/**
 * The books beside what the provider says of itself.
 *
 * Invariant: no difference between the two without a name, and no name without a difference.
 */
import type { BalanceEntry } from '../../ports/payment-provider.ts';
import { type LedgerLine, linesOf, type Provider } from './ledger.ts';

export type Difference =
  /** The provider has moved what was never written here. */
  | { readonly kind: 'missing here'; readonly entryId: string; readonly entry: BalanceEntry }
  /** It was written here, and the provider knows nothing of it. */
  | { readonly kind: 'missing there'; readonly entryId: string; readonly lines: readonly LedgerLine[] }
  /** `account`: which line; 0 for none. */
  | {
      readonly kind: 'other amount';
      readonly entryId: string;
      readonly account: string;
      readonly here: number;
      readonly there: number;
    }
  | {
      readonly kind: 'other currency';
      readonly entryId: string;
      readonly here: string;
      readonly there: string;
    }
  /** It belongs to another order, or to none. */
  | {
      readonly kind: 'other order';
      readonly entryId: string;
      readonly here: string | null;
      readonly there: string | null;
    }
  | {
      readonly kind: 'doubled';
      readonly entryId: string;
      readonly where: 'here' | 'there';
      readonly times: number;
    }
  /** Several charges at the provider for one order. */
  | { readonly kind: 'charged twice'; readonly key: string; readonly entryIds: readonly string[] };

export interface Books {
  readonly provider: Provider;
  /** Lines as they are stored; other providers' are left aside. */
  readonly lines: Iterable<LedgerLine>;
  /** What the provider lists. */
  readonly entries: readonly BalanceEntry[];
  /** Both sides count from here to before there: until the provider's list is complete. Epoch milliseconds. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Every difference, in the order of the provider's ids. */
export function reconcile({ provider, lines, entries, fromMs, untilMs }: Books): readonly Difference[] {
  const isInTime = ({ atMs }: { readonly atMs: number }): boolean => atMs >= fromMs && atMs < untilMs;
  const here = Map.groupBy(
    [...lines].filter((line) => line.provider === provider && isInTime(line)),
    ({ entryId }) => entryId,
  );
  const there = Map.groupBy(entries.filter(isInTime), ({ id }) => id);
  const ids = [...new Set([...here.keys(), ...there.keys()])].sort();
  const found = ids.flatMap((id) =>
    compare(provider, id, { lines: here.get(id) ?? [], entries: there.get(id) ?? [] }),
  );
  return [...found, ...chargedTwice([...there.values()].flatMap(([entry]) => entry ?? []))];
}

function compare(
  provider: Provider,
  entryId: string,
  { lines, entries }: { readonly lines: readonly LedgerLine[]; readonly entries: readonly BalanceEntry[] },
): readonly Difference[] {
  const [entry] = entries;
  if (entry === undefined) return [{ kind: 'missing there', entryId, lines }];
  const doubled: Difference[] =
    entries.length > 1 ? [{ kind: 'doubled', entryId, where: 'there', times: entries.length }] : [];
  if (lines.length === 0) return [{ kind: 'missing here', entryId, entry }, ...doubled];
  const byAccount = Map.groupBy(lines, ({ account }) => account);
  const times = Math.max(...[...byAccount.values()].map((same) => same.length));
  if (times > 1) doubled.push({ kind: 'doubled', entryId, where: 'here', times });
  return [
    ...doubled,
    ...currencies(entryId, lines, entry),
    ...orders(entryId, lines, entry),
    ...amounts(provider, byAccount, entry),
  ];
}

function currencies(
  entryId: string,
  lines: readonly LedgerLine[],
  entry: BalanceEntry,
): readonly Difference[] {
  const others = new Set(
    lines.map(({ currency }) => currency).filter((currency) => currency !== entry.currency),
  );
  return [...others].map((here) => ({ kind: 'other currency', entryId, here, there: entry.currency }));
}

function orders(entryId: string, lines: readonly LedgerLine[], entry: BalanceEntry): readonly Difference[] {
  const others = new Set(lines.map(({ key }) => key).filter((key) => key !== entry.key));
  return [...others].map((here) => ({ kind: 'other order', entryId, here, there: entry.key }));
}

/** Account by account, whatever kind the movement was taken for here. */
function amounts(
  provider: Provider,
  byAccount: ReadonlyMap<string, readonly LedgerLine[]>,
  entry: BalanceEntry,
): readonly Difference[] {
  const expected = new Map(
    linesOf(provider, entry).map(({ account, amountMinor }) => [account as string, amountMinor]),
  );
  const accounts = new Set([...byAccount.keys(), ...expected.keys()]);
  return [...accounts].flatMap((account): Difference[] => {
    const [here, there] = [byAccount.get(account)?.[0]?.amountMinor ?? 0, expected.get(account) ?? 0];
    return here === there ? [] : [{ kind: 'other amount', entryId: entry.id, account, here, there }];
  });
}

function chargedTwice(entries: readonly BalanceEntry[]): readonly Difference[] {
  const charges = entries.filter(({ kind, key }) => kind === 'charge' && key !== null);
  return [...Map.groupBy(charges, ({ key }) => key ?? '')]
    .filter(([, same]) => same.length > 1)
    .map(([key, same]) => ({ kind: 'charged twice', key, entryIds: same.map(({ id }) => id).sort() }));
}
