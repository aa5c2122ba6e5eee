/**
 * The shop's books: double entry, append-only, in minor units of one currency a line.
 *
 * Invariants: the lines of one movement at the provider add up to zero; each is named by the provider's own id, so it is
 * written once whatever is repeated; a line that was written is never another. What is here is what the provider has moved,
 * not what we believe it should.
 */
import type { BalanceEntry, PaymentGateway } from '../../ports/payment-provider.ts';

export type Provider = PaymentGateway['name'];

export type LedgerAccount =
  /** What the provider holds for us. */
  | 'provider'
  | 'sales'
  | 'refunds'
  | 'disputes'
  | 'fees'
  /** What has been paid out. */
  | 'bank'
  /** What has no name here: for a person to look at. */
  | 'other';

export interface LedgerLine {
  /** Of the provider, its movement and the account: the same whenever the movement is seen. */
  readonly id: string;
  readonly provider: Provider;
  /** The provider's id of the movement. */
  readonly entryId: string;
  readonly kind: BalanceEntry['kind'];
  /** Key of the order's payment; null for what belongs to none. */
  readonly key: string | null;
  readonly account: LedgerAccount;
  /** Debit above 0, credit below. */
  readonly amountMinor: number;
  readonly currency: string;
  readonly atMs: number;
}

/** The other side of each movement. */
const ACCOUNTS: Readonly<Record<BalanceEntry['kind'], LedgerAccount>> = {
  charge: 'sales',
  refund: 'refunds',
  dispute: 'disputes',
  payout: 'bank',
  fee: 'fees',
  other: 'other',
};

/** The same whenever the movement is seen. */
export function lineIdOf({
  provider,
  entryId,
  account,
}: Pick<LedgerLine, 'provider' | 'entryId' | 'account'>): string {
  return `${provider}/${entryId}/${account}`;
}

/** The lines of one movement. @throws RangeError when an amount is not a safe whole number. */
export function linesOf(provider: Provider, entry: BalanceEntry): readonly LedgerLine[] {
  const { id: entryId, kind, key, currency, atMs, amountMinor, feeMinor } = entry;
  const amounts = new Map<LedgerAccount, number>();
  const add = (account: LedgerAccount, amount: number): void => {
    amounts.set(account, safe((amounts.get(account) ?? 0) + amount));
  };
  add('provider', safe(amountMinor) - safe(feeMinor));
  add(ACCOUNTS[kind], -amountMinor);
  add('fees', feeMinor);
  return [...amounts]
    .filter(([, amount]) => amount !== 0)
    .map(([account, amount]) => ({
      id: lineIdOf({ provider, entryId, account }),
      provider,
      entryId,
      kind,
      key,
      account,
      amountMinor: amount,
      currency,
      atMs,
    }));
}

/** By currency, then by account. */
export type Balances = Readonly<Record<string, Readonly<Partial<Record<LedgerAccount, number>>>>>;

/** What stands in each account, by currency. @throws RangeError when a sum is beyond the safe range. */
export function balance(lines: Iterable<LedgerLine>): Balances {
  const totals = new Map<string, Map<LedgerAccount, number>>();
  for (const { currency, account, amountMinor } of lines) {
    const accounts = totals.get(currency) ?? new Map<LedgerAccount, number>();
    totals.set(currency, accounts);
    accounts.set(account, safe((accounts.get(account) ?? 0) + amountMinor));
  }
  return Object.fromEntries(
    [...totals].map(([currency, accounts]) => [currency, Object.fromEntries(accounts)]),
  );
}

/** Movements whose lines do not add up to zero, or are in several currencies. */
export function unbalanced(lines: Iterable<LedgerLine>): readonly string[] {
  const sums = new Map<string, { sum: bigint; readonly currencies: Set<string> }>();
  for (const { provider, entryId, currency, amountMinor } of lines) {
    const name = `${provider}/${entryId}`;
    const one = sums.get(name) ?? { sum: 0n, currencies: new Set<string>() };
    sums.set(name, one);
    one.sum += BigInt(amountMinor);
    one.currencies.add(currency);
  }
  return [...sums]
    .filter(([, { sum, currencies }]) => sum !== 0n || currencies.size > 1)
    .map(([name]) => name);
}

const COLUMNS = [
  'id',
  'provider',
  'entryId',
  'kind',
  'key',
  'account',
  'amountMinor',
  'currency',
  'atMs',
] as const;

/** For other books: RFC 4180, a header first. Amounts stay minor units, times are in ISO 8601. */
export function* csvOf(lines: Iterable<LedgerLine>): Generator<string> {
  yield `${COLUMNS.join(',')}\r\n`;
  for (const line of lines) {
    const cells = COLUMNS.map((name) =>
      name === 'atMs' ? new Date(line.atMs).toISOString() : String(line[name] ?? ''),
    );
    yield `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\r\n`;
  }
}

function safe(amount: number): number {
  if (!Number.isSafeInteger(amount)) throw new RangeError(`${amount} is no safe number of minor units`);
  // No -0.
  return amount === 0 ? 0 : amount;
}
