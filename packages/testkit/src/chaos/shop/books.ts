/** What must hold of a shop at rest, from outside: the provider's own charges, the stock as it is counted, the money. */
import {
  Figures,
  type ShownOrder as CountedOrder,
  type ShownPoint,
} from '../../../../../src/shared/domain/analytics/shown.ts';
import type { Endpoint } from '../../cluster/request.ts';
import type { Finding } from '../../history/facts.ts';
import { pause } from '../reactions/until.ts';
import type { BackPaid, Intent } from './sandbox.ts';
import { ask, type Placed } from './shoppers.ts';

export const OVERSOLD = 'oversold';
export const CHARGED_TWICE = 'charged twice';
export const UNBACKED = 'paid without goods or refund';
export const MONEY = 'money that does not balance';
export const STOCK = 'stock that does not add up';
export const OPEN = 'orders that never end';
export const APART = 'orders that differ between the sites';
export const UNNAMED = 'refused without a named reason';
export const COUNTED = 'analytics that are no recount of the orders';
export const TOO_SHORT = 'refused as short although there was enough';

/** An order as the API shows it. */
export interface ShownOrder {
  readonly orderId: string;
  readonly status: string;
  readonly reason?: string;
  readonly failedSku?: string;
  readonly paidFrom?: string;
  readonly paymentId?: string;
  readonly lines: readonly { readonly sku: string; readonly units: number; readonly priceMinor: number }[];
  readonly refunded?: Readonly<Record<string, { readonly amountMinor: number; readonly status: string }>>;
}

export interface Share {
  readonly site: string;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly received: number;
  readonly writtenOff: number;
  readonly underWay: number;
}

export interface AtRest {
  /** Site → its orders. */
  readonly orders: ReadonlyMap<string, ReadonlyMap<string, ShownOrder>>;
  /** Sku → each site's own share, as that site shows it. */
  readonly stock: ReadonlyMap<string, readonly Share[]>;
  readonly intents: readonly Intent[];
  readonly refunds: readonly BackPaid[];
  readonly placed: readonly Placed[];
  /** Site → what it has counted, minute by minute. */
  readonly counted: ReadonlyMap<string, readonly ShownPoint[]>;
  /** Pieces that were ever brought. */
  readonly received: ReadonlyMap<string, number>;
}

/** After a fault a store may need as long. */
const READY_WITHIN_MS = 240_000;
const OVER = new Set(['rejected', 'expired', 'cancelled', 'paid', 'fulfilled', 'refunded']);
const PAID = new Set(['paid', 'fulfilled', 'refunded']);

/** All orders of a site, state by state. */
export async function ordersAt(
  site: Endpoint,
  statuses: readonly string[],
): Promise<ReadonlyMap<string, ShownOrder>> {
  const orders = new Map<string, ShownOrder>();
  for (const status of statuses) {
    let cursor: string | undefined;
    do {
      const query = `status=${status}&limit=100${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
      const { items, cursor: next } = (await answered(site, `/orders?${query}`)) as {
        readonly items: readonly ShownOrder[];
        readonly cursor?: string;
      };
      for (const item of items) orders.set(item.orderId, item);
      cursor = next;
    } while (cursor !== undefined);
  }
  return orders;
}

/** What a site says; one that is not ready, as a new list is not while it is filled, is asked again. */
async function answered(site: Endpoint, path: string): Promise<unknown> {
  const untilMs = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const { status, body } = await ask(site, 'GET', path, { isForAll: true });
    if (status === 200) return body;
    if (status !== 503 || performance.now() > untilMs)
      throw new Error(`${site.name}: ${path}: ${status} ${JSON.stringify(body)}`);
    await pause(1_000);
  }
}

/** Each site's own share of a product. */
export async function sharesOf(sites: readonly Endpoint[], sku: string): Promise<readonly Share[]> {
  const shares = await Promise.all(
    sites.map(async (site) => {
      const shown = (await answered(site, `/inventory/${sku}`)) as { readonly sites: readonly Share[] };
      return shown.sites.filter((share) => share.site === site.name);
    }),
  );
  return shares.flat();
}

const COUNTED_MS = 1_440 * 60_000;

/** What each site has counted since a moment, minute by minute. */
export async function countedAt(site: Endpoint, sinceMs: number): Promise<readonly ShownPoint[]> {
  const points: ShownPoint[] = [];
  for (let fromMs = sinceMs; fromMs < Date.now(); fromMs += COUNTED_MS) {
    const [from, to] = [fromMs, fromMs + COUNTED_MS].map((ms) => new Date(ms).toISOString());
    const { series } = (await answered(site, `/analytics?from=${from}&to=${to}`)) as {
      readonly series: readonly ShownPoint[];
    };
    points.push(...series);
  }
  return points;
}

/** Counts of each site, held to a recount of the orders that it shows. */
export function* checkCounted({ orders, counted }: Pick<AtRest, 'orders' | 'counted'>): Generator<Finding> {
  for (const [site, points] of counted) {
    const [recounted, said] = [new Figures(), new Figures()];
    for (const order of orders.get(site)?.values() ?? [])
      recounted.addOrder(order as unknown as CountedOrder);
    for (const point of points) said.addPoint(point);
    for (const detail of recounted.differences(said)) yield { invariant: COUNTED, key: site, detail };
  }
  const [first, ...others] = [...counted].map(([, points]) => JSON.stringify(shownOf(points)));
  if (others.some((other) => other !== first))
    yield { invariant: COUNTED, key: 'both', detail: 'the sites have counted otherwise, site by site' };
}

/** The order of members says nothing. */
function shownOf(points: readonly ShownPoint[]): unknown {
  const sorted = (value: unknown): unknown =>
    typeof value !== 'object' || value === null
      ? value
      : Array.isArray(value)
        ? value.map(sorted)
        : Object.fromEntries(
            Object.entries(value)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([name, member]) => [name, sorted(member)]),
          );
  return sorted(points.filter(({ sites }) => Object.keys(sites).length > 0));
}

export function checkBooks(rest: AtRest): readonly Finding[] {
  return [...checkOrders(rest), ...checkCharges(rest), ...checkStock(rest), ...checkCounted(rest)];
}

function* checkOrders({ orders, placed }: AtRest): Generator<Finding> {
  const [first = new Map<string, ShownOrder>(), ...others] = orders.values();
  for (const [orderId, order] of first) {
    if (!OVER.has(order.status)) yield { invariant: OPEN, key: orderId, detail: order.status };
    for (const other of others) {
      const same = other.get(orderId);
      if (JSON.stringify(same) !== JSON.stringify(order))
        yield {
          invariant: APART,
          key: orderId,
          detail: `${JSON.stringify(order)} and ${JSON.stringify(same)}`,
        };
    }
    if (!PAID.has(order.status) && order.reason === undefined)
      yield { invariant: UNNAMED, key: orderId, detail: order.status };
  }
  for (const other of others)
    for (const orderId of other.keys())
      if (!first.has(orderId)) yield { invariant: APART, key: orderId, detail: 'is at one site only' };
  for (const { id, told } of placed) {
    if (id === undefined) continue;
    const order = first.get(id);
    if (order === undefined) yield { invariant: APART, key: id, detail: 'was acknowledged and is nowhere' };
    const paid = told.find(({ status }) => PAID.has(status));
    if (paid !== undefined && order !== undefined && !PAID.has(order.status))
      yield {
        invariant: UNBACKED,
        key: id,
        detail: `${paid.site} said ${paid.status}, and it is ${order.status}`,
      };
  }
}

function* checkCharges({ orders, intents, refunds }: AtRest): Generator<Finding> {
  const [shown = new Map<string, ShownOrder>()] = orders.values();
  const charged = Map.groupBy(
    intents.filter(({ status }) => status === 'succeeded'),
    ({ metadata }) => metadata.order ?? '',
  );
  for (const [key, same] of charged) {
    const orderId = key.replace(/^order-/, '');
    const order = shown.get(orderId);
    if (same.length > 1)
      yield { invariant: CHARGED_TWICE, key: orderId, detail: same.map(({ id }) => id).join() };
    if (order === undefined || !PAID.has(order.status))
      yield { invariant: UNBACKED, key: orderId, detail: `was charged and is ${order?.status ?? 'nowhere'}` };
    const [intent] = same;
    if (order === undefined || intent === undefined) continue;
    const total = totalOf(order);
    if (intent.amount_received !== total)
      yield {
        invariant: MONEY,
        key: orderId,
        detail: `costs ${total}, and ${intent.amount_received} were charged`,
      };
    if (intent.metadata.claim !== order.paidFrom)
      yield {
        invariant: UNBACKED,
        key: orderId,
        detail: `was charged to ${intent.metadata.claim ?? 'nobody'}, and is taken from ${order.paidFrom ?? 'nowhere'}`,
      };
    const back = refunds
      .filter(
        ({ payment_intent: of, status }) => of === intent.id && status !== 'failed' && status !== 'canceled',
      )
      .reduce((sum, { amount }) => sum + amount, 0);
    const noted = Object.values(order.refunded ?? {})
      .filter(({ status }) => status === 'done' || status === 'pending')
      .reduce((sum, { amountMinor }) => sum + amountMinor, 0);
    if (back !== noted || back > total)
      yield {
        invariant: MONEY,
        key: orderId,
        detail: `${back} were paid back, ${noted} are noted, of ${total}`,
      };
    if ((order.status === 'refunded') !== (back === total))
      yield {
        invariant: MONEY,
        key: orderId,
        detail: `is ${order.status}, and ${back} of ${total} were paid back`,
      };
  }
  for (const [orderId, { status }] of shown)
    if (PAID.has(status) && !charged.has(`order-${orderId}`))
      yield { invariant: UNBACKED, key: orderId, detail: `is ${status} and was never charged` };
}

function totalOf({ lines }: Pick<ShownOrder, 'lines'>): number {
  return lines.reduce((sum, { units, priceMinor }) => sum + units * priceMinor, 0);
}

function* checkStock({ orders, stock, received }: AtRest): Generator<Finding> {
  const [shown = new Map<string, ShownOrder>()] = orders.values();
  for (const [sku, brought] of received) {
    const shares = stock.get(sku) ?? [];
    const sum = (of: keyof Omit<Share, 'site'>): number => shares.reduce((all, share) => all + share[of], 0);
    if (sum('sold') > brought)
      yield { invariant: OVERSOLD, key: sku, detail: `${sum('sold')} of ${brought}` };
    if (sum('held') > 0) yield { invariant: STOCK, key: sku, detail: `${sum('held')} are held for ever` };
    const there = sum('available') + sum('held') + sum('sold') + sum('writtenOff') + sum('underWay');
    if (sum('received') !== brought || there !== brought)
      yield {
        invariant: STOCK,
        key: sku,
        detail: `${brought} were brought, ${sum('received')} entered, ${there} are there`,
      };
    for (const { site, sold } of shares) {
      const paid = [...shown.values()]
        .filter(({ status, paidFrom }) => PAID.has(status) && paidFrom === site)
        .flatMap(({ lines }) => lines)
        .reduce((all, line) => (line.sku === sku ? all + line.units : all), 0);
      if (paid !== sold)
        yield {
          invariant: STOCK,
          key: `${sku} at ${site}`,
          detail: `${paid} were paid for, ${sold} are sold`,
        };
    }
  }
}
