import { orderAmountMax, picturesPerProductMax } from '../bounds.ts';
import { defineEntity } from '../domain/define-entity.ts';
import { ID_PATTERN } from '../domain/json-schema.ts';

const name = { type: 'string', minLength: 1, maxLength: 200 } as const;
const description = { type: 'string', maxLength: 2_000 } as const;

/** What the shop sells; its id is the article number that stock and orders name (docs/products.md). */
export const product = defineEntity({
  name: 'product',
  collection: 'products',
  idField: 'sku',
  description: 'What the shop sells',
  required: ['name', 'priceMinor', 'currency'],
  access: { read: 'everybody', write: 'shop/catalogue' },
  fields: {
    /** In English, as is `description`. */
    name,
    description,
    /** Language (ISO 639-1) → the same in it; languages merge one by one. */
    translations: {
      type: 'object',
      maxProperties: 20,
      propertyNames: { pattern: '^[a-z]{2}$' },
      additionalProperties: {
        type: 'object',
        required: ['name'],
        additionalProperties: false,
        properties: { name, description },
      },
    },
    /** Of one, in the currency's smallest unit. */
    priceMinor: { type: 'integer', minimum: 1, maximum: orderAmountMax },
    /** ISO 4217. */
    currency: { type: 'string', pattern: '^[A-Z]{3}$' },
    category: { type: 'string', minLength: 1, maxLength: 60 },
    /** Ids of pictures, in the order in which they are shown. */
    pictures: {
      type: 'array',
      maxItems: picturesPerProductMax,
      uniqueItems: true,
      items: { type: 'string', pattern: ID_PATTERN },
    },
    /** False: it is sold, and in no list of what there is. */
    listed: { type: 'boolean', default: true },
  },
  indexes: {
    byCategory: { on: 'category', order: 'priceMinor' },
    // Of one currency: amounts of two cannot be compared.
    byPrice: { on: 'currency', order: 'priceMinor', buckets: 4 },
    byName: { on: 'listed', order: 'name', folded: true, buckets: 4 },
  },
  samples: {
    'earl-grey': tea('Earl Grey, 100 g', 'Earl Grey, 100 g', 790),
    sencha: tea('Sencha, 100 g', 'Sencha, 100 g', 1_290),
    rooibos: tea('Rooibos, 250 g', 'Rotbusch, 250 g', 890),
    espresso: of('coffee', 'Espresso beans, 1 kg', 'Espressobohnen, 1 kg', 2_490),
    filter: of('coffee', 'Filter coffee, 500 g', 'Filterkaffee, 500 g', 1_190),
    teapot: of('kitchen', 'Teapot, cast iron', 'Teekanne aus Gusseisen', 5_900),
    mug: of('kitchen', 'Mug for two', 'Becher für zwei', 1_450),
    kettle: of('kitchen', 'Kettle with a thermometer', 'Wasserkocher mit Thermometer', 7_990),
    tandem: of('bicycles', 'Tandem bicycle', 'Tandem', 149_900),
    bell: of('bicycles', 'Bicycle bell', 'Fahrradklingel', 1_250),
    lock: of('bicycles', 'Chain lock', 'Kettenschloss', 4_990),
    basket: of('bicycles', 'Wicker basket', 'Weidenkorb', 3_490),
  },
  example: {
    name: 'Earl Grey, 100 g',
    description: 'Black tea with bergamot',
    translations: { de: { name: 'Earl Grey, 100 g', description: 'Schwarzer Tee mit Bergamotte' } },
    priceMinor: 790,
    currency: 'EUR',
    category: 'tea',
  },
});

function tea(english: string, german: string, priceMinor: number): ReturnType<typeof of> {
  return of('tea', english, german, priceMinor);
}

function of(category: string, english: string, german: string, priceMinor: number) {
  return { name: english, translations: { de: { name: german } }, priceMinor, currency: 'EUR', category };
}
