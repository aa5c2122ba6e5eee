/** An entity with indexes, for tests. */
import { defineEntity } from '../../src/shared/domain/define-entity.ts';
import type { Entity } from '../../src/shared/domain/entity.ts';

/** @param name Of its own for each test that shares a store. */
export function bookingNamed(name: string): Entity {
  return defineEntity({
    name,
    collection: `${name}s`,
    idField: 'bookingId',
    description: 'A booking',
    required: ['customerId'],
    fields: {
      customerId: { type: 'string', maxLength: 2_000 },
      title: { type: 'string', maxLength: 2_000 },
      seats: { type: 'integer', minimum: 0, maximum: 1_000 },
      paid: { type: 'boolean' },
      from: { type: 'string', format: 'date-time' },
    },
    indexes: {
      byCustomer: { on: 'customerId', order: 'from' },
      byPaid: { on: 'paid', order: 'title', buckets: 4 },
      bySeats: { on: 'seats', order: 'seats' },
    },
    example: { customerId: 'ada', seats: 2 },
  });
}
