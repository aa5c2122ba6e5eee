import { expect, test } from '@jest/globals';
import { wakerBy, wakerOn, wokenKey } from '../../src/shared/wake-message.ts';
import { MemoryQueue } from '../helpers/memory-queue.ts';

test('keys of records with content are woken by their own queue, and a queue without keys is not asked', async () => {
  const [content, others] = [new MemoryQueue(), new MemoryQueue()];
  const wake = wakerBy((key) => key.startsWith('object:'), {
    content: wakerOn(content),
    others: wakerOn(others),
  });
  const keysIn = (queue: MemoryQueue) => queue.sent.map(({ body }) => wokenKey(body));
  await wake(['user:1', 'object:1', 'user:2', 'object:2']);
  expect([keysIn(content), keysIn(others)]).toEqual([
    ['object:1', 'object:2'],
    ['user:1', 'user:2'],
  ]);
  others.send = () => Promise.reject(new Error('nobody is to ask it'));
  await wake(['object:3']);
  expect(keysIn(content)).toHaveLength(3);
});

test.each(['', '{', '[]', '{"key":1}', '{"key":"nothing"}', '{"Records":[]}'])('%j names no key', (body) => {
  expect(wokenKey(body)).toBeUndefined();
});
