/** What PayPal publishes, and the tests that hold this emulator to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const ORDERS = 'https://developer.paypal.com/docs/api/orders/v2/';
const PAYMENTS = 'https://developer.paypal.com/docs/api/payments/v2/';
const REST = 'https://developer.paypal.com/api/rest';
const ERRORS = `${REST}/reference/orders/v2/errors/`;
const FILE = 'packages/emulators/tests/paypal.test.ts';
const own = testsOf(FILE);

export const paypalFacts: EmulatorFacts = {
  id: 'paypal',
  title: 'PayPal',
  folder: 'packages/emulators/src/paypal',
  scope: {
    serves:
      'Orders v2 of one purchase unit, authorizations, captures, refunds, disputes, the search for transactions, webhooks with their signature and its verification, PayPal-Request-Id, tokens',
    lacks:
      'cards and wallets as a payment source, vaults, shipping, payees, reauthorization, subscriptions, payouts; orders do not expire; fees are ours',
    suites: [FILE, 'tests/contract/payments.test.ts'],
  },
  facts: [
    {
      kind: 'limit',
      what: 'custom_id and invoice_id have at most 127 characters',
      source: ORDERS,
      held: own('with %s are refused by issue', 'a long custom_id'),
    },
    {
      kind: 'limit',
      what: 'a search for transactions spans at most 31 days',
      source: 'https://developer.paypal.com/docs/api/transaction-search/v1/',
      held: own('is listed by what has moved it, three hours late'),
    },
    {
      kind: 'validation',
      what: 'an amount is above zero',
      source: ERRORS,
      held: own('with %s are refused by issue', 'nothing to pay'),
    },
    {
      kind: 'validation',
      what: 'HUF, JPY and TWD have no decimals, the others two',
      source: `${REST}/reference/currency-codes/`,
      held: own('with %s are refused by issue', 'a part of a yen'),
    },
    {
      kind: 'validation',
      what: 'an account that is set so pays an invoice id once',
      source: ERRORS,
      held: own('of an invoice that was paid are refused'),
    },
    {
      kind: 'validation',
      what: 'never more is refunded than was captured, in its currency',
      source: PAYMENTS,
      held: own('is paid back in parts, never more than was paid'),
    },
    {
      kind: 'error',
      what: 'a request without a token that holds is 401',
      source: `${REST}/authentication/`,
      held: own('need a token of the application, which ends after nine hours'),
    },
    {
      kind: 'error',
      what: 'what the buyer has not approved is ORDER_NOT_APPROVED, and what is authorized ORDER_ALREADY_AUTHORIZED',
      source: ERRORS,
      held: own('are authorized when the buyer has approved them, once'),
    },
    {
      kind: 'error',
      what: 'an authorization is captured or voided, once',
      source: PAYMENTS,
      held: own('are captured or voided, once'),
    },
    {
      kind: 'error',
      what: 'two requests at once with one PayPal-Request-Id: one of them may fail',
      source: `${REST}/reference/idempotency/`,
      held: 'because a request is served at once here; a fault rule with the code PREVIOUS_REQUEST_IN_PROGRESS refuses',
    },
    {
      kind: 'shape',
      what: 'an order is patched until it is completed, in what the table of the reference names',
      source: `${ORDERS}#orders_patch`,
      held: own('are patched until they are completed'),
    },
    {
      kind: 'shape',
      what: 'PayPal says itself whether a webhook is its own',
      source: `${REST}/webhooks/rest/`,
      held: own('webhooks are signed so that PayPal itself can say whether they are its own'),
    },
    {
      kind: 'timing',
      what: 'a PayPal-Request-Id of an order is remembered for 6 hours, and gives its latest state',
      source:
        'https://github.com/paypal/paypal-rest-api-specifications/blob/main/openapi/checkout_orders_v2.json',
      held: own('with the same PayPal-Request-Id make one order for six hours, whatever the body says'),
    },
    {
      kind: 'timing',
      what: 'one of a payment for 45 days',
      source:
        'https://github.com/paypal/paypal-rest-api-specifications/blob/main/openapi/payments_payment_v2.json',
      held: own('of payments are remembered for 45 days'),
    },
    {
      kind: 'timing',
      what: 'an authorization ends after 29 days',
      source: 'https://developer.paypal.com/docs/checkout/standard/customize/authorization/',
      held: own('end after 29 days'),
    },
    {
      kind: 'timing',
      what: 'a transaction is listed after three hours at most',
      source: 'https://developer.paypal.com/docs/api/transaction-search/v1/',
      held: own('is listed by what has moved it, three hours late'),
    },
  ],
};
