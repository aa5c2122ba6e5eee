import { describe, expect, test } from '@jest/globals';
import type { Message } from '../../src/sqs/message.ts';
import { Queue } from '../../src/sqs/queue.ts';

const NOW = 1_700_000_000_000;

function newQueue(name = 'orders', attributes: Record<string, string> = {}): Queue {
  return new Queue({
    name,
    arn: `arn:aws:sqs:us-east-1:000000000000:${name}`,
    createdAt: NOW,
    attributes: { MessageRetentionPeriod: '60', ...attributes },
    tags: {},
  });
}

function newMessage(key: number, change: Partial<Message> = {}): Message {
  return { key, id: `id-${key}`, body: 'x', sentAt: NOW, receiveCount: 0, ...change };
}

const keysOf = (queue: Queue): number[] => queue.visible.map(({ key }) => key);

describe('a queue', () => {
  test('keeps the order of arrival when a message comes back', () => {
    const queue = newQueue();
    queue.put(newMessage(1, { hidden: 'in-flight', hiddenUntil: NOW + 10 }));
    queue.put(newMessage(3));
    queue.put(newMessage(2));
    queue.surface(NOW + 10);
    expect(keysOf(queue)).toEqual([1, 2, 3]);
  });

  test('shows a hidden message at the moment it is due and not before', () => {
    const queue = newQueue();
    queue.put(newMessage(1, { hidden: 'delayed', hiddenUntil: NOW + 10 }));
    queue.surface(NOW + 9);
    expect(keysOf(queue)).toEqual([]);
    queue.surface(NOW + 10);
    expect(keysOf(queue)).toEqual([1]);
  });

  test('still surfaces the later of two hidden messages when the earlier one was removed', () => {
    const queue = newQueue();
    queue.put(newMessage(1, { hidden: 'in-flight', hiddenUntil: NOW + 5 }));
    queue.put(newMessage(2, { hidden: 'in-flight', hiddenUntil: NOW + 10 }));
    queue.remove(1);
    queue.surface(NOW + 7);
    expect(keysOf(queue)).toEqual([]);
    queue.surface(NOW + 10);
    expect(keysOf(queue)).toEqual([2]);
  });

  test('locks a FIFO group until the last of its messages in flight is gone', () => {
    const queue = newQueue('orders.fifo');
    const inFlight = { groupId: 'a', hidden: 'in-flight', hiddenUntil: NOW + 10 } as const;
    queue.put(newMessage(1, inFlight));
    queue.put(newMessage(2, inFlight));
    queue.remove(1);
    expect(queue.isGroupLocked('a')).toBe(true);
    queue.remove(2);
    expect(queue.isGroupLocked('a')).toBe(false);
  });

  test('does not lock groups on a standard queue', () => {
    const queue = newQueue();
    queue.put(newMessage(1, { groupId: 'a', hidden: 'in-flight', hiddenUntil: NOW + 10 }));
    expect(queue.isGroupLocked('a')).toBe(false);
  });

  test('counts by state and reports the age of the oldest message, even when it is in flight', () => {
    const queue = newQueue();
    queue.put(newMessage(1, { sentAt: NOW - 5_000, hidden: 'in-flight', hiddenUntil: NOW + 10 }));
    queue.put(newMessage(2, { sentAt: NOW - 2_000 }));
    queue.put(newMessage(3, { hidden: 'delayed', hiddenUntil: NOW + 10 }));
    expect(queue.counts(NOW)).toEqual({ visible: 1, inFlight: 1, delayed: 1, oldestAgeMs: 5_000 });
  });

  test('names the visible messages that outlived the retention period', () => {
    const queue = newQueue();
    queue.put(newMessage(1, { sentAt: NOW - 60_000 }));
    queue.put(newMessage(2, { sentAt: NOW - 59_999 }));
    expect(queue.expired(NOW)).toEqual([1]);
  });

  test('wakes a waiting poll when a message arrives', async () => {
    const queue = newQueue();
    const woken = queue.waitForChange(60_000, NOW, new AbortController().signal);
    queue.put(newMessage(1));
    await expect(woken).resolves.toBeUndefined();
  });

  test('releases a waiting poll when its client goes away', async () => {
    const queue = newQueue();
    const gone = new AbortController();
    const released = queue.waitForChange(60_000, NOW, gone.signal);
    gone.abort();
    await expect(released).resolves.toBeUndefined();
  });
});
