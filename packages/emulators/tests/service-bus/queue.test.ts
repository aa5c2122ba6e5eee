import { beforeEach, describe, expect, test } from '@jest/globals';
import type { MessageDraft } from '../../src/service-bus/message.ts';
import { Queue } from '../../src/service-bus/queue.ts';
import type { QueueChange } from '../../src/service-bus/queue-changes.ts';
import { type QueueOptions, queueSettings } from '../../src/service-bus/queue-options.ts';
import type { LockHolder } from '../../src/service-bus/session-table.ts';

const START = 1_000_000;
let now = START;
let recorded: { queue: string; change: QueueChange }[] = [];
let tokens = 0;
let diskIsFull = false;

beforeEach(() => {
  now = START;
  recorded = [];
  tokens = 0;
  diskIsFull = false;
});

function newQueue(options: QueueOptions = {}): Queue {
  const deps = (queue: string): ConstructorParameters<typeof Queue>[2] => ({
    now: () => now,
    newToken: () => `token-${(tokens += 1)}`,
    record: (change) => {
      if (diskIsFull) throw new Error('disk full');
      recorded.push({ queue, change: structuredClone(change) });
    },
    changed: () => undefined,
  });
  const dead = new Queue('q/dead', queueSettings({}), deps('q/dead'));
  return new Queue('q', queueSettings(options), deps('q'), dead);
}

function draft(id: string, changes: Partial<MessageDraft> = {}): MessageDraft {
  return {
    id,
    sessionId: undefined,
    annotations: Buffer.alloc(0),
    bare: Buffer.alloc(0),
    priority: undefined,
    ttlMs: undefined,
    scheduledAt: undefined,
    ...changes,
  };
}

const someone: LockHolder = {};
const drafts = (...ids: string[]): MessageDraft[] => ids.map((id) => draft(id));
const token = (queue: Queue): string => queue.receive(someone)?.token ?? 'nothing to receive';
const takeAll = (queue: Queue): string[] => {
  const ids: string[] = [];
  for (let message = queue.receiveAndDelete(); message !== undefined; message = queue.receiveAndDelete()) {
    ids.push(message.id);
  }
  return ids;
};

describe('order', () => {
  test('is that of sending, also for what comes back', () => {
    const queue = newQueue();
    queue.enqueue(drafts('a', 'b', 'c', 'd'));
    const [a, b, c] = [token(queue), token(queue), token(queue)];
    queue.settle(b, { kind: 'abandon' });
    queue.settle(a, { kind: 'abandon' });
    queue.settle(c, { kind: 'abandon' });
    expect(takeAll(queue)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('survives a long backlog that is taken and put back in between', () => {
    const queue = newQueue({ maxDeliveryCount: 100 });
    const ids = Array.from({ length: 5000 }, (_, i) => `m-${i}`);
    queue.enqueue(ids.map((id) => draft(id)));
    const held = Array.from({ length: 3000 }, () => token(queue));
    for (let i = held.length - 1; i >= 0; i -= 2) queue.settle(held[i] ?? '', { kind: 'abandon' });
    for (let i = held.length - 2; i >= 0; i -= 2) queue.settle(held[i] ?? '', { kind: 'complete' });
    const left = ids.filter((_, i) => i >= 3000 || i % 2 === 1);
    expect(takeAll(queue)).toEqual(left);
  });
});

describe('locks', () => {
  test('end at the lock duration exactly: the holder is told, and the delivery is counted', () => {
    const queue = newQueue({ lockDurationMs: 1000 });
    queue.enqueue(drafts('a'));
    const lock = queue.receive(someone);
    if (lock === undefined) throw new Error('expected a lock');
    let lost = 0;
    lock.onLost = () => {
      lost += 1;
    };
    expect(queue.nextDueAt).toBe(START + 1000);
    now = START + 999;
    queue.tick();
    expect(queue.counts).toMatchObject({ ready: 0, locked: 1 });
    now = START + 1000;
    queue.tick();
    expect(queue.counts).toMatchObject({ ready: 1, locked: 0 });
    expect(lost).toBe(1);
    expect(queue.receive(someone)?.message.deliveryCount).toBe(1);
    expect(() => queue.settle(lock.token, { kind: 'complete' })).toThrow(
      expect.objectContaining({ condition: 'com.microsoft:message-lock-lost' }),
    );
  });

  test('are refused after their end even before anybody looked at the clock', () => {
    const queue = newQueue({ lockDurationMs: 1000 });
    queue.enqueue(drafts('a'));
    const held = token(queue);
    now += 1000;
    expect(() => queue.settle(held, { kind: 'complete' })).toThrow(/lock/);
    expect(queue.counts).toMatchObject({ ready: 1, locked: 0 });
  });

  test('renew all or none', () => {
    const queue = newQueue({ lockDurationMs: 1000 });
    queue.enqueue(drafts('a', 'b'));
    const [a, b] = [token(queue), token(queue)];
    now += 500;
    expect(queue.renew([a, b])).toEqual([START + 1500, START + 1500]);
    expect(() => queue.renew([a, 'unknown'])).toThrow(/lock/);
    now = START + 1499;
    queue.tick();
    expect(queue.counts.locked).toBe(2);
  });

  test('leave nothing due once everything is settled and the last deadline has passed', () => {
    const queue = newQueue({ lockDurationMs: 1000 });
    queue.enqueue(drafts('a'));
    queue.settle(token(queue), { kind: 'complete' });
    now += 1000;
    queue.tick();
    expect(queue.nextDueAt).toBe(Infinity);
  });
});

describe('scheduling and expiry', () => {
  test('a scheduled message keeps its number, and its life begins when it becomes available', () => {
    const queue = newQueue();
    queue.enqueue([draft('later', { scheduledAt: START + 5000, ttlMs: 1000 }), draft('now')]);
    expect(queue.counts).toMatchObject({ ready: 1, scheduled: 1 });
    now = START + 5000;
    queue.tick();
    const [later] = queue.peek(1, 1);
    expect(later).toMatchObject({
      sequence: 1,
      state: 'active',
      enqueuedAt: START + 5000,
      expiresAt: START + 6000,
    });
    now = START + 6000;
    queue.tick();
    expect(takeAll(queue)).toEqual(['now']);
  });

  test('a time in the past means now', () => {
    const queue = newQueue();
    queue.enqueue([draft('a', { scheduledAt: START - 1 })]);
    expect(queue.counts).toMatchObject({ ready: 1, scheduled: 0 });
  });

  test('cancelling is all or none', () => {
    const queue = newQueue();
    const sequences = queue.enqueue([draft('a', { scheduledAt: START + 1 }), draft('b')]);
    expect(() => queue.cancelScheduled(sequences)).toThrow(/waiting/);
    expect(queue.counts.scheduled).toBe(1);
    queue.cancelScheduled(sequences.slice(0, 1));
    expect(queue.counts.scheduled).toBe(0);
  });

  test('a message whose life ended under its lock goes when the lock does', () => {
    const queue = newQueue({ lockDurationMs: 1000, deadLetterOnExpiry: true });
    queue.enqueue([draft('a', { ttlMs: 500 })]);
    token(queue);
    now += 600;
    queue.tick();
    expect(queue.counts).toMatchObject({ locked: 1, deadLetter: 0 });
    now = START + 1000;
    queue.tick();
    expect(queue.counts).toMatchObject({ active: 0, deadLetter: 1 });
  });

  test('a deferred message and a dead letter do not expire', () => {
    const queue = newQueue();
    queue.enqueue([draft('deferred', { ttlMs: 500 }), draft('dead', { ttlMs: 500 })]);
    queue.settle(token(queue), { kind: 'defer' });
    queue.settle(token(queue), { kind: 'deadLetter' });
    now += 60_000;
    queue.tick();
    expect(queue.counts).toMatchObject({ deferred: 1, deadLetter: 1 });
    expect(queue.nextDueAt).toBe(Infinity);
  });
});

describe('sessions', () => {
  const inSession = (sessionId: string, id: string): MessageDraft => draft(id, { sessionId });

  test('go to one holder at a time, the longest waiting first', () => {
    const queue = newQueue({ requiresSession: true });
    queue.enqueue([inSession('B', 'b'), inSession('A', 'a')]);
    const first: LockHolder = {};
    const second: LockHolder = {};
    expect(queue.acceptSession(undefined, first)?.id).toBe('B');
    expect(queue.acceptSession(undefined, second)?.id).toBe('A');
    expect(queue.acceptSession(undefined, {})).toBeUndefined();
    expect(() => queue.acceptSession('A', {})).toThrow(
      expect.objectContaining({ condition: 'com.microsoft:session-cannot-be-locked' }),
    );
    queue.releaseSession(first);
    expect(queue.acceptSession(undefined, {})?.id).toBe('B');
  });

  test('lose their lock on time: the holder is told once, and its messages come back counted', () => {
    const queue = newQueue({ requiresSession: true, lockDurationMs: 1000 });
    queue.enqueue([inSession('A', 'a')]);
    let reported = 0;
    const holder: LockHolder = {
      sessionLost: () => {
        reported += 1;
      },
    };
    const session = queue.acceptSession('A', holder);
    const lock = queue.receive(holder, session);
    now += 900;
    expect(queue.renewSession('A')).toBe(START + 1900);
    expect(lock?.lockedUntil).toBe(START + 1900);
    now = START + 1900;
    queue.tick();
    queue.tick();
    expect(reported).toBe(1);
    expect(() => queue.renewSession('A')).toThrow(/session/);
    const again = queue.acceptSession('A', someone);
    expect(queue.receive(someone, again)?.message.deliveryCount).toBe(1);
  });

  test('are forgotten when nothing is left of them', () => {
    const queue = newQueue({ requiresSession: true });
    queue.enqueue([inSession('A', 'a')]);
    const session = queue.acceptSession('A', someone);
    queue.receiveAndDelete(session);
    queue.setSessionState('A', Buffer.from('state'));
    queue.releaseSession(someone);
    expect(queue.sessionIds()).toEqual(['A']);
    queue.setSessionState('A', undefined);
    expect(queue.sessionIds()).toEqual([]);
  });

  test('refuse a whole batch for one message without a session', () => {
    const queue = newQueue({ requiresSession: true });
    expect(() => queue.enqueue([inSession('A', 'a'), draft('b')])).toThrow(
      expect.objectContaining({ condition: 'amqp:not-allowed' }),
    );
    expect(queue.counts.active).toBe(0);
    expect(recorded).toEqual([]);
  });
});

describe('duplicate detection', () => {
  test('remembers an id for the window, also within one send and after it was completed', () => {
    const queue = newQueue({ duplicateDetectionMs: 1000 });
    expect(queue.enqueue(drafts('x', 'x', 'y'))).toEqual([1, 0, 2]);
    takeAll(queue);
    now += 999;
    expect(queue.enqueue(drafts('x'))).toEqual([0]);
    now += 1;
    expect(queue.enqueue(drafts('x'))).toEqual([3]);
  });

  test('forgets an id whose message could not be written down, so that the sender may try again', () => {
    let failing = true;
    const queue = new Queue('q', queueSettings({ duplicateDetectionMs: 1000 }), {
      now: () => now,
      newToken: () => 'token',
      record: () => {
        if (failing) throw new Error('disk full');
      },
      changed: () => undefined,
    });
    expect(() => queue.enqueue(drafts('x'))).toThrow('disk full');
    expect(queue.counts.active).toBe(0);
    failing = false;
    queue.enqueue(drafts('x'));
    expect(queue.counts.active).toBe(1);
  });
});

describe('a change that cannot be written down', () => {
  test.each([
    ['complete', { active: 0, deadLetter: 0 }],
    ['abandon', { active: 1, deadLetter: 0 }],
    ['defer', { active: 0, deferred: 1 }],
    ['deadLetter', { active: 0, deadLetter: 1 }],
  ] as const)('%s is refused, the message stays locked, and the next try counts once', (kind, after) => {
    const queue = newQueue();
    queue.enqueue(drafts('a'));
    const lock = token(queue);
    diskIsFull = true;
    expect(() => queue.settle(lock, { kind })).toThrow('disk full');
    expect(queue.counts).toMatchObject({ locked: 1, deadLetter: 0 });
    diskIsFull = false;
    queue.settle(lock, { kind });
    expect(queue.counts).toMatchObject({ locked: 0, ...after });
    if (kind === 'abandon') expect(queue.peek(1, 1)[0]?.deliveryCount).toBe(1);
  });

  test('when a lock ends, a message becomes due or expires: it happens a little later', () => {
    const queue = newQueue({ lockDurationMs: 1_000 });
    queue.enqueue([
      draft('locked'),
      draft('scheduled', { scheduledAt: START + 1_000 }),
      draft('short', { ttlMs: 1_000 }),
    ]);
    token(queue);
    now += 1_000;
    diskIsFull = true;
    expect(() => queue.tick()).toThrow('disk full');
    expect(queue.nextDueAt).toBeGreaterThan(now);
    diskIsFull = false;
    now = queue.nextDueAt;
    queue.tick();
    expect(takeAll(queue)).toEqual(['locked', 'scheduled']);
  });

  test('taking a message for good leaves it in its place', () => {
    const queue = newQueue();
    queue.enqueue(drafts('a', 'b'));
    diskIsFull = true;
    expect(() => queue.receiveAndDelete()).toThrow('disk full');
    diskIsFull = false;
    expect(takeAll(queue)).toEqual(['a', 'b']);
  });
});

describe('settings', () => {
  test('change for what happens next', () => {
    const queue = newQueue({ lockDurationMs: 1000, maxDeliveryCount: 5 });
    queue.enqueue(drafts('a'));
    queue.settle(token(queue), { kind: 'abandon' });
    queue.configure(queueSettings({ maxDeliveryCount: 2 }));
    queue.settle(token(queue), { kind: 'abandon' });
    expect(queue.counts).toMatchObject({ active: 0, deadLetter: 1 });
  });

  test('do not turn sessions on or off under messages', () => {
    const queue = newQueue();
    queue.enqueue(drafts('a'));
    expect(() => queue.configure(queueSettings({ requiresSession: true }))).toThrow(/requiresSession/);
    takeAll(queue);
    queue.configure(queueSettings({ requiresSession: true }));
    expect(queue.settings.requiresSession).toBe(true);
  });
});

describe('recovery', () => {
  test('replaying what was recorded gives the same queue, with every message unlocked', () => {
    const queue = newQueue({ maxDeliveryCount: 3, duplicateDetectionMs: 60_000 });
    queue.enqueue([...drafts('a', 'b', 'c', 'd', 'e'), draft('f', { scheduledAt: START + 9000 })]);
    queue.settle(token(queue), { kind: 'complete' });
    queue.settle(token(queue), { kind: 'defer' });
    queue.settle(token(queue), { kind: 'deadLetter' });
    queue.settle(token(queue), { kind: 'abandon' });
    token(queue);

    const replayed = newQueue({ maxDeliveryCount: 3, duplicateDetectionMs: 60_000 });
    const changes = recorded.map(({ change }) => change);
    for (const change of changes) replayed.replay(change);
    replayed.settleRecovery();
    expect(replayed.counts).toEqual({ ...queue.counts, ready: 2, locked: 0 });
    expect(replayed.enqueue(drafts('a', 'new'))).toEqual([0, 7]);

    const compacted = newQueue({ maxDeliveryCount: 3, duplicateDetectionMs: 60_000 });
    for (const change of [...replayed.snapshot()]) compacted.replay(change);
    compacted.settleRecovery();
    expect(compacted.counts).toEqual({ ...replayed.counts, deadLetter: 0 });
    expect(compacted.peek(1, 10).map(({ id, deliveryCount }) => [id, deliveryCount])).toEqual([
      ['b', 0],
      ['d', 1],
      ['e', 0],
      ['f', 0],
      ['new', 0],
    ]);
    expect(compacted.enqueue(drafts('a', 'next'))).toEqual([0, 8]);
  });

  test('numbers are not used again after everything was completed and the journal rewritten', () => {
    const queue = newQueue();
    queue.enqueue(drafts('a', 'b'));
    takeAll(queue);
    const reborn = newQueue();
    for (const change of [...queue.snapshot()]) reborn.replay(change);
    reborn.settleRecovery();
    expect(reborn.enqueue(drafts('c'))).toEqual([3]);
  });
});
