/**
 * The search for transactions, which is behind by hours.
 * @see https://developer.paypal.com/docs/api/transaction-search/v1/
 */
import type { Account } from './account.ts';
import { badRequest, PayPalError } from './errors.ts';
import { movementShape } from './shapes.ts';
import { iso } from './time.ts';

/** "It takes a maximum of three hours for executed transactions to appear in the list transactions call." */
export const REPORT_LAG_MS = 3 * 3_600_000;
const RANGE_MAX_MS = 31 * 86_400_000;
const PAGE_MAX = 500;
const PAGE_DEFAULT = 100;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})$/;

export function listTransactions(account: Account, query: URLSearchParams, lagMs: number): unknown {
  const [fromMs, toMs] = [timeOf(query, 'start_date'), timeOf(query, 'end_date')];
  if (toMs < fromMs || toMs - fromMs > RANGE_MAX_MS)
    throw new PayPalError(400, [
      {
        issue: 'Date range is greater than 31 days',
        description: 'The maximum supported range is 31 days.',
        field: 'end_date',
      },
    ]);
  const size = whole(query, 'page_size', { otherwise: PAGE_DEFAULT, max: PAGE_MAX });
  const page = whole(query, 'page', { otherwise: 1, max: 2_147_483_647 });
  const refreshedMs = account.now() - lagMs;
  const found = account
    .all('movements')
    .filter(({ atMs }) => atMs <= refreshedMs && atMs >= fromMs && atMs <= toMs);
  return {
    transaction_details: found.slice((page - 1) * size, page * size).map(movementShape),
    start_date: iso(fromMs),
    end_date: iso(toMs),
    last_refreshed_datetime: iso(refreshedMs),
    page,
    total_items: found.length,
    total_pages: Math.ceil(found.length / size),
    links: [],
  };
}

function timeOf(query: URLSearchParams, name: string): number {
  const value = query.get(name) ?? '';
  if (value === '') throw badRequest('MISSING_REQUIRED_PARAMETER', name);
  if (!TIME.test(value)) throw badRequest('INVALID_PARAMETER_SYNTAX', name);
  return Date.parse(value);
}

function whole(
  query: URLSearchParams,
  name: string,
  { otherwise, max }: { otherwise: number; max: number },
): number {
  const value = Number(query.get(name) ?? otherwise);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw badRequest('INVALID_PARAMETER_VALUE', name);
}
