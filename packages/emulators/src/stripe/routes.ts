/** Which request is which operation of the API. */
import type { ApiCall, ApiReply } from '../core/api-server.ts';
import type { Account } from './account.ts';
import { StripeError } from './errors.ts';
import { listOf, type SearchIndex } from './lists.ts';
import { COLLECTIONS } from './model.ts';
import type { Params } from './params.ts';
import { cancelIntent, captureIntent, confirmIntent, createIntent, updateIntent } from './payment-intents.ts';
import { createPayout } from './payouts.ts';
import { createRefund } from './refunds.ts';
import { createEndpoint } from './webhooks.ts';

export interface Context {
  readonly account: Account;
  readonly index: SearchIndex;
}

/** Reads the parameters, and gives back what does it: only that counts as begun. */
type Prepare = (context: Context, params: Params, id: string) => () => unknown;

export interface Operation {
  readonly operation: string;
  readonly id: string;
  readonly prepare: Prepare;
}

type Kind = keyof typeof COLLECTIONS;

const retrieve =
  (kind: Kind): Prepare =>
  ({ account }, _params, id) =>
  () =>
    account.get(kind, id);

const list =
  (kind: Kind, filters: readonly string[] = []): Prepare =>
  ({ account }, params) => {
    const page = listOf(account, kind, { params, filters });
    return () => page;
  };

/** `*` stands for an id. */
const ROUTES: Readonly<Record<string, readonly [operation: string, prepare: Prepare]>> = {
  'POST payment_intents': ['CreatePaymentIntent', ({ account }, params) => createIntent(account, params)],
  'GET payment_intents': ['ListPaymentIntents', list('payment_intent', ['status'])],
  'GET payment_intents/search': [
    'SearchPaymentIntents',
    ({ index }, params) => {
      const found = index.search(params);
      return () => found;
    },
  ],
  'GET payment_intents/*': ['RetrievePaymentIntent', retrieve('payment_intent')],
  'POST payment_intents/*': [
    'UpdatePaymentIntent',
    ({ account }, params, id) => updateIntent(account, id, params),
  ],
  'POST payment_intents/*/confirm': [
    'ConfirmPaymentIntent',
    ({ account }, params, id) => confirmIntent(account, id, params),
  ],
  'POST payment_intents/*/capture': [
    'CapturePaymentIntent',
    ({ account }, params, id) => captureIntent(account, id, params),
  ],
  'POST payment_intents/*/cancel': [
    'CancelPaymentIntent',
    ({ account }, params, id) => cancelIntent(account, id, params),
  ],
  'GET charges': ['ListCharges', list('charge', ['payment_intent'])],
  'GET charges/*': ['RetrieveCharge', retrieve('charge')],
  'POST refunds': ['CreateRefund', ({ account }, params) => createRefund(account, params)],
  'GET refunds': ['ListRefunds', list('refund', ['payment_intent', 'charge'])],
  'GET refunds/*': ['RetrieveRefund', retrieve('refund')],
  'GET disputes': ['ListDisputes', list('dispute', ['payment_intent', 'charge'])],
  'GET disputes/*': ['RetrieveDispute', retrieve('dispute')],
  'POST payouts': ['CreatePayout', ({ account }, params) => createPayout(account, params)],
  'GET payouts': ['ListPayouts', list('payout', ['status'])],
  'GET payouts/*': ['RetrievePayout', retrieve('payout')],
  'GET balance_transactions': [
    'ListBalanceTransactions',
    list('balance_transaction', ['type', 'source', 'currency']),
  ],
  'GET balance_transactions/*': ['RetrieveBalanceTransaction', retrieve('balance_transaction')],
  'GET events': ['ListEvents', list('event', ['type'])],
  'GET events/*': ['RetrieveEvent', retrieve('event')],
  'POST webhook_endpoints': [
    'CreateWebhookEndpoint',
    ({ account }, params) => createEndpoint(account, params),
  ],
  'GET webhook_endpoints': ['ListWebhookEndpoints', list('webhook_endpoint')],
  'DELETE webhook_endpoints/*': [
    'DeleteWebhookEndpoint',
    ({ account }, _params, id) =>
      () => {
        account.get('webhook_endpoint', id);
        account.documents.remove(COLLECTIONS.webhook_endpoint, id);
        return { id, object: 'webhook_endpoint', deleted: true };
      },
  ],
};

/** @throws StripeError for what is not served. */
export function operationOf({ method, segments }: ApiCall): Operation {
  const [version, collection = '', id = '', action] = segments;
  const exact = `${method} ${segments.slice(1).join('/')}`;
  const pattern = `${method} ${collection}${id === '' ? '' : '/*'}${action === undefined ? '' : `/${action}`}`;
  const route = version === 'v1' && segments.length <= 4 ? (ROUTES[exact] ?? ROUTES[pattern]) : undefined;
  if (route !== undefined) return { operation: route[0], id, prepare: route[1] };
  const message = `Unrecognized request URL (${method}: /${segments.join('/')}). Of what this emulator serves.`;
  throw new StripeError(404, { type: 'invalid_request_error', message }, { begun: false });
}

/** The page of 3-D Secure, which a customer answers: `POST /_tandem/3ds/<intent>?outcome=failure`. */
export function isChallenge({ segments }: ApiCall): boolean {
  return segments[0] === '_tandem' && segments[1] === '3ds';
}

export function redirect(url: string | null, id: string, status: string): ApiReply {
  if (url === null || !URL.canParse(url))
    return { status: 200, body: { payment_intent: id, redirect_status: status } };
  const to = new URL(url);
  to.searchParams.set('payment_intent', id);
  to.searchParams.set('redirect_status', status);
  return { status: 303, headers: { location: to.href } };
}
