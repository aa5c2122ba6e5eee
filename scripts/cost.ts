/**
 * `cost`: what a month costs on each cloud, by service.
 *
 * Units are counted (scripts/cost/usage.json, by `bench cost --record`), prices are list prices
 * (scripts/cost/prices.ts), and what is neither is in `ASSUMED` (scripts/cost/model.ts).
 */
import type { Output } from '@tandem-clouds/command-line/command';
import { aligned } from '@tandem-clouds/command-line/table';
import { usdOf } from './bench/cost/tally.ts';
import { readInventory } from './cost/inventory.ts';
import { ASSUMED, BEATS, estimate, type Line, type Load } from './cost/model.ts';
import { keptCost, objectCost } from './cost/objects.ts';
import { PRICES } from './cost/prices.ts';
import { readUsage, type SiteUsage, type Tally } from './cost/usage.ts';

const MILLION = 1_000_000;
const NOTHING: Load = { requests: 0, writes: 0, awsPercent: 50, newPercent: 50, storedGb: 0 };
const CLOUDS = ['aws', 'azure'] as const;

const usage = readUsage();
const inventory = readInventory();
const costOf = (load: Load): Line[] => estimate(load, usage, inventory);

function sum(lines: readonly Line[], column: 'usdList' | 'usdAfterFree', cloud?: Line['cloud']): number {
  return lines
    .filter((line) => cloud === undefined || line.cloud === cloud)
    .reduce((total, line) => total + line[column], 0);
}

/** What a million more of something costs at list prices, at each cloud. */
function marginal(more: Partial<Load>): Record<Line['cloud'], number> {
  const [without, having] = [costOf(NOTHING), costOf({ ...NOTHING, ...more })];
  const of = (cloud: Line['cloud']): number => sum(having, 'usdList', cloud) - sum(without, 'usdList', cloud);
  return { aws: of('aws'), azure: of('azure') };
}

function summary() {
  const reads = (awsPercent: number) => marginal({ requests: MILLION, awsPercent });
  const written = (awsPercent: number) => marginal({ requests: MILLION, writes: MILLION, awsPercent });
  const idle = costOf(NOTHING);
  return {
    idle: {
      list: sum(idle, 'usdList'),
      afterFree: sum(idle, 'usdAfterFree'),
      looks: { aws: looksOf('aws'), azure: looksOf('azure') },
    },
    perMillionReads: { atAws: reads(100), atAzure: reads(0) },
    perMillionWrites: { atAws: written(100), atAzure: written(0) },
    perMillionIndexEntries: perSite(({ index }) => index),
    perMillionReactions: perSite(({ reaction }) => reaction),
    perThousandObjects: { atAws: thousandObjects('aws'), atAzure: thousandObjects('azure') },
    perGbOfObjects: keptCost(),
  };
}

/** What a site at rest pays in a month for looking whether a reaction is due. */
function looksOf(cloud: Line['cloud']): number {
  return (BEATS / MILLION) * usdOf(usage[cloud].looks);
}

/** Of a megabyte each. */
function thousandObjects(at: Line['cloud']): Record<Line['cloud'], number> {
  const { aws, azure } = objectCost(at, MILLION);
  return { aws: 1_000 * aws, azure: 1_000 * azure };
}

/** List prices of a million of each, at each cloud: what was counted of the stores and queues. */
function perSite<Kind extends string>(
  of: (usage: SiteUsage) => Readonly<Record<Kind, Tally>>,
): Record<Kind, Record<Line['cloud'], number>> {
  const kinds = Object.keys(of(usage.aws)) as Kind[];
  return Object.fromEntries(
    kinds.map((kind) => [kind, { aws: usdOf(of(usage.aws)[kind]), azure: usdOf(of(usage.azure)[kind]) }]),
  ) as Record<Kind, Record<Line['cloud'], number>>;
}

const usd = (value: number): string => value.toFixed(2);

function table(lines: readonly Line[]): string[] {
  const rows = lines.map((line) => [
    line.cloud,
    PRICES[line.price].unit.split(',')[0] ?? '',
    line.units.toLocaleString('en', { maximumSignificantDigits: 3 }),
    usd(line.usdList),
    usd(line.usdAfterFree),
  ]);
  const totals = [...CLOUDS, undefined].map((cloud) => [
    cloud ?? 'both',
    'total',
    '',
    usd(sum(lines, 'usdList', cloud)),
    usd(sum(lines, 'usdAfterFree', cloud)),
  ]);
  return aligned([['cloud', 'what', 'units a month', 'USD', 'after allowances'], ...rows, ...totals]);
}

function text(load: Load, lines: readonly Line[]): string {
  const all = summary();
  const { idle, perMillionReads, perMillionWrites, perMillionIndexEntries, perMillionReactions } = all;
  const { perThousandObjects: objects, perGbOfObjects: kept } = all;
  const both = ({ aws, azure }: Record<Line['cloud'], number>): string =>
    `${usd(aws)} at AWS and ${usd(azure)} at Azure`;
  return [
    `${load.requests.toLocaleString('en')} requests a month, ${load.writes.toLocaleString('en')} of them writes, ${load.awsPercent} % at AWS`,
    '',
    ...table(lines),
    '',
    `Idle, every flag off: ${usd(idle.list)} USD a month at list prices, ${usd(idle.afterFree)} after the allowances that do not expire. Of it, looking for reactions that are due, where an entity has some: ${both(idle.looks)}.`,
    `A million reads: at AWS ${both(perMillionReads.atAws)}; at Azure ${both(perMillionReads.atAzure)}.`,
    `A million writes, crossing included: at AWS ${both(perMillionWrites.atAws)}; at Azure ${both(perMillionWrites.atAzure)}.`,
    `An index costs, per million entries: made ${both(perMillionIndexEntries.made)}; moved ${both(perMillionIndexEntries.moved)}; removed ${both(perMillionIndexEntries.removed)}.`,
    `A reaction costs, per million: begun ${both(perMillionReactions.begun)}; run ${both(perMillionReactions.run)}; and the crossing of its result.`,
    `A thousand objects of 1 MB, their records apart: sent to AWS ${both(objects.atAws)}; sent to Azure ${both(objects.atAzure)}. A GB of objects for a month: ${both(kept)}.`,
    '',
    `Counted ${usage.measured} (npm run bench -- cost --record); prices and their sources: scripts/cost/prices.ts.`,
    `Assumed: ${Object.entries(ASSUMED)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}.`,
    `Not in it: traffic steering (Route 53 or Cloudflare), flags (docs/features.md)${load.centralLogs === true ? ' but centralLogs' : ''}, support, taxes.`,
    '',
  ].join('\n');
}

/** Returns the exit status. */
export function cost({ json, ...load }: Load & { readonly json: boolean }, { out }: Output): number {
  const lines = costOf(load);
  out(
    json
      ? `${JSON.stringify({ load, measured: usage.measured, lines, ...summary(), assumed: ASSUMED })}\n`
      : text(load, lines),
  );
  return 0;
}
