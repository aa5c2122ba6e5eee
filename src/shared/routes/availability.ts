import { availabilitySkusMax, fewUnitsMax } from '../bounds.ts';
import { readStockOf } from '../domain/escrow/escrow.ts';
import { unitsOfAll } from '../domain/escrow/row.ts';
import { defineRoutes } from '../domain/routes/define-routes.ts';

const sku = {
  type: 'string',
  minLength: 1,
  maxLength: 128,
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
} as const;

/** Whether there is some of a product, for everybody to see: neither how much nor where. */
export const availability = defineRoutes({
  name: 'availability',
  description: 'Whether there is some of a product, for everybody to see',
  uses: { records: { stock: 'read' }, site: true },
  operations: {
    listAvailability: {
      method: 'GET',
      path: '/availability',
      summary: 'Whether there is some of each product, at all sites together as this one knows it',
      access: 'everybody',
      input: {
        sku: { type: 'array', minItems: 1, maxItems: availabilitySkusMax, uniqueItems: true, items: sku },
      },
      required: ['sku'],
      output: {
        items: {
          type: 'array',
          items: {
            type: 'object',
            required: ['sku', 'availability'],
            properties: { sku, availability: { enum: ['in_stock', 'few', 'none'] } },
          },
        },
      },
      async handle({ input }, { site }) {
        const rows = await site.run((own) => readStockOf(own, input.sku));
        return {
          items: input.sku.map((each) => {
            const units = unitsOfAll(rows.get(each) ?? []);
            return {
              sku: each,
              availability: units <= 0 ? 'none' : units <= fewUnitsMax ? 'few' : 'in_stock',
            };
          }),
        };
      },
    },
  },
});
