import { describe, expect, test } from '@jest/globals';
import { bodyBytesMax } from '../../../src/shared/bounds.ts';
import { ConflictError } from '../../../src/shared/errors.ts';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { START_MS, TestSite } from '../../../tests/helpers/test-site.ts';
import { applyBatch } from '../src/apply.ts';
import { operationsRemembered, sweepGraceMs, writeFailuresMax } from '../src/bounds.ts';
import { AmbiguousError, TooLargeError, UnavailableError } from '../src/errors.ts';
import type { ReplicationEvent } from '../src/event.ts';
import { increment as countBy } from '../src/policies/counter.ts';
import { fieldValue } from '../src/policies/field.ts';
import { partsOf, type StoredRecord } from '../src/record.ts';
import { encodeStamp } from '../src/stamp.ts';
import { sweep } from '../src/sweep.ts';

const [AWS, AZURE] = ['aws-us-east-1', 'azure-eastus'];
const aws = (peers?: readonly string[]): TestSite => new TestSite('aws-us-east-1', peers);

describe('a local write', () => {
  test('stores state and a marker per peer in one put, then tells the queue', async () => {
    const site = aws(['azure-eastus', 'aws-eu-west-1']);
    const record = await site.write('user:1', { name: 'Ada' });
    const stamp = encodeStamp(START_MS, 0, 'aws-us-east-1');
    expect(site.held('user:1')).toEqual({
      key: 'user:1',
      state: { fields: { name: [stamp, 'Ada'] }, vector: { 'aws-us-east-1': stamp } },
      version: stamp,
      pending: { 'azure-eastus': stamp, 'aws-eu-west-1': stamp },
      pendingSince: START_MS,
      operations: ['op1'],
    });
    expect(record).toEqual(site.held('user:1'));
    const event = JSON.parse(site.outbox.sent[0]?.body ?? '') as ReplicationEvent;
    expect(event).toMatchObject({
      event_id: `aws-us-east-1|user:1|${stamp}`,
      type: 'user.created',
      payload: { name: 'Ada' },
    });
  });

  test('stands when the queue refuses: the marker covers it', async () => {
    const site = aws();
    site.outbox.refuse = () => new UnavailableError('down');
    await site.write('user:1', { name: 'Ada' });
    expect(site.held('user:1')?.pending).toHaveProperty('azure-eastus');
  });

  test('counts as pending from its own time when the clock has gone back', async () => {
    const site = aws();
    site.nowMs += 30_000;
    await site.write('user:1', { name: 'a' });
    site.nowMs -= 30_000;
    await site.write('user:1', { name: 'b' });
    // Else the safe time is `now`, though this write, which was acknowledged before, is at no peer.
    expect(site.held('user:1')?.pendingSince).toBe(START_MS);
  });

  test('is stamped later than what it replaces when the clock has gone back', async () => {
    const site = aws();
    const first = await site.write('user:1', { name: 'a' });
    site.nowMs -= 60_000;
    const second = await site.write('user:1', { name: 'b' });
    expect((second.version ?? '') > (first.version ?? '')).toBe(true);
  });

  test('keeps the time of the oldest pending write', async () => {
    const site = aws();
    await site.write('user:1', { name: 'a' });
    site.nowMs += 5_000;
    expect((await site.write('user:1', { name: 'b' })).pendingSince).toBe(START_MS);
  });

  test('takes effect once when the store lost its answer', async () => {
    const site = aws();
    let lost = false;
    const put = site.store.putMany.bind(site.store);
    site.store.putMany = async (writes) => {
      const results = await put(writes);
      if (lost) return results;
      lost = true;
      return [{ status: 'failed', error: new AmbiguousError('no answer') }];
    };
    let decisions = 0;
    const record = await site.write('user:1', {}, { decide: () => ({ visits: (decisions += 1) }) });
    expect(record.state.fields['visits']?.[1]).toBe(1);
    expect(decisions).toBe(1);
  });

  test('decides again on what a concurrent writer left', async () => {
    const site = aws();
    await site.write('user:1', { count: 0 });
    let raced = false;
    const record = await site.write(
      'user:1',
      {},
      {
        decide: (current) => {
          const count = current?.state.fields['count']?.[1] as number;
          if (!raced) {
            raced = true;
            const held = site.store.items.get('user:1');
            if (held) held.revision += 1;
          }
          return { count: count + 1 };
        },
      },
    );
    expect(record.state.fields['count']?.[1]).toBe(1);
  });

  test('a refusal of the rule is passed on and nothing is written', async () => {
    const site = aws();
    const refuse = (): never => {
      throw new ConflictError('taken');
    };
    await expect(site.write('user:1', {}, { decide: refuse, expectNew: true })).rejects.toThrow('taken');
    expect(site.store.items.size).toBe(0);
    expect(site.outbox.sent).toEqual([]);
  });

  test('gives up on a store that keeps failing, after a bounded number of calls', async () => {
    const site = aws();
    let calls = 0;
    site.store.before = () => {
      calls += 1;
      throw new UnavailableError('down');
    };
    await expect(site.write('user:1', { name: 'a' })).rejects.toThrow(UnavailableError);
    expect(calls).toBe(writeFailuresMax);
  });

  test('refuses a record that takes more than its share of a message, and lets it shrink', async () => {
    const site = aws();
    await site.write('user:1', { a: 'x'.repeat(bodyBytesMax) });
    await expect(site.write('user:1', { b: 'x'.repeat(bodyBytesMax) })).rejects.toThrow(TooLargeError);
    await site.write('user:1', { a: 'x'.repeat(bodyBytesMax - 1) });
  });

  test('lets what two sites wrote at the same time cross as one record, and be made smaller', async () => {
    const [one, other] = [new TestSite(AWS, [AZURE]), new TestSite(AZURE, [AWS])];
    await one.write('user:1', { a: 'x'.repeat(bodyBytesMax) });
    await other.write('user:1', { b: 'x'.repeat(bodyBytesMax) });
    await other.run(applyBatch(other.site, one.outboxDeliveries(), checkEvent));
    other.nowMs += sweepGraceMs + 1;
    expect(await other.run(sweep(other.site))).toMatchObject({ resent: 1, refused: {} });
    await expect(other.write('user:1', { c: 'more' })).rejects.toThrow(TooLargeError);
    await other.write('user:1', { a: null });
  });

  test('remembers a bounded number of operations', async () => {
    const site = aws();
    for (let i = 0; i < operationsRemembered + 3; i += 1) await site.write('user:1', { i });
    expect(site.held('user:1')?.operations).toHaveLength(operationsRemembered);
  });

  test('finds its own effect until exactly as many other operations have followed', async () => {
    const site = new TestSite('aws-us-east-1');
    const write = (operationId: string) => site.write('user:1', { by: operationId }, { operationId });
    const { version } = await write('mine');
    for (let i = 1; i < operationsRemembered; i += 1) await write(`other-${i}`);
    const newest = site.held('user:1')?.version;
    expect((await write('mine')).version).toBe(newest);
    await write('one more');
    expect((await write('mine')).version).not.toBe(version);
    expect(site.held('user:1')?.state.fields['by']?.[1]).toBe('mine');
    expect(operationsRemembered).toBe(8);
  });

  test.each([0, 1, operationsRemembered - 1, operationsRemembered, operationsRemembered + 3])(
    'whose answer is lost takes effect once, or says that it cannot know, when %i others come before it looks',
    async (others) => {
      for (const isDone of [true, false]) {
        const site = aws();
        const count = { decide: () => ({ visits: countBy(1) }) };
        await site.write('user:1', {}, count);
        const put = site.store.putMany.bind(site.store);
        let lost = false;
        site.store.putMany = async (writes) => {
          if (lost) return put(writes);
          lost = true;
          if (isDone) await put(writes);
          for (let n = 0; n < others; n += 1) await site.write('user:1', { n });
          return [{ status: 'failed', error: new AmbiguousError('no answer') }];
        };
        const outcome = await site.write('user:1', {}, count).then(
          () => 'done',
          (error: unknown) => (error as { code: string }).code,
        );
        // It stands right after what it was conditional on, so it is in sight as long as that is.
        const isInSight = others < operationsRemembered;
        const visits = fieldValue(partsOf(site.held('user:1')!.state, 'visits'));
        expect([outcome, visits]).toEqual(isInSight ? ['done', 2] : ['ambiguous', isDone ? 2 : 1]);
      }
    },
  );

  test.each([
    ['a refusal', [{ error: new UnavailableError('no'), others: 20 }]],
    ['a lost race', [{ others: 20 }]],
    // Once another write stands where the unanswered one was to stand, that can no longer be done.
    [
      'a look that found nothing done',
      [{ error: new AmbiguousError('no answer'), others: 1 }, { others: 20 }],
    ],
  ])('goes on past any number of others after %s', async (_, fates: { error?: Error; others: number }[]) => {
    const site = aws();
    await site.write('user:1', { name: 'Ada' });
    const put = site.store.putMany.bind(site.store);
    let left = [...fates];
    site.store.putMany = async (writes) => {
      const [fate, ...rest] = left;
      if (fate === undefined) return put(writes);
      left = [];
      for (let n = 0; n < fate.others; n += 1) await site.write('user:1', { n });
      left = rest;
      return fate.error === undefined ? put(writes) : [{ status: 'failed', error: fate.error }];
    };
    await site.write('user:1', { name: 'Countess' });
    expect(site.held('user:1')?.state.fields['name']?.[1]).toBe('Countess');
  });

  test('whose answer is lost finds by its own rule what it did, however many others came: that is an answer', async () => {
    const site = aws();
    await site.write('user:1', { name: 'Ada' });
    const put = site.store.putMany.bind(site.store);
    let lost = false;
    site.store.putMany = async (writes) => {
      if (lost) return put(writes);
      lost = true;
      await put(writes);
      for (let n = 0; n < 20; n += 1) await site.write('user:1', { n });
      return [{ status: 'failed', error: new AmbiguousError('no answer') }];
    };
    const once = {
      decide: (current: StoredRecord | undefined) =>
        current?.state.fields['done'] === undefined ? { done: true } : undefined,
    };
    expect((await site.write('user:1', {}, once)).state.fields['n']?.[1]).toBe(19);
  });

  test('without peers marks and sends nothing', async () => {
    const site = aws([]);
    await site.write('user:1', { name: 'Ada' });
    expect(site.held('user:1')?.pending).toEqual({});
    expect(site.outbox.sent).toEqual([]);
  });
});
