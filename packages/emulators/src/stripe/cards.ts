/**
 * The payment methods of the test mode, and what becomes of a charge of each.
 * @see https://docs.stripe.com/testing#cards
 * @see https://docs.stripe.com/declines/codes
 */
import { invalid } from './errors.ts';

export interface Decline {
  readonly code: string;
  readonly decline_code: string;
  readonly message: string;
}

export interface Card {
  readonly brand: string;
  readonly last4: string;
  readonly decline?: Decline;
  /** 3-D Secure is asked for before the charge. */
  readonly authenticates?: boolean;
  /** The charge is disputed as soon as it is made. */
  readonly disputed?: boolean;
  /** A bank debit, which is processing for a while. */
  readonly slow?: boolean;
  /** A refund of it fails after it has succeeded. */
  readonly refundFails?: boolean;
}

const DECLINED = 'Your card was declined.';
const declined = (decline_code: string, message = DECLINED, code = 'card_declined'): Decline => ({
  code,
  decline_code,
  message,
});
const INSUFFICIENT = declined('insufficient_funds', 'Your card has insufficient funds.');

const CARDS: Readonly<Record<string, Card>> = {
  pm_card_visa: { brand: 'visa', last4: '4242' },
  pm_card_mastercard: { brand: 'mastercard', last4: '4444' },
  pm_card_amex: { brand: 'amex', last4: '8431' },
  pm_card_visa_chargeDeclined: { brand: 'visa', last4: '0002', decline: declined('generic_decline') },
  pm_card_visa_chargeDeclinedInsufficientFunds: { brand: 'visa', last4: '9995', decline: INSUFFICIENT },
  pm_card_visa_chargeDeclinedLostCard: { brand: 'visa', last4: '9987', decline: declined('lost_card') },
  pm_card_visa_chargeDeclinedStolenCard: { brand: 'visa', last4: '9979', decline: declined('stolen_card') },
  pm_card_visa_chargeDeclinedVelocityLimitExceeded: {
    brand: 'visa',
    last4: '6975',
    decline: declined('card_velocity_exceeded'),
  },
  pm_card_chargeDeclinedExpiredCard: {
    brand: 'visa',
    last4: '0069',
    decline: declined('expired_card', 'Your card has expired.', 'expired_card'),
  },
  pm_card_chargeDeclinedIncorrectCvc: {
    brand: 'visa',
    last4: '0127',
    decline: declined('incorrect_cvc', "Your card's security code is incorrect.", 'incorrect_cvc'),
  },
  pm_card_chargeDeclinedProcessingError: {
    brand: 'visa',
    last4: '0119',
    decline: declined(
      'processing_error',
      'An error occurred while processing your card. Try again in a little bit.',
      'processing_error',
    ),
  },
  pm_card_threeDSecure2Required: { brand: 'visa', last4: '3220', authenticates: true },
  pm_card_authenticationRequired: { brand: 'visa', last4: '3184', authenticates: true },
  pm_card_threeDSecureRequiredChargeDeclined: {
    brand: 'visa',
    last4: '1629',
    authenticates: true,
    decline: declined('generic_decline'),
  },
  pm_card_authenticationRequiredChargeDeclinedInsufficientFunds: {
    brand: 'visa',
    last4: '3178',
    authenticates: true,
    decline: INSUFFICIENT,
  },
  pm_card_createDispute: { brand: 'visa', last4: '0259', disputed: true },
  pm_card_refundFail: { brand: 'visa', last4: '3500', refundFails: true },
  pm_usBankAccount_success: { brand: 'ach', last4: '6789', slow: true },
};

/** @throws StripeError when there is none. */
export function cardOf(id: string): Card {
  const card = Object.hasOwn(CARDS, id) ? CARDS[id] : undefined;
  if (card !== undefined) return card;
  throw invalid(`No such PaymentMethod: '${id}'`, { code: 'resource_missing', param: 'payment_method' });
}
