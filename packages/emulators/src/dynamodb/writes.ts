/** PutItem, UpdateItem, DeleteItem and BatchWriteItem: each item one atomic batch, with its capacity counted. */
import { addUnits, consumedByTable, consumedCapacity, detailOf, unitsOfChange } from './capacity.ts';
import { type DynaliteAction, type RequestData, run, type Store, validated } from './dynalite.ts';
import { UnitOfWork } from './unit-of-work.ts';
import { throttled, type WriteBudget } from './write-budget.ts';

type Response = Record<string, unknown>;

export async function writeItem(
  store: Store,
  action: DynaliteAction & ('PutItem' | 'UpdateItem' | 'DeleteItem'),
  input: RequestData,
): Promise<Response> {
  const work = new UnitOfWork(store, 'each');
  const data = validated(store, action, input);
  const response = await run(work.store, action, data);
  const detail = detailOf(data['ReturnConsumedCapacity']);
  if (detail === undefined) return response;
  // Deleting what is not there changes nothing and still costs a unit.
  const units = work.changes.length === 0 ? NOTHING_WRITTEN : addUnits(work.changes.map(unitsOfChange));
  return { ...response, ConsumedCapacity: consumedCapacity(String(data['TableName']), units, detail) };
}

const NOTHING_WRITTEN = { table: 1, local: {}, global: {} };

/**
 * Writes that a table has no capacity left for are among `UnprocessedItems`; when nothing could be written, the request is
 * refused.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
 * @throws DynamoError `ProvisionedThroughputExceededException`
 */
export async function batchWriteItems(
  store: Store,
  budget: WriteBudget,
  input: RequestData,
): Promise<Response> {
  const work = new UnitOfWork(store, 'each');
  const data = validated(store, 'BatchWriteItem', input);
  const response = budget.isBounded
    ? await writeWithin(work, budget, data)
    : await run(work.store, 'BatchWriteItem', data);
  const detail = detailOf(data['ReturnConsumedCapacity']);
  return detail === undefined
    ? response
    : { ...response, ConsumedCapacity: consumedByTable(work.changes, detail) };
}

/** One after the other, for as long as there is capacity. */
async function writeWithin(work: UnitOfWork, budget: WriteBudget, data: RequestData): Promise<Response> {
  const requests = data['RequestItems'] as Readonly<Record<string, readonly unknown[]>>;
  const unprocessed: Record<string, unknown[]> = {};
  let written = 0;
  for (const [table, items] of Object.entries(requests)) {
    for (const item of items) {
      if (!budget.admits(table)) {
        (unprocessed[table] ??= []).push(item);
        continue;
      }
      const before = work.changes.length;
      await run(work.store, 'BatchWriteItem', { ...data, RequestItems: { [table]: [item] } });
      const changes = work.changes.slice(before);
      budget.charge(table, changes.length === 0 ? NOTHING_WRITTEN : addUnits(changes.map(unitsOfChange)));
      written += 1;
    }
  }
  if (written === 0) throw throttled();
  return { UnprocessedItems: unprocessed };
}
