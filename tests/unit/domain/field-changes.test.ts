import { describe, expect, test } from '@jest/globals';
import Ajv from 'ajv';
import type { Json } from '@tandem-clouds/replication/json';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { defineEntity } from '../../../src/shared/domain/define-entity.ts';
import type { Entity, FieldChanges, Writer } from '../../../src/shared/domain/entity.ts';
import {
  createSchema,
  patchSchema,
  storedSchema,
  viewSchema,
} from '../../../src/shared/domain/entity-schemas.ts';
import { fieldChanges, initialChanges, valuesOf } from '../../../src/shared/domain/field-changes.ts';
import { indexesOf } from '../../../src/shared/domain/indexes/declared-index.ts';
import { entryOf } from '../../../src/shared/domain/indexes/index-entry.ts';
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
const ROOM = {
  name: 'stay',
  collection: 'stays',
  idField: 'stayId',
  description: 'A stay',
  example: { guest: 'Ada' },
} as const;
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

describe('a field with a default', () => {
  const fields = { guest: { type: 'string' }, places: { type: 'integer', minimum: 1, default: 2 } } as const;
  const older = defineEntity({ ...ROOM, required: ['guest'], fields: { guest: fields.guest } });
  const newer = defineEntity({
    ...ROOM,
    required: ['guest', 'places'],
    fields,
    indexes: { byPlaces: { on: 'places' } },
    // It compiles because the field is always there.
    actions: {
      join: { summary: 'Join', decide: ({ places }) => (places > 1 ? { guest: 'both' } : undefined) },
    },
  });

  const stay = async (values: Readonly<Record<string, Json>>, entity: Entity): Promise<StoredRecord> =>
    new TestSite('aws-us-east-1').write('stay:s', {
      ...initialChanges(entity, values),
      createdAt: '2027-01-15T08:00:00.000Z',
    });

  test('is read by records of a release that did not have it, by rules and in lists', async () => {
    const record = await stay({ guest: 'Ada' }, older);
    expect(valuesOf(newer, record)).toMatchObject({ guest: 'Ada', places: 2 });
    const [index] = indexesOf(newer);
    const explicit = await stay({ guest: 'Ada', places: 2 }, newer);
    expect(entryOf(index!, record)).toEqual(entryOf(index!, explicit));
    expect(typeof entryOf(index!, record)).toBe('object');
  });

  test('is written by a creation that does not name it, and read again once it is removed', async () => {
    expect(initialChanges(newer, { guest: 'Ada' })).toMatchObject({ places: 2 });
    const emptied = await stay({ guest: 'Ada', places: null }, newer);
    expect(valuesOf(newer, emptied)).toMatchObject({ places: 2 });
  });

  test('is asked of no caller and always answered, and generated types of requests do not ask for it either', () => {
    expect(createSchema(newer).required).toEqual(['guest']);
    expect(JSON.stringify([createSchema(newer), patchSchema(newer)])).not.toContain('default');
    expect(viewSchema(newer).required).toContain('places');
  });

  test('makes another index of one that lists by it, and leaves all others what they are', () => {
    const ids = (entity: Entity): readonly string[] => indexesOf(entity).map(({ id }) => id);
    const plain = { ...newer, fields: { ...fields, places: { type: 'integer', minimum: 1 } } };
    expect(ids(plain)).not.toEqual(ids(newer));
    const beside = { ...plain, fields: { ...plain.fields, guest: { type: 'string', default: 'x' } } };
    expect(ids(beside)).toEqual(ids(plain));
  });
});

describe('a creation whose id follows from its request', () => {
  test('sets what is given and the first state, and leaves what another site has done meanwhile', () => {
    const changes = initialChanges(booking, { guest: 'Ada' }, { isKeyed: true });
    const states = Object.keys(booking.states);
    expect(Object.keys(changes).sort()).toEqual(['guest', ...states].sort());
    expect(Object.keys(initialChanges(booking, { guest: 'Ada' }))).toEqual(Object.keys(booking.fields));
  });
});
