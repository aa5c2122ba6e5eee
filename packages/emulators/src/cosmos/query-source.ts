/** Where queries find their candidates: a container through its indexes, or a plain list. */
import { chooseAccess } from './access-path.ts';
import type { Container } from './container.ts';
import { badRequest } from './errors.ts';
import {
  type ContainerDefinition,
  type JsonObject,
  partitionId,
  type PartitionKey,
  type StoredItem,
} from './model.ts';
import type { QuerySource } from './query.ts';
import { pathOf, type QueryText } from './sql-text.ts';

export interface ContainerSourceOptions {
  /** The whole key, or its first values for a hierarchical one; absent: all partitions. */
  readonly partitionKey?: PartitionKey | undefined;
  /** False looks at everything, for tests that compare. Default true. */
  readonly useIndexes?: boolean;
}

export function containerSource(container: Container, options: ContainerSourceOptions = {}): QuerySource {
  const { partitionKey, useIndexes = true } = options;
  const { length } = container.definition.partitionKey.paths;
  if (partitionKey !== undefined && partitionKey.length > length) {
    throw badRequest('The partition key has more values than its definition has paths.', { subStatus: 1001 });
  }
  const whole = partitionKey?.length === length;
  return (request) => {
    const partition = whole ? partitionId(partitionKey) : undefined;
    const access = chooseAccess(container, { ...request, partition, useIndexes });
    if (partitionKey === undefined || whole) return access;
    const prefix = `${partitionId(partitionKey).slice(0, -1)},`;
    return { ...access, items: withPrefix(access.items, prefix) };
  };
}

function* withPrefix(items: Iterable<StoredItem>, prefix: string): Generator<StoredItem> {
  for (const item of items) if (item.partition.startsWith(prefix)) yield item;
}

/** A list of definitions, in its own order. */
export function listSource(documents: readonly JsonObject[]): QuerySource {
  return (request) => ({
    items: documents.map((doc, number) => ({
      doc: doc as StoredItem['doc'],
      partition: '',
      lsn: 0,
      number,
      bytes: 0,
    })),
    ordered: request.orderProperties?.length === 0 && !request.descending,
    description: 'list',
  });
}

/**
 * The service sorts by several properties only with a composite index that lists them in that order and those
 * directions, or all reversed. https://learn.microsoft.com/azure/cosmos-db/index-policy#composite-indexes
 * @throws CosmosError 400 when there is none.
 */
export function assertOrderIsIndexed({ orderBy }: QueryText, { indexingPolicy }: ContainerDefinition): void {
  if (orderBy.length < 2) return;
  const paths = orderBy.map((term) => `/${(pathOf(term.text) ?? []).slice(1).join('/')}`);
  const served = (indexingPolicy.compositeIndexes ?? []).some((index) => {
    if (index.length !== paths.length || !index.every(({ path }, i) => path === paths[i])) return false;
    const reversed = index.map(({ order }, i) => (order === 'descending') !== orderBy[i]?.descending);
    return reversed.every((turned) => turned === reversed[0]);
  });
  if (served) return;
  throw badRequest(
    'The order by query does not have a corresponding composite index that it can be served from.',
  );
}
