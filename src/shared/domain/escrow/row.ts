/**
 * A site's share of the stock of one product (escrow: Balegas et al., "Extending Eventually Consistent Cloud Databases
 * for Enforcing Numeric Invariants", 2015).
 *
 * Invariant: a row is written only by the site that it names, so the row that a peer holds is an earlier version of
 * the owner's and never a rival: each field by its latest stamp is the row at its latest sequence.
 */
import { canonicalJson } from '@tandem-clouds/replication/canonical-json';
import type { Json } from '@tandem-clouds/replication/json';
import type { Changes } from '@tandem-clouds/replication/local-write';
import { plainValues, type StoredRecord } from '@tandem-clouds/replication/record';
import type { SiteId } from '@tandem-clouds/replication/stamp';

/** Name → whole units. */
export type Units = Readonly<Record<string, number>>;

/** All quantities are whole units, and all but `holds` and `asked` only ever grow. */
export interface EscrowRow {
  readonly sku: string;
  /** The only writer. */
  readonly site: SiteId;
  /** One more with every change. */
  readonly sequence: number;
  /** Goods-in book → all that was ever entered from it. */
  readonly receipts: Units;
  /** Lost site → what a count has found of its share. */
  readonly recovered: Units;
  /** What counts have found missing. */
  readonly writtenOff: number;
  readonly sold: number;
  /** Order id → units that wait for the order's end. */
  readonly holds: Units;
  /** When the holds are looked through for orders that are over, epoch milliseconds; 0: nothing is held. */
  readonly lookMs: number;
  /** Peer → all that was ever given to it, and taken from it. */
  readonly given: Units;
  readonly taken: Units;
  /** Peer → what its `given` to this site should reach: a cumulative target, so asking twice is asking once. */
  readonly asked: Units;
  /** Lost site → the one site that may enter its count. Nothing is given to it or taken from it any more. */
  readonly fenced: Readonly<Record<SiteId, SiteId>>;
}

/** A site's id never has a `~`. */
export function stockKey(sku: string, site: SiteId): string {
  return `stock:${sku}~${site}`;
}

export function emptyRow(sku: string, site: SiteId): EscrowRow {
  return {
    sku,
    site,
    sequence: 0,
    receipts: {},
    recovered: {},
    writtenOff: 0,
    sold: 0,
    holds: {},
    lookMs: 0,
    given: {},
    taken: {},
    asked: {},
    fenced: {},
  };
}

/** What the site may still promise: received + taken − given − written off − sold − held. */
export function available(row: EscrowRow): number {
  const incoming = total(row.receipts) + total(row.recovered) + total(row.taken);
  return incoming - total(row.given) - row.writtenOff - row.sold - total(row.holds);
}

export function total(units: Units): number {
  return Object.values(units).reduce((sum, each) => sum + each, 0);
}

/** What one site has given to another, which has not taken it yet. */
export function underWay(from: EscrowRow, to: EscrowRow): number {
  return Math.max(0, (from.given[to.site] ?? 0) - (to.taken[from.site] ?? 0));
}

/** What several sites together may promise: what they have, and what is on its way between them. */
export function unitsOfAll(rows: readonly EscrowRow[]): number {
  const moving = rows.flatMap((from) => rows.map((to) => underWay(from, to)));
  return [...rows.map(available), ...moving].reduce((sum, units) => sum + units, 0);
}

/** The row in a record; undefined when there is none. What an older release did not write is empty. */
export function rowOf(record: Pick<StoredRecord, 'state'> | undefined): EscrowRow | undefined {
  if (record === undefined) return undefined;
  const { sku, site, sequence, ...values } = plainValues(record.state);
  if (typeof sku !== 'string' || typeof site !== 'string' || typeof sequence !== 'number') return undefined;
  const empty = emptyRow(sku, site);
  const known = Object.entries(values).filter(([name]) => Object.hasOwn(empty, name));
  return { ...empty, sequence, ...Object.fromEntries(known) };
}

/** The change from one version of a row to the next, by what is in them: they may have been read at different times. */
export function rowChange(before: EscrowRow, after: EscrowRow): Changes {
  const isNew = before.sequence === 0;
  const entries = Object.entries(after) as [keyof EscrowRow, Json][];
  return Object.fromEntries(
    entries.filter(([name, value]) => isNew || canonicalJson(before[name]) !== canonicalJson(value)),
  );
}
