/**
 * What Tandem relies on in DynamoDB, as a suite over an endpoint: the local emulator runs it in every test run, the
 * real DynamoDB Local in `npm run test:peers`. A difference between the two that is known and wanted is declared in
 * `Differences`, with its reason; a test that it concerns must fail there, so that one that has gone is noticed.
 */
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  type ConsumedCapacity,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  ListTagsOfResourceCommand,
  ScanCommand,
  TagResourceCommand,
  TransactGetItemsCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UntagResourceCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableNotExists,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTable, newDynamoClient, type Plain, TableClient } from '../../helpers/dynamo.ts';

/** Where an implementation is known to differ from the service, so that the suite asks less of it. */
export interface Differences {
  /** DynamoDB Local refuses every action on continuous backups as unknown. */
  readonly hasNoContinuousBackups?: boolean;
  /** DynamoDB Local refuses every action on tags. */
  readonly hasNoTags?: boolean;
  /** DynamoDB Local accepts a table class and does not describe it. */
  readonly describesNoTableClass?: boolean;
  /** DynamoDB Local reports 4 units for a transaction of one small item, as for one of two; published: 2 and 4. */
  readonly miscountsTransactions?: boolean;
  /** DynamoDB Local charges nothing for a query without a result, nor for a missing item in a batch of reads. */
  readonly readsOfNothingAreFree?: boolean;
}

const UNUSED = '2024-01-01';

/** Registers the suite; `endpointOf` is called once the tests run. */
export function describeDynamo(title: string, endpointOf: () => string, differences: Differences = {}): void {
  describe(title, () => {
    let client: DynamoDBClient;
    let table: TableClient;
    let number = 0;
    const uniqueName = (prefix: string): string => `${prefix}-${(number += 1)}`;
    const newKey = (): { pk: string; sk: string } => ({ pk: uniqueName('key'), sk: UNUSED });

    beforeAll(async () => {
      client = newDynamoClient(endpointOf());
      await createTable(client, 'suite');
      table = new TableClient(client, 'suite');
    });

    afterAll(() => client.destroy());

    describe('tables', () => {
      test('are described with keys, indexes and billing mode', async () => {
        const { Table } = await client.send(new DescribeTableCommand({ TableName: 'suite' }));
        expect(Table).toMatchObject({
          TableName: 'suite',
          TableStatus: 'ACTIVE',
          BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
          GlobalSecondaryIndexes: [expect.objectContaining({ IndexName: 'by-shard', IndexStatus: 'ACTIVE' })],
        });
        expect(Table?.TableArn).toMatch(/^arn:aws:dynamodb:[\w-]+:\d{12}:table\/suite$/);
      });

      test('accept the newer fields and describe them', async () => {
        const TableName = uniqueName('newer');
        await createTable(client, TableName, {
          DeletionProtectionEnabled: true,
          SSESpecification: { Enabled: true },
          TableClass: 'STANDARD',
          OnDemandThroughput: { MaxReadRequestUnits: 100, MaxWriteRequestUnits: 100 },
          Tags: [{ Key: 'team', Value: 'tandem' }],
        });
        const { Table } = await client.send(new DescribeTableCommand({ TableName }));
        expect(Table).toMatchObject({
          DeletionProtectionEnabled: true,
          OnDemandThroughput: { MaxReadRequestUnits: 100, MaxWriteRequestUnits: 100 },
          ...(!differences.describesNoTableClass && { TableClassSummary: { TableClass: 'STANDARD' } }),
        });
        if (differences.hasNoTags) return;
        const ResourceArn = Table?.TableArn;
        const tags = await client.send(new ListTagsOfResourceCommand({ ResourceArn }));
        expect(tags.Tags).toEqual([{ Key: 'team', Value: 'tandem' }]);
      });

      test('are protected from deletion until the protection is taken off', async () => {
        const TableName = uniqueName('protected');
        await createTable(client, TableName, { DeletionProtectionEnabled: true });
        const remove = () => client.send(new DeleteTableCommand({ TableName }));
        await expect(remove()).rejects.toMatchObject({ name: 'ValidationException' });
        await client.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
        await remove();
        await waitUntilTableNotExists({ client, maxWaitTime: 10, minDelay: 1, maxDelay: 1 }, { TableName });
      });

      test('cannot be created twice, nor found when they are not there', async () => {
        await expect(createTable(client, 'suite')).rejects.toMatchObject({ name: 'ResourceInUseException' });
        const missing = new TableClient(client, 'nowhere');
        await expect(missing.get(newKey())).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
        await expect(client.send(new DescribeTableCommand({ TableName: 'nowhere' }))).rejects.toMatchObject({
          name: 'ResourceNotFoundException',
        });
        await expect(client.send(new DeleteTableCommand({ TableName: 'nowhere' }))).rejects.toMatchObject({
          name: 'ResourceNotFoundException',
        });
      });

      test('are gone with their items once deleted', async () => {
        const TableName = uniqueName('deleted');
        await createTable(client, TableName);
        const key = newKey();
        await new TableClient(client, TableName).put({ ...key, p_shard: 's', p_at: 1 });
        await client.send(new DeleteTableCommand({ TableName }));
        await createTable(client, TableName);
        const again = new TableClient(client, TableName);
        expect(await again.get(key)).toBeUndefined();
        expect(await again.inShard('s')).toEqual([]);
      });

      test('are listed page by page in order of name', async () => {
        const names: string[] = [];
        let ExclusiveStartTableName: string | undefined;
        do {
          const page = await client.send(new ListTablesCommand({ Limit: 1, ExclusiveStartTableName }));
          names.push(...(page.TableNames ?? []));
          ExclusiveStartTableName = page.LastEvaluatedTableName;
        } while (ExclusiveStartTableName !== undefined);
        expect(names).toContain('suite');
        expect(names).toEqual([...names].sort());
      });

      (differences.hasNoTags ? test.failing : test)('are tagged and untagged', async () => {
        const { Table } = await client.send(new DescribeTableCommand({ TableName: 'suite' }));
        const ResourceArn = Table?.TableArn;
        const Tags = [
          { Key: 'a', Value: '1' },
          { Key: 'b', Value: '2' },
        ];
        await client.send(new TagResourceCommand({ ResourceArn, Tags }));
        await client.send(new UntagResourceCommand({ ResourceArn, TagKeys: ['a'] }));
        const listed = await client.send(new ListTagsOfResourceCommand({ ResourceArn }));
        expect(listed.Tags).toEqual([{ Key: 'b', Value: '2' }]);
      });

      test('need an attribute definition for every index key', async () => {
        await expect(
          createTable(client, uniqueName('bad'), {
            AttributeDefinitions: [
              { AttributeName: 'pk', AttributeType: 'S' },
              { AttributeName: 'sk', AttributeType: 'S' },
            ],
          }),
        ).rejects.toMatchObject({ name: 'ValidationException' });
      });

      test('take a new index while they hold items, and lose it again', async () => {
        const TableName = uniqueName('indexed');
        await createTable(client, TableName);
        const indexed = new TableClient(client, TableName);
        await indexed.put({ pk: 'a', sk: '1', colour: 'red' });
        await indexed.put({ pk: 'b', sk: '1' });
        await client.send(
          new UpdateTableCommand({
            TableName,
            AttributeDefinitions: [{ AttributeName: 'colour', AttributeType: 'S' }],
            GlobalSecondaryIndexUpdates: [
              {
                Create: {
                  IndexName: 'by-colour',
                  KeySchema: [{ AttributeName: 'colour', KeyType: 'HASH' }],
                  Projection: { ProjectionType: 'ALL' },
                },
              },
            ],
          }),
        );
        await indexIsActive(client, TableName, 'by-colour');
        await indexed.put({ pk: 'c', sk: '1', colour: 'red' });
        const red = () =>
          indexed.queryItems('colour = :c', { IndexName: 'by-colour', values: { ':c': 'red' } });
        expect((await red()).map(({ pk }) => pk).sort()).toEqual(['a', 'c']);
        await client.send(
          new UpdateTableCommand({
            TableName,
            GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: 'by-colour' } }],
          }),
        );
        // Refused in either case: as unknown by the service, as broken by DynamoDB Local while the index goes.
        await expect(red()).rejects.toThrow();
        const { Table } = await client.send(new DescribeTableCommand({ TableName }));
        const left = Table?.GlobalSecondaryIndexes?.filter(({ IndexStatus }) => IndexStatus === 'ACTIVE');
        expect(left?.map(({ IndexName }) => IndexName)).toEqual(['by-shard']);
      });
    });

    describe('items', () => {
      test('keep every type of value', async () => {
        const key = newKey();
        const item = {
          ...key,
          text: 'ä€𝄞',
          empty: '',
          number: 12.5,
          yes: true,
          nothing: null,
          bytes: new Uint8Array([0, 255]),
          list: [1, 'two', { three: [4] }],
          map: { nested: { deep: 'value' } },
          texts: new Set(['a', 'b']),
          numbers: new Set([1, 2]),
        };
        await table.put(item);
        expect(await table.get(key)).toEqual(item);
      });

      test('keep 38 digits of a number', async () => {
        const key = newKey();
        const digits = '12345678901234567890123456789012345678';
        await table.update(key, 'SET n = :n', {
          ExpressionAttributeValues: { ':n': { N: digits } },
        });
        const found = await table.update(key, 'SET m = n', { ReturnValues: 'ALL_NEW' });
        expect(found.Attributes?.['m']).toEqual({ N: digits });
      });

      test('are projected', async () => {
        const key = newKey();
        await table.put({ ...key, a: { b: [1, 2] }, status: 'x', other: 1 });
        expect(
          await table.get(key, {
            ProjectionExpression: 'a.b[1], #s',
            ExpressionAttributeNames: { '#s': 'status' },
          }),
        ).toEqual({ a: { b: [2] }, status: 'x' });
      });

      test('are replaced as a whole by a put', async () => {
        const key = newKey();
        await table.put({ ...key, a: 1 });
        const old = await table.put({ ...key, b: 2 }, { ReturnValues: 'ALL_OLD' });
        expect(unmarshall(old.Attributes ?? {})).toEqual({ ...key, a: 1 });
        expect(await table.get(key)).toEqual({ ...key, b: 2 });
      });

      test('are updated with every kind of clause', async () => {
        const key = newKey();
        await table.put({
          ...key,
          n: 1,
          m: { x: 1 },
          gone: 1,
          l: ['a', 'b', 'c'],
          s: new Set(['p', 'q']),
        });
        const updated = await table
          .update(
            key,
            'SET cnt = if_not_exists(cnt, :zero) + :one, l = list_append(l, :d), m.y = :one ADD n :one REMOVE gone, l[0] DELETE s :p',
            {
              values: { ':zero': 0, ':one': 1, ':d': ['d'], ':p': new Set(['p']) },
              ReturnValues: 'ALL_NEW',
            },
          )
          .catch(async (error: unknown) => {
            // The service refuses two clauses about one path; this is the same in two steps.
            expect(error).toMatchObject({ name: 'ValidationException' });
            await table.update(key, 'REMOVE gone, l[0]');
            return table.update(
              key,
              'SET cnt = if_not_exists(cnt, :zero) + :one, l = list_append(l, :d), m.y = :one ADD n :one DELETE s :p',
              {
                values: { ':zero': 0, ':one': 1, ':d': ['d'], ':p': new Set(['p']) },
                ReturnValues: 'ALL_NEW',
              },
            );
          });
        expect(unmarshall(updated.Attributes ?? {})).toEqual({
          ...key,
          n: 2,
          m: { x: 1, y: 1 },
          l: ['b', 'c', 'd'],
          s: new Set(['q']),
          cnt: 1,
        });
      });

      test('are created by an update of what is not there', async () => {
        const key = newKey();
        await table.update(key, 'SET a = :a', { values: { ':a': 1 } });
        expect(await table.get(key)).toEqual({ ...key, a: 1 });
      });

      test.each([
        ['ALL_OLD', { a: 1, b: 1 }],
        ['UPDATED_OLD', { a: 1 }],
        ['ALL_NEW', { a: 2, b: 1 }],
        ['UPDATED_NEW', { a: 2 }],
      ] as const)('come back from an update as %s', async (ReturnValues, expected) => {
        const key = newKey();
        await table.put({ ...key, a: 1, b: 1 });
        const { Attributes } = await table.update(key, 'SET a = :a', { values: { ':a': 2 }, ReturnValues });
        expect(unmarshall(Attributes ?? {})).toMatchObject(expected);
        expect(Object.hasOwn(unmarshall(Attributes ?? {}), 'pk')).toBe(ReturnValues.startsWith('ALL'));
      });

      test('are deleted, and deleting what is not there is no error', async () => {
        const key = newKey();
        await table.put({ ...key, a: 1 });
        const { Attributes } = await table.delete(key, { ReturnValues: 'ALL_OLD' });
        expect(unmarshall(Attributes ?? {})).toEqual({ ...key, a: 1 });
        await table.delete(key);
        expect(await table.get(key)).toBeUndefined();
      });

      test.each([
        ['a missing sort key', { pk: 'a' }],
        ['an empty key', { pk: '', sk: '1' }],
        ['a key of another type', { pk: 1, sk: '1' }],
        ['an index key of another type', { pk: 'a', sk: '1', p_shard: 5 }],
        ['more than 400 KB', { pk: 'a', sk: '1', v: 'x'.repeat(410 * 1024) }],
        [
          'more than 400 KB in UTF-8 though fewer characters',
          { pk: 'a', sk: '1', v: '€'.repeat(140 * 1024) },
        ],
      ])('with %s are refused', async (_title, item) => {
        await expect(table.put(item)).rejects.toMatchObject({ name: 'ValidationException' });
      });

      test.each([
        ['a reserved word', 'SET status = :x'],
        ['a key attribute', 'SET sk = :x'],
        ['a path that is not there', 'SET nowhere.deep = :x'],
        ['bad syntax', 'SET = :x'],
      ])('are not updated by an expression with %s', async (_title, expression) => {
        const key = newKey();
        await table.put(key);
        await expect(table.update(key, expression, { values: { ':x': 'x' } })).rejects.toMatchObject({
          name: 'ValidationException',
        });
      });
    });

    describe('conditions', () => {
      const original = { n: 5, text: 'hello', list: ['a', 'b'], map: { x: 1 }, flags: new Set(['f']) };

      test.each([
        ['attribute_exists(n) AND attribute_not_exists(nowhere)', {}, true],
        ['attribute_not_exists(pk)', {}, false],
        ['n = :v', { ':v': 5 }, true],
        ['n <> :v', { ':v': 5 }, false],
        ['n < :v AND n <= :v', { ':v': 6 }, true],
        ['n > :v OR n >= :v', { ':v': 6 }, false],
        ['n BETWEEN :a AND :b', { ':a': 5, ':b': 6 }, true],
        ['n IN (:a, :b)', { ':a': 4, ':b': 5 }, true],
        ['n = :v', { ':v': '5' }, false],
        ['nowhere < :v', { ':v': 1 }, false],
        ['nowhere <> :v', { ':v': 1 }, true],
        ['begins_with(#text, :v)', { ':v': 'he' }, true],
        ['contains(#text, :v)', { ':v': 'ell' }, true],
        ['contains(#list, :v)', { ':v': 'b' }, true],
        ['contains(flags, :v)', { ':v': 'f' }, true],
        ['contains(flags, :v)', { ':v': 'g' }, false],
        ['size(#list) = :v', { ':v': 2 }, true],
        ['size(#text) > :v', { ':v': 5 }, false],
        ['attribute_type(#map, :v)', { ':v': 'M' }, true],
        ['#map.x = :v', { ':v': 1 }, true],
        ['#list[1] = :v', { ':v': 'b' }, true],
        ['NOT n = :v', { ':v': 5 }, false],
        ['(n = :a OR n = :b) AND #text = :t', { ':a': 1, ':b': 5, ':t': 'hello' }, true],
        ['#list = :v', { ':v': ['a', 'b'] }, true],
        ['#list = :v', { ':v': ['b', 'a'] }, false],
        ['#map = :v', { ':v': { x: 1 } }, true],
        ['#map = :v', { ':v': { x: 2 } }, false],
        ['flags = :v', { ':v': new Set(['f']) }, true],
      ])('%s with %j is %s', async (ConditionExpression, values, isMet) => {
        const key = newKey();
        await table.put({ ...key, ...original });
        const names = Object.fromEntries(
          ['text', 'list', 'map']
            .filter((name) => ConditionExpression.includes(`#${name}`))
            .map((name) => [`#${name}`, name]),
        );
        const attempt = table.delete(key, {
          ConditionExpression,
          ...(Object.keys(names).length > 0 && { names }),
          ...(Object.keys(values).length > 0 && { values }),
        });
        if (isMet) await attempt;
        else await expect(attempt).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
        expect((await table.get(key)) === undefined).toBe(isMet);
      });

      const failing = { ConditionExpression: 'v = :v', values: { ':v': 2 } };
      test.each([
        ['put', (key: Plain, more: object) => table.put(key, { ...failing, ...more })],
        ['update', (key: Plain, more: object) => table.update(key, 'SET w = :v', { ...failing, ...more })],
        ['delete', (key: Plain, more: object) => table.delete(key, { ...failing, ...more })],
      ] as const)('a failed %s returns the item when asked, and only then', async (_title, attempt) => {
        const key = newKey();
        await table.put({ ...key, v: 1 });
        await expect(attempt(key, { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' })).rejects.toMatchObject({
          name: 'ConditionalCheckFailedException',
          Item: marshall({ ...key, v: 1 }),
        });
        const plain = attempt(key, {});
        await expect(plain).rejects.not.toHaveProperty('Item', expect.anything());
      });

      test('a failed condition on an item that is not there returns none', async () => {
        const refused = table.put(newKey(), {
          ConditionExpression: 'attribute_exists(pk)',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        await expect(refused).rejects.not.toHaveProperty('Item', expect.anything());
      });

      test('of many racing creates exactly one wins', async () => {
        const key = newKey();
        const results = await Promise.allSettled(
          Array.from({ length: 30 }, (_, i) =>
            table.put({ ...key, i }, { ConditionExpression: 'attribute_not_exists(pk)' }),
          ),
        );
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      });

      test('concurrent increments are all counted', async () => {
        const key = newKey();
        await Promise.all(
          Array.from({ length: 60 }, () => table.update(key, 'ADD n :one', { values: { ':one': 1 } })),
        );
        expect((await table.get(key))?.['n']).toBe(60);
      });
    });

    describe('queries', () => {
      let pk: string;
      beforeAll(async () => {
        pk = uniqueName('query');
        for (let i = 0; i < 12; i += 1) {
          const sk = String(i).padStart(3, '0');
          await table.put({ pk, sk, i, ...(i % 3 === 0 && { p_shard: pk, p_at: i - 4.5 }) });
        }
      });

      const sortKeys = (items: readonly Plain[]) => items.map(({ sk }) => Number(sk));

      test.each([
        ['pk = :pk', {}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
        ['pk = :pk AND sk = :a', { ':a': '003' }, [3]],
        ['pk = :pk AND sk < :a', { ':a': '002' }, [0, 1]],
        ['pk = :pk AND sk <= :a', { ':a': '002' }, [0, 1, 2]],
        ['pk = :pk AND sk > :a', { ':a': '009' }, [10, 11]],
        ['pk = :pk AND sk >= :a', { ':a': '009' }, [9, 10, 11]],
        ['pk = :pk AND sk BETWEEN :a AND :b', { ':a': '003', ':b': '005' }, [3, 4, 5]],
        ['pk = :pk AND begins_with(sk, :a)', { ':a': '01' }, [10, 11]],
      ])('%s with %j', async (condition, values, expected) => {
        const items = await table.queryItems(condition, { values: { ':pk': pk, ...values } });
        expect(sortKeys(items)).toEqual(expected);
      });

      test('go backwards, in pages, with a filter after the limit', async () => {
        const seen: number[] = [];
        let pages = 0;
        let ExclusiveStartKey: Awaited<ReturnType<TableClient['query']>>['LastEvaluatedKey'];
        do {
          const page = await table.query('pk = :pk', {
            values: { ':pk': pk, ':two': 2 },
            FilterExpression: 'i >= :two',
            ScanIndexForward: false,
            Limit: 5,
            ExclusiveStartKey,
          });
          expect(page.ScannedCount).toBeLessThanOrEqual(5);
          seen.push(...sortKeys((page.Items ?? []).map((item) => unmarshall(item))));
          ExclusiveStartKey = page.LastEvaluatedKey;
          pages += 1;
        } while (ExclusiveStartKey !== undefined);
        expect(seen).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
        expect(pages).toBe(3);
      });

      test('count without returning', async () => {
        const response = await table.query('pk = :pk', { values: { ':pk': pk }, Select: 'COUNT' });
        expect([response.Count, response.Items]).toEqual([12, undefined]);
      });

      test('on a sparse index return only what carries its keys, in the order of a number', async () => {
        expect((await table.inShard(pk)).map(({ p_at: at }) => at)).toEqual([-4.5, -1.5, 1.5, 4.5]);
        const older = await table.queryItems('p_shard = :s AND p_at < :t', {
          IndexName: 'by-shard',
          values: { ':s': pk, ':t': 1.5 },
          ScanIndexForward: false,
        });
        expect(older.map(({ p_at: at }) => at)).toEqual([-1.5, -4.5]);
      });

      test('on a sparse index lose an item that loses its keys, and follow one whose key changes', async () => {
        const shard = uniqueName('shard');
        const [a, b] = [newKey(), newKey()];
        await table.put({ ...a, p_shard: shard, p_at: 1 });
        await table.put({ ...b, p_shard: shard, p_at: 2 });
        await table.update(a, 'REMOVE p_shard, p_at');
        await table.update(b, 'SET p_at = :t', { values: { ':t': 9 } });
        expect(await table.inShard(shard)).toEqual([{ ...b, p_shard: shard, p_at: 9 }]);
        await table.delete(b);
        expect(await table.inShard(shard)).toEqual([]);
      });

      test('on an index page through entries with equal keys', async () => {
        const shard = uniqueName('shard');
        for (let i = 0; i < 7; i += 1) await table.put({ ...newKey(), p_shard: shard, p_at: 1 });
        const seen: unknown[] = [];
        let ExclusiveStartKey: Awaited<ReturnType<TableClient['query']>>['LastEvaluatedKey'];
        do {
          const page = await table.query('p_shard = :s', {
            IndexName: 'by-shard',
            values: { ':s': shard },
            Limit: 2,
            ExclusiveStartKey,
          });
          seen.push(...(page.Items ?? []).map(({ pk: key }) => key?.S));
          ExclusiveStartKey = page.LastEvaluatedKey;
        } while (ExclusiveStartKey !== undefined);
        expect(new Set(seen).size).toBe(7);
        expect(seen).toHaveLength(7);
      });

      test('cannot be consistent on an index', async () => {
        await expect(
          table.query('p_shard = :s', { IndexName: 'by-shard', values: { ':s': 'x' }, ConsistentRead: true }),
        ).rejects.toMatchObject({ name: 'ValidationException' });
      });

      test('scan segments cover the table once', async () => {
        const all = (await table.scan()).length;
        const segments = await Promise.all(
          Array.from({ length: 4 }, (_, Segment) =>
            client.send(new ScanCommand({ TableName: 'suite', Segment, TotalSegments: 4 })),
          ),
        );
        expect(segments.reduce((sum, { Count }) => sum + (Count ?? 0), 0)).toBe(all);
      });
    });

    describe('batches', () => {
      const puts = (keys: readonly Plain[]) => keys.map((key) => ({ PutRequest: { Item: marshall(key) } }));
      const write = (requests: ReturnType<typeof puts>) =>
        client.send(new BatchWriteItemCommand({ RequestItems: { suite: requests } }));

      test('write and read many items at once', async () => {
        const keys = Array.from({ length: 25 }, newKey);
        expect((await write(puts(keys))).UnprocessedItems).toEqual({});
        const missing = newKey();
        const response = await client.send(
          new BatchGetItemCommand({
            RequestItems: { suite: { Keys: [...keys, missing].map((key) => marshall(key)) } },
          }),
        );
        expect(response.Responses?.['suite']).toHaveLength(25);
        expect(response.UnprocessedKeys).toEqual({});
      });

      test('with more than 25 writes or a key twice are refused', async () => {
        await expect(write(puts(Array.from({ length: 26 }, newKey)))).rejects.toMatchObject({
          name: 'ValidationException',
        });
        const key = newKey();
        await expect(write(puts([key, key]))).rejects.toMatchObject({ name: 'ValidationException' });
        expect(await table.get(key)).toBeUndefined();
      });

      test('keep the indexes of every item', async () => {
        const shard = uniqueName('shard');
        await write(puts(Array.from({ length: 20 }, (_, i) => ({ ...newKey(), p_shard: shard, p_at: i }))));
        expect(await table.inShard(shard)).toHaveLength(20);
      });
    });

    describe('transactions', () => {
      const transact = (...TransactItems: TransactWriteItem[]) =>
        client.send(new TransactWriteItemsCommand({ TransactItems }));
      const put = (item: Plain, more: object = {}): TransactWriteItem => ({
        Put: { TableName: 'suite', Item: marshall(item), ...more },
      });
      const isNew = { ConditionExpression: 'attribute_not_exists(pk)' };

      test('write all operations', async () => {
        const [a, b, c, d] = [newKey(), newKey(), newKey(), newKey()];
        const shard = uniqueName('shard');
        await table.put({ ...b, n: 1, p_shard: shard, p_at: 1 });
        await table.put(c);
        await table.put(d);
        await transact(
          put({ ...a, p_shard: shard, p_at: 2 }, isNew),
          {
            Update: {
              TableName: 'suite',
              Key: marshall(b),
              UpdateExpression: 'SET n = n + :one REMOVE p_shard',
              ExpressionAttributeValues: marshall({ ':one': 1 }),
            },
          },
          { Delete: { TableName: 'suite', Key: marshall(c) } },
          {
            ConditionCheck: {
              TableName: 'suite',
              Key: marshall(d),
              ConditionExpression: 'attribute_exists(pk)',
            },
          },
        );
        expect(await table.get(a)).toEqual({ ...a, p_shard: shard, p_at: 2 });
        expect(await table.get(b)).toEqual({ ...b, n: 2, p_at: 1 });
        expect(await table.get(c)).toBeUndefined();
        expect((await table.inShard(shard)).map(({ pk }) => pk)).toEqual([a.pk]);
      });

      test('write nothing when one condition fails, and say which', async () => {
        const [a, b, c] = [newKey(), newKey(), newKey()];
        await table.put({ ...b, v: 1 });
        const refused = transact(
          put(a),
          put(b, { ...isNew, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }),
          {
            ConditionCheck: {
              TableName: 'suite',
              Key: marshall(c),
              ConditionExpression: 'attribute_exists(pk)',
            },
          },
        );
        await expect(refused).rejects.toMatchObject({
          name: 'TransactionCanceledException',
          CancellationReasons: [
            { Code: 'None' },
            { Code: 'ConditionalCheckFailed', Item: marshall({ ...b, v: 1 }) },
            { Code: 'ConditionalCheckFailed' },
          ],
        });
        expect(await table.get(a)).toBeUndefined();
      });

      test.each([
        [
          'two operations on one item',
          () => [put({ pk: 'same', sk: '1' }), put({ pk: 'same', sk: '1', v: 1 })],
        ],
        ['more than 100 operations', () => Array.from({ length: 101 }, () => put(newKey()))],
        ['a reserved word', () => [put(newKey(), { ConditionExpression: 'attribute_exists(status)' })]],
      ])('with %s are refused as a whole', async (_title, operations) => {
        await expect(transact(...operations())).rejects.toMatchObject({ name: 'ValidationException' });
      });

      test('on a missing table are refused', async () => {
        const item = { Put: { TableName: 'nowhere', Item: marshall(newKey()) } };
        await expect(transact(item)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
      });

      test('with a repeated token apply once', async () => {
        const key = newKey();
        const command = (amount: number) =>
          new TransactWriteItemsCommand({
            ClientRequestToken: key.pk,
            TransactItems: [
              {
                Update: {
                  TableName: 'suite',
                  Key: marshall(key),
                  UpdateExpression: 'ADD n :n',
                  ExpressionAttributeValues: marshall({ ':n': amount }),
                },
              },
            ],
          });
        await client.send(command(1));
        await client.send(command(1));
        expect((await table.get(key))?.['n']).toBe(1);
        await expect(client.send(command(2))).rejects.toMatchObject({
          name: 'IdempotentParameterMismatchException',
        });
      });

      test('that were refused can be repeated with their token', async () => {
        const [key, guard] = [newKey(), newKey()];
        const command = () =>
          new TransactWriteItemsCommand({
            ClientRequestToken: key.pk,
            TransactItems: [
              put(key),
              {
                ConditionCheck: {
                  TableName: 'suite',
                  Key: marshall(guard),
                  ConditionExpression: 'attribute_exists(pk)',
                },
              },
            ],
          });
        await expect(client.send(command())).rejects.toMatchObject({ name: 'TransactionCanceledException' });
        await table.put(guard);
        await client.send(command());
        expect(await table.get(key)).toEqual(key);
      });

      test('read several items as of one moment', async () => {
        const [a, b] = [newKey(), newKey()];
        await table.put({ ...a, v: 1 });
        const read = (key: Plain) => ({ Get: { TableName: 'suite', Key: marshall(key) } });
        const { Responses } = await client.send(
          new TransactGetItemsCommand({ TransactItems: [read(a), read(b)] }),
        );
        expect(Responses?.map(({ Item }) => Item && unmarshall(Item))).toEqual([{ ...a, v: 1 }, undefined]);
      });

      test('and single writes that meet on an item are each counted or refused', async () => {
        const [a, b] = [newKey(), newKey()];
        const add = (key: Plain): TransactWriteItem => ({
          Update: {
            TableName: 'suite',
            Key: marshall(key),
            UpdateExpression: 'ADD n :n',
            ExpressionAttributeValues: marshall({ ':n': 1 }),
          },
        });
        const isCounted = async (attempt: Promise<unknown>): Promise<number> =>
          attempt.then(
            () => 1,
            (error: unknown) => {
              ignoreConflict(error);
              return 0;
            },
          );
        const both = await Promise.all(
          Array.from({ length: 20 }, (_, i) =>
            isCounted(i % 2 === 0 ? transact(add(a), add(b)) : transact(add(b), add(a))),
          ),
        );
        const single = Array.from({ length: 20 }, () =>
          isCounted(table.update(a, 'ADD n :n', { values: { ':n': 1 } })),
        );
        const more = Array.from({ length: 20 }, () => isCounted(transact(add(a), add(b))));
        const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
        const transactions = sum(both) + sum(await Promise.all(more));
        const writes = sum(await Promise.all(single));
        expect((await table.get(b))?.['n']).toBe(transactions);
        expect((await table.get(a))?.['n']).toBe(transactions + writes);
        expect(transactions).toBeGreaterThan(0);
      });

      test('that move an amount back and forth never show a wrong sum', async () => {
        const [a, b] = [newKey(), newKey()];
        await transact(put({ ...a, n: 10 }), put({ ...b, n: 10 }));
        const add = (key: Plain, n: number): TransactWriteItem => ({
          Update: {
            TableName: 'suite',
            Key: marshall(key),
            UpdateExpression: 'ADD n :n',
            ExpressionAttributeValues: marshall({ ':n': n }),
          },
        });
        const read = (key: Plain) => ({ Get: { TableName: 'suite', Key: marshall(key) } });
        const move = async (): Promise<void> => {
          for (let i = 0; i < 20; i += 1) await transact(add(a, -1), add(b, 1)).catch(ignoreConflict);
        };
        const watch = async (): Promise<number[]> => {
          const sums: number[] = [];
          for (let i = 0; i < 20; i += 1) {
            const response = await client
              .send(new TransactGetItemsCommand({ TransactItems: [read(a), read(b)] }))
              .catch(ignoreConflict);
            const amounts = response?.Responses?.map(({ Item }) => Number(Item?.['n']?.N));
            if (amounts !== undefined) sums.push(amounts.reduce((sum, amount) => sum + amount, 0));
          }
          return sums;
        };
        const [sums] = await Promise.all([watch(), move()]);
        expect(sums.length).toBeGreaterThan(0);
        expect(new Set(sums)).toEqual(new Set([20]));
      });
    });

    describe('time to live', () => {
      const setTtl = (TableName: string, AttributeName: string, Enabled: boolean) =>
        client.send(
          new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { AttributeName, Enabled } }),
        );
      const ttlOf = async (TableName: string) =>
        (await client.send(new DescribeTimeToLiveCommand({ TableName }))).TimeToLiveDescription;

      test('is off, then on for one attribute, then off again', async () => {
        const name = uniqueName('ttl');
        await createTable(client, name);
        expect(await ttlOf(name)).toEqual({ TimeToLiveStatus: 'DISABLED' });
        const response = await setTtl(name, 'expires', true);
        expect(response.TimeToLiveSpecification).toEqual({ AttributeName: 'expires', Enabled: true });
        expect(await ttlOf(name)).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expires' });
        await expect(setTtl(name, 'expires', true)).rejects.toMatchObject({ name: 'ValidationException' });
        await setTtl(name, 'expires', false);
        expect(await ttlOf(name)).toEqual({ TimeToLiveStatus: 'DISABLED' });
      });

      test('needs a table', async () => {
        await expect(setTtl('nowhere', 'expires', true)).rejects.toMatchObject({
          name: 'ResourceNotFoundException',
        });
      });
    });

    describe('continuous backups', () => {
      const backupTest = differences.hasNoContinuousBackups ? test.failing : test;

      backupTest('are off for point-in-time recovery until they are turned on', async () => {
        const TableName = uniqueName('backup');
        await createTable(client, TableName);
        const statusOf = async () => {
          const response = await client.send(new DescribeContinuousBackupsCommand({ TableName }));
          return response.ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
        };
        expect(await statusOf()).toEqual({ PointInTimeRecoveryStatus: 'DISABLED' });
        const PointInTimeRecoverySpecification = {
          PointInTimeRecoveryEnabled: true,
          RecoveryPeriodInDays: 7,
        };
        await client.send(
          new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }),
        );
        expect(await statusOf()).toMatchObject({
          PointInTimeRecoveryStatus: 'ENABLED',
          RecoveryPeriodInDays: 7,
          EarliestRestorableDateTime: expect.any(Date),
        });
      });

      backupTest('need a table', async () => {
        await expect(
          client.send(new DescribeContinuousBackupsCommand({ TableName: 'nowhere' })),
        ).rejects.toMatchObject({ name: 'TableNotFoundException' });
      });
    });

    describe('consumed capacity', () => {
      const detail = { ReturnConsumedCapacity: 'INDEXES' } as const;
      const mark = { p_shard: 's', p_at: 1 };
      /** Fills an item up to a size in bytes, names included. */
      const ofBytes = (bytes: number, item: Plain): Plain => {
        const used = Object.entries(item).reduce(
          (sum, [name, value]) => sum + name.length + sizeOf(value),
          0,
        );
        return { ...item, v: 'x'.repeat(bytes - used - 1) };
      };
      const sizeOf = (value: unknown): number => (typeof value === 'number' ? 2 : String(value).length);
      const unitsOf = (consumed: ConsumedCapacity | undefined) => ({
        total: consumed?.CapacityUnits,
        table: consumed?.Table?.CapacityUnits,
        index: consumed?.GlobalSecondaryIndexes?.['by-shard']?.CapacityUnits ?? 0,
      });

      test.each([
        ['a new item of exactly 1 KB', undefined, 1024, 1, 0],
        ['a new item of one byte more', undefined, 1025, 2, 0],
        ['a smaller item in place of a larger one', 3000, 500, 3, 0],
        ['a larger item in place of a smaller one', 500, 3000, 3, 0],
      ])('of %s', async (_title, before, after, units, index) => {
        const key = newKey();
        if (before !== undefined) await table.put(ofBytes(before, key));
        const { ConsumedCapacity } = await table.put(ofBytes(after, key), detail);
        expect(unitsOf(ConsumedCapacity)).toEqual({ total: units + index, table: units, index });
      });

      test('of a write that enters the sparse index, changes in it, moves in it, stays and leaves', async () => {
        const key = newKey();
        const item = ofBytes(1000, { ...key, ...mark });
        const entered = await table.put(item, detail);
        const changed = await table.update(key, 'SET v = :v', { values: { ':v': 'x' }, ...detail });
        const moved = await table.update(key, 'SET p_at = :t', { values: { ':t': 2 }, ...detail });
        const same = await table.update(key, 'SET v = :v', { values: { ':v': 'x' }, ...detail });
        const left = await table.update(key, 'REMOVE p_shard, p_at', { ...detail });
        const outside = await table.update(key, 'SET v = :v', { values: { ':v': 'y' }, ...detail });
        expect(
          [entered, changed, moved, same, left, outside].map(({ ConsumedCapacity }) =>
            unitsOf(ConsumedCapacity),
          ),
        ).toEqual([
          { total: 2, table: 1, index: 1 },
          { total: 2, table: 1, index: 1 },
          { total: 3, table: 1, index: 2 },
          { total: 1, table: 1, index: 0 },
          { total: 2, table: 1, index: 1 },
          { total: 1, table: 1, index: 0 },
        ]);
      });

      test('of a delete, with and without an index entry, and of nothing', async () => {
        const key = newKey();
        await table.put(ofBytes(1500, { ...key, ...mark }));
        const indexed = await table.delete(key, detail);
        const nothing = await table.delete(key, detail);
        expect([indexed, nothing].map(({ ConsumedCapacity }) => unitsOf(ConsumedCapacity))).toEqual([
          { total: 4, table: 2, index: 2 },
          { total: 1, table: 1, index: 0 },
        ]);
      });

      test('of reads, by 4 KB and by consistency', async () => {
        const key = newKey();
        await table.put(ofBytes(4097, key));
        const read = async (more: object) => {
          const response = await table.query('pk = :pk', { values: { ':pk': key.pk }, ...detail, ...more });
          return response.ConsumedCapacity?.CapacityUnits;
        };
        expect([await read({ ConsistentRead: true }), await read({})]).toEqual([2, 1]);
      });

      test('of a read is counted in bytes of UTF-8, not in characters', async () => {
        const key = newKey();
        await table.put({ ...key, v: '€'.repeat(1400) });
        const command = new GetItemCommand({
          TableName: 'suite',
          Key: marshall(key),
          ConsistentRead: true,
          ReturnConsumedCapacity: 'TOTAL',
        });
        expect((await client.send(command)).ConsumedCapacity?.CapacityUnits).toBe(2);
      });

      test('of reads of what is not there', async () => {
        const missing = marshall(newKey());
        const unitsOfGet = async (ConsistentRead: boolean) => {
          const command = new GetItemCommand({
            TableName: 'suite',
            Key: missing,
            ConsistentRead,
            ReturnConsumedCapacity: 'TOTAL',
          });
          return (await client.send(command)).ConsumedCapacity?.CapacityUnits;
        };
        expect([await unitsOfGet(true), await unitsOfGet(false)]).toEqual([1, 0.5]);
        const empty = await table.query('pk = :pk', { values: { ':pk': uniqueName('none') }, ...detail });
        expect(empty.ConsumedCapacity?.CapacityUnits).toBe(differences.readsOfNothingAreFree ? 0 : 0.5);
      });

      test('of a batch of reads, item by item', async () => {
        const [large, small] = [newKey(), newKey()];
        await table.put(ofBytes(4097, large));
        await table.put(small);
        const keys = [large, small, ...(differences.readsOfNothingAreFree ? [] : [newKey()])];
        const response = await client.send(
          new BatchGetItemCommand({
            RequestItems: { suite: { Keys: keys.map((key) => marshall(key)), ConsistentRead: true } },
            ReturnConsumedCapacity: 'TOTAL',
          }),
        );
        expect(response.ConsumedCapacity?.map(({ CapacityUnits }) => CapacityUnits)).toEqual([
          1 + keys.length,
        ]);
      });

      test('of a batch, item by item', async () => {
        const requests = [newKey(), newKey()].map((key) => ({
          PutRequest: { Item: marshall(ofBytes(1500, { ...key, ...mark })) },
        }));
        const response = await client.send(
          new BatchWriteItemCommand({ RequestItems: { suite: requests }, ...detail }),
        );
        expect(response.ConsumedCapacity?.map(unitsOf)).toEqual([{ total: 8, table: 4, index: 4 }]);
      });

      const countTransaction = async (count: number): Promise<void> => {
        const keys = Array.from({ length: count }, newKey);
        const Put = (key: Plain) => ({ TableName: 'suite', Item: marshall(ofBytes(1000, key)) });
        const written = await client.send(
          new TransactWriteItemsCommand({ TransactItems: keys.map((key) => ({ Put: Put(key) })), ...detail }),
        );
        const Get = (key: Plain) => ({ TableName: 'suite', Key: marshall(key) });
        const read = await client.send(
          new TransactGetItemsCommand({ TransactItems: keys.map((key) => ({ Get: Get(key) })), ...detail }),
        );
        expect([written, read].map(({ ConsumedCapacity }) => ConsumedCapacity?.map(unitsOf))).toEqual([
          [{ total: 2 * count, table: 2 * count, index: 0 }],
          [{ total: 2 * count, table: 2 * count, index: 0 }],
        ]);
      };

      (differences.miscountsTransactions ? test.failing : test)(
        'of a transaction on one item is double',
        () => countTransaction(1),
      );

      test('of a transaction on two items is double', () => countTransaction(2));

      test('is not reported unless asked for', async () => {
        expect((await table.put(newKey())).ConsumedCapacity).toBeUndefined();
      });
    });
  });
}

/** Two transactions that meet may be refused by the service; the emulator lets the later one wait. */
function ignoreConflict(error: unknown): undefined {
  const name = error instanceof Error ? error.name : '';
  if (name !== 'TransactionCanceledException' && name !== 'TransactionConflictException') throw error;
  return undefined;
}

async function indexIsActive(client: DynamoDBClient, TableName: string, indexName: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    const index = Table?.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === indexName);
    if (index?.IndexStatus === 'ACTIVE') return;
    if (performance.now() > deadline) throw new Error(`${indexName} is ${index?.IndexStatus ?? 'missing'}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
