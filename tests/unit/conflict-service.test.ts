import { describe, expect, test } from '@jest/globals';
import Ajv from 'ajv';
import type { Json } from '@tandem-clouds/replication/json';
import type { FieldOperation } from '@tandem-clouds/replication/policies/field';
import { newestStamp, plainValues } from '@tandem-clouds/replication/record';
import { changeSchemas } from '../../scripts/generate/change-schemas.ts';
import { defineEntity } from '../../src/shared/domain/define-entity.ts';
import { overrideSchema } from '../../src/shared/domain/entity-schemas.ts';
import { transition } from '../../src/shared/domain/states.ts';
import { InvalidError } from '../../src/shared/errors.ts';
import { changeChecks } from '../../src/shared/generated/validators.js';
import { ConflictService } from '../../src/shared/operations/conflict-service.ts';
import { entities } from '../../src/shared/registry/entities.ts';
import { TestSite } from '../helpers/test-site.ts';

const states = { order: ['asked', 'granted', 'refused', 'paid'], allowed: { asked: ['granted', 'refused'] } };
const loan = defineEntity({
  name: 'loan',
  collection: 'loans',
  idField: 'loanId',
  description: 'A loan',
  required: [],
  fields: { status: { states, by: 'action' }, note: { type: 'string', by: 'reaction' } },
  example: {},
});

/** A service with one entry about a field of a record, which holds what won. */
async function entryAbout(
  entity: string,
  field: string,
  values: { won: Json; lost: Json; write?: Json | FieldOperation },
) {
  const site = new TestSite('aws-us-east-1');
  const { state } = await site
    .replica()
    .write({ key: `${entity}:1`, decide: () => ({ [field]: values.write ?? values.won }) });
  const stamp = newestStamp(state) ?? '';
  await site.write('conflict:c1', {
    record: `${entity}:1`,
    field,
    loser: { site: 'azure-eastus', stamp, value: values.lost },
    winner: { site: 'aws-us-east-1', stamp, value: values.won },
    reason: 'newer',
  });
  return {
    service: new ConflictService(site.replica(), {
      checks: { ...changeChecks, loan: new Ajv.default().compile(overrideSchema(loan)) },
      entities: [...entities, loan],
    }),
    rank: (): string | undefined => site.held(`${entity}:1`)?.state.fields[field]?.[2],
    value: (): Json | undefined => plainValues(site.held(`${entity}:1`)!.state)[field],
  };
}

describe('an override of a conflict', () => {
  test('is checked by the schema of the entity, for every entity that there is', async () => {
    expect(Object.keys(changeChecks).sort()).toEqual(Object.keys(changeSchemas(entities)).sort());
    const { service, value } = await entryAbout('user', 'name', { won: 'Ada', lost: 'Ida' });
    await expect(service.override('c1', { value: 7, note: undefined })).rejects.toThrow(InvalidError);
    expect(value()).toBe('Ada');
    await service.override('c1', { value: 'Eda', note: undefined });
    expect(value()).toBe('Eda');
    await service.override('c1', { value: undefined, note: 'as it was' });
    expect(value()).toBe('Ida');
  });

  test.each(['parcel', 'constructor', 'toString'])(
    'of a record of an entity that is not known here (%s) is refused, whatever the value',
    async (entity) => {
      const { service, value } = await entryAbout(entity, 'name', { won: 'a', lost: 'b' });
      for (const wanted of ['c', 7, undefined]) {
        await expect(service.override('c1', { value: wanted, note: undefined })).rejects.toMatchObject({
          name: 'InvalidError',
          failures: [
            {
              pointer: '/record',
              rule: 'entity',
              detail: expect.stringMatching(/item, loan, .*object, .*user/),
            },
          ],
        });
      }
      expect(value()).toBe('a');
    },
  );

  test('may set a field that clients do not write', async () => {
    const { service, value } = await entryAbout('loan', 'note', { won: 'a', lost: 'b' });
    await service.override('c1', { value: 'c', note: undefined });
    expect(value()).toBe('c');
  });

  test('of a field that walks through states goes on to a later one only, under the rank of that', async () => {
    const write = transition('status', states, { from: 'asked', to: 'refused' })!;
    const { service, value, rank } = await entryAbout('loan', 'status', {
      won: 'refused',
      lost: 'granted',
      write,
    });
    const refused = { name: 'OutOfBoundsError', failures: [{ pointer: '/status', rule: 'states' }] };
    for (const wanted of [undefined, 'granted', 'asked'])
      await expect(service.override('c1', { value: wanted, note: undefined })).rejects.toMatchObject(refused);
    await expect(service.override('c1', { value: 'lost', note: undefined })).rejects.toThrow(InvalidError);
    expect([value(), rank()]).toEqual(['refused', '003000']);
    await service.override('c1', { value: 'refused', note: 'so it is' });
    await service.override('c1', { value: 'paid', note: undefined });
    expect([value(), rank()]).toEqual(['paid', '004000']);
  });
});
