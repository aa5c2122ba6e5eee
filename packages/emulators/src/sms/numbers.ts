/**
 * Numbers of phones, and those that behave in a way of their own. They are in a range that is nobody's.
 * @see https://www.itu.int/rec/T-REC-E.164
 * @see https://www.twilio.com/docs/iam/test-credentials (whose test numbers mean the same)
 */

/** A plus, a country code, 15 digits at most. */
const E164 = /^\+[1-9]\d{6,14}$/;

export function isE164(number: string): boolean {
  return E164.test(number);
}

/** Is no number that anybody has. */
export const NOBODY = '+15005550001';
/** Has answered STOP. */
export const OPTED_OUT = '+15005550004';

/** Who has opted out; the answers STOP and START of the others are ordered here. */
export class OptOuts {
  readonly #numbers = new Set([OPTED_OUT]);

  all(): readonly string[] {
    return [...this.#numbers];
  }

  has(number: string): boolean {
    return this.#numbers.has(number);
  }

  stop(number: string): void {
    this.#numbers.add(number);
  }

  start(number: string): void {
    this.#numbers.delete(number);
  }
}
