/** `tandem analytics`: what a site has counted, as a table, or held to a recount of all its orders and users. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { aligned } from '@tandem-clouds/command-line/table';
import { findSite, findTargets, TargetError } from '@tandem-clouds/operator/targets';
import {
  Figures,
  type ShownCounts,
  type ShownOrder,
  type ShownPoint,
} from '../../src/shared/domain/analytics/shown.ts';
import { orderStates } from '../../src/shared/domain/orders/order.ts';
import { decimalOf, digitsOf } from '../../src/shared/money.ts';
import type { AnalyticsOptions } from './options.ts';
import { ShopApi } from './shop-api.ts';

const SCOPES = 'shop/analytics tandem/read tandem/any-owner';
const DAY_MS = 86_400_000;
const BARS = '▁▂▃▄▅▆▇█';
/** What has just happened is counted within seconds; a difference is one that stays. */
const LOOKS = 4;
const LOOK_AGAIN_MS = 5_000;

interface Shown {
  readonly from: string;
  readonly to: string;
  readonly step: string;
  readonly timeZone: string;
  readonly answeredBy: string;
  readonly heardUntil: Readonly<Record<string, string>>;
  readonly total: ShownCounts;
  readonly sites: Readonly<Record<string, ShownCounts>>;
  readonly series: readonly ShownPoint[];
}

/** Returns the exit status: 1 when a recount differs. @throws TargetError */
export async function analytics(options: AnalyticsOptions, context: CommandContext): Promise<number> {
  const target = options.at === undefined ? findTargets(options)[0] : await findSite(options, options.at);
  if (target === undefined) throw new TargetError('there is no site to ask');
  const api = await ShopApi.open(target, { options, scope: SCOPES, context });
  if (options.check) return check(api, options, context);
  const { from, to, step, timeZone } = options;
  const shown = (await api.query('GET', '/analytics', { from, to, step, timeZone })) as Shown;
  if (options.json) context.out(`${JSON.stringify(shown)}\n`);
  else for (const line of linesOf(shown)) context.out(`${line}\n`);
  return 0;
}

function* linesOf(shown: Shown): Generator<string> {
  const { from, to, step, timeZone, answeredBy, heardUntil, series, total, sites } = shown;
  yield `${from} to ${to} by ${step} (${timeZone}), at ${answeredBy}`;
  for (const [site, until] of Object.entries(heardUntil))
    if (site !== answeredBy) yield `of ${site} this site has heard until ${until}`;
  yield `orders    ${sparkline(series.map((point) => point.total.orders))}`;
  yield `sign-ups  ${sparkline(series.map((point) => point.total.signUps))}`;
  yield '';
  const rows = series
    .filter(({ sites: at }) => Object.keys(at).length > 0)
    .flatMap(({ at, total: all, sites: each }) => [
      rowOf(at, all),
      ...Object.entries(each).map(([site, counts]) => rowOf(`  ${site}`, counts)),
    ]);
  const all = [
    rowOf('together', total),
    ...Object.entries(sites).map(([site, counts]) => rowOf(`  ${site}`, counts)),
  ];
  yield* aligned(
    [['', 'orders', 'paid', 'sign-ups', 'revenue', 'refunded'], ...rows, ...all],
    [1, 2, 3, 4, 5],
  );
}

function rowOf(name: string, { orders, paid, signUps, revenue, refunded }: ShownCounts): readonly string[] {
  return [name, String(orders), String(paid), String(signUps), moneyOf(revenue), moneyOf(refunded)];
}

function moneyOf(amounts: Readonly<Record<string, number>>): string {
  const texts = Object.entries(amounts).map(
    ([currency, amount]) => `${decimalOf(amount, digitsOf(currency))} ${currency}`,
  );
  return texts.length === 0 ? '-' : texts.join(', ');
}

/** Seventy bars at most, each the sum of as many steps. */
function sparkline(figures: readonly number[]): string {
  const each = Math.max(1, Math.ceil(figures.length / 70));
  const sums = Array.from({ length: Math.ceil(figures.length / each) }, (_, index) =>
    figures.slice(index * each, (index + 1) * each).reduce((sum, figure) => sum + figure, 0),
  );
  const most = Math.max(1, ...sums);
  return sums
    .map((sum) => (sum === 0 ? ' ' : (BARS[Math.ceil((sum / most) * BARS.length) - 1] ?? '')))
    .join('');
}

async function check(
  api: ShopApi,
  { from, to, json }: AnalyticsOptions,
  { out, err, signal }: CommandContext,
): Promise<number> {
  let found = await compare(api, { from, to });
  for (let look = 1; look < LOOKS && found.differences.length > 0; look += 1) {
    err(`${found.differences.length} differences; looking again, for what has just happened\n`);
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
    found = await compare(api, { from, to });
  }
  const { orders, users, days, differences } = found;
  for (const difference of differences) out(json ? `${JSON.stringify({ difference })}\n` : `${difference}\n`);
  const figures = { site: api.name, orders, users, days, differences: differences.length };
  if (json) out(`${JSON.stringify(figures)}\n`);
  else
    out(
      `${api.name}: ${orders} orders and ${users} users recounted, in ${days} days, minute by minute: ${differences.length === 0 ? 'no difference' : `${differences.length} differences`}.\n`,
    );
  return differences.length === 0 ? 0 : 1;
}

interface Compared {
  readonly orders: number;
  readonly users: number;
  readonly days: number;
  readonly differences: readonly string[];
}

async function compare(api: ShopApi, { from, to }: Pick<AnalyticsOptions, 'from' | 'to'>): Promise<Compared> {
  const recounted = new Figures();
  const orders = new Map<unknown, ShownOrder>();
  // In the order of the states, in which an order only goes forward: whatever moves meanwhile is met again.
  for (const status of orderStates.order)
    for await (const items of api.pages('/orders', { status }))
      for (const item of items) orders.set(item['orderId'], item as unknown as ShownOrder);
  for (const order of orders.values()) recounted.addOrder(order);
  let users = 0;
  for await (const items of api.pages('/users'))
    for (const item of items) {
      users += 1;
      recounted.addUser(item as unknown as { createdAt: string });
    }
  const counted = new Figures();
  const [first = new Date().toISOString()] = recounted.days();
  const firstMs = from === undefined ? Date.parse(first.slice(0, 10)) : Date.parse(from);
  const endMs = to === undefined ? Date.now() : Date.parse(to);
  let days = 0;
  for (let atMs = firstMs; atMs < endMs; atMs += DAY_MS) {
    const day = { from: isoOf(atMs), to: isoOf(Math.min(endMs, atMs + DAY_MS)), step: 'minute' };
    const { series } = (await api.query('GET', '/analytics', day)) as Shown;
    for (const point of series) counted.addPoint(point);
    days += 1;
  }
  const within = (line: string): boolean => {
    const atMs = Date.parse(line.slice(0, line.indexOf(' ')));
    return atMs >= firstMs && atMs < endMs;
  };
  return { orders: orders.size, users, days, differences: recounted.differences(counted).filter(within) };
}

const isoOf = (ms: number): string => new Date(ms).toISOString();
