import { defineEntity } from '../domain/define-entity.ts';
import { accounts, BOOK_CLAIM, kinds, providers } from '../domain/ledger/movement.ts';

/**
 * What a payment provider has moved, with its lines in the books (docs/payments.md). Written by `POST /ledger/reconcile` alone:
 * a book is a tenant, so whoever has no part in it sees nothing of it.
 */
export const movement = defineEntity({
  name: 'movement',
  collection: 'movements',
  idField: 'movementId',
  description: 'What a payment provider has moved, with its lines in the books',
  required: ['provider', 'entryId', 'kind', 'currency', 'atMs', 'lines'],
  access: { tenant: BOOK_CLAIM },
  removable: false,
  fields: {
    provider: { type: 'string', enum: providers, by: 'creation' },
    // Once for all time at the provider; the id of the record is <provider>~<entryId>.
    entryId: { type: 'string', minLength: 1, maxLength: 64, by: 'creation' },
    kind: { type: 'string', enum: kinds, by: 'creation' },
    // Of the order's payment; absent for what belongs to none.
    key: { type: 'string', minLength: 1, maxLength: 255, by: 'creation' },
    currency: { type: 'string', pattern: '^[A-Z]{3}$', by: 'creation' },
    atMs: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, by: 'creation' },
    // They add up to zero. Debit above 0, credit below.
    lines: {
      type: 'array',
      by: 'creation',
      maxItems: 3,
      items: {
        type: 'object',
        required: ['account', 'amountMinor'],
        additionalProperties: false,
        properties: {
          account: { type: 'string', enum: accounts },
          amountMinor: {
            type: 'integer',
            minimum: Number.MIN_SAFE_INTEGER,
            maximum: Number.MAX_SAFE_INTEGER,
          },
        },
      },
    },
  },
  indexes: {
    byTime: { on: 'provider', order: 'atMs', buckets: 4 },
    byOrder: { on: 'key', order: 'atMs' },
  },
  // What no provider has moved would be a difference.
  samples: {},
  example: {
    provider: 'stripe',
    entryId: 'txn_1',
    kind: 'charge',
    key: 'order-1',
    currency: 'EUR',
    atMs: 1_780_000_000_000,
    lines: [
      { account: 'provider', amountMinor: 1_020 },
      { account: 'sales', amountMinor: -1_050 },
      { account: 'fees', amountMinor: 30 },
    ],
  },
});
