/**
 * Chooses how a query reaches its candidates: a scan, a partition, or an index that narrows or orders them.
 *
 * Invariant: whichever path is chosen, the candidates include every item that the query can return; a path that claims
 * to be ordered yields them in the query's total order (order keys, then creation number).
 */
import type { Container } from './container.ts';
import type { IndexingPolicy, StoredItem } from './model.ts';
import type { Predicate } from './predicates.ts';
import type { IndexRange, PropertyIndex, Span } from './property-index.ts';
import { type IndexValue, isIndexValue } from './values.ts';

export interface AccessRequest {
  readonly predicates: readonly Predicate[];
  /** Top-level properties of ORDER BY, empty without it; undefined when no index can give the order. */
  readonly orderProperties: readonly string[] | undefined;
  readonly descending: boolean;
  /** The caller stops after a page, so an ordered path need not be walked to its end. */
  readonly stopsEarly: boolean;
  /** Position in the order from which candidates matter: the last row of the previous page. */
  readonly after?: { readonly keys: readonly unknown[]; readonly number: number } | undefined;
  /** Only this partition. */
  readonly partition?: string | undefined;
  /** False looks at everything: for tests that compare. */
  readonly useIndexes: boolean;
}

export interface Access {
  readonly items: Iterable<StoredItem>;
  readonly ordered: boolean;
  /** What a query plan would print: `index(l,id)`, `partition`, `scan`. */
  readonly description: string;
}

interface Path extends Access {
  /** How many candidates there are, fewer counting for paths that can stop early. */
  readonly cost: number;
}

/** An ordered path that can stop early is preferred unless another one has this many times fewer candidates. */
const EARLY_STOP_ADVANTAGE = 4;

export function chooseAccess(container: Container, request: AccessRequest): Access {
  const paths = indexableProperties(container.definition.indexingPolicy, request.useIndexes)
    .map((properties) => indexPath(container, properties, request))
    .filter((path) => path !== undefined);
  if (request.partition !== undefined) paths.push(partitionPath(container, request.partition, request));
  const best = paths.reduce((a, b) =>
    b.cost < a.cost || (b.cost === a.cost && b.ordered && !a.ordered) ? b : a,
  );
  return { ...best, items: relevant(container, best.items, request.partition) };
}

function* relevant(
  container: Container,
  items: Iterable<StoredItem>,
  partition: string | undefined,
): Generator<StoredItem> {
  for (const item of items) {
    if ((partition === undefined || item.partition === partition) && container.isLive(item)) yield item;
  }
}

/**
 * The property lists that are indexed: each included path and composite index that consists of top-level properties,
 * the id, and the empty list, which is the scan. `/*` names no property, so it adds none.
 */
export function indexableProperties(policy: IndexingPolicy, useIndexes: boolean): string[][] {
  if (!useIndexes) return [[]];
  const included = (policy.includedPaths ?? []).map(({ path }) => [topLevel(path)]);
  const composite = (policy.compositeIndexes ?? []).map((paths) => paths.map(({ path }) => topLevel(path)));
  const named = [['id'], ...included, ...composite].filter(
    (list): list is string[] => !list.includes(undefined),
  );
  const distinct = new Map(named.map((list) => [JSON.stringify(list), list]));
  return [[], ...distinct.values()];
}

function topLevel(path: string): string | undefined {
  return /^\/"?([^/"?*]+)"?(?:\/[?*])?$/.exec(path)?.[1];
}

function partitionPath(container: Container, partition: string, request: AccessRequest): Path {
  const { orderProperties, descending } = request;
  return {
    items: lazily(() => container.partition(partition)),
    ordered: orderProperties?.length === 0 && !descending,
    description: 'partition',
    cost: container.partitionSize(partition),
  };
}

function* lazily(items: () => Iterable<StoredItem>): Generator<StoredItem> {
  yield* items();
}

function indexPath(
  container: Container,
  properties: readonly string[],
  request: AccessRequest,
): Path | undefined {
  const range = rangeFor(properties, request.predicates);
  const givesOrder = sameList(properties.slice(range.equal.length), request.orderProperties);
  const narrows = range.equal.length > 0 || range.lower !== undefined || range.upper !== undefined;
  if (!narrows && !givesOrder && properties.length > 0) return undefined;
  const index = container.index(properties);
  // A sparse index lacks items; it may stand for all of them only if the predicates exclude those that it lacks.
  if (!isConstrained(properties, request.predicates) && index.size !== container.size) return undefined;
  const span = resume(index, index.span(range), range, givesOrder ? request : undefined);
  const count = span.end - span.start;
  return {
    items: walk(index, span, givesOrder && request.descending),
    ordered: givesOrder,
    description: properties.length === 0 ? 'scan' : `index(${properties.join(',')})`,
    cost: givesOrder && request.stopsEarly ? count / EARLY_STOP_ADVANTAGE : count,
  };
}

function rangeFor(properties: readonly string[], predicates: readonly Predicate[]): IndexRange {
  const equal: IndexValue[] = [];
  for (const property of properties) {
    const equality = predicates.find((p) => p.property === property && p.operator === '=');
    if (equality === undefined) {
      const bound = (inclusive: string, exclusive: string): IndexRange['lower'] => {
        const found = predicates.find(
          (p) => p.property === property && (p.operator === inclusive || p.operator === exclusive),
        );
        return found && { value: found.value, inclusive: found.operator === inclusive };
      };
      return { equal, lower: bound('>=', '>'), upper: bound('<=', '<') };
    }
    equal.push(equality.value);
  }
  return { equal };
}

/** Every item has an id, whatever the predicates demand. */
function isConstrained(properties: readonly string[], predicates: readonly Predicate[]): boolean {
  return properties.every(
    (property) => property === 'id' || predicates.some((predicate) => predicate.property === property),
  );
}

/** Skips what earlier pages have returned. */
function resume(
  index: PropertyIndex,
  span: Span,
  range: IndexRange,
  request: AccessRequest | undefined,
): Span {
  const after = request?.after;
  if (request === undefined || !after?.keys.every(isIndexValue)) return span;
  const values = [...range.equal, ...after.keys];
  return request.descending
    ? {
        start: span.start,
        end: Math.min(span.end, Math.max(span.start, index.seek(values, after.number + 1))),
      }
    : { start: Math.min(span.end, Math.max(span.start, index.seek(values, after.number))), end: span.end };
}

function* walk(index: PropertyIndex, { start, end }: Span, backwards: boolean): Generator<StoredItem> {
  if (backwards) for (let i = end - 1; i >= start; i -= 1) yield index.at(i);
  else for (let i = start; i < end; i += 1) yield index.at(i);
}

function sameList(a: readonly string[], b: readonly string[] | undefined): boolean {
  return a.length === b?.length && a.every((element, i) => element === b[i]);
}
