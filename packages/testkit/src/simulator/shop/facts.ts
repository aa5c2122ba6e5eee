/** Rows, orders and products as the checkers read them: plain data, by their own rules. */
import type { StoredRecord } from '@tandem-clouds/replication/record';

export type Units = Readonly<Record<string, number>>;

/** An escrow row. */
export interface RowFact {
  readonly sku: string;
  readonly site: string;
  readonly sequence: number;
  readonly receipts: Units;
  readonly recovered: Units;
  readonly writtenOff: number;
  readonly sold: number;
  readonly holds: Units;
  readonly given: Units;
  readonly taken: Units;
  readonly asked: Units;
  readonly fenced: Readonly<Record<string, string>>;
}

export interface LineFact {
  readonly sku: string;
  readonly units: number;
  readonly priceMinor: number;
}

export interface OrderFact {
  readonly orderId: string;
  readonly createdAt: string;
  readonly lines: readonly LineFact[];
  readonly currency: string;
  readonly status: string;
  readonly reason: string | undefined;
  readonly failedSku: string | undefined;
  readonly stockSite: string | undefined;
  readonly paidFrom: string | undefined;
  /** Refund → what was asked back. */
  readonly refunds: Units;
}

/** What a client has asked for. */
export interface Ordered {
  readonly orderId: string;
  readonly bornMs: number;
  readonly lines: readonly LineFact[];
  readonly currency: string;
  readonly method: string | undefined;
}

/** From the least to the greatest: of two states of one order the later one in here stands. */
export const RANKS = [
  'reserving',
  'rejected',
  'reserved',
  'paying',
  'cancelling',
  'expired',
  'cancelled',
  'paid',
  'fulfilled',
  'refunded',
] as const;

/** State → those that may be written over it. */
export const NEXT: Readonly<Record<string, readonly string[]>> = {
  reserving: ['rejected', 'reserved', 'paying', 'cancelling'],
  rejected: ['paid'],
  reserved: ['paying', 'cancelling'],
  paying: ['cancelling', 'cancelled', 'paid'],
  cancelling: ['expired', 'cancelled', 'paid'],
  paid: ['fulfilled', 'refunded'],
  fulfilled: ['refunded'],
};

export const OVER: ReadonlySet<string> = new Set([
  'rejected',
  'expired',
  'cancelled',
  'paid',
  'fulfilled',
  'refunded',
]);
export const PAID: ReadonlySet<string> = new Set(['paid', 'fulfilled', 'refunded']);

export const sum = (units: Units): number => Object.values(units).reduce((total, each) => total + each, 0);

export const rankOf = (order: OrderFact | undefined): number =>
  order === undefined ? -1 : RANKS.indexOf(order.status as (typeof RANKS)[number]);

/** Article → units of lines. */
export function unitsOf(lines: readonly LineFact[]): ReadonlyMap<string, number> {
  const units = new Map<string, number>();
  for (const line of lines) units.set(line.sku, (units.get(line.sku) ?? 0) + line.units);
  return units;
}

export const totalOf = (lines: readonly LineFact[]): number =>
  lines.reduce((total, { units, priceMinor }) => total + units * priceMinor, 0);

export function rowFact(record: StoredRecord | undefined): RowFact | undefined {
  const value = reader(record);
  const [sku, site] = [value('sku'), value('site')];
  if (typeof sku !== 'string' || typeof site !== 'string') return undefined;
  const units = (field: string): Units => (value(field) ?? {}) as Units;
  const count = (field: string): number => (value(field) ?? 0) as number;
  return {
    sku,
    site,
    sequence: count('sequence'),
    receipts: units('receipts'),
    recovered: units('recovered'),
    writtenOff: count('writtenOff'),
    sold: count('sold'),
    holds: units('holds'),
    given: units('given'),
    taken: units('taken'),
    asked: units('asked'),
    fenced: (value('fenced') ?? {}) as Record<string, string>,
  };
}

export function orderFact(record: StoredRecord | undefined): OrderFact | undefined {
  const value = reader(record);
  if (record?.key.startsWith('order:') !== true) return undefined;
  const text = (field: string): string | undefined => (value(field) ?? undefined) as string | undefined;
  const refunds = Object.entries(record.state.fields).flatMap(([name, [, units]]) =>
    name.startsWith('refunds/') && typeof units === 'number'
      ? [[name.slice('refunds/'.length), units] as const]
      : [],
  );
  return {
    orderId: record.key.slice('order:'.length),
    createdAt: text('createdAt') ?? '',
    lines: (value('lines') ?? []) as LineFact[],
    currency: text('currency') ?? '',
    status: text('status') ?? 'reserving',
    reason: text('reason'),
    failedSku: text('failedSku'),
    stockSite: text('stockSite'),
    paidFrom: text('paidFrom'),
    refunds: Object.fromEntries(refunds),
  };
}

/** What a product costs by a record of it. */
export function priceFact(record: StoredRecord | undefined): number | undefined {
  return reader(record)('priceMinor') as number | undefined;
}

function reader(record: StoredRecord | undefined): (field: string) => unknown {
  return (field) => record?.state.fields[field]?.[1];
}

/** What a site may still promise. */
export function free(row: RowFact): number {
  const incoming = sum(row.receipts) + sum(row.recovered) + sum(row.taken);
  return incoming - sum(row.given) - row.writtenOff - row.sold - sum(row.holds);
}

/** Given by one site to another, and not taken there yet. */
export function underWay(from: RowFact | undefined, to: RowFact | undefined): number {
  if (from === undefined) return 0;
  const site = to?.site;
  return site === undefined ? 0 : Math.max(0, (from.given[site] ?? 0) - (to?.taken[from.site] ?? 0));
}
