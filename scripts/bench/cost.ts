/**
 * `bench cost`: what writes, reads and idle hours use of the services that bill, counted by the emulators,
 * and what that is at list prices (scripts/cost/prices.ts).
 *
 * `--record` writes what was counted to scripts/cost/usage.json, which `npm run tandem -- cost` goes by.
 */
import { heartbeatMs } from '@tandem-clouds/replication/bounds';
import {
  type Aim,
  commandLine,
  type Figure,
  figure,
  type Findings,
  report,
} from '@tandem-clouds/testkit/report/report';
import { PRICES, usdPerMillion } from '../cost/prices.ts';
import {
  IDLE_SQS_REQUESTS_PER_HOUR,
  readUsage,
  type SiteUsage,
  type Tally,
  type Usage,
  type WriteCost,
  writeUsage,
} from '../cost/usage.ts';
import { Contender } from './bridge/contender.ts';
import { Fixture } from './bridge/fixture.ts';
import { bundleFunctions } from './bridge/functions.ts';
import { OTHER, startTwoSites } from './bridge/two-sites.ts';
import { indexCosts, looksOf, reactionCosts } from './cost/declared.ts';
import {
  beatOf,
  type Bench,
  creates,
  KILOBYTE_PAYLOAD,
  list,
  reads,
  updates,
  updatesAlone,
} from './cost/scenarios.ts';
import { usdOf } from './cost/tally.ts';
import { type CloudName, CLOUDS, ROOT } from './service-bundles.ts';

const WRITE_UNITS_MAX = 4;
const ALONE = 5;
const DECLARED = 10;
const BEATS_PER_HOUR = 3_600_000 / heartbeatMs;
/** A run of few writes has other batches than one of many. */
const DRIFT_PERCENT_MAX = 50;

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

/** Before what is declared leaves entries at both sites. */
async function restOf(bench: Bench, at: CloudName): Promise<Pick<SiteUsage, 'beat' | 'looks'>> {
  return { beat: await beatOf(bench, at), looks: await looksOf(bench, at) };
}

async function measureFrom(
  bench: Bench,
  from: CloudName,
  writes: number,
): Promise<Omit<SiteUsage, 'beat' | 'looks'>> {
  const { keys, ...create } = await creates(bench, from, writes);
  const { keys: _, ...createLarge } = await creates(bench, from, writes, KILOBYTE_PAYLOAD);
  return {
    create,
    createLarge,
    update: await updates(bench, from, keys),
    updateAlone: await updatesAlone(bench, from, keys.slice(0, ALONE)),
    read: await reads(bench, from, keys),
    list: await list(bench, from),
    index: await indexCosts(bench, from, DECLARED),
    reaction: await reactionCosts(bench, from, DECLARED),
  };
}

function figuresOf(from: CloudName, usage: SiteUsage): Figure[] {
  const name = `${from} → ${OTHER[from]}`;
  return [
    ...bounds(from, usage.create, usage.update),
    ...writeFigures(`${name}, new record`, usage.create),
    ...writeFigures(`${name}, update`, usage.update),
    ...writeFigures(`${name}, update alone`, usage.updateAlone),
    ...writeFigures(`${name}, new record of 1 kB payload`, usage.createLarge),
    ...parts(`${from}, read`, usage.read),
    ...parts(`${from}, list of 20`, usage.list),
    ...idleFigures(from, usage.beat),
    ...declaredFigures(from, usage),
  ];
}

/** What declarations add, also where that is nothing. */
function declaredFigures(at: CloudName, { index, reaction }: SiteUsage): Figure[] {
  const rows: readonly (readonly [string, Tally])[] = [
    ['an index entry, made', index.made],
    ['an index entry, moved', index.moved],
    ['an index entry, removed', index.removed],
    ['a reaction, begun', reaction.begun],
    ['a reaction, run', reaction.run],
  ];
  const ofStore = (tally: Tally): readonly [string, number] =>
    at === 'aws' ? ['write units', tally.dynamoDbWriteUnits] : ['RU, estimated', tally.cosmosRequestUnits];
  return rows.flatMap(([name, tally]) => {
    const [unit, value] = ofStore(tally);
    return [
      figure(`${at}, ${name}`, value, unit),
      ...parts(`${at}, ${name}`, { ...tally, dynamoDbWriteUnits: 0, cosmosRequestUnits: 0 }),
      dollars(`${at}, ${name}`, usdOf(tally)),
    ];
  });
}

/** The largest difference from what `npm run tandem -- cost` goes by, in percent; the batches that gather are a little different each time. */
function drift(usage: Usage): Figure {
  const recorded = flat(readUsage());
  const differences = [...flat(usage)].map(([name, value]) => {
    const other = recorded.get(name) ?? 0;
    return (100 * Math.abs(value - other)) / Math.max(value, other, 1);
  });
  return figure('largest difference from what is recorded', Math.max(...differences), '%', {
    atMost: DRIFT_PERCENT_MAX,
  });
}

function flat(usage: Usage): Map<string, number> {
  const found = new Map<string, number>();
  const visit = (path: string, value: unknown): void => {
    if (typeof value === 'number') found.set(path, value);
    else for (const [name, part] of Object.entries(value as object)) visit(`${path}/${name}`, part);
  };
  visit('', { aws: usage.aws, azure: usage.azure });
  return found;
}

function idleFigures(at: CloudName, tally: Tally): Figure[] {
  const polls = at === 'aws' ? IDLE_SQS_REQUESTS_PER_HOUR : 0;
  const usdPerHour = (usdOf(tally) * BEATS_PER_HOUR + usdPerMillion(PRICES.sqsRequest, polls)) / MILLION;
  return [
    ...parts(`${at}, sweeps and a heartbeat`, tally),
    ...(at === 'aws' ? [figure('aws, idle hour: ticks and empty polls, computed', polls, 'requests')] : []),
    figure(`${at}, idle month of 730 hours`, usdPerHour * 730, 'USD'),
  ];
}

async function measure(
  { writes, record }: { writes: number; record: boolean },
  progress: (line: string) => void,
): Promise<Findings> {
  const bundles = await bundleFunctions(['forward', 'apply', 'sweep'], 'cost');
  const stack = await startTwoSites();
  const { sites } = stack;
  const fixture = new Fixture(sites);
  const bridge = new Contender({ contender: 'ours', sites, bundles });
  const bench = { sites, fixture, bridge, bundles };
  try {
    progress(`${writes} writes at each cloud`);
    const [awsAtRest, azureAtRest] = [await restOf(bench, 'aws'), await restOf(bench, 'azure')];
    const usage: Usage = {
      measured: today(),
      aws: { ...(await measureFrom(bench, 'aws', writes)), ...awsAtRest },
      azure: { ...(await measureFrom(bench, 'azure', writes)), ...azureAtRest },
    };
    if (record) writeUsage(usage);
    const figures = [...CLOUDS.flatMap((cloud) => figuresOf(cloud, usage[cloud])), drift(usage)];
    return { figures, notes: NOTES };
  } finally {
    await bridge.close();
    await fixture.close();
    await stack.close();
  }
}

const today = (): string => new Date().toISOString().slice(0, 10);

const NOTES = [
  'counted by the emulators, per write, read or run; "1 kB" is an item of at most 1,024 bytes as it is stored, names, ' +
    'stamps and marker included; "1 kB payload" is what a client sends, whose item is larger',
  'DynamoDB units follow the published rules exactly; Cosmos DB request units are an estimate of ours, while the ' +
    'number of its operations is exact; SQS and Service Bus count 64 kB pieces, and a Service Bus batch saves nothing',
  'crossing: forward, clearing the marker, apply; with a backlog, so in full batches, except for "alone"',
  'empty polls are not counted here but computed for the idle hour: Lambda pays for its long polls; what an open ' +
    'Service Bus link without messages costs is not published, and is left out',
  'an index entry and a reaction: what they add to a write, as the difference from the same write without them; the ' +
    'messages that wake a reaction are sent in it, and what the platform asks to receive them is not',
  'prices: scripts/cost/prices.ts; `npm run tandem -- cost` adds what else is billed',
];

/** Returns the exit status. */
export async function benchCost({
  json,
  ...options
}: {
  readonly writes: number;
  readonly record: boolean;
  readonly json: boolean;
}): Promise<number> {
  return report(
    { title: 'What replication costs', json, command: commandLine(process.argv, ROOT) },
    (progress) => measure(options, progress),
  );
}
