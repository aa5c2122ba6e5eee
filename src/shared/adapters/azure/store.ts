/**
 * The store on Cosmos DB: one document per key, partitioned by it, revised by its ETag.
 *
 * The account must be strongly consistent (one region, so it costs read units, not latency): with session
 * consistency another instance of a function could read behind an acknowledged write.
 * @see https://learn.microsoft.com/azure/cosmos-db/consistency-levels
 */
import type { Container, OperationInput, OperationResponse, PatchOperation } from '@azure/cosmos';
import { chunk } from '@tandem-clouds/replication/chunk';
import { AmbiguousError, AppError, TooLargeError } from '@tandem-clouds/replication/errors';
import { isCleared, isRepairMarker } from '@tandem-clouds/replication/markers';
import {
  type ClearRequest,
  type DueEntry,
  type ExposurePage,
  type FoundEntry,
  type IndexEntries,
  type IndexQuery,
  type KeyPage,
  type ListRange,
  type PendingEntry,
  type PutResult,
  rangeOf,
  type Revision,
  type ScanOptions,
  type ScanPage,
  type Store,
  type Versioned,
  type WriteRequest,
} from '@tandem-clouds/replication/ports/store';
import { storeTimeoutMs } from '../../bounds.ts';
import type { Urgency } from '../../ports/cloud.ts';
import { readablePage } from '../readable.ts';
import { withThrottling } from '../with-throttling.ts';
import { type Document, entriesIn, fromDocument, type StoredDocument, toDocument } from './document.ts';
import { failedOperation, isBeyondResponse, storeError, throttleHintOf } from './errors.ts';

/** A bulk request takes 100 operations. */
const BULK_MAX = 100;
const CLEAR_ATTEMPTS_MAX = 5;
/** Rows of one page: an ordered query fetches ten at a time when it is not told. */
const PAGE_ITEMS = 250;
const CURSOR_KB_MAX = 4;
/** Begins the cursor of a scan in the order of the keys; a continuation of the service begins otherwise. */
const BY_KEY = 'k:';
const WRITTEN = new Set([200, 201]);
const STALE = new Set([404, 409, 412]);

/** The service's answer to one operation, or why its request as a whole was refused. */
type BulkResponse = OperationResponse | AppError;

export class CosmosStore implements Store {
  readonly #container: Container;

  readonly #urgency: Urgency;
  readonly #timeoutMs: number;
  readonly #entriesOf: IndexEntries;

  /** @param options.entriesOf What of a record is in the generic indexes: it is stored with each write. */
  constructor(
    container: Container,
    {
      urgency = 'live',
      timeoutMs = storeTimeoutMs,
      entriesOf,
    }: { urgency?: Urgency; timeoutMs?: number; entriesOf: IndexEntries },
  ) {
    this.#container = container;
    this.#urgency = urgency;
    this.#timeoutMs = timeoutMs;
    this.#entriesOf = entriesOf;
  }

  /** The SDK repeats a read whose connection broke ten times, a second apart: far longer than a request may take. */
  #withinBound(): { abortSignal: AbortSignal } {
    return { abortSignal: AbortSignal.timeout(this.#timeoutMs) };
  }

  #page(documents: readonly StoredDocument[]): Pick<ScanPage, 'records' | 'unreadable' | 'misindexed'> {
    const reader = { read: fromDocument, keyOf: idOf, entriesIn, entriesOf: this.#entriesOf };
    return readablePage(documents, reader);
  }

  async get(key: string): Promise<Versioned | undefined> {
    try {
      const { resource } = await this.#container.item(key, key).read<StoredDocument>(this.#withinBound());
      return resource && fromDocument(resource);
    } catch (error) {
      throw storeError(error);
    }
  }

  async getMany(keys: readonly string[]): Promise<ReadonlyMap<string, Versioned>> {
    const found = new Map<string, Versioned>();
    if (keys.length === 1) {
      const [key = ''] = keys;
      const versioned = await this.get(key);
      if (versioned !== undefined) found.set(key, versioned);
      return found;
    }
    let parts = chunk(keys, BULK_MAX);
    while (parts.length > 0) {
      const beyond = await Promise.all(parts.map((part) => this.#readPart(part, found)));
      parts = parts.flatMap(({ length }, i) => chunk(beyond[i] ?? [], Math.ceil(length / 2)));
    }
    return found;
  }

  /**
   * Reads what fits one answer of 4 MB and returns the keys beyond it, which this bulk does not ask for again.
   * @see https://github.com/Azure/azure-cosmos-dotnet-v3/pull/2124
   */
  async #readPart(keys: readonly string[], found: Map<string, Versioned>): Promise<readonly string[]> {
    const responses = await this.#bulk(
      keys.map((key) => ({ operationType: 'Read', id: key, partitionKey: key })),
    );
    return keys.filter((key, i) => {
      const response = responses[i];
      if (response instanceof AppError) throw response;
      if (response === undefined || response.statusCode === 404) return false;
      if (isBeyondResponse(response)) {
        if (keys.length === 1) throw new TooLargeError(`Cosmos DB: ${key} does not fit an answer`);
        return true;
      }
      const { statusCode, resourceBody } = response;
      if (statusCode !== 200 || resourceBody === undefined) throw failedOperation(response, key);
      found.set(key, fromDocument(resourceBody as unknown as StoredDocument));
      return false;
    });
  }

  async putMany(writes: readonly WriteRequest[]): Promise<readonly PutResult[]> {
    const responses = await this.#bulk(writes.map((write) => toOperation(write, this.#entriesOf)));
    return writes.map(({ record }, i) => resultOf(responses[i], record.key));
  }

  async clearPending(requests: readonly ClearRequest[]): Promise<readonly (AppError | undefined)[]> {
    // As if nothing else were pending, which is the rule and needs no read.
    const responses = await this.#bulk(requests.map(toClearing));
    return Promise.all(
      requests.map(async (request, i) => {
        const response = responses[i];
        if (response instanceof AppError) return response;
        if (response === undefined || response.statusCode === 404 || WRITTEN.has(response.statusCode))
          return undefined;
        if (response.statusCode !== 412) return failedOperation(response, request.key);
        try {
          await this.#clearByReading(request);
          return undefined;
        } catch (error) {
          return storeError(error);
        }
      }),
    );
  }

  async #clearByReading({ key, accepted }: ClearRequest): Promise<void> {
    for (let attempt = 0; attempt < CLEAR_ATTEMPTS_MAX; attempt += 1) {
      const held = await this.get(key);
      if (held === undefined) return;
      const entries = Object.entries(held.record.pending);
      const left = entries.filter(([peer, marker]) => !isCleared(marker, accepted[peer]));
      if (left.length === entries.length) return;
      const record = { ...held.record, pending: Object.fromEntries(left) };
      const [result] = await this.putMany([{ record, expected: held.revision }]);
      if (result?.status === 'written') return;
      if (result?.status === 'failed') throw result.error;
    }
  }

  pending(beforeMs: number, limit: number, after?: PendingEntry): Promise<readonly PendingEntry[]> {
    return this.#byMoment('p_at', beforeMs, limit, after);
  }

  due(beforeMs: number, limit: number, after?: DueEntry): Promise<readonly DueEntry[]> {
    return this.#byMoment('d_at', beforeMs, limit, after);
  }

  async #byMoment(
    at: 'p_at' | 'd_at',
    beforeMs: number,
    limit: number,
    after: PendingEntry | undefined,
  ): Promise<readonly PendingEntry[]> {
    const { sinceMs, key } = after ?? { sinceMs: Number.MIN_SAFE_INTEGER, key: '' };
    const rows = await this.#query<{ id: string } & Record<typeof at, number>>(
      `SELECT c.id, c.${at} FROM c WHERE c.${at} >= @since AND c.${at} < @before ` +
        `AND (c.${at} > @since OR c.id > @key) ORDER BY c.${at}, c.id OFFSET 0 LIMIT @limit`,
      { '@since': sinceMs, '@before': beforeMs, '@key': key, '@limit': limit },
    );
    return rows.map(({ id, [at]: sinceMs }) => ({ key: id, sinceMs }));
  }

  /**
   * One query: it is as consistent as the account, strongly, and its index is updated with the write.
   * @see https://learn.microsoft.com/javascript/api/@azure/cosmos/indexingmode
   */
  async exposure(limit: number): Promise<ExposurePage> {
    const rows = await this.#query<{ id: string; p_at: number; pend?: Record<string, string> }>(
      'SELECT c.id, c.p_at, c.pend FROM c WHERE c.p_at < @before ORDER BY c.p_at OFFSET 0 LIMIT @limit',
      { '@before': Number.MAX_SAFE_INTEGER, '@limit': limit + 1 },
    );
    const entries = rows
      .slice(0, limit)
      .map(({ id, p_at, pend }) => ({ key: id, sinceMs: p_at, peers: Object.keys(pend ?? {}) }));
    const cutAtMs = rows[limit]?.p_at;
    return { entries, indexLagMs: 0, ...(cutAtMs !== undefined && { cutAtMs }) };
  }

  async list(entity: string, { limit, ...range }: ListRange): Promise<readonly string[]> {
    const { from, to } = rangeOf({ prefix: `${entity}:`, ...range });
    const rows = await this.#query<{ id: string }>(
      'SELECT c.id FROM c WHERE c.l = @entity AND c.id >= @from AND c.id <= @to ORDER BY c.id OFFSET 0 LIMIT @limit',
      { '@entity': entity, '@from': from, '@to': to, '@limit': limit },
    );
    return rows.map(({ id }) => id);
  }

  /**
   * Both properties of the composite index are in ORDER BY, although one of them is the same in every row: else it does not
   * serve the query.
   * @see https://learn.microsoft.com/azure/cosmos-db/index-policy#queries-with-a-filter-and-order-by
   */
  async entries({ slot, hash, from, to, descending, limit }: IndexQuery): Promise<readonly FoundEntry[]> {
    const [x, y] = [`c.x${slot}`, `c.y${slot}`];
    const direction = descending ? 'DESC' : 'ASC';
    const rows = await this.#query<{ id: string; y: string }>(
      `SELECT c.id, ${y} AS y FROM c WHERE ${x} = @hash AND ${y} >= @from AND ${y} < @to ` +
        `ORDER BY ${x} ${direction}, ${y} ${direction} OFFSET 0 LIMIT @limit`,
      { '@hash': hash, '@from': from, '@to': to, '@limit': limit },
    );
    return rows.map(({ id, y: range }) => ({ key: id, range }));
  }

  /**
   * Eventually consistent, at half the price: a record may be missing, or be as it was, for a moment after its write.
   * A page ends at 4 MB, whatever the limit.
   * @see https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-request-limits
   */
  async scan({ cursor, limit, ordered = false }: ScanOptions): Promise<ScanPage> {
    const after = afterOf(cursor, ordered);
    if (after !== undefined) return this.#scanOrdered(after, limit);
    const options = {
      ...this.#withinBound(),
      consistencyLevel: 'Eventual',
      maxItemCount: limit,
      continuationTokenLimitInKB: CURSOR_KB_MAX,
      ...(cursor !== undefined && { continuationToken: cursor }),
    };
    try {
      const { resources, continuationToken } = await this.#container.items
        .query<StoredDocument>('SELECT * FROM c', options)
        .fetchNext();
      return {
        ...this.#page(resources),
        ...(continuationToken && { next: continuationToken }),
      };
    } catch (error) {
      throw storeError(error);
    }
  }

  /**
   * In the order of the keys, each page a query of its own. It costs a little more, and where the container has several
   * partitions each of them is asked.
   */
  async #scanOrdered(after: string, limit: number): Promise<ScanPage> {
    const documents = await this.#nextByKey<StoredDocument>('*', after, limit);
    const last = documents.at(-1)?.id;
    return {
      ...this.#page(documents),
      ...(last !== undefined && { next: `${BY_KEY}${last}` }),
    };
  }

  /**
   * A continuation belongs to the query that it came with, and no other may go on from it: what a page would hold can be asked
   * for by key only.
   * @see https://github.com/Azure/azure-cosmos-dotnet-v3/issues/2657
   * @see https://github.com/Azure/azure-cosmos-dotnet-v2/issues/252
   */
  async scanKeys({ cursor, ordered = false }: Omit<ScanOptions, 'limit'>): Promise<KeyPage | undefined> {
    const after = afterOf(cursor, ordered);
    if (after === undefined) return undefined;
    const keys = (await this.#nextByKey<{ id: string }>('c.id', after, 1)).map(({ id }) => id);
    const [key] = keys;
    return { keys, ...(key !== undefined && { next: `${BY_KEY}${key}` }) };
  }

  /** What comes next in the order of the keys: a page of the service, so perhaps fewer, but none only at the end. */
  async #nextByKey<Row>(what: '*' | 'c.id', after: string, limit: number): Promise<readonly Row[]> {
    const query = `SELECT ${what} FROM c WHERE c.id > @after ORDER BY c.id OFFSET 0 LIMIT @limit`;
    const parameters = [
      { name: '@after', value: after },
      { name: '@limit', value: limit },
    ];
    const options = { ...this.#withinBound(), consistencyLevel: 'Eventual', maxItemCount: limit };
    try {
      const pages = this.#container.items.query<Row>({ query, parameters }, options);
      while (pages.hasMoreResults()) {
        const { resources = [] } = (await pages.fetchNext()) as { resources?: Row[] };
        if (resources.length > 0) return resources;
      }
      return [];
    } catch (error) {
      throw storeError(error);
    }
  }

  async remove(key: string, expected: Revision): Promise<boolean> {
    const accessCondition = { type: 'IfMatch', condition: expected };
    try {
      await this.#container.item(key, key).delete({ ...this.#withinBound(), accessCondition });
      return true;
    } catch (error) {
      if (STALE.has((error as { code?: number }).code ?? 0)) return false;
      throw storeError(error);
    }
  }

  async ping(): Promise<void> {
    await this.get('ping:none');
  }

  async #query<Row>(query: string, values: Record<string, string | number>): Promise<Row[]> {
    const options = { ...this.#withinBound(), maxItemCount: PAGE_ITEMS };
    const parameters = Object.entries(values).map(([name, value]) => ({ name, value }));
    try {
      return (await this.#container.items.query<Row>({ query, parameters }, options).fetchAll()).resources;
    } catch (error) {
      throw storeError(error);
    }
  }

  /** What became of each operation, in order. Never throws for one of them. */
  async #bulk(operations: readonly OperationInput[]): Promise<readonly BulkResponse[]> {
    const responses = await Promise.all(
      chunk(operations, BULK_MAX).map((batch) =>
        // It asks for none of the operations again that the answer says were throttled.
        withThrottling(batch, (part) => this.#bulkBatch(part), {
          hintOf: (response) => (response instanceof AppError ? undefined : throttleHintOf(response)),
          urgency: this.#urgency,
        }),
      ),
    );
    return responses.flat();
  }

  /**
   * A batch that is refused for good as a whole does not say which of its operations is to blame: it is sent again in halves
   * until that is a single one.
   */
  async #bulkBatch(batch: readonly OperationInput[]): Promise<readonly BulkResponse[]> {
    try {
      // Its successor, `executeBulkOperations`, holds each call for up to a second to fill its batches.
      // eslint-disable-next-line @typescript-eslint/no-deprecated
      return await this.#container.items.bulk([...batch], {}, { contentResponseOnWriteEnabled: false });
    } catch (error) {
      const refusal = storeError(error);
      if (batch.length === 1 || refusal.retryable) return batch.map(() => refusal);
      const middle = Math.ceil(batch.length / 2);
      const first = await this.#bulkBatch(batch.slice(0, middle));
      return [...first, ...(await this.#bulkBatch(batch.slice(middle)))];
    }
  }
}

/** The key after which a page in the order of the keys begins; undefined: the scan is in the store's own order. */
function afterOf(cursor: string | undefined, ordered: boolean): string | undefined {
  if (cursor === undefined) return ordered ? '' : undefined;
  return cursor.startsWith(BY_KEY) ? cursor.slice(BY_KEY.length) : undefined;
}

function idOf({ id }: StoredDocument): string {
  return id;
}

function toOperation({ record, expected }: WriteRequest, entriesOf: IndexEntries): OperationInput {
  const resourceBody = toDocument(record, entriesOf(record, 'write')) as unknown as Document &
    Record<string, never>;
  const partitionKey = record.key;
  return expected === undefined
    ? { operationType: 'Create', partitionKey, resourceBody }
    : { operationType: 'Replace', id: record.key, partitionKey, resourceBody, ifMatch: expected };
}

function resultOf(response: BulkResponse | undefined, key: string): PutResult {
  if (response === undefined)
    return { status: 'failed', error: new AmbiguousError(`Cosmos DB: no answer for ${key}`) };
  if (response instanceof AppError) return { status: 'failed', error: response };
  if (WRITTEN.has(response.statusCode))
    return { status: 'written', ...(response.eTag !== undefined && { revision: response.eTag }) };
  if (STALE.has(response.statusCode)) return { status: 'stale' };
  return { status: 'failed', error: failedOperation(response, key) };
}

/** A conditional patch; the markers and site ids in it are of our own making and hold no quote. */
function toClearing({ key, accepted }: ClearRequest): OperationInput {
  const peers = Object.entries(accepted);
  const condition = [
    `c.p_n = ${peers.length}`,
    ...peers.map(([peer, marker]) => `c.pend["${peer}"] ${isRepairMarker(marker) ? '=' : '<='} "${marker}"`),
  ];
  const operations: PatchOperation[] = ['/pend', '/p_n', '/p_at', '/p_shard'].map((path) => ({
    op: 'remove',
    path,
  }));
  return {
    operationType: 'Patch',
    id: key,
    partitionKey: key,
    resourceBody: { condition: `FROM c WHERE ${condition.join(' AND ')}`, operations },
  };
}
