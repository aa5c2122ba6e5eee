/**
 * When a record was born: from the key of the request that creates it, so that every site that is asked for it agrees.
 *
 * A site that has not heard of an order cannot know that another site charged it a day ago; and then the provider has
 * forgotten the key that would stop a second charge. So the age of an order must not begin anew where a client tries
 * again, and an order's key must say when it was made: a UUID of version 7 (RFC 9562, section 5.7). An entity asks for the
 * same by `ids`.
 */
import { clockAheadMaxMs } from '@tandem-clouds/replication/bounds';
import { chargeWithinMs } from '../bounds.ts';
import { InvalidError } from '../errors.ts';

/** It carries the milliseconds at which it was made in its first 48 bits. The contract has it, too: no flags. */
export const UUID_7_PATTERN =
  '[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-7[0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}';
const UUID_7 = new RegExp(`^${UUID_7_PATTERN}$`);

const HEADER = '/headers/idempotency-key';
const HOUR_MS = 3_600_000;

/** Epoch milliseconds in a key that is a UUID of version 7; undefined: it carries no time. */
export function madeMsOf(key: string): number | undefined {
  return UUID_7.test(key) ? Number.parseInt(key.slice(0, 8) + key.slice(9, 13), 16) : undefined;
}

/** Epoch milliseconds in the idempotency key of a creation. @throws InvalidError when it is not a UUID of version 7. */
export function bornMsOf(idempotencyKey: string): number {
  return requireBirth(madeMsOf(idempotencyKey));
}

/** @param madeMs When the key was made, where it says so. @throws InvalidError when it does not */
export function requireBirth(madeMs: number | undefined): number {
  if (madeMs !== undefined) return madeMs;
  throw refused('uuid', 'the Idempotency-Key of this creation must be a UUID of version 7');
}

/** What a creation without a key is answered. */
export function keyMissing(): InvalidError {
  return refused(
    'required',
    'this creation needs an Idempotency-Key: a UUID of version 7, made when it is first sent',
  );
}

/**
 * @param withinMs How old a key may be; for an order as long as it can be charged.
 * @throws InvalidError when the key is too old, or lies in the future.
 */
export function checkBirth(bornMs: number, nowMs: number, withinMs = chargeWithinMs): void {
  if (nowMs - bornMs >= withinMs)
    throw refused('age', `the Idempotency-Key was made more than ${timeText(withinMs)} ago: send a new one`);
  if (bornMs - nowMs > clockAheadMaxMs)
    throw refused('future', 'the Idempotency-Key was made in the future: check the clock that it comes from');
}

function timeText(ms: number): string {
  return ms % HOUR_MS === 0 ? `${ms / HOUR_MS} hours` : `${ms / 1_000} seconds`;
}

function refused(rule: string, detail: string): InvalidError {
  return new InvalidError(detail, [{ pointer: HEADER, detail, rule }]);
}
