import { defineEntity } from '../domain/define-entity.ts';
import { rebalanceStock } from '../domain/escrow/escrow.ts';
import { tendHolds } from '../domain/orders/reserve.ts';

const units = {
  type: 'object',
  additionalProperties: { type: 'integer' },
  merge: 'whole',
  by: 'reaction',
} as const;
const count = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, by: 'reaction' } as const;

/**
 * A site's share of the stock of one product: `<sku>~<site>`, written at that site alone (`domain/escrow/row.ts`). Goods come in
 * and go by the routes of `/inventory`.
 */
export const stock = defineEntity({
  name: 'stock',
  collection: 'stock',
  idField: 'stockId',
  description: "A site's share of the stock of one product",
  required: [],
  fields: {
    sku: { type: 'string', maxLength: 128, by: 'reaction' },
    site: { type: 'string', maxLength: 48, by: 'reaction' },
    sequence: count,
    receipts: units,
    recovered: units,
    writtenOff: count,
    sold: count,
    holds: units,
    lookMs: count,
    given: units,
    taken: units,
    asked: units,
    fenced: { type: 'object', additionalProperties: { type: 'string' }, merge: 'whole', by: 'reaction' },
  },
  indexes: { bySku: { on: 'sku', order: 'site' } },
  reactions: {
    // What one site gives or asks for, the others take and give. At every site, for each writes its own row alone.
    share: {
      on: ['given', 'asked', 'receipts', 'recovered'],
      site: 'every',
      when: ({ sku }) => sku !== undefined,
      *steps({ sku = '' }, { site }) {
        yield* rebalanceStock(site, sku);
      },
    },
    // At every site, for that of a lost site is nobody else's to tend, and would seem to be left undone.
    tend: {
      on: ['lookMs'],
      site: 'every',
      when: ({ lookMs = 0 }) => (lookMs === 0 ? false : lookMs),
      *steps({ sku = '', site: owner }, { site }) {
        if (owner === site.site) yield* tendHolds(site, sku);
      },
    },
  },
  removable: false,
  samples: {},
  example: {},
});
