/** What every implementation of the store port must do. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { byAge, shardOf } from '@tandem-clouds/replication/index-attributes';
import type { Json } from '@tandem-clouds/replication/json';
import { repairMarker } from '@tandem-clouds/replication/markers';
import type { PendingEntry, ScanPage, Store, Versioned } from '@tandem-clouds/replication/ports/store';
import { PARKED_FROM_MS } from '@tandem-clouds/replication/reactions/due-at';
import { DELETED, EXPIRES, type StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';

const SITE = 'aws-us-east-1';
const stamp = (ms: number): string => encodeStamp(ms, 0, SITE);

/** A record as a local write leaves it. */
export function recordOf(
  key: string,
  overrides: { value?: Json; at?: number; peers?: readonly string[] } = {},
): StoredRecord {
  const { value = 'Ada', at = 1_000, peers = ['azure-eastus'] } = overrides;
  const version = stamp(at);
  return {
    key,
    state: { fields: { name: [version, value] }, vector: { [SITE]: version } },
    version,
    pending: Object.fromEntries(peers.map((peer) => [peer, version])),
    ...(peers.length > 0 && { pendingSince: at }),
    operations: ['op1', 'op2'],
  };
}

export function describeStore(name: string, openStore: () => Store): void {
  describe(`${name} as a store`, () => {
    let store: Store;
    let serial = 0;
    const entity = (): string => `e${process.pid}x${serial}`;
    const keyOf = (id: string): string => `${entity()}:${id}`;
    const put = async (record: StoredRecord, expected?: string): Promise<string> => {
      const [result] = await store.putMany([{ record, expected }]);
      return result?.status ?? 'none';
    };
    const held = async (key: string): Promise<Versioned> => {
      const versioned = await store.get(key);
      if (versioned === undefined) throw new Error(`${key} is absent`);
      return versioned;
    };

    beforeEach(() => {
      store = openStore();
      serial += 1;
    });

    test('gives back a record exactly as it was written', async () => {
      const value = {
        text: 'ünïcode \u{1F680} "quotes"',
        list: [1, -0.5, 1e21, null, true],
        nested: { empty: {} },
      };
      const record = recordOf(keyOf('1'), { value });
      expect(await put(record)).toBe('written');
      expect((await held(record.key)).record).toEqual(record);
    });

    test('holds every character that JSON can name, in values and in names of members', async () => {
      const text = Array.from({ length: 0x21 }, (_, unit) => String.fromCharCode(unit)).join('');
      const rare = `${text}\u007F\u0085\u2028\u2029\uFDD0\uFEFF\uFFFD\uFFFE\uFFFF\u{1FFFE}\u{10FFFF}`;
      const record = recordOf(keyOf('1'), { value: { [rare]: [rare, { [`deep ${rare}`]: rare }] } });
      expect(await put(record)).toBe('written');
      expect((await held(record.key)).record).toEqual(record);
    });

    test('answers nothing for a key that was never written', async () => {
      expect(await store.get(keyOf('none'))).toBeUndefined();
      expect(await store.getMany([keyOf('none'), keyOf('nothing')])).toEqual(new Map());
    });

    test('creates a key only once', async () => {
      expect(await put(recordOf(keyOf('1')))).toBe('written');
      expect(await put(recordOf(keyOf('1'), { value: 'other' }))).toBe('stale');
      expect((await held(keyOf('1'))).record.state.fields['name']?.[1]).toBe('Ada');
    });

    test('replaces only the revision that was read', async () => {
      await put(recordOf(keyOf('1')));
      const { revision } = await held(keyOf('1'));
      expect(await put(recordOf(keyOf('1'), { value: 'second', at: 2_000 }), revision)).toBe('written');
      expect(await put(recordOf(keyOf('1'), { value: 'third', at: 3_000 }), revision)).toBe('stale');
      expect((await held(keyOf('1'))).record.version).toBe(stamp(2_000));
    });

    test('does not replace what is not there', async () => {
      expect(await put(recordOf(keyOf('1')), '7')).toBe('stale');
      expect(await store.get(keyOf('1'))).toBeUndefined();
    });

    test('what it says is there instead is true', async () => {
      await put(recordOf(keyOf('1')));
      const [result] = await store.putMany([{ record: recordOf(keyOf('1')), expected: undefined }]);
      if (result?.status !== 'stale') throw new Error('expected a stale write');
      if (result.current !== undefined) expect(result.current).toEqual(await held(keyOf('1')));
    });

    test('the revision that it answers a write with is the one that is read then', async () => {
      for (const [at, expected] of [[1_000, undefined] as const, [2_000, 'held'] as const]) {
        const before = expected && (await held(keyOf('1'))).revision;
        const record = recordOf(keyOf('1'), { value: at, at });
        const [result] = await store.putMany([{ record, expected: before }]);
        expect(result).toEqual({ status: 'written', revision: (await held(keyOf('1'))).revision });
      }
    });

    test('one of two writers with the same revision wins', async () => {
      await put(recordOf(keyOf('1')));
      const { revision } = await held(keyOf('1'));
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, i) => put(recordOf(keyOf('1'), { value: i, at: 2_000 + i }), revision)),
      );
      expect(results.filter((status) => status === 'written')).toHaveLength(1);
    });

    test('writes and reads many keys, each outcome in its place', async () => {
      const keys = Array.from({ length: 130 }, (_, i) => keyOf(String(i)));
      await put(recordOf(keys[3] ?? ''));
      const results = await store.putMany(
        keys.map((key) => ({ record: recordOf(key), expected: undefined })),
      );
      expect(results.map(({ status }) => status)).toEqual(
        keys.map((_, i) => (i === 3 ? 'stale' : 'written')),
      );
      const found = await store.getMany([...keys, keyOf('none')]);
      expect([...found.keys()].sort()).toEqual([...keys].sort());
      expect(found.get(keys[7] ?? '')?.record).toEqual(recordOf(keys[7] ?? ''));
    });

    test('a record without marker or version is kept as such', async () => {
      const record: StoredRecord = {
        key: keyOf('1'),
        state: recordOf('x:1').state,
        pending: {},
        operations: [],
      };
      await put(record);
      expect((await held(record.key)).record).toEqual(record);
    });

    test('removes a marker up to what was accepted, and the record from the index', async () => {
      await put(recordOf(keyOf('1'), { at: 5_000 }));
      await store.clearPending([{ key: keyOf('1'), accepted: { 'azure-eastus': stamp(5_000) } }]);
      const { record } = await held(keyOf('1'));
      expect(record.pending).toEqual({});
      expect(record.pendingSince).toBeUndefined();
      expect(record.state).toEqual(recordOf('x:1', { at: 5_000 }).state);
    });

    test('keeps a marker that is newer than what was accepted', async () => {
      await put(recordOf(keyOf('1'), { at: 5_000 }));
      await store.clearPending([{ key: keyOf('1'), accepted: { 'azure-eastus': stamp(4_999) } }]);
      expect((await held(keyOf('1'))).record.pending).toEqual({ 'azure-eastus': stamp(5_000) });
    });

    test('removes the marker of a repair by its exact name only', async () => {
      const marker = repairMarker(stamp(5_000), 'r1');
      const record = recordOf(keyOf('1'), { at: 5_000 });
      await put({ ...record, pending: { 'azure-eastus': marker } });
      for (const accepted of [
        stamp(5_000),
        repairMarker(stamp(5_000), 'r2'),
        repairMarker(stamp(6_000), 'r1'),
      ]) {
        await store.clearPending([{ key: keyOf('1'), accepted: { 'azure-eastus': accepted } }]);
        expect((await held(keyOf('1'))).record.pending).toEqual({ 'azure-eastus': marker });
      }
      await store.clearPending([{ key: keyOf('1'), accepted: { 'azure-eastus': marker } }]);
      expect((await held(keyOf('1'))).record.pending).toEqual({});
    });

    test('keeps since when a record is held as gone', async () => {
      const record = { ...recordOf(keyOf('1'), { at: 5_000 }), goneSince: 1_800_000_000_000 };
      await put(record);
      expect((await held(keyOf('1'))).record).toEqual(record);
    });

    test('keeps the markers of other peers', async () => {
      await put(recordOf(keyOf('1'), { at: 5_000, peers: ['azure-eastus', 'aws-eu-west-1'] }));
      await store.clearPending([{ key: keyOf('1'), accepted: { 'azure-eastus': stamp(5_000) } }]);
      const { record } = await held(keyOf('1'));
      expect(record.pending).toEqual({ 'aws-eu-west-1': stamp(5_000) });
      expect(record.pendingSince).toBe(5_000);
      await store.clearPending([{ key: keyOf('1'), accepted: { 'aws-eu-west-1': stamp(5_000) } }]);
      expect((await held(keyOf('1'))).record.pending).toEqual({});
    });

    test('clears many keys at once and passes over those that are gone or clear', async () => {
      const keys = Array.from({ length: 12 }, (_, i) => keyOf(String(i)));
      await store.putMany(keys.slice(0, 10).map((key) => ({ record: recordOf(key), expected: undefined })));
      const accepted = { 'azure-eastus': stamp(1_000) };
      await store.clearPending(keys.map((key) => ({ key, accepted })));
      await store.clearPending(keys.map((key) => ({ key, accepted })));
      const found = await store.getMany(keys);
      expect([...found.values()].map(({ record }) => record.pending)).toEqual(Array(10).fill({}));
    });

    test('a clearing makes an earlier read stale, so a merge cannot bring the marker back', async () => {
      await put(recordOf(keyOf('1')));
      const { record, revision } = await held(keyOf('1'));
      await store.clearPending([{ key: keyOf('1'), accepted: { 'azure-eastus': stamp(1_000) } }]);
      expect(await put(record, revision)).toBe('stale');
    });

    test('finds what has been pending for too long, oldest first, within the limit', async () => {
      const old = Date.now() * -1;
      const keys = ['a', 'b', 'c', 'd'].map(keyOf);
      await store.putMany(
        keys.map((key, i) => ({
          record: { ...recordOf(key), pendingSince: old - i * 1_000 },
          expected: undefined,
        })),
      );
      const found = await store.pending(old - 500, 2);
      expect(found).toEqual([
        { key: keys[3], sinceMs: old - 3_000 },
        { key: keys[2], sinceMs: old - 2_000 },
      ]);
      await store.clearPending(keys.map((key) => ({ key, accepted: { 'azure-eastus': stamp(1_000) } })));
      expect((await store.pending(old + 1, 100)).filter(({ key }) => keys.includes(key))).toEqual([]);
    });

    test('pages through what is pending without a gap or a repeat, ties of one millisecond included', async () => {
      const old = Date.now() * -3;
      const keys = Array.from({ length: 40 }, (_, i) => keyOf(String(i)));
      const sinceOf = (i: number): number => old + Math.floor(i / 15);
      await store.putMany(
        keys.map((key, i) => ({
          record: { ...recordOf(key), pendingSince: sinceOf(i) },
          expected: undefined,
        })),
      );
      const seen: PendingEntry[] = [];
      for (let page = await store.pending(old + 3, 7); page.length > 0;) {
        expect(page.length).toBeLessThanOrEqual(7);
        seen.push(...page);
        page = await store.pending(old + 3, 7, page.at(-1));
      }
      await store.clearPending(keys.map((key) => ({ key, accepted: { 'azure-eastus': stamp(1_000) } })));
      const expected = keys.map((key, i) => ({ key, sinceMs: sinceOf(i) })).sort(byAge);
      expect(seen).toEqual(expected);
      expect(await store.pending(old, 7, seen.at(-1))).toEqual([]);
    });

    test('keeps what a site knows of its reactions, and finds records by what is due first', async () => {
      const early = Date.now() * -5;
      const keys = Array.from({ length: 9 }, (_, i) => keyOf(`due-${i}`));
      const reacting = (key: string, reactions: StoredRecord['reactions']): StoredRecord => ({
        ...recordOf(key, { peers: [] }),
        ...(reactions && { reactions }),
      });
      await store.putMany(
        keys.map((key, i) => ({
          // Later reactions of a record, and what is parked, do not count; ties are in the order of the keys.
          record: reacting(key, {
            mail: { effectId: `e${i}`, dueMs: early + Math.floor(i / 2), attempts: 2, detail: 'no \u00fc' },
            copy: { effectId: 'c', dueMs: early + 50 },
            gone: { effectId: 'g', parked: { reason: 'failed', atMs: 7 } },
          }),
          expected: undefined,
        })),
      );
      const seen: string[] = [];
      for (
        let page = await store.due(early + 4, 3);
        page.length > 0;
        page = await store.due(early + 4, 3, page.at(-1))
      )
        seen.push(...page.map(({ key }) => key));
      expect(seen).toEqual(keys.slice(0, 8));
      const first = await held(keys[0] ?? '');
      expect(first.record.reactions?.['mail']).toMatchObject({ effectId: 'e0', dueMs: early, attempts: 2 });
      await put({ ...first.record, reactions: { mail: { done: 'e0' } } }, first.revision);
      expect((await store.due(early + 4, 1)).map(({ key }) => key)).toEqual([keys[1]]);
    });

    test('finds records with nothing but parked reactions behind all that is due', async () => {
      const key = keyOf('parked');
      const atMs = Date.now();
      await put({
        ...recordOf(key, { peers: [] }),
        reactions: { mail: { effectId: 'e', parked: { reason: 'failed', atMs } } },
      });
      const parkedAt = PARKED_FROM_MS + atMs;
      const found = await store.due(Number.MAX_SAFE_INTEGER, 1_000, { key: '', sinceMs: parkedAt });
      expect(found).toContainEqual({ key, sinceMs: parkedAt });
    });

    test('clearing a marker leaves reactions alone', async () => {
      const key = keyOf('cleared');
      const reactions = { mail: { effectId: 'e', dueMs: Date.now() } };
      await put({ ...recordOf(key), reactions });
      await store.clearPending([{ key, accepted: { 'azure-eastus': stamp(5_000) } }]);
      expect((await held(key)).record).toMatchObject({ pending: {}, reactions });
    });

    test('finds what is pending in one bucket of the index as in many', async () => {
      const old = Date.now() * -4;
      const first = keyOf('0');
      const keys = [first];
      for (let n = 1; keys.length < 12; n += 1)
        if (shardOf(keyOf(String(n))) === shardOf(first)) keys.push(keyOf(String(n)));
      await store.putMany(
        keys.map((key, i) => ({ record: { ...recordOf(key), pendingSince: old + i }, expected: undefined })),
      );
      const found = await store.pending(old + 100, 10);
      await store.clearPending(keys.map((key) => ({ key, accepted: { 'azure-eastus': stamp(1_000) } })));
      expect(found).toEqual(keys.slice(0, 10).map((key, i) => ({ key, sinceMs: old + i })));
    });

    describe('exposure', () => {
      const old = Date.now() * -2;
      const accepted = { 'azure-eastus': stamp(1_000), 'aws-eu-west-1': stamp(1_000) };
      /** Keys of this test with what they are pending for; they are older than all others, so they come first. */
      const exposed = async (limit = 1_000) => {
        const { entries, ...rest } = await store.exposure(limit);
        return { entries: entries.filter(({ key }) => key.startsWith(`${entity()}:`)), ...rest };
      };
      const putPending = async (keys: readonly string[], peers: readonly string[]): Promise<void> => {
        const since = (i: number): number => old + i * 1_000;
        const results = await store.putMany(
          keys.map((key, i) => ({
            record: { ...recordOf(key, { peers }), pendingSince: since(i) },
            expected: undefined,
          })),
        );
        expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['written']));
      };

      test('names what is pending, for whom and since when, oldest first', async () => {
        const keys = ['b', 'a', 'c'].map(keyOf);
        await putPending(keys, ['azure-eastus', 'aws-eu-west-1']);
        const { entries } = await exposed();
        await store.clearPending(keys.map((key) => ({ key, accepted })));
        expect(entries.map(({ key, sinceMs }) => [key, sinceMs])).toEqual([
          [keys[0], old],
          [keys[1], old + 1_000],
          [keys[2], old + 2_000],
        ]);
        for (const { peers } of entries) expect([...peers].sort()).toEqual(['aws-eu-west-1', 'azure-eastus']);
      });

      test('no longer names a peer that has accepted, nor a key that every peer has', async () => {
        await putPending(['a', 'b'].map(keyOf), ['azure-eastus', 'aws-eu-west-1']);
        const first = { 'azure-eastus': stamp(1_000) };
        await store.clearPending([
          { key: keyOf('a'), accepted: first },
          { key: keyOf('b'), accepted },
        ]);
        const { entries } = await exposed();
        await store.clearPending([{ key: keyOf('a'), accepted }]);
        expect(entries).toEqual([{ key: keyOf('a'), sinceMs: old, peers: ['aws-eu-west-1'] }]);
        expect((await exposed()).entries).toEqual([]);
      });

      test('says from when on the list is incomplete, and only when it is', async () => {
        const keys = ['a', 'b', 'c'].map(keyOf);
        await putPending(keys, ['azure-eastus']);
        const [cut, whole] = [await exposed(2), await exposed(1_000)];
        await store.clearPending(keys.map((key) => ({ key, accepted })));
        expect(cut.entries.map(({ key }) => key)).toEqual(keys.slice(0, 2));
        expect(cut.cutAtMs).toBe(old + 2_000);
        expect(whole.cutAtMs).toBeUndefined();
        expect(whole.indexLagMs).toBeGreaterThanOrEqual(0);
      });

      test('reads more keys than one request takes', async () => {
        const keys = Array.from({ length: 260 }, (_, i) => keyOf(String(i)));
        await putPending(keys, ['azure-eastus']);
        const { entries } = await exposed();
        await store.clearPending(keys.map((key) => ({ key, accepted })));
        expect(entries.map(({ key }) => key)).toEqual(keys);
      });
    });

    test('lists the keys of one entity in order, page by page', async () => {
      const ids = ['b', 'a', 'C', 'a.1', 'd~2', '0', 'Z9', 'a_1', 'a-1'];
      await store.putMany(ids.map((id) => ({ record: recordOf(keyOf(id)), expected: undefined })));
      const expected = ids.map(keyOf).sort((a, b) => (a < b ? -1 : 1));
      const seen: string[] = [];
      for (;;) {
        const page = await store.list(entity(), { after: seen.at(-1), limit: 4 });
        if (page.length === 0) break;
        expect(page.length).toBeLessThanOrEqual(4);
        seen.push(...page);
      }
      expect(seen).toEqual(expected);
    });

    test('lists the keys that begin alike, page by page, and none beside them', async () => {
      const ids = [
        'acme~2',
        'acme~1',
        'acme~z~9',
        'acme',
        'acme-x~1',
        'acme.~1',
        'acmf~1',
        'acme1~1',
        'a~acme~1',
      ];
      await store.putMany(ids.map((id) => ({ record: recordOf(keyOf(id)), expected: undefined })));
      const prefix = keyOf('acme~');
      const first = await store.list(entity(), { after: undefined, limit: 2, prefix });
      expect(first).toEqual(['acme~1', 'acme~2'].map(keyOf));
      expect(await store.list(entity(), { after: first.at(-1), limit: 2, prefix })).toEqual([
        keyOf('acme~z~9'),
      ]);
    });

    test('leaves deleted records out of lists and finds them by key', async () => {
      const record = recordOf(keyOf('1'));
      const fields = { ...record.state.fields, [DELETED]: [stamp(1_000), true] as const };
      await put({ ...record, state: { ...record.state, fields } });
      expect(await store.list(entity(), { after: undefined, limit: 10 })).toEqual([]);
      expect((await held(record.key)).record.state.fields[DELETED]?.[1]).toBe(true);
    });

    test('keeps an expired record for as long as it is pending', async () => {
      const record = recordOf(keyOf('1'));
      const fields = { ...record.state.fields, [EXPIRES]: [stamp(1_000), 1_000] as const };
      await put({ ...record, state: { ...record.state, fields } });
      expect((await held(record.key)).record.pending).toEqual(record.pending);
    });

    describe('a scan', () => {
      interface Scanned {
        /** Those of this test. */
        readonly records: readonly StoredRecord[];
        readonly keys: readonly string[];
        readonly pages: readonly ScanPage[];
      }
      const scan = async (
        limit: number,
        afterPage: (page: ScanPage) => Promise<void> = () => Promise.resolve(),
      ): Promise<Scanned> => {
        const pages: ScanPage[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.scan({ cursor, limit });
          await afterPage(page);
          pages.push(page);
          cursor = page.next;
        } while (cursor !== undefined);
        const own = pages
          .flatMap(({ records }) => records)
          .filter(({ key }) => key.startsWith(`${entity()}:`));
        return { records: own, keys: own.map(({ key }) => key).sort(), pages };
      };
      const fill = async (count: number, value: Json = 'Ada'): Promise<readonly string[]> => {
        const keys = Array.from({ length: count }, (_, i) => keyOf(String(i)));
        await store.putMany(keys.map((key) => ({ record: recordOf(key, { value }), expected: undefined })));
        return keys.sort();
      };

      test('has every record in exactly one page', async () => {
        const filled = await fill(23);
        const { keys, pages } = await scan(10);
        expect(keys).toEqual(filled);
        for (const { records, next = '' } of pages) {
          expect(records.length).toBeLessThanOrEqual(10);
          expect(next.length).toBeLessThanOrEqual(4_096);
        }
      });

      test('gives records exactly as they were written, deleted ones too', async () => {
        const { state, ...rest } = recordOf(keyOf('1'), { value: { text: 'ünïcode', list: [null, 1e21] } });
        const fields = { ...state.fields, [DELETED]: [stamp(1_000), true] as const };
        const record = { ...rest, state: { ...state, fields } };
        await put(record);
        expect((await scan(100)).records).toEqual([record]);
      });

      test('goes on where it was although the last record that it gave is gone', async () => {
        const filled = await fill(40);
        const { keys } = await scan(15, async ({ records }) => {
          const key = records.at(-1)?.key;
          // The last page may be empty.
          if (key === undefined) return;
          const { revision } = await held(key);
          expect(await store.remove(key, revision)).toBe(true);
        });
        expect(keys).toEqual(filled);
      });

      test('loses and repeats nothing that is left alone while others write', async () => {
        const filled = await fill(40);
        const [touched, untouched] = [filled.slice(0, 8), filled.slice(8)];
        let round = 0;
        const { keys } = await scan(15, async () => {
          round += 1;
          await put(recordOf(keyOf(`new${round}`)));
          const { record, revision } = await held(touched[round % touched.length] ?? '');
          await put(record, revision);
        });
        expect(keys.filter((key) => untouched.includes(key))).toEqual(untouched);
      });

      test('that is ordered has every record in exactly one page', async () => {
        const filled = await fill(23);
        const found: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.scan({ cursor, limit: 10, ordered: true });
          expect(page.records.length).toBeLessThanOrEqual(10);
          found.push(...page.records.map(({ key }) => key));
          cursor = page.next;
        } while (cursor !== undefined);
        expect(found.filter((key) => key.startsWith(`${entity()}:`)).sort()).toEqual(filled);
        expect(new Set(found).size).toBe(found.length);
      });

      test.each([true, false])(
        'goes on behind any record by its key alone (ordered: %s)',
        async (ordered) => {
          const filled = await fill(7);
          const found: string[] = [];
          let cursor: string | undefined;
          let byKey = false;
          do {
            const page = await store.scan({ cursor, limit: 1, ordered });
            const behind = await store.scanKeys({ cursor, ordered });
            // A store that cannot tell says so from the first page on.
            if (behind === undefined) expect([ordered, cursor]).toEqual([false, undefined]);
            if (behind === undefined) return;
            expect(behind.keys).toEqual(page.records.map(({ key }) => key));
            found.push(...behind.keys);
            cursor = byKey ? page.next : behind.next;
            byKey = !byKey;
          } while (cursor !== undefined);
          expect(found.filter((key) => key.startsWith(`${entity()}:`)).sort()).toEqual(filled);
        },
      );

      test('has smaller pages than were asked for when the records are large, and loses none', async () => {
        const filled = await fill(48, 'x'.repeat(100_000));
        const { keys, pages } = await scan(1_000);
        expect(keys).toEqual(filled);
        if (name !== 'memory') expect(pages.length).toBeGreaterThan(1);
      });
    });

    describe('removing', () => {
      test('takes a record away, from lists and from what is pending too', async () => {
        await put({ ...recordOf(keyOf('1')), pendingSince: Date.now() * -3 });
        expect(await store.remove(keyOf('1'), (await held(keyOf('1'))).revision)).toBe(true);
        expect(await store.get(keyOf('1'))).toBeUndefined();
        expect(await store.list(entity(), { after: undefined, limit: 10 })).toEqual([]);
        expect((await store.exposure(1_000)).entries.filter(({ key }) => key === keyOf('1'))).toEqual([]);
      });

      test('leaves a record that somebody has written since', async () => {
        await put(recordOf(keyOf('1')));
        const { revision } = await held(keyOf('1'));
        await put(recordOf(keyOf('1'), { value: 'second', at: 2_000 }), revision);
        expect(await store.remove(keyOf('1'), revision)).toBe(false);
        expect((await held(keyOf('1'))).record.version).toBe(stamp(2_000));
      });

      test('says no for what is not there', async () => {
        await put(recordOf(keyOf('1')));
        const { revision } = await held(keyOf('1'));
        expect(await store.remove(keyOf('1'), revision)).toBe(true);
        expect(await store.remove(keyOf('1'), revision)).toBe(false);
      });

      test('a revision from before does not fit a record that was created since', async () => {
        await put(recordOf(keyOf('1')));
        const { revision } = await held(keyOf('1'));
        await store.remove(keyOf('1'), revision);
        await put(recordOf(keyOf('1'), { value: 'again', at: 2_000 }));
        expect(await put(recordOf(keyOf('1')), revision)).toBe('stale');
        expect(await store.remove(keyOf('1'), revision)).toBe(false);
        expect((await held(keyOf('1'))).record.version).toBe(stamp(2_000));
      });
    });

    test('answers a ping', async () => {
      await expect(store.ping()).resolves.toBeUndefined();
    });
  });
}
