/**
 * CreateTable, DescribeTable, UpdateTable and DeleteTable: dynalite's own, with the newer fields, indexes added to and
 * removed from a table in use, and deletion protection.
 *
 * Invariant: when a call has been answered its effect is complete. A real table is `CREATING` or `UPDATING` for a
 * while; here a client that does not wait meets no error.
 */
import {
  promised,
  type RequestData,
  run,
  type Store,
  tableOf,
  type TableRecord,
  validated,
} from './dynalite.ts';
import { codeOf, DynamoError, isRefusal, validationError } from './errors.ts';
import { createIndex, deleteIndex, type IndexUpdate } from './index-updates.ts';
import { rangeOf, tableKey } from './storage-keys.ts';
import {
  deleteSettings,
  describeSettings,
  type NewerTableFields,
  problemWith,
  readSettings,
  withNewerFields,
  writeSettings,
} from './table-settings.ts';

type Response = Record<string, unknown>;

export async function createTable(store: Store, input: RequestData): Promise<Response> {
  const name = String(input['TableName']);
  const tags = (input['Tags'] ?? []) as unknown[];
  const fields: NewerTableFields = pickNewerFields(input);
  refuseStreams(input);
  const problem = problemWith(fields);
  if (problem !== undefined) throw validationError(problem);
  const data = validated(store, 'CreateTable', input);
  if (await exists(store, name)) {
    throw new DynamoError('ResourceInUseException', `Table already exists: ${name}`);
  }
  await writeSettings(store, name, withNewerFields({}, fields));
  const { TableDescription: created } = await run(store, 'CreateTable', data);
  const description = structuredClone(created) as TableRecord;
  await untilActive(store, name);
  if (tags.length > 0) {
    const request = { ResourceArn: description.TableArn, Tags: tags };
    await run(store, 'TagResource', validated(store, 'TagResource', request));
  }
  return { TableDescription: await decorated(store, description) };
}

export async function describeTable(store: Store, input: RequestData): Promise<Response> {
  const { Table } = await run(store, 'DescribeTable', validated(store, 'DescribeTable', input));
  return { Table: await decorated(store, Table as TableRecord) };
}

export async function deleteTable(store: Store, input: RequestData): Promise<Response> {
  const data = validated(store, 'DeleteTable', input);
  const name = String(data['TableName']);
  const table = await tableOf(store, name, false);
  if ((await readSettings(store, name)).isDeletionProtected === true) {
    throw validationError(
      `Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.`,
    );
  }
  const description = await decorated(store, table);
  await run(store, 'DeleteTable', data);
  while (await exists(store, name)) await nextTurn();
  await deleteSettings(store, name);
  return { TableDescription: { ...description, TableStatus: 'DELETING' } };
}

export async function updateTable(store: Store, input: RequestData): Promise<Response> {
  const name = String(input['TableName']);
  await tableOf(store, name, false);
  refuseStreams(input);
  const fields = pickNewerFields(input);
  const problem = problemWith(fields);
  if (problem !== undefined) throw validationError(problem);
  await updateIndexes(store, name, input);
  if (Object.keys(fields).length > 0) {
    await writeSettings(store, name, withNewerFields(await readSettings(store, name), fields));
  }
  if (input['BillingMode'] !== undefined || input['ProvisionedThroughput'] !== undefined) {
    await updateThroughput(store, name, input);
  }
  return { TableDescription: await decorated(store, await tableOf(store, name, false)) };
}

async function updateIndexes(store: Store, name: string, input: RequestData): Promise<void> {
  const definitions = (input['AttributeDefinitions'] ?? []) as TableRecord['AttributeDefinitions'];
  for (const update of (input['GlobalSecondaryIndexUpdates'] ?? []) as IndexUpdate[]) {
    if (update.Create !== undefined) await createIndex(store, name, update.Create, definitions);
    if (update.Delete !== undefined) await deleteIndex(store, name, update.Delete.IndexName);
  }
}

/** dynalite refuses a change of billing mode to what it already is; the service accepts it. */
async function updateThroughput(store: Store, name: string, input: RequestData): Promise<void> {
  const table = await tableOf(store, name, false);
  const current = table.BillingModeSummary?.BillingMode ?? 'PROVISIONED';
  if (input['BillingMode'] === current && input['ProvisionedThroughput'] === undefined) return;
  const { BillingMode, ProvisionedThroughput } = input;
  const request = { TableName: name, BillingMode, ProvisionedThroughput };
  await run(store, 'UpdateTable', validated(store, 'UpdateTable', request));
  await untilActive(store, name);
}

function pickNewerFields(input: RequestData): NewerTableFields {
  const names = ['SSESpecification', 'DeletionProtectionEnabled', 'TableClass', 'OnDemandThroughput'];
  return Object.fromEntries(
    names.filter((name) => (input[name] ?? undefined) !== undefined).map((name) => [name, input[name]]),
  );
}

/** There are no streams here, and a client that relies on one must not wait for ever. */
function refuseStreams(input: RequestData): void {
  const stream = input['StreamSpecification'] as { StreamEnabled?: boolean } | undefined;
  if (stream?.StreamEnabled === true) throw validationError('The local DynamoDB emulator has no streams.');
}

async function decorated(store: Store, table: TableRecord): Promise<Response> {
  return { ...table, ...describeSettings(await readSettings(store, table.TableName)) };
}

async function exists(store: Store, name: string): Promise<boolean> {
  try {
    await tableOf(store, name, false);
    return true;
  } catch (error) {
    if (isRefusal(error) && codeOf(error) === 'ResourceNotFoundException') return false;
    throw error;
  }
}

async function untilActive(store: Store, name: string): Promise<void> {
  while ((await tableOf(store, name, false)).TableStatus !== 'ACTIVE') await nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

/** Finishes what a killed process had begun: tables that were being created, changed or deleted. */
export async function finishInterruptedChanges(store: Store): Promise<void> {
  const tables: TableRecord[] = [];
  for await (const [, table] of store.db.iterator(rangeOf(tableKey('')))) tables.push(table as TableRecord);
  for (const table of tables) {
    const name = table.TableName;
    if (table.TableStatus === 'DELETING') {
      await run(store, 'DeleteTable', { TableName: name });
      while (await exists(store, name)) await nextTurn();
      await deleteSettings(store, name);
    } else if (table.TableStatus !== 'ACTIVE' || table.GlobalSecondaryIndexes?.some(isUnfinished)) {
      await saveTable(store, activated(table));
    }
  }
}

function isUnfinished(index: { readonly IndexStatus?: string }): boolean {
  return index.IndexStatus !== 'ACTIVE';
}

function activated(table: TableRecord): TableRecord {
  const indexes = table.GlobalSecondaryIndexes?.map((index) => ({ ...index, IndexStatus: 'ACTIVE' }));
  return { ...table, TableStatus: 'ACTIVE', ...(indexes && { GlobalSecondaryIndexes: indexes }) };
}

async function saveTable(store: Store, table: TableRecord): Promise<void> {
  await promised<unknown>((callback) => store.tableDb.put(table.TableName, table, callback));
}

/** Every table that exists. */
export async function tableNames(store: Store): Promise<string[]> {
  const names: string[] = [];
  for await (const [, table] of store.db.iterator(rangeOf(tableKey('')))) {
    names.push((table as TableRecord).TableName);
  }
  return names;
}

/** Key of an item in its table, for addressing it from outside. */
export function keyOf(table: TableRecord, item: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(table.KeySchema.map(({ AttributeName: name }) => [name, item[name]]));
}
