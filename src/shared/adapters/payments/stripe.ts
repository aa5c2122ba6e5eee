/**
 * Stripe as a payment provider: a PaymentIntent is the payment object of an order.
 *
 * Invariants: an intent is made with parameters that are the same for every caller, so that its key finds it; the claim is set
 * by a second call under a key of its own, which the first caller wins. What a key repeats is old, so a repeated answer is
 * read anew; a repeated failure of a creation is what everybody gets, so the key is spent. Nothing is ever confirmed or cancelled
 * by what an older answer said.
 * @see https://docs.stripe.com/api/idempotent_requests
 */
import Stripe from 'stripe';
import { TooLargeError } from '@tandem-clouds/replication/errors';
import { balanceEntriesMax, webhookBytesMax, webhookToleranceSeconds } from '../../bounds.ts';
import { checkMoney } from '../../money.ts';
import {
  PaymentKeySpentError,
  PaymentMismatchError,
  RefundRefusedError,
} from '../../ports/payment-errors.ts';
import type {
  Balance,
  Payment,
  PaymentGateway,
  PaymentRequest,
  Refund,
  RefundRequest,
  WebhookReading,
} from '../../ports/payment-provider.ts';
import { errorOf } from './stripe-errors.ts';
import { StripeHttp, type StripeHttpOptions } from './stripe-http.ts';
import {
  CLAIM,
  entryOf,
  eventOf,
  intentIdOf,
  ORDER,
  paymentOf,
  REFUND,
  refundOf,
  type Source,
  stripeAmount,
} from './stripe-shapes.ts';

const PAGE = 100;
const REPLAYED = 'idempotent-replayed';

export interface StripeOptions extends StripeHttpOptions {
  /** Of the endpoint that events are sent to: `whsec_…`. */
  readonly webhookSecret: () => Promise<string>;
  /** Where the customer is sent after another page has asked them; without it Stripe's script in the browser does that. */
  readonly returnUrl?: string | undefined;
  /** Of a server that is not Stripe's own: `http://127.0.0.1:12111`. */
  readonly endpoint?: string | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export class StripePayments implements PaymentGateway {
  readonly name = 'stripe';
  readonly #options: StripeOptions;
  readonly #stripe: Stripe;

  constructor(options: StripeOptions) {
    this.#options = options;
    this.#stripe = clientOf(options);
  }

  async create(request: PaymentRequest): Promise<Payment> {
    checkMoney(request);
    const { key, currency, claim, spentKeys = 0 } = request;
    const amount = stripeAmount(request);
    const idempotencyKey = spentKeys === 0 ? key : `${key}~${spentKeys}`;
    const id = await this.#create({ amount, currency, key }, idempotencyKey);
    const intent = await this.#claim(id, { idempotencyKey: `${idempotencyKey}-claim`, claim });
    if (
      intent.amount !== amount ||
      intent.currency !== currency.toLowerCase() ||
      intent.metadata[ORDER] !== key
    )
      throw new PaymentMismatchError(`${id} at Stripe is not what was asked for under its key`);
    return paymentOf(intent);
  }

  async confirm(id: string, method?: string): Promise<Payment> {
    const before = await this.#intent(id);
    // With an action, it is the customer's turn; without a method, there is nothing to charge.
    const isNew = before.status === 'requires_payment_method' && method !== undefined;
    if (before.status !== 'requires_confirmation' && !isNew) return paymentOf(before);
    const { returnUrl } = this.#options;
    const params = {
      ...(isNew && { payment_method: method }),
      ...(returnUrl !== undefined && { return_url: returnUrl }),
    };
    return await this.#change(id, () => this.#stripe.paymentIntents.confirm(id, params));
  }

  async cancel(id: string): Promise<Payment> {
    const before = paymentOf(await this.#intent(id));
    if (before.status !== 'open' && before.status !== 'declined') return before;
    return await this.#change(id, () => this.#stripe.paymentIntents.cancel(id));
  }

  /** What search finds is old, so only its id is used. Where a forgotten key has made two, the charged one counts. */
  async lookup(key: string): Promise<Payment | undefined> {
    const query = `metadata['${ORDER}']:'${key.replaceAll(/['\\]/g, '')}'`;
    const { data } = await call('read', () => this.#stripe.paymentIntents.search({ query, limit: 10 }));
    const all = await Promise.all(data.map(({ id }) => this.read(id)));
    const found = all.filter(({ claim }) => claim !== '');
    return found.find(({ status }) => status === 'charged') ?? found.at(-1);
  }

  async read(id: string): Promise<Payment> {
    return paymentOf(await this.#intent(id));
  }

  async refund(request: RefundRequest): Promise<Refund> {
    checkMoney(request);
    const { paymentId, key, currency } = request;
    const intent = await this.#intent(paymentId);
    if (intent.currency !== currency.toLowerCase())
      throw new RefundRefusedError(
        'currency',
        `${paymentId} was paid in ${intent.currency.toUpperCase()}, not in ${currency}`,
      );
    if (intent.status !== 'succeeded')
      throw new RefundRefusedError('not charged', `${paymentId} has not been charged`);
    const made = await this.#refunds(paymentId);
    // The key may be forgotten by now; the refund is not.
    const same = made.find(({ metadata }) => metadata?.[REFUND] === key);
    if (same !== undefined) return refundOf(same);
    const amount = stripeAmount(request);
    const back = made.filter(({ status }) => status !== 'failed' && status !== 'canceled');
    const left = intent.amount_received - back.reduce((total, one) => total + one.amount, 0);
    if (amount > left)
      throw new RefundRefusedError('too much', `${left} is left of ${paymentId}, and ${amount} is asked for`);
    const order = intent.metadata[ORDER];
    const metadata = { [REFUND]: key, ...(order !== undefined && { [ORDER]: order }) };
    const params = { payment_intent: paymentId, amount, metadata };
    return refundOf(
      await call('write', () => this.#stripe.refunds.create(params, { idempotencyKey: `refund-${key}` })),
    );
  }

  async readWebhook(
    headers: Readonly<Record<string, string | undefined>>,
    rawBody: string,
  ): Promise<WebhookReading> {
    const signature = headers['stripe-signature'];
    if (signature === undefined || signature === '') return { refusal: 'unsigned' };
    if (Buffer.byteLength(rawBody) > webhookBytesMax) return { refusal: 'too_large' };
    const secret = await this.#options.webhookSecret();
    const [nowMs, provider] = [this.#options.now(), undefined];
    try {
      const event = await this.#stripe.webhooks.constructEventAsync(
        rawBody,
        signature,
        secret,
        webhookToleranceSeconds,
        provider,
        nowMs,
      );
      const read = eventOf(event);
      return read === undefined ? { refusal: 'malformed' } : { event: read };
    } catch (error) {
      if (error instanceof Stripe.errors.StripeSignatureVerificationError)
        return { refusal: error.message.includes('outside the tolerance') ? 'stale' : 'forged' };
      if (error instanceof SyntaxError) return { refusal: 'malformed' };
      throw error;
    }
  }

  async list(fromMs: number, toMs: number, most = balanceEntriesMax): Promise<Balance> {
    // The second that has begun may still get more.
    const untilMs = Math.min(toMs, Math.floor(this.#options.now() / 1_000) * 1_000);
    const created = { gte: Math.ceil(fromMs / 1_000), lt: Math.ceil(toMs / 1_000) };
    const found: Stripe.BalanceTransaction[] = [];
    await call('read', async () => {
      for await (const one of this.#stripe.balanceTransactions.list({
        created,
        limit: PAGE,
        expand: ['data.source'],
      })) {
        found.push(one);
        if (found.length > most)
          throw new TooLargeError(`more than ${most} movements: ask for a shorter time`);
      }
    });
    const keys = await this.#keysOf(found);
    const entries = found.map((one) => entryOf(one, keys.get(one.id) ?? null)).reverse();
    return { entries, completeUntilMs: untilMs };
  }

  async #intent(id: string): Promise<Stripe.PaymentIntent> {
    return await call('read', () => this.#stripe.paymentIntents.retrieve(id));
  }

  /** The id of the intent. */
  async #create(
    { amount, currency, key }: { readonly amount: number; readonly currency: string; readonly key: string },
    idempotencyKey: string,
  ): Promise<string> {
    const { returnUrl } = this.#options;
    const params: Stripe.PaymentIntentCreateParams = {
      amount,
      currency: currency.toLowerCase(),
      metadata: { [ORDER]: key },
      automatic_payment_methods: {
        enabled: true,
        allow_redirects: returnUrl === undefined ? 'never' : 'always',
      },
    };
    try {
      return (await this.#stripe.paymentIntents.create(params, { idempotencyKey })).id;
    } catch (error) {
      if (isRepeatedFailure(error))
        throw new PaymentKeySpentError(`Stripe has failed under ${idempotencyKey}, and repeats that`, {
          cause: error,
        });
      throw errorOf(error, 'write');
    }
  }

  /** The first caller's claim stays: later ones are refused the key, or are given its old answer. */
  async #claim(
    id: string,
    { idempotencyKey, claim }: { readonly idempotencyKey: string; readonly claim: string },
  ): Promise<Stripe.PaymentIntent> {
    try {
      const params = { metadata: { [CLAIM]: claim } };
      const update = await this.#stripe.paymentIntents.update(id, params, { idempotencyKey });
      const { headers } = update.lastResponse;
      return REPLAYED in headers ? await this.#intent(id) : update;
    } catch (error) {
      const isOther = error instanceof Stripe.errors.StripeIdempotencyError && error.statusCode === 400;
      if (isOther || isRepeatedFailure(error)) return await this.#intent(id);
      throw errorOf(error, 'write');
    }
  }

  /** Makes a change that may be refused because another has been made: then what is there counts. */
  async #change(id: string, change: () => Promise<Stripe.PaymentIntent>): Promise<Payment> {
    try {
      return paymentOf(await change());
    } catch (error) {
      const isDecline = error instanceof Stripe.errors.StripeCardError;
      const isOvertaken =
        error instanceof Stripe.errors.StripeError && error.code === 'payment_intent_unexpected_state';
      if (isDecline || isOvertaken) return await this.read(id);
      throw errorOf(error, 'write');
    }
  }

  async #refunds(paymentId: string): Promise<readonly Stripe.Refund[]> {
    return await call('read', () =>
      this.#stripe.refunds
        .list({ payment_intent: paymentId, limit: PAGE })
        .autoPagingToArray({ limit: balanceEntriesMax }),
    );
  }

  /** The order's key by movement: in the metadata of what it is about, or of the intent of that. */
  async #keysOf(found: readonly Stripe.BalanceTransaction[]): Promise<ReadonlyMap<string, string>> {
    const keys = new Map<string, string>();
    const byIntent = new Map<string, string | undefined>();
    for (const { id, source } of found) {
      if (source === null || typeof source === 'string') continue;
      const about = source as Source;
      const intentId = intentIdOf(about);
      let key = about.metadata?.[ORDER];
      if (key === undefined && intentId !== null) {
        if (!byIntent.has(intentId)) byIntent.set(intentId, (await this.#intent(intentId)).metadata[ORDER]);
        key = byIntent.get(intentId);
      }
      if (key !== undefined) keys.set(id, key);
    }
    return keys;
  }
}

/** What the key repeats is the same for everybody; a failure that comes for the first time is not known to be kept. */
function isRepeatedFailure(error: unknown): boolean {
  if (!(error instanceof Stripe.errors.StripeError)) return false;
  return (error.statusCode ?? 0) >= 500 && REPLAYED in (error.headers ?? {});
}

async function call<Result>(effect: 'read' | 'write', run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    throw errorOf(error, effect);
  }
}

/** It tries nothing again by itself, and knows no key: that is for `StripeHttp`. */
function clientOf({ endpoint, ...options }: StripeOptions): Stripe {
  const url = endpoint === undefined ? undefined : new URL(endpoint);
  return new Stripe(null as unknown as string, {
    authenticator: () => Promise.resolve(),
    maxNetworkRetries: 0,
    telemetry: false,
    httpClient: new StripeHttp(options),
    ...(url !== undefined && {
      host: url.hostname,
      port: url.port,
      protocol: url.protocol === 'http:' ? 'http' : 'https',
    }),
  });
}
