/**
 * PaymentIntents: from a request for money to a charge or to nothing.
 *
 * Invariant: an intent is charged at most once, and succeeded and canceled are its ends.
 * @see https://docs.stripe.com/payments/paymentintents/lifecycle
 */
import { type Account, newId } from './account.ts';
import { cardOf } from './cards.ts';
import { attempt, decline, refuse, take, update } from './charges.ts';
import { invalid, refused } from './errors.ts';
import type { Charge, IntentStatus, PaymentIntent } from './model.ts';
import { chargeAmount, currencyOf, positive } from './money.ts';
import type { Params } from './params.ts';

/** Ours: how long a bank debit is processing. The service takes days. */
export const PROCESSING_MS = 60_000;
const DESCRIPTION_CHARS_MAX = 1_000;
const REASONS = ['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned'] as const;
const CAPTURE_METHODS = ['automatic', 'automatic_async', 'manual'] as const;
const AUTHENTICATION_FAILED = {
  code: 'payment_intent_authentication_failure',
  decline_code: 'authentication_required',
  message:
    'The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.',
};

export function createIntent(account: Account, params: Params): () => PaymentIntent {
  const currency = currencyOf(params);
  const amount = chargeAmount(params, currency);
  const method = methodOf(params);
  const capture = params.oneOf('capture_method', CAPTURE_METHODS) ?? 'automatic_async';
  const metadata = params.metadata();
  const description = descriptionOf(params) ?? null;
  const types = params.list('payment_method_types');
  const isAutomatic = params.flag('automatic_payment_methods[enabled]') ?? types.length === 0;
  const redirects =
    params.oneOf('automatic_payment_methods[allow_redirects]', ['always', 'never']) ?? 'always';
  if (isAutomatic && types.length > 0)
    throw invalid(
      'You may only specify one of these parameters: automatic_payment_methods, payment_method_types.',
    );
  const confirm = params.flag('confirm') ?? false;
  const returnUrl = params.text('return_url') ?? null;
  if (returnUrl !== null && !confirm)
    throw invalid('`return_url` can only be passed when `confirm` is `true`.', { param: 'return_url' });
  if (confirm && method === null)
    throw invalid('You cannot confirm this PaymentIntent because it’s missing a payment method.', {
      code: 'parameter_missing',
      param: 'payment_method',
    });
  return () => {
    const id = newId('pi');
    const intent = update(account, blank(account, { id, amount, currency }), 'payment_intent.created', {
      automatic_payment_methods: isAutomatic ? { allow_redirects: redirects, enabled: true } : null,
      capture_method: capture,
      description,
      metadata,
      payment_method: method,
      payment_method_types: types.length > 0 ? types : ['card'],
      status: method === null ? 'requires_payment_method' : 'requires_confirmation',
    });
    return confirm ? go(account, intent, returnUrl) : intent;
  };
}

export function updateIntent(account: Account, id: string, params: Params): () => PaymentIntent {
  const before = account.get<PaymentIntent>('payment_intent', id);
  const metadata = params.metadata(before.metadata);
  const description = descriptionOf(params) ?? before.description;
  const amount = params.text('amount') === undefined ? before.amount : chargeAmount(params, before.currency);
  const given = methodOf(params);
  const method = given ?? before.payment_method;
  return () => {
    // What is only noted may change at any time.
    if (amount !== before.amount || given !== null)
      need(before, ['requires_payment_method', 'requires_confirmation', 'requires_action'], 'updated');
    const status =
      given !== null && before.status === 'requires_payment_method' ? 'requires_confirmation' : before.status;
    return update(account, before, undefined, {
      metadata,
      description,
      amount,
      payment_method: method,
      status,
    });
  };
}

export function confirmIntent(account: Account, id: string, params: Params): () => PaymentIntent {
  const before = account.get<PaymentIntent>('payment_intent', id);
  const method = methodOf(params) ?? before.payment_method;
  const returnUrl = params.text('return_url') ?? null;
  params.flag('off_session');
  return () => {
    if (before.status === 'succeeded')
      throw unexpected(
        before,
        'You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.',
      );
    need(before, ['requires_payment_method', 'requires_confirmation', 'requires_action'], 'confirmed');
    if (method === null)
      throw unexpected(
        before,
        'You cannot confirm this PaymentIntent because it’s missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.',
      );
    return go(account, { ...before, payment_method: method }, returnUrl);
  };
}

export function captureIntent(account: Account, id: string, params: Params): () => PaymentIntent {
  const before = account.get<PaymentIntent>('payment_intent', id);
  const given = params.integer('amount_to_capture');
  const amount = given === undefined ? undefined : positive(given, 'amount_to_capture');
  return () => {
    need(before, ['requires_capture'], 'captured');
    if (amount !== undefined && amount > before.amount_capturable)
      throw refused(
        `The amount to capture (${amount}) is greater than the capturable amount (${before.amount_capturable}).`,
        'amount_too_large',
        { param: 'amount_to_capture' },
      );
    return take(account, before, amount ?? before.amount_capturable);
  };
}

export function cancelIntent(account: Account, id: string, params: Params): () => PaymentIntent {
  const before = account.get<PaymentIntent>('payment_intent', id);
  const reason = params.oneOf('cancellation_reason', REASONS) ?? null;
  return () => {
    // Of those that are processing the service takes some; this one takes none.
    need(
      before,
      ['requires_payment_method', 'requires_capture', 'requires_confirmation', 'requires_action'],
      'canceled',
    );
    const charge = account.find<Charge>('charge', before.latest_charge ?? '');
    if (before.status === 'requires_capture' && charge !== undefined)
      account.emit(
        'charge.refunded',
        account.put<Charge>({ ...charge, amount_refunded: charge.amount, refunded: true }),
      );
    return update(account, before, 'payment_intent.canceled', {
      status: 'canceled',
      canceled_at: account.seconds,
      cancellation_reason: reason,
      amount_capturable: 0,
      next_action: null,
    });
  };
}

/** The customer has answered the challenge of 3-D Secure, or has not. @throws StripeError when none is open. */
export function authenticate(account: Account, id: string, outcome: 'success' | 'failure'): PaymentIntent {
  const intent = account.get<PaymentIntent>('payment_intent', id);
  need(intent, ['requires_action'], 'authenticated');
  if (outcome === 'success') return attempt(account, intent);
  return decline(account, intent, {
    card: cardOf(intent.payment_method ?? ''),
    reason: AUTHENTICATION_FAILED,
  });
}

/** Finishes what was processing for long enough. */
export function settle(account: Account): void {
  for (const intent of account.all<PaymentIntent>('payment_intent')) {
    if (intent.status !== 'processing') continue;
    const begun = account.documents.get<number>('processing', intent.id) ?? 0;
    if (account.now() - begun < PROCESSING_MS) continue;
    account.documents.remove('processing', intent.id);
    attempt(account, intent);
  }
}

/** Confirms: asks the customer, the bank or nobody. */
function go(account: Account, intent: PaymentIntent, returnUrl: string | null): PaymentIntent {
  if (intent.automatic_payment_methods?.allow_redirects === 'always' && returnUrl === null)
    throw invalid(
      'This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don’t want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.',
      { param: 'return_url' },
    );
  const card = cardOf(intent.payment_method ?? '');
  if (card.authenticates === true) {
    const url = `${account.base}/_tandem/3ds/${intent.id}`;
    return update(account, intent, 'payment_intent.requires_action', {
      status: 'requires_action',
      next_action:
        returnUrl === null
          ? { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url } }
          : { type: 'redirect_to_url', redirect_to_url: { url, return_url: returnUrl } },
    });
  }
  if (card.slow === true) {
    account.documents.put('processing', intent.id, account.now());
    return update(account, intent, 'payment_intent.processing', { status: 'processing' });
  }
  const after = attempt(account, intent);
  return card.decline === undefined ? after : refuse(after);
}

function need(intent: PaymentIntent, statuses: readonly IntentStatus[], what: string): void {
  if (statuses.includes(intent.status)) return;
  throw unexpected(
    intent,
    `This PaymentIntent could not be ${what} because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be ${what}: ${statuses.join(', ')}.`,
  );
}

/** @see https://docs.stripe.com/error-codes#payment-intent-unexpected-state */
function unexpected(intent: PaymentIntent, message: string) {
  return refused(message, 'payment_intent_unexpected_state', { payment_intent: intent });
}

function methodOf(params: Params): string | null {
  const method = params.text('payment_method');
  if (method === undefined) return null;
  cardOf(method);
  return method;
}

function descriptionOf(params: Params): string | undefined {
  const text = params.text('description');
  if (text === undefined || text.length <= DESCRIPTION_CHARS_MAX) return text;
  throw invalid(`Invalid string: description has at most ${DESCRIPTION_CHARS_MAX} characters`, {
    param: 'description',
  });
}

function blank(
  account: Account,
  { id, amount, currency }: { readonly id: string; readonly amount: number; readonly currency: string },
): PaymentIntent {
  return {
    id,
    object: 'payment_intent',
    amount,
    amount_capturable: 0,
    amount_received: 0,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic_async',
    client_secret: `${id}_secret_${newId('s').slice(2)}`,
    confirmation_method: 'automatic',
    created: account.seconds,
    currency,
    customer: null,
    description: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    metadata: {},
    next_action: null,
    payment_method: null,
    payment_method_types: ['card'],
    status: 'requires_payment_method',
  };
}
