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
 * - The first answer under a key is repeated, errors with a 5xx status included. An error that is *repeated* is the answer that all
 *   callers get or have got, so nobody knows what it may have made: `PaymentKeySpentError`, and the order goes on under its next
 *   key (`spentKeys`), as does everybody else. An error that comes for the first time says nothing (`AmbiguousError`).
 * - An object without a claim is not given out by `lookup`: it was made under a spent key, or its creation is not over.
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
  /** Set by the first caller of `create`: the site whose stock backs the charge. Empty while nobody's claim has arrived. */
  readonly claim: string;
  /** What the customer has to do before an open payment can be charged. */
  readonly action?: PaymentAction;
}

export type PaymentAction =
  /** Send the customer there: PayPal's page, or that of 3-D Secure. */
  | { readonly kind: 'redirect'; readonly url: string }
  /** The provider's script in the browser goes on with it: Stripe's `client_secret`. */
  | { readonly kind: 'client'; readonly secret: string };

export interface PaymentRequest {
  /** One per order. */
  readonly key: string;
  /** In the currency's smallest unit. */
  readonly amountMinor: number;
  /** ISO 4217. */
  readonly currency: string;
  /** A site's id: letters, digits and dashes. */
  readonly claim: string;
  /** How many keys of this order are spent, none unless it is said; `key` stays what `lookup` finds it by. */
  readonly spentKeys?: number;
}

/** Every call throws `UnavailableError`, or `AmbiguousError` for a time-out. */
export interface PaymentProvider {
  /** @throws PaymentKeySpentError */
  create(request: PaymentRequest): Promise<Payment>;
  /**
   * Charges an open payment; a final one is answered as it is.
   * @param method What is charged, as the provider's own form gave it to the browser; without it the customer is asked
   *   (`action`). It is none of what a payment is created with: sites may know of different ones.
   */
  confirm(id: string, method?: string): Promise<Payment>;
  /** Cancels an open or declined payment; one that is final or under way is answered as it is. */
  cancel(id: string): Promise<Payment>;
  /** The payment that was ever created under a key. */
  lookup(key: string): Promise<Payment | undefined>;
}

export interface RefundRequest {
  /** The provider's name for the payment. */
  readonly paymentId: string;
  /** Of the currency's smallest unit; a part of what was paid, or all. */
  readonly amountMinor: number;
  /** That it was paid in. */
  readonly currency: string;
  /** One per refund: what has the same one is paid back once, whenever it is tried again. */
  readonly key: string;
}

export interface Refund {
  readonly id: string;
  readonly amountMinor: number;
  readonly currency: string;
  /** `failed`: the customer's bank has sent it back. */
  readonly status: 'done' | 'pending' | 'failed';
}

/**
 * What a webhook is about. It comes more than once, late and in any order, and maybe never: it is a reason to read the payment,
 * and no more than that.
 */
export interface PaymentEvent {
  /** The same in every delivery of it. */
  readonly id: string;
  readonly kind: 'charged' | 'declined' | 'cancelled' | 'refunded' | 'disputed' | 'action' | 'other';
  /** The provider's names, for a log. */
  readonly type: string;
  /** Where the event names it. */
  readonly paymentId: string | null;
  /** Of the payment, as it was created with; where the event names it. */
  readonly key: string | null;
  /** Epoch milliseconds, of the provider's clock. */
  readonly atMs: number;
}

export type WebhookReading =
  | { readonly event: PaymentEvent }
  /** `unsigned`: no signature; `forged`: one that does not hold; `stale`: signed too long ago; `malformed`: no event. */
  | { readonly refusal: 'unsigned' | 'forged' | 'stale' | 'malformed' | 'too_large' };

/** A movement of the account's balance at the provider. */
export interface BalanceEntry {
  /** The provider's own, once for all time. */
  readonly id: string;
  readonly kind: 'charge' | 'refund' | 'dispute' | 'payout' | 'fee' | 'other';
  /** Signed: above 0 is for us. Before the fee. */
  readonly amountMinor: number;
  /** What the provider keeps for it. */
  readonly feeMinor: number;
  /** Of the balance. */
  readonly currency: string;
  /** Of the payment that it belongs to; null for a payout, or where it is none of ours. */
  readonly key: string | null;
  readonly atMs: number;
}

export interface Balance {
  /** From the oldest to the newest. */
  readonly entries: readonly BalanceEntry[];
  /** Until then nothing is missing; the provider may show later what has happened after it. */
  readonly completeUntilMs: number;
}

/** The whole of a provider: what orders ask of it, and what a shop needs beside. Errors as above. */
export interface PaymentGateway extends PaymentProvider {
  readonly name: 'stripe' | 'paypal';
  /** As it is now, at the provider. */
  read(id: string): Promise<Payment>;
  /** @throws RefundRefusedError */
  refund(request: RefundRequest): Promise<Refund>;
  /**
   * @param headers Lower-case names.
   * @param rawBody The bytes as they came, as text: a signature is over them.
   * @throws UnavailableError where the provider itself has to check it: let it come again.
   */
  readWebhook(
    headers: Readonly<Record<string, string | undefined>>,
    rawBody: string,
  ): Promise<WebhookReading>;
  /**
   * What has moved from one moment to before another.
   * @param most Movements that are taken; 10,000 unless it is said.
   * @throws TooLargeError when there are more: ask for less time.
   */
  list(fromMs: number, toMs: number, most?: number): Promise<Balance>;
}
