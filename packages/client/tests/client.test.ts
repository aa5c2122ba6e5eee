/** Options, sessions, pages, updates, and the types of it all. */
import { describe, expect, test } from '@jest/globals';
import { createTandemClient, type paths } from '../src/client.ts';
import { ClientOptionsError } from '../src/errors.ts';
import type { ClientOptions } from '../src/options.ts';
import { listed, type Page } from '../src/pages.ts';
import { recordPath, Session } from '../src/session.ts';
import type { CollectionName, Result } from '../src/types.ts';
import { fakeSites } from './helpers/fake-sites.ts';

const ADA = { name: 'Ada', email: 'ada@example.com' };

test('every mistake of the options is named at once', () => {
  const options = { sites: ['ftp://x', 'http://y/?q'], attemptMs: 0, whenBehind: 'never', retries: 3 };
  const make = (): unknown => createTandemClient(options as unknown as ClientOptions);
  expect(make).toThrow(ClientOptionsError);
  expect(make).toThrow(
    /retries is no option\nsites\[0\] must be an http.*\nsites\[1\] must have no query.*\nattemptMs must.*\nwhenBehind must/,
  );
  expect(() => createTandemClient({})).toThrow(/one URL at least/);
  expect(() => createTandemClient({ sites: ['http://a', 'http://a/'] })).toThrow(/must differ/);
});

describe('a session', () => {
  const none = { tokens: [], at: 0 };

  test('holds what two sites answered until a read includes both', () => {
    const session = new Session();
    session.keep('/users/ada', { token: 'a1', site: 'aws' }, session.carry('/users/ada', false));
    session.keep('/users/ada', { token: 'b1', site: 'azure' }, session.carry('/users/ada', false));
    const read = session.carry('/users/ada', true);
    expect([...read.tokens].sort()).toEqual(['a1', 'b1']);
    session.keep('/users/ada', { token: 'ab', site: 'aws' }, read);
    expect(session.carry('/users/ada', true).tokens).toEqual(['ab']);
  });

  test('replaces what a later write at the same site includes, and keeps what was written at the same time', () => {
    const session = new Session();
    const [first, second] = [session.carry('/users/ada', false), session.carry('/users/ada', false)];
    session.keep('/users/ada', { token: 'a1', site: 'aws' }, first);
    session.keep('/users/ada', { token: 'a2', site: 'aws' }, second);
    expect([...session.carry('/users/ada', true).tokens].sort()).toEqual(['a1', 'a2']);
    session.keep('/users/ada', { token: 'a3', site: 'aws' }, session.carry('/users/ada', false));
    expect(session.carry('/users/ada', true).tokens).toEqual(['a3']);
  });

  test('is bounded: in records, and in what one read carries', () => {
    const session = new Session();
    for (let n = 0; n < 1_200; n += 1) session.keep(`/users/u${n}`, { token: `t${n}`, site: 'aws' }, none);
    expect(Object.keys(session.toJSON())).toHaveLength(1_000);
    const { tokens } = session.carry('/users', true);
    expect([tokens.length, tokens[0]]).toEqual([16, 't1199']);
    session.keep('/users/big', { token: 'x'.repeat(5_000), site: 'aws' }, none);
    expect(session.carry('/users/big', true).tokens).toEqual([]);
  });

  test('carries what custom routes named with calls about any record, the newest, and to them what is newest of all', () => {
    const session = new Session();
    const many = (site: string): string => Array.from({ length: 10 }, (_, n) => `${site}${n}`).join(',');
    session.keepSeveral({ token: many('a'), site: 'aws' });
    session.keepSeveral({ token: many('b'), site: 'azure' });
    session.keep('/users/ada', { token: 'u1', site: 'aws' }, none);
    const read = session.carry('/users/ada', true).tokens;
    expect([read.length, read.slice(0, 2), read.at(-1)]).toEqual([16, ['u1', 'b9'], 'a5']);
    expect(session.carry('/users/bob', false).tokens.slice(0, 10).toSorted()).toEqual(many('b').split(','));
    expect(session.carry('/users', true).tokens.slice(0, 2)).toEqual(['u1', 'b9']);
    expect(session.carrySeveral().tokens.slice(0, 2)).toEqual(['u1', 'b9']);
    // What an answer names again is there once; of what is old 64 stay.
    session.keepSeveral({ token: 'a0,b9', site: 'aws' });
    expect(session.carrySeveral().tokens.slice(0, 4)).toEqual(['b9', 'a0', 'u1', 'b8']);
    for (let n = 0; n < 70; n += 1) session.keepSeveral({ token: `c${n}`, site: 'aws' });
    const saved = JSON.parse(JSON.stringify(session)) as Record<string, string[]>;
    expect(saved['*']).toHaveLength(64);
    expect(Session.from(saved).carry('/users/bob', true).tokens[0]).toBe('c69');
  });

  test('goes from a custom route to the records of an entity and back', async () => {
    const { client, aws } = fakeSites(
      {},
      {
        operations: [
          { method: 'POST', path: '/guests', keyed: true, session: 'several' },
          { method: 'GET', path: '/users/{userId}', keyed: false },
        ],
      },
    );
    const usual = aws.handle.bind(aws);
    aws.handle = (sent) => {
      const response = usual(sent);
      response.headers.set('x-tandem-session', sent.path === '/guests' ? 'g1,g2' : 'u1');
      return response;
    };
    const carried = (): string | null | undefined => aws.sent.at(-1)?.headers.get('x-tandem-session');
    const post = client.POST as unknown as (path: string, init: object) => Promise<unknown>;
    const invite = (): Promise<unknown> => post('/guests', { body: {} });
    await invite();
    await client.GET('/users/{userId}', { params: { path: { userId: 'ada' } } });
    expect(carried()).toBe('g2, g1');
    await invite();
    expect(carried()).toBe('u1, g2, g1');
  });

  test('goes to another process as JSON', () => {
    const session = new Session();
    session.keep('/users/ada', { token: 'a1', site: 'aws' }, none);
    const saved = JSON.parse(JSON.stringify(session)) as Record<string, string[]>;
    expect(Session.from(saved).carry('/users/ada', true).tokens).toEqual(['a1']);
    expect(() => Session.from({ '/users/ada': 'a1' as never })).toThrow(TypeError);
  });

  test('knows the record that an action is about', () => {
    expect(['/users/ada', '/bookings/b1/confirm'].map(recordPath)).toEqual(['/users/ada', '/bookings/b1']);
  });
});

describe('a list', () => {
  const result = (data: Page<number>): Result<Page<number>> => ({
    data,
    status: 200,
    etag: undefined,
    site: 'aws',
    replayed: false,
    durable: false,
    stale: false,
    headers: new Headers(),
  });

  test('goes on from page to page until there is no cursor, and only as far as it is read', async () => {
    const asked: (string | undefined)[] = [];
    const list = listed<number>((cursor) => {
      asked.push(cursor);
      const page = Number(cursor ?? 0);
      return Promise.resolve(
        result({ items: [page, page + 0.5], ...(page < 3 && { cursor: String(page + 1) }) }),
      );
    });
    const all: number[] = [];
    for await (const item of list) all.push(item);
    expect([all, asked]).toEqual([
      [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5],
      [undefined, '1', '2', '3'],
    ]);
    for await (const item of list) if (item === 0.5) break;
    expect(asked).toHaveLength(5);
  });

  test('that gives the same cursor again ends in an error, not in a circle', async () => {
    const list = listed<number>(() => Promise.resolve(result({ items: [], cursor: 'c' })));
    const all = async (): Promise<void> => {
      for await (const _item of list);
    };
    await expect(all()).rejects.toThrow('does not go on');
  });
});

describe('an update', () => {
  test('reads, and changes only what it has read', async () => {
    const { client, aws } = fakeSites();
    await client.collection('users').update('ada', (current) => ({ name: `${current.name}!` }));
    expect(aws.sent.map(({ method }) => method)).toEqual(['GET', 'PATCH']);
    expect(aws.sent[1]?.headers.get('if-match')).toBe('"aws.0"');
    expect(aws.effects[0]?.body).toEqual({ name: 'Ada!' });
  });

  test('reads again when somebody was faster, up to five times', async () => {
    const { client, aws } = fakeSites();
    const problem = {
      code: 'precondition_failed',
      status: 412,
      detail: '',
      instance: '',
      title: '',
      type: '',
    };
    const usual = aws.handle.bind(aws);
    aws.handle = (sent) =>
      sent.method === 'GET'
        ? usual(sent)
        : new Response(JSON.stringify(problem), { status: 412, headers: { 'x-tandem-site': 'aws' } });
    const update = client.collection('users').update('ada', () => ({ name: 'x' }));
    await expect(update).rejects.toMatchObject({ status: 412 });
    expect(aws.sent).toHaveLength(10);
  });
});

test('a write asks for durability when it is told to, and says whether it got it', async () => {
  const { client, aws } = fakeSites();
  const { durable } = await client.collection('users').create(ADA, { durable: true });
  expect([aws.sent[0]?.headers.get('prefer'), durable]).toEqual(['durability=all', false]);
});

test("headers of the caller's own are asked for before each attempt", async () => {
  let count = 0;
  const { client, aws, azure } = fakeSites(
    { aws: ['lost'] },
    { headers: () => ({ authorization: `Bearer ${(count += 1)}` }) },
  );
  await client.collection('users').create(ADA);
  const sent = [...aws.sent, ...azure.sent].map(({ headers }) => headers.get('authorization'));
  expect(sent).toEqual(['Bearer 1', 'Bearer 2']);
});

test('its types are held to by the compiler', () => expect(types).toBeInstanceOf(Function));

/** Never called. */
async function types(): Promise<void> {
  const client = createTandemClient({ sites: ['http://x'] });
  const users = client.collection('users');
  const created: Result<{ id: string; name: string; labels?: string[] }> = await users.create(ADA);
  await users.patch('ada', { labels: { add: [created.data.id] }, signIns: { increment: 1 } });
  for await (const user of users.list({ limit: 5 })) user.email.trim();
  const { data } = await client.GET('/users/{userId}', { params: { path: { userId: 'ada' } } });
  data.createdAt.trim();
  await client.POST('/write', { body: { data: { any: 'thing' } }, durable: true });
  const name: CollectionName<paths> = 'items';
  name.trim();
  // @ts-expect-error E-mail is required.
  await users.create({ name: 'Ada' });
  // @ts-expect-error There is no such field.
  await users.patch('ada', { age: 3 });
  // @ts-expect-error There is no such kind of record.
  client.collection('cars');
  // @ts-expect-error Its id is missing.
  await client.GET('/users/{userId}');
  // @ts-expect-error A list takes no such parameter.
  users.list({ colour: 'red' });
  // @ts-expect-error There is no such option.
  await users.get('ada', { retries: 3 });
  // @ts-expect-error Users have no actions.
  await users.act('ada', 'confirm', {});

  // Of a contract with an action and an index.
  interface Bookings {
    readonly '/bookings': {
      readonly get: {
        readonly parameters: { readonly query?: { customerId?: string; cursor?: string } };
        readonly responses: { 200: { content: { 'application/json': { items: { id: string }[] } } } };
      };
    };
    readonly '/bookings/{bookingId}': {
      readonly get: {
        readonly parameters: { readonly path: { bookingId: string } };
        readonly responses: { 200: { content: { 'application/json': { id: string } } } };
      };
    };
    readonly '/bookings/{bookingId}/confirm': {
      readonly post: {
        readonly parameters: { readonly path: { bookingId: string } };
        readonly requestBody: { readonly content: { readonly 'application/json': { by: string } } };
        readonly responses: { 200: { content: { 'application/json': { id: string } } } };
      };
    };
  }
  const bookings = createTandemClient<Bookings>({ sites: ['http://x'] }).collection('bookings');
  (await bookings.act('b1', 'confirm', { by: 'ada' })).data.id.trim();
  for await (const booking of bookings.list({ customerId: 'c1' })) booking.id.trim();
  // @ts-expect-error The input has another name.
  await bookings.act('b1', 'confirm', { from: 'ada' });
  // @ts-expect-error There is no such action.
  await bookings.act('b1', 'cancel', {});
}
