/**
 * The payment provider as the arbiter of an order: one payment object under one idempotency key per order, which is
 * charged or cancelled once and never changes again. Two sites that both believe to own an order ask the same object.
 *
 * What an adapter must give (written so that Stripe's PaymentIntents can):
 * - `create` under one key makes one object while the provider remembers the key, whoever calls and however often.
 *   The first caller's `claim` stays; every later caller is given the object with that claim. Stripe refuses other
 *   parameters under a known key, so the claim is not one of them: create with the same parameters for all, then set
 *   it by an update under a second key derived from the first, and read it back when that update is refused.
 * - Keys are forgotten after 24 hours at the earliest; then `create` would make a second object. `bounds.ts` ends all
 *   creation long before. `lookup` needs no key memory, but may miss an object that is less than an hour old.
 * - The first answer under a key is repeated, errors with a 5xx status included: `create` may fail for as long as the
 *   key is remembered, although the object exists.
 * - A time-out says nothing (`AmbiguousError`): the call may have taken effect, or may still.
 *
 * @see https://docs.stripe.com/api/idempotent_requests
 * @see https://docs.stripe.com/api/payment_intents/cancel
 * @see https://docs.stripe.com/search#data-freshness
 */
export type PaymentStatus =
  /** Nothing has been charged yet. */
  | 'open'
  /** The last attempt was refused, nothing has been charged; another attempt is possible. */
  | 'declined'
  /** Under way: neither charged nor to be cancelled now. */
  | 'processing'
  /** Final. */
  | 'charged'
  /** Final: nothing was charged, and nothing ever will be. */
  | 'cancelled';

export interface Payment {
  /** The provider's name for the object. */
  readonly id: string;
  readonly status: PaymentStatus;
  /** Set by the first caller of `create`: the site whose stock backs the charge. */
  readonly claim: string;
}

export interface PaymentRequest {
  /** One per order. */
  readonly key: string;
  /** In the currency's smallest unit. */
  readonly amountMinor: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly claim: string;
}

/** Every call throws `UnavailableError`, or `AmbiguousError` for a time-out. */
export interface PaymentProvider {
  create(request: PaymentRequest): Promise<Payment>;
  /** Charges an open payment; a final one is answered as it is. */
  confirm(id: string): Promise<Payment>;
  /** Cancels an open or declined payment; one that is final or under way is answered as it is. */
  cancel(id: string): Promise<Payment>;
  /** The payment that was ever created under a key. */
  lookup(key: string): Promise<Payment | undefined>;
}
