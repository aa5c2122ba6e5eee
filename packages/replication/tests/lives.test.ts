import { describe, expect, test } from '@jest/globals';
import { deletion } from '../../../src/shared/domain/entity-service.ts';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { TestSite } from '../../../tests/helpers/test-site.ts';
import { applyBatch } from '../src/apply.ts';
import { horizonMs } from '../src/bounds.ts';
import { beat } from '../src/heartbeat.ts';
import type { Changes } from '../src/local-write.ts';
import { increment } from '../src/policies/counter.ts';
import { change, start } from '../src/policies/set.ts';
import { plainValues, type StoredRecord } from '../src/record.ts';

const [AWS, AZURE, OTHER] = ['aws-us-east-1', 'azure-eastus', 'aws-eu-west-1'] as const;
const KEY = 'user:1';
const creates = { keepUnseenTombstone: false } as const;

/** Sites that have heard of each other, unless `heard` is false. */
async function sites(names: readonly string[] = [AWS, AZURE], heard = true): Promise<TestSite[]> {
  const all = names.map(
    (name) =>
      new TestSite(
        name,
        names.filter((peer) => peer !== name),
      ),
  );
  for (const site of all) if (heard) await site.run(beat(site.site));
  await cross(...all);
  return all;
}

/** Delivers everything that was published and not delivered yet, both ways. */
async function cross(...all: readonly TestSite[]): Promise<void> {
  const moved = all.map((site) => {
    const messages = site.outboxDeliveries();
    site.outbox.sent.length = 0;
    return messages;
  });
  for (const [index, messages] of moved.entries()) {
    for (const [other, site] of all.entries())
      if (other !== index) await site.run(applyBatch(site.site, messages, checkEvent));
  }
  for (const site of all)
    for (const entry of site.store.items.values()) {
      const { pendingSince: _, ...record } = entry.record;
      entry.record = { ...record, pending: {} };
    }
}

const write = (site: TestSite, decide: (held: StoredRecord | undefined) => Changes) =>
  site.write(KEY, {}, { decide });
const create = (site: TestSite, labels: readonly string[] = []) =>
  site.write(
    KEY,
    {},
    { creates, decide: () => ({ name: site.site.site, visits: 0, labels: start(labels) }) },
  );
const count = (site: TestSite, by: number) => write(site, () => ({ visits: increment(by) }));
const label = (site: TestSite, ...add: string[]) => write(site, () => ({ labels: change({ add }) }));
const remove = (site: TestSite) => write(site, (held) => deletion(held!));
const shown = (site: TestSite) => plainValues(site.held(KEY)!.state);
const conflicts = (site: TestSite): Record<string, unknown>[] =>
  [...site.store.items.values()]
    .filter(({ record }) => record.key.startsWith('conflict:'))
    .map(({ record }) => plainValues(record.state));

describe('a record that is created again', () => {
  test('shows nothing that the other site still did to its earlier life, which is in the log of both', async () => {
    const [aws, azure] = (await sites()) as [TestSite, TestSite];
    await create(aws, ['red']);
    await cross(aws, azure);
    await label(azure, 'blue', 'green');
    await count(azure, 10);
    await write(azure, () => ({ name: 'of the old life' }));
    await remove(aws);
    await create(aws, ['white']);
    await cross(aws, azure);
    for (const site of [aws, azure]) {
      expect(shown(site)).toEqual({ name: AWS, visits: 0, labels: ['white'] });
      expect(site.held(KEY)?.state).toEqual(aws.held(KEY)?.state);
      const losers = conflicts(site).map(({ field, loser, reason }) => [
        field,
        (loser as { value: unknown }).value,
        reason,
      ]);
      expect(losers).toEqual(
        expect.arrayContaining([
          ['labels', { added: 'blue' }, 'earlier life'],
          ['labels', { added: 'green' }, 'earlier life'],
          ['visits', { counted: 10 }, 'earlier life'],
          ['name', 'of the old life', 'earlier life'],
        ]),
      );
    }
  });

  test('at two sites at the same time is one record, in which both creations count', async () => {
    const [aws, azure] = (await sites()) as [TestSite, TestSite];
    await create(aws);
    await cross(aws, azure);
    await remove(aws);
    await cross(aws, azure);
    await create(aws, ['red']);
    await count(aws, 1);
    await create(azure, ['blue']);
    await count(azure, 2);
    await cross(aws, azure);
    expect(shown(aws)).toMatchObject({ visits: 3, labels: ['red', 'blue'] });
    expect(azure.held(KEY)?.state).toEqual(aws.held(KEY)?.state);
  });

  test('ranks before a higher rank of its earlier life', async () => {
    const [aws, azure] = (await sites()) as [TestSite, TestSite];
    await create(aws);
    await cross(aws, azure);
    await write(azure, () => ({
      owner: (parts, { stamp }) => ({ ...parts, register: [stamp, 'old', '9'] }),
    }));
    await remove(aws);
    await create(aws);
    await write(aws, () => ({ owner: (parts, { stamp }) => ({ ...parts, register: [stamp, 'new', '1'] }) }));
    await cross(aws, azure);
    expect([shown(aws)['owner'], shown(azure)['owner']]).toEqual(['new', 'new']);
  });

  test('remembers the keyed requests of its earlier life, also those of another site', async () => {
    const [aws, azure] = (await sites()) as [TestSite, TestSite];
    await create(aws);
    await cross(aws, azure);
    await write(azure, () => ({ $request: change({ add: ['late'] }) }));
    await write(aws, () => ({ $request: change({ add: ['seen'] }) }));
    await remove(aws);
    await create(aws);
    await cross(aws, azure);
    for (const site of [aws, azure])
      expect(
        Object.values(site.held(KEY)?.state.sets?.['$request'] ?? {})
          .map(([, key]) => key)
          .sort(),
      ).toEqual(['late', 'seen']);
  });

  test('begins no life of its own until every peer has said that it understands', async () => {
    const [aws, azure] = (await sites([AWS, AZURE], false)) as [TestSite, TestSite];
    await create(aws);
    await remove(aws);
    expect((await create(aws)).state.incarnation).toBeUndefined();
    await azure.run(beat(azure.site));
    await cross(aws, azure);
    await remove(aws);
    expect((await create(aws)).state.incarnation).toBe(1);
  });
});

describe('a tombstone that one site has removed and another still holds', () => {
  /** Created, counted, labelled, deleted and known to all, more than a horizon ago; gone at AWS. */
  async function removedAtOne(): Promise<[TestSite, TestSite]> {
    const [aws, azure] = (await sites()) as [TestSite, TestSite];
    await create(aws, ['red']);
    await count(aws, 2);
    await cross(aws, azure);
    await count(azure, 5);
    await remove(aws);
    await cross(aws, azure);
    await azure.run(beat(azure.site));
    for (const site of [aws, azure]) site.nowMs += horizonMs + 1_000;
    aws.store.items.delete(KEY);
    for (const site of [aws, azure])
      for (const key of site.store.items.keys())
        if (key.startsWith('conflict:')) site.store.items.delete(key);
    return [aws, azure];
  }

  test.each([
    ['where it is gone', (aws: TestSite) => aws],
    ['where it is held', (_: TestSite, azure: TestSite) => azure],
  ])('counts for nothing when the id is created again %s', async (_, at) => {
    const [aws, azure] = await removedAtOne();
    const creator = at(aws, azure);
    await create(creator, ['white']);
    await count(creator, 1);
    await cross(aws, azure);
    for (const site of [aws, azure]) {
      expect(shown(site)).toMatchObject({ visits: 1, labels: ['white'] });
      expect(conflicts(site)).toEqual([]);
    }
    await count(azure, 10);
    await cross(aws, azure);
    expect([shown(aws)['visits'], shown(azure)['visits']]).toEqual([11, 11]);
    expect(azure.held(KEY)?.state).toEqual(aws.held(KEY)?.state);
  });

  test('leaves no marker and no version of its own behind', async () => {
    const [aws, azure] = await removedAtOne();
    const entry = azure.store.items.get(KEY)!;
    entry.record = { ...entry.record, pending: { [AWS]: entry.record.version ?? '' }, pendingSince: 1 };
    await create(aws);
    await azure.run(applyBatch(azure.site, aws.outboxDeliveries(), checkEvent));
    const { version, pending, goneSince } = azure.held(KEY)!;
    expect({ version, pending, goneSince }).toEqual({
      version: undefined,
      pending: {},
      goneSince: undefined,
    });
  });

  test('is not brought back by a message from before, once the id has been created again', async () => {
    const [aws, azure] = (await sites()) as [TestSite, TestSite];
    await create(azure, ['red']);
    const late = azure.outboxDeliveries();
    await cross(aws, azure);
    await remove(azure);
    await cross(aws, azure);
    for (const site of [aws, azure]) site.nowMs += horizonMs + 1_000;
    aws.store.items.delete(KEY);
    await create(aws, ['white']);
    const { dispositions } = await aws.run(applyBatch(aws.site, late, checkEvent));
    expect(dispositions).toMatchObject([{ kind: 'dead', reason: 'beyond_horizon' }]);
    expect(shown(aws)).toMatchObject({ labels: ['white'] });
  });
});

test('a record is gone since this site has held it so, not since it was deleted', async () => {
  const [aws, azure] = (await sites([AWS, AZURE, OTHER])) as [TestSite, TestSite];
  await create(aws);
  await remove(aws);
  const deletedMs = aws.nowMs;
  azure.nowMs += 5_000;
  await azure.run(applyBatch(azure.site, aws.outboxDeliveries(), checkEvent));
  expect([aws.held(KEY)?.goneSince, azure.held(KEY)?.goneSince]).toEqual([deletedMs, deletedMs + 5_000]);
  azure.nowMs += 1_000;
  expect((await create(azure)).goneSince).toBeUndefined();
});
