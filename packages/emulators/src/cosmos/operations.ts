/**
 * The operations on one item, the same whether they come as a request of their own, in a transactional batch or in
 * bulk. Limits: https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits
 */
import { readCharge, writeCharge } from './charges.ts';
import { badRequest, conflict, notFound, preconditionFailed, tooLarge } from './errors.ts';
import {
  type ContainerDefinition,
  isObject,
  type JsonObject,
  partitionId,
  type PartitionKey,
  partitionKeyOf,
  type StoredItem,
} from './model.ts';
import { applyPatch, parsePatch } from './patch.ts';
import { matchesCondition } from './sql-engine.ts';
import type { Transaction } from './transaction.ts';

/** Largest item, as UTF-8 JSON. */
export const ITEM_BYTES_MAX = 2 * 1024 * 1024;
/** Longest id, in UTF-8 bytes. */
export const ID_BYTES_MAX = 1_023;
/** Longest value of a partition key, in UTF-8 bytes. */
export const PARTITION_KEY_BYTES_MAX = 2_048;
/** Levels of objects and arrays in an item, itself the first. */
export const NESTING_MAX = 128;

export const ITEM_OPERATIONS = ['Create', 'Read', 'Replace', 'Upsert', 'Delete', 'Patch'] as const;
export type ItemOperationKind = (typeof ITEM_OPERATIONS)[number];

export interface ItemOperation {
  readonly kind: ItemOperationKind;
  readonly partitionKey: PartitionKey;
  /** Absent for create and upsert, which take it from the body. */
  readonly id?: string | undefined;
  readonly body?: unknown;
  readonly ifMatch?: string | undefined;
  /** Heeded on reads only, as the service does. */
  readonly ifNoneMatch?: string | undefined;
}

export interface ItemResult {
  readonly status: 200 | 201 | 204 | 304;
  /** The item as it now is; absent after a delete and for 304. */
  readonly item?: StoredItem;
  readonly etag?: string;
  /** Request units. */
  readonly charge: number;
}

/**
 * Carries out one operation inside a transaction.
 * @throws CosmosError 400, 404, 409, 412 or 413; the operation then had no effect.
 */
export function execute(transaction: Transaction, operation: ItemOperation): ItemResult {
  assertPartitionKey(operation.partitionKey, transaction.container.definition);
  switch (operation.kind) {
    case 'Create':
    case 'Upsert':
      return insert(transaction, operation);
    case 'Read':
      return read(transaction, operation);
    case 'Replace':
      return replace(transaction, operation);
    case 'Patch':
      return patch(transaction, operation);
    case 'Delete': {
      const current = existing(transaction, operation);
      transaction.delete(current);
      return { status: 204, charge: writeCharge(0, current.bytes) };
    }
  }
}

function insert(transaction: Transaction, operation: ItemOperation): ItemResult {
  const body = validBody(transaction, operation);
  const partition = partitionId(operation.partitionKey);
  const current = transaction.container.get(partition, body.id);
  if (current !== undefined) {
    if (operation.kind === 'Create') throw conflict();
    // An upsert heeds If-Match only when it replaces; on an absent item it creates (azure-cosmos-dotnet-v3 #1698).
    assertMatches(current, operation.ifMatch);
  }
  return written(transaction.put(partition, body, current), current);
}

function read(transaction: Transaction, operation: ItemOperation): ItemResult {
  const item = find(transaction, operation);
  const etag = item.doc._etag;
  if (operation.ifNoneMatch === etag || operation.ifNoneMatch === '*')
    return { status: 304, etag, charge: 1 };
  return { status: 200, item, etag, charge: readCharge(item.bytes) };
}

function replace(transaction: Transaction, operation: ItemOperation): ItemResult {
  const body = validBody(transaction, operation);
  if (operation.id !== undefined && body.id !== operation.id) {
    throw badRequest(
      "The id in the body does not match the id in the request: an item's id can't be changed.",
    );
  }
  const current = existing(transaction, { ...operation, id: body.id });
  return written(transaction.put(current.partition, body, current), current);
}

function patch(transaction: Transaction, operation: ItemOperation): ItemResult {
  const { operations, condition } = parsePatch(operation.body);
  const current = existing(transaction, operation);
  if (condition !== undefined && !matchesCondition(current.doc, condition)) {
    throw preconditionFailed({ subStatus: 1110 });
  }
  const { paths } = transaction.container.definition.partitionKey;
  const body = applyPatch(current.doc, operations, paths);
  const checked = validBody(transaction, { ...operation, body });
  return written(transaction.put(current.partition, checked, current), current);
}

function written(item: StoredItem, previous: StoredItem | undefined): ItemResult {
  const charge = writeCharge(item.bytes, previous?.bytes);
  return { status: previous === undefined ? 201 : 200, item, etag: item.doc._etag, charge };
}

function find(transaction: Transaction, { partitionKey, id }: ItemOperation): StoredItem {
  const item = id === undefined ? undefined : transaction.container.get(partitionId(partitionKey), id);
  if (item === undefined) throw notFound();
  return item;
}

function existing(transaction: Transaction, operation: ItemOperation): StoredItem {
  const item = find(transaction, operation);
  assertMatches(item, operation.ifMatch);
  return item;
}

function assertMatches(item: StoredItem, ifMatch: string | undefined): void {
  if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== item.doc._etag) throw preconditionFailed();
}

function validBody(transaction: Transaction, operation: ItemOperation): JsonObject & { id: string } {
  const { body } = operation;
  if (!isObject(body)) throw badRequest('The request body must be a JSON object.');
  const { definition } = transaction.container;
  assertId(body['id']);
  assertTtl(body['ttl']);
  // First: whoever goes down a value that nests deeper goes as deep as the client wants.
  if (nestsDeeperThan(NESTING_MAX, body)) {
    throw badRequest(`The document nests deeper than the maximum of ${NESTING_MAX} levels.`);
  }
  if (Buffer.byteLength(JSON.stringify(body)) > ITEM_BYTES_MAX) throw tooLarge();
  if (partitionId(partitionKeyOf(body, definition)) !== partitionId(operation.partitionKey)) {
    throw badRequest("PartitionKey extracted from document doesn't match the one specified in the header", {
      subStatus: 1001,
    });
  }
  return body as JsonObject & { id: string };
}

/** Level by level, so that no depth is too much for the stack. */
function nestsDeeperThan(levelsMax: number, root: object): boolean {
  let level: readonly object[] = [root];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > levelsMax) return true;
    level = level
      .flatMap((each) => Object.values(each) as unknown[])
      .filter((value): value is object => typeof value === 'object' && value !== null);
  }
  return false;
}

/** @throws CosmosError 400 when an id is absent, too long or holds a character that a URL path could not carry. */
export function assertId(id: unknown): asserts id is string {
  if (typeof id !== 'string' || id === '') {
    throw badRequest("The input content is invalid because the required properties - 'id; ' - are missing");
  }
  if (Buffer.byteLength(id) > ID_BYTES_MAX) throw badRequest(`The id is longer than ${ID_BYTES_MAX} bytes.`);
  if (/[/\\?#]/.test(id))
    throw badRequest("The id contains one of the illegal characters '/', '\\', '?', '#'.");
}

function assertTtl(ttl: unknown): void {
  if (ttl === undefined || ttl === null) return;
  if (!Number.isInteger(ttl) || (ttl !== -1 && (ttl as number) < 1)) {
    throw badRequest(
      `The input ttl '${JSON.stringify(ttl)}' is invalid. Ensure to provide a nonzero positive integer or -1.`,
    );
  }
}

function assertPartitionKey(key: PartitionKey, definition: ContainerDefinition): void {
  const { paths } = definition.partitionKey;
  if (key.length !== paths.length) {
    throw badRequest("Partition key provided either doesn't correspond to definition in the collection.", {
      subStatus: 1001,
    });
  }
  for (const value of key) {
    if (Array.isArray(value) || (isObject(value) && Object.keys(value).length > 0)) {
      throw badRequest('A partition key value must be a string, a number, a boolean, null or absent.');
    }
    if (typeof value === 'string' && Buffer.byteLength(value) > PARTITION_KEY_BYTES_MAX) {
      throw badRequest(`A partition key value is longer than ${PARTITION_KEY_BYTES_MAX} bytes.`);
    }
  }
}
