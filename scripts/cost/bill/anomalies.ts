/**
 * Days on which a service cost something else than it does: far from the median, measured by the median absolute deviation,
 * which a single wild day does not move. Pure.
 *
 * @see Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993): the modified z-score, and 3.5 as its bound.
 */
import type { Series, Usage } from './ledger.ts';

export interface Anomaly {
  readonly cloud: Series['cloud'];
  readonly service: string;
  readonly currency: string;
  readonly day: string;
  readonly cost: number;
  readonly median: number;
  /** Modified z-score. */
  readonly score: number;
  /** How many times the quantity, and the price of one, of the unit that changed most. */
  readonly because: { readonly unit: string; readonly quantity: number; readonly price: number } | undefined;
}

const SCORE_MAX = 3.5;
/** Of a normal distribution: its third quartile, and √(π/2), by which deviations become standard deviations. */
const MAD_FACTOR = 0.6745;
const MEAN_FACTOR = 1.2533;
/** Fewer days say nothing of what is usual. */
const DAYS_MIN = 7;
/** Our own: below these nobody acts on it. In the currency, and of the median. */
const DIFFERENCE_MIN = 0.05;
const SHARE_MIN = 0.1;

/** @param covered The first and the last day of the bills of that cloud: days between without a charge cost nothing. */
export function anomaliesOf(
  series: Series,
  covered: { readonly from: string; readonly to: string },
): Anomaly[] {
  const days = daysBetween(covered.from, covered.to);
  if (days.length < DAYS_MIN) return [];
  const costs = days.map((day) => costOf(series.days.get(day)));
  const middle = median(costs);
  const spread = spreadOf(costs, middle);
  return days.flatMap((day, at) => {
    const cost = costs[at] ?? 0;
    const difference = cost - middle;
    // The last day of an export is as a rule not over.
    if (difference < 0 && at === days.length - 1) return [];
    if (Math.abs(difference) < Math.max(DIFFERENCE_MIN, SHARE_MIN * middle)) return [];
    const score = spread === 0 ? Infinity : difference / spread;
    if (Math.abs(score) <= SCORE_MAX) return [];
    const { cloud, service, currency } = series;
    return [
      { cloud, service, currency, day, cost, median: middle, score, because: reason(series, day, days) },
    ];
  });
}

/** What a score is measured in; where most days cost the same, by the mean deviation instead. */
function spreadOf(costs: readonly number[], middle: number): number {
  const deviations = costs.map((cost) => Math.abs(cost - middle));
  const mad = median(deviations);
  if (mad > 0) return mad / MAD_FACTOR;
  return MEAN_FACTOR * (deviations.reduce((sum, value) => sum + value, 0) / deviations.length);
}

/** Of the unit whose cost changed most against its own median: more of it, or each dearer. */
function reason(series: Series, day: string, days: readonly string[]): Anomaly['because'] {
  const units = new Set([...series.days.values()].flatMap((usage) => [...usage.keys()]));
  let most: { unit: string; change: number; now: Usage; usual: Usage } | undefined;
  for (const unit of units) {
    const of = (one: string): Usage => series.days.get(one)?.get(unit) ?? { cost: 0, quantity: 0 };
    const all = days.map(of);
    const usual = {
      cost: median(all.map(({ cost }) => cost)),
      quantity: median(all.map(({ quantity }) => quantity)),
    };
    const now = of(day);
    const change = Math.abs(now.cost - usual.cost);
    if (most === undefined || change > most.change) most = { unit, change, now, usual };
  }
  if (most === undefined || most.unit === '') return undefined;
  const { unit, now, usual } = most;
  const isKnown = usual.cost > 0 && usual.quantity > 0 && now.quantity > 0;
  if (!isKnown) return undefined;
  const quantity = now.quantity / usual.quantity;
  return { unit, quantity, price: now.cost / now.quantity / (usual.cost / usual.quantity) };
}

export function costOf(units: ReadonlyMap<string, Usage> | undefined): number {
  return [...(units?.values() ?? [])].reduce((sum, { cost }) => sum + cost, 0);
}

/** Of at least one value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? 0) + upper) / 2;
}

const DAY_MS = 86_400_000;

/** Both included. */
export function daysBetween(from: string, to: string): string[] {
  const [first, last] = [from, to].map((day) => Date.parse(`${day}T00:00:00Z`)) as [number, number];
  const count = Math.floor((last - first) / DAY_MS) + 1;
  return Array.from({ length: count }, (_, at) => new Date(first + at * DAY_MS).toISOString().slice(0, 10));
}
