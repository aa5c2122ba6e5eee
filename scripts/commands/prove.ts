/** Commands that show whether it holds: simulations, chaos, drills, and what it costs. */
import os from 'node:os';
import { command, type CommandContext } from '@tandem-clouds/command-line/command';
import {
  choice,
  decimal,
  duration,
  file,
  flag,
  folder,
  many,
  percent,
  text,
  url,
  whole,
} from '@tandem-clouds/command-line/option';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { RTO_BELOW_S } from '@tandem-clouds/testkit/drill/figures';

/** Of traffic: a day is enough. */
const DAY_MINUTES = 1_440;
const DAY_SECONDS = 86_400;
/** Two checks and a TTL take 30 s: a cloud that is back sooner shows no failover. */
const AWAY_SECONDS_MIN = 40;

const SEED = 'every random choice follows from it';

export const simulate = command({
  name: 'simulate',
  summary: 'the protocol on virtual time under faults, every invariant checked',
  details: `Each seed is one schedule: it replays the same run. One that violates an invariant is shrunk, printed with a timeline, and
drawn in .simulate/. So is the course of the first one: keys at risk, and keys on which sites differ, step by step.`,
  options: {
    schedules: whole('how many', { min: 1, default: '1000' }),
    seed: whole('the first one', { min: 0, default: '1' }),
    sites: whole('of every schedule', { min: 2, max: 4, fallback: '2 to 4' }),
    threads: whole('at once', { min: 1, max: 256, default: String(os.availableParallelism()) }),
    workload: choice(
      'what clients do',
      ['records', 'shop', 'unique', 'reactions', 'places', 'writer', 'objects', 'erasure'],
      { default: 'records' },
    ),
    mutants: flag('plant defects in the protocol, each until a checker finds it out'),
    example: file('draw one small history of a real run, and do nothing else', {}),
    json: flag('the report as one JSON object'),
  },
  examples: [
    { line: 'simulate --schedules 200', shows: 'a short run' },
    { line: 'simulate --workload shop', shows: 'stock, orders and payments' },
    { line: 'simulate --workload unique', shows: 'values that no two records share' },
    { line: 'simulate --workload places', shows: 'records that only some sites keep' },
    { line: 'simulate --workload writer', shows: 'records that one site writes at a time' },
    { line: 'simulate --workload objects', shows: 'files whose bytes both clouds hold' },
    {
      line: 'simulate --workload reactions',
      shows: 'effects under conditions, and a provider that counts them',
    },
    { line: 'simulate --mutants --schedules 300', shows: 'whether the checkers can fail' },
    { line: 'simulate --schedules 1 --seed 9', shows: 'one schedule again' },
  ],
  run: async (input) => (await import('../simulate.ts')).simulate(input),
});

export const chaos = command({
  name: 'chaos',
  summary:
    'the whole stack with its real processes under kills, partitions, skewed clocks and failing services',
  details: 'About ten minutes of traffic on a stack of its own, judged by what its clients were answered.',
  options: {
    writes: whole('how many', { min: 1, default: '20000' }),
    seed: whole(SEED, { min: 0, default: '1' }),
    rate: decimal('writes a second', { min: 0.1, default: '35' }),
    minutes: decimal('of traffic at most', { min: 0.1, max: DAY_MINUTES, default: '20' }),
    workload: choice('what clients do', ['records', 'reactions', 'objects', 'pictures', 'shop'], {
      default: 'records',
    }),
    json: file('where the whole report goes', {}),
  },
  examples: [
    { line: 'chaos --writes 2000', shows: 'a short run' },
    {
      line: 'chaos --workload reactions --writes 1000 --rate 10',
      shows: 'changes that each have one effect, and a site that is taken over',
    },
    {
      line: 'chaos --workload objects --writes 400 --rate 2',
      shows: 'uploads of 1 kB to 20 MB at both sites, each read whole at both in the end',
    },
    {
      line: 'chaos --workload pictures --writes 200 --rate 2',
      shows: 'pictures of all shapes, good and bad, and what both sites show of each in the end',
    },
    {
      line: 'chaos --workload shop --writes 5000 --rate 20',
      shows: 'ten orders for each piece at both sites, then the books beside those of the payment provider',
    },
  ],
  run: async (input) => (await import('../chaos.ts')).chaos(input),
});

export const drill = command({
  name: 'drill',
  summary: 'a cloud lost under load and back, for clients that find the product by DNS',
  details: `Kills a cloud of a stack of its own under load, keeps it dead, and brings it back.

The bar: clients that honour the TTL see no error ${RTO_BELOW_S} s after the cut, and none with a DNS answer from after the
redirect; no call of a client that fails over by itself fails; no acknowledged write is lost, and no increment is lost or
counted twice.`,
  args: { drill: choice('which cloud', ['aws-lost', 'azure-lost'], { required: true }) },
  options: {
    duration: duration('how long the cloud stays away', {
      unit: 's',
      min: AWAY_SECONDS_MIN,
      max: DAY_SECONDS,
      default: '60',
    }),
    clients: whole('that honour the TTL; a quarter more ignore it, as many more fail over by themselves', {
      min: 1,
      default: '16',
    }),
    seed: whole('when the cut falls, and what clients do', { min: 0, default: '1' }),
    out: folder('where the report is written; docs/drills holds those to keep', {
      default: '.tandem/drills',
    }),
    json: flag('the report on standard output'),
  },
  examples: [{ line: 'drill aws-lost --duration 2min', shows: 'two minutes without AWS' }],
  run: async (input) => (await import('../drill.ts')).drill(input),
});

export const evidence = command({
  name: 'evidence',
  summary:
    'what an auditor asks for, in one dated archive: rights, encryption, retention, dependencies, reports',
  details: `docs/compliance.md says which control each file is for. No key and no record is in it. What could not be collected is named, and the status is 1.`,
  options: {
    out: file('the archive', { fallback: 'evidence-<date>.zip' }),
    param: many(
      text('of the deployment, as sls deploy is given it', { placeholder: 'name=value', fallback: 'none' }),
    ),
    reports: many(folder('of drills and other reports, to be put in', {})),
    site: many(url('a deployed site that is asked what it says of itself', {})),
    region: text('of AWS', { placeholder: 'region', default: 'us-east-1' }),
    location: text('of Azure', { placeholder: 'region', default: 'eastus' }),
    json: flag('one JSON object'),
  },
  examples: [
    {
      line: 'evidence --param features.objects=true --reports .tandem/drills --site https://a.example',
      shows: 'with the drills of this machine, and one site',
    },
  ],
  run: async (input, context: CommandContext) => (await import('../evidence.ts')).evidence(input, context),
});
/** What the model is made for unless it is said. */
const REQUESTS = 1_000_000;
const WRITES = 200_000;

export const cost = command({
  name: 'cost',
  summary: 'what a month costs on each cloud, by service; with --actual, what it did cost',
  details: `--actual reads bills in the FOCUS format (CSV, also .gz): AWS Data Exports, Azure Cost Management exports. --ask asks
the vendors, with the credentials that their own tools would take; each page of AWS's answer costs 0.01 USD.`,
  options: {
    requests: decimal('a month; of --actual: taken in the days that the bills cover', {
      min: 0,
      max: 1e12,
      fallback: `${REQUESTS}`,
    }),
    writes: decimal('of them', { min: 0, max: 1e12, fallback: `${WRITES}` }),
    awsPercent: percent('of the requests at AWS', { default: '50' }),
    newPercent: percent('of the writes that create a record', { default: '50' }),
    storedGb: decimal('stored at each cloud', { min: 0, max: 1e6, default: '1' }),
    centralLogs: flag('with the feature centralLogs: both logs once more, in one workspace'),
    actual: many(file('a bill, any number of times', {})),
    ask: many(choice('whose API is asked for this month, or --month', ['aws', 'azure'], {})),
    month: text('of the bills, such as 2026-11', { placeholder: 'month', fallback: 'the last one in them' }),
    app: text('the value of the tag app that is ours', { placeholder: 'name', default: 'tandem' }),
    everything: flag('every charge of the bills, whatever its tags'),
    by: choice('the bill also by this tag', ['stage', 'site'], {}),
    json: flag('one JSON object'),
  },
  examples: [
    { line: 'cost --requests 5000000 --writes 1000000 --aws-percent 70%', shows: 'a busier month' },
    {
      line: 'cost --actual aws-2026-11.csv.gz --actual azure-2026-11.csv --by stage',
      shows: 'both bills of a month',
    },
    {
      line: 'cost --ask aws --ask azure --requests 3100000 --writes 400000',
      shows: 'this month so far, beside the model',
    },
  ],
  check: ({ writes = WRITES, requests = REQUESTS, actual, ask, ...bill }) => {
    if (writes > requests)
      throw new UsageError('--writes: a write is a request, so there are at most as many');
    const isBill = actual.length > 0 || ask.length > 0;
    if (!isBill && (bill.month !== undefined || bill.everything || bill.by !== undefined))
      throw new UsageError('--month, --everything and --by are about bills: give --actual or --ask');
    if (bill.month !== undefined && !/^\d{4}-(0[1-9]|1[0-2])$/.test(bill.month))
      throw new UsageError(`--month: '${bill.month}' is no month such as 2026-11`);
    if (new Set(ask).size < ask.length) throw new UsageError('--ask: each cloud is asked once');
  },
  run: async (input, context: CommandContext) => {
    if (input.actual.length > 0 || input.ask.length > 0)
      return (await import('../cost/actual.ts')).actualCost(input, context);
    const { requests = REQUESTS, writes = WRITES, ...rest } = input;
    return (await import('../cost.ts')).cost({ ...rest, requests, writes }, context);
  },
});
