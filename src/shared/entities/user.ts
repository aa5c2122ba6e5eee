import { countHappened } from '../domain/analytics/count.ts';
import { defineEntity } from '../domain/define-entity.ts';
import { metadataSchema } from '../domain/json-schema.ts';

/** A person or an account. */
export const user = defineEntity({
  name: 'user',
  collection: 'users',
  idField: 'userId',
  description: 'A person or an account',
  aliases: ['/user'],
  required: ['name', 'email'],
  subject: { field: 'userId' },
  fields: {
    name: { type: 'string', minLength: 1, maxLength: 200 },
    email: { type: 'string', format: 'email', maxLength: 254 },
    metadata: metadataSchema,
    labels: {
      type: 'array',
      maxItems: 100,
      items: { type: 'string', minLength: 1, maxLength: 64 },
      merge: 'set',
    },
    signIns: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, merge: 'counter' },
  },
  reactions: {
    // Sign-ups by the minute (docs/analytics.md): of accounts that are there.
    countSignUp: {
      on: ['createdAt'],
      site: 'every',
      whenDeleted: true,
      when: () => true,
      steps: (_, context) => countHappened(context, 'signUp'),
    },
  },
  example: { name: 'Ada Lovelace', email: 'ada@example.com', metadata: { plan: 'pro' }, labels: ['beta'] },
  samples: {
    ada: { name: 'Ada Lovelace', email: 'ada@example.com', metadata: { plan: 'pro' } },
    alan: { name: 'Alan Turing', email: 'alan@example.com', metadata: { plan: 'pro' } },
    barbara: { name: 'Barbara Liskov', email: 'barbara@example.com', metadata: { plan: 'team' } },
    edsger: { name: 'Edsger Dijkstra', email: 'edsger@example.com', metadata: { plan: 'free' } },
    frances: { name: 'Frances Allen', email: 'frances@example.com', metadata: { plan: 'team' } },
    grace: { name: 'Grace Hopper', email: 'grace@example.com', metadata: { plan: 'pro' } },
    katherine: { name: 'Katherine Johnson', email: 'katherine@example.com', metadata: { plan: 'free' } },
    leslie: { name: 'Leslie Lamport', email: 'leslie@example.com', metadata: { plan: 'team' } },
  },
});
