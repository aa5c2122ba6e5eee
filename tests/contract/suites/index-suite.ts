/** What every implementation of the store port must do with the generic indexes. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Json } from '@tandem-clouds/replication/json';
import type { IndexEntries, ScanPage, Store } from '@tandem-clouds/replication/ports/store';
import { DELETED, type StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { type DeclaredIndex, indexesOf } from '../../../src/shared/domain/indexes/declared-index.ts';
import { indexEntries } from '../../../src/shared/domain/indexes/index-entry.ts';
import {
  bound,
  findEntries,
  FIRST,
  LAST,
  type ListQuery,
} from '../../../src/shared/domain/indexes/list-query.ts';
import { sortKey } from '../../../src/shared/domain/indexes/sort-key.ts';
import { bookingNamed } from '../../helpers/indexed-booking.ts';

const SITE = 'aws-us-east-1';

/** @param open The one store, which from then on keeps these entries with each record that it writes. */
export function describeIndexes(name: string, open: (entriesOf: IndexEntries) => Store): void {
  describe(`${name} with indexes`, () => {
    let store: Store;
    let serial = 0;
    let entity: string;
    let byCustomer: DeclaredIndex;
    let byPaid: DeclaredIndex;
    let bySeats: DeclaredIndex;

    beforeEach(() => {
      serial += 1;
      entity = `b${process.pid}x${serial}`;
      const indexes = indexesOf(bookingNamed(entity));
      [byCustomer, byPaid, bySeats] = indexes as [DeclaredIndex, DeclaredIndex, DeclaredIndex];
      store = open(indexEntries(indexes));
    });

    const recordOf = (id: string, values: Readonly<Record<string, Json>>, at = 1_000): StoredRecord => {
      const stamp = encodeStamp(at, 0, SITE);
      const fields = Object.entries(values).map(([field, value]) => [field, [stamp, value] as const]);
      return {
        key: `${entity}:${id}`,
        state: { fields: Object.fromEntries(fields), vector: { [SITE]: stamp } },
        version: stamp,
        pending: {},
        operations: [],
      };
    };
    const put = async (to: Store, ...records: readonly StoredRecord[]): Promise<void> => {
      for (const record of records) {
        const [result] = await to.putMany([{ record, expected: (await to.get(record.key))?.revision }]);
        expect(result?.status).toBe('written');
      }
    };
    const found = async (
      index: DeclaredIndex,
      value: Json,
      more: Partial<ListQuery> = {},
    ): Promise<string[]> => {
      const on = sortKey(index.onType, value) ?? '';
      const query = { index, within: '', on, from: FIRST, to: LAST, descending: false, ...more };
      const ids: string[] = [];
      let after: string | undefined;
      do {
        const page = await findEntries(store, query, { after, limit: 2 });
        ids.push(...page.map(({ key }) => key.slice(entity.length + 1)));
        after = page.at(-1)?.range;
      } while (after !== undefined);
      return ids;
    };

    test('finds the records of one value in the order of another, page by page, either way', async () => {
      const times = ['2030-01-02T00:00:00Z', '2030-01-01T23:00:00-02:00', '2030-01-02T00:00:00.5Z'];
      await put(store, ...times.map((from, i) => recordOf(String(i), { customerId: 'c1', from })));
      await put(store, recordOf('other', { customerId: 'c2', from: times[0] ?? '' }));
      await put(store, recordOf('twin', { customerId: 'c1', from: times[0] ?? '' }));
      await put(store, recordOf('none', { customerId: 'c1' }));
      expect(await found(byCustomer, 'c1')).toEqual(['0', 'twin', '2', '1']);
      expect(await found(byCustomer, 'c1', { descending: true })).toEqual(['1', '2', 'twin', '0']);
      expect(await found(byCustomer, 'c3')).toEqual([]);
    });

    test('orders text by its code points at every store', async () => {
      const titles = [
        '',
        'a',
        'a b',
        'a!',
        'ab',
        'b',
        'z',
        '~',
        '\u007F',
        'é',
        '\uE000',
        '\uFFFD',
        '\u{1F680}',
      ];
      await put(store, ...titles.map((title, i) => recordOf(String(i), { paid: true, title })));
      const order = titles.map((_, i) => String(i));
      expect(await found(byPaid, true)).toEqual(order);
      expect(await found(byPaid, true, { descending: true })).toEqual(order.toReversed());
    });

    test('keeps to the ends of a range, included or not', async () => {
      const froms = ['2030-01-01T00:00:00Z', '2030-01-02T00:00:00Z', '2030-01-03T00:00:00Z'];
      await put(store, ...froms.map((from, i) => recordOf(String(i), { customerId: 'c1', from })));
      const key = sortKey('instant', froms[1] ?? '') ?? '';
      expect(await found(byCustomer, 'c1', bound('gte', key))).toEqual(['1', '2']);
      expect(await found(byCustomer, 'c1', bound('gt', key))).toEqual(['2']);
      expect(await found(byCustomer, 'c1', bound('lte', key))).toEqual(['0', '1']);
      expect(await found(byCustomer, 'c1', bound('lt', key))).toEqual(['0']);
      expect(await found(byCustomer, 'c1', { ...bound('gt', key), ...bound('lt', key) })).toEqual([]);
      expect(await found(byCustomer, 'c1', { ...bound('lte', key), descending: true })).toEqual(['1', '0']);
    });

    test('follows each write: a changed value moves the record, and a tombstone takes it out', async () => {
      await put(
        store,
        recordOf('1', { seats: 2 }),
        recordOf('2', { seats: 2 }),
        recordOf('3', { seats: -1.5 }),
      );
      expect(await found(bySeats, 2)).toEqual(['1', '2']);
      await put(
        store,
        recordOf('1', { seats: 3 }, 2_000),
        recordOf('2', { [DELETED]: true, seats: null }, 2_000),
      );
      expect(await found(bySeats, 2)).toEqual([]);
      expect(await found(bySeats, 3)).toEqual(['1']);
      expect(await found(bySeats, -1.5)).toEqual(['3']);
    });

    test('a value of another type, or too long, is in no index, and the write stands', async () => {
      const leftOut: string[] = [];
      const indexes = [byCustomer, byPaid, bySeats];
      const counting = open(indexEntries(indexes, ({ name }, _, why) => leftOut.push(`${name}: ${why}`)));
      const long = 'x'.repeat(1_500);
      await put(
        counting,
        recordOf('1', { seats: '2', customerId: 7, from: 'never', paid: true, title: long }),
      );
      await put(counting, recordOf('2', { customerId: 'é'.repeat(600), from: '2030-01-01T00:00:00Z' }));
      expect(leftOut).toEqual(['byCustomer: type', 'byPaid: length', 'bySeats: type', 'byCustomer: length']);
      expect(await found(byPaid, true)).toEqual([]);
      expect((await counting.get(`${entity}:1`))?.record.state.fields['title']?.[1]).toBe(long);
    });

    test('a record as long as an index can take is in it', async () => {
      const key = `${entity}:1`;
      const title = 'x'.repeat(1_024 - key.length - 1);
      await put(store, recordOf('1', { paid: false, title }));
      expect(await found(byPaid, false)).toEqual(['1']);
      await put(store, recordOf('1', { paid: false, title: `${title}x` }, 2_000));
      expect(await found(byPaid, false)).toEqual([]);
    });

    test('says in a scan which records lack entries, and puts them in with the record itself', async () => {
      const record = {
        ...recordOf('1', { seats: 4 }),
        pending: { 'azure-eastus': encodeStamp(1_000, 0, SITE) },
        pendingSince: 1_000,
      };
      await put(
        open(() => []),
        record,
      );
      expect(await found(bySeats, 4)).toEqual([]);
      store = open(indexEntries([byCustomer, byPaid, bySeats]));
      expect(await misindexed(store)).toContain(record.key);
      const held = await store.get(record.key);
      await store.putMany([{ record: held?.record ?? record, expected: held?.revision }]);
      expect(await found(bySeats, 4)).toEqual(['1']);
      expect((await store.get(record.key))?.record).toEqual(record);
      expect(await misindexed(store)).not.toContain(record.key);
    });

    test('clearing a marker leaves the record where it is in the indexes', async () => {
      const stamp = encodeStamp(1_000, 0, SITE);
      const marked = { pending: { 'azure-eastus': stamp, 'aws-eu-west-1': stamp }, pendingSince: 1_000 };
      await put(store, { ...recordOf('1', { seats: 5 }), ...marked });
      for (const accepted of [{ 'aws-eu-west-1': stamp }, { 'azure-eastus': stamp }])
        expect(await store.clearPending([{ key: `${entity}:1`, accepted }])).toEqual([undefined]);
      expect((await store.get(`${entity}:1`))?.record.pending).toEqual({});
      expect(await found(bySeats, 5)).toEqual(['1']);
    });
  });

  async function misindexed(store: Store): Promise<string[]> {
    const keys: string[] = [];
    let cursor: string | undefined;
    do {
      const page: ScanPage = await store.scan({ cursor, limit: 100 });
      keys.push(...(page.misindexed ?? []));
      cursor = page.next;
    } while (cursor !== undefined);
    return keys;
  }
}
