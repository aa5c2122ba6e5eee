/** One batch of a queue: what is set aside, and what is handed back. */
import { expect, test } from '@jest/globals';
import { TooLargeError, UnavailableError } from '@tandem-clouds/replication/errors';
import type { Disposition, InboundMessage } from '@tandem-clouds/replication/ports/queue';
import { deadLettersOn } from '../../../src/shared/adapters/dead-letters.ts';
import { probeMessage } from '../../../src/shared/adapters/probe-message.ts';
import { settleBatch } from '../../../src/shared/adapters/settle-batch.ts';
import { timeLimit } from '../../../src/shared/time-limit.ts';
import { MemoryQueue } from '../../helpers/memory-queue.ts';

const dead: Disposition = { kind: 'dead', reason: 'malformed', detail: 'the message is not JSON' };
const messageOf = (id: string): InboundMessage => ({ id, body: id, attributes: {}, attempts: 1 });

test.each([
  ['for good', new TooLargeError('too large with its reason')],
  ['for now', new UnavailableError('throttled')],
])('a letter that the dead-letter queue refuses %s is handed back by itself', async (_, error) => {
  const queue = new MemoryQueue();
  queue.refuse = ({ body }) => (body === 'b' ? error : undefined);
  const counted: object[] = [];
  const retries = await settleBatch(
    'tandem-in',
    ['a', 'b', 'c', 'd'].map(messageOf),
    () => Promise.resolve([dead, dead, { kind: 'done' }, dead]),
    {
      deadLetters: deadLettersOn(queue),
      logger: { log: () => undefined },
      metrics: { record: (values) => void counted.push(values) },
      times: { handle: timeLimit({ ms: 1_000 }), send: () => timeLimit({ ms: 1_000 }) },
    },
  );
  expect(retries).toEqual([{ message: messageOf('b'), error }]);
  expect(queue.sent.map(({ body, attributes }) => [body, attributes?.['reason']])).toEqual([
    ['a', 'malformed'],
    ['d', 'malformed'],
  ]);
  expect(counted).toEqual([{ DeadLetters: 2 }]);
});

test('a probe is completed and never handled; what only claims to be one is a message like any other', async () => {
  const { body, attributes = {} } = probeMessage('aws-us-east-1');
  const probe: InboundMessage = { id: 'p', body, attributes, attempts: 1 };
  const seen: string[] = [];
  const retries = await settleBatch(
    'tandem-in',
    [
      probe,
      messageOf('a'),
      { ...probe, id: 'b', body: '{"event":1}' },
      { ...probe, id: 'c', attributes: {} },
    ],
    (messages) => {
      seen.push(...messages.map(({ id }) => id));
      return Promise.resolve(messages.map(() => ({ kind: 'done' })));
    },
    {
      deadLetters: deadLettersOn(new MemoryQueue()),
      logger: { log: () => undefined },
      metrics: { record: () => undefined },
      times: { handle: timeLimit({ ms: 1_000 }), send: () => timeLimit({ ms: 1_000 }) },
    },
  );
  expect(seen).toEqual(['a', 'b', 'c']);
  expect(retries).toEqual([]);
});
