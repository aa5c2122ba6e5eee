import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { MessageDraft } from '../../src/service-bus/message.ts';
import { JOURNAL_FILE } from '../../src/service-bus/queue-journal.ts';
import { QueueRegistry } from '../../src/service-bus/queue-registry.ts';

let dataDir: string;
let open: QueueRegistry[] = [];

beforeEach(() => {
  dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'service-bus-registry-'));
});

afterEach(() => {
  for (const registry of open) registry.close();
  open = [];
  fs.rmSync(dataDir, { recursive: true, force: true });
});

function openRegistry(): QueueRegistry {
  const registry = new QueueRegistry({
    dataDir,
    now: () => 1000,
    changed: () => undefined,
    compactAtBytes: 20_000,
  });
  open.push(registry);
  return registry;
}

function draft(id: string, bytes = 100): MessageDraft {
  const bare = Buffer.alloc(bytes, id);
  return {
    id,
    sessionId: undefined,
    annotations: Buffer.from([0xa3, 1, 0x61, 0x40]),
    bare,
    priority: undefined,
    ttlMs: undefined,
    scheduledAt: undefined,
  };
}

describe('the journal', () => {
  test('is rewritten when most of it is about messages that are gone, and loses nothing', () => {
    const registry = openRegistry();
    const queue = registry.createQueue('work', { maxDeliveryCount: 2 });
    queue.enqueue([draft('kept'), draft('dead')]);
    const [kept, dead] = [queue.receive({}), queue.receive({})];
    queue.settle(kept?.token ?? '', { kind: 'abandon' });
    queue.settle(dead?.token ?? '', { kind: 'deadLetter' });
    const keeper = queue.receive({});
    let longest = 0;
    for (let i = 0; i < 500; i += 1) {
      queue.enqueue([draft(`m-${i}`)]);
      queue.receiveAndDelete();
      registry.compactIfWorthIt();
      longest = Math.max(longest, registry.journalLength);
    }
    expect(keeper?.message.id).toBe('kept');
    expect(longest).toBeLessThan(200);
    const file = path.join(dataDir, JOURNAL_FILE);
    expect(fs.statSync(file).size).toBeLessThan(40_000);
    registry.close();

    const reopened = openRegistry();
    expect(reopened.counts('work')).toMatchObject({ ready: 1, locked: 0, deadLetter: 1 });
    const [message] = reopened.all()[0]?.peek(1, 1) ?? [];
    expect(message).toMatchObject({ id: 'kept', deliveryCount: 1, expiresAt: Infinity });
    expect(message?.bare.equals(draft('kept').bare)).toBe(true);
    expect(message?.annotations.equals(draft('kept').annotations)).toBe(true);
    expect(reopened.all()[0]?.enqueue([draft('next')])).toEqual([503]);
  });

  test('is left alone while it is all live', () => {
    const registry = openRegistry();
    const queue = registry.createQueue('work');
    for (let i = 0; i < 600; i += 1) {
      queue.enqueue([draft(`m-${i}`)]);
      registry.compactIfWorthIt();
    }
    registry.close();
    expect(openRegistry().counts('work').ready).toBe(600);
  });
});

describe('queues', () => {
  test('keep their options over a restart, and take new ones', () => {
    openRegistry().createQueue('Work', { lockDurationMs: 5000 });
    open[0]?.close();
    const registry = openRegistry();
    expect(registry.createQueue('work').settings.lockDurationMs).toBe(5000);
    expect(registry.createQueue('WORK', { maxDeliveryCount: 4 }).settings).toMatchObject({
      lockDurationMs: 30_000,
      maxDeliveryCount: 4,
    });
    expect(registry.all()).toHaveLength(1);
    registry.close();
    expect(openRegistry().createQueue('work').settings.maxDeliveryCount).toBe(4);
  });

  test('creating one again with the same options writes nothing', () => {
    const registry = openRegistry();
    registry.createQueue('work', { lockDurationMs: 5000 });
    const before = registry.journalLength;
    registry.createQueue('work', { lockDurationMs: 5000 });
    registry.createQueue('work');
    expect(registry.journalLength).toBe(before);
  });

  test('report every mistake in their options at once', () => {
    const options = { lockDurationMs: 0, maxDeliveryCount: 1.5, colour: 'red' };
    expect(() => openRegistry().createQueue('work', options as never)).toThrow(
      /options\.lockDurationMs: .*; options\.maxDeliveryCount: .*; options\.colour: unknown field/,
    );
  });

  test.each(['', '$cbs', 'a b', '/a', 'a/', 'x'.repeat(261)])("refuse the name '%s'", (name) => {
    expect(() => openRegistry().createQueue(name)).toThrow(/^name:/);
  });

  test('that do not exist are named in the error', () => {
    expect(() => openRegistry().counts('missing')).toThrow("there is no queue 'missing'");
  });
});
