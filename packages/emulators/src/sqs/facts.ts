/** What SQS publishes, and the tests that hold this emulator to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const GUIDE = 'https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide';
const API = 'https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference';
const own = testsOf('packages/emulators/tests/sqs/server.test.ts');

export const sqsFacts: EmulatorFacts = {
  id: 'sqs',
  title: 'SQS',
  folder: 'packages/emulators/src/sqs',
  scope: {
    serves:
      'standard and FIFO queues, batches, long polling, visibility, delays, attributes, dead-letter queues and redrive, retention, tags',
    lacks: 'permissions, encryption, ReceiveRequestAttemptId, the 60 seconds between two purges',
    suites: ['packages/emulators/tests/sqs/server.test.ts'],
  },
  facts: [
    {
      kind: 'limit',
      what: 'a message has at most 1 MiB, its attributes included',
      source: `${GUIDE}/quotas-messages.html`,
      held: own('%s is refused', 'a body and attributes of more than 1 MiB together'),
    },
    {
      kind: 'limit',
      what: 'a batch has one to ten entries, with ids of their own',
      source: `${API}/API_SendMessageBatch.html`,
      held: own('a batch with %s is refused as a whole', 'eleven entries'),
    },
    {
      kind: 'limit',
      what: 'a batch has at most 1 MiB in all',
      source: `${API}/API_SendMessageBatch.html`,
      held: own('a batch with %s is refused as a whole', 'more than 1 MiB in all'),
    },
    {
      kind: 'limit',
      what: 'a message has at most ten attributes',
      source: `${GUIDE}/quotas-messages.html`,
      held: own('%s is refused', 'more than ten attributes'),
    },
    {
      kind: 'limit',
      what: 'a message is delayed by at most 15 minutes',
      source: `${GUIDE}/quotas-messages.html`,
      held: own('%s is refused', 'a delay of more than 15 minutes'),
    },
    {
      kind: 'limit',
      what: 'a message is invisible for at most 12 hours',
      source: `${GUIDE}/quotas-messages.html`,
      held: own('%s is refused', 'a visibility timeout above 12 hours'),
    },
    {
      kind: 'limit',
      what: 'about 120,000 messages of a standard queue are in flight at once',
      source: `${GUIDE}/quotas-queues.html`,
      held: 'because no test holds so many; the emulator has the bound (inFlightMax in limits.ts)',
    },
    {
      kind: 'validation',
      what: 'a body holds characters of XML 1.0: no control characters, U+FFFE or U+FFFF; so do attributes',
      source: `${API}/API_SendMessage.html`,
      held: own('%s is refused', 'a code point that is no character'),
    },
    {
      kind: 'validation',
      what: 'attributes of a queue are those of its kind, and within their bounds',
      source: `${API}/API_SetQueueAttributes.html`,
      held: own('%s is refused', 'a FIFO attribute on a standard queue'),
    },
    {
      kind: 'error',
      what: 'a queue that is not there is QueueDoesNotExist, with the code of the query protocol in x-amzn-query-error',
      source: `${API}/CommonErrors.html`,
      held: own('a missing queue is refused with its modelled error and the older code'),
    },
    {
      kind: 'error',
      what: 'an entry of a batch that is refused does not take its neighbours along',
      source: `${API}/API_SendMessageBatch.html`,
      held: own('an entry that is refused does not take its neighbours along'),
    },
    {
      kind: 'error',
      what: 'throttling is retryable',
      source: `${API}/CommonErrors.html`,
      held: own('a throttled request can be retried by the SDK'),
    },
    {
      kind: 'shape',
      what: 'bodies and attributes carry their MD5, and only the attributes that were asked for come back',
      source: `${API}/API_ReceiveMessage.html`,
      held: own('body, attributes and their digests survive the trip'),
    },
    {
      kind: 'shape',
      what: 'a handle goes on to delete after the timeout, until the message is received again',
      source: `${API}/API_DeleteMessage.html`,
      held: own('a handle goes on to delete after the timeout, until the message is received again'),
    },
    {
      kind: 'timing',
      what: 'a received message is invisible until its timeout ends, and each receive counts',
      source: `${GUIDE}/sqs-visibility-timeout.html`,
      held: own('a received message is invisible until its timeout ends, and its count rises'),
    },
    {
      kind: 'timing',
      what: 'a message that was received too often moves to the dead-letter queue with its id and its age',
      source: `${GUIDE}/sqs-dead-letter-queues.html`,
      held: own('a message received too often moves, with its id, its age and its count'),
    },
    {
      kind: 'timing',
      what: 'messages older than the retention period disappear',
      source: `${GUIDE}/sqs-configure-queue-parameters.html`,
      held: own('messages older than the retention period disappear'),
    },
    {
      kind: 'timing',
      what: 'standard queues deliver more than once, and out of order',
      source: `${GUIDE}/standard-queues-at-least-once-delivery.html`,
      held: own('a copy that survives its delete is delivered again'),
    },
    {
      kind: 'timing',
      what: 'counts are approximate, and may be a minute behind',
      source: `${API}/API_GetQueueAttributes.html`,
      held: 'because tests would wait for them; nothing in the product decides by a count',
    },
    {
      kind: 'timing',
      what: '60 seconds between two purges, and between deleting a queue and creating it again',
      source: `${API}/API_PurgeQueue.html`,
      held: 'because the product does neither',
    },
    {
      kind: 'tier',
      what: 'queue policies, and encryption with a key of one’s own',
      source: `${GUIDE}/sqs-using-identity-based-policies.html`,
      held: testsOf('tests/integration/rights.test.ts')(
        'no function is refused a call, and every right is used',
      ),
    },
  ],
};
