/**
 * Fields that were erased out of a record that has to stay: a value under a rank above all others.
 *
 * Invariant: what is written without having seen the erasure loses against it, whatever its stamp and rank, and nothing logs
 * it. Who has seen the erasure writes under its rank, so that stands, until the field is erased again, under a higher one.
 */
import type { Json } from '../json.ts';
import type { FieldOperation, Register } from './field.ts';

/** Behind every rank that a policy makes: those are digits and letters (ASCII). */
const MARK = '~';
const DIGITS = 6;
const RANK = /^~(\d{6})$/;

/** How often a register was erased. */
export function erasuresIn(register: Register | undefined): number {
  return Number(RANK.exec(register?.[2] ?? '')?.[1] ?? 0);
}

/** Leaves nothing of the field but a value that says nothing, or null. */
export function erase(value: Json = null): FieldOperation {
  return ({ register }, { stamp }) => {
    const rank = `${MARK}${String(erasuresIn(register) + 1).padStart(DIGITS, '0')}`;
    return { register: [stamp, value, rank] };
  };
}
