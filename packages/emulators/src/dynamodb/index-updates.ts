/**
 * Adding a global secondary index to a table with items in it, and removing one.
 *
 * Invariant: the index is in the table's record, so that new writes keep it, before the first existing item is
 * entered; each item is entered under its lock, as it is at that moment. No write can fall between.
 */
import {
  type AttributeDefinition,
  type IndexDescription,
  type Item,
  promised,
  type Store,
  tableOf,
  type TableRecord,
} from './dynalite.ts';
import { indexOperations } from './dynalite-repairs.ts';
import { DynamoError, validationError } from './errors.ts';
import { itemKey, rangeOf } from './storage-keys.ts';

/** One member of `GlobalSecondaryIndexUpdates`. */
export interface IndexUpdate {
  readonly Create?: Pick<IndexDescription, 'IndexName' | 'KeySchema' | 'Projection'>;
  readonly Delete?: { readonly IndexName: string };
}

export async function createIndex(
  store: Store,
  tableName: string,
  wanted: NonNullable<IndexUpdate['Create']>,
  definitions: readonly AttributeDefinition[],
): Promise<void> {
  const table = await tableOf(store, tableName, false);
  const known = mergeDefinitions(table.AttributeDefinitions, definitions);
  validate(table, wanted, known);
  const index: IndexDescription = {
    ...wanted,
    IndexArn: `${table.TableArn}/index/${wanted.IndexName}`,
    IndexStatus: 'ACTIVE',
    IndexSizeBytes: 0,
    ItemCount: 0,
    ProvisionedThroughput: { ReadCapacityUnits: 0, WriteCapacityUnits: 0, NumberOfDecreasesToday: 0 },
  };
  const changed: TableRecord = {
    ...table,
    AttributeDefinitions: known,
    GlobalSecondaryIndexes: [...(table.GlobalSecondaryIndexes ?? []), index],
  };
  await saveTable(store, changed);
  await backfill(store, { ...changed, GlobalSecondaryIndexes: [index], LocalSecondaryIndexes: [] });
}

export async function deleteIndex(store: Store, tableName: string, indexName: string): Promise<void> {
  const table = await tableOf(store, tableName, false);
  const kept = (table.GlobalSecondaryIndexes ?? []).filter(({ IndexName }) => IndexName !== indexName);
  if (kept.length === (table.GlobalSecondaryIndexes ?? []).length) {
    throw new DynamoError('ResourceNotFoundException', 'Requested resource not found');
  }
  const { GlobalSecondaryIndexes: _all, ...rest } = table;
  const changed = { ...rest, ...(kept.length > 0 && { GlobalSecondaryIndexes: kept }) } as TableRecord;
  await saveTable(store, { ...changed, AttributeDefinitions: definitionsInUse(changed) });
  await promised<unknown>((callback) => store.deleteIndexDb('Global', tableName, indexName, callback));
}

async function saveTable(store: Store, table: TableRecord): Promise<void> {
  await promised<unknown>((callback) => store.tableDb.put(table.TableName, table, callback));
}

function validate(
  table: TableRecord,
  wanted: NonNullable<IndexUpdate['Create']>,
  definitions: readonly AttributeDefinition[],
): void {
  if (table.GlobalSecondaryIndexes?.some(({ IndexName }) => IndexName === wanted.IndexName)) {
    throw validationError(`Attempting to create an index which already exists`);
  }
  for (const { AttributeName } of wanted.KeySchema) {
    if (!definitions.some((definition) => definition.AttributeName === AttributeName)) {
      throw validationError(
        `One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions: ${AttributeName}`,
      );
    }
  }
}

function mergeDefinitions(
  known: readonly AttributeDefinition[],
  more: readonly AttributeDefinition[],
): AttributeDefinition[] {
  return [
    ...new Map([...known, ...more].map((definition) => [definition.AttributeName, definition])).values(),
  ];
}

function definitionsInUse(table: TableRecord): AttributeDefinition[] {
  const schemas = [
    table.KeySchema,
    ...(table.GlobalSecondaryIndexes ?? []).map(({ KeySchema }) => KeySchema),
    ...(table.LocalSecondaryIndexes ?? []).map(({ KeySchema }) => KeySchema),
  ];
  const used = new Set(schemas.flat().map(({ AttributeName }) => AttributeName));
  return table.AttributeDefinitions.filter(({ AttributeName }) => used.has(AttributeName));
}

/** Enters every item; `table` names the new index only. */
async function backfill(store: Store, table: TableRecord): Promise<void> {
  const prefix = itemKey(table.TableName, '');
  for await (const [key] of store.db.iterator(rangeOf(prefix))) {
    await enterItem(store, table, key.slice(prefix.length));
  }
}

function enterItem(store: Store, table: TableRecord, key: string): Promise<unknown> {
  const items = store.getItemDb(table.TableName);
  return promised((callback) => {
    items.lock(key, (release) => {
      const done = release(callback);
      items.get(key, (error, item?: Item) => {
        if (error || item === undefined) done(error);
        else store.db.batch(indexOperations(table, undefined, item), done);
      });
    });
  });
}
