/** Reads that prefer to wait: until when, for how long at most, and what they answer then. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { openApiDocument } from '../../../scripts/generate/openapi.ts';
import { recordWaitMs } from '../../../src/shared/bounds.ts';
import type { HttpRequest } from '../../../src/shared/http/route.ts';
import { readAsPreferred, waitSecondsOf } from '../../../src/shared/http/waiting-read.ts';
import { bookingWith, type OwnedApi, ownedApi } from '../../helpers/owned-entity.ts';
import { START_MS } from '../../helpers/test-site.ts';
import { keyOf, ticket } from '../../helpers/ticket.ts';

let api: OwnedApi;
let path: string;
let etag: string;
let pauses: number[];

const passedMs = (): number => api.site.nowMs - START_MS;
const send = (method: string, at: string, rest: { body?: object; headers?: Record<string, string> } = {}) =>
  api.call(undefined, { method, path: at, ...rest });

/** The clock moves on by what is slept; `meanwhile` happens once so much has passed. */
function whileSleeping(
  afterMs = Infinity,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): void {
  let isDone = false;
  api.site.sleep = async (ms) => {
    pauses.push(ms);
    api.site.nowMs += ms;
    if (isDone || passedMs() < afterMs) return;
    isDone = true;
    await meanwhile();
  };
}

const move = (to: string) => send('POST', `${path}/move`, { body: { to } });

beforeEach(async () => {
  api = ownedApi(ticket, [], undefined, { trustsEverybody: true });
  pauses = [];
  const headers = { 'idempotency-key': keyOf(START_MS) };
  const created = await send('POST', '/tickets', { headers, body: { show: 'Hamlet', cents: 2_500 } });
  path = created.headers['location'] ?? '';
  etag = created.headers['etag'] ?? '';
  whileSleeping();
});

const read = (headers: Record<string, string>) => send('GET', path, { headers });
const statusOf = ({ text }: { readonly text: string }): unknown =>
  (JSON.parse(text) as { readonly status: string }).status;

describe('without If-None-Match', () => {
  test('the answer waits until the record is in no passing state', async () => {
    whileSleeping(700, async () => {
      await move('charging');
      await move('paid');
    });
    const reply = await read({ prefer: 'wait=5' });
    expect([reply.status, statusOf(reply)]).toEqual([200, 'paid']);
    expect(reply.headers['preference-applied']).toBe('wait=5');
    expect(pauses).toEqual([50, 100, 200, 400]);
  });

  test('another passing state is waited for as well, and at last the answer is what is there', async () => {
    whileSleeping(700, () => move('charging'));
    const reply = await read({ prefer: 'respond-async, wait=3' });
    expect([reply.status, statusOf(reply), passedMs()]).toEqual([200, 'charging', 3_000]);
  });

  test('what is in no passing state is answered at once', async () => {
    await move('failed');
    expect((await read({ prefer: 'wait=5' })).status).toBe(200);
    expect(pauses).toEqual([]);
  });

  test('an entity without passing states has nothing to wait for', async () => {
    const plain = ownedApi(bookingWith({}), [], undefined, { trustsEverybody: true });
    const { headers } = await plain.call(undefined, {
      method: 'POST',
      path: '/bookings',
      body: { note: 'x' },
    });
    const at = headers['location'] ?? '';
    const reply = await plain.call(undefined, { method: 'GET', path: at, headers: { prefer: 'wait=5' } });
    expect([reply.status, reply.headers['preference-applied']]).toEqual([200, undefined]);
  });

  test('a state that the caller does not see is not waited for', async () => {
    api = ownedApi({ ...ticket, readableBy: { status: ['staff'] } }, [{ name: 'ann' }]);
    whileSleeping();
    const as = (call: Parameters<OwnedApi['call']>[1]) => api.call('ann', call);
    const headers = { 'idempotency-key': keyOf(START_MS) };
    const body = { show: 'Hamlet', cents: 2_500 };
    const created = await as({ method: 'POST', path: '/tickets', headers, body });
    const at = created.headers['location'] ?? '';
    expect((await as({ method: 'GET', path: at, headers: { prefer: 'wait=5' } })).status).toBe(200);
    expect(pauses).toEqual([]);
  });
});

describe('with If-None-Match', () => {
  test('the answer waits until the record is in another state, whichever that is', async () => {
    whileSleeping(300, () => send('PATCH', path, { body: { note: 'aisle' } }));
    const reply = await read({ prefer: 'wait=5', 'if-none-match': etag });
    expect([reply.status, reply.headers['preference-applied']]).toEqual([200, 'wait=5']);
    expect(JSON.parse(reply.text)).toMatchObject({ note: 'aisle', status: 'reserving' });
    expect(passedMs()).toBeLessThan(1_000);
  });

  test('it is 304 when the time is over', async () => {
    const reply = await read({ prefer: 'wait=2', 'if-none-match': etag });
    expect([reply.status, reply.headers['preference-applied'], passedMs()]).toEqual([304, 'wait=2', 2_000]);
  });

  test('another state is answered at once, and so is any state at all', async () => {
    expect((await read({ prefer: 'wait=5', 'if-none-match': '"another"' })).status).toBe(200);
    expect((await read({ prefer: 'wait=5', 'if-none-match': '*' })).status).toBe(304);
    expect(pauses).toEqual([]);
  });
});

test('what has not arrived yet is waited for as well', async () => {
  const key = `ticket:${path.split('/').at(-1) ?? ''}`;
  await move('charging');
  await move('paid');
  const elsewhere = api.site.store.items.get(key);
  api.site.store.items.delete(key);
  whileSleeping(300, () => Promise.resolve(elsewhere && api.site.store.items.set(key, elsewhere)));
  const reply = await read({ prefer: 'wait=5' });
  expect([reply.status, statusOf(reply)]).toEqual([200, 'paid']);
  expect(pauses).toEqual([50, 100, 200]);
});

test('what was read before and is not there is not waited for, and what goes meanwhile is not found', async () => {
  const missing = (headers: object) =>
    send('GET', '/tickets/none', { headers: { prefer: 'wait=5', ...headers } });
  expect((await missing({ 'if-none-match': etag })).status).toBe(404);
  expect(pauses).toEqual([]);
  expect((await missing({})).status).toBe(404);
  expect(passedMs()).toBeGreaterThanOrEqual(4_900);
  pauses = [];
  const key = `ticket:${path.split('/').at(-1) ?? ''}`;
  whileSleeping(300, () => Promise.resolve(api.site.store.items.delete(key)));
  expect((await read({ prefer: 'wait=5' })).status).toBe(404);
});

test('a session is heeded first: its state never comes, so it is 503 and nothing else is waited for', async () => {
  const id = path.split('/').at(-1) ?? '';
  const stamp = encodeStamp(START_MS, 0, 'azure-eastus');
  const token = Buffer.from(`ticket:${id} ${stamp}`).toString('base64url');
  const reply = await read({ prefer: 'wait=9', 'x-tandem-session': token });
  expect([reply.status, passedMs()]).toEqual([503, 2_000]);
});

test.each([
  ['wait=60', undefined, recordWaitMs / 1_000],
  ['wait=10', 7_900, 5],
  ['wait=10', 2_900, undefined],
  ['wait=0', undefined, undefined],
  ['wait=-1', undefined, undefined],
  ['wait=1.5', undefined, undefined],
  ['wait=soon', undefined, undefined],
  ['wait', undefined, undefined],
  ['WAIT="4"', undefined, 4],
  ['wait=1, wait=9', undefined, 1],
])('"%s" where the function has %s ms is %s seconds', async (prefer, remainingMs, seconds) => {
  const { service } = api.used;
  const request = {
    headers: { prefer },
    ...(remainingMs !== undefined && { remainingMs: () => remainingMs - passedMs() }),
  } as unknown as HttpRequest;
  const id = path.split('/').at(-1) ?? '';
  const { headers } = await readAsPreferred(id, request, {
    entity: ticket,
    records: service,
    reader: undefined,
  });
  expect(headers['preference-applied']).toBe(seconds === undefined ? undefined : `wait=${seconds}`);
  expect(passedMs()).toBe((seconds ?? 0) * 1_000);
});

test('the contract offers it, and names the states', () => {
  const { paths } = parse(openApiDocument([ticket], [])) as {
    paths: Record<string, Record<string, { parameters: { name: string; description?: string }[] }>>;
  };
  const prefer = paths['/tickets/{ticketId}']?.['get']?.parameters.find(({ name }) => name === 'Prefer');
  expect(prefer?.description).toContain('while `status` is reserving or charging');
  expect(waitSecondsOf({})).toBeUndefined();
});
