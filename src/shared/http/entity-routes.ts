/** The routes of any declared entity. */
import type { ValidateFunction } from 'ajv';
import type { Json } from '@tandem-clouds/replication/json';
import { own } from '@tandem-clouds/replication/own';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { keysOfList, recordKey } from '../domain/caching/keys.ts';
import { COMPLETE } from '../domain/content.ts';
import { type Entity, isChangeable, isCreatable, isRemovable, writersOf } from '../domain/entity.ts';
import type { Creation, EntityPage, EntityService, WriteOptions } from '../domain/entity-service.ts';
import { writerMistake } from '../domain/field-changes.ts';
import { ID_PATTERN } from '../domain/json-schema.ts';
import type { KeyedRequest } from '../domain/request-memory.ts';
import type { Scope } from '../domain/scope.ts';
import { type Failure, InvalidError, NotFoundError } from '../errors.ts';
import { cacheHeaders } from './cache-headers.ts';
import { ifMatchOf, isNotModified } from './conditional.ts';
import type { ContentRequests, CreationWithUpload } from './content-requests.ts';
import { keyedRequest, replayedHeader } from './idempotency.ts';
import { isByIndex, readListQuery } from './list-query.ts';
import { opaqueCursor, readPaging } from './paging.ts';
import { withDurability } from './prefer.ts';
import { recordHeaders } from './record-headers.ts';
import { askerOf, type Caller, type HttpReply, type HttpRequest, type Route } from './route.ts';
import { OWNER_HEADER, scopeOf, TENANT_HEADER } from './scope-of.ts';
import { seenStates, sessionToken } from './session.ts';
import { readAsPreferred } from './waiting-read.ts';

const ID = new RegExp(ID_PATTERN);
/** What says whose records an answer holds. */
export const VARY_BY_CALLER = `authorization, ${OWNER_HEADER}, ${TENANT_HEADER}`;

/**
 * The compiled schemas of an entity: `<name>Create`, `<name>Patch` and, by the name of each action, `<name><Action>Input`
 * of `generated/validators.js`.
 */
export interface EntityChecks {
  readonly create: ValidateFunction;
  readonly patch: ValidateFunction;
  readonly actions: Readonly<Record<string, ValidateFunction>>;
}

/** Read, list and act; create, change and delete where callers may. */
export function entityRoutes(
  entity: Entity,
  service: EntityService,
  checks: EntityChecks,
  content?: ContentRequests,
): Route[] {
  const base = `/${entity.collection}`;
  const one = `${base}/{${entity.idField}}`;
  const idOfRequest = ({ params }: HttpRequest): string => checkedId(params[entity.idField], entity.name);
  const scoped = (request: HttpRequest): Scoped => {
    const scope = scopeOf(entity, request);
    return {
      scope,
      records: service.within(scope),
      keyed: (action) => keyedRequest(entity.name, request, { action, actedFor: scope.actedFor }),
    };
  };
  const headersOf = (record: StoredRecord): Record<string, string> => ({
    ...recordHeaders(record),
    ...varying(entity),
  });
  const reply = (record: StoredRecord, request: HttpRequest): HttpReply => ({
    status: 200,
    body: service.view(record, askerOf(request)),
    headers: headersOf(record),
  });
  const changeReply = (changed: Creation, request: HttpRequest): Promise<HttpReply> => {
    const full = reply(changed.record, request);
    const headers = { ...full.headers, ...replayedHeader(changed.replayed) };
    return withDurability(request, { ...full, headers }, () => service.isAccepted(changed));
  };
  const routes: Route[] = [
    {
      method: 'POST',
      path: base,
      body: checks.create,
      explain: namingWriters(entity),
      async handle(request) {
        const { scope, records, keyed } = scoped(request);
        const options = { ...writeOptions(request), request: keyed() };
        const values = request.body as Record<string, Json>;
        const creation: CreationWithUpload =
          content === undefined
            ? await records.create(values, options)
            : await content.create(values, { ...options, scope, records });
        const { record, replayed, existed = false, upload } = creation;
        const location = `${base}/${records.idOf(record)}`;
        const headers = { ...headersOf(record), location, ...replayedHeader(replayed) };
        const body = { ...records.view(record, askerOf(request)), ...(upload !== undefined && { upload }) };
        return withDurability(request, { status: existed ? 200 : 201, body, headers }, () =>
          records.isAccepted(creation),
        );
      },
    },
    {
      method: 'GET',
      path: base,
      async handle(request) {
        const reply = await entityListReply(entity, request, scoped(request));
        return { ...reply, headers: { ...reply.headers, ...varying(entity) } };
      },
    },
    {
      method: 'GET',
      path: one,
      async handle(request) {
        const { records } = scoped(request);
        const reading = { entity, records, reader: askerOf(request) };
        const { record, headers } = await readAsPreferred(idOfRequest(request), request, reading);
        const full = reply(record, request);
        const path = `${base}/${records.idOf(record)}`;
        // With a query, which means nothing here, it would be kept under another address.
        const kept =
          request.event.rawQueryString === ''
            ? cacheHeaders(entity, request, path, () => [recordKey(record.key)])
            : {};
        const all = { ...full.headers, ...headers, ...kept };
        return isNotModified(request.headers['if-none-match'], record.state)
          ? { status: 304, headers: all }
          : { ...full, headers: all };
      },
    },
    {
      method: 'PATCH',
      path: one,
      body: checks.patch,
      explain: namingWriters(entity),
      async handle(request) {
        const { records, keyed } = scoped(request);
        const values = request.body as Record<string, Json>;
        const changed = await records.change(idOfRequest(request), values, {
          ...writeOptions(request),
          request: keyed(),
        });
        return changeReply(changed, request);
      },
    },
    ...Object.entries(entity.actions).map(([name, { required }]): Route => ({
      method: 'POST',
      path: `${one}/${name}`,
      body: checkOf(checks, name),
      ...(required.length === 0 && { whenEmpty: {} }),
      async handle(request) {
        const { scope, records, keyed } = scoped(request);
        const id = idOfRequest(request);
        const given = request.body as Record<string, Json>;
        const options = { ...writeOptions(request), request: keyed(name), caller: scope.caller };
        const act = (input: typeof given): Promise<Creation> => records.act(id, { name, input }, options);
        const changed =
          name === COMPLETE && content !== undefined
            ? await content.complete(id, given, { ...options, scope, records }, act)
            : await act(given);
        return changeReply(changed, request);
      },
    })),
    {
      method: 'DELETE',
      path: one,
      async handle(request) {
        const { records } = scoped(request);
        return removalReply(request, idOfRequest(request), content?.removing(records) ?? records);
      },
    },
    ...(content === undefined
      ? []
      : [
          {
            method: 'GET' as const,
            path: `${one}/content`,
            handle: async (request: HttpRequest): Promise<HttpReply> =>
              content.read(
                await scoped(request).records.read(idOfRequest(request), seenStates(request)),
                varying(entity),
              ),
          },
          ...(entity.content?.variants?.names ?? []).map((name) => ({
            method: 'GET' as const,
            path: `${one}/${name}`,
            handle: async (request: HttpRequest): Promise<HttpReply> =>
              content.readVariant(
                await scoped(request).records.read(idOfRequest(request), seenStates(request)),
                name,
              ),
          })),
        ]),
  ];
  const closed = new Set([
    ...(isCreatable(entity) ? [] : [`POST ${base}`]),
    ...(isChangeable(entity) ? [] : [`PATCH ${one}`]),
    ...(isRemovable(entity) ? [] : [`DELETE ${one}`]),
  ]);
  return routes
    .filter(({ method, path }) => !closed.has(`${method} ${path}`))
    .map((route) => ({ ...route, ...scopeOfRoute(entity, route) }));
}

/** What is sent to be shown is for everybody; the bytes as they were sent are for who writes (docs/callers.md). */
function scopeOfRoute(
  { access, collection, idField }: Entity,
  { method, path }: Route,
): Pick<Route, 'scope'> {
  const isContent = path === `/${collection}/{${idField}}/content`;
  if (method === 'GET' && !(isContent && access.write !== undefined))
    return access.read === 'everybody' ? { scope: null } : {};
  return access.write === undefined ? {} : { scope: access.write };
}

/** What a request may know of. */
interface Scoped {
  readonly scope: Scope;
  readonly records: EntityService;
  readonly keyed: (action?: string) => KeyedRequest | undefined;
}

/** @throws TypeError An action whose input nobody checks is not served. */
export function checkOf({ actions }: EntityChecks, name: string): ValidateFunction {
  const check = own(actions, name);
  if (check === undefined) throw new TypeError(`no check of the input of ${name}: run npm run generate`);
  return check;
}

/** A cache that belongs to one person may serve several callers, one after the other (RFC 9111, section 4.1). */
function varying(entity: Entity): Record<string, string> {
  const { owner, tenant } = entity.access;
  if (owner !== undefined || tenant !== undefined) return { vary: VARY_BY_CALLER };
  return Object.keys(entity.readableBy).length === 0 ? {} : { vary: 'authorization' };
}

/** A field that is there, but not for clients: who writes it, instead of that it is unknown. The id is such a field. */
function namingWriters(entity: Entity): (failure: Failure) => Failure {
  return (failure) => {
    const field = failure.pointer.slice(1);
    if (field === entity.idField && entity.ids !== undefined)
      return { ...failure, rule: 'ids', detail: 'derives from the Idempotency-Key, and is nobody’s choice' };
    if (failure.rule !== 'additionalProperties' || !Object.hasOwn(entity.fields, field)) return failure;
    if (field === entity.access.owner)
      return { ...failure, rule: 'by', detail: 'is who asks, and nothing else' };
    const detail = writersOf(entity, field).includes('client')
      ? 'begins at its first state, and is no choice of a creation'
      : writerMistake(entity, field, 'client');
    return { ...failure, rule: 'by', detail };
  };
}

/** What a list of an entity is asked for, within what the request may know of. @throws InvalidError @throws IndexIncompleteError */
export async function entityListReply(
  entity: Entity,
  request: HttpRequest,
  { scope, records }: Pick<Scoped, 'scope' | 'records'>,
): Promise<HttpReply> {
  const base = `/${entity.collection}`;
  const query = ownedQuery(entity, request.query, scope.owner);
  return isByIndex(query) && records.indexes.length > 0
    ? indexedReply(entity, { ...request, query }, records)
    : listReply(base, request, records, (page) =>
        cacheHeaders(entity, request, base, () => keysOfList(entity, page.records)),
      );
}

type Records = Pick<EntityService, 'isAccepted' | 'list' | 'remove' | 'view'>;

/**
 * One page of live records, and where the next one begins.
 * @param kept What shared caches may keep of it; nothing unless it is said.
 * @throws InvalidError
 */
export async function listReply(
  base: string,
  request: HttpRequest,
  service: Records,
  kept: (page: EntityPage) => Record<string, string> = () => ({}),
): Promise<HttpReply> {
  const { limit, after } = readPaging(request.query, opaqueCursor);
  const page = await service.list({ limit, after, seen: seenStates(request) });
  const cursor = page.next === undefined ? undefined : opaqueCursor.write(page.next);
  return {
    status: 200,
    body: pageBody(page, { service, reader: askerOf(request), cursor }),
    headers: {
      'cache-control': 'private, no-cache',
      ...kept(page),
      ...(cursor && { link: `<${base}?limit=${limit}&cursor=${cursor}>; rel="next"` }),
    },
  };
}

/** One page of what an index finds, and where the next one begins. @throws InvalidError @throws IndexIncompleteError */
async function indexedReply(
  entity: Entity,
  request: HttpRequest,
  service: EntityService,
): Promise<HttpReply> {
  const base = `/${entity.collection}`;
  const { query, limit, after, cursor } = readListQuery(request.query, service.indexes, service.prefix);
  const page = await service.listBy(query, { limit, after, seen: seenStates(request) });
  const next = page.next === undefined ? undefined : cursor(page.next);
  const link = new URLSearchParams();
  for (const [name, text] of Object.entries({ ...request.query, cursor: next }))
    if (text !== undefined) link.set(name, text);
  return {
    status: 200,
    body: pageBody(page, { service, reader: askerOf(request), cursor: next }),
    headers: {
      'cache-control': 'private, no-cache',
      ...cacheHeaders(entity, request, base, () =>
        keysOfList(entity, page.records, { field: query.index.on, sorted: query.on }),
      ),
      ...(next !== undefined && { link: `<${base}?${link.toString()}>; rel="next"` }),
    },
  };
}

/**
 * What a list is asked for by somebody who sees the records of one owner alone: by that owner, whatever else is asked for.
 * @throws InvalidError
 */
function ownedQuery(
  { access: { owner: field } }: Entity,
  query: HttpRequest['query'],
  owner: string | undefined,
): HttpRequest['query'] {
  if (field === undefined || owner === undefined) return query;
  const named = query[field];
  if (named !== undefined && named !== owner) {
    const detail = 'must be who asks, or be left out';
    throw new InvalidError('the query is invalid', [{ pointer: `/query/${field}`, rule: 'owner', detail }]);
  }
  return { ...query, [field]: owner };
}

function pageBody(
  page: EntityPage,
  {
    service,
    reader,
    cursor,
  }: { service: Pick<EntityService, 'view'>; reader: Caller | undefined; cursor: string | undefined },
): Record<string, unknown> {
  return {
    items: page.records.map((record) => service.view(record, reader)),
    ...(page.unreadable.length > 0 && { unreadable: page.unreadable }),
    ...(cursor !== undefined && { cursor }),
  };
}

/** Deletes one record; the session token names the deletion. */
export async function removalReply(
  request: HttpRequest,
  id: string,
  service: Pick<Records, 'isAccepted' | 'remove'>,
): Promise<HttpReply> {
  const record = await service.remove(id, writeOptions(request));
  const headers = { 'x-tandem-session': sessionToken(record) };
  return withDurability(request, { status: 204, headers }, () =>
    service.isAccepted({ record, replayed: false }),
  );
}

/** What a write takes from the request's headers. @throws MalformedError */
export function writeOptions(request: HttpRequest): WriteOptions {
  const { headers } = request;
  const seen = seenStates(request);
  return { ifMatch: ifMatchOf(headers['if-match']), traceparent: headers['traceparent'], seen };
}

/** An id that cannot exist is not found: it never reaches a store. @throws NotFoundError */
export function checkedId(id: string | undefined, entity: string): string {
  if (id === undefined || !ID.test(id)) throw new NotFoundError(`${entity} ${id ?? ''} does not exist`);
  return id;
}
