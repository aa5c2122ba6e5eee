/** Whose records they are: what callers, and whoever acts for them, are answered. */
import { expect, test } from '@jest/globals';
import type { HttpResponse } from '../../../infra/rollout/contract-breaches.ts';
import type { Entity } from '../../../src/shared/domain/entity.ts';
import { ANY_OWNER, ANY_TENANT, Scope, tenantPart } from '../../../src/shared/domain/scope.ts';
import { sessionToken } from '../../../src/shared/http/session.ts';
import { bookingWith, type OwnedApi, ownedApi } from '../../helpers/owned-entity.ts';

const CALLERS = [
  { name: 'ann', claims: { org: 'acme' } },
  { name: 'bob', claims: { org: 'acme' } },
  { name: 'clerk', scopes: [ANY_OWNER], claims: { org: 'acme' } },
  { name: 'root', scopes: [ANY_OWNER, ANY_TENANT] },
  { name: 'nobody' },
];
const bodyOf = ({ text }: HttpResponse): Record<string, unknown> =>
  JSON.parse(text) as Record<string, unknown>;
const idsIn = (response: HttpResponse): unknown[] =>
  (bodyOf(response)['items'] as { bookingId: string }[]).map(({ bookingId }) => bookingId);

const owned = (): OwnedApi => ownedApi(bookingWith({ owner: 'customerId' }), CALLERS);
const tenanted = (): OwnedApi => ownedApi(bookingWith({ tenant: 'org' }), CALLERS);

async function create(
  { call }: OwnedApi,
  caller: string | undefined,
  headers: Record<string, string> = {},
): Promise<string> {
  const body = { note: `of ${caller ?? 'anybody'}`, room: 'r1' };
  const created = await call(caller, { method: 'POST', path: '/bookings', body, headers });
  expect(created.status).toBe(201);
  return bodyOf(created)['bookingId'] as string;
}

const as = (api: OwnedApi, caller: string, path: string, headers: Record<string, string> = {}) =>
  api.call(caller, { method: 'GET', path, headers });

test('a record belongs to who created it: others are told that it does not exist, and have their own list', async () => {
  const api = owned();
  const [anns, bobs] = [await create(api, 'ann'), await create(api, 'bob')];
  expect(bodyOf(await as(api, 'ann', `/bookings/${anns}`))['customerId']).toBe('service|ann');
  for (const [method, path] of [
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['POST', '/cancel'],
  ] as const) {
    const body = method === 'PATCH' ? { note: 'mine' } : undefined;
    const of = (id: string) =>
      api.call('bob', { method, path: `/bookings/${id}${path}`, headers: { 'x-request-id': 'r' }, body });
    const [others, none] = [await of(anns), await of('none')];
    expect([others.status, others.text.replaceAll(anns, 'none')]).toEqual([404, none.text]);
  }
  expect(idsIn(await as(api, 'ann', '/bookings'))).toEqual([anns]);
  expect(idsIn(await as(api, 'bob', '/bookings?order=desc&limit=1'))).toEqual([bobs]);
});

test('rules know of no caller where nobody is asked who they are', async () => {
  const api = ownedApi(bookingWith({ owner: 'customerId' }), [], undefined, { trustsEverybody: true });
  const id = await create(api, undefined);
  const headers = { 'x-tandem-owner': 'hedy' };
  const path = `/bookings/${await create(api, undefined, headers)}/cancel`;
  for (const asked of [{ path: `/bookings/${id}/cancel` }, { path, headers }]) {
    const { tags } = bodyOf(await api.call(undefined, { method: 'POST', ...asked }));
    expect(tags).toEqual([expect.stringMatching(/cancelled by \? of \?/)]);
  }
});

test('a key gives the same id whether its owner is named or nobody is asked who they are', () => {
  const anybody = { subject: 'anybody', scopes: [ANY_OWNER], claims: {}, tenant: undefined };
  const actedFor = (owner?: string) =>
    new Scope(bookingWith({ owner: 'customerId' }), anybody, { owner, isAnybody: true }).actedFor;
  expect([actedFor(), actedFor('anybody'), actedFor('hedy')]).toEqual([[], [], ['owner hedy']]);
});

test('an index that is declared on the owner lists what is theirs, and the first of several what names no range', async () => {
  const lists = async (indexes: Entity['indexes']): Promise<unknown[]> => {
    const api = ownedApi({ ...bookingWith({ owner: 'customerId' }), indexes }, CALLERS);
    for (const note of ['b', 'c', 'a'])
      await api.call('ann', { method: 'POST', path: '/bookings', body: { note, room: 'r1' } });
    const queries = ['', '?order=desc', '?note[gte]=b', '?createdAt[gt]=1970-01-01T00:00:00Z'];
    return Promise.all(
      queries.map(async (query) => {
        const reply = await as(api, 'ann', `/bookings${query}`);
        if (reply.status !== 200) return reply.status;
        return (bodyOf(reply)['items'] as { note: string }[]).map(({ note }) => note).join('');
      }),
    );
  };
  const [byNote, byAge] = [{ on: 'customerId', order: 'note' }, { on: 'customerId' }];
  expect(await lists({ byNote })).toEqual(['abc', 'cba', 'bc', 400]);
  expect(await lists({ byNote, byAge })).toEqual(['abc', 'cba', 'bc', 'bca']);
  expect(await lists({ byAge, byNote })).toEqual(['bca', 'acb', 'bc', 'bca']);
});

test('the owner is nobody’s choice, and neither is the id of what has owners', async () => {
  const { call } = owned();
  const write = (body: object) => call('ann', { method: 'POST', path: '/bookings', body });
  const chosen = await write({ note: 'x', customerId: 'service|bob' });
  expect([chosen.status, bodyOf(chosen)['errors']]).toMatchObject([400, [{ pointer: '/customerId' }]]);
  const named = await write({ note: 'x', bookingId: 'mine' });
  expect([named.status, bodyOf(named)['errors']]).toMatchObject([
    400,
    [{ pointer: '/bookingId', rule: 'owner' }],
  ]);
});

test('with the scope for it, all owners are seen, one of them is acted for, and ids are chosen', async () => {
  const api = owned();
  const [anns, bobs] = [await create(api, 'ann'), await create(api, 'bob')];
  expect(idsIn(await as(api, 'clerk', '/bookings'))).toEqual([anns, bobs].sort());
  const forAnn = { 'x-tandem-owner': 'service%7Cann' };
  expect(idsIn(await as(api, 'clerk', '/bookings', forAnn))).toEqual([anns]);
  expect((await as(api, 'clerk', `/bookings/${bobs}`, forAnn)).status).toBe(404);
  const made = await create(api, 'clerk', forAnn);
  expect((await as(api, 'ann', `/bookings/${made}`)).status).toBe(200);
  const refused = await as(api, 'bob', '/bookings', forAnn);
  expect([refused.status, bodyOf(refused)['detail']]).toEqual([
    403,
    'to act for another owner takes the scope tandem/any-owner',
  ]);
});

test('one key of a clerk is another request for each owner', async () => {
  const api = owned();
  const keyed = (owner: string) =>
    create(api, 'clerk', { 'idempotency-key': 'k', 'x-tandem-owner': encodeURIComponent(owner) });
  const [a, b] = [await keyed('service|ann'), await keyed('service|bob')];
  expect(a).not.toBe(b);
  expect(idsIn(await as(api, 'bob', '/bookings'))).toEqual([b]);
});

test('a token that was made up says nothing of what others have, or had', async () => {
  const api = owned();
  const id = await create(api, 'ann');
  const tokenOf = (key: string) =>
    sessionToken({ ...api.site.held(`booking:${id}`)!, key: `booking:${key}` });
  const asked = async (of: string): Promise<string> => {
    const headers = { 'x-tandem-session': tokenOf(of), 'x-request-id': 'r' };
    const one = await as(api, 'bob', `/bookings/${of}`, headers);
    return [one, await as(api, 'bob', '/bookings', headers)]
      .map(({ status, text }) => `${status} ${text}`)
      .join();
  };
  const none = await asked('none');
  expect(none).toMatch(/^503 /);
  expect(await asked(id)).toBe(none);
  const deleted = await api.call('ann', { method: 'DELETE', path: `/bookings/${id}` });
  expect(await asked(id)).toBe(none);
  const own = { 'x-tandem-session': deleted.headers['x-tandem-session'] ?? '' };
  expect((await as(api, 'ann', `/bookings/${id}`, own)).status).toBe(404);
});

test('a tenant is part of the key, and another tenant has the same ids for itself', async () => {
  const api = tenanted();
  const put = (caller: string, headers = {}) =>
    api.call(caller, {
      method: 'POST',
      path: '/bookings',
      body: { bookingId: 'b1', note: caller, room: 'r1' },
      headers,
    });
  const zeta = { 'x-tandem-tenant': 'zeta' };
  expect((await put('ann')).headers['location']).toBe('/bookings/b1');
  expect((await put('bob')).status).toBe(409);
  expect((await put('root', zeta)).status).toBe(201);
  expect(bodyOf(await as(api, 'bob', '/bookings/b1'))['note']).toBe('ann');
  expect(bodyOf(await as(api, 'root', '/bookings/b1', zeta))['note']).toBe('root');
  expect([...api.site.store.items.keys()].filter((key) => key.startsWith('booking:'))).toEqual([
    'booking:acme~b1',
    'booking:zeta~b1',
  ]);
  expect(bodyOf(await as(api, 'bob', '/bookings?room=r1'))['items']).toHaveLength(1);
});

test('without the claim, or for another tenant, the answer says what is missing', async () => {
  const { call } = tenanted();
  const list = { method: 'GET', path: '/bookings' };
  const [without, other, unnamed] = [
    await call('nobody', list),
    await call('ann', { ...list, headers: { 'x-tandem-tenant': 'zeta' } }),
    await call('root', list),
  ];
  expect([without, other, unnamed].map((response) => [response.status, bodyOf(response)['detail']])).toEqual([
    [403, 'bookings belong to tenants: the token has no claim org of 1 to 256 characters'],
    [403, 'to act for another tenant takes the scope tandem/any-tenant'],
    [
      403,
      'bookings belong to tenants: the token has no claim org of 1 to 256 characters; name the tenant to act for',
    ],
  ]);
});

test('where nobody is asked who they are, what has owners is for nobody, unless everybody is trusted', async () => {
  const body = { note: 'x', room: 'r1' };
  const closed = ownedApi(bookingWith({ owner: 'customerId' }), []);
  const refused = await closed.call(undefined, { method: 'POST', path: '/bookings', body });
  expect([refused.status, bodyOf(refused)['detail']]).toEqual([
    403,
    'bookings have owners, and this site asks nobody who they are',
  ]);
  const open = ownedApi(bookingWith({ owner: 'customerId', tenant: 'org' }), [], undefined, {
    trustsEverybody: true,
  });
  const headers = { 'x-tandem-tenant': 'acme', 'x-tandem-owner': 'c1' };
  const made = await open.call(undefined, { method: 'POST', path: '/bookings', body, headers });
  expect([made.status, bodyOf(made)['customerId']]).toEqual([201, 'c1']);
  expect(idsIn(await open.call(undefined, { method: 'GET', path: '/bookings', headers }))).toHaveLength(1);
});

test.each([
  ['a plain name, as it is', 'acme.eu-1', 'acme.eu-1'],
  ['a UUID, as it is', '72f988bf-86f1-41af-91ab-2d7cd011db47', '72f988bf-86f1-41af-91ab-2d7cd011db47'],
  ['what could end early', 'acme~b1', `h.${'d'.repeat(38)}`],
  ['what is long', 'x'.repeat(41), `h.${'d'.repeat(38)}`],
  ['what looks like a digest', 'h.abc', `h.${'d'.repeat(38)}`],
  ['what is no ASCII', 'Zürich', `h.${'d'.repeat(38)}`],
])('a tenant stands in keys: %s', (_title, tenant, part) => {
  expect(tenantPart(tenant, () => 'd'.repeat(64))).toBe(part);
});
