/** Movements of a provider's balance as records, and the lines of the books in them. */
import type { Json } from '@tandem-clouds/replication/json';
import type { BalanceEntry } from '../../ports/payment-provider.ts';
import { type LedgerAccount, type LedgerLine, lineIdOf, linesOf, type Provider } from './ledger.ts';

export const providers = ['stripe', 'paypal'] as const satisfies readonly Provider[];
export const kinds = [
  'charge',
  'refund',
  'dispute',
  'payout',
  'fee',
  'other',
] as const satisfies readonly BalanceEntry['kind'][];
export const accounts = [
  'provider',
  'sales',
  'refunds',
  'disputes',
  'fees',
  'bank',
  'other',
] as const satisfies readonly LedgerAccount[];

/** The claim of a token that says in whose book its caller reads. */
export const BOOK_CLAIM = 'book';
/** The book of the shop. */
export const BOOK = 'ledger';

/** One for a movement, whichever site writes it and however often. */
export const movementIdOf = (provider: Provider, entryId: string): string => `${provider}~${entryId}`;

/** The fields of a new record. @throws RangeError when an amount is not a safe whole number. */
export function fieldsOf(provider: Provider, entry: BalanceEntry): Readonly<Record<string, Json>> {
  const { id: entryId, kind, key, currency, atMs } = entry;
  return {
    movementId: movementIdOf(provider, entryId),
    ...{ provider, entryId, kind, currency, atMs },
    ...(key !== null && { key }),
    lines: linesOf(provider, entry).map(({ account, amountMinor }) => ({ account, amountMinor })),
  };
}

/** A record, as it is read. */
export interface Movement {
  readonly provider: Provider;
  readonly entryId: string;
  readonly kind: BalanceEntry['kind'];
  readonly key?: string;
  readonly currency: string;
  readonly atMs: number;
  readonly lines: readonly { readonly account: LedgerAccount; readonly amountMinor: number }[];
}

/** The lines of a movement in the books. */
export function linesIn({ lines, key, ...rest }: Movement): readonly LedgerLine[] {
  const { provider, entryId, kind, currency, atMs } = rest;
  return lines.map(({ account, amountMinor }) => ({
    id: lineIdOf({ provider, entryId, account }),
    ...{ provider, entryId, kind, key: key ?? null, account, amountMinor, currency, atMs },
  }));
}
