import { describe, expect, test } from '@jest/globals';
import { applyBatch } from '@tandem-clouds/replication/apply';
import { idOf } from '@tandem-clouds/replication/record';
import { reservationGraceMs } from '../../../src/shared/bounds.ts';
import { sha256 } from '../../../src/shared/digest.ts';
import { defineEntity } from '../../../src/shared/domain/define-entity.ts';
import { EntityService } from '../../../src/shared/domain/entity-service.ts';
import { claimsOf } from '../../../src/shared/domain/unique/reservation.ts';
import { uniqueValues } from '../../../src/shared/domain/unique/unique-values.ts';
import { OutOfBoundsError } from '../../../src/shared/errors.ts';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { TestSite } from '../../helpers/test-site.ts';

const member = defineEntity({
  name: 'member',
  collection: 'members',
  idField: 'memberId',
  description: 'A member of a club',
  required: ['email'],
  fields: { email: { type: 'string' }, nick: { type: 'string' } },
  unique: ['email', 'nick'],
  example: { email: 'ada@example.com' },
});
const uniqueOf = uniqueValues([member], sha256);
const reservationOf = (email: string): string => uniqueOf('member:x')?.reservationOf('email', email) ?? '';

function club(site: TestSite): EntityService {
  return new EntityService(member, site.replica([], undefined, uniqueOf), () => []);
}

const TAKEN = { failures: [{ pointer: '/email', rule: 'unique', detail: 'is taken' }] };
const ada = { email: 'ada@example.com' };

describe('a unique value', () => {
  test('is refused to a second record, in a creation and in a change', async () => {
    const members = club(new TestSite('aws-1'));
    await members.create({ memberId: 'm1', ...ada }, {});
    await expect(members.create({ memberId: 'm2', ...ada }, {})).rejects.toMatchObject(TAKEN);
    await members.create({ memberId: 'm3', email: 'eve@example.com' }, {});
    await expect(members.change('m3', ada, {})).rejects.toBeInstanceOf(OutOfBoundsError);
    expect(members.view(await members.read('m3'))['email']).toBe('eve@example.com');
  });

  test('may be written again to the record that has it, and beside other fields', async () => {
    const members = club(new TestSite('aws-1'));
    await members.create({ memberId: 'm1', ...ada }, {});
    const { record } = await members.change('m1', { ...ada, nick: 'countess' }, {});
    expect(members.view(record)).toMatchObject({ ...ada, nick: 'countess' });
  });

  test.each<[string, (members: EntityService) => Promise<unknown>]>([
    ['changed', (members) => members.change('m1', { email: 'ada@example.org' }, {})],
    ['deleted', (members) => members.remove('m1', {})],
  ])('is free once its record has been %s, after the grace', async (_, giveUp) => {
    const site = new TestSite('aws-1');
    const members = club(site);
    await members.create({ memberId: 'm1', ...ada }, {});
    await giveUp(members);
    await expect(members.create({ memberId: 'm2', ...ada }, {})).rejects.toMatchObject(TAKEN);
    site.nowMs += reservationGraceMs + 1;
    const { record } = await members.create({ memberId: 'm2', ...ada }, {});
    expect(idOf(record.key)).toBe('m2');
  });

  test('is free at once when the write that reserved it was refused', async () => {
    const members = club(new TestSite('aws-1'));
    await members.create({ memberId: 'm1', email: 'eve@example.com' }, {});
    await expect(members.create({ memberId: 'm1', ...ada }, {})).rejects.toThrow('exists already');
    await members.create({ memberId: 'm2', ...ada }, {});
  });

  test('goes to one of those who want it at the same time', async () => {
    const members = club(new TestSite('aws-1'));
    const wanted = Array.from({ length: 5 }, (_, index) =>
      members.create({ memberId: `m${index}`, ...ada }, {}),
    );
    const results = await Promise.allSettled(wanted);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('that two sites have let in is claimed by both, and the earlier one holds it at each', async () => {
    const [aws, azure] = [new TestSite('aws-1', ['azure-1']), new TestSite('azure-1', ['aws-1'])];
    azure.nowMs = aws.nowMs + 5;
    await club(aws).create({ memberId: 'm1', ...ada }, {});
    await club(azure).create({ memberId: 'm2', ...ada }, {});
    for (const [from, to] of [
      [aws, azure],
      [azure, aws],
    ] as const) {
      await to.run(applyBatch(to.site, from.outboxDeliveries(), checkEvent));
    }
    for (const site of [aws, azure]) {
      const reservation = (await site.resources.store.get(reservationOf(ada.email)))?.record;
      expect(claimsOf(reservation).map(({ record }) => record)).toEqual(['member:m1', 'member:m2']);
    }
    azure.nowMs += reservationGraceMs * 2;
    await expect(club(azure).create({ memberId: 'm3', ...ada }, {})).rejects.toMatchObject(TAKEN);
  });

  test('is reserved under a digest that holds nothing of it', () => {
    expect(reservationOf(ada.email)).toMatch(/^unique:[0-9a-f]{64}$/);
    expect(reservationOf('eve@example.com')).not.toBe(reservationOf(ada.email));
  });
});
