/**
 * When an order was born: from its idempotency key, so that every site that is asked for it agrees.
 *
 * A site that has not heard of an order cannot know that another site charged it a day ago; and then the provider has
 * forgotten the key that would stop a second charge. So the age of an order must not begin anew where a client tries
 * again, and an order's key must say when it was made: a UUID of version 7 (RFC 9562, section 5.7).
 */
import { clockAheadMaxMs } from '@tandem-clouds/replication/bounds';
import { chargeWithinMs } from '../../bounds.ts';
import { InvalidError } from '../../errors.ts';

const UUID_7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** Epoch milliseconds in an order's idempotency key. @throws InvalidError when it is not a UUID of version 7. */
export function bornMsOf(idempotencyKey: string): number {
  const [, high, low] = UUID_7.exec(idempotencyKey) ?? [];
  if (high === undefined || low === undefined)
    throw refused('uuid', 'the Idempotency-Key of an order must be a UUID of version 7');
  return Number.parseInt(high + low, 16);
}

/** @throws InvalidError when an order can no longer be charged, or lies in the future. */
export function checkBirth(bornMs: number, nowMs: number): void {
  if (nowMs - bornMs >= chargeWithinMs)
    throw refused('age', 'the Idempotency-Key was made more than 20 hours ago: order again with a new one');
  if (bornMs - nowMs > clockAheadMaxMs)
    throw refused('future', 'the Idempotency-Key was made in the future: check the clock that it comes from');
}

function refused(rule: string, detail: string): InvalidError {
  return new InvalidError(detail, [{ pointer: '', detail, rule }]);
}
