import { describe, expect, test } from '@jest/globals';
import type { Json } from '@tandem-clouds/replication/json';
import { newestStamp, plainValues } from '@tandem-clouds/replication/record';
import { changeSchemas } from '../../scripts/generate/change-schemas.ts';
import { InvalidError } from '../../src/shared/errors.ts';
import { changeChecks } from '../../src/shared/generated/validators.js';
import { ConflictService } from '../../src/shared/operations/conflict-service.ts';
import { entities } from '../../src/shared/registry/entities.ts';
import { TestSite } from '../helpers/test-site.ts';

/** A service with one entry about a field of a record, which holds what won. */
async function entryAbout(entity: string, field: string, values: { won: Json; lost: Json }) {
  const site = new TestSite('aws-us-east-1');
  const { state } = await site.write(`${entity}:1`, { [field]: values.won });
  const stamp = newestStamp(state) ?? '';
  await site.write('conflict:c1', {
    record: `${entity}:1`,
    field,
    loser: { site: 'azure-eastus', stamp, value: values.lost },
    winner: { site: 'aws-us-east-1', stamp, value: values.won },
    reason: 'newer',
  });
  return {
    service: new ConflictService(site.replica(), changeChecks),
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

  test.each(['order', 'constructor', 'toString'])(
    'of a record of an entity that is not known here (%s) is refused, whatever the value',
    async (entity) => {
      const { service, value } = await entryAbout(entity, 'name', { won: 'a', lost: 'b' });
      for (const wanted of ['c', 7, undefined]) {
        await expect(service.override('c1', { value: wanted, note: undefined })).rejects.toMatchObject({
          name: 'InvalidError',
          failures: [{ pointer: '/record', rule: 'entity', detail: expect.stringContaining('item, user') }],
        });
      }
      expect(value()).toBe('a');
    },
  );
});
