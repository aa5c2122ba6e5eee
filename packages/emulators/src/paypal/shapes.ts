/**
 * What the API shows.
 * @see https://developer.paypal.com/docs/api/orders/v2/
 * @see https://developer.paypal.com/docs/api/payments/v2/
 */
import type { Account } from './account.ts';
import type { Authorization, Capture, Dispute, Movement, Order, Refund, Webhook } from './model.ts';
import { moneyOf } from './money.ts';
import { iso } from './time.ts';

const AUTHORIZED_MS = 29 * 86_400_000;

export function orderShape(account: Account, order: Order, { minimal = false } = {}): unknown {
  const links = linksOf(account.base, order);
  const payments = paymentsOf(account, order);
  const { id, status, intent, referenceId, customId, invoiceId, description } = order;
  const unit = { reference_id: referenceId, ...(payments !== undefined && { payments }) };
  if (minimal) return { id, status, ...(payments !== undefined && { purchase_units: [unit] }), links };
  return {
    id,
    intent,
    status,
    purchase_units: [
      {
        ...unit,
        amount: moneyOf(order.minor, order.currency),
        ...(customId !== undefined && { custom_id: customId }),
        ...(invoiceId !== undefined && { invoice_id: invoiceId }),
        ...(description !== undefined && { description }),
      },
    ],
    create_time: iso(order.createdMs),
    update_time: iso(order.updatedMs),
    links,
  };
}

export function authorizationShape(account: Account, authorization: Authorization): unknown {
  const { id, status, minor, currency, orderId, createdMs, updatedMs } = authorization;
  return {
    id,
    status,
    amount: moneyOf(minor, currency),
    ...tags(account, orderId),
    supplementary_data: { related_ids: { order_id: orderId } },
    expiration_time: iso(createdMs + AUTHORIZED_MS),
    create_time: iso(createdMs),
    update_time: iso(updatedMs),
    links: [link(account.base, 'self', `/v2/payments/authorizations/${id}`)],
  };
}

export function captureShape(account: Account, capture: Capture): unknown {
  const { id, status, minor, feeMinor, currency, orderId, authorizationId, isFinal } = capture;
  return {
    id,
    status,
    amount: moneyOf(minor, currency),
    final_capture: isFinal,
    ...tags(account, orderId),
    seller_receivable_breakdown: {
      gross_amount: moneyOf(minor, currency),
      paypal_fee: moneyOf(feeMinor, currency),
      net_amount: moneyOf(minor - feeMinor, currency),
    },
    supplementary_data: {
      related_ids: {
        order_id: orderId,
        ...(authorizationId !== undefined && { authorization_id: authorizationId }),
      },
    },
    create_time: iso(capture.createdMs),
    update_time: iso(capture.updatedMs),
    links: [link(account.base, 'self', `/v2/payments/captures/${id}`)],
  };
}

export function refundShape(account: Account, refund: Refund): unknown {
  const { id, minor, currency, captureId, note, customId, createdMs } = refund;
  const capture = account.get('captures', captureId);
  return {
    id,
    status: 'COMPLETED',
    amount: moneyOf(minor, currency),
    ...tags(account, capture.orderId),
    ...(customId !== undefined && { custom_id: customId }),
    ...(note !== undefined && { note_to_payer: note }),
    create_time: iso(createdMs),
    update_time: iso(createdMs),
    links: [
      link(account.base, 'self', `/v2/payments/refunds/${id}`),
      link(account.base, 'up', `/v2/payments/captures/${captureId}`),
    ],
  };
}

/** @see https://developer.paypal.com/docs/api/customer-disputes/v1/ */
export function disputeShape(account: Account, dispute: Dispute): unknown {
  const { id, captureId, minor, currency, status, outcome, createdMs } = dispute;
  const { orderId } = account.get('captures', captureId);
  const { invoice_id: invoice, custom_id: custom } = tags(account, orderId);
  return {
    dispute_id: id,
    create_time: iso(createdMs),
    disputed_transactions: [
      {
        seller_transaction_id: captureId,
        ...(invoice !== undefined && { invoice_number: invoice }),
        ...(custom !== undefined && { custom }),
      },
    ],
    reason: 'UNAUTHORISED',
    status,
    dispute_amount: moneyOf(minor, currency),
    ...(outcome !== undefined && { dispute_outcome: { outcome_code: outcome } }),
  };
}

/** @see https://developer.paypal.com/docs/api/transaction-search/v1/ */
export function movementShape(movement: Movement): unknown {
  const { id, code, reference, minor, feeMinor, currency, customId, invoiceId, atMs } = movement;
  const at = iso(atMs);
  return {
    transaction_info: {
      transaction_id: id,
      ...(reference !== undefined && { paypal_reference_id: reference, paypal_reference_id_type: 'TXN' }),
      transaction_event_code: code,
      transaction_initiation_date: at,
      transaction_updated_date: at,
      transaction_amount: moneyOf(minor, currency),
      ...(feeMinor !== 0 && { fee_amount: moneyOf(-feeMinor, currency) }),
      transaction_status: 'S',
      ...(invoiceId !== undefined && { invoice_id: invoiceId }),
      ...(customId !== undefined && { custom_field: customId }),
    },
  };
}

export function webhookShape({ id, url, types }: Webhook): unknown {
  return { id, url, event_types: types.map((name) => ({ name })), links: [] };
}

function paymentsOf(account: Account, { authorizationId, captureId }: Order): unknown {
  if (authorizationId === undefined && captureId === undefined) return undefined;
  const refunds = account.all('refunds').filter((refund) => refund.captureId === captureId);
  return {
    ...(authorizationId !== undefined && {
      authorizations: [authorizationShape(account, account.get('authorizations', authorizationId))],
    }),
    ...(captureId !== undefined && { captures: [captureShape(account, account.get('captures', captureId))] }),
    ...(refunds.length > 0 && { refunds: refunds.map((refund) => refundShape(account, refund)) }),
  };
}

function tags(account: Account, orderId: string): { custom_id?: string; invoice_id?: string } {
  const { customId, invoiceId } = account.get('orders', orderId);
  return {
    ...(customId !== undefined && { custom_id: customId }),
    ...(invoiceId !== undefined && { invoice_id: invoiceId }),
  };
}

function linksOf(base: string, { id, intent, status }: Order): unknown[] {
  const path = `/v2/checkout/orders/${id}`;
  const self = link(base, 'self', path);
  const action = intent.toLowerCase();
  const pay = link(base, action, `${path}/${action}`, 'POST');
  if (status === 'COMPLETED' || status === 'VOIDED') return [self];
  if (status === 'APPROVED') return [self, link(base, 'update', path, 'PATCH'), pay];
  // On the service this is a page of www.paypal.com; here the answer of the buyer is `POST` to it.
  const approve = link(base, 'approve', `/_tandem/approve/${id}`);
  return [self, approve, link(base, 'update', path, 'PATCH'), pay];
}

function link(base: string, rel: string, path: string, method = 'GET'): unknown {
  return { href: base + path, rel, method };
}
