/** PutItem, UpdateItem, DeleteItem and BatchWriteItem: each item one atomic batch, with its capacity counted. */
import { addUnits, consumedByTable, consumedCapacity, detailOf, unitsOfChange } from './capacity.ts';
import { run, validated, type DynaliteAction, type RequestData, type Store } from './dynalite.ts';
import { UnitOfWork } from './unit-of-work.ts';

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

export async function batchWriteItems(store: Store, input: RequestData): Promise<Response> {
  const work = new UnitOfWork(store, 'each');
  const data = validated(store, 'BatchWriteItem', input);
  const response = await run(work.store, 'BatchWriteItem', data);
  const detail = detailOf(data['ReturnConsumedCapacity']);
  return detail === undefined
    ? response
    : { ...response, ConsumedCapacity: consumedByTable(work.changes, detail) };
}
