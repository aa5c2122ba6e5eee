/**
 * Counts the capacity of every request on items, whether or not the request asked for it.
 *
 * A write whose condition is not met costs what it would have cost the table, by the larger of the item that is there
 * and the one that was to be: here as far as the request or the refusal shows them, and 1 at least.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 */
import type { UsageMeter } from '../core/usage.ts';
import { detailOf, tableWriteUnits, type Units } from './capacity.ts';
import type { DynamoContext } from './context.ts';
import type { Item, RequestData } from './dynalite.ts';
import { codeOf, isRefusal } from './errors.ts';
import { isItemAction, runOperation, tablesIn } from './operations.ts';
import { throttled, type WriteBudget } from './write-budget.ts';

const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'TransactWriteItems']);

/** Those of one item; batches and transactions have answers of their own (`writes.ts`, `transactions.ts`). */
const SINGLE_WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem']);

/** Those that are let in as a whole; a batch is by key (`batch-reads.ts`). */
const OTHER_READS = new Set(['GetItem', 'Query', 'Scan', 'TransactGetItems']);

interface Consumed {
  readonly TableName: string;
  readonly CapacityUnits: number;
  readonly Table?: { readonly CapacityUnits: number };
  readonly GlobalSecondaryIndexes?: Readonly<Record<string, { readonly CapacityUnits: number }>>;
}

/** Performs an action and counts it. @throws what the action throws. */
export async function runMetered(
  operation: string,
  context: DynamoContext,
  input: RequestData,
  usage: UsageMeter,
): Promise<unknown> {
  const requested = input['ReturnConsumedCapacity'];
  const isUnderstood = requested === undefined || requested === 'NONE' || detailOf(requested) !== undefined;
  if (!isItemAction(operation) || !isUnderstood) return runOperation(operation, context, input);
  const { readBudget, writeBudget } = context;
  if (OTHER_READS.has(operation) && !readBudget.admit()) throw throttled();
  const isReserved = SINGLE_WRITES.has(operation) && writeBudget.isBounded;
  const reservation = isReserved ? reserve(writeBudget, input) : undefined;
  let output: Record<string, unknown>;
  try {
    const detailed = { ...input, ReturnConsumedCapacity: 'INDEXES' };
    output = (await runOperation(operation, context, detailed)) as Record<string, unknown>;
  } catch (error) {
    const table = countRefusal(operation, input, error, usage);
    reservation?.settle({ table, global: {} });
    throw error;
  }
  const { ConsumedCapacity, ...rest } = output;
  const consumed = ConsumedCapacity as Consumed | readonly Consumed[] | undefined;
  for (const one of consumed === undefined ? [] : [consumed].flat()) {
    count(operation, one, usage);
    if (OTHER_READS.has(operation)) readBudget.charge(one.CapacityUnits);
    reservation?.settle(unitsOf(one));
  }
  switch (detailOf(requested)) {
    case 'INDEXES':
      return output;
    case 'TOTAL':
      return { ...rest, ConsumedCapacity: Array.isArray(consumed) ? consumed.map(total) : total(consumed) };
    case undefined:
      return rest;
  }
}

/**
 * Lets a write in, and takes at once what it will cost at least: those that come while it is under way find that much less.
 * @throws DynamoError when there is no capacity left
 */
function reserve(
  budget: WriteBudget,
  input: RequestData,
): { settle(units: Pick<Units, 'table' | 'global'>): void } {
  const table = String(input['TableName']);
  if (!budget.admits(table)) throw throttled();
  const reserved = tableWriteUnits(input['Item'] as Item | undefined);
  budget.charge(table, { table: reserved, global: {} });
  return {
    settle: (units) => {
      budget.charge(table, { ...units, table: units.table - reserved });
    },
  };
}

function unitsOf({
  CapacityUnits,
  Table,
  GlobalSecondaryIndexes = {},
}: Consumed): Pick<Units, 'table' | 'global'> {
  const global = Object.entries(GlobalSecondaryIndexes).map(([index, used]) => [index, used.CapacityUnits]);
  return {
    table: Table?.CapacityUnits ?? CapacityUnits,
    global: Object.fromEntries(global) as Units['global'],
  };
}

function total(consumed: unknown): unknown {
  const { TableName, CapacityUnits } = consumed as Consumed;
  return { TableName, CapacityUnits };
}

/** Units of the table and of each index: `writeUnits` in all, `writeUnits:pending` those of one index. */
function count(operation: string, consumed: Consumed, usage: UsageMeter): void {
  const unit = WRITES.has(operation) ? 'writeUnits' : 'readUnits';
  const { TableName, CapacityUnits, Table, GlobalSecondaryIndexes = {} } = consumed;
  usage.add(TableName, operation, {
    requests: 1,
    [unit]: CapacityUnits,
    ...(Table !== undefined && { [`${unit}:table`]: Table.CapacityUnits }),
  });
  for (const [index, { CapacityUnits: units }] of Object.entries(GlobalSecondaryIndexes)) {
    usage.add(TableName, operation, { [`${unit}:${index}`]: units });
  }
}

/** Returns the write units that it cost. */
function countRefusal(operation: string, input: RequestData, error: unknown, usage: UsageMeter): number {
  if (!isRefusal(error) || codeOf(error) !== 'ConditionalCheckFailedException') return 0;
  const sizes = [error.body['Item'], input['Item']].map((item) => tableWriteUnits(item as Item | undefined));
  const writeUnits = Math.max(...sizes);
  for (const table of tablesIn(input)) {
    usage.add(table, operation, {
      requests: 1,
      conditionsFailed: 1,
      writeUnits,
      'writeUnits:table': writeUnits,
    });
  }
  return writeUnits;
}
