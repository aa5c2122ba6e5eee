import { describe, expect, test } from '@jest/globals';
import { factsOf } from '@tandem-clouds/console/server/entities';
import {
  compareValues,
  effectText,
  reasonText,
} from '@tandem-clouds/console/ui/views/conflicts/compare-values';
import { recordPath } from '@tandem-clouds/console/ui/views/conflicts/record-path';
import { entitiesOf, isMeant, rowOf } from '@tandem-clouds/console/ui/views/conflicts/rows';
import type { ConflictView } from '@tandem-clouds/operator/operator-api';
import { entities } from '../../../src/shared/registry/entities.ts';

const AT = '2026-03-01T12:00:00.000Z';

function conflict(lost: unknown, won: unknown, more: Partial<ConflictView> = {}): ConflictView {
  const side = (site: string, value: unknown): ConflictView['loser'] =>
    ({ stamp: `0.${site}`, site, at: AT, ...(value !== undefined && { value }) }) as ConflictView['loser'];
  return {
    id: 'c1',
    record: 'user:ada',
    field: 'name',
    reason: 'newer',
    loser: side('aws-us-east-1', lost),
    winner: side('azure-eastus', won),
    ...more,
  };
}

describe('a row of the conflict log', () => {
  test('has the begin of each value and not the whole', () => {
    const row = rowOf(conflict('x'.repeat(240_000), undefined));
    expect(row.loser.text.length).toBeLessThan(100);
    expect(row.winner.text).toBe('see the record');
    expect(JSON.stringify(row).length).toBeLessThan(1_000);
  });

  test.each([
    ['equal values are hidden by default', conflict(1, 1), {}, false],
    ['equal values are shown when that is chosen', conflict(1, 1), { equal: 'shown' }, true],
    ['values that differ in their type only are not equal', conflict(1, '1'), {}, true],
    ['a part of the key is enough', conflict(1, 2), { record: 'ADA' }, true],
    ['another key', conflict(1, 2), { record: 'alan' }, false],
    ['a part of the field is enough', conflict(1, 2), { field: 'nam' }, true],
    ['the entity is whole', conflict(1, 2), { entity: 'use' }, false],
    ['the entity', conflict(1, 2), { entity: 'user' }, true],
    ['what was overridden is not open', conflict(1, 2, { override: {} }), { decided: 'open' }, false],
    ['what was overridden is shown otherwise', conflict(1, 2, { override: {} }), {}, true],
  ])('%s', (_, view, filter, isShown) => {
    expect(isMeant(rowOf(view), filter)).toBe(isShown);
  });

  test('names its entity', () => {
    const rows = [conflict(1, 2), conflict(1, 2, { record: 'item:a:b' }), conflict(1, 2)].map(rowOf);
    expect(entitiesOf(rows)).toEqual(['item', 'user']);
  });
});

describe('two values', () => {
  test('that are objects are compared member by member, what differs first', () => {
    expect(compareValues({ a: 1, b: [1], c: 3 }, { a: 1, b: [2], ['__proto__x']: 1 })).toEqual([
      { name: 'b', loser: [1], winner: [2], isEqual: false },
      { name: 'c', loser: 3, winner: undefined, isEqual: false },
      { name: '__proto__x', loser: undefined, winner: 1, isEqual: false },
      { name: 'a', loser: 1, winner: 1, isEqual: true },
    ]);
  });

  test.each([
    ['texts', 'a', 'b'],
    ['a list and an object', [1], { a: 1 }],
    ['null', null, { a: 1 }],
  ])('that are %s are compared as a whole', (_, loser, winner) => {
    expect(compareValues(loser, winner)).toEqual([{ name: '', loser, winner, isEqual: false }]);
  });

  test('have a reason in words, also one that a later release gives', () => {
    for (const reason of ['newer', 'higher rank', 'earlier life', 'another'])
      expect(reasonText(reason)).toMatch(/^The .*\.$/);
    expect(effectText('name')).toBe('');
    expect(effectText('$deleted')).toContain('deleted');
  });
});

describe('the path of a record', () => {
  const places = [...entities.map(factsOf), { name: 'item', collection: 'items', hasTenants: false }];

  test.each([
    ['user:ada', 'users/ada'],
    ['item:a/b?c', 'items/a%2Fb%3Fc'],
    ['notification:x:y', 'order-notifications/x%3Ay'],
  ])('of %s is %s', (key, path) => {
    expect(recordPath(key, places)).toEqual({ path });
  });

  test('is not known where the key has a tenant, or an entity of another release', () => {
    expect(recordPath('movement:t~1', places)).toHaveProperty('why');
    expect(recordPath('spaceship:1', places)).toHaveProperty('why');
    expect(recordPath('', places)).toHaveProperty('why');
  });
});
