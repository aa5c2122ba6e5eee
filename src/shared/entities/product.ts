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
  samples: {
    'earl-grey': { name: 'Earl Grey, 100 g', priceMinor: 790, currency: 'EUR', category: 'tea' },
    sencha: { name: 'Sencha, 100 g', priceMinor: 1_290, currency: 'EUR', category: 'tea' },
    rooibos: { name: 'Rooibos, 250 g', priceMinor: 890, currency: 'EUR', category: 'tea' },
    espresso: { name: 'Espresso beans, 1 kg', priceMinor: 2_490, currency: 'EUR', category: 'coffee' },
    filter: { name: 'Filter coffee, 500 g', priceMinor: 1_190, currency: 'EUR', category: 'coffee' },
    teapot: { name: 'Teapot, cast iron', priceMinor: 5_900, currency: 'EUR', category: 'kitchen' },
    mug: { name: 'Mug for two', priceMinor: 1_450, currency: 'EUR', category: 'kitchen' },
    kettle: { name: 'Kettle with a thermometer', priceMinor: 7_990, currency: 'EUR', category: 'kitchen' },
    tandem: { name: 'Tandem bicycle', priceMinor: 149_900, currency: 'EUR', category: 'bicycles' },
    bell: { name: 'Bicycle bell', priceMinor: 1_250, currency: 'EUR', category: 'bicycles' },
    lock: { name: 'Chain lock', priceMinor: 4_990, currency: 'EUR', category: 'bicycles' },
    basket: { name: 'Wicker basket', priceMinor: 3_490, currency: 'EUR', category: 'bicycles' },
  },
  example: { name: 'Earl Grey, 100 g', priceMinor: 790, currency: 'EUR', category: 'tea' },
});
