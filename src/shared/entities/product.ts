import { orderAmountMax, picturesPerProductMax } from '../bounds.ts';
import { defineEntity } from '../domain/define-entity.ts';
import { ID_PATTERN } from '../domain/json-schema.ts';

const name = { type: 'string', minLength: 1, maxLength: 200 } as const;
const description = { type: 'string', maxLength: 2_000 } as const;

/** Article number, category, price, and name and description in English and in German. */
const SAMPLES = [
  [
    'earl-grey',
    'tea',
    790,
    ['Earl Grey, 100 g', 'Black tea with bergamot'],
    ['Earl Grey, 100 g', 'Schwarzer Tee mit Bergamotte'],
  ],
  [
    'sencha',
    'tea',
    1_290,
    ['Sencha, 100 g', 'Green tea from Japan, fresh and grassy'],
    ['Sencha, 100 g', 'Grüner Tee aus Japan, frisch und grasig'],
  ],
  [
    'rooibos',
    'tea',
    890,
    ['Rooibos, 250 g', 'Red bush from South Africa, without caffeine'],
    ['Rotbusch, 250 g', 'Rotbusch aus Südafrika, ohne Koffein'],
  ],
  [
    'espresso',
    'coffee',
    2_490,
    ['Espresso beans, 1 kg', 'Dark and sweet, for machines and moka pots'],
    ['Espressobohnen, 1 kg', 'Dunkel und süß, für Maschine und Mokkakanne'],
  ],
  [
    'filter',
    'coffee',
    1_190,
    ['Filter coffee, 500 g', 'Ground for paper filters'],
    ['Filterkaffee, 500 g', 'Gemahlen für Papierfilter'],
  ],
  [
    'teapot',
    'kitchen',
    5_900,
    ['Teapot, cast iron', 'Keeps four cups warm for an hour'],
    ['Teekanne aus Gusseisen', 'Hält vier Tassen eine Stunde lang warm'],
  ],
  ['mug', 'kitchen', 1_450, ['Mug for two', 'With two handles'], ['Becher für zwei', 'Mit zwei Henkeln']],
  [
    'kettle',
    'kitchen',
    7_990,
    ['Kettle with a thermometer', 'Green tea wants 70 degrees'],
    ['Wasserkocher mit Thermometer', 'Grüner Tee will 70 Grad'],
  ],
  [
    'tandem',
    'bicycles',
    149_900,
    ['Tandem bicycle', 'Two seats, 27 gears, one direction'],
    ['Tandem', 'Zwei Sättel, 27 Gänge, eine Richtung'],
  ],
  [
    'bell',
    'bicycles',
    1_250,
    ['Bicycle bell', 'Of brass, heard around the corner'],
    ['Fahrradklingel', 'Aus Messing, um die Ecke zu hören'],
  ],
  [
    'lock',
    'bicycles',
    4_990,
    ['Chain lock', 'A metre of hardened steel'],
    ['Kettenschloss', 'Ein Meter gehärteter Stahl'],
  ],
  [
    'basket',
    'bicycles',
    3_490,
    ['Wicker basket', 'For the handlebar, with a lid'],
    ['Weidenkorb', 'Für den Lenker, mit Deckel'],
  ],
] as const;

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
  // What is shown to everybody, and changes seldom: caches keep it until a change purges it.
  cache: { maxAgeSeconds: 60, by: ['category'] },
  samples: Object.fromEntries(
    SAMPLES.map(([sku, category, priceMinor, english, german]) => [
      sku,
      {
        name: english[0],
        description: english[1],
        translations: { de: { name: german[0], description: german[1] } },
        priceMinor,
        currency: 'EUR',
        category,
        pictures: [`${sku}.1`],
      },
    ]),
  ),
  example: {
    name: 'Earl Grey, 100 g',
    description: 'Black tea with bergamot',
    translations: { de: { name: 'Earl Grey, 100 g', description: 'Schwarzer Tee mit Bergamotte' } },
    priceMinor: 790,
    currency: 'EUR',
    category: 'tea',
  },
});
