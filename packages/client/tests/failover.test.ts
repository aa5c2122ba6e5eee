/** What is sent where when sites fail, and what is reported in the end. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { attemptMsDefault } from '../src/bounds.ts';
import { createTandemClient } from '../src/client.ts';
import { CancelledError, OutcomeUnknown, ProblemError, UnavailableError } from '../src/errors.ts';
import type { Effect, Fate } from './helpers/fake-site.ts';
import { type FakeSites, fakeSites } from './helpers/fake-sites.ts';

const ADA = { name: 'Ada', email: 'ada@example.com' };
const MANY = (fate: Fate): Fate[] => Array.from({ length: 40 }, () => fate);

const users = ({ client }: FakeSites) => client.collection('users');
const effectsOf = ({ aws, azure }: FakeSites): Effect[] => [...aws.effects, ...azure.effects];
const keysOf = ({ aws, azure }: FakeSites): (string | null)[] =>
  [...aws.sent, ...azure.sent].map(({ headers }) => headers.get('idempotency-key'));

async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no error',
    (error: unknown) => error,
  );
}

describe('a creation', () => {
  test.each<Fate>(['refused', 'lost', 'reset-after', 'hang', '500-after', '503', '502', '429'])(
    'crosses over under the same key when the first site answers with: %s',
    async (fate) => {
      const sites = fakeSites({ aws: [fate] });
      const { site, data } = await users(sites).create(ADA);
      expect([site, sites.asked]).toEqual(['azure', ['aws', 'azure']]);
      expect(new Set(keysOf(sites)).size).toBe(1);
      expect(data.id).not.toBe('');
      // Both sites made the record of that one key.
      expect(new Set(effectsOf(sites).map(({ key }) => key)).size).toBe(1);
    },
  );

  test('has another key than the next one, and takes one that is given', async () => {
    const sites = fakeSites();
    await users(sites).create(ADA);
    await users(sites).create(ADA);
    await users(sites).create(ADA, { idempotencyKey: 'mine' });
    const [first, second, third] = keysOf(sites);
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect([first === second, third]).toEqual([false, 'mine']);
  });

  test('of which nobody answers is unknown, and names key and sites', async () => {
    const sites = fakeSites({ aws: MANY('reset-after'), azure: MANY('502') });
    const error = await reasonOf(users(sites).create(ADA));
    expect(error).toBeInstanceOf(OutcomeUnknown);
    expect((error as OutcomeUnknown).sites).toEqual(['aws', 'azure']);
    expect((error as OutcomeUnknown).key).toBe(keysOf(sites)[0]);
    expect(sites.clock.now()).toBeLessThanOrEqual(31_000);
  });

  test('that something redirects is not taken for done: it crosses over, or is unknown', async () => {
    const sites = fakeSites({ aws: ['redirected'] });
    const { site } = await users(sites).create(ADA);
    await users(sites).get('ada');
    expect([site, sites.redirects]).toEqual(['azure', ['manual', 'manual', 'follow']]);
    const nobody = fakeSites({ aws: MANY('redirected'), azure: MANY('redirected') });
    expect(await reasonOf(users(nobody).create(ADA))).toBeInstanceOf(OutcomeUnknown);
  });

  test('that certainly never arrived is not unknown', async () => {
    const sites = fakeSites({ aws: MANY('refused'), azure: MANY('refused') });
    const error = await reasonOf(users(sites).create(ADA));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(new Set((error as UnavailableError).sites)).toEqual(new Set(['aws', 'azure']));
  });
});

describe('a key that a record has forgotten', () => {
  const count = { signIns: { increment: 1 } };

  test('is unknown when an earlier attempt may have done it, and is not sent under another key', async () => {
    const sites = fakeSites({ aws: ['reset-after', 'forgotten'] });
    const error = await reasonOf(users(sites).patch('ada', count));
    expect(error).toBeInstanceOf(OutcomeUnknown);
    expect((error as OutcomeUnknown).sites).toEqual(['aws']);
    expect([new Set(keysOf(sites)).size, effectsOf(sites).length]).toEqual([1, 1]);
  });

  test('is unknown when it is a key of the caller, who may have sent it before', async () => {
    const sites = fakeSites({ aws: ['forgotten'] });
    const error = await reasonOf(users(sites).patch('ada', count, { idempotencyKey: 'k', site: 'aws' }));
    expect(error).toBeInstanceOf(OutcomeUnknown);
    expect([(error as OutcomeUnknown).key, (error as OutcomeUnknown).sites]).toEqual(['k', ['aws']]);
  });

  test('is made anew by the site’s clock, then without a time, when it was never sent before: the clock here is behind', async () => {
    const sites = fakeSites({ aws: ['forgotten', 'forgotten'] });
    await users(sites).patch('ada', count);
    const [first, second, third] = keysOf(sites);
    expect(second).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    const dateMs = Date.parse('Sun, 06 Nov 2044 08:49:38 GMT');
    expect(Number.parseInt((second ?? '').replace('-', '').slice(0, 12), 16)).toBe(dateMs);
    expect(third).toMatch(/^[0-9a-f]{32}$/);
    expect([new Set([first, second, third]).size, effectsOf(sites).length]).toEqual([3, 1]);
  });
});

describe('a read that prefers to wait', () => {
  test('says so, and has so much more time at each site', async () => {
    const sites = fakeSites({ aws: ['hang'] });
    const beganMs = sites.clock.now();
    const { site } = await users(sites).get('ada', { waitSeconds: 4 });
    expect([site, sites.aws.sent[0]?.headers.get('prefer')]).toEqual(['azure', 'wait=4']);
    expect(sites.clock.now() - beganMs).toBe(attemptMsDefault + 4_000);
  });
});

describe('a creation that must say when it was made', () => {
  test('gets a key by the site’s clock when the clock here is wrong, and never one without a time', async () => {
    const sites = fakeSites({ aws: ['future'] });
    await users(sites).create(ADA);
    const [first, second] = keysOf(sites);
    expect(Number.parseInt((second ?? '').replace('-', '').slice(0, 12), 16)).toBe(
      Date.parse('Sun, 06 Nov 2044 08:49:38 GMT'),
    );
    expect([first === second, effectsOf(sites).length]).toEqual([false, 1]);
    const wrong = fakeSites({ aws: MANY('future') });
    expect(await reasonOf(users(wrong).create(ADA))).toBeInstanceOf(ProblemError);
    expect(keysOf(wrong)).toHaveLength(2);
  });

  test('is refused with a key of the caller’s own, which may have been sent before', async () => {
    const sites = fakeSites({ aws: ['future'] });
    const error = await reasonOf(users(sites).create(ADA, { idempotencyKey: 'k' }));
    expect([(error as ProblemError).status, keysOf(sites)]).toEqual([400, ['k']]);
  });
});

describe('a site that names another one', () => {
  const count = { signIns: { increment: 1 } };

  test.each([
    ['a creation', (sites: FakeSites) => users(sites).create(ADA)],
    ['an increment', (sites: FakeSites) => users(sites).patch('ada', count)],
    ['a read', (sites: FakeSites) => users(sites).get('ada')],
  ])('is left at once, and what it named is asked with the same key and headers: %s', async (_, act) => {
    const sites = fakeSites({ aws: ['elsewhere'] }, { headers: { authorization: 'Bearer x' } });
    const { site } = await act(sites);
    expect([site, sites.asked, sites.clock.now()]).toEqual([
      'azure',
      ['aws', 'azure'],
      fakeSites().clock.now(),
    ]);
    expect(new Set(keysOf(sites)).size).toBe(1);
    expect(sites.azure.sent[0]?.headers.get('authorization')).toBe('Bearer x');
    expect(sites.aws.effects).toEqual([]);
  });

  test('may name one that the client did not know, and is asked again when that is silent', async () => {
    const sites = fakeSites({ aws: ['far'] });
    sites.far.fates.push('refused');
    const { site } = await users(sites).patch('ada', count);
    expect([site, sites.asked]).toEqual(['azure', ['aws', 'far', 'azure']]);
  });

  test('or says that nobody writes at the moment has done nothing: an increment waits, and is not unknown', async () => {
    const sites = fakeSites({ aws: ['moving', 'moving', 'elsewhere'], azure: ['moving', 'moving'] });
    const { site } = await users(sites).patch('ada', count);
    expect([site, effectsOf(sites).length]).toEqual(['azure', 1]);
    const never = fakeSites({ aws: MANY('moving'), azure: MANY('moving') });
    expect(await reasonOf(users(never).patch('ada', count))).toBeInstanceOf(UnavailableError);
  });

  test('does not unmake what is unknown: an increment that may stand there goes nowhere else', async () => {
    const sites = fakeSites({ aws: ['elsewhere'], azure: MANY('reset-after') });
    const error = await reasonOf(users(sites).patch('ada', count));
    expect(error).toBeInstanceOf(OutcomeUnknown);
    expect((error as OutcomeUnknown).sites).toEqual(['azure']);
    expect(effectsOf(sites)).toHaveLength(1);
  });

  test('is the answer to whoever asks this site only, and two that name each other end', async () => {
    const sites = fakeSites({ aws: ['elsewhere'] });
    const pinned = await reasonOf(users(sites).get('ada', { site: 'aws' }));
    expect(pinned).toMatchObject({ status: 421, code: 'not_kept_here', site: 'aws' });
    const circling = fakeSites({ aws: MANY('elsewhere'), azure: MANY('elsewhere') });
    expect(await reasonOf(users(circling).create(ADA))).toBeInstanceOf(UnavailableError);
  });

  test('is asked last where the contract says who does it, and hears that the client follows by itself', async () => {
    const facts = { method: 'GET', path: '/users/{userId}', keyed: false, sites: ['azure'] } as const;
    const sites = fakeSites({}, { operations: [facts] });
    await users(sites).get('ada');
    expect(sites.asked).toEqual(['azure']);
    expect(sites.azure.sent[0]?.headers.get('x-tandem-follow')).toBe('1');
  });
});

describe('an increment', () => {
  test('crosses over while it is certain that nothing happened', async () => {
    const sites = fakeSites({ aws: ['refused'] });
    const { site } = await users(sites).patch('ada', { signIns: { increment: 1 } });
    expect([site, effectsOf(sites).length]).toEqual(['azure', 1]);
  });

  test.each<Fate>(['lost', 'reset-after', 'hang', '500-after', '503', '502'])(
    'is repeated at its site only, where its key is known: %s',
    async (fate) => {
      const sites = fakeSites({ aws: [fate] });
      const { site } = await users(sites).patch('ada', { signIns: { increment: 1 } });
      sites.aws.finish();
      expect([site, new Set(sites.asked)]).toEqual(['aws', new Set(['aws'])]);
      expect(effectsOf(sites)).toHaveLength(1);
    },
  );

  test('is unknown when its site does not come back', async () => {
    const sites = fakeSites({ aws: ['reset-after', ...MANY('refused')] });
    const error = await reasonOf(users(sites).patch('ada', { signIns: { increment: 1 } }));
    expect(error).toBeInstanceOf(OutcomeUnknown);
    expect((error as OutcomeUnknown).sites).toEqual(['aws']);
    expect(new Set(sites.asked)).toEqual(new Set(['aws']));
    // As its documentation says: again, there, under its key.
    sites.aws.fates.length = 0;
    const { key, sites: at } = error as OutcomeUnknown;
    const again = { idempotencyKey: key ?? '', site: at[0] ?? '' };
    const { replayed } = await users(sites).patch('ada', { signIns: { increment: 1 } }, again);
    expect([replayed, effectsOf(sites).length]).toEqual([true, 1]);
  });

  test('does not go through an edge when there are sites, and is sent there once when there are none', async () => {
    const patched = (sites: FakeSites): Promise<unknown> =>
      reasonOf(users(sites).patch('ada', { signIns: { increment: 1 } }));
    const both = fakeSites(
      {},
      { edge: 'http://azure.test', sites: [{ url: 'http://aws.test', name: 'aws' }] },
    );
    expect(await patched(both)).toBe('no error');
    expect(both.asked).toEqual(['aws']);
    const edge = fakeSites({ azure: ['reset-after'] }, { edge: 'http://azure.test', sites: [] });
    expect(await patched(edge)).toBeInstanceOf(OutcomeUnknown);
    expect([edge.asked, effectsOf(edge).length]).toEqual([['azure'], 1]);
  });
});

describe('a site that has failed', () => {
  test('is not tried by what would be stuck there', async () => {
    const sites = fakeSites({ aws: ['refused'] });
    await users(sites).get('ada');
    sites.clock.nowMs += 60_000;
    await users(sites).patch('ada', { signIns: { increment: 1 } });
    expect(sites.asked).toEqual(['aws', 'azure', 'azure']);
  });
});

describe('an action', () => {
  interface Bookings {
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
  const confirm = async (repeat: 'elsewhere' | undefined) => {
    const sites = fakeSites({ aws: ['reset-after'] });
    const path = '/bookings/{bookingId}';
    const action = { method: 'POST', path: `${path}/confirm`, keyed: true, ...(repeat && { repeat }) };
    const client = createTandemClient<Bookings>({
      ...sites.options,
      operations: [{ method: 'GET', path, keyed: false }, action],
    });
    await client.collection('bookings').act('b1', 'confirm', { by: 'ada' });
    return { asked: sites.asked, sent: sites.aws.sent[0] };
  };

  test('stays at its site, because only its declaration could say that it may be done at two', async () => {
    const { asked, sent } = await confirm(undefined);
    expect([asked, sent?.path, sent?.body]).toEqual([['aws', 'aws'], '/bookings/b1/confirm', '{"by":"ada"}']);
  });

  test('crosses over when the contract says so', async () => {
    expect((await confirm('elsewhere')).asked).toEqual(['aws', 'azure']);
  });
});

describe('what else is sent again', () => {
  test.each<[string, (sites: FakeSites) => Promise<unknown>]>([
    ['a read', (sites) => users(sites).get('ada')],
    ['a patch of plain fields', (sites) => users(sites).patch('ada', { name: 'Ada' })],
    ['a patch of a set', (sites) => users(sites).patch('ada', { labels: { add: ['x'] } })],
    ['a deletion', (sites) => users(sites).remove('ada')],
    ['a replacement', ({ client }) => client.POST('/write', { body: { id: 'a', data: {} } })],
  ])('%s crosses over', async (_title, run) => {
    const sites = fakeSites({ aws: ['reset-after'] });
    await run(sites);
    expect(sites.asked).toEqual(['aws', 'azure']);
  });

  test('a change with a precondition stays at its site', async () => {
    const sites = fakeSites({ aws: ['reset-after'] });
    await users(sites).patch('ada', { name: 'Ada' }, { ifMatch: '"v1"' });
    expect(sites.asked).toEqual(['aws', 'aws']);
    expect(sites.aws.sent[0]?.headers.get('if-match')).toBe('"v1"');
  });

  test('a deletion that is repeated and finds nothing was done', async () => {
    const sites = fakeSites({ aws: ['reset-after'] });
    const { status, replayed } = await users(sites).remove('ada', { site: 'aws' });
    expect([status, replayed, effectsOf(sites).length]).toEqual([204, true, 1]);
  });

  test('what takes no key is never repeated', async () => {
    const sites = fakeSites({ aws: ['reset-after'] });
    const discard = sites.client.POST('/replication/dead-letters/discard', { body: { all: true } });
    expect(await reasonOf(discard)).toBeInstanceOf(OutcomeUnknown);
    expect(sites.asked).toEqual(['aws']);
  });

  test('a refusal elsewhere does not make an unknown outcome known', async () => {
    const sites = fakeSites({ aws: ['reset-after', 'refused', ...MANY('refused')] });
    sites.azure.handle({ method: 'DELETE', path: '/users/ada', headers: new Headers(), body: undefined });
    sites.azure.effects.length = 0;
    const error = await reasonOf(users(sites).remove('ada'));
    expect(error).toBeInstanceOf(OutcomeUnknown);
    expect((error as OutcomeUnknown).cause).toBeInstanceOf(ProblemError);
  });
});

describe('a refusal by the site that may have done an earlier attempt', () => {
  const count = { signIns: { increment: 1 } };

  test.each<Fate>(['401', 'gone', '404', 'elsewhere'])(
    'says nothing of that attempt, which did take effect: %s',
    async (fate) => {
      const sites = fakeSites({ aws: ['reset-after', fate] });
      const error = await reasonOf(users(sites).patch('ada', count, { site: 'aws' }));
      expect([(error as Error).name, effectsOf(sites).length]).toEqual(['OutcomeUnknown', 1]);
      expect((error as OutcomeUnknown).cause).toBeInstanceOf(ProblemError);
    },
  );

  test('is certain where there was none', async () => {
    const error = await reasonOf(users(fakeSites({ aws: ['401'] })).patch('ada', count));
    expect(error).toBeInstanceOf(ProblemError);
  });
});

describe('waiting', () => {
  test('a site that asks for a pause gets it', async () => {
    const sites = fakeSites({ aws: ['503'] });
    await users(sites).get('ada', { site: 'aws' });
    expect(sites.clock.slept).toEqual([2_000]);
  });

  test('a call ends at its deadline, whatever a site asks for', async () => {
    const sites = fakeSites({ aws: MANY('503'), azure: MANY('503') }, { totalMs: 1_500 });
    expect(await reasonOf(users(sites).get('ada'))).toBeInstanceOf(UnavailableError);
    expect(sites.asked).toEqual(['aws', 'azure']);
  });

  test('a site that failed is avoided, tried again after a while, and used again when it is back', async () => {
    const sites = fakeSites({ aws: ['refused', 'refused'] });
    const get = async (): Promise<string> => (await users(sites).get('ada')).site;
    expect([await get(), await get()]).toEqual(['azure', 'azure']);
    expect(sites.asked).toEqual(['aws', 'azure', 'azure']);
    sites.clock.nowMs += 1_001;
    // The second failure in a row: twice as long.
    expect(await get()).toBe('azure');
    sites.clock.nowMs += 1_001;
    expect(await get()).toBe('azure');
    expect(sites.asked.slice(3)).toEqual(['aws', 'azure', 'azure']);
    sites.clock.nowMs += 1_001;
    expect([await get(), await get()]).toEqual(['aws', 'aws']);
  });

  test('its caller can end a call, and is not misled about what was sent', async () => {
    const before = fakeSites();
    const error = await reasonOf(users(before).create(ADA, { signal: AbortSignal.abort() }));
    expect([error instanceof CancelledError, before.asked]).toEqual([true, []]);
    const stop = new AbortController();
    const during = fakeSites(
      {},
      {
        fetch: (_url, { signal }) => {
          stop.abort();
          return Promise.reject(signal!.reason as Error);
        },
      },
    );
    expect(await reasonOf(users(during).create(ADA, { signal: stop.signal }))).toBeInstanceOf(OutcomeUnknown);
  });
});

describe('what a session has seen', () => {
  test('a read carries the token of the record, and a list those of its records', async () => {
    const sites = fakeSites();
    const { data } = await users(sites).create(ADA);
    await users(sites).patch('grace', { name: 'Grace' });
    await users(sites).get(data.id);
    await sites.client.GET('/users', {});
    await sites.client.GET('/items', {});
    const tokens = sites.aws.sent.map(({ headers }) => headers.get('x-tandem-session')?.split(', ').length);
    expect(tokens).toEqual([undefined, undefined, 1, 2, undefined]);
  });

  test('a write carries the token of its record alone, so it is decided by nothing older, at whichever site', async () => {
    const sites = fakeSites({ aws: ['well', 'behind'] });
    await users(sites).patch('grace', { name: 'Grace' });
    const { site } = await users(sites).patch('grace', { name: 'Grace Hopper' });
    await users(sites).patch('ada', { name: 'Ada' });
    const sent = [...sites.aws.sent, ...sites.azure.sent];
    const tokens = sent.map(({ headers }) => headers.get('x-tandem-session')?.split(', ').length);
    expect([site, tokens]).toEqual(['azure', [undefined, 1, undefined, 1]]);
  });

  test('is an error when nobody has it, and stale only when that was asked for', async () => {
    const behind = { aws: MANY('refused'), azure: MANY('behind') };
    const strict = fakeSites(behind);
    expect(await reasonOf(users(strict).get('ada'))).toBeInstanceOf(UnavailableError);
    const lenient = fakeSites({ ...behind, azure: ['behind'] }, { whenBehind: 'stale' });
    const { stale, site } = await users(lenient).get('ada');
    expect([stale, site]).toEqual([true, 'azure']);
    expect((await users(fakeSites({ azure: ['behind'] })).get('ada')).stale).toBe(false);
  });
});

const FATES: readonly Fate[] = [
  'well',
  'refused',
  'lost',
  'reset-after',
  'hang',
  '500-after',
  '503',
  '502',
  '429',
];
const KINDS = {
  increment: (sites: FakeSites) => users(sites).patch('ada', { signIns: { increment: 1 } }),
  conditional: (sites: FakeSites) => users(sites).patch('ada', { name: 'A' }, { ifMatch: '"v"' }),
  unkeyed: (sites: FakeSites) =>
    sites.client.POST('/replication/dead-letters/discard', { body: { all: true } }),
  create: (sites: FakeSites) => users(sites).create(ADA),
} as const;

test('an increment that its caller calls safe counts twice: the check below would find it', async () => {
  const sites = fakeSites({ aws: ['reset-after'] });
  await users(sites).patch('ada', { signIns: { increment: 1 } }, { safeElsewhere: true });
  expect(effectsOf(sites)).toHaveLength(2);
});

test('never two effects for one call, and every error says the truth', async () => {
  const fates = fc.array(fc.constantFrom(...FATES), { maxLength: 12 });
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fates,
      fates,
      fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[])),
      async (aws, azure, kind) => {
        const sites = fakeSites({ aws, azure });
        const error = await reasonOf(KINDS[kind](sites));
        sites.aws.finish();
        sites.azure.finish();
        const effects = effectsOf(sites);
        // A creation at both sites is one record, by its key.
        const count = kind === 'create' ? new Set(effects.map(({ key }) => key)).size : effects.length;
        expect(count).toBeLessThanOrEqual(1);
        if (error === 'no error') expect(count).toBe(1);
        else if (!(error instanceof OutcomeUnknown))
          expect([error instanceof UnavailableError, count]).toEqual([true, 0]);
        seen.add(`${kind} ${error === 'no error' ? 'done' : (error as Error).name}`);
      },
    ),
    // What chance may leave out: a site that stays away for as long as the call takes.
    { numRuns: 600, examples: [[MANY('lost'), [], 'increment']] },
  );
  // The schedules were hard enough to see every end.
  expect([...seen].sort()).toEqual(
    expect.arrayContaining([
      'increment OutcomeUnknown',
      'increment done',
      'unkeyed OutcomeUnknown',
      'create done',
    ]),
  );
});
