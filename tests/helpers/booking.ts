/** An entity with rules, declared for tests: it behaves and misbehaves. */
import { defineEntity } from '../../src/shared/domain/define-entity.ts';
import { RuleError } from '../../src/shared/domain/rule-error.ts';

const order = ['pending', 'confirmed', 'cancelled'] as const;

export const booking = defineEntity({
  name: 'booking',
  collection: 'bookings',
  idField: 'bookingId',
  description: 'A booking',
  required: ['guest', 'card'],
  fields: {
    guest: { type: 'string', minLength: 1, maxLength: 40 },
    card: { type: 'string', maxLength: 40, readableBy: ['bookings/staff'] },
    status: {
      states: { order, allowed: { pending: ['confirmed', 'cancelled'], confirmed: ['cancelled'] } },
      by: 'action',
    },
    by: { type: 'string', maxLength: 300, by: 'action' },
    tickets: { type: 'array', maxItems: 4, items: { type: 'string' }, merge: 'set', by: 'action' },
    receipt: { type: 'string', by: 'reaction' },
  },
  actions: {
    confirm: {
      summary: 'Confirm',
      input: {
        by: { type: 'string', minLength: 1, maxLength: 40 },
        seats: { type: 'integer', minimum: 1, maximum: 4 },
      },
      required: ['by', 'seats'],
      errors: {
        already_over: 'The booking is over',
        too_dear: { title: 'The card does not cover it', status: 402 },
      },
      decide(record, { by, seats }, { newId }) {
        if (record.status === 'cancelled') throw new RuleError('already_over', `it is ${record.status}`);
        if (seats === 4) throw new RuleError('too_dear');
        const add = Array.from({ length: seats }, () => newId());
        return { status: 'confirmed', tickets: { add }, by };
      },
    },
    /** Leaves it to the declared states when it may. */
    cancel: { summary: 'Cancel', decide: () => ({ status: 'cancelled' }) },
    reopen: { summary: 'Against the order', decide: () => ({ status: 'pending' }) },
    touch: { summary: 'Changes nothing', decide: () => undefined },
    sign: {
      summary: 'Who asks, and when',
      decide: (_, __, { caller, now }) => ({
        by: JSON.stringify([caller.subject, caller.scopes, caller.claims['client_id'], now.toISOString()]),
      }),
    },
    fail: {
      summary: 'Throws what it does not declare',
      decide() {
        throw new RangeError('the secret reason');
      },
    },
    refuse: {
      summary: 'Refuses by a code that it does not declare',
      decide() {
        throw new RuleError('whatever');
      },
    },
    defer: { summary: 'Decides later', decide: () => Promise.reject(new Error('later')) as never },
    meddle: {
      summary: 'Changes what it is given',
      decide(record) {
        (record.tickets as string[]).push('free');
        return undefined;
      },
    },
    overreach: { summary: 'Writes the field of others', decide: () => ({ receipt: 'r' }) },
    lie: { summary: 'Writes what its field never takes', decide: () => ({ by: 7 as never }) },
  },
  example: { guest: 'ada', card: '4242' },
});

/** The actions whose rules break their declaration, and what the log says of each. */
export const faults = {
  fail: 'the rule booking.fail failed: the secret reason',
  refuse: 'the rule booking.refuse refused by whatever, which it does not declare',
  defer: 'the rule booking.defer failed: it returned a promise',
  meddle: 'the rule booking.meddle failed: Cannot add property 0, object is not extensible',
  overreach:
    'the rule booking.overreach returned what it may not: receipt is written by reactions, not by actions',
  lie: 'the rule booking.lie returned what it may not: by must be string',
} as const;
