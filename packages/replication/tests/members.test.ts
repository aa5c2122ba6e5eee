import { describe, expect, test } from '@jest/globals';
import { EntityService } from '../../../src/shared/domain/entity-service.ts';
import { user } from '../../../src/shared/entities/user.ts';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { checkUser } from '../../../tests/helpers/check-user.ts';
import { TestSite } from '../../../tests/helpers/test-site.ts';
import { applyBatch } from '../src/apply.ts';
import { heartbeatMs } from '../src/bounds.ts';
import type { ReplicationEvent } from '../src/event.ts';
import { beat } from '../src/heartbeat.ts';
import type { Json } from '../src/json.ts';
import { localWrite } from '../src/local-write.ts';
import { mergePatch } from '../src/policies/members.ts';
import { plainValues } from '../src/record.ts';

describe('a merge patch', () => {
  // The examples of RFC 7396, appendix A.
  test.each<[Json, Json, Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('of %j by %j is %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  test('of a name that every object inherits is one of its own', () => {
    const patch = JSON.parse('{"__proto__":{"x":1},"constructor":2}') as Json;
    expect(JSON.stringify(mergePatch({}, patch))).toBe('{"__proto__":{"x":1},"constructor":2}');
  });
});

describe('an object of a record', () => {
  interface Running {
    readonly site: TestSite;
    readonly users: EntityService;
  }

  /** Two sites that have heard what the other one understands. */
  async function sites(): Promise<[Running, Running]> {
    const open = (name: string, peer: string): Running => {
      const site = new TestSite(name, [peer]);
      return { site, users: new EntityService(user, site.replica(), checkUser) };
    };
    const all: [Running, Running] = [
      open('aws-us-east-1', 'azure-eastus'),
      open('azure-eastus', 'aws-us-east-1'),
    ];
    for (const { site } of all) await site.run(beat(site.site));
    await cross(all);
    return all;
  }
  const ADA = { userId: 'ada', name: 'Ada', email: 'ada@example.com' };

  async function cross(all: readonly Running[]): Promise<void> {
    const moved = all.map(({ site }) => site.outboxDeliveries());
    for (const { site } of all) site.outbox.sent.length = 0;
    for (const [from, messages] of moved.entries())
      for (const [to, { site }] of all.entries())
        if (to !== from) await site.run(applyBatch(site.site, messages, checkEvent));
  }
  const metadata = (site: TestSite): Json | undefined =>
    plainValues(site.held('user:ada')!.state)['metadata'];

  test('keeps its other members when one is changed, and loses what null names, all the way down', async () => {
    const [{ site, users }] = await sites();
    await users.create({ ...ADA, metadata: { plan: 'free', address: { city: 'London', zip: 'N1' } } }, {});
    await users.change('ada', { metadata: { tier: 2, address: { zip: null } } }, {});
    expect(metadata(site)).toEqual({ plan: 'free', tier: 2, address: { city: 'London' } });
    await users.change('ada', { metadata: { plan: null } }, {});
    expect(metadata(site)).toEqual({ tier: 2, address: { city: 'London' } });
    await users.change('ada', { metadata: null }, {});
    expect(metadata(site)).toBeUndefined();
    await users.change('ada', { metadata: { back: true } }, {});
    expect(metadata(site)).toEqual({ back: true });
  });

  test('has the members that two sites changed at the same time; of one member the later, the other is logged', async () => {
    const all = await sites();
    const [aws, azure] = all;
    await aws.users.create({ ...ADA, metadata: { plan: 'free' } }, {});
    await cross(all);
    azure.site.nowMs += 10;
    await aws.users.change('ada', { metadata: { a: 1, both: 'aws' } }, {});
    await azure.users.change('ada', { metadata: { b: 2, both: 'azure' } }, {});
    await cross(all);
    for (const { site } of all) {
      expect(metadata(site)).toEqual({ plan: 'free', a: 1, b: 2, both: 'azure' });
      const logged = [...site.store.items.values()]
        .filter(({ record }) => record.key.startsWith('conflict:'))
        .map(({ record }) => plainValues(record.state)['field']);
      expect(logged).toEqual(['metadata/both']);
    }
  });

  test('is written as a whole while a peer runs a release that does so', async () => {
    const site = new TestSite('aws-us-east-1', ['azure-eastus']);
    const users = new EntityService(user, site.replica(), checkUser);
    await users.create({ ...ADA, metadata: { plan: 'free', old: 1 } }, {});
    await users.change('ada', { metadata: { tier: 2, old: null } }, {});
    expect(metadata(site)).toEqual({ plan: 'free', tier: 2 });
    expect(Object.keys(site.held('user:ada')!.state.fields).filter((name) => name.includes('/'))).toEqual([]);
  });

  test('that a site writes as a whole after another has written its members shows what was written last', async () => {
    const all = await sites();
    const [aws, azure] = all;
    await aws.users.create({ ...ADA, metadata: { plan: 'free' } }, {});
    await aws.users.change('ada', { metadata: { tier: 1, gone: true } }, {});
    await cross(all);
    azure.site.store.items.delete('heartbeat:aws-us-east-1');
    azure.site.nowMs += 1_000;
    await azure.users.change('ada', { metadata: { tier: 2, gone: null } }, {});
    await cross(all);
    for (const { site } of all) expect(metadata(site)).toEqual({ plan: 'free', tier: 2 });
  });

  test('that was written as a whole later than a member elsewhere, unseen, shows the whole', async () => {
    const all = await sites();
    const [aws, azure] = all;
    await aws.users.create({ ...ADA, metadata: { plan: 'free' } }, {});
    await cross(all);
    await aws.users.change('ada', { metadata: { tier: 1 } }, {});
    azure.site.store.items.delete('heartbeat:aws-us-east-1');
    azure.site.nowMs += 1_000;
    await azure.users.change('ada', { metadata: { tier: 2 } }, {});
    await cross(all);
    for (const { site } of all) expect(metadata(site)).toEqual({ plan: 'free', tier: 2 });
  });

  test('is written as a whole again once a peer has gone back to a release that knows of no members', async () => {
    const [aws, azure] = await sites();
    await aws.users.create({ ...ADA, metadata: { plan: 'free' } }, {});
    await aws.users.change('ada', { metadata: { tier: 1 } }, {});
    azure.site.nowMs += heartbeatMs;
    aws.site.nowMs += heartbeatMs;
    // As a release wrote it that did not say what it understands.
    const { nowMs } = azure.site;
    await azure.site.run(
      localWrite(azure.site.site, {
        key: 'heartbeat:azure-eastus',
        operationId: 'older',
        decide: () => ({ at: nowMs }),
      }),
    );
    await cross([aws, azure]);
    await aws.users.change('ada', { metadata: { tier: 2 } }, {});
    expect(aws.site.held('user:ada')?.state.fields['metadata']?.[1]).toEqual({ plan: 'free', tier: 2 });
  });

  test('crosses as one value of the plain record, whatever its members', async () => {
    const [{ site, users }] = await sites();
    await users.create({ ...ADA, metadata: { plan: 'free' } }, {});
    await users.change('ada', { metadata: { 'a/b': 1 } }, {});
    const { payload } = JSON.parse(site.outbox.sent.at(-1)?.body ?? '') as ReplicationEvent;
    expect(payload['metadata']).toEqual({ plan: 'free', 'a/b': 1 });
    expect(Object.keys(payload).filter((name) => name.includes('/'))).toEqual([]);
  });

  test.each([
    ['a counter below its minimum', { signIns: { increment: -5 } }, '/signIns', 'minimum'],
    ['a set beyond its size', { labels: { add: names('b', 100) } }, '/labels', 'maxItems'],
    ['an object beyond its size', { metadata: object(names('b', 60)) }, '/metadata', 'maxProperties'],
  ])('is left as it is by a change that would bring %s', async (_, change, pointer, rule) => {
    const [{ site, users }] = await sites();
    await users.create({ ...ADA, labels: names('a', 1), metadata: object(names('a', 60)) }, {});
    const before = site.held('user:ada');
    await expect(users.change('ada', change as Record<string, Json>, {})).rejects.toMatchObject({
      code: 'conflict',
      failures: [expect.objectContaining({ pointer, rule })],
    });
    expect(site.held('user:ada')).toEqual(before);
  });
});

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

function object(members: readonly string[]): Record<string, Json> {
  return Object.fromEntries(members.map((name) => [name, 1]));
}
