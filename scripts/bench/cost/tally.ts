/** The emulators' counters added up to what each service bills for. */
import type { Usage } from '@tandem-clouds/emulators/core/usage';
import { PRICES, usdPerMillion } from '../../cost/prices.ts';
import type { Tally } from '../../cost/usage.ts';
import type { BenchSites } from '../bridge/two-sites.ts';

const USAGE = '/_tandem/usage';
const COSMOS_WRITES = ['Create', 'Replace', 'Upsert', 'Patch', 'Delete'];
const DYNAMO_WRITES = ['PutItem', 'UpdateItem', 'DeleteItem'];
/** It depends on the time that passes, not on what is done: `perIdleHour` has it. */
const EMPTY_RECEIVE = 'ReceiveMessage (empty)';

/** Starts every counter from nothing. */
export async function resetUsage(sites: BenchSites): Promise<void> {
  await Promise.all(controls(sites).map((base) => request(base, 'DELETE')));
}

/** What has been used since. */
export async function readTally(sites: BenchSites): Promise<Tally> {
  const [dynamoDb = {}, sqs = {}, cosmos = {}, serviceBus = {}] = await Promise.all(
    controls(sites).map((base) => request(base, 'GET')),
  );
  return {
    dynamoDbWriteUnits: sum(dynamoDb, 'writeUnits'),
    dynamoDbListIndexUnits: sum(dynamoDb, 'writeUnits:by_type'),
    dynamoDbReadUnits: sum(dynamoDb, 'readUnits'),
    dynamoDbWrites: sum(dynamoDb, 'requests', (name) => DYNAMO_WRITES.includes(name)),
    sqsRequests: sum(sqs, 'requests', (name) => name !== EMPTY_RECEIVE),
    cosmosRequestUnits: sum(cosmos, 'requestUnits'),
    cosmosWrites: sum(cosmos, 'operations', (name) => COSMOS_WRITES.includes(name)),
    serviceBusOperations: sum(serviceBus, 'operations'),
  };
}

/** A tally of one of `count` equal things. */
export function perOne(tally: Tally, count: number): Tally {
  return Object.fromEntries(
    Object.entries(tally as unknown as Record<string, number>).map(([name, value]) => [name, value / count]),
  ) as unknown as Tally;
}

/** USD for a million times the tally. */
export function usdOf(tally: Tally): number {
  return (
    usdPerMillion(PRICES.dynamoDbWrite, tally.dynamoDbWriteUnits) +
    usdPerMillion(PRICES.dynamoDbRead, tally.dynamoDbReadUnits) +
    usdPerMillion(PRICES.sqsRequest, tally.sqsRequests) +
    usdPerMillion(PRICES.cosmosRequestUnit, tally.cosmosRequestUnits) +
    usdPerMillion(PRICES.serviceBusOperation, tally.serviceBusOperations)
  );
}

function controls({ aws, azure }: BenchSites): string[] {
  return [aws.control.store, aws.control.queues, azure.control.store, azure.control.queues];
}

async function request(base: string, method: 'GET' | 'DELETE'): Promise<Usage> {
  const response = await fetch(new URL(USAGE, base), { method });
  if (!response.ok) throw new Error(`${base}: HTTP ${response.status}`);
  return (await response.json()) as Usage;
}

function sum(usage: Usage, unit: string, counts: (operation: string) => boolean = () => true): number {
  return Object.values(usage)
    .flatMap((operations) => Object.entries(operations))
    .reduce((total, [name, amounts]) => total + (counts(name) ? (amounts[unit] ?? 0) : 0), 0);
}
