/** What a page of the index of markers costs: its entries lie in buckets, of which each could hold the whole page. */
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from '@jest/globals';
import { shards } from '@tandem-clouds/replication/index-attributes';
import { noEntries, type PendingEntry } from '@tandem-clouds/replication/ports/store';
import { DynamoStore } from '../../../src/shared/adapters/aws/store.ts';

/** A client whose buckets hold these entries, in their order. It counts what it reads. */
function clientOf(buckets: ReadonlyMap<string, readonly PendingEntry[]>): {
  client: DynamoDBClient;
  read: () => number;
} {
  let read = 0;
  const send = (command: unknown): Promise<object> => {
    if (!(command instanceof QueryCommand)) throw new TypeError('unexpected call');
    const { ExpressionAttributeValues: values = {}, ExclusiveStartKey, Limit = Infinity } = command.input;
    const all = (buckets.get(values[':shard']?.S ?? '') ?? []).filter(
      ({ sinceMs }) => sinceMs >= Number(values[':since']?.N) && sinceMs <= Number(values[':last']?.N),
    );
    const start = ExclusiveStartKey === undefined ? 0 : Number(ExclusiveStartKey['place']?.N);
    const some = all.slice(start, start + Limit);
    read += some.length;
    const isCut = start + some.length < all.length;
    return Promise.resolve({
      Items: some.map(({ key, sinceMs }) => ({ k: { S: key }, p_at: { N: String(sinceMs) } })),
      ...(isCut && { LastEvaluatedKey: { place: { N: String(start + some.length) } } }),
    });
  };
  return { client: { send } as unknown as DynamoDBClient, read: () => read };
}

const entriesOf = (count: number, every = 1): PendingEntry[] =>
  Array.from({ length: count }, (_, n) => ({ key: `k${String(n).padStart(5, '0')}`, sinceMs: n * every }));

describe('a page of what is pending', () => {
  test('reads about as many entries as it has, whatever the backlog', async () => {
    const all = entriesOf(8_000);
    const buckets = new Map(shards.map((shard, i) => [shard, all.filter((_, n) => n % shards.length === i)]));
    const { client, read } = clientOf(buckets);
    const page = await new DynamoStore(client, 'tandem', { entriesOf: noEntries }).pending(10_000, 400);
    expect(page).toEqual(all.slice(0, 400));
    expect(read()).toBeLessThan(3 * 400);
  });

  test.each([
    ['all of it lies in one bucket', () => 0],
    ['most of it lies in one bucket', (n: number) => (n % 50 === 0 ? n % shards.length : 3)],
    ['the first of it lies in one bucket', (n: number) => (n < 500 ? 7 : n % shards.length)],
  ])('is right although %s', async (_, bucketOf) => {
    const all = entriesOf(2_000);
    const buckets = new Map(shards.map((shard, i) => [shard, all.filter((__, n) => bucketOf(n) === i)]));
    const store = new DynamoStore(clientOf(buckets).client, 'tandem', { entriesOf: noEntries });
    const seen: PendingEntry[] = [];
    for (let page = await store.pending(10_000, 300); page.length > 0;) {
      seen.push(...page);
      page = await store.pending(10_000, 300, page.at(-1));
    }
    expect(seen).toEqual(all);
  });

  test('knows every entry of the last millisecond that it names, in whatever order the index has them', async () => {
    const all = entriesOf(400, 0);
    const buckets = new Map(shards.map((shard, i) => [shard, all.filter((_, n) => n % shards.length === i)]));
    const reversed = new Map([...buckets].map(([shard, entries]) => [shard, entries.toReversed()]));
    const page = await new DynamoStore(clientOf(reversed).client, 'tandem', { entriesOf: noEntries }).pending(
      10,
      100,
    );
    expect(page).toEqual(all.slice(0, 100));
  });
});
