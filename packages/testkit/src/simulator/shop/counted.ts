/** Invariant 8: what a site has counted of orders and money is what a recount of its orders gives, minute by minute. */
import { canonicalJson } from '@tandem-clouds/replication/canonical-json';
import type { Effect, Protocol } from '@tandem-clouds/replication/protocol';
import { plainValues, type StoredRecord } from '@tandem-clouds/replication/record';
import { stampSite } from '@tandem-clouds/replication/stamp';
import { happenedIndex } from '../../../../../src/shared/domain/analytics/happened.ts';
import { countDays, countHours, reading } from '../../../../../src/shared/domain/analytics/recount.ts';
import type { Parts } from '../../../../../src/shared/domain/analytics/tally.ts';
import { dayOf, hourOf } from '../../../../../src/shared/domain/analytics/units.ts';
import { indexEntries } from '../../../../../src/shared/domain/indexes/index-entry.ts';
import type { Finding } from '../../history/facts.ts';
import type { SimSite } from '../sim-site.ts';
import { PAID } from './facts.ts';
import type { Shop } from './shop.ts';

const MINUTE_MS = 60_000;
/** Minutes of an hour, and quarters of a day: what a part of either is. */
const PART_MS = { hours: MINUTE_MS, days: 15 * MINUTE_MS };
const EVERY_MS = 45_000;

/** People look at the figures all the time, so that what was counted too early would stay. */
export function scheduleReaders(shop: Shop): void {
  const { agenda, random, sites } = shop.world;
  for (const site of sites) {
    site.store.entriesOf = indexEntries([happenedIndex]);
    const look = (): void => {
      if (agenda.nowMs > shop.closesAtMs) return;
      const nowMs = site.now();
      const hours = [hourOf(nowMs - 3_600_000), hourOf(nowMs)];
      const days = [dayOf(nowMs)];
      if (random.chance(0.5)) shop.run(site, 'look', (own) => countHours(own, hours, reading()));
      else shop.run(site, 'look', (own) => countDays(own, days, reading()));
      agenda.after(EVERY_MS * shop.slowness * random.between(0.5, 1.5), look);
    };
    agenda.as(`look ${site.name}`, () => agenda.after(random.between(0, EVERY_MS), look));
  }
}

interface Event {
  readonly atMs: number;
  readonly text: string;
}

/** Of sites that are there. A clock that jumps says nothing of how long a mark has stood: then nothing is promised. */
export function checkCounts({ world, lost }: Shop): Finding[] {
  if (world.drawnFaults.jump > 0) return [];
  return world.sites.filter((site) => site !== lost?.site).flatMap((site) => [...checkSite(site)]);
}

function* checkSite(site: SimSite): Generator<Finding> {
  const events = [...site.store.records.values()].flatMap((record) => eventsOf(record));
  const names = (of: (ms: number) => string): string[] => [...new Set(events.map(({ atMs }) => of(atMs)))];
  const now = { site: site.name, peers: [], now: () => site.now() };
  const hours = calmly(site, countHours(now, names(hourOf), reading()));
  const days = calmly(site, countDays(now, names(dayOf), reading()));
  for (const [kind, units] of Object.entries({ hours, days }) as ['hours' | 'days', typeof hours][])
    for (const [unit, { parts }] of units) {
      const expected = partsOf(
        events.filter(({ atMs }) => hourOf(atMs).startsWith(unit)),
        PART_MS[kind],
      );
      const counted = textOf(parts);
      if (canonicalJson(counted) !== canonicalJson(expected))
        yield {
          invariant: '8 counts',
          key: `${site.name} ${unit}`,
          detail: `counted ${JSON.stringify(counted)}, and its orders give ${JSON.stringify(expected)}`,
        };
    }
}

/** Part → what happened in it, as text with how often. */
type Figures = Readonly<Record<string, Readonly<Record<string, number>>>>;

function partsOf(events: readonly Event[], partMs: number): Figures {
  const figures: Record<string, Record<string, number> | undefined> = {};
  const unitMs = partMs === MINUTE_MS ? 3_600_000 : 86_400_000;
  for (const { atMs, text } of events) {
    const [name = '', amount = '1'] = text.split('=');
    const part = (figures[Math.floor((atMs % unitMs) / partMs)] ??= {});
    part[name] = (part[name] ?? 0) + Number(amount);
  }
  return figures as Figures;
}

function textOf(parts: Parts): Figures {
  return Object.fromEntries(
    Object.entries(parts).map(([part, tally]) => [
      part,
      Object.fromEntries(
        Object.entries(tally).flatMap(([site, { orders, paid, revenue, refunded, signUps }]) =>
          [
            [`placed ${site}`, orders] as const,
            [`paid ${site}`, paid] as const,
            [`signed up ${site}`, signUps] as const,
            ...Object.entries(revenue).map(
              ([currency, amount]) => [`revenue ${site} ${currency}`, amount] as const,
            ),
            ...Object.entries(refunded).map(
              ([currency, amount]) => [`refunded ${site} ${currency}`, amount] as const,
            ),
          ].filter(([, figure]) => figure !== 0),
        ),
      ),
    ]),
  );
}

interface ShopOrder {
  readonly status: string;
  readonly currency: string;
  readonly lines: readonly { readonly units: number; readonly priceMinor: number }[];
  readonly createdAt: string;
  readonly paidFrom?: string;
  readonly paidAtMs?: number;
  readonly refunded?: Readonly<Record<string, { readonly amountMinor: number; readonly status: string }>>;
}

function eventsOf({ key, state }: StoredRecord): Event[] {
  if (!key.startsWith('order:')) return [];
  const order = plainValues(state) as unknown as ShopOrder;
  const placedAt = stampSite(state.fields['createdAt']?.[0] ?? '');
  const events = [{ atMs: Date.parse(order.createdAt), text: `placed ${placedAt}` }];
  const { paidFrom, paidAtMs, currency } = order;
  if (!PAID.has(order.status) || paidFrom === undefined || paidAtMs === undefined) return events;
  const total = order.lines.reduce((sum, { units, priceMinor }) => sum + units * priceMinor, 0);
  events.push(
    { atMs: paidAtMs, text: `paid ${paidFrom}` },
    { atMs: paidAtMs, text: `revenue ${paidFrom} ${currency}=${total}` },
  );
  for (const { amountMinor, status } of Object.values(order.refunded ?? {}))
    if (status === 'done' || status === 'pending')
      // A simulated refund has no time in its id.
      events.push({ atMs: paidAtMs, text: `refunded ${paidFrom} ${currency}=${amountMinor}` });
  return events;
}

/** Performs what a reader asks of its store, without any fault. */
function calmly<Result>({ store, likeAws }: SimSite, protocol: Protocol<Result>): Result {
  const perform = (effect: Effect): unknown => {
    if (effect.op === 'getMany') return store.getMany(effect.keys);
    if (effect.op === 'entries') return store.entries(effect.query);
    if (effect.op === 'putMany') return effect.writes.map((write) => store.put(write, likeAws));
    throw new TypeError(`a reader does not ask for ${effect.op}`);
  };
  let step = protocol.next();
  while (step.done !== true) step = protocol.next(perform(step.value));
  return step.value;
}
