/** `tandem stock`: what the sites have to sell, and what becomes of the share of one that is lost for good. */
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { aligned } from '@tandem-clouds/command-line/table';
import { findSite, findTargets, TargetError } from '@tandem-clouds/operator/targets';
import type { StockOptions } from './options.ts';
import { ShopApi } from './shop-api.ts';

const SCOPES = 'tandem/read tandem/any-owner shop/stock';
const PAID = ['paid', 'fulfilled', 'refunded'] as const;

interface Share {
  readonly site: string;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly underWay: number;
}

interface Inventory {
  readonly sku: string;
  readonly available: number;
  readonly sites: readonly Share[];
}

/** Returns the exit status. @throws TargetError */
export async function stock(options: StockOptions, context: CommandContext): Promise<number> {
  switch (options.action) {
    case 'show':
      return show(options, context);
    case 'fence':
      return fence(options, context);
    case 'recover':
      return recover(options, context);
  }
}

async function openAt(options: StockOptions, context: CommandContext): Promise<ShopApi> {
  const target = options.at === undefined ? findTargets(options)[0] : await findSite(options, options.at);
  if (target === undefined) throw new TargetError('there is no site to ask');
  return ShopApi.open(target, { options, scope: SCOPES, context });
}

async function show(options: StockOptions, context: CommandContext): Promise<number> {
  const api = await openAt(options, context);
  const skus = options.sku === '' ? await skusAt(api) : [options.sku];
  const found: Inventory[] = [];
  for (const sku of skus) found.push((await api.query('GET', `/inventory/${sku}`)) as Inventory);
  if (options.json) for (const each of found) context.out(`${JSON.stringify(each)}\n`);
  else context.out(`${aligned([HEADS, ...found.flatMap(rowsOf)], [2, 3, 4, 5]).join('\n')}\n`);
  return 0;
}

const HEADS = ['article', 'site', 'available', 'held', 'sold', 'under way'] as const;

function rowsOf({ sku, sites }: Inventory): readonly (readonly string[])[] {
  return sites.map(({ site, available, held, sold, underWay }) => [
    sku,
    site,
    ...[available, held, sold, underWay].map(String),
  ]);
}

/** Articles that any site has a row of. */
async function skusAt(api: ShopApi): Promise<readonly string[]> {
  const skus = new Set<string>();
  for await (const items of api.pages('/stock'))
    for (const { sku } of items) if (typeof sku === 'string') skus.add(sku);
  return [...skus].sort();
}

/** Cuts a lost site off at every site that is left, and says what has to be counted. */
async function fence(options: StockOptions, context: CommandContext): Promise<number> {
  const { lost, heir, json } = options;
  const { out, err } = context;
  const apis = await Promise.all(
    findTargets(options).map((target) => ShopApi.open(target, { options, scope: SCOPES, context })),
  );
  const skus = new Set((await Promise.all(apis.map(skusAt))).flat());
  const shares = new Map<string, Share | undefined>();
  for (const sku of [...skus].sort()) {
    for (const api of apis) {
      const fenced = (await api.query('POST', `/inventory/${sku}/fences`, { lost, heir })) as Inventory & {
        readonly heir: string;
      };
      if (fenced.heir !== heir)
        throw new TargetError(`${api.name}: ${sku}: its heir is ${fenced.heir}, and stays so: name that one`);
      shares.set(sku, fenced.sites.find(({ site }) => site === lost) ?? shares.get(sku));
    }
    err(`${sku}: cut off at ${apis.map(({ name }) => name).join(', ')}\n`);
  }
  const [first] = apis;
  const paid = first === undefined ? new Map<string, number>() : await paidFrom(first, lost);
  const rows = [...shares].map(([sku, share]) => [
    sku,
    ...[share?.available, share?.held, share?.sold].map((units) => String(units ?? 0)),
    String(paid.get(sku) ?? 0),
  ]);
  if (json)
    for (const [sku, available, held, sold, units] of rows)
      out(
        `${JSON.stringify({ sku, available: Number(available), held: Number(held), sold: Number(sold), paid: Number(units) })}\n`,
      );
  else
    out(
      `${aligned([['article', 'it said: available', 'held', 'sold', 'paid for from it'], ...rows], [1, 2, 3, 4]).join('\n')}\n` +
        'Count what is there, take off what was paid for and has not left, and enter the rest with stock recover.\n',
    );
  return 0;
}

/** Units of paid orders that a site's stock backs, by article. */
async function paidFrom(api: ShopApi, lost: string): Promise<ReadonlyMap<string, number>> {
  const paid = new Map<string, number>();
  for (const status of PAID)
    for await (const items of api.pages('/orders', { status }))
      for (const order of items) {
        if (order['paidFrom'] !== lost) continue;
        for (const { sku, units } of order['lines'] as readonly { sku: string; units: number }[])
          paid.set(sku, (paid.get(sku) ?? 0) + units);
      }
  return paid;
}

async function recover(options: StockOptions, context: CommandContext): Promise<number> {
  const { lost, sku, units, json } = options;
  const api = await openAt(options, context);
  const found = (await api.query('POST', `/inventory/${sku}/recoveries`, { lost, units })) as Inventory;
  if (json) context.out(`${JSON.stringify(found)}\n`);
  else context.out(`${units} of ${sku} are entered at ${api.name}; now ${found.available} can be sold.\n`);
  return 0;
}
