/** The order of the states of a record, as a number that others than its store can compare. */
import type { RecordState } from '@tandem-clouds/replication/record';
import { type Stamp, stampMs } from '@tandem-clouds/replication/stamp';

/** Lives of a key rank before everything; the sum of a life's stamps has at most so many digits, of however many sites. */
const LIFE_DIGITS = 24;

/**
 * A number that grows with every state that follows another at a site: the sum of its version vector, for each component
 * only grows. States of two sites that are not comparable come to two numbers, and what they merge to has a greater one.
 * The newest stamp alone would not do: a write that arrives late changes the record and is not its newest.
 */
export function versionOf({ vector, incarnation = 0 }: Pick<RecordState, 'vector' | 'incarnation'>): string {
  const sum = Object.values(vector).reduce((all, stamp) => all + numberOf(stamp), 0n);
  return String(BigInt(incarnation) * 10n ** BigInt(LIFE_DIGITS) + sum);
}

const COUNTER_DIGITS = 4;
const HEAD = 13;

/** Milliseconds and counter of a stamp as one whole number. */
function numberOf(stamp: Stamp): bigint {
  const counter = Number.parseInt(stamp.slice(HEAD - COUNTER_DIGITS, HEAD), 36);
  return BigInt(stampMs(stamp)) * BigInt(36 ** COUNTER_DIGITS) + BigInt(counter);
}
