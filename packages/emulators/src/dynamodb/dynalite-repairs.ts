/**
 * What is wrong in dynalite 4.0.0 and cannot be put right from outside. Each repair replaces one member of a module
 * that dynalite looks up at every call; each has a test of its own in `packages/emulators/tests/dynamodb/server.test.ts`.
 */
import { detailOf, indexEntry, readUnits } from './capacity.ts';
import { isMet } from './conditions.ts';
import {
  type BatchOperation,
  db,
  type DynaliteAction,
  type Expression,
  indexesOf,
  type Item,
  type TableRecord,
  validationOf,
} from './dynalite.ts';
import { codeOf, DynamoError, isRefusal, messageOf } from './errors.ts';
import { itemBytes } from './item-size.ts';
import { indexKey } from './storage-keys.ts';
import { UnitOfWork } from './unit-of-work.ts';

let isRepaired = false;

/** Applies the repairs, once per process. */
export function repairDynalite(): void {
  if (isRepaired) return;
  isRepaired = true;
  compareDocuments();
  returnItemOnFailedCondition();
  keepEveryIndexEntry();
  measureInBytes();
  reportReadCapacityInBytes();
}

/**
 * dynalite compares lists and maps by identity, so a condition that one equals a value is never met. Equality in
 * conditions is decided here, everything else by dynalite. (Filters of queries and scans are out of reach.)
 */
function compareDocuments(): void {
  const original = db.checkConditional;
  db.checkConditional = (data, existing = {}) => {
    const condition = data['_condition'] as { expression: Expression } | undefined;
    if (condition === undefined) return original(data, existing);
    if (isMet(condition.expression, existing)) return null;
    return new DynamoError('ConditionalCheckFailedException', 'The conditional request failed');
  };
}

/**
 * `ReturnValuesOnConditionCheckFailure` (2023) is unknown to dynalite, which drops it: the answer to a failed condition
 * then lacks the item, and a caller that avoids a second read is left without it.
 */
function returnItemOnFailedCondition(): void {
  const actions: readonly DynaliteAction[] = ['PutItem', 'UpdateItem', 'DeleteItem'];
  for (const action of actions) {
    validationOf(action).types['ReturnValuesOnConditionCheckFailure'] = {
      type: 'String',
      enum: ['ALL_OLD', 'NONE'],
    };
  }
  const original = db.checkConditional;
  db.checkConditional = (data, existing) => {
    const error = original(data, existing);
    const isRequested = data['ReturnValuesOnConditionCheckFailure'] === 'ALL_OLD';
    if (!isRefusal(error) || existing === undefined || !isRequested) return error;
    return new DynamoError(codeOf(error), messageOf(error), { Item: existing });
  };
}

/**
 * dynalite tells entries with equal index keys apart by 24 bits of a hash of the table key, so two of some five
 * thousand items in one index partition overwrite each other. The whole table key goes into the entry's key. Entries
 * and item are also handed over together, so that they are written in one batch (see `unit-of-work.ts`).
 */
function keepEveryIndexEntry(): void {
  const original = db.createIndexKey;
  db.createIndexKey = (item, table, keySchema) =>
    `${original(item, table, keySchema)}/${db.createKey(item, table)}`;
  db.updateIndexes = (store, table, before, after, callback) => {
    const change = { table, before, after: after ?? undefined };
    UnitOfWork.behind(store).add(change, indexOperations(table, before, after ?? undefined));
    callback(null);
  };
}

/** The index entries that go and that appear with a write. */
export function indexOperations(
  table: TableRecord,
  before: Item | undefined,
  after: Item | undefined,
): BatchOperation[] {
  const deletes = new Map<string, BatchOperation>();
  const puts = new Map<string, BatchOperation>();
  for (const { type, index } of indexesOf(table)) {
    const place = (item: Item): string =>
      indexKey(type, table.TableName, index.IndexName, db.createIndexKey(item, table, index.KeySchema));
    const [old, entry] = [indexEntry(table, index, before), indexEntry(table, index, after)];
    if (old !== undefined) deletes.set(place(old), { type: 'del', key: place(old) });
    if (entry !== undefined) puts.set(place(entry), { type: 'put', key: place(entry), value: entry });
  }
  return [...[...deletes.values()].filter(({ key }) => !puts.has(key)), ...puts.values()];
}

/** dynalite counts UTF-16 units where the limit of 400 KB is in bytes of UTF-8. */
function measureInBytes(): void {
  db.itemSize = itemBytes;
}

/** The same for the capacity of reads; the capacity of writes is counted by the front, which knows the indexes. */
function reportReadCapacityInBytes(): void {
  db.addConsumedCapacity = (data, _isRead, item) => {
    const detail = detailOf(data['ReturnConsumedCapacity']);
    if (detail === undefined) return undefined;
    const CapacityUnits = readUnits(item, data['ConsistentRead'] === true);
    const TableName = data['TableName'];
    return detail === 'TOTAL'
      ? { TableName, CapacityUnits }
      : { TableName, CapacityUnits, Table: { CapacityUnits } };
  };
}
