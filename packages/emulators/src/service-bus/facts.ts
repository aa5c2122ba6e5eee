/** What Service Bus publishes, and the tests that hold this emulator to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const LEARN = 'https://learn.microsoft.com/azure/service-bus-messaging';
const own = testsOf('packages/emulators/tests/service-bus/server.test.ts');
const limits = testsOf('packages/emulators/tests/service-bus/limits.test.ts');
const depths = testsOf('tests/contract/queue-depths.test.ts');
const queue = testsOf('packages/emulators/tests/service-bus/queue.test.ts');

export const serviceBusFacts: EmulatorFacts = {
  id: 'service-bus',
  title: 'Service Bus',
  folder: 'packages/emulators/src/service-bus',
  scope: {
    serves:
      'queues: peek-lock, dead-lettering, scheduling, deferral, sessions, duplicate detection, time to live, credits and limits of the tiers',
    lacks: 'topics, transactions, authorization, the administration client',
    suites: [
      'packages/emulators/tests/service-bus/server.test.ts',
      'packages/emulators/tests/service-bus/limits.test.ts',
    ],
  },
  facts: [
    {
      kind: 'limit',
      what: 'a message, and a batch, has at most 256 kB in Basic and Standard',
      source: `${LEARN}/service-bus-quotas`,
      held: own('refuses a message over the limit and stays usable'),
    },
    {
      kind: 'limit',
      what: 'the name of a queue has at most 260 characters',
      source: `${LEARN}/service-bus-quotas`,
      held: testsOf('packages/emulators/tests/service-bus/registry.test.ts')("refuse the name '%s'"),
    },
    {
      kind: 'limit',
      what: 'a queue has at most 1 GB unless it is made larger, and is then full',
      source: `${LEARN}/service-bus-quotas`,
      held: limits('is a gigabyte unless set; a full one refuses until something is taken out'),
    },
    {
      kind: 'validation',
      what: 'a lock lasts five minutes at most',
      source: `${LEARN}/message-transfers-locks-settlement`,
      held: 'because tests need shorter ones than the five seconds that Azure begins at; what is deployed is in the template',
    },
    {
      kind: 'validation',
      what: 'a queue with sessions takes only messages with one, and only receivers of one',
      source: `${LEARN}/message-sessions`,
      held: own('refuses a message without a session, and a receiver without one'),
    },
    {
      kind: 'error',
      what: 'a queue that is not there is MessagingEntityNotFound',
      source: `${LEARN}/service-bus-messaging-exceptions`,
      held: own('answers for a queue that does not exist'),
    },
    {
      kind: 'error',
      what: 'busy is ServiceBusy, and nothing was stored',
      source: `${LEARN}/service-bus-throttling`,
      held: own('error on send: refused as busy, and nothing is stored'),
    },
    {
      kind: 'error',
      what: 'settling after the lock has ended is MessageLockLost',
      source: `${LEARN}/service-bus-messaging-exceptions`,
      held: own('redelivers after the lock expired, and refuses the late settlement'),
    },
    {
      kind: 'error',
      what: 'without a right, a link is refused as amqp:unauthorized-access',
      source: `${LEARN}/service-bus-amqp-protocol-guide`,
      held: testsOf('tests/integration/rights.test.ts')(
        'a call that a role does not allow is refused as the cloud would refuse it',
      ),
    },
    {
      kind: 'shape',
      what: 'messages carry their properties and the types of AMQP',
      source: `${LEARN}/service-bus-amqp-protocol-guide`,
      held: own('keeps AMQP types that JavaScript cannot tell apart'),
    },
    {
      kind: 'shape',
      what: 'a message that failed too often is in the sub-queue with MaxDeliveryCountExceeded',
      source: `${LEARN}/service-bus-dead-letter-queues`,
      held: own('dead-letters a message that failed as often as the queue allows'),
    },
    {
      kind: 'shape',
      what: 'peeking shows messages in every state and locks none',
      source: `${LEARN}/message-browsing`,
      held: own('shows messages in every state without locking them'),
    },
    {
      kind: 'timing',
      what: 'a lock ends at its duration, and the delivery is counted',
      source: `${LEARN}/message-transfers-locks-settlement`,
      held: queue('end at the lock duration exactly: the holder is told, and the delivery is counted'),
    },
    {
      kind: 'timing',
      what: 'an expired message is dropped, or dead-lettered where the queue says so',
      source: `${LEARN}/message-expiration`,
      held: own("dead-letters expired messages where the queue says so, by the queue's own time to live"),
    },
    {
      kind: 'timing',
      what: 'a scheduled message becomes available at its time',
      source: `${LEARN}/message-sequencing`,
      held: own('makes a scheduled message available when its time has come'),
    },
    {
      kind: 'timing',
      what: 'a second message with the same id is dropped within the window',
      source: `${LEARN}/duplicate-detection`,
      held: own('drops a second message with the same id within the detection window, and only within it'),
    },
    {
      kind: 'timing',
      what: 'idle links are closed after minutes',
      source: `${LEARN}/service-bus-amqp-troubleshoot`,
      held: limits('a link that nothing used for ten minutes is detached, and the next send opens another'),
    },
    {
      kind: 'tier',
      what: 'Basic and Standard have 1,000 credits a second for sending, receiving and peeking; beyond them ServiceBusy',
      source: `${LEARN}/service-bus-throttling`,
      held: limits('a send without any is refused, changes nothing and names the code'),
    },
    {
      kind: 'tier',
      what: 'reading a queue as a resource takes 10 credits, a token and an API version',
      source: `${LEARN}/service-bus-throttling`,
      held: depths('costs 60 credits however many messages there are, and counts every one'),
    },
    {
      kind: 'tier',
      what: 'Basic has no sessions, no duplicate detection and no topics',
      source: 'https://azure.microsoft.com/pricing/details/service-bus/',
      held: limits('has no %s'),
    },
    {
      kind: 'tier',
      what: 'topics, transactions, Entra',
      source: `${LEARN}/service-bus-messaging-overview`,
      held: 'because the product uses neither topics nor transactions; who may what is judged by the rights proxy (decision 0050)',
    },
  ],
};
