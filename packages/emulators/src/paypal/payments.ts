/**
 * Authorizations, captures, refunds and disputes.
 *
 * Invariant: an authorization is captured or voided, once; never more is given back than was taken.
 * @see https://developer.paypal.com/docs/api/payments/v2/
 */
import type { ApiCall } from '../core/api-server.ts';
import { type Account, newId } from './account.ts';
import { unprocessable } from './errors.ts';
import { bodyOf, text } from './json.ts';
import type { Authorization, Capture, Dispute, Refund } from './model.ts';
import { feeOf, minorOf } from './money.ts';
import { authorizationShape, captureShape, disputeShape, refundShape } from './shapes.ts';

/** @see https://developer.paypal.com/docs/checkout/standard/customize/authorization/ */
const AUTHORIZED_MS = 29 * 86_400_000;
const NOTE_CHARS_MAX = 255;
const CUSTOM_CHARS_MAX = 127;

export function captureAuthorization(account: Account, id: string, call: ApiCall): Capture {
  const authorization = account.get('authorizations', id);
  const { orderId, status, minor: most, capturedMinor } = authorization;
  const body = bodyOf(call);
  const given = body['amount'] === undefined ? undefined : minorOf(body['amount'], '/amount');
  if (status === 'VOIDED')
    throw unprocessable('AUTHORIZATION_VOIDED', 'A voided authorization cannot be captured or reauthorized.');
  if (status === 'CAPTURED')
    throw unprocessable('AUTHORIZATION_ALREADY_CAPTURED', 'Authorization has already been captured.');
  if (account.now() - authorization.createdMs > AUTHORIZED_MS)
    throw unprocessable('AUTHORIZATION_EXPIRED', 'An expired authorization cannot be captured.');
  if (given !== undefined && given.currency !== authorization.currency)
    throw unprocessable(
      'AUTH_CAPTURE_CURRENCY_MISMATCH',
      'Currency of capture must be the same as currency of authorization.',
    );
  const minor = given?.minor ?? most - capturedMinor;
  if (minor > most - capturedMinor)
    throw unprocessable('MAX_CAPTURE_AMOUNT_EXCEEDED', 'Capture amount exceeds allowable limit.');
  const isFinal = body['final_capture'] !== false || minor === most - capturedMinor;
  const taken = capture(account, {
    orderId,
    authorizationId: id,
    minor,
    currency: authorization.currency,
    isFinal,
  });
  account.put('authorizations', {
    ...authorization,
    status: isFinal ? 'CAPTURED' : 'PARTIALLY_CAPTURED',
    capturedMinor: capturedMinor + minor,
    updatedMs: account.now(),
  });
  account.put('orders', { ...account.get('orders', orderId), captureId: taken.id, updatedMs: account.now() });
  return taken;
}

export function voidAuthorization(account: Account, id: string): Authorization {
  const authorization = account.get('authorizations', id);
  if (authorization.status === 'VOIDED')
    throw unprocessable(
      'PREVIOUSLY_VOIDED',
      'Authorization has been previously voided and hence cannot be voided again.',
    );
  if (authorization.status !== 'CREATED')
    throw unprocessable(
      'PREVIOUSLY_CAPTURED',
      'Authorization has been previously captured and hence cannot be voided.',
    );
  const voided = account.put('authorizations', {
    ...authorization,
    status: 'VOIDED',
    updatedMs: account.now(),
  });
  account.emit('PAYMENT.AUTHORIZATION.VOIDED', 'authorization', authorizationShape(account, voided));
  return voided;
}

export function capture(
  account: Account,
  taken: Pick<Capture, 'orderId' | 'authorizationId' | 'minor' | 'currency' | 'isFinal'>,
): Capture {
  const nowMs = account.now();
  const feeMinor = feeOf(taken.minor);
  const made = account.put('captures', {
    ...taken,
    id: newId(),
    status: 'COMPLETED',
    refundedMinor: 0,
    feeMinor,
    isDisputed: false,
    createdMs: nowMs,
    updatedMs: nowMs,
  });
  account.move(made, { code: 'T0006', minor: made.minor, feeMinor }, made.id);
  account.emit('PAYMENT.CAPTURE.COMPLETED', 'capture', captureShape(account, made));
  return made;
}

export function refundCapture(account: Account, id: string, call: ApiCall): Refund {
  const before = account.get('captures', id);
  const body = bodyOf(call);
  const given = body['amount'] === undefined ? undefined : minorOf(body['amount'], '/amount');
  const note = text(body, 'note_to_payer', { max: NOTE_CHARS_MAX });
  const customId = text(body, 'custom_id', { max: CUSTOM_CHARS_MAX });
  if (before.isDisputed)
    throw unprocessable(
      'REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK',
      'Refunds are not allowed on this capture due to a chargeback on the card or bank.',
    );
  if (before.status === 'REFUNDED')
    throw unprocessable('CAPTURE_FULLY_REFUNDED', 'The capture has already been fully refunded.');
  if (given !== undefined && given.currency !== before.currency)
    throw unprocessable(
      'REFUND_CAPTURE_CURRENCY_MISMATCH',
      'Refund must be in the same currency as the capture.',
    );
  const left = before.minor - before.refundedMinor;
  const minor = given?.minor ?? left;
  if (minor > left)
    throw unprocessable(
      'REFUND_AMOUNT_EXCEEDED',
      'The refund amount must be less than or equal to the capture amount that has not yet been refunded.',
    );
  const refundedMinor = before.refundedMinor + minor;
  const status = refundedMinor === before.minor ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
  account.put('captures', { ...before, refundedMinor, status, updatedMs: account.now() });
  const { currency } = before;
  const refund = account.put('refunds', {
    id: newId(),
    captureId: id,
    minor,
    currency,
    note,
    customId,
    createdMs: account.now(),
  });
  account.move(before, { code: 'T1107', minor: -minor }, refund.id);
  account.emit('PAYMENT.CAPTURE.REFUNDED', 'refund', refundShape(account, refund));
  return refund;
}

/** The buyer or their bank disputes it: the money is held until it is resolved. */
export function openDispute(account: Account, captureId: string): Dispute {
  const before = account.get('captures', captureId);
  const minor = before.minor - before.refundedMinor;
  account.put('captures', { ...before, isDisputed: true });
  const { currency } = before;
  const id = `PP-R-${newId().slice(0, 3)}-${newId().slice(0, 8)}`;
  const dispute = account.put('disputes', {
    id,
    captureId,
    minor,
    currency,
    status: 'OPEN',
    createdMs: account.now(),
  });
  account.move(before, { code: 'T1110', minor: -minor });
  account.emit('CUSTOMER.DISPUTE.CREATED', 'dispute', disputeShape(account, dispute));
  return dispute;
}

export function closeDispute(account: Account, id: string, outcome: 'won' | 'lost'): Dispute {
  const before = account.get('disputes', id);
  if (before.status === 'RESOLVED') return before;
  const dispute = account.put('disputes', {
    ...before,
    status: 'RESOLVED',
    outcome: outcome === 'won' ? 'RESOLVED_SELLER_FAVOUR' : 'RESOLVED_BUYER_FAVOUR',
  });
  const capture = account.get('captures', before.captureId);
  if (outcome === 'won') account.move(capture, { code: 'T1111', minor: before.minor });
  account.emit('CUSTOMER.DISPUTE.RESOLVED', 'dispute', disputeShape(account, dispute));
  return dispute;
}
