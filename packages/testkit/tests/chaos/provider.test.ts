import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Provider, type ProviderFault } from '../../src/chaos/reactions/provider.ts';
import { Random } from '../../src/random.ts';

let provider: Provider;

beforeAll(async () => {
  provider = await Provider.open(new Random(1));
});

afterAll(async () => {
  await provider.close();
});

/** The status; 0 without an answer. */
async function call(key: string, change: string): Promise<number> {
  const body = JSON.stringify({ key: 'parcel:p', change, site: 'a' });
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  return fetch(provider.url, { method: 'POST', headers, body }).then(
    ({ status }) => status,
    () => 0,
  );
}

test('does what has one key once, and keeps every call', async () => {
  expect([await call('k1', 'c1'), await call('k1', 'c1'), await call('k2', 'c2')]).toEqual([200, 200, 200]);
  expect(provider.calls.map(({ effectId, performed }) => [effectId, performed])).toEqual([
    ['k1', true],
    ['k1', false],
    ['k2', true],
  ]);
});

test('refuses for good what it never accepts', async () => {
  expect(await call('k3', 'c3-refused')).toBe(422);
  expect(provider.calls.at(-1)).toMatchObject({ performed: false, reply: 'refused' });
});

test.each<[ProviderFault, string, boolean]>([
  ['down', 'failed', false],
  ['failing', 'failed', false],
  ['silent', 'lost', true],
])('while it is %s, a call is %s', async (fault, reply, performed) => {
  const lift = provider.impose(fault);
  // A fault of chance hits most of them.
  for (let n = 0; n < 10; n += 1) await call(`${fault}${n}`, 'c4');
  lift();
  const hit = provider.calls.filter((each) => each.effectId.startsWith(fault) && each.reply === reply);
  expect(hit.length).toBeGreaterThan(3);
  expect(hit.every((each) => each.performed === performed)).toBe(true);
});

test('is down for one site only, where that is asked for', async () => {
  const lift = provider.impose('down', 'b');
  expect(await call('k5', 'c5')).toBe(200);
  lift();
});
