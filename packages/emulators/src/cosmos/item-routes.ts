/** `/dbs/{id}/colls/{id}/docs` and below: items, batches, queries and the change feed. */
import type { Budget } from '../core/budget.ts';
import { type BatchItemResult, executeBatch } from './batch.ts';
import { queryCharge } from './charges.ts';
import type { Container } from './container.ts';
import { notAllowed, PARTITION_RANGE_ID } from './definition-routes.ts';
import { badRequest, CosmosError, partitionRangeGone } from './errors.ts';
import {
  type Call,
  flag,
  header,
  isQuery,
  pageSize,
  partitionKeyHeader,
  type Response,
} from './http-types.ts';
import { isObject, partitionId, type PartitionKey } from './model.ts';
import { execute, type ItemOperation, type ItemOperationKind, type ItemResult } from './operations.ts';
import { prepareQuery, type QuerySpec, runQuery } from './query.ts';
import { buildQueryPlan, needsPlan } from './query-plan.ts';
import { assertOrderIsIndexed, containerSource } from './query-source.ts';
import type { Store } from './store.ts';
import { Transaction } from './transaction.ts';

/** The operation names that fault rules use. */
export type FaultOperation = ItemOperationKind | 'Batch' | 'Bulk' | 'Query' | 'ReadFeed';

const BY_METHOD: Readonly<Record<string, ItemOperationKind>> = {
  GET: 'Read',
  PUT: 'Replace',
  PATCH: 'Patch',
  DELETE: 'Delete',
};

/** Which operation a request is; `QueryPlan` is a part of a query that no fault hits. */
export function operationOf(call: Call): FaultOperation | 'QueryPlan' {
  if (call.segments.length > 5) {
    const kind = BY_METHOD[call.method];
    if (kind === undefined) throw notAllowed(call);
    return kind;
  }
  if (call.method === 'GET') return 'ReadFeed';
  if (call.method !== 'POST') throw notAllowed(call);
  if (flag(call, 'x-ms-cosmos-is-query-plan-request')) return 'QueryPlan';
  if (isQuery(call)) return 'Query';
  if (flag(call, 'x-ms-cosmos-is-batch-request'))
    return flag(call, 'x-ms-cosmos-batch-atomic') ? 'Batch' : 'Bulk';
  return flag(call, 'x-ms-documentdb-is-upsert') ? 'Upsert' : 'Create';
}

/** Carries out a request on the items of a container. */
export function itemRoute(store: Store, container: Container, call: Call, budget: Budget): Response {
  const operation = operationOf(call);
  switch (operation) {
    case 'QueryPlan':
      return { status: 200, body: buildQueryPlan(querySpec(call)) };
    case 'Query':
      return queryResponse(container, call, querySpec(call));
    case 'ReadFeed':
      return header(call, 'a-im') === undefined
        ? queryResponse(container, call, { query: 'SELECT * FROM c' })
        : changeFeedResponse(container, call);
    case 'Batch':
    case 'Bulk':
      return batchResponse(store, container, call, { kind: operation, budget });
    case 'Create':
    case 'Read':
    case 'Replace':
    case 'Upsert':
    case 'Delete':
    case 'Patch':
      return itemResponse(store, container, call, operation);
  }
}

function itemResponse(store: Store, container: Container, call: Call, kind: ItemOperationKind): Response {
  const operation: ItemOperation = {
    kind,
    partitionKey: requiredPartitionKey(call),
    id: call.segments[5],
    body: call.body,
    ifMatch: header(call, 'if-match'),
    ifNoneMatch: header(call, 'if-none-match'),
  };
  const transaction = new Transaction(container);
  const { status, item, etag, charge } = execute(transaction, operation) satisfies ItemResult;
  store.commit(transaction);
  const headers = {
    ...sessionHeaders(container),
    'x-ms-request-charge': String(charge),
    ...(etag === undefined ? {} : { etag }),
  };
  const minimal = kind !== 'Read' && header(call, 'prefer') === 'return=minimal';
  return { status, headers, body: minimal ? undefined : item?.doc };
}

function batchResponse(
  store: Store,
  container: Container,
  call: Call,
  { kind, budget }: { kind: 'Batch' | 'Bulk'; budget: Budget },
): Response {
  const transaction = new Transaction(container);
  const { status, results } = executeBatch(transaction, call.body, {
    ...(kind === 'Batch' ? { partitionKey: requiredPartitionKey(call) } : { budget }),
    continueOnError: flag(call, 'x-ms-cosmos-batch-continue-on-error'),
    minimal: header(call, 'prefer') === 'return=minimal',
  });
  store.commit(transaction);
  const charge = results.reduce((sum: number, result: BatchItemResult) => sum + result.requestCharge, 0);
  const headers = { ...sessionHeaders(container), 'x-ms-request-charge': charge.toFixed(2) };
  return { status, headers, body: results };
}

function queryResponse(container: Container, call: Call, spec: QuerySpec): Response {
  const query = prepareQuery(spec);
  const partitionKey = partitionKeyHeader(call);
  const range = header(call, 'x-ms-documentdb-partitionkeyrangeid');
  assertWholeRange(call);
  if (range !== undefined && range !== PARTITION_RANGE_ID) throw partitionRangeGone();
  if (partitionKey === undefined && range === undefined && needsPlan(query.text)) throw planRequired(spec);
  assertOrderIsIndexed(query.text, container.definition);
  const page = { pageSize: pageSize(call), continuation: header(call, 'x-ms-continuation') };
  const { rows, continuation, loaded } = runQuery(query, containerSource(container, { partitionKey }), page);
  const body = { _rid: container.rid, Documents: rows, _count: rows.length };
  const headers = {
    ...sessionHeaders(container),
    'x-ms-item-count': String(rows.length),
    'x-ms-request-charge': String(queryCharge(loaded, JSON.stringify(rows).length)),
    ...(continuation === undefined ? {} : { 'x-ms-continuation': continuation }),
  };
  return { status: 200, headers, body };
}

/** Asks the client to fetch a query plan and to send the rewritten query to each partition key range. */
function planRequired(spec: QuerySpec): CosmosError {
  return badRequest('The provided cross partition query can not be directly served by the gateway.', {
    subStatus: 1004,
    body: { additionalErrorInfo: JSON.stringify(buildQueryPlan(spec)) },
  });
}

/** The whole hash range is one partition here; a part of it would need the service's hash. */
function assertWholeRange(call: Call): void {
  const [start, end] = [header(call, 'x-ms-start-epk'), header(call, 'x-ms-end-epk')];
  if ((start ?? '') === '' && (end ?? 'FF') === 'FF') return;
  throw badRequest('Parts of the effective partition key range are not supported by this emulator.');
}

/**
 * The change feed. `If-None-Match` holds the position: the log sequence number of the last change seen, or `*` for now.
 * https://learn.microsoft.com/rest/api/cosmos-db/list-documents
 */
function changeFeedResponse(container: Container, call: Call): Response {
  if (header(call, 'a-im')?.toLowerCase() !== 'incremental feed') {
    throw badRequest('Only the latest-version mode of the change feed is supported by this emulator.');
  }
  assertWholeRange(call);
  const partitionKey = partitionKeyHeader(call);
  const partition = partitionKey && partitionId(partitionKey);
  const position = header(call, 'if-none-match');
  const after = position === '*' ? container.lsn : Number((position ?? '0').replaceAll('"', ''));
  if (!Number.isInteger(after))
    throw badRequest('If-None-Match does not hold a position in the change feed.');
  const modifiedSince = header(call, 'if-modified-since');
  const since = modifiedSince === undefined || position !== undefined ? 0 : Date.parse(modifiedSince) / 1_000;
  const documents: unknown[] = [];
  const size = pageSize(call);
  let etag = container.lsn;
  for (const item of container.changes(after)) {
    if ((partition !== undefined && item.partition !== partition) || item.doc._ts < since) continue;
    documents.push({ ...item.doc, _lsn: item.lsn });
    if (documents.length < size) continue;
    etag = item.lsn;
    break;
  }
  const headers = {
    ...sessionHeaders(container),
    etag: `"${etag}"`,
    'x-ms-item-count': String(documents.length),
    'x-ms-request-charge': String(queryCharge(documents.length, JSON.stringify(documents).length)),
  };
  if (documents.length === 0) return { status: 304, headers };
  return {
    status: 200,
    headers,
    body: { _rid: container.rid, Documents: documents, _count: documents.length },
  };
}

/** One replica has every write, so any session token that it gave out is satisfied. */
export function sessionHeaders(container: Container): Record<string, string> {
  return {
    'x-ms-session-token': `${PARTITION_RANGE_ID}:-1#${container.lsn}`,
    'x-ms-content-path': container.rid,
    'x-ms-alt-content-path': `dbs/${container.databaseId}/colls/${container.id}`,
    lsn: String(container.lsn),
  };
}

function requiredPartitionKey(call: Call): PartitionKey {
  const key = partitionKeyHeader(call);
  if (key === undefined) throw badRequest('PartitionKey value must be supplied for this operation.');
  return key;
}

function querySpec({ body }: Call): QuerySpec {
  if (!isObject(body) || typeof body['query'] !== 'string')
    throw badRequest('The request body must hold a query.');
  return body as unknown as QuerySpec;
}
