/**
 * `bench orders`: orders a second at one site and at both, from the request to `paid`, against bare conditional puts of the same
 * records by the same adapter, in one run.
 */
import type { Stack, StackSite } from '@tandem-clouds/command-line/running-stack';
import { keyAt } from '@tandem-clouds/local/creation-headers';
import { openSiteStore } from '@tandem-clouds/local/stack/site-store';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { ask } from '@tandem-clouds/testkit/chaos/shop/shoppers';
import { withOwnStack } from '@tandem-clouds/testkit/cluster/own-stack';
import {
  commandLine,
  type Figure,
  figure,
  type Findings,
  report,
} from '@tandem-clouds/testkit/report/report';
import { percentile } from '@tandem-clouds/testkit/report/statistics';
import { stockKey } from '../../src/shared/domain/escrow/row.ts';
import { withFootprint } from './lag/footprint.ts';
import { ROOT } from './service-bundles.ts';

const PRICE_MINOR = 790;
const STOCK = 1_000_000;
const METHOD = 'pm_card_visa';
const WAIT_S = 10;
const PAID_WITHIN_MS = 60_000;

interface Options {
  /** Of each measurement. */
  readonly orders: number;
  /** Under way at once, at each site. */
  readonly lanes: number;
  readonly articles: number;
}

interface Bought {
  readonly seconds: number;
  readonly ids: readonly string[];
  /** From the request to the answer that shows it paid. */
  readonly paidMs: readonly number[];
}

const skuOf = (article: number): string => `bench-${article}`;

/** @throws Error when the stack refuses it */
async function stockUp({ sites }: Stack, articles: number): Promise<void> {
  for (let article = 0; article < articles; article += 1) {
    const sku = skuOf(article);
    const [first] = sites;
    if (first === undefined) throw new Error('the stack has no site');
    const product = { sku, name: sku, priceMinor: PRICE_MINOR, currency: 'EUR' };
    const made = await ask(named(first), 'POST', '/products', { body: product });
    if (made.status !== 201) throw new Error(`no product: ${JSON.stringify(made.body)}`);
    for (const site of sites) {
      const body = { book: 'dock', total: STOCK };
      const { status } = await ask(named(site), 'POST', `/inventory/${sku}/receipts`, { body });
      if (status !== 200) throw new Error(`no stock at ${site.site}: ${status}`);
      await untilKnown(site, sku);
    }
  }
}

/** What it costs has arrived. */
async function untilKnown(site: StackSite, sku: string): Promise<void> {
  for (const untilMs = performance.now() + PAID_WITHIN_MS; performance.now() < untilMs;) {
    if ((await ask(named(site), 'GET', `/products/${sku}`)).status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${sku} did not arrive at ${site.site}`);
}

const named = ({ site, url }: StackSite): { name: string; url: string } => ({ name: site, url });

/** Buys in so many lanes at each of the sites. @throws Error when an order is not paid */
async function buy(sites: readonly StackSite[], { orders, lanes, articles }: Options): Promise<Bought> {
  const [ids, paidMs]: [string[], number[]] = [[], []];
  let started = 0;
  const lane = async (site: StackSite): Promise<void> => {
    while (started < orders) {
      started += 1;
      const number = started;
      const beganMs = performance.now();
      const lines = [{ sku: skuOf(number % articles), units: 1, priceMinor: PRICE_MINOR }];
      const body = { currency: 'EUR', lines, method: METHOD };
      const placed = await ask(named(site), 'POST', '/orders', {
        body,
        key: keyAt(Date.now(), number),
      });
      if (placed.status !== 201)
        throw new Error(`${site.site}: ${placed.status} ${JSON.stringify(placed.body)}`);
      const id = String(placed.body['orderId']);
      await untilPaid(site, id, beganMs);
      paidMs.push(performance.now() - beganMs);
      ids.push(id);
    }
  };
  const beganMs = performance.now();
  await Promise.all(sites.flatMap((site) => Array.from({ length: lanes }, () => lane(site))));
  return { seconds: (performance.now() - beganMs) / 1_000, ids, paidMs };
}

async function untilPaid(site: StackSite, id: string, beganMs: number): Promise<void> {
  for (;;) {
    const { body } = await ask(named(site), 'GET', `/orders/${id}`, { waitS: WAIT_S });
    if (body['status'] === 'paid') return;
    if (performance.now() - beganMs > PAID_WITHIN_MS || body['reason'] !== undefined)
      throw new Error(`${site.site}: order ${id} is ${String(body['status'])} ${String(body['reason'])}`);
  }
}

/**
 * The same records by the same adapter, and nothing else: each order is put once, and the row of its article once, on condition
 * of what was there. @returns Seconds
 */
async function putBare(
  site: StackSite,
  ids: readonly string[],
  { lanes, articles }: Pick<Options, 'articles' | 'lanes'>,
): Promise<number> {
  const { store, close } = openSiteStore(site);
  try {
    const held = await Promise.all(ids.map((id) => store.get(`order:${id}`)));
    const records = held.flatMap((each) => (each === undefined ? [] : [each.record]));
    const rows = await Promise.all(
      Array.from(
        { length: articles },
        async (_, article) => (await store.get(stockKey(skuOf(article), site.site)))?.record,
      ),
    );
    let next = 0;
    const lane = async (name: number): Promise<void> => {
      const row = rows[name % articles];
      if (row === undefined) throw new Error('a row is not there');
      // A row of its own, so that nobody waits for anybody.
      const own = { ...row, key: `${row.key}~bare${name}` };
      await put({ ...own, pending: {} }, undefined);
      for (let at = next++; at < records.length; at = next++) {
        const record = records[at];
        if (record === undefined) return;
        await put({ ...record, key: `${record.key}~bare`, pending: {} }, undefined);
        await put({ ...own, pending: {} }, (await store.get(own.key))?.revision);
      }
    };
    const put = async (record: StoredRecord, expected: string | undefined): Promise<void> => {
      const [result] = await store.putMany([{ record, expected }]);
      if (result?.status !== 'written') throw new Error(`a bare put is ${result?.status ?? 'missing'}`);
    };
    const beganMs = performance.now();
    await Promise.all(Array.from({ length: lanes }, (_, name) => lane(name)));
    return (performance.now() - beganMs) / 1_000;
  } finally {
    close();
  }
}

async function measure(
  { sites }: Stack,
  { progress, ...options }: Options & { readonly progress: (line: string) => void },
): Promise<Findings> {
  const { orders, lanes } = options;
  progress('stock for both sites, and a warm-up');
  await stockUp({ sites } as Stack, options.articles);
  await buy(sites, { ...options, orders: Math.min(orders, 40) });
  const figures: Figure[] = [];
  const bareOf = new Map<string, number>();
  for (const site of sites) {
    progress(`${orders} orders at ${site.site}, ${lanes} at once`);
    const { footprint, result } = await withFootprint(() => buy([site], options));
    const bare = orders / (await putBare(site, result.ids, options));
    bareOf.set(site.site, bare);
    figures.push(
      figure(`${site.site}: orders to paid`, orders / result.seconds, '1/s'),
      figure(`${site.site}: bare puts of the same records`, bare, 'orders/s'),
      figure(`${site.site}: ratio`, orders / result.seconds / bare, '×'),
      ...times(site.site, result.paidMs),
      figure(`${site.site}: processor idle`, footprint.idleShare * 100, '%'),
    );
  }
  progress(`${orders} orders at both sites, ${lanes} at once at each`);
  const both = await buy(sites, options);
  const least = Math.min(...bareOf.values());
  figures.push(
    figure('both sites: orders to paid', orders / both.seconds, '1/s'),
    figure('both sites: ratio to bare puts at the slower one', orders / both.seconds / least, '×'),
    ...times('both sites', both.paidMs),
  );
  return {
    figures,
    notes: [
      'an order: POST, then GET with Prefer: wait=10 until it shows paid; the provider is the sandbox of this machine, which ' +
        'answers at once',
      'bare: for each order one conditional put of its record as it ended and one of a row of stock, with the read that gives its ' +
        'revision, by the same adapter in as many lanes, and nothing else: no message, no peer, no provider',
    ],
  };
}

function times(name: string, ms: readonly number[]): Figure[] {
  return [0.5, 0.99].map((share) =>
    figure(`${name}: order to paid, p${share * 100}`, percentile(ms, share), 'ms'),
  );
}

/** Returns the exit status. */
export async function benchOrders({
  json,
  ...options
}: Options & { readonly json: boolean }): Promise<number> {
  const title = `Orders, ${options.lanes} at once at each site`;
  return report({ title, json, command: commandLine(process.argv, ROOT) }, (progress) => {
    progress('starting a stack of its own');
    return withOwnStack((stack) => measure(stack, { ...options, progress }));
  });
}
