import { describe, expect, test } from '@jest/globals';
import { applyBatch } from '@tandem-clouds/replication/apply';
import { type Usage, usageIn } from '@tandem-clouds/replication/objects/usage';
import { USAGE } from '@tandem-clouds/replication/reserved';
import { sha256 } from '../../../src/shared/digest.ts';
import type { Quota } from '../../../src/shared/domain/entity.ts';
import { placementOf } from '../../../src/shared/domain/placement.ts';
import {
  type Account,
  accountsOf,
  checkQuota,
  giveBack,
  usageChange,
  used,
} from '../../../src/shared/domain/quotas.ts';
import { problemReply } from '../../../src/shared/http/problem.ts';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { TestSite } from '../../helpers/test-site.ts';

const KEY = 'object:acme~1';

function accounts(quota: Quota, owner = 'ada', sites?: readonly string[]): readonly Account[] {
  const access = { owner: 'ownerId', tenant: 'org' };
  const entity = { name: 'object', access, content: { quota }, ...(sites && { sites }) };
  return accountsOf([entity], sha256)({ key: KEY, owner });
}

function usage(site: TestSite, { key }: Account): Usage {
  return usageIn(site.store.items.get(key)?.record);
}

const adding = (bytes: number): Usage => usageChange(undefined, { bytes });

describe('what an owner and a tenant may store', () => {
  test('is counted once for one upload, and back when it is deleted', async () => {
    const site = new TestSite('aws-1');
    const [owner, tenant] = accounts({ ownerBytes: 100, tenantObjects: 5 });
    for (let i = 0; i < 2; i += 1)
      await site.run(used(site.site, [owner!, tenant!], { change: adding(60), operationId: 'u1' }));
    expect([usage(site, owner!), usage(site, tenant!)]).toEqual([
      { bytes: 60, objects: 1 },
      { bytes: 60, objects: 1 },
    ]);
    const replaced = usageChange({ bytes: 60 }, { bytes: 90 });
    await site.run(used(site.site, [owner!], { change: replaced, operationId: 'u2' }));
    expect(usage(site, owner!)).toEqual({ bytes: 90, objects: 1 });
    const deleted = usageChange({ bytes: 90 }, undefined);
    await site.run(used(site.site, [owner!], { change: deleted, operationId: 'd1' }));
    expect(usage(site, owner!)).toEqual({ bytes: 0, objects: 0 });
  });

  test('is refused beyond it, with the limit and the usage, and then is counted nowhere', async () => {
    const site = new TestSite('aws-1');
    const both = accounts({ ownerBytes: 100, tenantBytes: 50 });
    const change = adding(60);
    const detail = 'the tenant uses 0 of 50 bytes; 60 more do not fit';
    for (const refused of [checkQuota(both, change), used(site.site, both, { change, operationId: 'u' })])
      await expect(site.run(refused)).rejects.toMatchObject({
        code: 'quota_exceeded',
        failures: [{ pointer: '/bytes', rule: 'tenantBytes', detail }],
      });
    expect(both.map((each) => usage(site, each).bytes)).toEqual([0, 0]);
    const error: unknown = await site.run(checkQuota(both, change)).catch((thrown: unknown) => thrown);
    expect(problemReply(error, 'r')).toMatchObject({
      status: 403,
      body: { code: 'quota_exceeded', title: 'Quota exceeded', detail, errors: [{ rule: 'tenantBytes' }] },
    });
  });

  test('is let in by as many as fit of those who complete at the same time', async () => {
    const site = new TestSite('aws-1');
    const [owner] = accounts({ ownerObjects: 3 });
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, (_, i) =>
        site.run(used(site.site, [owner!], { change: adding(1), operationId: `u${i}` })),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(usage(site, owner!)).toEqual({ bytes: 3, objects: 3 });
  });

  test('is given back when the record was not written', async () => {
    const site = new TestSite('aws-1');
    const all = accounts({ ownerBytes: 100 });
    const counted = { change: adding(60), operationId: 'u1' };
    await site.run(used(site.site, all, counted));
    for (let i = 0; i < 2; i += 1) await site.run(giveBack(site.site, all, counted));
    expect(usage(site, all[0]!)).toEqual({ bytes: 0, objects: 0 });
  });

  test('may be less than what is there: then what makes it less is taken', async () => {
    const site = new TestSite('aws-1');
    await site.run(used(site.site, accounts({ ownerBytes: 100 }), { change: adding(90), operationId: 'u1' }));
    const less = accounts({ ownerBytes: 10 });
    await site.run(
      used(site.site, less, { change: usageChange({ bytes: 90 }, { bytes: 80 }), operationId: 'u2' }),
    );
    expect(usage(site, less[0]!).bytes).toBe(80);
  });

  test('is what both sites have let in once they have heard of each other: at most twice what was left', async () => {
    const [aws, azure] = [new TestSite('aws-1', ['azure-1']), new TestSite('azure-1', ['aws-1'])];
    const all = accounts({ ownerBytes: 100 });
    for (const site of [aws, azure])
      await site.run(used(site.site, all, { change: adding(100), operationId: `u-${site.site.site}` }));
    for (const [from, to] of [
      [aws, azure],
      [azure, aws],
    ] as const) {
      await to.run(applyBatch(to.site, from.outboxDeliveries(), checkEvent));
      expect(usage(to, all[0]!)).toEqual({ bytes: 200, objects: 2 });
      await expect(to.run(checkQuota(all, adding(1)))).rejects.toMatchObject({ code: 'quota_exceeded' });
    }
  });

  test('names nobody in its key, keeps tenants and owners apart, and is kept where the records are', () => {
    const quota = { ownerBytes: 1, tenantBytes: 1 };
    const [ada, acme] = accounts(quota);
    const [eve, same] = accounts(quota, 'eve');
    expect(new Set([ada!.key, acme!.key, eve!.key]).size).toBe(3);
    expect(same!.key).toBe(acme!.key);
    expect(ada!.key).toMatch(new RegExp(`^${USAGE}:[0-9a-f]{64}$`));
    expect(accounts({ ownerBytes: 1 })).toHaveLength(1);
    const sites = ['azure-1'];
    const [confined] = accounts(quota, 'ada', sites);
    expect(placementOf({ object: sites })?.(confined!.key)).toEqual(sites);
    expect(placementOf({ object: sites })?.(ada!.key)).toBeUndefined();
  });
});
