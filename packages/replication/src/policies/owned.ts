/**
 * Single-writer state: a state with a rank, such as a sequence or an epoch and a sequence. The higher rank wins, so a
 * writer that has been replaced cannot win by a later clock.
 */
import type { Json } from '../json.ts';
import type { FieldOperation } from './field.ts';

/**
 * Sets the state under a rank.
 * @param rank Text that sorts: numbers in it have a fixed width.
 * @throws RangeError when the rank is lower than the one it replaces: the caller has not looked who owns the state.
 */
export function owned(rank: string, value: Json): FieldOperation {
  return (parts, { stamp }) => {
    const held = parts.register?.[2] ?? '';
    if (rank < held) throw new RangeError(`rank ${rank} is lower than ${held}`);
    return { ...parts, register: [stamp, value, rank] };
  };
}
