/**
 * What a month costs: units of every service that bills, at list prices and after the allowances that do not expire.
 *
 * Invariant: nothing is guessed in silence. What was counted is in usage.json, what is assumed is in `ASSUMED`, what the
 * stacks hold is counted in their definitions (inventory.ts).
 */
import { heartbeatMs, sweepTickMs } from '@tandem-clouds/replication/bounds';
import type { Inventory } from './inventory.ts';
import { type Price, PRICES } from './prices.ts';
import { IDLE_SQS_REQUESTS_PER_HOUR, type Tally, type Usage, type WriteCost } from './usage.ts';

/** Per month. */
export interface Load {
  /** HTTP requests at both clouds, writes included. */
  readonly requests: number;
  readonly writes: number;
  /** Share of the requests that AWS takes. */
  readonly awsPercent: number;
  /** Share of the writes that make a record. */
  readonly newPercent: number;
  readonly storedGb: number;
  /** Both logs also go to the workspace (docs/logs.md). */
  readonly centralLogs?: boolean;
}

export interface Line {
  readonly cloud: 'aws' | 'azure';
  readonly price: keyof typeof PRICES;
  readonly units: number;
  readonly usdList: number;
  /** The account has nothing else that uses up the allowances. */
  readonly usdAfterFree: number;
}

/** What nobody can count on one machine. */
export const ASSUMED = {
  /** Billed milliseconds, of a function that is warm, and kilobytes. */
  requestMs: 25,
  bridgeMs: 40,
  sweepMs: 60,
  responseKb: 1.5,
  eventKb: 2,
  logKbPerRequest: 0.9,
  logKbPerBridgeRun: 0.3,
  logKbPerMinuteOfGauges: 1.2,
  lambdaGb: 0.5,
  /** An instance that runs something is billed for a second at least. */
  flexSecondsMin: 1,
  /** Requests of one instance at a time. */
  flexConcurrency: 16,
  /** Of a fetch from the other cloud, megabytes. */
  objectMbPerSecond: 40,
} as const;

export const HOURS_PER_MONTH = 730;
const SECONDS_PER_MONTH = HOURS_PER_MONTH * 3_600;
const TICKS = (SECONDS_PER_MONTH * 1_000) / sweepTickMs;
/** A site at rest is looked at every third tick there (serverless.azure.yml). */
const AZURE_TICKS_PER_RUN = 3;
/** In a month. */
export const BEATS = (SECONDS_PER_MONTH * 1_000) / heartbeatMs;
const KB_PER_GB = 1_048_576;
const MINUTES = SECONDS_PER_MONTH / 60;

/** Every line, those of nothing left out. */
export function estimate(load: Load, usage: Usage, inventory: Inventory): Line[] {
  const share = { aws: load.awsPercent / 100, azure: 1 - load.awsPercent / 100 };
  const of = (cloud: 'aws' | 'azure') => ({
    requests: load.requests * share[cloud],
    writes: load.writes * share[cloud],
  });
  const activity: Activity = { load, aws: of('aws'), azure: of('azure'), tally: tallied(load, share, usage) };
  return [...awsUnits(activity, inventory), ...azureUnits(activity, inventory)]
    .filter(([, , units]) => units > 0)
    .map(([cloud, price, units]) => lineOf(cloud, price, units));
}

interface Activity {
  readonly load: Load;
  readonly aws: { readonly requests: number; readonly writes: number };
  readonly azure: { readonly requests: number; readonly writes: number };
  readonly tally: Tally;
}

type Units = readonly [cloud: Line['cloud'], price: Line['price'], units: number];

function lineOf(cloud: Line['cloud'], name: Line['price'], units: number): Line {
  const price: Price = PRICES[name];
  const usd = (amount: number): number => (amount / price.per) * price.usd;
  return {
    cloud,
    price: name,
    units,
    usdList: usd(units),
    usdAfterFree: usd(Math.max(0, units - (price.free ?? 0))),
  };
}

/** What the stores and queues of both clouds are asked for, whoever asks. Every write crosses alone: batches cost less. */
function tallied(load: Load, share: Record<'aws' | 'azure', number>, usage: Usage): Tally {
  const total: Record<string, number> = {};
  const add = (tally: Tally, times: number): void => {
    for (const [name, value] of Object.entries(tally))
      total[name] = (total[name] ?? 0) + (value as number) * times;
  };
  for (const cloud of ['aws', 'azure'] as const) {
    const { create, updateAlone, read, beat } = usage[cloud];
    const writes = load.writes * share[cloud];
    const added = (writes * load.newPercent) / 100;
    const alone: WriteCost = { write: create.write, crossing: updateAlone.crossing };
    for (const [cost, times] of [
      [alone, added],
      [updateAlone, writes - added],
    ] as const) {
      add(cost.write, times);
      add(cost.crossing, times);
    }
    add(read, (load.requests - load.writes) * share[cloud]);
    add(beat, BEATS);
  }
  return total as unknown as Tally;
}

function awsUnits({ load, aws, azure, tally }: Activity, { aws: has }: Inventory): Units[] {
  const bridge = aws.writes + azure.writes + 2 * BEATS;
  const runs = aws.requests + bridge + TICKS;
  const { requestMs, bridgeMs, sweepMs, lambdaGb } = ASSUMED;
  const ms = aws.requests * requestMs + bridge * bridgeMs + TICKS * sweepMs;
  return [
    ['aws', 'httpApiRequest', aws.requests],
    ['aws', 'lambdaRequest', runs],
    ['aws', 'lambdaSecond', (ms / 1_000) * lambdaGb],
    ['aws', 'dynamoDbWrite', tally.dynamoDbWriteUnits],
    ['aws', 'dynamoDbRead', tally.dynamoDbReadUnits],
    ['aws', 'dynamoDbStorage', load.storedGb],
    ['aws', 'dynamoDbBackup', load.storedGb],
    ['aws', 'sqsRequest', tally.sqsRequests + HOURS_PER_MONTH * IDLE_SQS_REQUESTS_PER_HOUR],
    ['aws', 'cloudWatchLogs', logGb(aws.requests, bridge)],
    ['aws', 'cloudWatchMetric', has.metrics],
    ['aws', 'cloudWatchAlarm', has.alarms],
    ['aws', 'cloudWatchDashboard', has.dashboards],
    ['aws', 'awsEgress', egressGb(aws) + (load.centralLogs === true ? logGb(aws.requests, bridge) : 0)],
  ];
}

function azureUnits({ load, aws, azure, tally }: Activity, { azure: has }: Inventory): Units[] {
  const forwarded = azure.writes + BEATS;
  const applied = aws.writes + BEATS;
  const { requestMs, bridgeMs, sweepMs } = ASSUMED;
  // Requests share instances; every other function has instances of its own.
  // https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#per-function-scaling
  const ownGb = logGb(azure.requests, forwarded + applied);
  // Of both clouds once more, in the workspace.
  const logsGb = load.centralLogs === true ? 2 * ownGb + logGb(aws.requests, forwarded + applied) : ownGb;
  const ticks = TICKS / AZURE_TICKS_PER_RUN;
  const seconds =
    busySeconds(azure.requests, requestMs) +
    busySeconds(forwarded, bridgeMs) +
    busySeconds(applied, bridgeMs) +
    ticks * Math.max(ASSUMED.flexSecondsMin, sweepMs / 1_000);
  return [
    ['azure', 'functionsExecution', azure.requests + forwarded + applied + ticks],
    ['azure', 'functionsSecond', seconds * has.memoryGb],
    ['azure', 'cosmosRequestUnit', tally.cosmosRequestUnits],
    ['azure', 'cosmosStorage', load.storedGb],
    ['azure', 'serviceBusOperation', tally.serviceBusOperations],
    ['azure', 'azureLogs', logsGb],
    ['azure', 'azureMetricAlert', has.metricAlerts],
    ['azure', 'azureLogAlert', has.logAlerts],
    ['azure', 'azureEgress', egressGb(azure)],
  ];
}

/**
 * Seconds in which an instance is busy, for arrivals at random moments: the busy share of a server without a queue
 * (M/G/∞) as long as one instance is enough, and its capacity from there on.
 */
function busySeconds(count: number, ms: number): number {
  const each = Math.max(ASSUMED.flexSecondsMin, ms / 1_000);
  const perSecond = count / SECONDS_PER_MONTH;
  const one = SECONDS_PER_MONTH * (1 - Math.exp(-perSecond * each));
  return Math.max(one, (count * ms) / 1_000 / ASSUMED.flexConcurrency);
}

function logGb(requests: number, bridge: number): number {
  const { logKbPerRequest, logKbPerBridgeRun, logKbPerMinuteOfGauges } = ASSUMED;
  return (
    (requests * logKbPerRequest + bridge * logKbPerBridgeRun + MINUTES * logKbPerMinuteOfGauges) / KB_PER_GB
  );
}

function egressGb({ requests, writes }: { requests: number; writes: number }): number {
  return (requests * ASSUMED.responseKb + (writes + BEATS) * ASSUMED.eventKb) / KB_PER_GB;
}
