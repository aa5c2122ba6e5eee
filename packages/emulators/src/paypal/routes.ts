/** Which request is which operation of the API. */
import type { ApiCall, ApiReply } from '../core/api-server.ts';
import type { Account } from './account.ts';
import { notFound } from './errors.ts';
import { once, PAYMENT_KEYS_KEPT_MS } from './keys.ts';
import { approve, createOrder, patchOrder, pay } from './orders.ts';
import { captureAuthorization, refundCapture, voidAuthorization } from './payments.ts';
import {
  authorizationShape,
  captureShape,
  disputeShape,
  orderShape,
  refundShape,
  webhookShape,
} from './shapes.ts';
import { listTransactions } from './transactions.ts';
import { createWebhook, verify } from './webhooks.ts';

export interface Context {
  readonly account: Account;
  readonly pem: string;
  readonly orderKeysKeptMs: number;
  readonly reportLagMs: number;
}

type Run = (context: Context, call: ApiCall, id: string) => ApiReply;

const keyOf = ({ headers }: ApiCall): string | undefined => {
  const key = headers['paypal-request-id'];
  return typeof key === 'string' ? key : undefined;
};
const isMinimal = ({ headers }: ApiCall): boolean => headers['prefer'] !== 'return=representation';

const payBy =
  (action: 'authorize' | 'capture'): Run =>
  ({ account, orderKeysKeptMs }, call, id) => {
    const key = { key: keyOf(call), scope: `${action}/${id}`, keptMs: orderKeysKeptMs };
    const { repeated } = once(account, key, () => pay(account, id, action).id);
    const order = account.get('orders', id);
    return { status: repeated ? 200 : 201, body: orderShape(account, order, { minimal: isMinimal(call) }) };
  };

/** `*` stands for an id. */
const ROUTES: Readonly<Record<string, readonly [operation: string, run: Run]>> = {
  'POST v2/checkout/orders': [
    'CreateOrder',
    ({ account, orderKeysKeptMs }, call) => {
      const key = { key: keyOf(call), scope: 'orders', keptMs: orderKeysKeptMs };
      const { id, repeated } = once(account, key, () => createOrder(account, call).id);
      const body = orderShape(account, account.get('orders', id), { minimal: isMinimal(call) });
      return { status: repeated ? 200 : 201, body };
    },
  ],
  'GET v2/checkout/orders/*': [
    'GetOrder',
    ({ account }, _call, id) => ({ status: 200, body: orderShape(account, account.get('orders', id)) }),
  ],
  'PATCH v2/checkout/orders/*': [
    'PatchOrder',
    ({ account }, call, id) => {
      patchOrder(account, id, call);
      return { status: 204 };
    },
  ],
  'POST v2/checkout/orders/*/authorize': ['AuthorizeOrder', payBy('authorize')],
  'POST v2/checkout/orders/*/capture': ['CaptureOrder', payBy('capture')],
  'GET v2/payments/authorizations/*': [
    'GetAuthorization',
    ({ account }, _call, id) => ({
      status: 200,
      body: authorizationShape(account, account.get('authorizations', id)),
    }),
  ],
  'POST v2/payments/authorizations/*/capture': [
    'CaptureAuthorization',
    ({ account }, call, id) => {
      const key = { key: keyOf(call), scope: `capture/${id}`, keptMs: PAYMENT_KEYS_KEPT_MS };
      const made = once(account, key, () => captureAuthorization(account, id, call).id);
      return {
        status: made.repeated ? 200 : 201,
        body: captureShape(account, account.get('captures', made.id)),
      };
    },
  ],
  'POST v2/payments/authorizations/*/void': [
    'VoidAuthorization',
    ({ account }, call, id) => {
      const key = { key: keyOf(call), scope: `void/${id}`, keptMs: PAYMENT_KEYS_KEPT_MS };
      once(account, key, () => voidAuthorization(account, id).id);
      if (isMinimal(call)) return { status: 204 };
      return { status: 200, body: authorizationShape(account, account.get('authorizations', id)) };
    },
  ],
  'GET v2/payments/captures/*': [
    'GetCapture',
    ({ account }, _call, id) => ({ status: 200, body: captureShape(account, account.get('captures', id)) }),
  ],
  'POST v2/payments/captures/*/refund': [
    'RefundCapture',
    ({ account }, call, id) => {
      const key = { key: keyOf(call), scope: `refund/${id}`, keptMs: PAYMENT_KEYS_KEPT_MS };
      const made = once(account, key, () => refundCapture(account, id, call).id);
      return {
        status: made.repeated ? 200 : 201,
        body: refundShape(account, account.get('refunds', made.id)),
      };
    },
  ],
  'GET v2/payments/refunds/*': [
    'GetRefund',
    ({ account }, _call, id) => ({ status: 200, body: refundShape(account, account.get('refunds', id)) }),
  ],
  'GET v1/customer/disputes/*': [
    'GetDispute',
    ({ account }, _call, id) => ({ status: 200, body: disputeShape(account, account.get('disputes', id)) }),
  ],
  'GET v1/reporting/transactions': [
    'ListTransactions',
    ({ account, reportLagMs }, { query }) => ({
      status: 200,
      body: listTransactions(account, query, reportLagMs),
    }),
  ],
  'POST v1/notifications/webhooks': [
    'CreateWebhook',
    ({ account }, call) => ({ status: 201, body: webhookShape(createWebhook(account, call)) }),
  ],
  'GET v1/notifications/webhooks': [
    'ListWebhooks',
    ({ account }) => ({ status: 200, body: { webhooks: account.all('webhooks').map(webhookShape) } }),
  ],
  'DELETE v1/notifications/webhooks/*': [
    'DeleteWebhook',
    ({ account }, _call, id) => {
      account.get('webhooks', id);
      account.documents.remove('webhooks', id);
      return { status: 204 };
    },
  ],
  'POST v1/notifications/verify-webhook-signature': [
    'VerifyWebhookSignature',
    ({ account, pem }, call) => ({ status: 200, body: verify(account, pem, call) }),
  ],
  'GET v1/notifications/webhooks-events/*': [
    'GetEvent',
    ({ account }, _call, id) => {
      const event = account.documents.get('events', id);
      if (event === undefined) throw notFound();
      return { status: 200, body: event };
    },
  ],
};

/** The page on which the buyer agrees: `POST /_tandem/approve/<order>?refusal=PAYER_CANNOT_PAY`. */
export function isApproval({ segments }: ApiCall): boolean {
  return segments[0] === '_tandem' && segments[1] === 'approve';
}

export function approval(account: Account, { segments: [, , id = ''], query }: ApiCall): ApiReply {
  return { status: 200, body: orderShape(account, approve(account, id, query.get('refusal') ?? undefined)) };
}

/** @throws PayPalError for what is not served. */
export function operationOf({ method, segments }: ApiCall): { operation: string; id: string; run: Run } {
  const exact = `${method} ${segments.join('/')}`;
  const pattern = `${method} ${segments.map((segment, at) => (at === 3 ? '*' : segment)).join('/')}`;
  const route = ROUTES[exact] ?? ROUTES[pattern];
  if (route === undefined) throw notFound();
  return { operation: route[0], id: segments[3] ?? '', run: route[1] };
}
