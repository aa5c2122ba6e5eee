import {
  countStock,
  fenceSite,
  moveStock,
  readStock,
  receiveStock,
  recoverStock,
} from '../domain/escrow/escrow.ts';
import { available, total, underWay } from '../domain/escrow/row.ts';
import { defineRoutes } from '../domain/routes/define-routes.ts';
import type { OwnSite } from '../domain/routes/route-records.ts';
import { RuleError } from '../domain/rule-error.ts';

const units = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
const someUnits = { type: 'integer', minimum: 1, maximum: 1_000_000_000 } as const;
const siteId = { type: 'string', minLength: 1, maxLength: 48 } as const;
const sku = {
  type: 'string',
  minLength: 1,
  maxLength: 128,
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
} as const;
const shareFields = {
  site: siteId,
  /** What it may still promise. */
  available: units,
  held: units,
  sold: units,
  received: units,
  writtenOff: units,
  /** Given to other sites, less what was taken from them. */
  moved: { type: 'integer' },
  /** Given to this site, and not taken yet. */
  underWay: units,
} as const;
const share = { type: 'object', required: Object.keys(shareFields), properties: shareFields } as const;
const stockFields = {
  sku,
  available: units,
  held: units,
  sold: units,
  underWay: units,
  sites: { type: 'array', items: share },
} as const;
/** Said to be sure which site it is entered at. */
const at = { site: siteId } as const;
const wrongSite = {
  other_site: { title: 'Another site was asked: a site enters its own stock only', status: 421 },
} as const;
const access = { scope: 'shop/stock' } as const;

/** Stock of the shop, per site and in total: received, counted, moved, and brought back after the loss of a site. */
export const inventory = defineRoutes({
  name: 'inventory',
  description: 'Stock of the shop, per site and in total',
  uses: { records: { stock: 'write' }, site: true },
  operations: {
    getInventory: {
      method: 'GET',
      path: '/inventory/{sku}',
      summary:
        'The stock of a product as this site knows it: its own exactly, that of others as it has arrived',
      params: { sku },
      output: stockFields,
      async handle({ params }, { site }) {
        return stockAt(site, params.sku);
      },
    },
    receiveStock: {
      method: 'POST',
      path: '/inventory/{sku}/receipts',
      summary:
        'Goods came in: the total of a goods-in book so far, so that a receipt that is entered twice counts once',
      access,
      repeat: 'here',
      params: { sku },
      input: {
        book: { type: 'string', minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9]' },
        total: someUnits,
        ...at,
      },
      required: ['book', 'total'],
      output: stockFields,
      errors: wrongSite,
      async handle({ params, input }, { site }) {
        requireHere(site, input.site);
        const { book, total: units } = input;
        await site.run((own) => receiveStock(own, params.sku, { book, total: units }));
        return stockAt(site, params.sku);
      },
    },
    countStock: {
      method: 'POST',
      path: '/inventory/{sku}/counts',
      summary: 'What lies on the shelf of this site was counted, what waits for orders among it',
      access,
      params: { sku },
      input: { units, ...at },
      required: ['units'],
      output: stockFields,
      errors: {
        ...wrongSite,
        below_held: 'Orders hold more than was counted: cancel some, or find the goods',
      },
      async handle({ params, input }, { site }) {
        requireHere(site, input.site);
        const refused = await site.run((own) => countStock(own, params.sku, { units: input.units }));
        if (refused !== undefined) throw new RuleError('below_held');
        return stockAt(site, params.sku);
      },
    },
    moveStock: {
      method: 'POST',
      path: '/inventory/{sku}/moves',
      summary: 'Goods leave this site for another one, which has them when it hears of it',
      access,
      keyed: true,
      params: { sku },
      input: { to: siteId, units: someUnits, ...at },
      required: ['to', 'units'],
      output: stockFields,
      errors: {
        ...wrongSite,
        unknown_site: { title: 'There is no such other site', status: 404 },
        short: 'So much is not available here',
        site_fenced: 'The other site is cut off from stock',
      },
      async handle({ params, input }, { site, newId }) {
        requireHere(site, input.site);
        if (!site.peers.includes(input.to)) throw new RuleError('unknown_site');
        const { to, units } = input;
        const refused = await site.run((own) => moveStock(own, params.sku, { to, units, moveId: newId() }));
        if (refused !== undefined) throw new RuleError(refused === 'fenced' ? 'site_fenced' : 'short');
        return stockAt(site, params.sku);
      },
    },
    fenceSite: {
      method: 'POST',
      path: '/inventory/{sku}/fences',
      summary:
        'Cuts a site that is lost for good off from the stock of this one: do so at every site that is left',
      access,
      params: { sku },
      input: { lost: siteId, heir: siteId, ...at },
      required: ['lost', 'heir'],
      output: { ...stockFields, heir: siteId },
      errors: {
        ...wrongSite,
        not_lost: 'It is a site of this configuration: fence it there first (docs/losing-a-cloud.md)',
      },
      async handle({ params, input }, { site }) {
        requireHere(site, input.site);
        const { lost, heir } = input;
        if (lost === site.id || site.peers.includes(lost)) throw new RuleError('not_lost');
        const { fenced } = await site.run((own) => fenceSite(own, params.sku, { lost, heir }));
        return { ...(await stockAt(site, params.sku)), heir: fenced[lost] ?? heir };
      },
    },
    recoverStock: {
      method: 'POST',
      path: '/inventory/{sku}/recoveries',
      summary:
        'What people counted of the share of a lost site, less what was paid for from it: once, at its heir',
      access,
      params: { sku },
      input: { lost: siteId, units, ...at },
      required: ['lost', 'units'],
      output: stockFields,
      errors: wrongSite,
      async handle({ params, input }, { site }) {
        requireHere(site, input.site);
        const { lost, units } = input;
        await site.run((own) => recoverStock(own, params.sku, { lost, units }));
        return stockAt(site, params.sku);
      },
    },
  },
});

/** @throws RuleError when the caller meant another site */
function requireHere({ id }: OwnSite, meant: string | undefined): void {
  if (meant !== undefined && meant !== id) throw new RuleError('other_site', `this is ${id}`);
}

/** The shares of sites as this one knows them, its own first, and their sum. */
async function stockAt(site: OwnSite, sku: string) {
  const rows = await site.run((own) => readStock(own, sku));
  const sites = rows.map((row) => ({
    site: row.site,
    available: available(row),
    held: total(row.holds),
    sold: row.sold,
    received: total(row.receipts) + total(row.recovered),
    writtenOff: row.writtenOff,
    moved: total(row.given) - total(row.taken),
    underWay: rows.reduce((sum, from) => sum + underWay(from, row), 0),
  }));
  const sum = (of: 'available' | 'held' | 'sold' | 'underWay'): number =>
    sites.reduce((all, each) => all + each[of], 0);
  return {
    sku,
    available: sum('available'),
    held: sum('held'),
    sold: sum('sold'),
    underWay: sum('underWay'),
    sites: sites.toSorted((a, b) =>
      a.site === site.id ? -1 : b.site === site.id ? 1 : a.site < b.site ? -1 : 1,
    ),
  };
}
