/**
 * Lists in pages, newest first; search by an index that lags; objects named inside an answer, expanded.
 * @see https://docs.stripe.com/api/pagination
 * @see https://docs.stripe.com/search#search-query-language
 * @see https://docs.stripe.com/api/expanding_objects
 */
import type { Account } from './account.ts';
import { invalid, missing } from './errors.ts';
import { COLLECTIONS, type PaymentIntent } from './model.ts';
import type { Params } from './params.ts';

const EXPAND_DEPTH_MAX = 4;
const SEARCH_CLAUSES_MAX = 10;
const CLAUSE = /^(?:(status|currency)|metadata\[(?:'([^']*)'|"([^"]*)")\]):(?:'([^']*)'|"([^"]*)")$/;

interface Listed {
  readonly id: string;
  readonly created: number;
}

export interface Page {
  readonly object: 'list';
  readonly url: string;
  readonly has_more: boolean;
  readonly data: readonly unknown[];
}

/** @param filters Parameters that a field of each object must equal. */
export function listOf(
  account: Account,
  kind: keyof typeof COLLECTIONS,
  { params, filters = [] }: { readonly params: Params; readonly filters?: readonly string[] },
): Page {
  const limit = params.limit();
  const isInTime = params.created();
  const [after, before] = [params.text('starting_after'), params.text('ending_before')];
  if (after !== undefined && before !== undefined)
    throw invalid('You cannot parse both starting_after and ending_before in the same request.');
  const wanted = filters.map((name) => [name, params.text(name)] as const);
  const all = account
    .all<Listed & Readonly<Record<string, unknown>>>(kind)
    .filter(({ created }) => isInTime(created))
    .filter((one) => wanted.every(([name, value]) => value === undefined || one[name] === value));
  const at = (id: string): number => {
    const index = all.findIndex((one) => one.id === id);
    if (index === -1) throw missing(kind, id, after === undefined ? 'ending_before' : 'starting_after');
    return index;
  };
  const from =
    after !== undefined ? at(after) + 1 : before !== undefined ? Math.max(0, at(before) - limit) : 0;
  const to = before !== undefined ? at(before) : from + limit;
  const hasMore = before !== undefined ? from > 0 : to < all.length;
  return { object: 'list', url: `/v1/${COLLECTIONS[kind]}`, has_more: hasMore, data: all.slice(from, to) };
}

/** A version of an intent, and since when it has been. */
interface Version {
  readonly sinceMs: number;
  readonly intent: PaymentIntent;
}

/** What search knows of intents: what they were a while ago. */
export class SearchIndex {
  readonly #versions = new Map<string, Version[]>();
  readonly #lagMs: number;
  readonly #now: () => number;

  constructor(lagMs: number, now: () => number) {
    this.#lagMs = lagMs;
    this.#now = now;
  }

  /** Notes what has changed since the last time. */
  update(account: Account): void {
    const seenMs = this.#now() - this.#lagMs;
    for (const intent of account.documents.all<PaymentIntent>(COLLECTIONS.payment_intent)) {
      const versions = this.#versions.get(intent.id) ?? [];
      if (versions.at(-1)?.intent === intent) continue;
      versions.push({ sinceMs: this.#now(), intent });
      const newestSeen = versions.findLastIndex(({ sinceMs }) => sinceMs <= seenMs);
      this.#versions.set(intent.id, versions.slice(Math.max(0, newestSeen)));
    }
  }

  /** @throws StripeError for a query that is not understood. */
  search(params: Params): unknown {
    const matches = testOf(params.needed('query'));
    const limit = params.limit();
    const from = Number(params.text('page') ?? '0');
    if (!Number.isInteger(from) || from < 0) throw invalid('Invalid page.', { param: 'page' });
    const seenMs = this.#now() - this.#lagMs;
    const found = [...this.#versions.values()]
      .flatMap((versions) => versions.findLast(({ sinceMs }) => sinceMs <= seenMs)?.intent ?? [])
      .filter(matches)
      .toReversed();
    const hasMore = from + limit < found.length;
    return {
      object: 'search_result',
      url: '/v1/payment_intents/search',
      has_more: hasMore,
      next_page: hasMore ? String(from + limit) : null,
      data: found.slice(from, from + limit),
    };
  }
}

function testOf(query: string): (intent: PaymentIntent) => boolean {
  const clauses = query.split(/ AND /i).map((text) => {
    const [, field, single, double, value, other] = CLAUSE.exec(text.trim()) ?? [];
    const [key, wanted] = [single ?? double, value ?? other];
    if (wanted === undefined)
      throw invalid(`We were unable to parse your search query: ${query}`, { param: 'query' });
    return (intent: PaymentIntent): boolean =>
      (field === undefined ? intent.metadata[key ?? ''] : intent[field as 'status' | 'currency']) === wanted;
  });
  if (clauses.length > SEARCH_CLAUSES_MAX)
    throw invalid(`A query has at most ${SEARCH_CLAUSES_MAX} clauses.`, { param: 'query' });
  return (intent) => clauses.every((clause) => clause(intent));
}

const PREFIXES: Readonly<Record<string, keyof typeof COLLECTIONS>> = {
  pi: 'payment_intent',
  ch: 'charge',
  re: 'refund',
  du: 'dispute',
  po: 'payout',
  txn: 'balance_transaction',
};

/** Puts objects in the place of their ids. @throws StripeError for a path that cannot be expanded. */
export function expanded(account: Account, body: unknown, paths: readonly string[]): unknown {
  return paths.reduce((value, path) => {
    const names = path.split('.');
    if (names.length > EXPAND_DEPTH_MAX)
      throw invalid(`You cannot expand more than ${EXPAND_DEPTH_MAX} levels of a property.`, {
        param: 'expand',
      });
    return expand(account, value, names);
  }, body);
}

function expand(account: Account, value: unknown, names: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((one) => expand(account, one, names));
  if (value === null) return null;
  const [name, ...rest] = names;
  if (name === undefined) {
    const kind = typeof value === 'string' ? PREFIXES[value.replace(/_.*/, '')] : undefined;
    return kind === undefined ? value : (account.find(kind, value as string) ?? value);
  }
  const target = typeof value === 'string' ? expand(account, value, []) : value;
  if (typeof target !== 'object' || target === null || !Object.hasOwn(target, name))
    throw invalid(`This property cannot be expanded (${name}).`, { param: 'expand' });
  const record = target as Readonly<Record<string, unknown>>;
  return { ...record, [name]: expand(account, record[name], rest) };
}
