/** An entity, declared for tests, whose records are paid for: what is bought never changes, and nobody deletes one. */
import { v7 as uuidv7 } from 'uuid';
import { defineEntity } from '../../src/shared/domain/define-entity.ts';

export const ticket = defineEntity({
  name: 'ticket',
  collection: 'tickets',
  idField: 'ticketId',
  description: 'A ticket',
  required: ['show', 'cents'],
  fields: {
    show: { type: 'string', minLength: 1, maxLength: 40, by: 'creation' },
    cents: { type: 'integer', minimum: 1, maximum: 100_000, by: ['creation', 'reaction'] },
    seats: {
      type: 'array',
      maxItems: 4,
      items: { type: 'string' },
      merge: 'set',
      by: ['creation', 'action'],
    },
    note: { type: 'string', maxLength: 200 },
    status: {
      states: {
        order: ['reserving', 'charging', 'paid', 'failed'],
        passing: ['reserving', 'charging'],
        allowed: { reserving: ['charging', 'failed'], charging: ['paid', 'failed'] },
      },
      by: ['action', 'reaction'],
    },
  },
  actions: {
    move: {
      summary: 'Go to a state',
      input: { to: { type: 'string', enum: ['reserving', 'charging', 'paid', 'failed'] } },
      required: ['to'],
      decide: (_, { to }) => ({ status: to }),
    },
    reshow: { summary: 'Writes what only a creation writes', decide: () => ({ show: 'Cats' }) },
  },
  removable: false,
  ids: { from: 'uuid7', withinMs: 20 * 3_600_000 },
  example: { show: 'Hamlet', cents: 2_500 },
});

/** An idempotency key that was made then. */
export function keyOf(madeAtMs: number): string {
  return uuidv7({ msecs: madeAtMs });
}
