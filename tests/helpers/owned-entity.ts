/** An entity whose records have owners and tenants, behind the routes that every entity has. */
import { createHash } from 'node:crypto';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import { INDEXES_FIELD, indexesField } from '@tandem-clouds/replication/index-phases';
import type { Site } from '@tandem-clouds/replication/protocol';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import type { HttpResponse } from '../../infra/rollout/contract-breaches.ts';
import { httpEntry } from '../../src/shared/adapters/aws/entries.ts';
import { defineEntity } from '../../src/shared/domain/define-entity.ts';
import type { Access, Entity } from '../../src/shared/domain/entity.ts';
import {
  createSchema,
  inputSchema,
  patchSchema,
  storedSchema,
} from '../../src/shared/domain/entity-schemas.ts';
import { EntityService } from '../../src/shared/domain/entity-service.ts';
import { type DeclaredIndex, indexesOf } from '../../src/shared/domain/indexes/declared-index.ts';
import { indexEntries } from '../../src/shared/domain/indexes/index-entry.ts';
import type { Replica } from '../../src/shared/domain/replica.ts';
import { defineRoutes } from '../../src/shared/domain/routes/define-routes.ts';
import { forCallers } from '../../src/shared/http/authentication.ts';
import type { ContentRequests } from '../../src/shared/http/content-requests.ts';
import { customRoutes } from '../../src/shared/http/custom-routes.ts';
import { entityRoutes } from '../../src/shared/http/entity-routes.ts';
import type { Route } from '../../src/shared/http/route.ts';
import type { UsedEntity } from '../../src/shared/http/route-records.ts';
import { httpService } from '../../src/shared/http/service.ts';
import type { HttpHandler } from '../../src/shared/ports/cloud.ts';
import { validate } from '../../src/shared/validation/validate.ts';
import { type Call, type Invoke, invokeLambda } from './call.ts';
import { checksOf } from './sample-routes.ts';
import { START_MS, TestSite } from './test-site.ts';

/** Declares what is booked. */
export function bookingWith(access: Access): Entity {
  return defineEntity({
    name: 'booking',
    collection: 'bookings',
    idField: 'bookingId',
    description: 'Something booked',
    required: ['note'],
    fields: {
      customerId: { type: 'string', maxLength: 300 },
      note: { type: 'string', maxLength: 200 },
      room: { type: 'string', enum: ['r1', 'r2'] },
      status: { states: { order: ['open', 'cancelled'], allowed: { open: ['cancelled'] } }, by: 'action' },
      tags: { type: 'array', maxItems: 20, items: { type: 'string' }, merge: 'set', by: 'action' },
    },
    access,
    indexes: { byRoom: { on: 'room' } },
    actions: {
      cancel: {
        summary: 'Cancel',
        input: { why: { type: 'string', maxLength: 200 } },
        required: [],
        decide: ({ note }, { why = '' }, { caller }) => ({
          status: 'cancelled',
          tags: { add: [`${note} cancelled by ${caller.subject ?? '?'} of ${caller.tenant ?? '?'}: ${why}`] },
        }),
      },
    },
    example: { note: 'Window seat' },
  });
}

const record = { type: 'object' } as const;
const text = { type: 'string' } as const;

/** Custom routes that hand on all that their handlers are given of bookings. */
const digests = defineRoutes({
  name: 'digests',
  description: 'Bookings once more',
  uses: { records: { booking: 'write' } },
  operations: {
    listDigests: {
      method: 'GET',
      path: '/digests',
      summary: 'List',
      input: { limit: { type: 'integer' }, cursor: text, room: text, customerId: text, order: text },
      output: { items: { type: 'array', items: record }, cursor: { ...text, optional: true } },
      async handle({ input: { limit, cursor, room, order } }, { records }) {
        const where = room === undefined ? {} : { room, ...(order !== undefined && { order }) };
        const query = { where, cursor, ...(limit !== undefined && { limit }) };
        const { items, cursor: next } = await records.booking.list(query);
        return { items: [...items], cursor: next };
      },
    },
    getDigest: {
      method: 'GET',
      path: '/digests/{bookingId}',
      summary: 'Read',
      output: { record },
      handle: async ({ params }, { records }) => ({ record: await records.booking.read(params.bookingId) }),
    },
    makeDigest: {
      method: 'POST',
      path: '/digests',
      summary: 'Book, and change it at once',
      keyed: true,
      input: { note: text, room: text, bookingId: text, customerId: text },
      output: { record },
      async handle({ input }, { records }) {
        const { id } = await records.booking.create(input);
        return { record: await records.booking.change(id, { note: `${String(input.note)}, again` }) };
      },
    },
  },
});

/** Who asks: a service key with these scopes and claims. */
export interface TestCaller {
  readonly name: string;
  readonly scopes?: readonly string[];
  readonly claims?: Readonly<Record<string, string>>;
}

/** Where the entity is served: its store may be any. */
export interface OwnedSite {
  nowMs: number;
  readonly site: Site;
  readonly replica: (indexes: readonly DeclaredIndex[], nextId?: () => string) => Replica;
}

export interface OwnedApi<S extends OwnedSite = TestSite> {
  readonly site: S;
  readonly routes: readonly Route[];
  /** What custom routes would use of it. */
  readonly used: UsedEntity;
  readonly call: (caller: string | undefined, call: Call) => Promise<HttpResponse>;
}

/** At a site in memory. @param nextId The ids of the site. */
export function ownedApi(
  entity: Entity,
  callers: readonly TestCaller[],
  nextId?: () => string,
  {
    trustsEverybody = false,
    content,
    name = 'aws-us-east-1',
  }: Pick<ApiOptions, 'content' | 'trustsEverybody'> & { readonly name?: string } = {},
): OwnedApi {
  const site = new TestSite(name);
  const indexes = indexesOf(entity);
  site.store.entriesOf = indexEntries(indexes);
  for (const record of completeBeats(site.site, indexes))
    site.store.items.set(record.key, { record, revision: 1 });
  return apiAt(site, entity, callers, {
    nextId,
    trustsEverybody,
    content,
    entry: httpEntry,
    invoke: invokeLambda,
  });
}

export interface ApiOptions {
  readonly nextId?: (() => string) | undefined;
  readonly trustsEverybody?: boolean;
  /** Those of one cloud. */
  /** What the routes of an entity with content use. */
  readonly content?: ((replica: Replica) => ContentRequests) | undefined;
  readonly entry: (handler: HttpHandler) => unknown;
  readonly invoke: Invoke;
}

/** At any site whose indexes are complete. */
export function apiAt<S extends OwnedSite>(
  site: S,
  entity: Entity,
  callers: readonly TestCaller[],
  { nextId, trustsEverybody = false, content, entry, invoke }: ApiOptions,
): OwnedApi<S> {
  const ajv = new Ajv.default({ allErrors: true, strict: true, strictRequired: false });
  addFormats.default(ajv);
  const stored = ajv.compile(storedSchema(entity));
  const checks = {
    create: ajv.compile(createSchema(entity)),
    patch: ajv.compile(patchSchema(entity)),
    actions: Object.fromEntries(
      Object.entries(entity.actions).map(([name, action]) => [name, ajv.compile(inputSchema(action))]),
    ),
  };
  const replica = site.replica(indexesOf(entity), nextId);
  const service = new EntityService(entity, replica, (fields) => validate(stored, fields));
  const used: UsedEntity = { entity, service, checks, right: 'write', site: site.site.site };
  const serviceKeys = callers.map(({ name, scopes = [], claims = {} }) => ({
    name,
    sha256: createHash('sha256').update(name).digest('hex'),
    scopes: ['tandem/read', 'tandem/write', ...scopes],
    claims,
  }));
  const routes = forCallers(
    { jwtIssuers: [], serviceKeys, trustsEverybody },
    () => Promise.reject(new Error('no issuer is asked')),
    [
      ...entityRoutes(entity, service, checks, content?.(replica)),
      ...customRoutes(digests, { checks: checksOf(digests), entities: [used], context: () => ({}) }),
    ],
  );
  const handler = entry(
    httpService({ site: site.site.site, routes, logger: { log: () => undefined }, elapsed: () => 0 }),
  );
  return {
    site,
    routes,
    used,
    call: (caller, { headers = {}, ...call }) =>
      invoke(handler, {
        ...call,
        headers: { ...headers, ...(caller !== undefined && { authorization: `Bearer ${caller}` }) },
      }),
  };
}

/** The heartbeats of a site and its peers at which every index is complete. */
export function completeBeats(
  { site, peers }: Site,
  indexes: readonly DeclaredIndex[],
): readonly StoredRecord[] {
  return [site, ...peers].map((name) => {
    const stamp = encodeStamp(START_MS - 1_000, 0, name);
    const states = Object.fromEntries(
      indexes.map(({ id }) => [id, { phase: 'filled' as const, sinceMs: 1 }]),
    );
    const fields = { [INDEXES_FIELD]: [stamp, indexesField(states)] as const };
    return {
      key: heartbeatKey(name),
      state: { fields, vector: { [name]: stamp } },
      pending: {},
      operations: [],
    };
  });
}
