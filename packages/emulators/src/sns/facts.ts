/** What SNS publishes about SMS, and the tests that hold this emulator to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const GUIDE = 'https://docs.aws.amazon.com/sns/latest/dg';
const API = 'https://docs.aws.amazon.com/sns/latest/api';
const FILE = 'packages/emulators/tests/sns.test.ts';
const own = testsOf(FILE);

export const snsFacts: EmulatorFacts = {
  id: 'sns',
  title: 'SNS (SMS)',
  folder: 'packages/emulators/src/sns',
  scope: {
    serves: 'SMS to phone numbers, opt-outs, SigV4, and what was sent, as JSON',
    lacks:
      'topics, subscriptions, push, the sandbox of a new account, spending limits, delivery logs; nothing is kept on disk',
    suites: [FILE],
  },
  facts: [
    {
      kind: 'limit',
      what: 'a publish has at most 1,600 characters',
      source: `${GUIDE}/sms_publish-to-phone.html`,
      held: own('%s', 'more than 1,600 characters'),
    },
    {
      kind: 'limit',
      what: 'an SMS has 160 septets of GSM or 70 units of UCS-2; of several each has 153 or 67',
      source: 'https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-character.html',
      held: own('%s', '161 are two'),
    },
    {
      kind: 'limit',
      what: 'publishes of SMS are granted per second and country, and cost money up to a limit of the account',
      source: 'https://docs.aws.amazon.com/general/latest/gr/sns.html',
      held: 'because no test sends so many; a fault rule throttles',
    },
    {
      kind: 'validation',
      what: 'a phone number is E.164: a plus and 15 digits at most',
      source: `${GUIDE}/sms_publish-to-phone.html`,
      held: own('%s', 'a number without its plus'),
    },
    {
      kind: 'validation',
      what: 'a sender id has one to eleven letters and digits, one letter at least',
      source: `${GUIDE}/sms_publish-to-phone.html`,
      held: own('%s', 'a sender id of more than eleven characters'),
    },
    {
      kind: 'validation',
      what: 'a request is signed with Signature Version 4, its body too, for this region and of this time',
      source: 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html',
      held: own('a request without a signature, and one that was changed on the way'),
    },
    {
      kind: 'error',
      what: 'a number that cannot be sent to is InvalidParameter: "… is not valid to publish to"',
      source: 'https://github.com/aws/aws-sdk-js/issues/1368',
      held: own('%s', 'a number of nobody'),
    },
    {
      kind: 'error',
      what: 'throttling is Throttled (429), and can be tried again',
      source: `${API}/API_CheckIfPhoneNumberIsOptedOut.html`,
      held: own('throttling is 429, and nothing is sent'),
    },
    {
      kind: 'shape',
      what: 'a publish has no key: a second one is a second SMS',
      source: `${API}/API_Publish.html`,
      held: own('published twice is two SMS: there is no key'),
    },
    {
      kind: 'shape',
      what: 'a publish to a number that has opted out is taken, and not delivered; whether one has is a question of its own',
      source: 'https://github.com/KensioSoftware/yulin/pull/649',
      held: own('is known, and gets nothing though the publish is taken'),
    },
    {
      kind: 'timing',
      what: 'a number is opted in again once in 30 days',
      source: `${API}/API_OptInPhoneNumber.html`,
      held: own('is opted in again once in 30 days'),
    },
    {
      kind: 'tier',
      what: 'a new account is in a sandbox: it sends to numbers that were verified',
      source: `${GUIDE}/sns-sms-sandbox.html`,
      held: 'because it is about an account, and passes',
    },
  ],
};
