/** What the sites have to sell, from the rows that each of them writes. Pure. */
import {
  available,
  emptyRow,
  type EscrowRow,
  total,
  underWay,
} from '../../../../src/shared/domain/escrow/row.ts';
import type { RecordValues } from './versions.ts';

export interface Share {
  readonly site: string;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  /** Given to it by other sites, and not taken yet. */
  readonly underWay: number;
  /** What it was given to sell, and has not given on: the whole bar. */
  readonly quota: number;
}

export interface Article {
  readonly sku: string;
  readonly available: number;
  readonly shares: readonly Share[];
}

/** @param records Of the entity `stock`, of any number of articles. */
export function articlesOf(records: readonly RecordValues[]): readonly Article[] {
  const rows = records.flatMap(rowOf);
  const skus = [...new Set(rows.map(({ sku }) => sku))].sort();
  return skus.map((sku) => {
    const own = rows.filter((row) => row.sku === sku).sort((a, b) => (a.site < b.site ? -1 : 1));
    const shares = own.map((row): Share => {
      const units = { available: available(row), held: total(row.holds), sold: row.sold };
      return {
        site: row.site,
        ...units,
        underWay: own.reduce((sum, from) => sum + underWay(from, row), 0),
        quota: units.available + units.held + units.sold,
      };
    });
    return { sku, available: shares.reduce((sum, share) => sum + share.available, 0), shares };
  });
}

/** What an older release did not write is empty. */
function rowOf(record: RecordValues): readonly EscrowRow[] {
  const { sku, site } = record;
  if (typeof sku !== 'string' || typeof site !== 'string') return [];
  const empty = emptyRow(sku, site);
  const known = Object.entries(record).filter(([name]) => Object.hasOwn(empty, name));
  return [{ ...empty, ...Object.fromEntries(known) }];
}
