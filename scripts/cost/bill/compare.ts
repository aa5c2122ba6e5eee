/**
 * The bill of a month beside the model, with what lies between them as steps that add up. Pure.
 *
 * Invariant: the model and all steps together are the bill, to rounding.
 */
import type { Inventory } from '../inventory.ts';
import { estimate, HOURS_PER_MONTH, type Line, type Load } from '../model.ts';
import type { Usage } from '../usage.ts';
import type { Part, Sum } from './ledger.ts';
import { serviceOfPrice } from './services.ts';

type Cloud = Line['cloud'];

export interface Step {
  readonly what: string;
  readonly usd: number;
}

export interface Comparison {
  readonly cloud: Cloud;
  /** Days of the month that the bill covers, which the model is made for. */
  readonly days: number;
  /** By service: what the model expects and what was used, both at list prices. */
  readonly services: readonly { readonly service: string; readonly model: number; readonly bill: number }[];
  readonly model: number;
  readonly steps: readonly Step[];
  readonly bill: number;
}

export interface Measured {
  readonly cloud: Cloud;
  readonly days: number;
  /** What was taken in those days, at both clouds. */
  readonly load: Load;
}

/** Our own: what is less is rounding. */
const USD_MIN = 0.005;

/** @param parts Of that cloud and month, in USD. */
export function compare(
  { cloud, days, load }: Measured,
  parts: readonly (Part & Sum)[],
  usage: Usage,
  inventory: Inventory,
): Comparison {
  const modelled = modelBy(cloud, days, load, usage, inventory);
  const used = parts.filter(({ category }) => category === 'Usage');
  const known = used.filter(({ model }) => model !== undefined);
  const names = [...new Set([...modelled.keys(), ...known.map(({ model }) => model ?? '')])];
  const services = names.map((service) => ({
    service,
    model: modelled.get(service) ?? 0,
    bill: total(
      known.filter(({ model }) => model === service),
      'list',
    ),
  }));
  const unknown = used.filter(({ model }) => model === undefined);
  const of = (category: Part['category']): number =>
    total(
      parts.filter((part) => part.category === category),
      'billed',
    );
  const listless = used.some(({ hasList }) => !hasList);
  const steps = [
    ...services.map(({ service, model, bill }) => ({
      what: `${service}: ${bill > model ? 'more' : 'less'} than the model expects of this load`,
      usd: bill - model,
    })),
    ...byService(unknown).map(([service, usd]) => ({ what: `${service}: not in the model`, usd })),
    {
      what: `free allowances and discounts${listless ? ', as far as the bill names list prices' : ''}`,
      usd: total(used, 'effective') - total(used, 'list'),
    },
    {
      what: 'used now and covered by a commitment',
      usd: total(used, 'billed') - total(used, 'effective'),
    },
    { what: 'bought, commitments among it', usd: of('Purchase') },
    { what: 'credits', usd: of('Credit') },
    { what: 'refunds and corrections of earlier periods', usd: of('Correction') },
    { what: 'adjustments', usd: of('Adjustment') },
    { what: 'taxes', usd: of('Tax') },
  ];
  return {
    ...{ cloud, days, services },
    model: [...modelled.values()].reduce((sum, value) => sum + value, 0),
    steps: combined(steps),
    bill: total(parts, 'billed'),
  };
}

/** What is too small to have a line is one line, so that they still add up. */
function combined(steps: readonly Step[]): Step[] {
  const small = steps.filter(({ usd }) => Math.abs(usd) < USD_MIN);
  const rest = small.reduce((sum, { usd }) => sum + usd, 0);
  return [
    ...steps.filter(({ usd }) => Math.abs(usd) >= USD_MIN),
    ...(Math.abs(rest) > 0 ? [{ what: 'less than half a cent each', usd: rest }] : []),
  ];
}

/** List prices of what that load uses in so many days. */
function modelBy(
  cloud: Cloud,
  days: number,
  load: Load,
  usage: Usage,
  inventory: Inventory,
): ReadonlyMap<string, number> {
  const share = (days * 24) / HOURS_PER_MONTH;
  const ofMonth = { ...load, requests: load.requests / share, writes: load.writes / share };
  const sums = new Map<string, number>();
  for (const line of estimate(ofMonth, usage, inventory)) {
    if (line.cloud !== cloud) continue;
    const service = serviceOfPrice(cloud, line.price);
    sums.set(service, (sums.get(service) ?? 0) + line.usdList * share);
  }
  return sums;
}

function byService(parts: readonly (Part & Sum)[]): [string, number][] {
  const sums = new Map<string, number>();
  for (const { service, list } of parts) sums.set(service, (sums.get(service) ?? 0) + list);
  return [...sums].sort(([, a], [, b]) => b - a);
}

export function total(parts: readonly Sum[], column: 'billed' | 'effective' | 'list'): number {
  return parts.reduce((sum, part) => sum + part[column], 0);
}
