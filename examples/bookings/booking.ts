import { defineEntity } from '../domain/define-entity.ts';
import { RuleError } from '../domain/rule-error.ts';

/** The provider of mails. In a product it is a setting of your own, and its key a secret (docs/handlers.md). */
const MAILS_URL = 'http://127.0.0.1:8025/mails';
const CANCEL_BEFORE_MS = 24 * 60 * 60 * 1_000;

/** A place in a class: requested by a customer, confirmed or cancelled, and confirmed by one mail. */
export const booking = defineEntity({
  name: 'booking',
  collection: 'bookings',
  idField: 'bookingId',
  description: 'A place in a class',
  required: ['title', 'email', 'from'],
  fields: {
    customerId: { type: 'string', minLength: 1, maxLength: 200 },
    title: { type: 'string', minLength: 1, maxLength: 200 },
    email: { type: 'string', format: 'email', maxLength: 254 },
    from: { type: 'string', format: 'date-time', maxLength: 40 },
    // Of a confirmation and a cancellation at the same time, the cancellation stands: it is later in the order.
    status: {
      states: {
        order: ['requested', 'confirmed', 'cancelled'],
        allowed: { requested: ['confirmed', 'cancelled'], confirmed: ['cancelled'] },
      },
      by: 'action',
    },
    mailedAt: { type: 'string', format: 'date-time', maxLength: 40, by: 'reaction' },
  },

  // To everybody but its customer a booking does not exist.
  access: { owner: 'customerId' },

  // On the owner's field, so it is also the order of `GET /bookings` for its customer.
  indexes: { byCustomer: { on: 'customerId', order: 'from' } },

  actions: {
    confirm: {
      summary: 'Confirm',
      errors: { already_begun: 'It has begun', is_cancelled: 'It is cancelled' },
      decide({ status, from }, _, { now }) {
        if (status === 'cancelled') throw new RuleError('is_cancelled');
        if (now.getTime() >= Date.parse(from)) throw new RuleError('already_begun');
        return { status: 'confirmed' };
      },
    },
    cancel: {
      summary: 'Cancel',
      errors: { too_late: 'It begins within a day' },
      decide({ status, from }, _, { now }) {
        if (status === 'confirmed' && now.getTime() > Date.parse(from) - CANCEL_BEFORE_MS)
          throw new RuleError('too_late', `it begins at ${from}`);
        return { status: 'cancelled' };
      },
    },
  },

  reactions: {
    mail: {
      on: ['status'],
      when: ({ status, mailedAt }) => status === 'confirmed' && mailedAt === undefined,
      // A booking is confirmed once, also when both sites confirm it at the same time: so one name, and one mail.
      once: () => 'confirmed',
      async run({ id, email, title, from }, { effectId, now, services }) {
        await services.http.json({
          url: MAILS_URL,
          json: { to: email, subject: `${title} is confirmed`, text: `Booking ${id}, from ${from}` },
          idempotencyKey: effectId,
        });
        return { mailedAt: now.toISOString() };
      },
    },
  },

  example: { title: 'Pottery on Friday', email: 'hedy@example.com', from: '2040-05-04T17:00:00Z' },
});
