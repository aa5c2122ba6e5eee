/** Last-write-wins register: the later stamp wins. (Shapiro et al., 2011, section 3.2.1.) */
import type { Json } from '../json.ts';
import { settled } from './counter.ts';
import type { FieldOperation } from './field.ts';

/**
 * Replaces all that the writer has seen of the field, whatever its policy was. A rank stays, or the write would lose
 * against what it replaces.
 */
export function write(value: Json): FieldOperation {
  return ({ register, counter }, { stamp }) => ({
    register: register?.[2] === undefined ? [stamp, value] : [stamp, value, register[2]],
    ...(counter !== undefined && { counter: settled(counter) }),
  });
}
