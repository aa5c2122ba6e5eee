/** Erasures as the merge sees them; searches and what they find are the simulator's (`--workload erasure`). */
import { describe, expect, test } from '@jest/globals';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { TestSite } from '../../../tests/helpers/test-site.ts';
import { requestErasure } from '../src/anti-entropy/erase.ts';
import { applyBatch } from '../src/apply.ts';
import { erasedKeptMs, horizonMs } from '../src/bounds.ts';
import { UnavailableError } from '../src/errors.ts';
import { beat } from '../src/heartbeat.ts';
import { erasuresOf, isForgotten } from '../src/lives.ts';
import type { Changes } from '../src/local-write.ts';
import { mergeStates } from '../src/merge.ts';
import { erase, erasuresIn } from '../src/policies/erased.ts';
import { change, start } from '../src/policies/set.ts';
import { DELETED, ERASED, plainValues, type RecordState, REQUESTS } from '../src/record.ts';
import { encodeStamp, nextStamp } from '../src/stamp.ts';

const [AWS, AZURE] = ['aws-us-east-1', 'azure-eastus'] as const;
const KEY = 'user:1';
const creates = { keepUnseenTombstone: false } as const;

async function sites(heard = true): Promise<readonly [TestSite, TestSite]> {
  const [aws, azure] = [new TestSite(AWS, [AZURE]), new TestSite(AZURE, [AWS])];
  if (heard) {
    await aws.run(beat(aws.site));
    await azure.run(beat(azure.site));
  }
  await cross(aws, azure);
  return [aws, azure];
}

async function cross(aws: TestSite, azure: TestSite): Promise<void> {
  const sent = [aws, azure].map((site) => {
    const messages = site.outboxDeliveries();
    site.outbox.sent.length = 0;
    return messages;
  });
  await azure.run(applyBatch(azure.site, sent[0] ?? [], checkEvent));
  await aws.run(applyBatch(aws.site, sent[1] ?? [], checkEvent));
}

const create = (site: TestSite, name: string) =>
  site.write(KEY, {}, { creates, decide: () => ({ name, tags: start([name]) }) });
const put = (site: TestSite, changes: Changes) => site.write(KEY, changes);
const eraseAt = (site: TestSite) =>
  site.write(KEY, {}, { erases: true, decide: () => ({ [DELETED]: true, [ERASED]: 'e1' }) });
const text = (site: TestSite): string => JSON.stringify([...site.store.items.values()]);

describe('a record that is erased', () => {
  test('holds nothing of what the other site did to it meanwhile, with a later stamp or an addition, and nothing logs it', async () => {
    const [aws, azure] = await sites();
    await create(aws, 'Ada');
    await cross(aws, azure);
    await eraseAt(aws);
    await put(azure, { name: 'Ada2', tags: change({ add: ['Ada3'] }) });
    await put(azure, { name: 'Ada4' });
    await cross(aws, azure);
    for (const site of [aws, azure]) {
      expect(plainValues(site.held(KEY)!.state)).toEqual({});
      expect(text(site)).not.toContain('Ada');
    }
    expect(aws.held(KEY)?.state).toEqual(azure.held(KEY)?.state);
  });

  test('begins anew, and keeps that it was erased; what comes late of before adds nothing to that', async () => {
    const [aws, azure] = await sites();
    await create(aws, 'Ada');
    await cross(aws, azure);
    await put(azure, { name: 'late' });
    await eraseAt(aws);
    await create(aws, 'Eve');
    await cross(aws, azure);
    for (const site of [aws, azure]) {
      expect(plainValues(site.held(KEY)!.state)).toMatchObject({ name: 'Eve', tags: ['Eve'] });
      expect(site.held(KEY)?.state.fields[ERASED]?.[1]).toBe('e1');
      expect(text(site)).not.toMatch(/Ada|late/);
    }
  });

  test('remembers no request that had made it', () => {
    const stamp = encodeStamp(1_000, 0, AWS);
    const before: RecordState = {
      fields: {},
      sets: { [REQUESTS]: { [`${AWS}|"r1"`]: [stamp, 'r1'] } },
      vector: { [AWS]: stamp },
    };
    const later = encodeStamp(2_000, 0, AZURE);
    const erased: RecordState = {
      incarnation: 2 ** 20,
      fields: { [DELETED]: [later, true], [ERASED]: [later, 'e1'] },
      vector: { [AZURE]: later },
    };
    for (const { state } of [mergeStates(before, erased), mergeStates(erased, before)]) {
      expect(state.sets).toBeUndefined();
      expect(state.vector).toEqual({ [AWS]: stamp, [AZURE]: later });
    }
    expect(erasuresOf(erased)).toBe(1);
    // Kept for longer than a tombstone.
    const anew = (ms: number): RecordState => {
      const at = nextStamp({ wallMs: 2_000 + ms, site: AWS, after: undefined });
      return { fields: { name: [at, 'x'] }, vector: { [AWS]: at } };
    };
    expect(isForgotten(erased, anew(horizonMs + 10_000))).toBe(false);
    expect(isForgotten(erased, anew(erasedKeptMs + 10_000))).toBe(true);
  });

  test('is not erased while a peer runs a release that would log it', async () => {
    const [aws] = await sites(false);
    await create(aws, 'Ada');
    await expect(eraseAt(aws)).rejects.toThrow(UnavailableError);
    const asked = requestErasure(aws.site, { id: 'e1', why: 'asked', by: 'support' });
    await expect(aws.run(asked)).rejects.toThrow(/semantics 6: upgrade it/);
    expect(plainValues(aws.held(KEY)!.state)).toMatchObject({ name: 'Ada' });
  });
});

describe('a field that is erased', () => {
  test('loses to nobody who had not heard of it, whatever their stamps, and nothing logs it', async () => {
    const [aws, azure] = await sites();
    await create(aws, 'Ada');
    await cross(aws, azure);
    await put(aws, { name: erase('nobody') });
    await put(azure, { name: 'Ada2' });
    await put(azure, { name: 'Ada3' });
    await cross(aws, azure);
    for (const site of [aws, azure]) {
      expect(plainValues(site.held(KEY)!.state)['name']).toBe('nobody');
      expect(JSON.stringify(site.held(KEY)?.state.fields)).not.toContain('Ada');
      expect([...site.store.items.keys()].filter((key) => key.startsWith('conflict:'))).toEqual([]);
    }
  });

  test('is written by who has seen it, and erased again', async () => {
    const [aws, azure] = await sites();
    await create(aws, 'Ada');
    await put(aws, { name: erase() });
    await cross(aws, azure);
    await put(azure, { name: 'Eve' });
    await cross(aws, azure);
    expect(plainValues(aws.held(KEY)!.state)['name']).toBe('Eve');
    await put(aws, { name: erase() });
    await put(azure, { name: 'Eve2' });
    await cross(aws, azure);
    expect(plainValues(azure.held(KEY)!.state)['name']).toBeUndefined();
    expect(erasuresIn(azure.held(KEY)?.state.fields['name'])).toBe(2);
  });
});
