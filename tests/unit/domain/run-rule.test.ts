import { expect, test } from '@jest/globals';
import { defineEntity } from '../../../src/shared/domain/define-entity.ts';
import type { EntityService } from '../../../src/shared/domain/entity-service.ts';
import { serviceOf } from '../../helpers/entity-checks.ts';
import { TestSite } from '../../helpers/test-site.ts';

const seen: { now: number; ids: readonly string[]; count: number }[] = [];

const ticket = defineEntity({
  name: 'ticket',
  collection: 'tickets',
  idField: 'ticketId',
  description: 'A ticket',
  required: [],
  fields: {
    ids: { type: 'array', items: { type: 'string' }, merge: 'set', by: 'action' },
    count: { type: 'integer', maximum: 100, merge: 'counter', by: ['client', 'action'] },
    details: { type: 'object', by: ['client', 'action'] },
  },
  actions: {
    number: {
      summary: 'Number',
      input: { many: { type: 'integer' } },
      decide: ({ count }, { many = 2 }, { now, newId }) => {
        const ids = Array.from({ length: many }, newId);
        seen.push({ now: now.getTime(), ids, count });
        now.setTime(0);
        return { ids: { add: ids }, count: { increment: 1 } };
      },
    },
    describe: { summary: 'Describe', decide: () => ({ details: { at: 'the gate' } }) },
  },
  example: {},
});

const caller = { subject: undefined, scopes: [], claims: {}, tenant: undefined };

async function begun(): Promise<{ site: TestSite; service: EntityService }> {
  const site = new TestSite('aws-us-east-1');
  const service = serviceOf(ticket, site.replica());
  await service.create({ ticketId: 't', details: { seat: 7 } }, {});
  seen.length = 0;
  return { site, service };
}

test('a rule that runs again, because somebody else wrote, has the same context and the record as it is then', async () => {
  const { site, service } = await begun();
  const put = site.store.putMany.bind(site.store);
  let meanwhile = 1;
  site.store.putMany = async (writes) => {
    meanwhile -= 1;
    site.nowMs += 1_000;
    if (meanwhile >= 0) await serviceOf(ticket, site.replica()).change('t', { count: { increment: 10 } }, {});
    return put(writes);
  };
  const { record } = await service.act('t', { name: 'number', input: {} }, { caller });
  expect(seen.map(({ count }) => count)).toEqual([0, 10]);
  const [first, second] = seen;
  expect(second).toMatchObject({ now: first?.now, ids: first?.ids });
  expect(service.view(record)).toMatchObject({ count: 11, ids: first?.ids });
  expect(new Set(first?.ids).size).toBe(2);
});

test('a rule that takes ids without end is a fault', async () => {
  const { service } = await begun();
  await expect(service.act('t', { name: 'number', input: { many: 101 } }, { caller })).rejects.toMatchObject({
    name: 'RuleFaultError',
    message: 'the rule ticket.number failed: a rule may take 100 ids',
  });
});

test('what an action returns for an object is merged into it, member by member', async () => {
  const { service } = await begun();
  const { record } = await service.act('t', { name: 'describe', input: {} }, { caller });
  expect(service.view(record)['details']).toEqual({ seat: 7, at: 'the gate' });
});
