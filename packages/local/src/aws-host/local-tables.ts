/**
 * Creates the tables of the service definition at a local endpoint, as CloudFormation does in the cloud.
 * Idempotent: a table that is there is kept as it is. Encryption and backups have no meaning on one machine.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import type { LocalResource, ResourcePlan, TablePlan } from './resource-plan.ts';
import { whenReachable } from './when-reachable.ts';

const TABLE_ACTIVE_WITHIN_MS = 10_000;
const POLL_MS = 25;

async function ensureTable(
  client: DynamoDBClient,
  table: TablePlan,
  signal: AbortSignal,
): Promise<LocalResource> {
  const { TableName } = table.definition;
  try {
    await client.send(new CreateTableCommand(table.definition));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ResourceInUseException') throw error;
  }
  const deadline = Date.now() + TABLE_ACTIVE_WITHIN_MS;
  let arn: string | undefined;
  for (;;) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    arn = Table?.TableArn;
    const indexes = Table?.GlobalSecondaryIndexes ?? [];
    if (Table?.TableStatus === 'ACTIVE' && indexes.every((index) => index.IndexStatus === 'ACTIVE')) break;
    if (Date.now() > deadline) throw new Error(`table ${TableName} is not active yet`);
    await delay(POLL_MS, undefined, { signal });
  }
  await ensureTimeToLive(client, table);
  return { ref: TableName, arn: String(arn) };
}

async function ensureTimeToLive(client: DynamoDBClient, table: TablePlan): Promise<void> {
  if (table.ttl === undefined) return;
  const { TableName } = table.definition;
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
  if (TimeToLiveDescription?.TimeToLiveStatus === 'ENABLED') return;
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: table.ttl }));
}

/** Creates the tables with their indexes and their time to live; the result is by logical id. */
export async function ensureTables(
  client: DynamoDBClient,
  plan: ResourcePlan,
  signal: AbortSignal,
): Promise<Map<string, LocalResource>> {
  const created = new Map<string, LocalResource>();
  for (const table of plan.tables) {
    created.set(table.id, await whenReachable(() => ensureTable(client, table, signal), signal));
  }
  return created;
}
