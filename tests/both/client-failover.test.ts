/**
 * What the client sends again, at this cloud and at its peer: effects of both meet as the peer's messages are applied.
 * Runs once per cloud; the peer runs the same routes over a store in memory.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTandemClient, type TandemClient } from '@tandem-clouds/client';
import { OutcomeUnknown, ProblemError, UnavailableError } from '@tandem-clouds/client/errors';
import type { ClientOptions } from '@tandem-clouds/client/options';
import { cloudName } from '#cloud';
import { requestsRemembered } from '../../src/shared/bounds.ts';
import { EntityService } from '../../src/shared/domain/entity-service.ts';
import { user } from '../../src/shared/entities/user.ts';
import { userCreate, userPatch } from '../../src/shared/generated/validators.js';
import { entityRoutes } from '../../src/shared/http/entity-routes.ts';
import { httpService } from '../../src/shared/http/service.ts';
import { type CallApi, openApi } from '../helpers/api.ts';
import { deliver, type Delivery, invokeLambda } from '../helpers/call.ts';
import { checkUser } from '../helpers/check-user.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { TestSite } from '../helpers/test-site.ts';

const ADA = { name: 'Ada Lovelace', email: 'ada@example.com' };

let clouds: LinkedClouds;
let call: CallApi;
let apply: unknown;
let forward: unknown;

beforeAll(async () => {
  clouds = await startLinkedClouds(cloudName);
  call = await openApi();
  ({ handler: apply } = await import('../../src/bridge/apply.ts'));
  ({ handler: forward } = await import('../../src/bridge/forward.ts'));
});
afterAll(() => clouds.close());

/** One request after the other is lost after its effect, at the site that is named. */
let lost: string[];
/** Sites that nobody reaches. */
let down: Set<string>;
let asked: string[];
let peer: TestSite;
let atPeer: unknown;

beforeEach(() => {
  [lost, down, asked] = [[], new Set(), []];
  peer = new TestSite(clouds.peer.site, [clouds.own.site]);
  peer.nowMs = Date.now();
  peer.sleep = (ms) => {
    peer.nowMs += ms;
    return Promise.resolve();
  };
  const service = new EntityService(user, peer.replica(), checkUser);
  atPeer = httpService({
    site: clouds.peer.site,
    routes: entityRoutes(user, service, { create: userCreate, patch: userPatch, actions: {} }),
    logger: { log: () => undefined },
    elapsed: () => performance.now(),
  });
});

/** A client whose first site is this cloud, as real as the tests have it. */
function openClient(options: Partial<ClientOptions> = {}): TandemClient {
  return createTandemClient({
    sites: [
      { url: 'http://own.test', name: 'own' },
      { url: 'http://peer.test', name: 'peer' },
    ],
    totalMs: 20_000,
    async fetch(url, { method = 'GET', headers, body }) {
      const { hostname, pathname, search } = new URL(url);
      const site = hostname === 'own.test' ? 'own' : 'peer';
      asked.push(site);
      if (down.has(site)) throw failure('ECONNREFUSED');
      const path = pathname + search;
      const rest = {
        headers: Object.fromEntries(headers as Headers),
        ...(typeof body === 'string' && { body }),
      };
      const {
        status,
        headers: answered,
        text,
      } = site === 'own'
        ? await call(method, path, rest)
        : await invokeLambda(atPeer, { method, path, ...rest });
      if (lost[0] === site) {
        lost.shift();
        throw failure('ECONNRESET');
      }
      return new Response(status === 204 ? null : text, {
        status,
        headers: answered as Record<string, string>,
      });
    },
    ...options,
  });
}

function failure(code: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
}

/** What the peer has written reaches this cloud. */
async function cross(): Promise<void> {
  const messages: Delivery[] = peer.outbox.sent.splice(0).map(({ body }) => ({ body }));
  expect(await deliver(cloudName, apply, messages)).toEqual([]);
}

/** A record that both hold. */
async function agreed(client: TandemClient): Promise<string> {
  const { data } = await client.collection('users').create(ADA, { site: 'peer' });
  await cross();
  return data.id;
}

async function here(id: string): Promise<Record<string, unknown>> {
  return (await call('GET', `/users/${id}`)).json;
}

describe(`a call whose answer is lost at ${cloudName}`, () => {
  test('a creation is repeated at the peer and is one record when both meet', async () => {
    const client = openClient();
    lost = ['own'];
    const { data, site } = await client.collection('users').create(ADA);
    expect([asked, site]).toEqual([['own', 'peer'], clouds.peer.site]);
    await cross();
    expect(await here(data.id)).toMatchObject({ id: data.id, ...ADA });
    const ids: string[] = [];
    for await (const { id } of client.collection('users').list({ limit: 100 }, { site: 'own' })) ids.push(id);
    expect(ids.filter((id) => id === data.id)).toHaveLength(1);
  });

  test('a patch of plain fields and of a set is repeated at the peer and holds once', async () => {
    const client = openClient();
    const id = await agreed(client);
    [lost, asked] = [['own'], []];
    const { data } = await client
      .collection('users')
      .patch(id, { name: 'Countess', labels: { add: ['beta'] }, metadata: { plan: 'pro' } });
    expect([asked, data.name]).toEqual([['own', 'peer'], 'Countess']);
    await cross();
    expect(await here(id)).toMatchObject({ name: 'Countess', labels: ['beta'], metadata: { plan: 'pro' } });
  });

  test('an increment is repeated here only, and counts once', async () => {
    const client = openClient();
    const id = await agreed(client);
    [lost, asked] = [['own'], []];
    const { data, replayed } = await client.collection('users').patch(id, { signIns: { increment: 5 } });
    expect([asked, data.signIns, replayed]).toEqual([['own', 'own'], 5, true]);
    await cross();
    expect((await here(id))['signIns']).toBe(5);
  });

  test('an increment repeated at the peer would count twice: this is why it is not', async () => {
    const client = openClient();
    const id = await agreed(client);
    lost = ['own'];
    await client.collection('users').patch(id, { signIns: { increment: 5 } }, { safeElsewhere: true });
    await cross();
    expect((await here(id))['signIns']).toBe(10);
  });

  test('an increment is unknown when this cloud stays away, and is done once under its key when it is back', async () => {
    const client = openClient({ totalMs: 400 });
    const users = client.collection('users');
    const id = await agreed(client);
    [lost, asked] = [['own', 'own', 'own', 'own', 'own', 'own'], []];
    const error = await users.patch(id, { signIns: { increment: 5 } }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OutcomeUnknown);
    expect(new Set(asked)).toEqual(new Set(['own']));
    lost = [];
    const { key = '', sites } = error as OutcomeUnknown;
    const again = { idempotencyKey: key, site: sites[0] ?? '', totalMs: 5_000 };
    expect((await users.patch(id, { signIns: { increment: 5 } }, again)).data.signIns).toBe(5);
  });

  test('an increment whose key the record has forgotten since is unknown, and does not count again', async () => {
    const client = openClient();
    const users = client.collection('users');
    const id = await agreed(client);
    lost = Array.from({ length: 20 }, () => 'own');
    const error = await users
      .patch(id, { signIns: { increment: 1 } }, { totalMs: 200 })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OutcomeUnknown);
    lost = [];
    for (let n = 0; n < requestsRemembered; n += 1)
      await users.patch(id, { signIns: { increment: 1 } }, { site: 'own' });
    const { key = '' } = error as OutcomeUnknown;
    const again = { idempotencyKey: key, site: 'own' };
    const repeated = await users
      .patch(id, { signIns: { increment: 1 } }, again)
      .catch((reason: unknown) => reason);
    expect(repeated).toBeInstanceOf(OutcomeUnknown);
    expect((repeated as OutcomeUnknown).cause).toMatchObject({ status: 422, code: 'request_forgotten' });
    expect((await here(id))['signIns']).toBe(requestsRemembered + 1);
  });

  test('a key that carries no time is not known again after fifteen later ones', async () => {
    const client = openClient();
    const users = client.collection('users');
    const id = await agreed(client);
    const add = (key: string): Promise<unknown> =>
      users.patch(id, { signIns: { increment: 1 } }, { idempotencyKey: key, site: 'own' });
    await add(`${id}-first`);
    for (let n = 1; n < requestsRemembered - 1; n += 1) await add(`${id}-${n}`);
    await add(`${id}-first`);
    expect((await here(id))['signIns']).toBe(requestsRemembered - 1);
    await add(`${id}-last`);
    await add(`${id}-first`);
    expect((await here(id))['signIns']).toBe(requestsRemembered + 1);
  });

  test('a patch of what the peer has not got yet is unknown, not absent', async () => {
    // By a client that has not seen the record: within a session the peer would say that it is not there yet.
    const { data } = await openClient().collection('users').create(ADA, { site: 'own' });
    lost = ['own'];
    const error = await openClient()
      .collection('users')
      .patch(data.id, { name: 'x' })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OutcomeUnknown);
    expect((error as OutcomeUnknown).cause).toBeInstanceOf(ProblemError);
    expect(await here(data.id)).toMatchObject({ name: 'x' });
  });
});

describe(`a session over ${cloudName} and its peer`, () => {
  test('the peer does not answer with less than was written here; who asks both gets it', async () => {
    const client = openClient();
    const { data } = await client.collection('users').create(ADA, { site: 'own' });
    const strict = client.collection('users').get(data.id, { site: 'peer', totalMs: 1_000 });
    await expect(strict).rejects.toBeInstanceOf(UnavailableError);
    const other = openClient({
      session: client.session,
      sites: [
        { url: 'http://peer.test', name: 'peer' },
        { url: 'http://own.test', name: 'own' },
      ],
    });
    asked = [];
    const { site } = await other.collection('users').get(data.id);
    expect([asked, site]).toEqual([['peer', 'own'], clouds.own.site]);
  });

  test('with this cloud gone, a read is an error, or stale when that was asked for', async () => {
    const client = openClient({ whenBehind: 'stale' });
    const id = await agreed(client);
    await client.collection('users').patch(id, { name: 'Countess' }, { site: 'own' });
    down.add('own');
    const { data, stale } = await client.collection('users').get(id);
    expect([data.name, stale]).toEqual([ADA.name, true]);
    const strict = openClient({ session: client.session, totalMs: 500 });
    await expect(strict.collection('users').get(id)).rejects.toBeInstanceOf(UnavailableError);
  });
});

test(`pages of a list go on at the other site: ${cloudName}`, async () => {
  const client = openClient();
  const mine = new Set<string>();
  for (let n = 0; n < 5; n += 1) mine.add(await agreed(client));
  const found: string[] = [];
  for await (const { data, site } of client.collection('users').list({ limit: 2 }).pages()) {
    found.push(...data.items.map(({ id }) => id));
    // From here on this cloud is gone.
    if (site === clouds.own.site && found.filter((id) => mine.has(id)).length > 0) down.add('own');
  }
  expect(found.filter((id) => mine.has(id)).sort()).toEqual([...mine].sort());
  expect(asked.at(-1)).toBe('peer');
});

test(`durable: the answer waits until the peer's queue has it (${cloudName})`, async () => {
  const done = new AbortController();
  const forwarding = (async () => {
    while (!done.signal.aborted) {
      const messages = await clouds.own.take('tandem-out');
      if (messages.length > 0) await deliver(cloudName, forward, messages);
    }
  })();
  try {
    const { durable, status } = await openClient().collection('users').create(ADA, { durable: true });
    expect([durable, status]).toEqual([true, 201]);
  } finally {
    done.abort();
    await forwarding;
  }
});
