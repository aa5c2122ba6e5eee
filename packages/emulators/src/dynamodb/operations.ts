/** The actions of the DynamoDB API, by name: what the front adds or repairs, and dynalite's own for the rest. */
import { batchGetItems } from './batch-reads.ts';
import { atLeastOneRead } from './capacity.ts';
import type { DynamoContext } from './context.ts';
import { describeContinuousBackups, updateContinuousBackups } from './continuous-backups.ts';
import { isDynaliteAction, type RequestData, run, validated } from './dynalite.ts';
import { DynamoError } from './errors.ts';
import { createTable, deleteTable, describeTable, updateTable } from './tables.ts';
import { describeTimeToLive, updateTimeToLive } from './time-to-live.ts';
import { batchWriteItems, writeItem } from './writes.ts';

type Action = (context: DynamoContext, input: RequestData) => Promise<unknown>;

const ACTIONS: Readonly<Record<string, Action>> = {
  CreateTable: ({ store }, input) => createTable(store, input),
  DescribeTable: ({ store }, input) => describeTable(store, input),
  UpdateTable: ({ store }, input) => updateTable(store, input),
  DeleteTable: ({ store }, input) => deleteTable(store, input),
  PutItem: ({ store }, input) => writeItem(store, 'PutItem', input),
  UpdateItem: ({ store }, input) => writeItem(store, 'UpdateItem', input),
  DeleteItem: ({ store }, input) => writeItem(store, 'DeleteItem', input),
  BatchGetItem: (context, input) => batchGetItems(context, input),
  BatchWriteItem: ({ store, writeBudget }, input) => batchWriteItems(store, writeBudget, input),
  TransactWriteItems: ({ transactions, writeBudget }, input) => transactions.write(input, writeBudget),
  TransactGetItems: ({ transactions }, input) => transactions.read(input),
  UpdateTimeToLive: ({ store }, input) => updateTimeToLive(store, input),
  DescribeTimeToLive: ({ store }, input) => describeTimeToLive(store, input),
  UpdateContinuousBackups: ({ store, now }, input) => updateContinuousBackups(store, input, now()),
  DescribeContinuousBackups: ({ store, now }, input) => describeContinuousBackups(store, input, now()),
};

/** Actions on items; the others manage tables and are throttled under another name. */
const ITEM_ACTIONS = /Item|^Query$|^Scan$/;

export async function runOperation(
  operation: string,
  context: DynamoContext,
  input: RequestData,
): Promise<unknown> {
  const own = Object.hasOwn(ACTIONS, operation) ? ACTIONS[operation] : undefined;
  if (own !== undefined) return await own(context, input);
  if (!isDynaliteAction(operation)) {
    throw new DynamoError('UnknownOperationException', `The local DynamoDB emulator has no ${operation}.`);
  }
  const output = await run(context.store, operation, validated(context.store, operation, input));
  if (operation === 'Query' || operation === 'Scan') return atLeastOneRead(output, input);
  // dynalite answers an empty text where the response has no members.
  return typeof output === 'object' ? output : {};
}

export function isItemAction(operation: string): boolean {
  return ITEM_ACTIONS.test(operation);
}

/** The tables that a request is about, for matching fault rules. */
export function tablesIn(input: RequestData): string[] {
  const names = new Set<string>();
  const add = (name: unknown): void => {
    if (typeof name === 'string') names.add(name.split('/').at(-1) ?? name);
  };
  add(input['TableName']);
  add(input['ResourceArn']);
  for (const name of Object.keys(input['RequestItems'] ?? {})) add(name);
  for (const entry of (input['TransactItems'] ?? []) as Record<string, RequestData>[]) {
    for (const operation of Object.values(entry)) add(operation['TableName']);
  }
  return names.size === 0 ? [''] : [...names];
}
