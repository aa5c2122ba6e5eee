import { expect, test } from '@jest/globals';
import Ajv from 'ajv';
import type { Json } from '@tandem-clouds/replication/json';
import { defineEntity } from '../../../src/shared/domain/define-entity.ts';
import type { FieldChanges, Writer } from '../../../src/shared/domain/entity.ts';
import { storedSchema } from '../../../src/shared/domain/entity-schemas.ts';
import { fieldChanges, initialChanges, valuesOf } from '../../../src/shared/domain/field-changes.ts';
import { InvalidError, OutOfBoundsError, RuleFaultError } from '../../../src/shared/errors.ts';
import { validate } from '../../../src/shared/validation/validate.ts';
import { TestSite } from '../../helpers/test-site.ts';

const booking = defineEntity({
  name: 'booking',
  collection: 'bookings',
  idField: 'bookingId',
  description: 'A booking',
  required: ['guest'],
  fields: {
    guest: { type: 'string', maxLength: 20 },
    note: { type: 'string', maxLength: 20, by: ['client', 'action'] },
    details: { type: 'object', additionalProperties: { type: 'string' } },
    status: {
      states: {
        order: ['pending', 'confirmed', 'cancelled'],
        allowed: { pending: ['confirmed', 'cancelled'], confirmed: ['cancelled'] },
      },
      by: 'action',
    },
    tags: { type: 'array', maxItems: 3, items: { type: 'string' }, merge: 'set', by: ['client', 'action'] },
    moves: { type: 'integer', minimum: 0, maximum: 2, merge: 'counter', by: 'action' },
    receipt: { type: 'string', by: 'reaction' },
  },
  example: { guest: 'Ada' },
});
const stored = new Ajv.default({ allErrors: true }).compile(storedSchema(booking));
const check = (fields: Readonly<Record<string, Json>>) => validate(stored, fields);

async function written(writer: Writer, ...changes: readonly FieldChanges[]): Promise<Record<string, Json>> {
  const site = new TestSite('aws-us-east-1');
  const key = 'booking:b';
  const createdAt = '2027-01-15T08:00:00.000Z';
  let record = await site.replica().write({
    key,
    creates: { keepUnseenTombstone: false },
    decide: () => ({ ...initialChanges(booking, { guest: 'Ada' }), createdAt }),
  });
  for (const values of changes)
    record = await site.replica().write({
      key,
      decide: (current) => fieldChanges(booking, current!, values, { writer, byMember: true, check }),
    });
  return valuesOf(booking, record);
}

test('a creation begins at the first state, and rules see what holds nothing yet', async () => {
  expect(await written('client')).toEqual({
    id: 'b',
    guest: 'Ada',
    status: 'pending',
    tags: [],
    moves: 0,
    createdAt: '2027-01-15T08:00:00.000Z',
  });
});

test('an action writes in the terms of the policies, and what is undefined is left alone', async () => {
  const changes = { status: 'confirmed', tags: { add: ['x'] }, moves: { increment: 2 }, note: undefined };
  const values = await written('action', changes, { note: 'late', status: 'confirmed' });
  expect(values).toMatchObject({ status: 'confirmed', tags: ['x'], moves: 2, note: 'late' });
});

test.each<[string, Writer, FieldChanges, string]>([
  [
    'a client and a field of actions',
    'client',
    { status: 'confirmed' },
    'is written by actions, not by clients',
  ],
  [
    'a client and a field of reactions',
    'client',
    { receipt: 'r' },
    'is written by reactions, not by clients',
  ],
])('refuses %s, naming who writes it', async (_, writer, changes, detail) => {
  const failure = { pointer: `/${Object.keys(changes)[0]}`, rule: 'by', detail };
  await expect(written(writer, changes)).rejects.toMatchObject({ failures: [failure] });
  await expect(written(writer, changes)).rejects.toBeInstanceOf(InvalidError);
});

test.each<[string, Writer, Record<string, unknown>, string]>([
  ['a field of clients', 'action', { guest: 'x' }, 'guest is written by clients, not by actions'],
  [
    'a field of actions',
    'reaction',
    { note: 'x' },
    'note is written by clients and actions, not by reactions',
  ],
  ['no field', 'action', { constructor: 'x' }, 'constructor is not a known field'],
  ['a value of another type', 'action', { note: 5 }, 'note must be string'],
  ['a value over a bound', 'action', { note: 'x'.repeat(21) }, 'note must NOT have more than 20 characters'],
  ['what is no JSON', 'action', { note: new Date(0) }, 'note is no plain JSON'],
  ['half of a surrogate pair', 'action', { note: '\ud800' }, 'note is no plain JSON'],
  ['no state', 'action', { status: 'lost' }, 'status is none of pending, confirmed, cancelled'],
  [
    'a number for a counter',
    'action',
    { moves: 1 },
    'moves is a counter and takes { increment: <whole number> }',
  ],
  ['half an increment', 'action', { moves: { increment: 0.5 } }, 'moves is a counter'],
  ['a text for a set', 'action', { tags: 'x' }, 'tags is a set and takes an array, or { add, remove }'],
  ['an element of another type', 'action', { tags: { add: [1] } }, 'tags/0 must be string'],
  [
    'two mistakes',
    'action',
    { guest: 'x', receipt: 'y' },
    'guest is written by clients, not by actions; receipt',
  ],
])('%s, returned by a rule, is a fault of the rule', async (_, writer, changes, message) => {
  const refused = expect(written(writer, changes as FieldChanges)).rejects;
  await refused.toBeInstanceOf(RuleFaultError);
  await expect(written(writer, changes as FieldChanges)).rejects.toThrow(message);
});

test('what only the record as it is makes too much is a conflict, not a fault', async () => {
  await expect(
    written('action', { moves: { increment: 2 } }, { moves: { increment: 1 } }),
  ).rejects.toBeInstanceOf(OutOfBoundsError);
});

test('a transition that is not allowed names the field, from, to and what is allowed', async () => {
  const detail = 'cannot go from cancelled to confirmed; from cancelled it can go to no other state';
  await expect(written('action', { status: 'cancelled' }, { status: 'confirmed' })).rejects.toMatchObject({
    name: 'OutOfBoundsError',
    message: `status ${detail}`,
    failures: [{ pointer: '/status', rule: 'states', detail }],
  });
});
