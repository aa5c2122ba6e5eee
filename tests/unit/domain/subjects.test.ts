/** Whose records they are, and what an erasure leaves of them. */
import { describe, expect, test } from '@jest/globals';
import type { Json } from '@tandem-clouds/replication/json';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { hasSubjects, pseudonymOf, subjectsOf } from '../../../src/shared/domain/persons/subjects.ts';
import { notification } from '../../../src/shared/entities/notification.ts';
import { object } from '../../../src/shared/entities/object.ts';
import { order } from '../../../src/shared/entities/order.ts';
import { product } from '../../../src/shared/entities/product.ts';
import { user } from '../../../src/shared/entities/user.ts';
import { erasureKeyMin, subjectIds } from '../../../src/shared/subject-id.ts';

const STAMP = encodeStamp(1_000, 0, 'aws-us-east-1');
const named = subjectIds('k'.repeat(erasureKeyMin));
const subjects = subjectsOf([notification, object, order, product, user], named);

function record(key: string, values: Readonly<Record<string, Json>>): StoredRecord {
  const fields = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, [STAMP, value] as const]),
  );
  return { key, state: { fields, vector: { 'aws-us-east-1': STAMP } }, pending: {}, operations: [] };
}

test('a subject is named by a keyed hash, which another key makes another', () => {
  expect(named('ada')).toMatch(/^[0-9a-f]{64}$/);
  expect(named('ada')).not.toBe(subjectIds('l'.repeat(erasureKeyMin))('ada'));
  expect(() => subjectIds('short')).toThrow('the secret erasure-key must have at least 32 characters');
});

describe('a record is of', () => {
  test.each([
    ['whom its id names', record('user:ada', { name: 'Ada' })],
    ['whom its owner names', record('object:o1', { ownerId: 'ada' })],
    ['whom its customer names', record('notification:n1', { customerId: 'ada', to: 'ada@example.com' })],
  ])('%s, and nothing of it stays', (_, each) => {
    expect(subjects.of(each)).toEqual({ id: named('ada'), isReady: true });
  });

  test.each([
    ['of an entity without subjects', record('product:p1', { name: 'Tea' })],
    ['that has no owner', record('object:o1', {})],
    ['of an entity that is not known', record('unknown:1', { customerId: 'ada' })],
  ])('nobody, %s', (_, each) => {
    expect(subjects.of(each)).toBeUndefined();
  });

  test('an order stays, with a pseudonym, once it is over', () => {
    const values = { customerId: 'ada', email: 'ada@example.com' };
    expect(subjects.of(record('order:1', { ...values, status: 'paying' }))?.isReady).toBe(false);
    const { isReady, emptied = {} } = subjects.of(record('order:1', { ...values, status: 'paid' })) ?? {};
    expect(isReady).toBe(true);
    expect(Object.keys(emptied).sort()).toEqual([
      'action',
      'customerId',
      'email',
      'language',
      'method',
      'phone',
    ]);
    expect(pseudonymOf(named('ada'))).toMatch(/^erased-[0-9a-f]{16}$/);
  });
});

test('fields that name subjects are known, where ids do not', () => {
  expect([subjects.fieldOf('user'), subjects.fieldOf('order'), subjects.fieldOf('product')]).toEqual([
    undefined,
    'customerId',
    undefined,
  ]);
  expect([hasSubjects([product]), hasSubjects([product, user])]).toEqual([false, true]);
});
