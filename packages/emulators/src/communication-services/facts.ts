/** What Azure Communication Services publish about SMS, and the tests that hold this emulator to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const LEARN = 'https://learn.microsoft.com/azure/communication-services';
const REST = 'https://learn.microsoft.com/rest/api/communication';
const SPEC =
  'https://github.com/Azure/azure-rest-api-specs/blob/main/specification/communication/data-plane/Sms/stable/2021-03-07/communicationservicessms.json';
const FILE = 'packages/emulators/tests/communication-services.test.ts';
const own = testsOf(FILE);

export const communicationServicesFacts: EmulatorFacts = {
  id: 'communication-services',
  title: 'Communication Services (SMS)',
  folder: 'packages/emulators/src/communication-services',
  scope: {
    serves:
      'SMS, keys of requests, tokens of an issuer, reports of what does not arrive, and what was sent, as JSON',
    lacks:
      'access keys, mail, chat, calls, numbers that are bought, lists of opt-outs, Event Grid; nothing is kept on disk',
    suites: [FILE],
  },
  facts: [
    {
      kind: 'limit',
      what: 'a message has at most 2,048 characters',
      source: SPEC,
      held: own('%s', 'a text of more than 2,048 characters'),
    },
    {
      kind: 'limit',
      what: 'a request has 1 to 100 recipients',
      source: SPEC,
      held: own('%s', 'more than 100 recipients'),
    },
    {
      kind: 'limit',
      what: 'a number sends so many messages a minute, by what it is',
      source: `${LEARN}/concepts/service-limits`,
      held: 'because no test sends so many; a fault rule throttles',
    },
    {
      kind: 'validation',
      what: 'a sender is a number of the resource, a short code or a sender id',
      source: `${LEARN}/concepts/sms/concepts`,
      held: own('%s', 'a sender that is none'),
    },
    {
      kind: 'validation',
      what: 'a token is for https://communication.azure.com, and of the issuer',
      source: `${LEARN}/concepts/authentication`,
      held: own('a token of another issuer, or for another service'),
    },
    {
      kind: 'error',
      what: 'a request without a token is 401',
      source: `${REST}/errorcodes`,
      held: own('whoever has no token'),
    },
    {
      kind: 'error',
      what: 'throttling is 429',
      source: `${REST}/errorcodes`,
      held: own('throttling is 429 with a time to wait'),
    },
    {
      kind: 'shape',
      what: 'each recipient has a status of its own inside an answer that is 202',
      source: SPEC.replace('communicationservicessms.json', 'examples/send.json'),
      held: own('is answered for each recipient: one that is none is 400 inside an answer that is 202'),
    },
    {
      kind: 'shape',
      what: 'a request with a key that is known is answered as the first time, and sends nothing',
      source: SPEC,
      held: own('sends one SMS, however often, and is answered as the first time'),
    },
    {
      kind: 'shape',
      what: 'a key with another content is refused',
      source: `${REST}/repeatable-requests`,
      held: own('under which something else is sent is refused, as is one that is none'),
    },
    {
      kind: 'timing',
      what: 'a key is known for five minutes, which is written about mail of the same service; after them it is 412',
      source: `${REST}/repeatable-requests`,
      held: own('is forgotten after five minutes'),
    },
    {
      kind: 'timing',
      what: 'an SMS to a number that has opted out is taken, and reported later: "Sender blocked for given recipient"',
      source: `${LEARN}/concepts/sms/sms-faq`,
      held: own('to a number that has opted out is taken, goes to nobody, and is reported later'),
    },
  ],
};
