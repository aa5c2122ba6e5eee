import { describe, expect, test } from '@jest/globals';
import type { IndexEntry } from '@tandem-clouds/replication/ports/store';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { entriesIn, fromItem, type Item, toItem } from '../../../src/shared/adapters/aws/item.ts';
import {
  fromDocument,
  type StoredDocument,
  toDocument,
} from '../../../src/shared/adapters/azure/document.ts';
import { readablePage } from '../../../src/shared/adapters/readable.ts';

const stamp = encodeStamp(1, 0, 'aws-us-east-1');
const record: StoredRecord = {
  key: 'user:1',
  state: {
    fields: { name: [stamp, 'Ada', '3'] },
    sets: { tags: { 'aws-us-east-1|"red"': [stamp, 'red'] } },
    counters: { visits: { 'aws-us-east-1': [stamp, 3] } },
    vector: { 'aws-us-east-1': stamp },
  },
  pending: {},
  operations: [],
};

const ENTRIES: readonly IndexEntry[] = [{ slot: 2, hash: 'a#0#b', range: 'c!user:1' }];
const reader = {
  read: fromItem,
  keyOf: (item: Item) => item['k']?.S ?? '',
  entriesIn,
  entriesOf: () => ENTRIES,
};

const states: [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a list', []],
  ['no vector', { fields: {} }],
  ['no fields', { vector: {} }],
  ['a field that is no register', { fields: { name: 'Ada' }, vector: {} }],
  ['a register without a stamp', { fields: { name: [7, 'Ada'] }, vector: {} }],
  ['a vector of numbers', { fields: {}, vector: { a: 7 } }],
  ['a set that has no slots', { fields: {}, vector: {}, sets: { tags: ['red'] } }],
  ['a counter whose slots have no stamps', { fields: {}, vector: {}, counters: { visits: { a: 3 } } }],
];

describe('what a store holds', () => {
  test('is read as it was written', () => {
    expect(fromItem(toItem({ record, expected: undefined }, ENTRIES)).record).toEqual(record);
    expect(fromDocument({ ...toDocument(record, ENTRIES), _etag: 'e' }).record).toEqual(record);
  });

  test.each(states)('with %s for a state is no record, and its key is named', (_, state) => {
    const item = {
      ...toItem({ record, expected: undefined }, ENTRIES),
      s: { S: state === undefined ? '' : JSON.stringify(state) },
    };
    const document = { ...toDocument(record, ENTRIES), _etag: 'e', s: state } as unknown as StoredDocument;
    for (const read of [() => fromItem(item), () => fromDocument(document)]) {
      expect(read).toThrow(
        expect.objectContaining({
          code: 'unreadable',
          message: expect.stringMatching(/^user:1: .*no record/),
        }),
      );
    }
  });

  test('whose entries in the indexes are not those that it should have is named', () => {
    const good = toItem({ record, expected: undefined }, ENTRIES);
    for (const entries of [[], [{ slot: 2, hash: 'a#0#b', range: 'd!user:1' }]] as const) {
      const page = readablePage([good], { ...reader, entriesOf: () => entries });
      expect(page).toEqual({ records: [record], misindexed: ['user:1'] });
    }
  });

  test('one that is none is named, and does not take its page along', () => {
    const good = toItem({ record, expected: undefined }, ENTRIES);
    const torn = { ...good, k: { S: 'user:2' }, s: { S: '{"half' } };
    const page = readablePage([good, torn, { ...good, k: { S: 'user:3' } }] as Item[], reader);
    expect(page.records.map(({ key }) => key)).toEqual(['user:1', 'user:3']);
    expect([...(page.unreadable ?? [])]).toMatchObject([['user:2', { code: 'unreadable' }]]);
    expect(readablePage([good], reader)).toEqual({ records: [record] });
  });
});
