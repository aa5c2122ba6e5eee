/** Account, databases, containers and partition key ranges: everything that is not items. */
import type { Container } from './container.ts';
import { badRequest, CosmosError, ownerNotFound } from './errors.ts';
import { type Call, header, isQuery, pageSize, type Response } from './http-types.ts';
import { type ContainerDefinition, isObject, type JsonObject } from './model.ts';
import { assertId } from './operations.ts';
import { prepareQuery, type QuerySpec, runQuery } from './query.ts';
import { listSource } from './query-source.ts';
import type { Database, Store } from './store.ts';

/** One range: the emulator keeps every container in one physical partition, as the service does with a small one. */
export const PARTITION_RANGE_ID = '0';

const DEFAULT_INDEXING_POLICY = {
  indexingMode: 'consistent',
  automatic: true,
  includedPaths: [{ path: '/*' }],
  excludedPaths: [{ path: '/"_etag"/?' }],
};

/** What a client reads first: where the account can be reached, and its default consistency. */
export function accountResponse(endpoint: string): Response {
  const location = { name: 'Local', databaseAccountEndpoint: endpoint };
  return {
    status: 200,
    body: {
      id: 'local',
      _rid: 'local',
      _self: '',
      _dbs: '//dbs/',
      media: '//media/',
      addresses: '//addresses/',
      writableLocations: [location],
      readableLocations: [location],
      enableMultipleWriteLocations: false,
      userReplicationPolicy: { asyncReplication: false, minReplicaSetSize: 1, maxReplicasetSize: 1 },
      userConsistencyPolicy: { defaultConsistencyLevel: 'Session' },
      systemReplicationPolicy: { minReplicaSetSize: 1, maxReplicasetSize: 1 },
      readPolicy: { primaryReadCoefficient: 1, secondaryReadCoefficient: 1 },
      queryEngineConfiguration: '{}',
    },
  };
}

/** `/dbs` and `/dbs/{id}`. */
export function databaseRoute(store: Store, call: Call): Response {
  const [, id] = call.segments;
  if (id === undefined) {
    if (call.method === 'POST' && !isQuery(call)) {
      const body = objectBody(call);
      assertId(body['id']);
      return { status: 201, body: databaseBody(store.createDatabase(body['id'])) };
    }
    return list(call, '', 'Databases', [...store.databases.values()].map(databaseBody));
  }
  switch (call.method) {
    case 'GET':
      return { status: 200, body: databaseBody(store.database(id)) };
    case 'DELETE':
      store.deleteDatabase(id);
      return { status: 204 };
    default:
      throw notAllowed(call);
  }
}

/** `/dbs/{id}/colls` and `/dbs/{id}/colls/{id}`. */
export function containerRoute(store: Store, call: Call): Response {
  const [, databaseId = '', , id] = call.segments;
  const database = store.databases.get(databaseId);
  if (database === undefined) throw ownerNotFound();
  if (id === undefined) {
    if (call.method === 'POST' && !isQuery(call)) {
      const container = store.createContainer(database, parseDefinition(objectBody(call)));
      return { status: 201, body: containerBody(container) };
    }
    return list(
      call,
      database.rid,
      'DocumentCollections',
      [...database.containers.values()].map(containerBody),
    );
  }
  const container = store.container(databaseId, id);
  switch (call.method) {
    case 'GET':
      return { status: 200, body: containerBody(container) };
    case 'PUT':
      store.replaceContainer(container, replacement(container, parseDefinition(objectBody(call))));
      return { status: 200, body: containerBody(container) };
    case 'DELETE':
      store.deleteContainer(container);
      return { status: 204 };
    default:
      throw notAllowed(call);
  }
}

/** `/dbs/{id}/colls/{id}/pkranges`. */
export function partitionRangesResponse(container: Container): Response {
  const range = {
    id: PARTITION_RANGE_ID,
    _rid: container.rid,
    _self: `${container.selfLink}pkranges/${PARTITION_RANGE_ID}/`,
    _etag: '"0"',
    _ts: container.createdAt,
    minInclusive: '',
    maxExclusive: 'FF',
    ridPrefix: 0,
    throughputFraction: 1,
    status: 'online',
    parents: [],
  };
  return { status: 200, body: { _rid: container.rid, PartitionKeyRanges: [range], _count: 1 } };
}

export function notAllowed(call: Call): CosmosError {
  return new CosmosError(
    405,
    'MethodNotAllowed',
    `${call.method} is not allowed on /${call.segments.join('/')}`,
  );
}

function databaseBody({ id, rid, createdAt }: Database): JsonObject {
  return {
    id,
    _rid: rid,
    _self: `dbs/${rid}/`,
    _etag: '"0"',
    _colls: 'colls/',
    _users: 'users/',
    _ts: createdAt,
  };
}

function containerBody(container: Container): JsonObject {
  return {
    ...container.definition,
    _rid: container.rid,
    _self: container.selfLink,
    _etag: '"0"',
    _ts: container.createdAt,
    _docs: 'docs/',
    _sprocs: 'sprocs/',
    _triggers: 'triggers/',
    _udfs: 'udfs/',
    _conflicts: 'conflicts/',
  };
}

/** Lists all, or answers a query over what would be listed. */
function list(call: Call, rid: string, name: string, bodies: readonly JsonObject[]): Response {
  const spec: QuerySpec = isQuery(call)
    ? (objectBody(call) as unknown as QuerySpec)
    : { query: 'SELECT * FROM c' };
  const page = { pageSize: pageSize(call), continuation: header(call, 'x-ms-continuation') };
  const { rows, continuation } = runQuery(prepareQuery(spec), listSource(bodies), page);
  const headers = {
    'x-ms-item-count': String(rows.length),
    ...(continuation === undefined ? {} : { 'x-ms-continuation': continuation }),
  };
  return { status: 200, headers, body: { _rid: rid, [name]: rows, _count: rows.length } };
}

function objectBody(call: Call): JsonObject {
  if (!isObject(call.body)) throw badRequest('The request body must be a JSON object.');
  return call.body;
}

function parseDefinition(body: JsonObject): ContainerDefinition {
  assertId(body['id']);
  const { partitionKey, defaultTtl } = body;
  if (
    !isObject(partitionKey) ||
    !Array.isArray(partitionKey['paths']) ||
    partitionKey['paths'].length === 0
  ) {
    throw badRequest('The partition key definition must hold at least one path.');
  }
  const paths = partitionKey['paths'] as unknown[];
  if (!paths.every((path) => typeof path === 'string' && path.startsWith('/'))) {
    throw badRequest('Every partition key path must begin with a slash.');
  }
  if (
    defaultTtl !== undefined &&
    (!Number.isInteger(defaultTtl) || (defaultTtl !== -1 && (defaultTtl as number) < 1))
  ) {
    throw badRequest('The defaultTtl must be -1 or a positive number of seconds.');
  }
  const policy = isObject(body['indexingPolicy']) ? body['indexingPolicy'] : {};
  return {
    ...Object.fromEntries(Object.entries(body).filter(([key]) => !key.startsWith('_'))),
    id: body['id'],
    indexingPolicy: { ...DEFAULT_INDEXING_POLICY, ...policy },
    partitionKey: { kind: 'Hash', version: 2, ...partitionKey, paths: paths as string[] },
  };
}

/** @throws CosmosError 400 when a replacement changes what a container keeps for life. */
function replacement(container: Container, next: ContainerDefinition): ContainerDefinition {
  const { definition } = container;
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  if (next.id !== container.id) throw badRequest("A container's id can't be changed.");
  if (!same(next.partitionKey.paths, definition.partitionKey.paths)) {
    throw badRequest("A container's partition key can't be changed.");
  }
  if (next.uniqueKeyPolicy !== undefined && !same(next.uniqueKeyPolicy, definition.uniqueKeyPolicy)) {
    throw badRequest("A container's unique keys can't be changed.");
  }
  const { uniqueKeyPolicy } = definition;
  return { ...next, ...(uniqueKeyPolicy === undefined ? {} : { uniqueKeyPolicy }) };
}
