/**
 * Typed access to the parts of dynalite 4.0.0 that the front builds on: its store, its validators, its actions and its
 * expression engine. The version is pinned, because these are its insides and not its API; the contract suite, which
 * the real DynamoDB Local also passes, is what notices a change.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** An attribute value as it travels in JSON: one member named after its type; binary is base64. */
export type AttributeValue = Readonly<Record<string, unknown>>;
export type Item = Readonly<Record<string, AttributeValue>>;
/** Request members after validation; dynalite adds parsed expressions under names that begin with `_`. */
export type RequestData = Record<string, unknown>;

interface KeySchemaElement {
  readonly AttributeName: string;
  readonly KeyType: 'HASH' | 'RANGE';
}

export interface AttributeDefinition {
  readonly AttributeName: string;
  readonly AttributeType: 'S' | 'N' | 'B';
}

export interface IndexDescription {
  readonly IndexName: string;
  readonly KeySchema: readonly KeySchemaElement[];
  readonly Projection: {
    readonly ProjectionType: 'ALL' | 'INCLUDE' | 'KEYS_ONLY';
    readonly NonKeyAttributes?: readonly string[];
  };
  readonly IndexStatus?: string;
  readonly [member: string]: unknown;
}

/** A table as dynalite stores it. */
export interface TableRecord {
  readonly TableName: string;
  readonly TableArn: string;
  readonly TableStatus: string;
  readonly KeySchema: readonly KeySchemaElement[];
  readonly AttributeDefinitions: readonly AttributeDefinition[];
  readonly GlobalSecondaryIndexes?: readonly IndexDescription[];
  readonly LocalSecondaryIndexes?: readonly IndexDescription[];
  readonly BillingModeSummary?: { readonly BillingMode: string };
  readonly [member: string]: unknown;
}

export type Callback<T> = (error: unknown, result?: T) => void;
type Release = (callback: Callback<unknown>) => Callback<unknown>;

/** One operation of an atomic leveldb batch, with the key as the database holds it. */
export type BatchOperation =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'del'; readonly key: string };

/** One key space of the store: the items of a table, the entries of an index, the tables. */
export interface SubDatabase {
  get(key: string, callback: Callback<never>): void;
  put(key: string, value: unknown, callback: Callback<unknown>): void;
  del(key: string, callback: Callback<unknown>): void;
  lock(key: string, run: (release: Release) => void): void;
}

interface Database {
  open(): Promise<void>;
  get(key: string, callback: Callback<unknown>): void;
  put(key: string, value: unknown, callback: Callback<unknown>): void;
  batch(operations: readonly BatchOperation[], callback: Callback<unknown>): void;
  close(callback: Callback<unknown>): void;
  iterator(range: { gte: string; lt: string }): AsyncIterable<[key: string, value: unknown]>;
}

export interface Store {
  readonly db: Database;
  readonly tableDb: SubDatabase & { awsRegion: string; awsAccountId: string };
  getItemDb(table: string): SubDatabase;
  getIndexDb(type: IndexType, table: string, index: string): SubDatabase;
  deleteIndexDb(type: IndexType, table: string, index: string, callback: Callback<unknown>): void;
  getTable(name: string, mustBeActive: boolean, callback: Callback<TableRecord>): void;
}

export type IndexType = 'Local' | 'Global';

/** A parsed condition: `and`, `or`, `not`, a comparison or a function, over paths, values and functions. */
export interface Expression {
  readonly type: string;
  readonly args: readonly unknown[];
}

/** dynalite's `db` module; the members that `dynalite-repairs.ts` replaces are looked up here at every call. */
export interface DbModule {
  create: (options: Readonly<Record<string, unknown>>) => Store;
  createKey: (item: Item, table: TableRecord, keySchema?: readonly KeySchemaElement[]) => string;
  createIndexKey: (item: Item, table: TableRecord, keySchema: readonly KeySchemaElement[]) => string;
  checkConditional: (data: RequestData, existing: Item | undefined) => Error | null | undefined;
  matchesExprFilter: (item: Item, expression: Expression) => boolean;
  mapPath: (path: readonly (string | number)[], item: Item) => AttributeValue | null | undefined;
  validateKey: (key: Item, table: TableRecord) => Error | null | undefined;
  itemSize: (item: Item) => number;
  addConsumedCapacity: (data: RequestData, isRead: boolean, item: Item | undefined, other?: Item) => unknown;
  updateIndexes: (
    store: Store,
    table: TableRecord,
    before: Item | undefined,
    after: Item | null | undefined,
    callback: Callback<unknown>,
  ) => void;
}

interface ActionValidation {
  readonly types: Record<string, unknown>;
  readonly custom?: (data: RequestData, store: Store) => string | undefined;
}

interface ValidationModule {
  checkTypes(data: RequestData, types: unknown): RequestData;
  checkValidations(data: RequestData, types: unknown, custom: unknown, store: Store): void;
}

type Action = (store: Store, data: RequestData, callback: Callback<Record<string, unknown>>) => void;

export const db = require('dynalite/db') as DbModule;
const validations = require('dynalite/validations') as ValidationModule;

/** The actions that dynalite itself performs. */
const ACTIONS = [
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'GetItem',
  'ListTables',
  'ListTagsOfResource',
  'PutItem',
  'Query',
  'Scan',
  'TagResource',
  'UntagResource',
  'UpdateItem',
  'UpdateTable',
] as const;

export type DynaliteAction = (typeof ACTIONS)[number];

const fileOf = (action: DynaliteAction): string => action.charAt(0).toLowerCase() + action.slice(1);

export function isDynaliteAction(operation: string): operation is DynaliteAction {
  return (ACTIONS as readonly string[]).includes(operation);
}

/** The declared members of an action, which a repair may extend. */
export function validationOf(action: DynaliteAction): ActionValidation {
  return require(`dynalite/validations/${fileOf(action)}`) as ActionValidation;
}

/** Checks a request as the service does and returns it with its expressions parsed; throws a refusal. */
export function validated(store: Store, action: DynaliteAction, input: RequestData): RequestData {
  const { types, custom } = validationOf(action);
  const data = validations.checkTypes(input, types);
  validations.checkValidations(data, types, custom, store);
  return data;
}

/** Performs an action on a validated request. */
export function run(
  store: Store,
  action: DynaliteAction,
  data: RequestData,
): Promise<Record<string, unknown>> {
  const actionValue = require(`dynalite/actions/${fileOf(action)}`) as Action;
  return promised((callback) => actionValue(store, data, callback));
}

/** Turns a callback into a promise. */
export function promised<T>(start: (callback: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error) reject(error instanceof Error ? error : new Error('dynalite failed', { cause: error }));
      else resolve(result as T);
    });
  });
}

export function tableOf(store: Store, name: string, mustBeActive = true): Promise<TableRecord> {
  return promised((callback) => store.getTable(name, mustBeActive, callback));
}

export function indexesOf(table: TableRecord): { type: IndexType; index: IndexDescription }[] {
  const of = (type: IndexType, indexes: readonly IndexDescription[] = []) =>
    indexes.map((index) => ({ type, index }));
  return [...of('Local', table.LocalSecondaryIndexes), ...of('Global', table.GlobalSecondaryIndexes)];
}
