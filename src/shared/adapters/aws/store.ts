/**
 * The store on DynamoDB: one item per key, `rev` goes up with each of its writes.
 *
 * Sparse global secondary indexes, keys only, so that an update of a field that is in none costs nothing there: `pending`
 * (hash `p_shard`, range `p_at`), `due` (hash `d_shard`, range `d_at`), `by_type` (hash `l` = entity and bucket, range `k`), and the generic `by_x1` to `by_x4` (hash
 * `x1`, range `y1`, and so on), which hold what the declarations of entities index.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
 */
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { chunk } from '@tandem-clouds/replication/chunk';
import { type AppError, ThrottledError } from '@tandem-clouds/replication/errors';
import { byAge, shards } from '@tandem-clouds/replication/index-attributes';
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
import { clearsAtOnceMax, dynamoIndexLagMs, throttleHintMs } from '../../bounds.ts';
import type { Urgency } from '../../ports/cloud.ts';
import { readablePage } from '../readable.ts';
import { throttlePauses, withThrottling } from '../with-throttling.ts';
import { storeError } from './errors.ts';
import {
  entriesIn,
  EXPOSED_ATTRIBUTES,
  fromItem,
  type Item,
  revisionOf,
  toDue,
  toExposed,
  toItem,
  toPending,
} from './item.ts';

/** BatchGetItem takes 100 keys. */
const BATCH_GET_MAX = 100;
const CLEAR_ATTEMPTS_MAX = 5;
/** An answer of more than this ended because it was full, or almost: 1 MB of a partition, and an item has 400 kB. */
const FULL_RESPONSE_BYTES = 600_000;

/** Roughly: nearly all of an item is the text of its state. */
function itemsBytes(items: readonly Item[]): number {
  return items.reduce((sum, item) => sum + Buffer.byteLength(item['s']?.S ?? ''), 0);
}

export class DynamoStore implements Store {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  readonly #urgency: Urgency;
  readonly #entriesOf: IndexEntries;

  /** @param options.entriesOf What of a record is in the generic indexes: it is stored with each write. */
  constructor(
    client: DynamoDBClient,
    table: string,
    { urgency = 'live', entriesOf }: { urgency?: Urgency; entriesOf: IndexEntries },
  ) {
    this.#client = client;
    this.#urgency = urgency;
    this.#table = table;
    this.#entriesOf = entriesOf;
  }

  async get(key: string): Promise<Versioned | undefined> {
    const { Item } = await this.#call(() =>
      this.#client.send(
        new GetItemCommand({ TableName: this.#table, Key: { k: { S: key } }, ConsistentRead: true }),
      ),
    );
    return Item && fromItem(Item);
  }

  async getMany(keys: readonly string[]): Promise<ReadonlyMap<string, Versioned>> {
    const items = await this.#batchGet(keys);
    return new Map(items.map(fromItem).map((versioned) => [versioned.record.key, versioned]));
  }

  /** @param projection Attributes to answer with; all of them by default. */
  async #batchGet(keys: readonly string[], projection?: string): Promise<readonly Item[]> {
    const found: Item[] = [];
    await Promise.all(
      chunk(keys, BATCH_GET_MAX).map(async (batch) => {
        const pauses = throttlePauses(this.#urgency);
        let open: Item[] = batch.map((key) => ({ k: { S: key } }));
        while (open.length > 0) {
          const { items, unread } = await this.#batchGetOnce(open, projection);
          found.push(...items);
          // An answer that is full, at 16 MB or 1 MB of a partition, brings what was asked for first: no pause is due.
          const isFull = itemsBytes(items) > FULL_RESPONSE_BYTES;
          if (unread.length > 0 && !isFull && !(await pauses.next(0))) {
            throw new ThrottledError(`DynamoDB: ${unread.length} keys of a batch were not read`, {
              retryAfterMs: throttleHintMs,
            });
          }
          open = unread;
        }
      }),
    );
    return found;
  }

  /**
   * One BatchGetItem. It answers in part when the answer is too large or the table has no capacity left, and refuses
   * when it could read nothing: then everything is unread.
   * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
   */
  async #batchGetOnce(
    keys: readonly Item[],
    projection: string | undefined,
  ): Promise<{ items: readonly Item[]; unread: Item[] }> {
    const request = { Keys: [...keys], ConsistentRead: true, ProjectionExpression: projection };
    try {
      const { Responses, UnprocessedKeys } = await this.#client.send(
        new BatchGetItemCommand({ RequestItems: { [this.#table]: request } }),
      );
      return {
        items: Responses?.[this.#table] ?? [],
        unread: UnprocessedKeys?.[this.#table]?.Keys ?? [],
      };
    } catch (cause) {
      const error = storeError(cause);
      if (error instanceof ThrottledError) return { items: [], unread: [...keys] };
      throw error;
    }
  }

  putMany(writes: readonly WriteRequest[]): Promise<readonly PutResult[]> {
    return withThrottling(writes, (part) => Promise.all(part.map((write) => this.#put(write))), {
      hintOf: (result) => (result.status === 'failed' ? hintOf(result.error) : undefined),
      urgency: this.#urgency,
    });
  }

  async #put(write: WriteRequest): Promise<PutResult> {
    const { record, expected } = write;
    try {
      const item = toItem(write, this.#entriesOf(record, 'write'));
      await this.#client.send(
        new PutItemCommand({
          TableName: this.#table,
          Item: item,
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          ...(expected === undefined
            ? { ConditionExpression: 'attribute_not_exists(k)' }
            : {
                ConditionExpression: 'rev = :rev',
                ExpressionAttributeValues: { ':rev': { N: expected } },
              }),
        }),
      );
      return { status: 'written', revision: revisionOf(item) };
    } catch (error) {
      return resultOf(error);
    }
  }

  clearPending(requests: readonly ClearRequest[]): Promise<readonly (AppError | undefined)[]> {
    return withThrottling(requests, (part) => this.#clearAll(part), { hintOf, urgency: this.#urgency });
  }

  /** A key that fails decides about no other, but what is throttled ends the rest, which would be throttled, too. */
  async #clearAll(requests: readonly ClearRequest[]): Promise<readonly (AppError | undefined)[]> {
    const results: (AppError | undefined)[] = requests.map(() => undefined);
    const waiting = [...requests.entries()];
    let throttled: ThrottledError | undefined;
    const clear = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, request] = next;
        const failure = throttled ?? (await this.#clear(request).then(() => undefined, storeError));
        results[index] = failure;
        if (failure instanceof ThrottledError) throttled = failure;
      }
    };
    await Promise.all(Array.from({ length: Math.min(clearsAtOnceMax, requests.length) }, clear));
    return results;
  }

  /** First as if nothing else were pending, which is the rule and needs no read; else by what the item says. */
  async #clear({ key, accepted }: ClearRequest): Promise<void> {
    let peers = Object.keys(accepted);
    let others = 0;
    for (let attempt = 0; attempt < CLEAR_ATTEMPTS_MAX; attempt += 1) {
      const item = await this.#removeMarkers(key, accepted, peers, others);
      const held = item?.['pend']?.M;
      if (held === undefined) return;
      peers = Object.keys(held).filter((peer) => isCleared(held[peer]?.S ?? '', accepted[peer]));
      others = Object.keys(held).length - peers.length;
      if (peers.length === 0) return;
    }
  }

  /** Returns the item as it is when its markers are not the expected ones, undefined when they were removed. */
  async #removeMarkers(
    key: string,
    accepted: Readonly<Record<string, string>>,
    peers: readonly string[],
    others: number,
  ): Promise<Item | undefined> {
    const names: Record<string, string> = {};
    const values: Item = { ':one': { N: '1' }, ':count': { N: String(peers.length + others) } };
    peers.forEach((peer, i) => {
      names[`#p${i}`] = peer;
      values[`:v${i}`] = { S: accepted[peer] ?? '' };
    });
    const markers = peers.map((_, i) => `pend.#p${i}`).join(', ');
    const conditions = peers.map(
      (peer, i) => `pend.#p${i} ${isRepairMarker(accepted[peer] ?? '') ? '=' : '<='} :v${i}`,
    );
    try {
      await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: { k: { S: key } },
          UpdateExpression: `SET rev = rev + :one REMOVE ${others === 0 ? 'pend, p_at, p_shard' : markers}`,
          ConditionExpression: ['size(pend) = :count', ...conditions].join(' AND '),
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: values,
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return undefined;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return error.Item;
      throw storeError(error);
    }
  }

  pending(beforeMs: number, limit: number, after?: PendingEntry): Promise<readonly PendingEntry[]> {
    return this.#byMoment(PENDING, beforeMs, limit, after);
  }

  due(beforeMs: number, limit: number, after?: DueEntry): Promise<readonly DueEntry[]> {
    return this.#byMoment(DUE, beforeMs, limit, after);
  }

  async #byMoment(
    index: MomentIndex,
    beforeMs: number,
    limit: number,
    after: PendingEntry | undefined,
  ): Promise<readonly PendingEntry[]> {
    // A range that ends before it begins is a mistake to DynamoDB.
    if (after !== undefined && after.sinceMs >= beforeMs) return [];
    const buckets = shards.map((shard): Bucket => ({ shard, found: [], lastMs: -Infinity, next: undefined }));
    // Keys are spread evenly, so this is enough as a rule; reading a whole page of each bucket would cost many times as much.
    let size = 2 * Math.ceil(limit / buckets.length) + 1;
    for (let open = buckets; ;) {
      await Promise.all(open.map((bucket) => this.#readBucket(index, bucket, { beforeMs, after, size })));
      const found = buckets.flatMap((bucket) => bucket.found).sort(byAge);
      const cutMs = found[limit - 1]?.sinceMs ?? Infinity;
      open = buckets.filter(({ next, lastMs }) => next !== undefined && lastMs <= cutMs);
      if (open.length === 0) return found.slice(0, limit);
      size = limit + 1;
    }
  }

  /**
   * The next entries of one bucket. Among entries of one millisecond the index has an order of its own, so a bucket is read
   * on until every entry as old as the last one that is wanted is known.
   */
  async #readBucket(
    { name, shard, at, toEntry }: MomentIndex,
    bucket: Bucket,
    { beforeMs, after, size }: { beforeMs: number; after: PendingEntry | undefined; size: number },
  ): Promise<void> {
    const { Items = [], LastEvaluatedKey } = await this.#query({
      IndexName: name,
      KeyConditionExpression: `${shard} = :shard AND ${at} BETWEEN :since AND :last`,
      ExpressionAttributeValues: {
        ':shard': { S: bucket.shard },
        ':since': { N: String(after?.sinceMs ?? Number.MIN_SAFE_INTEGER) },
        ':last': { N: String(beforeMs - 1) },
      },
      Limit: size,
      ExclusiveStartKey: bucket.next,
    });
    const entries = Items.map(toEntry);
    bucket.found.push(...entries.filter((entry) => after === undefined || byAge(after, entry) < 0));
    bucket.lastMs = entries.at(-1)?.sinceMs ?? bucket.lastMs;
    bucket.next = LastEvaluatedKey;
  }

  /**
   * The index first, then the markers of what it names. Having the markers in the index would save the second read
   * and cost a write unit for every write to a key that is pending already; this is asked for far less often.
   */
  async exposure(limit: number): Promise<ExposurePage> {
    const named = await this.pending(Number.MAX_SAFE_INTEGER, limit + 1);
    const within = named.slice(0, limit);
    const items = await this.#batchGet(
      within.map(({ key }) => key),
      EXPOSED_ATTRIBUTES,
    );
    const entries = items.flatMap((item) => toExposed(item) ?? []).sort((a, b) => a.sinceMs - b.sinceMs);
    const cutAtMs = named[limit]?.sinceMs;
    return { entries, indexLagMs: dynamoIndexLagMs, ...(cutAtMs !== undefined && { cutAtMs }) };
  }

  async list(entity: string, { limit, ...range }: ListRange): Promise<readonly string[]> {
    const { from, to } = rangeOf({ prefix: `${entity}:`, ...range });
    const pages = await Promise.all(
      shards.map((shard) =>
        this.#query({
          IndexName: 'by_type',
          KeyConditionExpression: 'l = :l AND k BETWEEN :from AND :to',
          ExpressionAttributeValues: {
            ':l': { S: `${entity}#${shard}` },
            ':from': { S: from },
            ':to': { S: to },
          },
          Limit: limit,
        }),
      ),
    );
    return pages
      .flatMap(({ Items = [] }) => Items)
      .map((item) => item['k']?.S ?? '')
      .sort((a, b) => (a < b ? -1 : 1))
      .slice(0, limit);
  }

  async entries({ slot, hash, from, to, descending, limit }: IndexQuery): Promise<readonly FoundEntry[]> {
    // A range that ends before it begins is a mistake to DynamoDB.
    if (from >= to) return [];
    const { Items = [] } = await this.#query({
      IndexName: `by_x${slot}`,
      KeyConditionExpression: '#x = :hash AND #y BETWEEN :from AND :to',
      ExpressionAttributeNames: { '#x': `x${slot}`, '#y': `y${slot}` },
      ExpressionAttributeValues: { ':hash': { S: hash }, ':from': { S: from }, ':to': { S: to } },
      ScanIndexForward: !descending,
      // The end of a range is included, and at most one entry is just there.
      Limit: limit + 1,
    });
    return Items.map((item) => ({ key: item['k']?.S ?? '', range: item[`y${slot}`]?.S ?? '' }))
      .filter(({ range }) => range < to)
      .slice(0, limit);
  }

  /**
   * Eventually consistent, at half the price: a record may be missing, or be as it was, for a moment after its write.
   * A page ends at 1 MB, whatever the limit.
   * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html
   */
  async scan({ cursor, limit }: ScanOptions): Promise<ScanPage> {
    const { Items, LastEvaluatedKey } = await this.#call(() =>
      this.#client.send(
        new ScanCommand({
          TableName: this.#table,
          Limit: limit,
          ...(cursor !== undefined && { ExclusiveStartKey: { k: { S: cursor } } }),
        }),
      ),
    );
    const next = LastEvaluatedKey?.['k']?.S;
    return {
      ...readablePage(Items ?? [], {
        read: fromItem,
        keyOf: (item) => item['k']?.S ?? '',
        entriesIn,
        entriesOf: this.#entriesOf,
      }),
      ...(next !== undefined && { next }),
    };
  }

  /** The order of a scan is that of its keys' hashes, whatever is read of the items: one cursor serves both. */
  async scanKeys({ cursor }: Omit<ScanOptions, 'limit'>): Promise<KeyPage> {
    const { Items = [], LastEvaluatedKey } = await this.#call(() =>
      this.#client.send(
        new ScanCommand({
          TableName: this.#table,
          Limit: 1,
          ProjectionExpression: 'k',
          ...(cursor !== undefined && { ExclusiveStartKey: { k: { S: cursor } } }),
        }),
      ),
    );
    const next = LastEvaluatedKey?.['k']?.S;
    return { keys: Items.flatMap((item) => item['k']?.S ?? []), ...(next !== undefined && { next }) };
  }

  async remove(key: string, expected: Revision): Promise<boolean> {
    return this.#call(async () => {
      try {
        await this.#client.send(
          new DeleteItemCommand({
            TableName: this.#table,
            Key: { k: { S: key } },
            ConditionExpression: 'rev = :rev',
            ExpressionAttributeValues: { ':rev': { N: expected } },
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    });
  }

  async ping(): Promise<void> {
    await this.get('ping:none');
  }

  #query(input: Omit<QueryCommandInput, 'TableName'>): Promise<QueryCommandOutput> {
    return this.#call(() => this.#client.send(new QueryCommand({ TableName: this.#table, ...input })));
  }

  async #call<Result>(send: () => Promise<Result>): Promise<Result> {
    const pauses = throttlePauses(this.#urgency);
    for (;;) {
      try {
        return await send();
      } catch (cause) {
        const error = storeError(cause);
        const hintMs = hintOf(error);
        if (hintMs === undefined || !(await pauses.next(hintMs))) throw error;
      }
    }
  }
}

/** What is throttled is asked for again; DynamoDB does not say when, so the pauses grow from the shortest. */
function hintOf(error: Error | undefined): number | undefined {
  return error instanceof ThrottledError ? 0 : undefined;
}

/** An index of moments in buckets. */
interface MomentIndex {
  readonly name: string;
  /** Its attributes. */
  readonly shard: string;
  readonly at: string;
  readonly toEntry: (item: Item) => PendingEntry;
}

const PENDING: MomentIndex = { name: 'pending', shard: 'p_shard', at: 'p_at', toEntry: toPending };
const DUE: MomentIndex = { name: 'due', shard: 'd_shard', at: 'd_at', toEntry: toDue };

/** What has been read of one bucket of such an index. */
interface Bucket {
  readonly shard: string;
  readonly found: PendingEntry[];
  /** Of the last entry that was read; the index is in this order. */
  lastMs: number;
  /** Where it goes on; undefined: at its end, or not read yet. */
  next: Item | undefined;
}

/** What became of a put that was refused. What is there instead of what was expected may be no record. */
function resultOf(error: unknown): PutResult {
  if (!(error instanceof ConditionalCheckFailedException))
    return { status: 'failed', error: storeError(error) };
  try {
    return { status: 'stale', ...(error.Item && { current: fromItem(error.Item) }) };
  } catch (unreadable) {
    return { status: 'failed', error: storeError(unreadable) };
  }
}
