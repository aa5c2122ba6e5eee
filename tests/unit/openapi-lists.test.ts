/** What the contract says of lists by an index. */
import { expect, test } from '@jest/globals';
import { entityPaths } from '../../scripts/generate/openapi-entity.ts';
import { user } from '../../src/shared/entities/user.ts';
import { bookingNamed } from '../helpers/indexed-booking.ts';

interface Parameter {
  readonly name?: string;
  readonly schema?: { readonly type?: string; readonly format?: string; readonly enum?: readonly string[] };
}

function parametersOf(paths: ReturnType<typeof entityPaths>, path: string): readonly Parameter[] {
  const list = paths[path]?.['get'] as { parameters: readonly Parameter[] } | undefined;
  return list?.parameters ?? [];
}

test('names each field that is asked for, each end of a range and the direction, with their types', () => {
  const parameters = parametersOf(entityPaths(bookingNamed('booking')), '/bookings');
  const named = new Map(parameters.map((parameter) => [parameter.name, parameter.schema]));
  const ranges = ['from', 'title', 'seats'].flatMap((field) =>
    ['gte', 'gt', 'lte', 'lt'].map((operator) => `${field}[${operator}]`),
  );
  expect([...named.keys()].slice(0, -1)).toEqual([
    ...['customerId', 'paid', 'seats'],
    ...ranges,
    ...['order', 'limit', 'cursor'],
  ]);
  expect(named.get('from[gte]')).toMatchObject({ type: 'string', format: 'date-time' });
  expect(named.get('seats')).toMatchObject({ type: 'integer' });
  expect(named.get('order')).toMatchObject({ enum: ['asc', 'desc'] });
});

test('an entity without indexes has the list of its ids alone', () => {
  const names = parametersOf(entityPaths(user), '/users').map(({ name }) => name);
  expect(names.slice(0, 2)).toEqual(['limit', 'cursor']);
});

test('says which order a list has that names no range, where several indexes are on one field', () => {
  const booking = bookingNamed('booking');
  const indexes = { ...booking.indexes, byTitle: { on: 'customerId', order: 'title' } };
  const parameters = parametersOf(entityPaths({ ...booking, indexes }), '/bookings');
  expect(parameters.find(({ name }) => name === 'customerId')).toMatchObject({
    description:
      'Those with this value, in the order of from, or of title with a range of that; not together with another field',
  });
});
