/** What SMTP says of submission, and the tests that hold this server to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const RFC = 'https://www.rfc-editor.org/rfc';
const FILE = 'packages/emulators/tests/smtp.test.ts';
const own = testsOf(FILE);

export const smtpFacts: EmulatorFacts = {
  id: 'smtp',
  title: 'Mail (SMTP)',
  folder: 'packages/emulators/src/smtp',
  scope: {
    serves:
      'submission by SMTP, with or without TLS; a mailbox in the browser and as JSON; bounces, reported by HTTP',
    lacks: 'delivery to anybody, quotas, DKIM; nothing is kept on disk',
    suites: [FILE],
  },
  facts: [
    {
      kind: 'limit',
      what: 'a mail larger than the size that the server names is refused (552)',
      source: `${RFC}/rfc1870`,
      held: own('a mail that is too large'),
    },
    {
      kind: 'limit',
      what: 'a mail has as many recipients as the server takes, 100 at least',
      source: `${RFC}/rfc5321#section-4.5.3.1.8`,
      held: 'because no mail of ours has two; the 101st gets 452',
    },
    {
      kind: 'validation',
      what: 'submission takes a user and a password: 530 without, 535 with wrong ones',
      source: `${RFC}/rfc4954`,
      held: own('a mail of somebody who has not signed in'),
    },
    {
      kind: 'validation',
      what: 'passwords go over TLS alone',
      source: `${RFC}/rfc8314`,
      held: 'because on loopback nobody listens; with a certificate STARTTLS is offered and no password taken before it',
    },
    {
      kind: 'error',
      what: 'a recipient that does not exist is 550, for good',
      source: `${RFC}/rfc5321#section-4.2.3`,
      held: own('a recipient below refuse.test'),
    },
    {
      kind: 'error',
      what: 'what passes by itself is 4xx, and the client tries again',
      source: `${RFC}/rfc5321#section-4.2.1`,
      held: own('what a fault rule names, with its code'),
    },
    {
      kind: 'shape',
      what: 'a mail that was taken over and whose answer was lost comes again: only its Message-ID says so',
      source: `${RFC}/rfc1047`,
      held: own('a mail whose answer is lost is kept'),
    },
    {
      kind: 'timing',
      what: 'a bounce is reported later, by a mail or by a call of the provider',
      source: `${RFC}/rfc3464`,
      held: own('a mail to %s is taken, and reported as a %s bounce'),
    },
  ],
};
