/**
 * Nobody ever sees or changes a byte of another's: whatever others have done, a caller's answers, headers included, and the
 * caller's records are the same as if they had never done it (non-interference: Goguen and Meseguer, "Security Policies and
 * Security Models", 1982). Every route that the entity has is tried, with everything that callers may have got hold of:
 * ids, cursors, tokens, tags and keys of others.
 */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { HttpResponse } from '../../infra/rollout/contract-breaches.ts';
import type { Access, Entity } from '../../src/shared/domain/entity.ts';
import { ANY_OWNER, ANY_TENANT } from '../../src/shared/domain/scope.ts';
import type { Route } from '../../src/shared/http/route.ts';
import type { Call } from './call.ts';
import { bookingWith, type OwnedApi, type OwnedSite, type TestCaller } from './owned-entity.ts';

const CALLERS: readonly TestCaller[] = [
  { name: 'ann', claims: { org: 'acme' } },
  { name: 'bob', claims: { org: 'acme' } },
  { name: 'cat', claims: { org: 'zeta' } },
  { name: 'ann-of-zeta', claims: { org: 'zeta' } },
  { name: 'odd', claims: { org: 'acme~b' } },
  { name: 'nobody', claims: {} },
  { name: 'clerk', claims: { org: 'acme' }, scopes: [ANY_OWNER] },
  { name: 'root', claims: {}, scopes: [ANY_OWNER, ANY_TENANT] },
];
/** Whose answers are compared: those with a scope of their own. */
const WATCHED = ['ann', 'bob', 'cat', 'ann-of-zeta', 'odd'];
const SUBJECTS = CALLERS.map(({ name }) => `service|${name}`);
const TENANTS = ['acme', 'zeta', 'acme~b'];

interface Sent {
  readonly caller: string;
  readonly call: Call;
}

interface Step {
  readonly caller: string;
  /** Chooses the route, whichever there are. */
  readonly route: number;
  /** Choose of what is known by then. */
  readonly picks: readonly number[];
  readonly with: Readonly<Record<'key' | 'token' | 'match' | 'owner' | 'tenant' | 'id' | 'foreign', boolean>>;
}

const some = { maxLength: 3, minLength: 3 };
export const stepArbitrary: fc.Arbitrary<Step> = fc.record({
  caller: fc.constantFrom(...CALLERS.map(({ name }) => name)),
  route: fc.nat(1_000),
  picks: fc.array(fc.nat(1_000), some),
  with: fc.record({
    key: fc.boolean(),
    token: fc.boolean(),
    match: fc.boolean(),
    owner: fc.constantFrom(true, false, false),
    tenant: fc.constantFrom(true, false, false),
    id: fc.constantFrom(true, false, false, false),
    foreign: fc.constantFrom(true, false, false, false, false),
  }),
});

/** What anybody may have got hold of. */
class Loot {
  readonly ids: string[] = ['never-there'];
  readonly cursors: string[] = ['', Buffer.from('m').toString('base64url')];
  readonly tokens: string[] = [];
  readonly tags: string[] = ['"a"'];

  take({ headers, json }: HttpResponse & { json: unknown }): void {
    const { bookingId, items, cursor } = (json ?? {}) as Record<string, unknown>;
    for (const id of [
      bookingId,
      ...((items as { bookingId: string }[] | undefined) ?? []).map((i) => i.bookingId),
    ])
      if (typeof id === 'string') this.ids.push(id);
    if (typeof cursor === 'string') this.cursors.push(cursor);
    if (headers['x-tandem-session'] !== undefined) this.tokens.push(headers['x-tandem-session']);
    if (headers['etag'] !== undefined) this.tags.push(headers['etag']);
  }
}

const isAction = ({ method, path }: Route): boolean => method === 'POST' && path.includes('{');

function callOf(step: Step, number: number, api: Api, loot: Loot): Call {
  const [a = 0, b = 0, c = 0] = step.picks;
  const pick = (from: readonly string[], n: number): string => from[n % from.length] ?? '';
  const route = api.routes[step.route % api.routes.length]!;
  const path = route.path.replace(/\{\w+\}/, pick(loot.ids, a));
  const cursor = pick(loot.cursors, b);
  const isList = route.method === 'GET' && !route.path.includes('{');
  const query = new URLSearchParams({
    limit: String(1 + (a % 3)),
    ...(cursor !== '' && { cursor }),
    ...(step.with.id && { room: 'r1' }),
    ...(step.with.foreign && { customerId: pick(SUBJECTS, c) }),
    ...(step.with.match && { order: 'desc' }),
  });
  const body = {
    note: `written by ${step.caller} in ${number}`,
    room: 'r1',
    ...(step.with.id && { bookingId: pick(loot.ids, c) }),
    ...(step.with.foreign && { customerId: pick(SUBJECTS, c) }),
  };
  return {
    method: route.method,
    path: isList ? `${path}?${query.toString()}` : path,
    headers: {
      'x-request-id': `r${number}`,
      ...(step.with.key && { 'idempotency-key': `k${b % 2}` }),
      ...(step.with.token && loot.tokens.length > 0 && { 'x-tandem-session': pick(loot.tokens, c) }),
      ...(step.with.match && { [route.method === 'GET' ? 'if-none-match' : 'if-match']: pick(loot.tags, c) }),
      ...(step.with.owner && { 'x-tandem-owner': encodeURIComponent(pick(SUBJECTS, b)) }),
      ...(step.with.tenant && { 'x-tandem-tenant': pick(TENANTS, b) }),
    },
    ...(route.body !== undefined && { body: isAction(route) ? { why: body.note } : body }),
  };
}

/** Opens the API of an entity at a site of its own, where nothing was ever written. @param nextId The ids of the site. */
export type OpenWorld = (
  entity: Entity,
  callers: readonly TestCaller[],
  nextId: () => string,
) => Promise<Api>;

type Api = OwnedApi<OwnedSite>;

/** Runs requests at a new site; each caller's ids and the clock depend on nothing that others do. */
async function world(
  access: Access,
  open: OpenWorld,
): Promise<{
  api: Api;
  send: (sent: Sent, number: number) => Promise<HttpResponse>;
}> {
  let asking = '';
  let number = 0;
  let made = 0;
  const api = await open(bookingWith(access), CALLERS, () => {
    made += 1;
    return `${asking}-${String(number).padStart(5, '0')}-${String(made).padStart(6, '0')}`;
  });
  const start = api.site.nowMs;
  return {
    api,
    send: async ({ caller, call }, at) => {
      [asking, number, made] = [caller, at, 0];
      api.site.nowMs = start + at * 1_000;
      return api.call(caller, call);
    },
  };
}

/** For whom a request is made, as this page of the documentation says; undefined: refused. */
function actsFor({ caller, call }: Sent, access: Access): { tenant?: string; owner?: string } | undefined {
  const { claims = {}, scopes = [] } = CALLERS.find(({ name }) => name === caller)!;
  const own = `service|${caller}`;
  const named = call.headers?.['x-tandem-owner'];
  const owner = named === undefined ? undefined : decodeURIComponent(named);
  const tenant = call.headers?.['x-tandem-tenant'] ?? claims['org'];
  if (
    access.tenant !== undefined &&
    (tenant === undefined || (tenant !== claims['org'] && !scopes.includes(ANY_TENANT)))
  )
    return undefined;
  if (access.owner !== undefined && owner !== undefined && owner !== own && !scopes.includes(ANY_OWNER))
    return undefined;
  const sees = owner ?? (scopes.includes(ANY_OWNER) ? undefined : own);
  return {
    ...(access.tenant !== undefined && { tenant: tenant! }),
    ...(access.owner !== undefined && sees !== undefined && { owner: sees }),
  };
}

/** Whether a request may have to do with what the watched one sees. */
function concerns(sent: Sent, of: { tenant?: string; owner?: string }, access: Access): boolean {
  const scope = actsFor(sent, access);
  if (scope === undefined || scope.tenant !== of.tenant) return false;
  return scope.owner === undefined || of.owner === undefined || scope.owner === of.owner;
}

const shown = ({ status, headers, text }: HttpResponse): object => ({ status, headers, text });

export async function neverInterferes(
  steps: readonly Step[],
  access: Access,
  open: OpenWorld,
): Promise<void> {
  const loot = new Loot();
  const everybody = await world(access, open);
  const sent: Sent[] = [];
  const answers: object[] = [];
  for (const [number, step] of steps.entries()) {
    const call = callOf(step, number, everybody.api, loot);
    sent.push({ caller: step.caller, call });
    const response = await everybody.send(sent[number]!, number);
    expect(response.status).not.toBe(500);
    answers.push(shown(response));
    loot.take({ ...response, json: response.text === '' ? undefined : JSON.parse(response.text) });
  }
  for (const caller of WATCHED) {
    const scope = actsFor({ caller, call: { method: 'GET', path: '/bookings' } }, access)!;
    const alone = await world(access, open);
    for (const [number, each] of sent.entries()) {
      if (!concerns(each, scope, access) && each.caller !== caller) continue;
      const response = await alone.send(each, number);
      const isWatched = each.caller === caller;
      if (isWatched)
        expect([number, each.call, shown(response)]).toEqual([number, each.call, answers[number]]);
    }
  }
}

export const ACCESSES: readonly (readonly [string, Access])[] = [
  ['owners', { owner: 'customerId' }],
  ['tenants', { tenant: 'org' }],
  ['owners within tenants', { owner: 'customerId', tenant: 'org' }],
];
