/**
 * What has happened, each of it once: an order that was placed, one that was charged, a refund, a sign-up.
 *
 * It is a record of the site that has heard of it, named by what it is about, so whoever notes it, and however often, it is one.
 * An index lists those of an hour in the order of their moments. The moment of an order or a sign-up is in the record itself and
 * the same at every site; where a merge moves it, this moves with it.
 */
import { canonicalJson } from '@tandem-clouds/replication/canonical-json';
import type { Json } from '@tandem-clouds/replication/json';
import type { Versioned } from '@tandem-clouds/replication/ports/store';
import { idOf, isDeleted, partsOf, plainValues, type StoredRecord } from '@tandem-clouds/replication/record';
import { HAPPENED } from '@tandem-clouds/replication/reserved';
import { type SiteId, stampSite } from '@tandem-clouds/replication/stamp';
import { digest } from '../../digest.ts';
import { madeMsOf } from '../birth.ts';
import type { DeclaredIndex } from '../indexes/declared-index.ts';
import { isPaid, type Order, totalMinor } from '../orders/order.ts';
import type { Refundable } from '../orders/payment.ts';
import { addTallies, NOTHING, type Tally } from './tally.ts';
import { hourOf, minuteStart } from './units.ts';

export type HappeningKind = 'placed' | 'paid' | 'refunded' | 'signUp';

export interface Happening {
  readonly kind: HappeningKind;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Where: of an order and a sign-up the site that was asked, of money the site that charged it. */
  readonly site: SiteId;
  readonly currency?: string;
  readonly amountMinor?: number;
}

/** By the hour, so that the entries of one value do not grow without end; in buckets, because the present hour gets them all. */
export const happenedIndex: DeclaredIndex = {
  id: `${HAPPENED}.byHour.1`,
  entity: HAPPENED,
  name: 'byHour',
  on: 'hour',
  onType: 'string',
  order: 'atMs',
  orderType: 'number',
  buckets: 4,
  folded: false,
  tenanted: false,
  slot: 1,
};

/** What tells several happenings of one kind and one record apart. */
export type Which = string;

/** What is told apart: of a record of that key. */
export interface Named {
  readonly key: string;
  readonly kind: HappeningKind;
  readonly which: Which;
}

export function happenedKey(site: SiteId, { key, kind, which }: Named): string {
  return `${HAPPENED}:${site}.${digest(JSON.stringify([kind, key, which]))}`;
}

/** Of an order as it is now. */
export function refundsIn(record: StoredRecord | undefined): readonly Which[] {
  return record === undefined ? [] : Object.keys(orderOf(record).refunded ?? {});
}

/** One of them, by the record as it is now; undefined: it has not happened, or is not counted any more. */
export function happeningOf(
  kind: HappeningKind,
  which: Which,
  record: StoredRecord | undefined,
): Happening | undefined {
  if (record === undefined || isDeleted(record.state)) return undefined;
  switch (kind) {
    case 'placed':
    case 'signUp':
      return createdIn(kind, record);
    case 'paid':
      return paidIn(orderOf(record));
    case 'refunded':
      return refundedIn(orderOf(record), which);
  }
}

/** At the site whose creation stands: two that were asked for the same make one record. */
function createdIn(kind: HappeningKind, { state }: StoredRecord): Happening | undefined {
  const [stamp, createdAt] = partsOf(state, 'createdAt').register ?? [];
  const atMs = typeof createdAt === 'string' ? Date.parse(createdAt) : NaN;
  return stamp === undefined || Number.isNaN(atMs) ? undefined : { kind, atMs, site: stampSite(stamp) };
}

interface CountedOrder extends Refundable {
  readonly paidFrom?: SiteId | undefined;
}

function orderOf({ key, state }: StoredRecord): CountedOrder {
  return { id: idOf(key), ...plainValues(state) } as unknown as CountedOrder;
}

function paidIn(order: CountedOrder): Happening | undefined {
  const { paidFrom: site, currency } = order;
  if (!isPaid(order) || site === undefined) return undefined;
  return { kind: 'paid', atMs: paidMs(order), site, currency, amountMinor: totalMinor(order) };
}

/** Orders that were paid before `paidAtMs` was written were charged soon after they began to be. */
function paidMs({ paidAtMs, payingSinceMs, createdAt }: Order): number {
  return paidAtMs ?? payingSinceMs ?? Date.parse(createdAt);
}

/** Counted once the provider has taken it, at the moment when it was asked for: that is in its id. */
function refundedIn(order: CountedOrder, which: Which): Happening | undefined {
  const { refunded = {}, paidFrom: site, currency } = order;
  const { status, amountMinor } = refunded[which] ?? {};
  if (site === undefined || (status !== 'done' && status !== 'pending')) return undefined;
  const atMs = madeMsOf(which) ?? paidMs(order);
  return { kind: 'refunded', atMs, site, currency, amountMinor: amountMinor ?? 0 };
}

/** A happening as a site keeps it. */
export interface Kept {
  readonly happening: Happening | undefined;
  /** Starts of all minutes that it has ever been in, epoch milliseconds: each of them is to be counted anew. */
  readonly minutes: readonly number[];
}

export function keptIn(held: Versioned | undefined): Kept {
  if (held === undefined) return { happening: undefined, minutes: [] };
  const { hour, minutes, ...happening } = plainValues(held.record.state);
  return {
    happening: hour === undefined ? undefined : (happening as unknown as Happening),
    minutes: (minutes ?? []) as number[],
  };
}

/** What is kept after it is as it is now; undefined: nothing changes. */
export function keptAfter(before: Kept, now: Happening | undefined): Kept | undefined {
  const text = (happening: Happening | undefined): string => canonicalJson({ ...happening });
  if (text(before.happening) === text(now)) return undefined;
  const minutes = new Set(before.minutes);
  if (now !== undefined) minutes.add(minuteStart(now.atMs));
  return { happening: now, minutes: [...minutes] };
}

/** What is not counted any more keeps its minutes, and is in no hour. */
export function keptJson({ happening, minutes }: Kept): Readonly<Record<string, Json>> {
  if (happening === undefined) return { minutes };
  return { ...(happening as unknown as Record<string, Json>), hour: hourOf(happening.atMs), minutes };
}

export function tallied(tally: Tally, { kind, site, currency = '', amountMinor = 0 }: Happening): Tally {
  const amounts = { [currency]: amountMinor };
  switch (kind) {
    case 'placed':
      return addTallies(tally, { [site]: { ...NOTHING, orders: 1 } });
    case 'signUp':
      return addTallies(tally, { [site]: { ...NOTHING, signUps: 1 } });
    case 'paid':
      return addTallies(tally, { [site]: { ...NOTHING, paid: 1, revenue: amounts } });
    case 'refunded':
      return addTallies(tally, { [site]: { ...NOTHING, refunded: amounts } });
  }
}
