/** `cost --actual`: what the month did cost, by the vendors' bills, beside the model. */
import type { Output } from '@tandem-clouds/command-line/command';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { aligned } from '@tandem-clouds/command-line/table';
import { sparkline } from '../operate/sparkline.ts';
import { anomaliesOf, type Anomaly, costOf, daysBetween } from './bill/anomalies.ts';
import { type BilledCloud, type Charge, CLOUDS } from './bill/charge.ts';
import { compare, type Comparison, total } from './bill/compare.ts';
import { askCostExplorer, type Asked } from './bill/cost-explorer.ts';
import { askCostManagement } from './bill/cost-management.ts';
import { readFocus } from './bill/focus.ts';
import { Ledger, type Part, type Sum } from './bill/ledger.ts';
import { awsSignIn, azureSignIn } from './bill/sign-in.ts';
import { readInventory } from './inventory.ts';
import type { Load } from './model.ts';
import { readUsage } from './usage.ts';

export interface BillOptions {
  readonly actual: readonly string[];
  readonly ask: readonly ('aws' | 'azure')[];
  /** `2026-11`; undefined: the last one in the bills, or this one. */
  readonly month: string | undefined;
  readonly app: string;
  readonly everything: boolean;
  readonly by: 'stage' | 'site' | undefined;
  /** What was taken in the days that the bills cover; undefined: it was not said. */
  readonly requests: number | undefined;
  readonly writes: number | undefined;
  readonly awsPercent: number;
  readonly newPercent: number;
  readonly storedGb: number;
}

const MILLION = 1_000_000;
const LINES_MAX = 15;

type Parts = readonly (Part & Sum)[];
type Column = 'cloud' | 'service' | 'entity' | 'stage' | 'site';

interface Row {
  readonly names: readonly string[];
  readonly billed: number;
  readonly effective: number;
}

/** All that is shown of one currency. */
interface Money {
  readonly currency: string;
  readonly billed: number;
  readonly effective: number;
  readonly byCloud: readonly Row[];
  readonly byService: readonly Row[];
  readonly byEntity: readonly Row[];
  readonly byTag: readonly Row[] | undefined;
}

export interface Bill {
  readonly month: string;
  readonly covered: Readonly<Partial<Record<BilledCloud, { from: string; to: string }>>>;
  readonly money: readonly Money[];
  /** USD. */
  readonly perMillion: { readonly requests?: number; readonly replicatedWrites?: number };
  readonly comparisons: readonly Comparison[];
  readonly trend: readonly {
    readonly cloud: BilledCloud;
    readonly currency: string;
    readonly from: string;
    readonly days: readonly number[];
  }[];
  readonly anomalies: readonly Anomaly[];
  readonly leftOut: {
    readonly rows: number;
    readonly untagged: number;
    readonly billed: Readonly<Record<string, number>>;
  };
}

/** @throws CommandError naming what cannot be read or asked. */
export async function readBill(options: BillOptions, now: Date): Promise<Bill> {
  const ledger = new Ledger({ app: options.everything ? undefined : options.app });
  for (const file of options.actual) await addAll(ledger, readFocus(file));
  for (const cloud of options.ask) await addAll(ledger, ask(cloud, options, now));
  const months = ledger.months();
  const month = options.month ?? months.at(-1);
  if (month === undefined || !months.includes(month)) throw nothingThere(ledger, options, months);
  return billOf(ledger, month, options);
}

async function addAll(ledger: Ledger, charges: AsyncIterable<Charge>): Promise<void> {
  for await (const charge of charges) ledger.add(charge);
}

function nothingThere({ others }: Ledger, options: BillOptions, months: readonly string[]): CommandError {
  if (months.length > 0)
    return new CommandError(
      `--month: there is no charge in ${options.month}; there are ${months.join(', ')}`,
    );
  return new CommandError(
    others.rows === 0
      ? 'there is no charge in the bills'
      : `of ${others.rows} charges none has the tag app=${options.app}, and ${others.untagged} have no tag app. Name another --app, or count them all with --everything; on AWS a tag is on the bill once it is activated (docs/cost.md)`,
  );
}

function ask(cloud: 'aws' | 'azure', options: BillOptions, now: Date): AsyncIterable<Charge> {
  const { everything, app, by, month = now.toISOString().slice(0, 7) } = options;
  const start = new Date(`${month}-01T00:00:00Z`);
  const end = new Date(start);
  end.setUTCMonth(end.getUTCMonth() + 1);
  // Not the future; and today, of which there is a part.
  const tomorrow = new Date(now.getTime() + 86_400_000);
  const day = (date: Date): string => date.toISOString().slice(0, 10);
  const asked: Asked = {
    from: day(start),
    to: day(end < tomorrow ? end : tomorrow),
    app: everything ? undefined : app,
    byTag: by,
  };
  return cloud === 'aws' ? askCostExplorer(asked, awsSignIn()) : askCostManagement(asked, azureSignIn());
}

function billOf(ledger: Ledger, month: string, options: BillOptions): Bill {
  const parts = ledger.parts(month);
  const covered = Object.fromEntries(ledger.covered);
  const usd = parts.filter(({ currency }) => currency === 'USD');
  const billed = total(usd, 'billed');
  const { requests, writes, by } = options;
  const currencies = [...new Set(parts.map(({ currency }) => currency))].sort();
  return {
    month,
    covered,
    money: currencies.map((currency) => moneyOf(currency, parts, by)),
    perMillion: {
      ...(requests !== undefined && requests > 0 && { requests: (billed / requests) * MILLION }),
      ...(writes !== undefined && writes > 0 && { replicatedWrites: (billed / writes) * MILLION }),
    },
    comparisons: comparisonsOf(usd, ledger, month, options),
    trend: trendOf(ledger),
    anomalies: ledger
      .series()
      .flatMap((series) => anomaliesOf(series, ledger.covered.get(series.cloud) ?? { from: '', to: '' }))
      .sort((a, b) => Math.abs(b.cost - b.median) - Math.abs(a.cost - a.median)),
    leftOut: {
      rows: ledger.others.rows,
      untagged: ledger.others.untagged,
      billed: Object.fromEntries(ledger.others.billed),
    },
  };
}

function moneyOf(currency: string, all: Parts, by: BillOptions['by']): Money {
  const parts = all.filter((part) => part.currency === currency);
  return {
    currency,
    billed: total(parts, 'billed'),
    effective: total(parts, 'effective'),
    byCloud: grouped(parts, ['cloud']),
    byService: grouped(parts, ['cloud', 'service']),
    byEntity: grouped(parts, ['entity']),
    byTag: by === undefined ? undefined : grouped(parts, [by, 'cloud']),
  };
}

/** Dearest first. */
function grouped(parts: Parts, columns: readonly Column[]): Row[] {
  const groups = Map.groupBy(parts, (part) => columns.map((column) => part[column]).join('\n'));
  return [...groups]
    .map(([key, of]) => ({
      names: key.split('\n'),
      billed: total(of, 'billed'),
      effective: total(of, 'effective'),
    }))
    .sort((a, b) => b.billed - a.billed);
}

/** Days of the month between the first and the last charge of that cloud. */
function daysIn(month: string, { from, to }: { from: string; to: string }): number {
  return daysBetween(from, to).filter((day) => day.startsWith(month)).length;
}

function comparisonsOf(usd: Parts, ledger: Ledger, month: string, options: BillOptions): Comparison[] {
  const { requests, writes, awsPercent, newPercent, storedGb } = options;
  if (requests === undefined || writes === undefined) return [];
  const load: Load = { requests, writes, awsPercent, newPercent, storedGb };
  const [usage, inventory] = [readUsage(), readInventory()];
  return (['aws', 'azure'] as const).flatMap((cloud) => {
    const covered = ledger.covered.get(cloud);
    const parts = usd.filter((part) => part.cloud === cloud);
    if (covered === undefined || parts.length === 0) return [];
    return [compare({ cloud, days: daysIn(month, covered), load }, parts, usage, inventory)];
  });
}

function trendOf(ledger: Ledger): Bill['trend'] {
  const groups = Map.groupBy(ledger.series(), ({ cloud, currency }) => `${cloud}\n${currency}`);
  const inOrder = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, series]) => series);
  return inOrder.flatMap((series) => {
    const [first] = series;
    const covered = first && ledger.covered.get(first.cloud);
    if (first === undefined || covered === undefined) return [];
    const days = daysBetween(covered.from, covered.to).map((day) =>
      series.reduce((sum, one) => sum + costOf(one.days.get(day)), 0),
    );
    return [{ cloud: first.cloud, currency: first.currency, from: covered.from, days }];
  });
}

/** Small amounts are not 0.00. */
function amount(value: number): string {
  return value !== 0 && Math.abs(value) < 0.01 ? value.toPrecision(2) : value.toFixed(2);
}

function table(title: string, { currency }: Money, rows: readonly Row[]): string[] {
  const shown = rows.slice(0, LINES_MAX);
  const rest = rows.slice(LINES_MAX);
  const width = rows[0]?.names.length ?? 1;
  const sum = (column: 'billed' | 'effective'): number => rest.reduce((all, row) => all + row[column], 0);
  const cells = [
    [title, ...Array<string>(width - 1).fill(''), `billed, ${currency}`, 'effective'],
    ...shown.map(({ names, billed, effective }) => [...names, amount(billed), amount(effective)]),
    ...(rest.length > 0
      ? [
          [
            `${rest.length} more`,
            ...Array<string>(width - 1).fill(''),
            amount(sum('billed')),
            amount(sum('effective')),
          ],
        ]
      : []),
  ];
  return ['', ...aligned(cells, [width, width + 1])];
}

function comparisonLines({ cloud, days, model, steps, bill, services }: Comparison): string[] {
  return [
    '',
    `The model beside the bill: ${cloud}, ${days} days, USD.`,
    ...aligned(
      [
        ['by service, list prices', 'model', 'bill'],
        ...services.map((one) => [one.service, amount(one.model), amount(one.bill)]),
      ],
      [1, 2],
    ),
    ...aligned(
      [
        ['what the model expects, at list prices', amount(model)],
        ...steps.map(({ what, usd }) => [what, `${usd > 0 ? '+' : ''}${amount(usd)}`]),
        ['what is on the bill', amount(bill)],
      ],
      [1],
    ),
  ];
}

function anomalyLine({ cloud, service, currency, day, cost, median, because }: Anomaly): string {
  const times = median > 0 ? `, ${(cost / median).toFixed(1)} times the median of` : ' where the median is';
  const why =
    because === undefined
      ? ''
      : `: ${because.quantity.toFixed(1)} times the ${because.unit}, each at ${because.price.toFixed(2)} times its usual price`;
  return `${day} ${cloud} ${service}: ${amount(cost)} ${currency}${times} ${amount(median)}${why}`;
}

export function billText(bill: Bill, { by, app, everything }: BillOptions): string {
  const { month, covered, money, perMillion, comparisons, trend, anomalies, leftOut } = bill;
  const days = CLOUDS.flatMap((cloud) => {
    const range = covered[cloud];
    return range === undefined ? [] : [`${cloud} ${range.from} to ${range.to}`];
  });
  const per = [
    ...(perMillion.requests === undefined ? [] : [`${amount(perMillion.requests)} per million requests`]),
    ...(perMillion.replicatedWrites === undefined
      ? []
      : [`${amount(perMillion.replicatedWrites)} per million replicated writes`]),
  ];
  const others = Object.entries(leftOut.billed).map(([currency, value]) => `${amount(value)} ${currency}`);
  return [
    `${month}${everything ? ', every charge' : `, charges with the tag app=${app}`}; the bills cover ${days.join(', ')}.`,
    ...money.flatMap((one) => [
      ...table('cloud', one, one.byCloud),
      ...table('service', one, one.byService),
      ...table('entity', one, one.byEntity),
      ...(one.byTag === undefined ? [] : table(by ?? '', one, one.byTag)),
    ]),
    '',
    per.length > 0
      ? `All of it divided by what was taken: ${per.join(', ')}, USD.`
      : 'With --requests and --writes, what was taken in those days (docs/metrics.md), it is also said per million and beside the model.',
    ...comparisons.flatMap(comparisonLines),
    '',
    'Usage by day, effective cost',
    ...aligned(
      trend.map(({ cloud, currency, from, days: values }) => [
        cloud,
        from,
        sparkline(values),
        `at most ${amount(Math.max(0, ...values))} ${currency}`,
      ]),
    ),
    '',
    ...(anomalies.length === 0
      ? ['No day is far from what is usual (modified z-score 3.5; seven days at least).']
      : [
          'Days far from what is usual (modified z-score above 3.5):',
          ...anomalies.slice(0, LINES_MAX).map(anomalyLine),
        ]),
    ...(anomalies.length > LINES_MAX
      ? [`and ${anomalies.length - LINES_MAX} more; --json has them all`]
      : []),
    ...(leftOut.rows > 0
      ? [
          '',
          `Left out: ${leftOut.rows} charges of other applications, ${leftOut.untagged} of them without the tag app: ${others.join(', ')}.`,
        ]
      : []),
    '',
  ].join('\n');
}

/** Returns the exit status. */
export async function actualCost(
  options: BillOptions & { readonly json: boolean },
  { out }: Output,
  now = new Date(),
): Promise<number> {
  const bill = await readBill(options, now);
  out(options.json ? `${JSON.stringify(bill)}\n` : billText(bill, options));
  return 0;
}
