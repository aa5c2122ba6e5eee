/**
 * Several operations in one request: a transactional batch (one partition, all or nothing) or bulk (any partitions,
 * each operation on its own). https://learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch
 */
import type { Budget } from '../core/budget.ts';
import { REFUSED_CHARGE } from './charges.ts';
import { badRequest, CosmosError, responseTooLarge, tooLarge, tooManyRequests } from './errors.ts';
import { isObject, type ItemDocument, type PartitionKey } from './model.ts';
import { execute, ITEM_OPERATIONS, type ItemOperation, type ItemOperationKind } from './operations.ts';
import type { Transaction } from './transaction.ts';

/** Most operations in one batch or bulk request. */
export const BATCH_OPERATIONS_MAX = 100;

/**
 * The most that one answer holds. In bulk the operations within it are answered, and each one beyond it gets 413 with the
 * sub status 3402 and has no effect; the older bulk of the SDK does not ask for those again, as its successor and the
 * other SDKs do.
 * https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-request-limits
 * https://github.com/Azure/azure-cosmos-dotnet-v3/pull/2124 (reads), https://github.com/Azure/azure-cosmos-dotnet-v3/pull/2390
 * (the sub status, and patches); `retry/bulkExecutionRetryPolicy.js` of `@azure/cosmos`
 */
export const BATCH_RESPONSE_BYTES_MAX = 4 * 1024 * 1024;
/**
 * The most that one request holds, bulk included, or it is refused as a whole.
 * https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-request-limits
 * https://github.com/Azure/azure-sdk-for-js/issues/23923
 */
export const BATCH_REQUEST_BYTES_MAX = 2 * 1024 * 1024;

/** One element of the response array, as the SDK reads it. */
export interface BatchItemResult {
  readonly statusCode: number;
  readonly subStatusCode?: number;
  readonly message?: string;
  readonly requestCharge: number;
  readonly eTag?: string;
  readonly resourceBody?: ItemDocument;
  /** With 429: when to try this operation again. */
  readonly retryAfterMilliseconds?: number;
}

export interface BatchResult {
  /** 200, or 207 when an operation failed. */
  readonly status: 200 | 207;
  readonly results: readonly BatchItemResult[];
}

export interface BatchOptions {
  /** The partition of a transactional batch; absent for bulk, whose operations name their own. */
  readonly partitionKey?: PartitionKey;
  /** Bulk only: carry on after an operation that failed. */
  readonly continueOnError: boolean;
  /** Leave the items out of the answers to writes (`Prefer: return=minimal`). */
  readonly minimal: boolean;
  /** Of the container, in request units: bulk asks it before each operation, a batch was asked as a whole. */
  readonly budget?: Budget;
}

const NOT_TRIED: BatchItemResult = { statusCode: 424, requestCharge: 0, message: 'Failed dependency' };

/**
 * Carries out a batch. A transactional one that fails is rolled back here; bulk keeps what succeeded.
 * @throws CosmosError 400 or 413 when the request as a whole is not acceptable.
 */
export function executeBatch(transaction: Transaction, body: unknown, options: BatchOptions): BatchResult {
  const operations = parseOperations(body, options);
  const results: BatchItemResult[] = [];
  let failed: number | undefined;
  const room = { bytes: BATCH_RESPONSE_BYTES_MAX };
  for (const operation of operations) {
    if (failed !== undefined && (options.partitionKey !== undefined || !options.continueOnError)) {
      results.push(NOT_TRIED);
      continue;
    }
    const result = withinBudget(options.budget, () =>
      executeOne(transaction, operation, { minimal: options.minimal, room }),
    );
    if (result.statusCode >= 400) failed ??= results.length;
    results.push(result);
  }
  if (failed === undefined) return { status: 200, results };
  if (options.partitionKey === undefined) return { status: 207, results };
  transaction.rollback();
  return { status: 207, results: results.map((result, i) => (i === failed ? result : NOT_TRIED)) };
}

/**
 * Each operation of bulk is admitted and charged by itself, so a part of a request may be refused.
 * https://learn.microsoft.com/azure/cosmos-db/nosql/conceptual-resilient-sdk-applications
 */
function withinBudget(budget: Budget | undefined, run: () => BatchItemResult): BatchItemResult {
  if (budget?.admit() === false) {
    const { retryAfterMs } = budget;
    const { status, subStatus, message } = tooManyRequests(retryAfterMs);
    return {
      statusCode: status,
      subStatusCode: subStatus ?? 0,
      message,
      requestCharge: 0,
      retryAfterMilliseconds: retryAfterMs,
    };
  }
  const result = run();
  budget?.charge(result.requestCharge);
  return result;
}

/** @param options.room What is left of the answer. The first operation that does not fit ends it for all that answer with an item. */
function executeOne(
  transaction: Transaction,
  operation: ItemOperation,
  { minimal, room }: { readonly minimal: boolean; readonly room: { bytes: number } },
): BatchItemResult {
  const savepoint = transaction.savepoint();
  try {
    const { status, item, etag, charge } = execute(transaction, operation);
    const withBody = item !== undefined && !(minimal && operation.kind !== 'Read');
    if (withBody) {
      room.bytes = item.bytes > room.bytes ? 0 : room.bytes - item.bytes;
      if (room.bytes === 0) throw responseTooLarge();
    }
    return {
      statusCode: status,
      requestCharge: charge,
      ...(etag === undefined ? {} : { eTag: etag }),
      ...(withBody ? { resourceBody: item.doc } : {}),
    };
  } catch (error) {
    if (!(error instanceof CosmosError)) throw error;
    transaction.rollback(savepoint);
    return {
      statusCode: error.status,
      requestCharge: REFUSED_CHARGE,
      message: error.message,
      ...(error.subStatus === undefined ? {} : { subStatusCode: error.subStatus }),
    };
  }
}

function parseOperations(body: unknown, options: BatchOptions): ItemOperation[] {
  if (!Array.isArray(body) || body.length === 0)
    throw badRequest('Batch request should have at least one operation.');
  if (body.length > BATCH_OPERATIONS_MAX) {
    throw badRequest('Batch request has more operations than what is supported.');
  }
  if (Buffer.byteLength(JSON.stringify(body)) > BATCH_REQUEST_BYTES_MAX) throw tooLarge();
  return body.map((operation: unknown) => parseOperation(operation, options.partitionKey));
}

function parseOperation(operation: unknown, batchKey: PartitionKey | undefined): ItemOperation {
  if (!isObject(operation) || !isKind(operation['operationType'])) {
    throw badRequest('A batch operation must have a known operationType.');
  }
  const { operationType: kind, id, resourceBody: body, ifMatch, ifNoneMatch } = operation;
  return {
    kind,
    partitionKey: batchKey ?? ownPartitionKey(operation['partitionKey']),
    id: typeof id === 'string' ? id : undefined,
    body,
    ifMatch: typeof ifMatch === 'string' ? ifMatch : undefined,
    ifNoneMatch: typeof ifNoneMatch === 'string' ? ifNoneMatch : undefined,
  };
}

function isKind(value: unknown): value is ItemOperationKind {
  return ITEM_OPERATIONS.includes(value as ItemOperationKind);
}

/** In bulk the SDK sends each operation's key as JSON text inside the JSON body. */
function ownPartitionKey(text: unknown): PartitionKey {
  try {
    const key: unknown = typeof text === 'string' ? JSON.parse(text) : text;
    if (Array.isArray(key)) return key;
  } catch {
    // Answered below: not JSON and not a list are the same mistake.
  }
  throw badRequest('PartitionKey value must be supplied for this operation.');
}
