/**
 * Counts the capacity of every request on items, whether or not the request asked for it.
 *
 * A write whose condition is not met costs what it would have cost the table, by the larger of the item that is there
 * and the one that was to be: here as far as the request or the refusal shows them, and 1 at least.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 */
import type { UsageMeter } from '../core/usage.ts';
import { readThrottled } from './batch-reads.ts';
import { detailOf, tableWriteUnits } from './capacity.ts';
import type { Item, RequestData } from './dynalite.ts';
import { codeOf, isRefusal } from './errors.ts';
import { isItemAction, perform, tablesIn, type DynamoContext } from './operations.ts';

const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'TransactWriteItems']);

/** Those that are let in as a whole; a batch is by key (`batch-reads.ts`). */
const OTHER_READS = new Set(['GetItem', 'Query', 'Scan', 'TransactGetItems']);

interface Consumed {
  readonly TableName: string;
  readonly CapacityUnits: number;
  readonly Table?: { readonly CapacityUnits: number };
  readonly GlobalSecondaryIndexes?: Readonly<Record<string, { readonly CapacityUnits: number }>>;
}

/** Performs an action and counts it. @throws what the action throws. */
export async function performMetered(
  operation: string,
  context: DynamoContext,
  input: RequestData,
  usage: UsageMeter,
): Promise<unknown> {
  const asked = input['ReturnConsumedCapacity'];
  const isUnderstood = asked === undefined || asked === 'NONE' || detailOf(asked) !== undefined;
  if (!isItemAction(operation) || !isUnderstood) return perform(operation, context, input);
  const { readBudget } = context;
  if (OTHER_READS.has(operation) && !readBudget.admit()) throw readThrottled();
  let output: Record<string, unknown>;
  try {
    const detailed = { ...input, ReturnConsumedCapacity: 'INDEXES' };
    output = (await perform(operation, context, detailed)) as Record<string, unknown>;
  } catch (error) {
    countRefusal(operation, input, error, usage);
    throw error;
  }
  const { ConsumedCapacity, ...rest } = output;
  const consumed = ConsumedCapacity as Consumed | readonly Consumed[] | undefined;
  for (const one of consumed === undefined ? [] : [consumed].flat()) {
    count(operation, one, usage);
    if (OTHER_READS.has(operation)) readBudget.charge(one.CapacityUnits);
  }
  switch (detailOf(asked)) {
    case 'INDEXES':
      return output;
    case 'TOTAL':
      return { ...rest, ConsumedCapacity: Array.isArray(consumed) ? consumed.map(total) : total(consumed) };
    case undefined:
      return rest;
  }
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

function countRefusal(operation: string, input: RequestData, error: unknown, usage: UsageMeter): void {
  if (!isRefusal(error) || codeOf(error) !== 'ConditionalCheckFailedException') return;
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
}
