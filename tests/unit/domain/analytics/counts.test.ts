import { beforeEach, expect, test } from '@jest/globals';
import type { PutResult } from '@tandem-clouds/replication/ports/store';
import { DELETED, type StoredRecord } from '@tandem-clouds/replication/record';
import { HAPPENED } from '@tandem-clouds/replication/reserved';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { countHappened } from '../../../../src/shared/domain/analytics/count.ts';
import { happenedIndex, type HappeningKind } from '../../../../src/shared/domain/analytics/happened.ts';
import { countDays, countHours, reading } from '../../../../src/shared/domain/analytics/recount.ts';
import { totalOf } from '../../../../src/shared/domain/analytics/tally.ts';
import { dayOf, hourOf } from '../../../../src/shared/domain/analytics/units.ts';
import { indexEntries } from '../../../../src/shared/domain/indexes/index-entry.ts';
import { TestSite } from '../../../helpers/test-site.ts';

const AWS = 'aws-us-east-1';
const AZURE = 'azure-eastus';
/** 2027-01-15T08:00:00Z */
const HOUR_MS = 1_800_000_000_000;
const MINUTE_MS = 60_000;
const SETTLED_MS = 3 * MINUTE_MS;

let site: TestSite;

beforeEach(() => {
  site = new TestSite(AWS);
  site.store.entriesOf = indexEntries([happenedIndex]);
});

/** A record as it has arrived, or was written. */
async function hold(
  key: string,
  fields: Record<string, unknown>,
  from = AWS,
  stampMs = site.nowMs,
): Promise<void> {
  const stamp = encodeStamp(stampMs, 0, from);
  const held = await site.store.get(key);
  const record = {
    key,
    state: {
      fields: {
        ...held?.record.state.fields,
        ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, [stamp, value]])),
      },
      vector: { [from]: stamp },
    },
    version: stamp,
    pending: {},
    operations: [],
  } as unknown as StoredRecord;
  const [result] = (await site.store.putMany([{ record, expected: held?.revision }])) as [PutResult];
  expect(result.status).toBe('written');
}

const order = (atMs: number, fields: object = {}): Record<string, unknown> => ({
  createdAt: new Date(atMs).toISOString(),
  currency: 'EUR',
  lines: [{ sku: 'tea', units: 2, priceMinor: 790 }],
  status: 'reserving',
  ...fields,
});

const note = (key: string, kind: HappeningKind): Promise<unknown> =>
  site.run(countHappened({ site: site.site, key, attempt: 1 }, kind));

/** Minute of the hour → what both sites together did, as far as it is not zero. */
async function minutes(hourMs = HOUR_MS): Promise<Record<string, object>> {
  const hours = await site.run(countHours(site.site, [hourOf(hourMs)], reading()));
  const { parts = {} } = hours.get(hourOf(hourMs)) ?? {};
  return Object.fromEntries(Object.entries(parts).map(([part, tally]) => [part, figures(totalOf(tally))]));
}

const figures = (counts: object): object =>
  Object.fromEntries(
    Object.entries(counts).filter(([, value]: [string, unknown]) =>
      typeof value === 'number' ? value > 0 : Object.keys(value as object).length > 0,
    ),
  );

async function settle(): Promise<void> {
  site.nowMs += SETTLED_MS;
  await minutes();
  await site.run(countDays(site.site, [dayOf(HOUR_MS)], reading()));
}

test('counts an order once, however often its reaction runs', async () => {
  await hold('order:a', order(HOUR_MS + 5 * MINUTE_MS));
  await Promise.all([note('order:a', 'placed'), note('order:a', 'placed')]);
  await settle();
  await note('order:a', 'placed');
  expect(await minutes()).toEqual({ 5: { orders: 1 } });
});

test('an order that arrives an hour late changes the minute that it was placed in', async () => {
  await hold('order:a', order(HOUR_MS + 5 * MINUTE_MS));
  await note('order:a', 'placed');
  await settle();
  site.nowMs = HOUR_MS + 65 * MINUTE_MS;
  await hold('order:b', order(HOUR_MS + 5 * MINUTE_MS + 1), AZURE, HOUR_MS + 5 * MINUTE_MS);
  await note('order:b', 'placed');
  expect(await minutes()).toEqual({ 5: { orders: 2 } });
  await settle();
  const [[, day] = []] = [...(await site.run(countDays(site.site, [dayOf(HOUR_MS)], reading())))];
  expect(day?.parts).toMatchObject({ 32: { [AWS]: { orders: 1 }, [AZURE]: { orders: 1 } } });
});

test('where two sites learned at different moments that it was charged, it is counted once, where both come to agree', async () => {
  const paid = (atMs: number): object => ({ status: 'paid', paidFrom: AWS, paidAtMs: atMs });
  await hold('order:a', order(HOUR_MS, paid(HOUR_MS + 10 * MINUTE_MS)));
  await note('order:a', 'paid');
  await settle();
  expect(await minutes()).toEqual({ 10: { paid: 1, revenue: { EUR: 1_580 } } });
  // A site that was taken for lost is back, and its later verdict stands.
  await hold('order:a', order(HOUR_MS, paid(HOUR_MS + 20 * MINUTE_MS)), AZURE);
  await note('order:a', 'paid');
  expect(await minutes()).toEqual({ 20: { paid: 1, revenue: { EUR: 1_580 } } });
  await settle();
  expect(await minutes()).toEqual({ 20: { paid: 1, revenue: { EUR: 1_580 } } });
});

test('a refund is counted when it was asked for, and not when it was refused', async () => {
  const id = (atMs: number, last: string): string => {
    const time = atMs.toString(16).padStart(12, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-00000000000${last}`;
  };
  const refunded = {
    [id(HOUR_MS + 30 * MINUTE_MS, '1')]: { amountMinor: 500, status: 'done' },
    [id(HOUR_MS + 31 * MINUTE_MS, '2')]: { amountMinor: 80, status: 'pending' },
    [id(HOUR_MS + 32 * MINUTE_MS, '3')]: { amountMinor: 7, status: 'refused: too late' },
  };
  await hold('order:a', order(HOUR_MS, { status: 'paid', paidFrom: AWS, paidAtMs: HOUR_MS, refunded }));
  await note('order:a', 'refunded');
  expect(await minutes()).toEqual({ 30: { refunded: { EUR: 500 } }, 31: { refunded: { EUR: 80 } } });
});

test('a sign-up is counted where it was, until the account is deleted, and anew when it is made again', async () => {
  await hold('user:hedy', { createdAt: new Date(HOUR_MS).toISOString() }, AZURE);
  await note('user:hedy', 'signUp');
  await settle();
  const hours = await site.run(countHours(site.site, [hourOf(HOUR_MS)], reading()));
  expect(Object.keys(hours.get(hourOf(HOUR_MS))?.parts[0] ?? {})).toEqual([AZURE]);
  await hold('user:hedy', { createdAt: null, [DELETED]: true });
  await note('user:hedy', 'signUp');
  expect(await minutes()).toEqual({});
  await settle();
  expect(await minutes()).toEqual({});
  await hold('user:hedy', { createdAt: new Date(HOUR_MS + MINUTE_MS).toISOString(), [DELETED]: false });
  await note('user:hedy', 'signUp');
  expect(await minutes()).toEqual({ 1: { signUps: 1 } });
});

test('the last moment of a day is in that day, and the next one in the other', async () => {
  const midnightMs = Date.parse('2027-01-16T00:00:00Z');
  await hold('order:a', order(midnightMs - 1));
  await hold('order:b', order(midnightMs), AZURE);
  await Promise.all([note('order:a', 'placed'), note('order:b', 'placed')]);
  const days = await site.run(countDays(site.site, ['2027-01-15', '2027-01-16'], reading()));
  expect([...days].map(([day, { parts }]) => [day, Object.keys(parts)])).toEqual([
    ['2027-01-15', ['95']],
    ['2027-01-16', ['0']],
  ]);
});

test('what a reader has counted before a mark had stood is counted again', async () => {
  await hold('order:a', order(HOUR_MS));
  await note('order:a', 'placed');
  // The index has not caught up: it is as if there was nothing yet.
  const found = site.store.entries.bind(site.store);
  site.store.entries = () => Promise.resolve([]);
  expect(await minutes()).toEqual({});
  site.store.entries = found;
  expect(await minutes()).toEqual({ 0: { orders: 1 } });
});

test('a mark that is set while a reader counts stays', async () => {
  await hold('order:a', order(HOUR_MS));
  await note('order:a', 'placed');
  site.nowMs += SETTLED_MS;
  const found = site.store.entries.bind(site.store);
  site.store.entries = async (query) => {
    const page = await found(query);
    site.store.entries = found;
    await hold('order:b', order(HOUR_MS + 1));
    await note('order:b', 'placed');
    return page;
  };
  await minutes();
  await settle();
  expect(await minutes()).toEqual({ 0: { orders: 2 } });
});

test('a closed minute is read without the index', async () => {
  await hold('order:a', order(HOUR_MS));
  await note('order:a', 'placed');
  await settle();
  const asked: string[] = [];
  site.store.before = (operation) => void asked.push(operation);
  expect(await minutes()).toEqual({ 0: { orders: 1 } });
  expect(asked).toEqual(['getMany']);
});

test('more than a page of one minute is counted whole, and too much at once over several requests', async () => {
  for (let index = 0; index < 900; index += 1) {
    await hold(`order:${index}`, order(HOUR_MS + 7 * MINUTE_MS + index));
    await note(`order:${index}`, 'placed');
  }
  await hold('order:next', order(HOUR_MS + 61 * MINUTE_MS));
  await note('order:next', 'placed');
  expect(await minutes()).toEqual({ 7: { orders: 900 } });
  site.nowMs += SETTLED_MS;
  const hours = [hourOf(HOUR_MS), hourOf(HOUR_MS + 61 * MINUTE_MS)];
  const few = { happenings: 500 };
  await expect(site.run(countHours(site.site, hours, few))).rejects.toThrow('over several requests');
  const counted = await site.run(countHours(site.site, hours, { happenings: 500 }));
  expect([...counted.values()].map(({ isSettled }) => isSettled)).toEqual([true, true]);
});

test('what is kept of a happening names no person and no order', async () => {
  await hold('user:hedy', { createdAt: new Date(HOUR_MS).toISOString() });
  await note('user:hedy', 'signUp');
  const kept = [...site.store.items.values()].filter(({ record }) => record.key.startsWith(`${HAPPENED}:`));
  expect(kept).toHaveLength(1);
  expect(JSON.stringify(kept)).not.toContain('hedy');
  expect(kept[0]?.record.pending).toEqual({});
});
