/**
 * Cloudflare's API v4 on loopback, for the real client: it checks every body against the published shapes, keeps DNS
 * records, load balancers, pools, monitors and rules, and refuses what the service refuses: a second CNAME at a name, identical
 * records, ids that are gone, pools and monitors in use, a wrong token.
 */
import { randomUUID } from 'node:crypto';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import {
  type HttpEmulator,
  type IncomingRequest,
  type Response,
  startHttpEmulator,
} from '../core/http-emulator.ts';
import { Rulesets } from './rulesets.ts';
import { BALANCER, BATCH, MONITOR, POOL, RULES } from './shapes.ts';

type Thing = Record<string, unknown> & { id: string };

export interface CloudflareServer extends HttpEmulator {
  records: Thing[];
  readonly balancers: Map<string, Thing>;
  readonly pools: Map<string, Thing>;
  readonly monitors: Map<string, Thing>;
  readonly rulesets: Rulesets;
  /** Pool → what its checks say. */
  readonly health: Map<string, boolean>;
}

export const TOKEN = 'right-token';
const ACCOUNT = 'a'.repeat(32);
const ZONE = 'b'.repeat(32);

class Refusal extends Error {
  readonly status: number;
  readonly code: number;
  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The envelope of an error. */
export function refusal(
  status: number,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  const body = JSON.stringify({ success: false, errors: [{ code, message }], messages: [], result: null });
  return { status, body, headers: { 'content-type': 'application/json', ...headers } };
}

export async function startCloudflare(zone: string): Promise<CloudflareServer> {
  const ajv = new Ajv({ allErrors: true, strict: false });
  formats.default(ajv, ['ipv4', 'ipv6']);
  const shapes = {
    batch: ajv.compile(BATCH),
    monitor: ajv.compile(MONITOR),
    pool: ajv.compile(POOL),
    balancer: ajv.compile(BALANCER),
  };
  const state = {
    records: [] as Thing[],
    balancers: new Map<string, Thing>(),
    pools: new Map<string, Thing>(),
    monitors: new Map<string, Thing>(),
    rulesets: new Rulesets(),
    health: new Map<string, boolean>(),
  };

  const collection =
    (things: Map<string, Thing>, shape: ValidateFunction, used: (id: string) => boolean) =>
    (requested: IncomingRequest, id: string | undefined): unknown => {
      if (requested.method === 'GET') return [...things.values()];
      if (id !== undefined && !things.has(id)) throw new Refusal(404, 1001, `${id} not found`);
      if (requested.method === 'DELETE') {
        if (id === undefined) throw new Refusal(404, 7003, `no route for DELETE ${requested.path}`);
        if (used(id)) throw new Refusal(412, 1005, `${id} is referenced`);
        things.delete(id);
        return { id };
      }
      const present = requested.method === 'PATCH' ? things.get(id ?? '') : {};
      const thing = { ...present, ...(parsed(requested, shape) as Referring), id: id ?? newId() };
      for (const reference of references(thing)) {
        if (!state.pools.has(reference) && !state.monitors.has(reference))
          throw new Refusal(400, 1002, `${reference} is unknown`);
      }
      things.set(thing.id, thing);
      return thing;
    };
  const balancers = collection(state.balancers, shapes.balancer, () => false);
  const pools = collection(state.pools, shapes.pool, (id) =>
    JSON.stringify([...state.balancers.values()]).includes(id),
  );
  const monitors = collection(state.monitors, shapes.monitor, (id) =>
    JSON.stringify([...state.pools.values()]).includes(id),
  );

  const rulesets = (requested: IncomingRequest): unknown => {
    const path = requested.path.split('/').slice(4);
    const phase = path[0] === 'phases' ? path[1] : phaseOf(state.rulesets, path[0]);
    const shape = ajv.compile(RULES[phase ?? ''] ?? false);
    const body = (): Record<string, unknown> => {
      const value = JSON.parse(requested.body) as Record<string, unknown>;
      const rules = path[0] === 'phases' ? (value['rules'] as object[]) : [value];
      for (const rule of rules) {
        if (!shape(rule)) throw new Error(`not the published shape: ${JSON.stringify([shape.errors, rule])}`);
      }
      return value;
    };
    const found = state.rulesets.response({ method: requested.method, path, body });
    if (found === undefined) throw new Refusal(404, 10_003, 'could not find entrypoint ruleset');
    return found;
  };

  const route = (requested: IncomingRequest): unknown => {
    if (requested.headers.authorization !== `Bearer ${TOKEN}`)
      throw new Refusal(403, 9109, 'Invalid access token');
    const [, kind, owner, area, what, id] = requested.path.split('/');
    if (requested.path === '/zones') {
      const found = requested.query.get('name') === zone;
      return found ? [{ id: ZONE, name: zone, account: { id: ACCOUNT, name: 'Test' } }] : [];
    }
    if ((kind === 'zones' && owner !== ZONE) || (kind === 'accounts' && owner !== ACCOUNT))
      throw new Refusal(404, 7003, 'no route');
    if (area === 'dns_records' && requested.method === 'GET') {
      const exact = requested.query.get('name.exact') ?? requested.query.get('name[exact]');
      return state.records.filter(({ name }) => exact === null || name === exact);
    }
    if (area === 'dns_records' && what === 'batch') {
      state.records = batched(state.records, parsed(requested, shapes.batch) as Batch);
      return {};
    }
    if (area === 'load_balancers' && kind === 'zones') return balancers(requested, what);
    if (area === 'load_balancers' && what === 'monitors') return monitors(requested, id);
    if (area === 'load_balancers' && what === 'pools') {
      if (!requested.path.endsWith('/health')) return pools(requested, id);
      const healthy = state.health.get(id ?? '');
      return { pool_id: id, pop_health: healthy === undefined ? {} : { 'Amsterdam, NL': { healthy } } };
    }
    if (area === 'rulesets') return rulesets(requested);
    throw new Refusal(404, 7003, `no route for ${requested.method} ${requested.path}`);
  };

  const emulator = await startHttpEmulator((requested) => {
    try {
      return response(requested, route(requested));
    } catch (error) {
      if (error instanceof Refusal) return refusal(error.status, error.code, error.message);
      return refusal(400, 1004, (error as Error).message);
    }
  });
  return Object.assign(state, emulator);
}

function phaseOf(rulesets: Rulesets, id: string | undefined): string | undefined {
  return [...rulesets].find(([, ruleset]) => ruleset.id === id)?.[0];
}

function newId(): string {
  return randomUUID().replaceAll('-', '');
}

/** Where a pool or a load balancer names monitors and pools; the shapes were found right before. */
interface Referring {
  readonly monitor?: string;
  readonly fallback_pool?: string;
  readonly default_pools?: readonly string[];
  readonly region_pools?: Readonly<Record<string, readonly string[]>>;
  readonly country_pools?: Readonly<Record<string, readonly string[]>>;
  readonly rules?: readonly { readonly overrides: Referring }[];
}

function references(thing: Referring): string[] {
  const { default_pools = [], region_pools = {}, country_pools = {}, rules = [] } = thing;
  const single = [thing.monitor, thing.fallback_pool].filter((id) => id !== undefined);
  const lists = [default_pools, ...Object.values(region_pools), ...Object.values(country_pools)];
  return [...single, ...lists.flat(), ...rules.flatMap(({ overrides }) => references(overrides))];
}

function parsed(requested: IncomingRequest, shape: ValidateFunction): unknown {
  const value: unknown = JSON.parse(requested.body);
  if (shape(value)) return value;
  throw new Error(`not the published shape: ${JSON.stringify(shape.errors)} of ${requested.body}`);
}

interface Batch {
  readonly deletes?: readonly { id: string }[];
  readonly patches?: readonly Thing[];
  readonly posts?: readonly Record<string, unknown>[];
}

/** One transaction: deletes, then what is changed in place, then what is new. */
function batched(records: readonly Thing[], { deletes = [], patches = [], posts = [] }: Batch): Thing[] {
  if (deletes.length + patches.length + posts.length > 200)
    throw new Refusal(400, 81056, 'the batch is larger than this plan allows');
  let after = [...records];
  for (const { id } of deletes) {
    if (!after.some((record) => record.id === id)) throw new Refusal(404, 81044, 'Record does not exist.');
    after = after.filter((record) => record.id !== id);
  }
  for (const patch of patches) {
    const index = after.findIndex((record) => record.id === patch.id);
    if (index === -1) throw new Refusal(404, 81044, 'Record does not exist.');
    after[index] = { ...after[index], ...patch };
  }
  for (const post of posts) {
    const beside = after.filter(({ name }) => name === post['name']);
    const kind = (type: unknown): boolean => ['A', 'AAAA', 'CNAME'].includes(String(type));
    if (beside.some(({ type }) => type === 'CNAME') && kind(post['type'])) {
      throw new Refusal(400, 81054, 'A CNAME record with that host already exists.');
    }
    if (post['type'] === 'CNAME' && beside.some(({ type }) => kind(type))) {
      throw new Refusal(400, 81053, 'An A, AAAA, or CNAME record with that host already exists.');
    }
    const same = (record: Thing): boolean =>
      record['type'] === post['type'] &&
      record['content'] === post['content'] &&
      JSON.stringify(record['data']) === JSON.stringify(post['data']);
    if (beside.some(same)) throw new Refusal(400, 81058, 'An identical record already exists.');
    after.push({ ...post, id: newId() });
  }
  return after;
}

/** Lists of zones and records come in pages; those of load balancing are whole. */
function response({ query, path }: IncomingRequest, result: unknown): Response {
  const headers = { 'content-type': 'application/json' };
  if (!Array.isArray(result))
    return {
      status: 200,
      body: JSON.stringify({ success: true, errors: [], messages: [], result }),
      headers,
    };
  const perPage = path.includes('load_balancers') ? Infinity : Number(query.get('per_page') ?? 100);
  const page = Number(query.get('page') ?? 1);
  const slice = perPage === Infinity ? result : result.slice((page - 1) * perPage, page * perPage);
  const info = {
    page,
    per_page: perPage,
    count: slice.length,
    total_count: result.length,
    total_pages: Math.ceil(result.length / perPage),
  };
  return {
    status: 200,
    body: JSON.stringify({ success: true, errors: [], messages: [], result: slice, result_info: info }),
    headers,
  };
}
