/**
 * Orders: created, approved by the buyer, then authorized or captured, once.
 * @see https://developer.paypal.com/docs/api/orders/v2/
 */
import type { ApiCall } from '../core/api-server.ts';
import { type Account, newId } from './account.ts';
import { badRequest, unprocessable } from './errors.ts';
import { bodyOf, type Fields, needed, onlyKnown, text } from './json.ts';
import type { Authorization, Order } from './model.ts';
import { minorOf } from './money.ts';
import { capture } from './payments.ts';
import { authorizationShape, orderShape } from './shapes.ts';

const ID_CHARS_MAX = 127;
const REFERENCE_CHARS_MAX = 256;
const PATH = /^\/purchase_units\/@reference_id=='([^']*)'\/(custom_id|invoice_id|description)$/;
const PATCHABLE = { custom_id: 'customId', invoice_id: 'invoiceId', description: 'description' } as const;

export function createOrder(account: Account, call: ApiCall): Order {
  const body = bodyOf(call);
  onlyKnown(body, ['intent', 'purchase_units', 'payer', 'payment_source', 'application_context']);
  const intent = body['intent'];
  if (intent === undefined) throw badRequest('MISSING_REQUIRED_PARAMETER', '/intent');
  if (intent !== 'AUTHORIZE' && intent !== 'CAPTURE') throw badRequest('INVALID_PARAMETER_VALUE', '/intent');
  const units = body['purchase_units'];
  if (!Array.isArray(units) || units.length === 0)
    throw badRequest('MISSING_REQUIRED_PARAMETER', '/purchase_units');
  if (units.length > 1)
    throw badRequest('INVALID_ARRAY_MAX_ITEMS', '/purchase_units', 'This emulator takes one.');
  const unit = units[0] as Fields;
  const at = '/purchase_units/0';
  onlyKnown(
    unit,
    ['reference_id', 'amount', 'custom_id', 'invoice_id', 'description', 'soft_descriptor'],
    at,
  );
  const { minor, currency } = minorOf(unit['amount'], `${at}/amount`);
  return account.put('orders', {
    id: newId(),
    intent,
    status: 'CREATED',
    referenceId: text(unit, 'reference_id', { max: REFERENCE_CHARS_MAX, at }) ?? 'default',
    minor,
    currency,
    customId: text(unit, 'custom_id', { max: ID_CHARS_MAX, at }),
    invoiceId: text(unit, 'invoice_id', { max: ID_CHARS_MAX, at }),
    description: text(unit, 'description', { max: ID_CHARS_MAX, at }),
    createdMs: account.now(),
    updatedMs: account.now(),
  });
}

/** @see https://developer.paypal.com/docs/api/orders/v2/#orders_patch */
export function patchOrder(account: Account, id: string, call: ApiCall): void {
  const order = account.get('orders', id);
  const operations = bodyOf<unknown>(call);
  if (!Array.isArray(operations) || operations.length === 0)
    throw badRequest('INVALID_PARAMETER_SYNTAX', '/');
  if (order.status === 'COMPLETED')
    throw unprocessable('ORDER_ALREADY_COMPLETED', 'The order cannot be patched after it is completed.');
  if (order.status === 'VOIDED')
    throw unprocessable('ORDER_COMPLETED_OR_VOIDED', 'Order is voided or completed.');
  const changed = operations.reduce<Order>(
    (before, one, index) => patched(before, one as Fields, `/${index}`),
    order,
  );
  account.put('orders', { ...changed, updatedMs: account.now() });
}

function patched(order: Order, operation: Fields, at: string): Order {
  const op = needed(operation, 'op', { max: 16, at });
  const [, reference, field] = PATH.exec(needed(operation, 'path', { max: 512, at })) ?? [];
  if (field === undefined) throw unprocessable('NOT_PATCHABLE', 'Cannot be patched.', `${at}/path`);
  if (reference !== order.referenceId)
    throw unprocessable('REFERENCE_ID_NOT_FOUND', 'Specified reference_id was not found.', `${at}/path`);
  if (op !== 'add' && op !== 'replace' && op !== 'remove')
    throw unprocessable('INVALID_PARAMETER', 'Cannot be specified as part of the request.', `${at}/op`);
  const value = op === 'remove' ? undefined : needed(operation, 'value', { max: ID_CHARS_MAX, at });
  return { ...order, [PATCHABLE[field as keyof typeof PATCHABLE]]: value };
}

/** The buyer agrees. @param refusal The issue that the attempt will meet. */
export function approve(account: Account, id: string, refusal?: string): Order {
  const order = account.get('orders', id);
  if (order.status !== 'CREATED' && order.status !== 'PAYER_ACTION_REQUIRED') return order;
  const approved = account.put('orders', { ...order, status: 'APPROVED', refusal, updatedMs: account.now() });
  account.emit('CHECKOUT.ORDER.APPROVED', 'checkout-order', orderShape(account, approved));
  return approved;
}

/** Authorizes, or captures at once, as the order was meant. */
export function pay(account: Account, id: string, action: 'authorize' | 'capture'): Order {
  const order = account.get('orders', id);
  if (order.intent !== (action === 'authorize' ? 'AUTHORIZE' : 'CAPTURE'))
    throw unprocessable(
      'ACTION_DOES_NOT_MATCH_INTENT',
      `Order was created with an intent to '${order.intent}'.`,
    );
  if (order.status === 'COMPLETED')
    throw action === 'authorize'
      ? unprocessable('ORDER_ALREADY_AUTHORIZED', 'Order already authorized.')
      : unprocessable('ORDER_ALREADY_CAPTURED', 'Order already captured.');
  if (order.status !== 'APPROVED')
    throw unprocessable('ORDER_NOT_APPROVED', 'Payer has not yet approved the Order for payment.');
  checkInvoice(account, order);
  if (order.refusal !== undefined) {
    account.put('orders', {
      ...order,
      status: 'PAYER_ACTION_REQUIRED',
      refusal: undefined,
      updatedMs: account.now(),
    });
    throw unprocessable(order.refusal, 'The payer or their bank refuses the payment.');
  }
  return action === 'authorize' ? authorize(account, order) : take(account, order);
}

function take(account: Account, order: Order): Order {
  const { id: orderId, minor, currency } = order;
  const taken = capture(account, { orderId, minor, currency, isFinal: true });
  return account.put('orders', {
    ...order,
    status: 'COMPLETED',
    captureId: taken.id,
    updatedMs: account.now(),
  });
}

function authorize(account: Account, order: Order): Order {
  const { minor, currency } = order;
  const nowMs = account.now();
  const authorization: Authorization = {
    id: newId(),
    orderId: order.id,
    status: 'CREATED',
    minor,
    capturedMinor: 0,
    currency,
    createdMs: nowMs,
    updatedMs: nowMs,
  };
  account.put('authorizations', authorization);
  const done = account.put('orders', {
    ...order,
    status: 'COMPLETED',
    authorizationId: authorization.id,
    updatedMs: nowMs,
  });
  account.emit('PAYMENT.AUTHORIZATION.CREATED', 'authorization', authorizationShape(account, authorization));
  return done;
}

function checkInvoice(account: Account, { id, invoiceId }: Order): void {
  if (!account.uniqueInvoices || invoiceId === undefined) return;
  const other = account
    .all('orders')
    .find((one) => one.invoiceId === invoiceId && one.id !== id && one.status === 'COMPLETED');
  if (other !== undefined)
    throw unprocessable(
      'DUPLICATE_INVOICE_ID',
      'Duplicate Invoice ID detected. To avoid a potential duplicate transaction your account setting requires that Invoice Id be unique for each transaction.',
    );
}
