/**
 * A shop under faults: customers at both sites want more of a few articles than there is, while processes are killed, sites are
 * away and cut off, and the payment provider fails; then everything ends, and the books are compared.
 */
import type { Violation } from '../../checkers/judge.ts';
import type { Endpoint } from '../../cluster/request.ts';
import { TestCluster } from '../../cluster/test-cluster.ts';
import type { Finding } from '../../history/facts.ts';
import { Random } from '../../random.ts';
import { workInLanes } from '../lanes.ts';
import type { InjectedFaults } from '../nemesis.ts';
import { type Episode, makeShopPlan, quietMs } from '../plan.ts';
import { type Planned, planned } from '../planned.ts';
import { pause, until } from '../reactions/until.ts';
import type { ChaosOptions } from '../run.ts';
import {
  type AtRest,
  checkBooks,
  checkCounted,
  countedAt,
  ordersAt,
  type Share,
  sharesOf,
  TOO_SHORT,
} from './books.ts';
import { Sandbox } from './sandbox.ts';
import { type Article, ask, type Placed, Shoppers } from './shoppers.ts';

const LANES = 24;
const ARTICLES = 20;
/** Ten orders for each piece. */
const ORDERS_PER_PIECE = 10;
const PRICE_FROM = 300;
const SAMPLE_EVERY_MS = 1_000;
/** A step that failed is taken again after this time at last, and a payment looked at again. */
const RESTED_WITHIN_MS = 1_500_000;
const VIOLATIONS_MAX = 50;
const OPEN = ['reserving', 'reserved', 'paying', 'cancelling'] as const;
const ENDS = ['rejected', 'expired', 'cancelled', 'paid', 'fulfilled', 'refunded'] as const;
/** Of what is sold while nothing befalls the stack, an order may be late by so much. */
const UNDER_WAY_MS = 5_000;

/** What could be sold at a moment: what each site's own share says. */
interface Sampled {
  readonly atMs: number;
  readonly available: ReadonlyMap<string, number>;
}

export interface ShopChaosResult {
  readonly plan: readonly Episode[];
  readonly injectedFaults: InjectedFaults;
  readonly trafficMs: number;
  readonly placed: readonly Placed[];
  readonly refused: ReadonlyMap<string, number>;
  /** After healing until every order had ended at both sites; undefined: not in time. */
  readonly restedMs: number | undefined;
  readonly rest: AtRest | undefined;
  /** Orders that were rejected while nothing befell the stack, and their articles known: these were compared. */
  readonly compared: number;
  readonly findings: readonly Finding[];
  readonly violations: readonly Violation[];
}

/** @throws Error when the stack does not come up, or the run itself fails. */
export async function runShopChaos(options: ChaosOptions): Promise<ShopChaosResult> {
  const { progress } = options;
  const run = planned(options, makeShopPlan);
  progress('starting a stack of its own');
  const cluster = await TestCluster.open(run.order);
  try {
    return await runIn(cluster, { ...options, ...run });
  } finally {
    await cluster.close();
  }
}

type Prepared = ChaosOptions & Planned;

async function runIn(cluster: TestCluster, options: Prepared): Promise<ShopChaosResult> {
  const { random, plan, writes, progress } = options;
  const sites = cluster.endpoints().filter(({ name }) => name !== 'edge');
  const { payments } = cluster.describe();
  const sandbox = new Sandbox(payments.stripe, payments.faults['stripe'] ?? '');
  const received = await stockUp(sites, { random, pieces: Math.ceil(writes / ORDERS_PER_PIECE) });
  const articles = [...received.keys()].map((sku, index) => ({ sku, priceMinor: priceOf(index) }));
  const shoppers = new Shoppers(random.stream('shoppers'), { sites, articles, sandbox });
  const samples: Sampled[] = [];
  const traffic = await underFire(cluster, shoppers, { ...options, sandbox, sites, articles, samples });
  progress('healing');
  await Promise.all([cluster.heal(), sandbox.heal()]);
  const restedMs = await untilOver(sites, shoppers, progress);
  progress(restedMs === undefined ? 'NOT AT REST' : 'at rest; comparing the books');
  const rest = restedMs === undefined ? undefined : await readBooks(sites, { sandbox, shoppers, received });
  const short = restedMs === undefined ? [] : rejectedWhileQuiet(shoppers.placed, samples, traffic);
  const findings = [
    ...(rest === undefined ? [{ invariant: 'orders that never end', detail: 'see the log of the run' }] : []),
    ...(rest === undefined ? [] : checkBooks(rest)),
    ...short.flatMap((each) => ('invariant' in each ? [each] : [])),
  ];
  return {
    plan,
    ...traffic,
    placed: shoppers.placed,
    refused: shoppers.refused,
    restedMs,
    rest,
    compared: short.length,
    findings,
    violations: findings.slice(0, VIOLATIONS_MAX).map((each) => ({ ...each, log: [], states: {} })),
  };
}

const priceOf = (index: number): number => PRICE_FROM + index * 35;

/** Articles, few of which most customers want, and their pieces at both sites. @returns Sku → pieces */
async function stockUp(
  sites: readonly Endpoint[],
  { random, pieces }: { readonly random: Random; readonly pieces: number },
): Promise<ReadonlyMap<string, number>> {
  const received = new Map<string, number>();
  const each = Math.max(1, Math.ceil(pieces / ARTICLES));
  for (let index = 0; index < ARTICLES; index += 1) {
    const sku = `chaos-${index}`;
    const [first, second] = random.shuffled(sites);
    const product = { sku, name: `Article ${index}`, priceMinor: priceOf(index), currency: 'EUR' };
    await demand(first, '/products', product);
    const here = random.int(each + 1);
    for (const [site, total] of [
      [first, here],
      [second, each - here],
    ] as const)
      if (site !== undefined && total > 0)
        await demand(site, `/inventory/${sku}/receipts`, { book: 'dock', total });
    received.set(sku, each);
  }
  return received;
}

async function demand(site: Endpoint | undefined, path: string, body: object): Promise<void> {
  if (site === undefined) throw new Error('two sites are needed');
  const answer = await ask(site, 'POST', path, { body });
  if (answer.status >= 300) throw new Error(`${path} at ${site.name}: ${JSON.stringify(answer.body)}`);
}

async function underFire(
  cluster: TestCluster,
  shoppers: Shoppers,
  {
    sites,
    articles,
    samples,
    ...options
  }: Prepared & {
    readonly sandbox: Sandbox;
    readonly sites: readonly Endpoint[];
    readonly articles: readonly Article[];
    readonly samples: Sampled[];
  },
): Promise<Pick<ShopChaosResult, 'injectedFaults' | 'trafficMs'> & { readonly quietUntilMs: number }> {
  const quietUntilMs = Date.now() + quietMs(options.plannedMs);
  const traffic = await workInLanes(cluster, options, {
    lanes: LANES,
    shown: () => `${shoppers.acknowledged} orders`,
    goesOn: (started) => started < options.writes,
    act: (number) => shoppers.shop(number),
    async beside(signal) {
      while (!signal.aborted && Date.now() < quietUntilMs) {
        const sample = await sampleOf(sites, articles).catch(() => undefined);
        if (sample !== undefined) samples.push(sample);
        await pause(SAMPLE_EVERY_MS);
      }
    },
  });
  return { ...traffic, quietUntilMs };
}

async function sampleOf(sites: readonly Endpoint[], articles: readonly Article[]): Promise<Sampled> {
  const available = new Map<string, number>();
  for (const { sku } of articles) available.set(sku, sum(await sharesOf(sites, sku), 'available'));
  return { atMs: Date.now(), available };
}

function sum(shares: readonly Share[], of: 'available'): number {
  return shares.reduce((all, share) => all + share[of], 0);
}

/**
 * Orders that were rejected as short while nothing befell the stack: both before they were sent and after it was known, all sites
 * together must have had too little of something. What was held then may have come free since, and is not asked for.
 * @returns One for each that could be compared; those that were wrong are findings.
 */
function rejectedWhileQuiet(
  placed: readonly Placed[],
  samples: readonly Sampled[],
  { quietUntilMs }: { readonly quietUntilMs: number },
): readonly (Finding | { readonly right: true })[] {
  return placed.flatMap(({ id, sentAtMs, lines, told }): readonly (Finding | { readonly right: true })[] => {
    const end = told.find(({ status, reason }) => status === 'rejected' && reason === 'short');
    if (end === undefined || end.atMs > quietUntilMs - UNDER_WAY_MS) return [];
    const around = samples.filter(
      ({ atMs }) => atMs >= sentAtMs - SAMPLE_EVERY_MS && atMs <= end.atMs + SAMPLE_EVERY_MS,
    );
    if (around.length < 2) return [];
    const isShort = lines.some(({ sku, units }) =>
      around.some(({ available }) => (available.get(sku) ?? 0) < units),
    );
    if (isShort) return [{ right: true }];
    const had = lines.map(
      ({ sku, units }) =>
        `${units} of ${sku}: ${around.map(({ available }) => available.get(sku)).join(', ')}`,
    );
    return [{ invariant: TOO_SHORT, key: id ?? '', detail: had.join('; ') }];
  });
}

/** Until no order is open at either site; what waits for its customer is cancelled. @returns After how long */
async function untilOver(
  sites: readonly Endpoint[],
  shoppers: Shoppers,
  progress: (line: string) => void,
): Promise<number | undefined> {
  const cancelled = new Set<string>();
  return until(
    async () => {
      const open = await Promise.all(sites.map((site) => ordersAt(site, OPEN)));
      const all = new Map(open.flatMap((orders) => [...orders]));
      for (const [id, { status }] of all) {
        if (cancelled.has(id) || (status !== 'reserved' && status !== 'paying')) continue;
        cancelled.add(id);
        await shoppers.cancelOpen(id);
      }
      const [first] = all.values();
      if (first !== undefined) return `${all.size} orders, as ${first.orderId}, ${first.status}`;
      const apart = await counts(sites);
      if (new Set(apart).size > 1) return `both sites to show as many orders: ${apart.join(' and ')}`;
      const held = await heldAt(sites);
      return held === 0 ? undefined : `${held} pieces that are held or on their way`;
    },
    { withinMs: RESTED_WITHIN_MS, progress },
  );
}

async function counts(sites: readonly Endpoint[]): Promise<readonly string[]> {
  return Promise.all(
    sites.map(async (site) => {
      const orders = [...(await ordersAt(site, ENDS)).values()];
      const by = Map.groupBy(orders, ({ status }) => status);
      const back = orders.reduce((all, { refunded = {} }) => all + Object.keys(refunded).length, 0);
      return [...ENDS.map((end) => by.get(end)?.length ?? 0), back].join('/');
    }),
  );
}

async function heldAt(sites: readonly Endpoint[]): Promise<number> {
  let held = 0;
  for (let index = 0; index < ARTICLES; index += 1)
    for (const share of await sharesOf(sites, `chaos-${index}`)) held += share.held + share.underWay;
  return held;
}

async function readBooks(
  sites: readonly Endpoint[],
  {
    sandbox,
    shoppers,
    received,
  }: {
    readonly sandbox: Sandbox;
    readonly shoppers: Shoppers;
    readonly received: ReadonlyMap<string, number>;
  },
): Promise<AtRest> {
  const orders = new Map(
    await Promise.all(sites.map(async (site) => [site.name, await ordersAt(site, ENDS)] as const)),
  );
  const stock = new Map<string, readonly Share[]>();
  for (const sku of received.keys()) stock.set(sku, await sharesOf(sites, sku));
  const [intents, refunds] = await Promise.all([sandbox.intents(), sandbox.refunds()]);
  const counted = await readCounts(sites, orders, shoppers.placed);
  return { orders, stock, intents, refunds, placed: shoppers.placed, received, counted };
}

/** A reaction that failed under fire is taken again later: until both sites have counted everything, or the time is over. */
async function readCounts(
  sites: readonly Endpoint[],
  orders: AtRest['orders'],
  placed: readonly Placed[],
): Promise<AtRest['counted']> {
  const sinceMs = Math.min(Date.now(), ...placed.map(({ sentAtMs }) => sentAtMs)) - 60_000;
  let counted: AtRest['counted'] = new Map();
  await until(
    async () => {
      counted = new Map(
        await Promise.all(sites.map(async (site) => [site.name, await countedAt(site, sinceMs)] as const)),
      );
      const [first] = checkCounted({ orders, counted });
      return first === undefined ? undefined : `${first.key ?? ''}: ${first.detail}`;
    },
    { withinMs: RESTED_WITHIN_MS, progress: () => undefined },
  );
  return counted;
}
