import { orderAmountMax } from '../bounds.ts';
import { defineEntity } from '../domain/define-entity.ts';

/** What the shop sells; its id is the article number that stock and orders name. */
export const product = defineEntity({
  name: 'product',
  collection: 'products',
  idField: 'sku',
  description: 'What the shop sells',
  required: ['name', 'priceMinor', 'currency'],
  fields: {
    name: { type: 'string', minLength: 1, maxLength: 200 },
    /** Of one, in the currency's smallest unit. */
    priceMinor: { type: 'integer', minimum: 1, maximum: orderAmountMax },
    /** ISO 4217. */
    currency: { type: 'string', pattern: '^[A-Z]{3}$' },
    category: { type: 'string', minLength: 1, maxLength: 60 },
  },
  indexes: { byCategory: { on: 'category', order: 'priceMinor' } },
  example: { name: 'Earl Grey, 100 g', priceMinor: 790, currency: 'EUR', category: 'tea' },
});
