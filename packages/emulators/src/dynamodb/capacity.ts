/**
 * Capacity units that a request consumes, by the published rules.
 *
 * A read costs one unit per 4 KB, half of that when it need not be consistent, double in a transaction. A write costs
 * one unit per 1 KB of the larger of the item before and after, double in a transaction. Every index that the write
 * touches costs on top, by the size of its entry: one write when an entry appears, changes or goes, two when its key
 * changes (the old entry goes, a new one appears), nothing when the entry stays as it is. A write that finds nothing
 * to do costs one unit.
 *
 * Whether a transaction doubles its index writes too is not published; here it does, the cautious reading.
 *
 * So a 1 KB item that enters an `ALL` index costs 2 to write; taking it out of the index again (the pending marker of
 * the replication protocol) costs 2 more. "1 KB" is 1,024 bytes with the attribute names: a 1,024 byte payload alone
 * makes an item of 2 units.
 *
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
 */
import { type IndexDescription, indexesOf, type Item, type TableRecord } from './dynalite.ts';
import { isSame, isSameMap } from './equality.ts';
import { itemBytes } from './item-size.ts';
import type { ItemChange } from './unit-of-work.ts';

const READ_BYTES = 4096;
const WRITE_BYTES = 1024;

/** Units by where they are consumed. */
export interface Units {
  readonly table: number;
  readonly local: Readonly<Record<string, number>>;
  readonly global: Readonly<Record<string, number>>;
}

export function readUnits(item: Item | undefined, isConsistent: boolean): number {
  const blocks = item === undefined ? 1 : Math.max(1, Math.ceil(itemBytes(item) / READ_BYTES));
  return isConsistent ? blocks : blocks / 2;
}

/** Units of writing an item into its table, or of one that is not there. */
export function tableWriteUnits(item: Item | undefined): number {
  return item === undefined ? 1 : Math.max(1, Math.ceil(itemBytes(item) / WRITE_BYTES));
}

/** The entry of an item in an index; nothing when a key of it is missing, or of another type than declared. */
export function indexEntry(
  table: TableRecord,
  index: IndexDescription,
  item: Item | undefined,
): Item | undefined {
  const keys = index.KeySchema.map(({ AttributeName }) => AttributeName);
  if (item === undefined || !keys.every((name) => isOfDeclaredType(table, name, item))) return undefined;
  if (index.Projection.ProjectionType === 'ALL') return item;
  const projected = new Set([
    ...keys,
    ...table.KeySchema.map(({ AttributeName }) => AttributeName),
    ...(index.Projection.NonKeyAttributes ?? []),
  ]);
  return Object.fromEntries(Object.entries(item).filter(([name]) => projected.has(name)));
}

function isOfDeclaredType(table: TableRecord, name: string, item: Item): boolean {
  const declared = table.AttributeDefinitions.find(({ AttributeName }) => AttributeName === name);
  const value = item[name];
  return value !== undefined && declared !== undefined && Object.hasOwn(value, declared.AttributeType);
}

/** What one item write consumes. */
export function unitsOfChange({ table, before, after }: ItemChange): Units {
  const local: Record<string, number> = {};
  const global: Record<string, number> = {};
  for (const { type, index } of indexesOf(table)) {
    const units = indexUnits(index, indexEntry(table, index, before), indexEntry(table, index, after));
    if (units > 0) (type === 'Local' ? local : global)[index.IndexName] = units;
  }
  return { table: Math.max(tableWriteUnits(before), tableWriteUnits(after)), local, global };
}

function indexUnits(index: IndexDescription, before: Item | undefined, after: Item | undefined): number {
  if (before === undefined && after === undefined) return 0;
  if (before === undefined) return tableWriteUnits(after);
  if (after === undefined) return tableWriteUnits(before);
  const isSameKey = index.KeySchema.every(({ AttributeName: name }) =>
    isSame(before[name] ?? {}, after[name] ?? {}),
  );
  if (!isSameKey) return tableWriteUnits(before) + tableWriteUnits(after);
  return isSameMap(before, after) ? 0 : Math.max(tableWriteUnits(before), tableWriteUnits(after));
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0);

/** Adds up units; `factor` is 2 in a transaction. */
export function addUnits(all: readonly Units[], factor = 1): Units {
  const merge = (key: 'local' | 'global'): Record<string, number> => {
    const merged: Record<string, number> = {};
    for (const units of all) {
      for (const [name, value] of Object.entries(units[key])) {
        merged[name] = (merged[name] ?? 0) + value * factor;
      }
    }
    return merged;
  };
  return {
    table: sum(all.map(({ table }) => table)) * factor,
    local: merge('local'),
    global: merge('global'),
  };
}

/** How much detail the request asked for; `undefined` when it asked for none. */
export function detailOf(mode: unknown): 'TOTAL' | 'INDEXES' | undefined {
  return mode === 'TOTAL' || mode === 'INDEXES' ? mode : undefined;
}

/** The `ConsumedCapacity` member for one table. */
export function consumedCapacity(
  tableName: string,
  units: Units,
  detail: 'TOTAL' | 'INDEXES',
): Record<string, unknown> {
  const total = units.table + sum(Object.values(units.local)) + sum(Object.values(units.global));
  if (detail === 'TOTAL') return { TableName: tableName, CapacityUnits: total };
  const perIndex = (byName: Readonly<Record<string, number>>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(byName).map(([name, value]) => [name, { CapacityUnits: value }]));
  return {
    TableName: tableName,
    CapacityUnits: total,
    Table: { CapacityUnits: units.table },
    ...(Object.keys(units.local).length > 0 && { LocalSecondaryIndexes: perIndex(units.local) }),
    ...(Object.keys(units.global).length > 0 && { GlobalSecondaryIndexes: perIndex(units.global) }),
  };
}

/** The `ConsumedCapacity` list of a request about several tables, from the writes that it made. */
export function consumedByTable(
  changes: readonly ItemChange[],
  detail: 'TOTAL' | 'INDEXES',
  factor = 1,
): Record<string, unknown>[] {
  const byTable = Map.groupBy(changes, ({ table }) => table.TableName);
  return [...byTable].map(([name, list]) =>
    consumedCapacity(name, addUnits(list.map(unitsOfChange), factor), detail),
  );
}

/**
 * The response of a Query or Scan with the least that one consumes: without a result it costs a read of nothing, which
 * dynalite leaves at zero.
 */
export function atLeastOneRead(
  response: Record<string, unknown>,
  request: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const consumed = response['ConsumedCapacity'] as { CapacityUnits: number; TableName: string } | undefined;
  if (consumed === undefined || consumed.CapacityUnits > 0) return response;
  const CapacityUnits = readUnits(undefined, request['ConsistentRead'] === true);
  const perIndex = { [String(request['IndexName'])]: { CapacityUnits } };
  const isDetailed = request['ReturnConsumedCapacity'] === 'INDEXES';
  const isIndexed = typeof request['IndexName'] === 'string';
  const { TableName } = consumed;
  return {
    ...response,
    ConsumedCapacity: {
      TableName,
      CapacityUnits,
      ...(isDetailed && !isIndexed && { Table: { CapacityUnits } }),
      ...(isDetailed && isIndexed && { Table: { CapacityUnits: 0 }, GlobalSecondaryIndexes: perIndex }),
    },
  };
}
