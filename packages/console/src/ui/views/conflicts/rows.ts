/** Conflicts as a list shows them, and which of them it shows. Pure. */
import type { ConflictView } from '@tandem-clouds/operator/operator-api';
import { short } from '../../format.ts';

/** Without the values, which may have 240 kB each: a list of thousands stays small. */
export interface ConflictRow {
  readonly id: string;
  readonly record: string;
  readonly field: string;
  readonly reason: string;
  readonly loser: Side;
  readonly winner: Side;
  /** Two writes of one value: a conflict too, but nothing for a person to decide. */
  readonly isEqual: boolean;
  readonly isOverridden: boolean;
}

interface Side {
  readonly site: string;
  readonly at: string;
  readonly text: string;
}

export function rowOf(view: ConflictView): ConflictRow {
  const { id, record, field, reason, loser, winner, override } = view;
  const side = ({ site, at, value }: ConflictView['loser']): Side => ({
    site,
    at,
    text: value === undefined ? 'see the record' : short(value),
  });
  return {
    id,
    record,
    field,
    reason,
    loser: side(loser),
    winner: side(winner),
    isEqual: JSON.stringify(loser.value) === JSON.stringify(winner.value),
    isOverridden: override !== undefined,
  };
}

export interface ConflictFilter {
  /** What the key, or the name of the field, has in it. */
  readonly record?: string | undefined;
  readonly field?: string | undefined;
  /** All of it. */
  readonly entity?: string | undefined;
  /** `shown`: those between equal values too. */
  readonly equal?: string | undefined;
  /** `open`: those that nobody has overridden. */
  readonly decided?: string | undefined;
}

export function isMeant(row: ConflictRow, filter: ConflictFilter): boolean {
  const { record = '', field = '', entity = '', equal, decided } = filter;
  const has = (text: string, part: string): boolean => text.toLowerCase().includes(part.toLowerCase());
  return (
    has(row.record, record) &&
    has(row.field, field) &&
    (entity === '' || row.record.startsWith(`${entity}:`)) &&
    (equal === 'shown' || !row.isEqual) &&
    (decided !== 'open' || !row.isOverridden)
  );
}

export function entitiesOf(rows: readonly ConflictRow[]): readonly string[] {
  return [...new Set(rows.map(({ record }) => record.slice(0, Math.max(0, record.indexOf(':')))))].sort();
}
