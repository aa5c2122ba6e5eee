/**
 * `npm run bench:cost`: what writes, reads and idle hours use of the services that bill, counted by the stand-ins,
 * and what that is at list prices (scripts/cost/prices.ts).
 *
 *     node scripts/bench/cost.ts [--writes 200] [--json]
 */
import { parseArgs } from 'node:util';
import { Contender } from './bridge/contender.ts';
import { Fixture } from './bridge/fixture.ts';
import { bundleFunctions } from './bridge/functions.ts';
import { OTHER, startTwoSites } from './bridge/two-sites.ts';
import {
  beatOf,
  creates,
  KILOBYTE_PAYLOAD,
  list,
  reads,
  updates,
  updatesAlone,
  type Bench,
  type WriteCost,
} from './cost/scenarios.ts';
import { usdOf, type Tally } from './cost/tally.ts';
import { commandLine, figure, report, type Aim, type Figure, type Findings } from './report.ts';
import { CLOUDS, ROOT, type CloudName } from './service-bundles.ts';
import { PRICES } from '../cost/prices.ts';
import { heartbeatMs } from '../../src/shared/bounds.ts';

const WRITE_UNITS_MAX = 4;
const ALONE = 5;
const BEATS_PER_HOUR = 3_600_000 / heartbeatMs;
/** Each minute's run sends five delayed messages in one call; each is received and deleted. */
const TICK_REQUESTS_PER_HOUR = 60 + 300 + 300;
/**
 * Lambda keeps five long polls of 20 s open on each of three queues; it goes down to two only without a maximum
 * concurrency, which all three have.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */
const EMPTY_RECEIVES_PER_HOUR = 3 * 5 * 180;

const MILLION = 1_000_000;
const units = (tally: Tally): number => tally.dynamoDbWriteUnits;

/** Every service that a tally touches, one figure each. */
function parts(name: string, tally: Tally): Figure[] {
  const all: readonly (readonly [string, number, string])[] = [
    ['DynamoDB writes', tally.dynamoDbWriteUnits, 'write units'],
    ['of these index by_type', tally.dynamoDbListIndexUnits, 'write units'],
    ['DynamoDB reads', tally.dynamoDbReadUnits, 'read units'],
    ['SQS', tally.sqsRequests, 'requests'],
    ['Cosmos DB, estimated', tally.cosmosRequestUnits, 'RU'],
    ['Service Bus', tally.serviceBusOperations, 'operations'],
  ];
  return all
    .filter(([, value]) => value > 0)
    .map(([what, value, unit]) => figure(`${name}: ${what}`, value, unit));
}

const dollars = (name: string, usd: number): Figure => figure(name, usd, 'USD per million');

function writeFigures(name: string, { write, crossing }: WriteCost): Figure[] {
  return [
    ...parts(`${name}, local write`, write),
    ...parts(`${name}, crossing`, crossing),
    dollars(`${name}, local write`, usdOf(write)),
    dollars(`${name}, crossing`, usdOf(crossing)),
  ];
}

/** The bounds that a regression must not break. */
function bounds(from: CloudName, created: WriteCost, updated: WriteCost): Figure[] {
  if (from === 'azure') {
    return [
      one('azure → aws: conditional writes per applied new record', created.crossing.dynamoDbWrites),
      one('azure → aws: conditional writes per applied update', updated.crossing.dynamoDbWrites),
    ];
  }
  const replication = (cost: WriteCost): number =>
    units(cost.write) + units(cost.crossing) - cost.write.dynamoDbListIndexUnits;
  const aim: Aim = { atMost: WRITE_UNITS_MAX };
  return [
    figure(
      'aws: write units per new 1 kB record, marker and clearing, without lists',
      replication(created),
      '',
      aim,
    ),
    figure(
      'aws: write units per 1 kB update, marker and clearing',
      units(updated.write) + units(updated.crossing),
      '',
      aim,
    ),
    one('aws → azure: conditional writes per applied new record', created.crossing.cosmosWrites),
    one('aws → azure: conditional writes per applied update', updated.crossing.cosmosWrites),
  ];
}

const one = (name: string, value: number): Figure => figure(name, value, '', { exactly: 1 });

async function measureFrom(bench: Bench, from: CloudName, writes: number): Promise<Figure[]> {
  const name = `${from} → ${OTHER[from]}`;
  const created = await creates(bench, from, writes);
  const updated = await updates(bench, from, created.keys);
  const alone = await updatesAlone(bench, from, created.keys.slice(0, ALONE));
  const larger = await creates(bench, from, writes, KILOBYTE_PAYLOAD);
  return [
    ...bounds(from, created, updated),
    ...writeFigures(`${name}, new record`, created),
    ...writeFigures(`${name}, update`, updated),
    ...writeFigures(`${name}, update alone`, alone),
    ...writeFigures(`${name}, new record of 1 kB payload`, larger),
    ...parts(`${from}, read`, await reads(bench, from, created.keys)),
    ...parts(`${from}, list of 20`, await list(bench, from)),
    ...idleFigures(from, await beatOf(bench, from)),
  ];
}

function idleFigures(at: CloudName, tally: Tally): Figure[] {
  const polls = at === 'aws' ? TICK_REQUESTS_PER_HOUR + EMPTY_RECEIVES_PER_HOUR : 0;
  const usdPerHour = (usdOf(tally) * BEATS_PER_HOUR + PRICES.sqsRequest.usdPerMillion * polls) / MILLION;
  return [
    ...parts(`${at}, three sweeps and a heartbeat`, tally),
    ...(at === 'aws' ? [figure('aws, idle hour: ticks and empty polls, computed', polls, 'requests')] : []),
    figure(`${at}, idle month of 730 hours`, usdPerHour * 730, 'USD'),
  ];
}

async function measure(writes: number, progress: (line: string) => void): Promise<Findings> {
  const bundles = await bundleFunctions(['forward', 'apply', 'sweep'], 'cost');
  const stack = await startTwoSites();
  const { sites } = stack;
  const fixture = new Fixture(sites);
  const bridge = new Contender({ contender: 'ours', sites, bundles });
  const figures: Figure[] = [];
  try {
    for (const from of CLOUDS) {
      progress(`${writes} writes at ${from}`);
      figures.push(...(await measureFrom({ sites, fixture, bridge, bundles }, from, writes)));
    }
  } finally {
    await bridge.close();
    await fixture.close();
    await stack.close();
  }
  return { figures, notes: NOTES };
}

const NOTES = [
  'counted by the stand-ins, per write, read or run; "1 kB" is an item of at most 1,024 bytes as it is stored, names, ' +
    'stamps and marker included; "1 kB payload" is what a client sends, whose item is larger',
  'DynamoDB units follow the published rules exactly; Cosmos DB request units are an estimate of ours, while the ' +
    'number of its operations is exact; SQS and Service Bus count 64 kB pieces, and a Service Bus batch saves nothing',
  'crossing: forward, clearing the marker, apply; with a backlog, so in full batches, except for "alone"',
  'empty polls are not counted here but computed for the idle hour: Lambda pays for its long polls; what an open ' +
    'Service Bus link without messages costs is not published, and is left out',
  `prices: scripts/cost/prices.ts; ${Object.values(PRICES)
    .map(({ usdPerMillion, unit }) => `${usdPerMillion} USD per million ${unit.split(',')[0] ?? ''}`)
    .join('; ')}`,
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { writes: { type: 'string', default: '200' }, json: { type: 'boolean', default: false } },
  });
  process.exitCode = await report(
    { title: 'What replication costs', json: values.json, command: commandLine(process.argv, ROOT) },
    (progress) => measure(Number(values.writes), progress),
  );
}

await main();
