/** What Stripe publishes, and the tests that hold this emulator to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const API = 'https://docs.stripe.com/api';
const DOCS = 'https://docs.stripe.com';
const FILE = 'packages/emulators/tests/stripe.test.ts';
const own = testsOf(FILE);

export const stripeFacts: EmulatorFacts = {
  id: 'stripe',
  title: 'Stripe',
  folder: 'packages/emulators/src/stripe',
  scope: {
    serves:
      'PaymentIntents, charges, refunds, disputes, payouts, balance transactions, events, signed webhooks, keys of requests; test cards with declines and 3-D Secure',
    lacks:
      'customers, saved payment methods, Checkout, subscriptions, Connect, Radar, API v2; fees and minimum amounts are ours; a processing intent cannot be cancelled',
    suites: [FILE, 'tests/contract/payments.test.ts'],
  },
  facts: [
    {
      kind: 'limit',
      what: 'an amount has at most eight digits',
      source: `${DOCS}/currencies#minimum-and-maximum-charge-amounts`,
      held: own('with %s are refused by code', 'nine digits'),
    },
    {
      kind: 'limit',
      what: 'a charge has a minimum amount',
      source: `${DOCS}/currencies#minimum-and-maximum-charge-amounts`,
      held: own('with %s are refused by code', 'less than the minimum'),
    },
    {
      kind: 'limit',
      what: 'metadata has at most 50 keys of 40 characters, and values of 500',
      source: `${DOCS}/metadata`,
      held: own('carry at most 50 keys of metadata'),
    },
    {
      kind: 'limit',
      what: 'a page has 1 to 100 objects',
      source: `${API}/pagination`,
      held: own('come in pages, newest first, without a gap or a repeat'),
    },
    {
      kind: 'limit',
      what: 'a key answers about 100 requests a second, 25 in a sandbox',
      source: `${DOCS}/rate-limits`,
      held: 'because no test asks so often; a fault rule with the code rate_limit refuses',
    },
    {
      kind: 'validation',
      what: 'an amount in three decimals ends with 0',
      source: `${DOCS}/currencies#three-decimal`,
      held: own('with %s are refused by code', 'thousandths of a dinar'),
    },
    {
      kind: 'validation',
      what: 'a parameter that is not known is refused',
      source: `${DOCS}/error-codes#parameter-unknown`,
      held: own('with %s are refused by code', 'an unknown parameter'),
    },
    {
      kind: 'validation',
      what: 'bodies are form-encoded',
      source: `${API}/request-bodies`,
      held: own('with a body that is not form-encoded are refused'),
    },
    {
      kind: 'validation',
      what: 'other parameters under a known key are refused',
      source: `${API}/idempotent_requests`,
      held: own('are refused for other parameters, and another endpoint'),
    },
    {
      kind: 'validation',
      what: 'never more is refunded than was paid',
      source: `${API}/refunds/create`,
      held: own('is paid back in parts, never more than was paid, and counted in the balance'),
    },
    {
      kind: 'error',
      what: 'a request without the key of the account is 401',
      source: `${API}/authentication`,
      held: own('without the right key are 401'),
    },
    {
      kind: 'error',
      what: 'a decline is 402 with a code and a decline code, by the card',
      source: `${DOCS}/testing#declined-payments`,
      held: own('of %s are declined by code', 'pm_card_visa_chargeDeclinedInsufficientFunds'),
    },
    {
      kind: 'error',
      what: 'what an intent does not allow is payment_intent_unexpected_state',
      source: `${DOCS}/error-codes#payment-intent-unexpected-state`,
      held: own('are charged once and end there'),
    },
    {
      kind: 'error',
      what: 'two requests at once under one key: one of them is 409, idempotency_key_in_use',
      source: `${DOCS}/error-codes#idempotency-key-in-use`,
      held: 'because a request is served at once here; a fault rule with that code refuses',
    },
    {
      kind: 'shape',
      what: 'an intent that needs 3-D Secure has a page to redirect to, and goes on from there',
      source: `${DOCS}/testing#three-ds-cards`,
      held: own('of %s wait for 3-D Secure: %s makes them %s', 'pm_card_threeDSecure2Required'),
    },
    {
      kind: 'shape',
      what: 'a webhook is signed over its time and body, by HMAC-SHA-256',
      source: `${DOCS}/webhooks#verify-manually`,
      held: own('carry a signature with its time, which the SDK accepts for five minutes'),
    },
    {
      kind: 'shape',
      what: 'a dispute takes the amount and a fee, and one that is won gives the amount back',
      source: `${DOCS}/disputes/how-disputes-work`,
      held: own('that a bank disputes is taken back with a fee, and comes again when the dispute is won'),
    },
    {
      kind: 'timing',
      what: 'a key is remembered for 24 hours, and its first answer repeated',
      source: `${API}/idempotent_requests`,
      held: own('repeat the first answer for 24 hours, and then make another'),
    },
    {
      kind: 'timing',
      what: 'a 5xx is repeated too',
      source: `${API}/idempotent_requests`,
      held: own('repeat a 5xx too, with its effect and without'),
    },
    {
      kind: 'timing',
      what: 'search is behind by up to a minute',
      source: `${DOCS}/search#data-freshness`,
      held: own('of a search are behind, and show what was'),
    },
    {
      kind: 'timing',
      what: 'a webhook that is not taken comes again, and any may come twice or in another order',
      source: `${DOCS}/webhooks#automatic-retries`,
      held: own('come again until they are taken, and more than once when faults say so'),
    },
  ],
};
