/** What the emulator cannot show: an index that lags behind its table. */
import { BatchGetItemCommand, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from '@jest/globals';
import { noEntries } from '@tandem-clouds/replication/ports/store';
import { DynamoStore } from '../../../src/shared/adapters/aws/store.ts';

const indexed = (k: string, sinceMs: number) => ({ k: { S: k }, p_at: { N: String(sinceMs) } });
const marked = (k: string, sinceMs: number) => ({
  ...indexed(k, sinceMs),
  pend: { M: { 'azure-eastus': { S: 'stamp' } } },
});

/** A client whose index names `inIndex`, all in one bucket, while the table holds `inTable`. */
function clientOf(inIndex: readonly object[], inTable: readonly object[]): DynamoDBClient {
  const send = (command: unknown): Promise<object> => {
    if (command instanceof QueryCommand) {
      const first = command.input.ExpressionAttributeValues?.[':shard']?.S === '00';
      return Promise.resolve({ Items: first ? inIndex.slice(0, command.input.Limit) : [] });
    }
    if (!(command instanceof BatchGetItemCommand)) throw new TypeError('unexpected call');
    const request = command.input.RequestItems?.['tandem'];
    if (request?.ConsistentRead !== true) throw new TypeError('the markers must be read consistently');
    const keys = new Set(request.Keys?.map(({ k }) => k?.S));
    const Responses = { tandem: inTable.filter((item) => keys.has((item as { k: { S: string } }).k.S)) };
    return Promise.resolve({ Responses });
  };
  return { send } as unknown as DynamoDBClient;
}

describe('exposure over an index that lags', () => {
  test('leaves out what is no longer pending, or no longer there', async () => {
    const inIndex = [indexed('user:1', 10), indexed('user:2', 20), indexed('user:3', 30)];
    const store = new DynamoStore(
      clientOf(inIndex, [{ k: { S: 'user:1' } }, marked('user:2', 20)]),
      'tandem',
      { entriesOf: noEntries },
    );
    expect(await store.exposure(10)).toEqual({
      entries: [{ key: 'user:2', sinceMs: 20, peers: ['azure-eastus'] }],
      indexLagMs: 1_000,
    });
  });

  test('takes the time from the table, in whose order it answers', async () => {
    const inIndex = [indexed('user:1', 10), indexed('user:2', 20)];
    const store = new DynamoStore(clientOf(inIndex, [marked('user:1', 50), marked('user:2', 20)]), 'tandem', {
      entriesOf: noEntries,
    });
    expect((await store.exposure(10)).entries.map(({ key, sinceMs }) => [key, sinceMs])).toEqual([
      ['user:2', 20],
      ['user:1', 50],
    ]);
  });

  test('says that there is more although what it looked at is no longer pending', async () => {
    const inIndex = [indexed('user:1', 10), indexed('user:2', 20)];
    const store = new DynamoStore(clientOf(inIndex, []), 'tandem', { entriesOf: noEntries });
    expect(await store.exposure(1)).toEqual({ entries: [], cutAtMs: 20, indexLagMs: 1_000 });
  });
});
