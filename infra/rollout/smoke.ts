/**
 * Does a site do what it is for? A few real requests: who answers, health, and for each entity a write, its reads, and the way
 * to its peer and back.
 *
 * Invariant: what it writes it deletes, also when it fails on the way; of what nobody deletes it writes nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Entity, isRemovable } from '../../src/shared/domain/entity.ts';
import type { CustomRoutes } from '../../src/shared/domain/routes/custom-routes.ts';
import { entities as declared } from '../../src/shared/registry/entities.ts';
import { routes as declaredRoutes } from '../../src/shared/registry/routes.ts';
import { query, type Response } from './query-site.ts';
import { trialRecord, whyNotTried } from './trial-record.ts';

/** Replication takes a second or so; a cold queue trigger takes longer. */
const REPLICATED_WITHIN_MS = 30_000;
const POLL_MS = 200;
const ALWAYS = ['x-request-id', 'x-tandem-site', 'strict-transport-security', 'x-content-type-options'];

export interface SmokeOptions {
  readonly url: string;
  /** The other site: then replication is tried, there and back. */
  readonly peer?: string;
  /** The site's id, when it is known. */
  readonly site?: string;
  /** The release that must answer. */
  readonly version?: string;
  readonly replicatedWithinMs?: number;
  /** Nothing is written. */
  readonly readOnly?: boolean;
  /** What is tried; all that is declared unless it is given. */
  readonly declared?: Declared;
}

interface Declared {
  readonly entities: readonly Entity[];
  readonly routes: readonly CustomRoutes[];
}

export interface SmokeResult {
  /** What works, with what was measured. */
  readonly passed: readonly string[];
  /** Empty: all is well. */
  readonly failed: readonly string[];
}

/** Never rejects for what the site does. */
export async function smoke(options: SmokeOptions): Promise<SmokeResult> {
  const passed: string[] = [];
  const failed: string[] = [];
  for (const [name, check] of Object.entries({ ...CHECKS, ...checksOf(options.declared) })) {
    try {
      const detail = await check(options);
      if (detail !== undefined) passed.push(`${name}: ${detail}`);
    } catch (error) {
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { passed, failed };
}

/** Each says what it saw, or nothing when it has nothing to look at. */
const CHECKS: Readonly<Record<string, Check>> = {
  health: async ({ url, site, version }) => {
    const { json } = await expectStatus(query(url, 'GET', '/health'), 200);
    expectValue('site', json['site'], site);
    expectValue('version', json['version'], version);
    return `${String(json['site'])} on ${String(json['version'])}`;
  },
  'deep health': async ({ url }) => {
    const { json } = await expectStatus(query(url, 'GET', '/health/deep'), 200);
    return String(json['status']);
  },
  region: async ({ url, site }) => {
    const { json, headers } = await expectStatus(query(url, 'GET', '/region'), 200);
    expectValue('site', json['site'], site);
    expectValue('X-Tandem-Site', headers['x-tandem-site'], String(json['site']));
    return `${String(json['cloud'])} ${String(json['region'])}`;
  },
  headers: async ({ url }) => {
    const { headers } = await query(url, 'GET', '/region');
    const missing = ALWAYS.filter((name) => headers[name] === undefined);
    if (missing.length > 0) throw new Error(`${missing.join(', ')} missing`);
    return 'present';
  },
};

type Check = (options: SmokeOptions) => Promise<string | undefined>;

function checksOf(
  { entities, routes }: Declared = { entities: declared, routes: declaredRoutes },
): Record<string, Check> {
  const ofEntities = entities.map((entity): [string, Check] =>
    isRemovable(entity)
      ? [
          `${entity.collection}: a write, its reads, its way to the peer and its end`,
          (options) => writeAndRead(entity, options),
        ]
      : [`${entity.collection}: a read of what is not there`, (options) => readNone(entity, options)],
  );
  const ofRoutes = routes.map((one): [string, Check] => [
    `${one.name}: its routes are there`,
    (options) => answersFor(one, options),
  ]);
  return Object.fromEntries([...ofEntities, ...ofRoutes]);
}

/** What a route does is its own business: here only that its function answers for its methods. */
async function answersFor({ operations }: CustomRoutes, { url }: SmokeOptions): Promise<string> {
  for (const { method, path } of Object.values(operations)) {
    const somewhere = path.replaceAll(/\{\w+\}/g, 'smoke');
    const { headers } = await expectStatus(query(url, 'OPTIONS', somewhere), 204);
    const allow = (headers['allow'] ?? '').split(', ');
    if (!allow.includes(method))
      throw new Error(`OPTIONS ${somewhere}: ${method} is not among ${allow.join(', ')}`);
  }
  return Object.keys(operations).join(', ');
}

/** What is written would stay. */
async function readNone({ collection }: Entity, { url }: SmokeOptions): Promise<string> {
  await expectStatus(query(url, 'GET', `/${collection}/smoke-${Date.now().toString(36)}`), 404);
  return 'answered; nothing was written, because nobody deletes it';
}

async function writeAndRead(
  entity: Entity,
  { url, peer, replicatedWithinMs = REPLICATED_WITHIN_MS, readOnly = false }: SmokeOptions,
): Promise<string | undefined> {
  if (readOnly) return undefined;
  const trial = trialRecord(entity, `smoke-${Date.now().toString(36)}`);
  const { headers: tenant } = trial;
  const creation = await query(url, 'POST', trial.path, { body: trial.body, headers: trial.creation });
  const why = whyNotTried(entity, creation);
  if (why !== undefined) return `not tried: ${why}`;
  const created = await expectStatus(Promise.resolve(creation), 201);
  const path = `${trial.path}/${String(created.json[entity.idField])}`;
  try {
    const read = await expectStatus(query(url, 'GET', path, { headers: tenant }), 200);
    for (const [field, value] of Object.entries(trial.body))
      if (typeof value === 'string') expectValue(field, read.json[field], value);
    const { headers } =
      trial.change === undefined
        ? read
        : await expectStatus(query(url, 'PATCH', path, { body: trial.change, headers: tenant }), 200);
    if (peer === undefined) {
      await expectStatus(query(url, 'DELETE', path, { headers: tenant }), 204);
      await expectStatus(query(url, 'GET', path, { headers: tenant }), 404);
      return 'written, changed, read and deleted';
    }
    const thereMs = await until(replicatedWithinMs, `${path} at ${peer}`, async () => {
      const there = await query(peer, 'GET', path, { headers: tenant });
      // It names the state, at every site alike.
      return there.status === 200 && there.headers['etag'] === headers['etag'];
    });
    await expectStatus(query(peer, 'DELETE', path, { headers: tenant }), 204);
    const backMs = await until(replicatedWithinMs, `the end of ${path} at ${url}`, async () => {
      return (await query(url, 'GET', path, { headers: tenant })).status === 404;
    });
    return `at the peer after ${thereMs} ms, the peer's delete here after ${backMs} ms`;
  } catch (error) {
    await query(url, 'DELETE', path, { headers: tenant }).catch(() => undefined);
    throw error;
  }
}

async function expectStatus(requested: Promise<Response>, wanted: number): Promise<Response> {
  const response = await requested;
  if (response.status === wanted) return response;
  throw new Error(
    `${response.method} ${response.path}: ${response.status} instead of ${wanted}: ${response.text.slice(0, 200)}`,
  );
}

function expectValue(what: string, seen: unknown, wanted: string | undefined): void {
  if (wanted !== undefined && seen !== wanted)
    throw new Error(`${what} is ${String(seen)} instead of ${wanted}`);
}

/** Returns how many milliseconds it took. */
async function until(withinMs: number, what: string, isSo: () => Promise<boolean>): Promise<number> {
  const beganMs = performance.now();
  while (!(await isSo())) {
    if (performance.now() - beganMs > withinMs) throw new Error(`${what}: not within ${withinMs} ms`);
    await sleep(POLL_MS);
  }
  return Math.round(performance.now() - beganMs);
}
