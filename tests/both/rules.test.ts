/**
 * Actions of an entity, over HTTP. Runs once per cloud: this site over its store and queues, the other one over a store in
 * memory; what they write crosses by the real messages.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { AUDIENCE, TOKEN_PATH } from '@tandem-clouds/emulators/oidc/protocol';
import { type Issuer, startIssuer } from '@tandem-clouds/emulators/oidc/server';
import { applyBatch } from '@tandem-clouds/replication/apply';
import type { Store } from '@tandem-clouds/replication/ports/store';
import { plainValues } from '@tandem-clouds/replication/record';
import { cloudName, httpEntry } from '#cloud';
import { type Breaches, breachesOf, type OpenApi } from '../../infra/rollout/contract-breaches.ts';
import { openApiDocument } from '../../scripts/generate/openapi.ts';
import { httpEntry as lambdaEntry } from '../../src/shared/adapters/aws/entries.ts';
import { fetchClient } from '../../src/shared/adapters/fetch-client.ts';
import { loadConfig } from '../../src/shared/config/config.ts';
import { forCallers } from '../../src/shared/http/authentication.ts';
import { httpService } from '../../src/shared/http/service.ts';
import { entities } from '../../src/shared/registry/entities.ts';
import { openReplica, openRuntime, openSiteStore } from '../../src/shared/runtime.ts';
import { checkEvent } from '../../src/shared/validation/check-event.ts';
import { invoke, type Response } from '../helpers/api.ts';
import { booking, faults } from '../helpers/booking.ts';
import { deliver, invokeLambda } from '../helpers/call.ts';
import { routesOf } from '../helpers/entity-checks.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { delivered, TestSite } from '../helpers/test-site.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const PEER = cloudName === 'aws' ? 'azure-eastus' : 'aws-us-east-1';
type Headers = Readonly<Record<string, string>>;
type Send = (method: string, path: string, body?: unknown, headers?: Headers) => Promise<Response>;

let clouds: LinkedClouds;
let issuer: Issuer;
let peer: TestSite;
let apply: unknown;
let breaches: Breaches;
let store: Store;
/** This site, where nobody is asked who they are; where everybody is; and the other site. */
let here: Send;
let guarded: Send;
let there: Send;
const logged: string[] = [];
const logger = {
  log: (level: string, _: string, fields?: object) => void logged.push(JSON.stringify({ level, ...fields })),
};

beforeAll(async () => {
  [clouds, issuer] = await Promise.all([startLinkedClouds(cloudName), startIssuer()]);
  breaches = breachesOf(parse(openApiDocument([...entities, booking], [])) as OpenApi);
  const runtime = openRuntime();
  store = openSiteStore(runtime);
  const routes = routesOf(booking, openReplica(runtime));
  const elapsed = (): number => performance.now();
  const { site } = clouds.own;
  const config = loadConfig(cloudName, {
    ...clouds.env,
    TANDEM_JWT_ISSUERS: JSON.stringify([{ issuer: issuer.url, audience: AUDIENCE }]),
  });
  here = sender(httpEntry(httpService({ site, routes, logger, elapsed })), invoke);
  const known = forCallers(config, fetchClient, routes);
  guarded = sender(httpEntry(httpService({ site, routes: known, logger, elapsed })), invoke);
  peer = new TestSite(PEER, [site]);
  const peerRoutes = routesOf(booking, peer.replica());
  there = sender(lambdaEntry(httpService({ site: PEER, routes: peerRoutes, logger, elapsed })), invokeLambda);
  ({ handler: apply } = await import('../../src/bridge/apply.ts'));
});

afterAll(async () => {
  await Promise.all([clouds.close(), issuer.close()]);
});

function sender(handler: unknown, by: typeof invoke): Send {
  return async (method, path, body, headers = {}) => {
    const response = await by(handler, { method, path, headers, ...(body !== undefined && { body }) });
    expect(breaches(method, path, response)).toEqual([]);
    return { ...response, json: JSON.parse(response.text || '{}') as Record<string, unknown> };
  };
}

let id = '';
let one = '';
beforeEach(() => {
  id = `b-${randomUUID()}`;
  one = `/bookings/${id}`;
  logged.length = 0;
  peer.nowMs = Date.now();
});

const CONFIRM = { by: 'Ada', seats: 2 };
const create = async (send = here, headers: Headers = {}): Promise<Response> => {
  const created = await send('POST', '/bookings', { bookingId: id, guest: 'ada', card: '4242' }, headers);
  expect(created.status).toBe(201);
  return created;
};

describe(`actions on ${cloudName}`, () => {
  test('an action changes the record by its rule', async () => {
    await create();
    const { status, json, headers } = await here('POST', `${one}/confirm`, CONFIRM);
    expect([status, json['status'], json['by']]).toEqual([200, 'confirmed', 'Ada']);
    expect(json['tickets']).toHaveLength(2);
    const read = await here('GET', one);
    expect([read.json, read.headers['etag']]).toEqual([json, headers['etag']]);
  });

  test('an action without input takes no body, or an empty object, and nothing else', async () => {
    await create();
    expect((await here('POST', `${one}/touch`)).status).toBe(200);
    expect((await here('POST', `${one}/touch`, {})).status).toBe(200);
    const { status, json } = await here('POST', `${one}/touch`, { x: 1 });
    expect([status, json['errors']]).toMatchObject([400, [{ pointer: '/x', rule: 'additionalProperties' }]]);
  });

  test('one that leaves the record as it is writes nothing', async () => {
    const { headers } = await create();
    expect((await here('POST', `${one}/touch`)).headers['etag']).toBe(headers['etag']);
  });

  test('a bad input is refused with every failure, before anything is decided', async () => {
    await create();
    const { status, json } = await here('POST', `${one}/confirm`, { seats: 9, x: 1 });
    const pointers = (json['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
    expect([status, json['code'], pointers.sort()]).toEqual([400, 'invalid', ['/by', '/seats', '/x']]);
    expect((await here('POST', `${one}/confirm`)).status).toBe(400);
  });

  test('an action that is not declared, and one of a record that is not there, are not found', async () => {
    await create();
    const unknown = await here('POST', `${one}/explode`, {});
    expect([unknown.status, unknown.json['code']]).toEqual([404, 'route_not_found']);
    const missing = await here('POST', '/bookings/nobody/confirm', CONFIRM);
    expect([missing.status, missing.json['code']]).toEqual([404, 'not_found']);
    expect((await here('GET', `${one}/confirm`)).status).toBe(405);
  });

  test('a client writes no field of actions or reactions, and learns who does', async () => {
    await create();
    const patched = await here('PATCH', one, { status: 'confirmed', receipt: 'r', other: 1 });
    expect([patched.status, patched.json['errors']]).toEqual([
      400,
      [
        { pointer: '/status', rule: 'by', detail: 'is written by actions, not by clients' },
        { pointer: '/receipt', rule: 'by', detail: 'is written by reactions, not by clients' },
        { pointer: '/other', rule: 'additionalProperties', detail: 'is not a known field' },
      ],
    ]);
    const created = await here('POST', '/bookings', { guest: 'g', card: 'c', status: 'confirmed' });
    expect([created.status, created.json['errors']]).toMatchObject([
      400,
      [{ pointer: '/status', rule: 'by' }],
    ]);
  });

  test('a rule refuses by its declared codes, each with its status', async () => {
    await create();
    const dear = await here('POST', `${one}/confirm`, { ...CONFIRM, seats: 4 });
    expect([dear.status, dear.json]).toMatchObject([
      402,
      { code: 'too_dear', title: 'The card does not cover it', detail: 'The card does not cover it' },
    ]);
    await here('POST', `${one}/cancel`);
    const over = await here('POST', `${one}/confirm`, CONFIRM);
    expect([over.status, over.json]).toMatchObject([
      409,
      { code: 'already_over', title: 'The booking is over', detail: 'it is cancelled' },
    ]);
  });

  test('a transition that is not declared is a conflict that says what is', async () => {
    await create();
    await here('POST', `${one}/confirm`, CONFIRM);
    const { status, json } = await here('POST', `${one}/reopen`);
    const detail = 'cannot go from confirmed to pending; from confirmed it can go to cancelled';
    expect([status, json['code'], json['errors']]).toEqual([
      409,
      'conflict',
      [{ pointer: '/status', rule: 'states', detail }],
    ]);
  });

  test.each(Object.entries(faults))(
    'the rule %s is a fault: 500 with the id, nothing written, the cause in the log only',
    async (action, reason) => {
      const { headers } = await create();
      const { status, json, headers: answered, text } = await here('POST', `${one}/${action}`);
      expect([status, json['code'], json['instance']]).toEqual([
        500,
        'internal',
        `urn:request:${answered['x-request-id']}`,
      ]);
      expect(text).not.toContain('secret');
      const line = logged.find((each) => each.includes('"error"'));
      expect(JSON.parse(line ?? '{}')).toMatchObject({
        requestId: answered['x-request-id'],
        error: expect.stringContaining(reason),
      });
      const read = await here('GET', one);
      expect([read.headers['etag'], read.json['tickets']]).toEqual([headers['etag'], []]);
    },
  );

  test('a repeated request takes effect once; its key with another action is another request', async () => {
    await create();
    const key = { 'idempotency-key': `"${randomUUID()}"` };
    const first = await here('POST', `${one}/confirm`, CONFIRM, key);
    const again = await here('POST', `${one}/confirm`, CONFIRM, key);
    expect([again.status, again.json]).toEqual([200, first.json]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    const other = await here('POST', `${one}/confirm`, { ...CONFIRM, seats: 1 }, key);
    expect([other.status, other.json['code']]).toEqual([422, 'idempotency_mismatch']);
    expect((await here('POST', `${one}/cancel`, {}, key)).status).toBe(422);
  });

  test('an action heeds the state that the client saw, and how safe the write is to be', async () => {
    const { headers } = await create();
    const seen = { 'if-match': headers['etag'] ?? '' };
    const safe = await here('POST', `${one}/confirm`, CONFIRM, { ...seen, prefer: 'durability=all' });
    // Nothing is forwarded in this test: the peer's queue has not accepted it in time.
    expect([safe.status, safe.json['status']]).toEqual([202, 'confirmed']);
    expect((await here('POST', `${one}/cancel`, undefined, seen)).status).toBe(412);
    const session = { 'x-tandem-session': safe.headers['x-tandem-session'] ?? '' };
    expect((await here('GET', one, undefined, session)).json['status']).toBe('confirmed');
  });
});

describe(`two sites on ${cloudName}`, () => {
  const key = (): string => `booking:${id}`;

  /** What this site has in its queue goes to the other one, and back. */
  async function cross(): Promise<void> {
    const mine = await waitUntil('a message', async () =>
      (await clouds.own.take('tandem-out')).filter(({ body }) => body.includes(id)).at(-1),
    );
    await peer.run(applyBatch(peer.site, [delivered({ id: 'm', ...mine })], checkEvent));
    const theirs = peer.outbox.sent.splice(0).filter(({ body }) => body.includes(id));
    for (const { body } of theirs) expect(await deliver(cloudName, apply, [{ body }])).toEqual([]);
  }

  test.each([
    ['confirms here and cancels there, whose clock is slow', 'confirm', 'cancel', -2_000],
    ['confirms here and cancels there, whose clock is fast', 'confirm', 'cancel', 2_000],
    ['cancels here and confirms there, whose clock is slow', 'cancel', 'confirm', -2_000],
    ['cancels here and confirms there, whose clock is fast', 'cancel', 'confirm', 2_000],
  ])(
    'whoever %s at the same time: it is cancelled at both, and the log says what was overruled',
    async (_, mine, theirs, skewMs) => {
      await create();
      await cross();
      peer.nowMs = Date.now() + skewMs;
      const act = (send: Send, name: string): Promise<Response> =>
        send('POST', `${one}/${name}`, name === 'confirm' ? CONFIRM : undefined);
      expect((await act(here, mine)).status).toBe(200);
      expect((await act(there, theirs)).status).toBe(200);
      await cross();
      const [atHere, atThere] = [await here('GET', one), await there('GET', one)];
      expect(atHere.json).toEqual(atThere.json);
      // The state has a winner; what the overruled action wrote into other fields stands beside it.
      expect(atHere.json).toMatchObject({ status: 'cancelled', by: 'Ada' });
      const entries = await store.list('conflict', { after: undefined, limit: 100 });
      const records = [...(await store.getMany(entries)).values()];
      const about = records
        .map(({ record }) => plainValues(record.state))
        .filter(({ record }) => record === key());
      expect(about).toMatchObject([
        {
          field: 'status',
          reason: 'higher rank',
          loser: { value: 'confirmed' },
          winner: { value: 'cancelled' },
        },
      ]);
    },
  );
});

describe(`callers on ${cloudName}`, () => {
  const token = async (client: string, scope: string): Promise<Headers> => {
    const form = { grant_type: 'client_credentials', client_id: client, scope };
    const response = await fetch(issuer.url + TOKEN_PATH, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    const { access_token: value } = (await response.json()) as { access_token: string };
    return { authorization: `Bearer ${value}` };
  };
  const ALL = 'tandem/read tandem/write';

  test('a rule knows who asks', async () => {
    const ada = await token('ada', ALL);
    await create(guarded, ada);
    const { json } = await guarded('POST', `${one}/sign`, undefined, ada);
    const [subject, scopes, claim, now] = JSON.parse(String(json['by'])) as unknown[];
    expect([subject, scopes, claim]).toEqual(['ada', ['tandem/read', 'tandem/write'], 'ada']);
    expect(new Date(String(now)).toISOString()).toBe(now);
    const nobody = await here('POST', `${one}/sign`);
    expect((JSON.parse(String(nobody.json['by'])) as unknown[]).slice(0, 3)).toEqual([null, [], null]);
  });

  test('a field is shown to who has the scope, in every answer, and to nobody else', async () => {
    const [eve, staff] = await Promise.all([token('eve', ALL), token('desk', `${ALL} bookings/staff`)]);
    const key = { 'idempotency-key': `"${randomUUID()}"` };
    await create(guarded, { ...eve, ...key });
    const answers = async (who: Headers): Promise<unknown[]> => {
      const replay = { ...who, ...key };
      const body = { bookingId: id, guest: 'ada', card: '4242' };
      const list = await guarded('GET', '/bookings?limit=100', undefined, who);
      const listed = (list.json['items'] as Record<string, unknown>[]).find((item) => item['id'] === id);
      return [
        who === eve ? (await guarded('POST', '/bookings', body, replay)).json['card'] : 'n/a',
        (await guarded('GET', one, undefined, who)).json['card'],
        listed?.['card'],
        (await guarded('PATCH', one, { guest: 'ada' }, who)).json['card'],
        (await guarded('POST', `${one}/touch`, undefined, who)).json['card'],
      ];
    };
    expect(await answers(eve)).toEqual([undefined, undefined, undefined, undefined, undefined]);
    expect(await answers(staff)).toEqual(['n/a', '4242', '4242', '4242', '4242']);
    expect((await here('GET', one)).json['card']).toBe('4242');
    const { headers } = await guarded('GET', one, undefined, eve);
    expect([headers['cache-control'], headers['vary']]).toEqual(['private, no-cache', 'authorization']);
  });
});
