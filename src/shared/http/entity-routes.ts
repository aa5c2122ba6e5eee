/** The routes of any declared entity. */
import type { ValidateFunction } from 'ajv';
import type { Json } from '@tandem-clouds/replication/json';
import { idOf, type StoredRecord } from '@tandem-clouds/replication/record';
import type { Entity } from '../domain/entity.ts';
import type { EntityPage, EntityService, WriteOptions } from '../domain/entity-service.ts';
import { ID_PATTERN } from '../domain/json-schema.ts';
import { NotFoundError } from '../errors.ts';
import { ifMatchOf, isNotModified } from './conditional.ts';
import { keyedRequest, replayedHeader } from './idempotency.ts';
import { isByIndex, readListQuery } from './list-query.ts';
import { opaqueCursor, readPaging } from './paging.ts';
import { withDurability } from './prefer.ts';
import { recordHeaders } from './record-headers.ts';
import type { HttpReply, HttpRequest, Route } from './route.ts';
import { seenStates, sessionToken } from './session.ts';

const ID = new RegExp(ID_PATTERN);

/** The compiled schemas of an entity: `<name>Create` and `<name>Patch` of `generated/validators.js`. */
export interface EntityChecks {
  readonly create: ValidateFunction;
  readonly patch: ValidateFunction;
}

/** Create, read, list, change and delete. */
export function entityRoutes(entity: Entity, service: EntityService, checks: EntityChecks): Route[] {
  const base = `/${entity.collection}`;
  const one = `${base}/{${entity.idField}}`;
  const idOfRequest = ({ params }: HttpRequest): string => checkedId(params[entity.idField], entity.name);
  const reply = (record: StoredRecord): HttpReply => ({
    status: 200,
    body: service.view(record),
    headers: recordHeaders(record),
  });
  return [
    {
      method: 'POST',
      path: base,
      body: checks.create,
      async handle(request) {
        const creation = await service.create(request.body as Record<string, Json>, {
          ...writeOptions(request),
          request: keyedRequest(entity.name, request),
        });
        const { record, replayed } = creation;
        const location = `${base}/${idOf(record.key)}`;
        const headers = { ...recordHeaders(record), location, ...replayedHeader(replayed) };
        return withDurability(request, { status: 201, body: service.view(record), headers }, () =>
          service.isAccepted(creation),
        );
      },
    },
    {
      method: 'GET',
      path: base,
      async handle(request) {
        return isByIndex(request.query) && service.indexes.length > 0
          ? indexedReply(base, request, service)
          : listReply(base, request, service);
      },
    },
    {
      method: 'GET',
      path: one,
      async handle(request) {
        const record = await service.read(idOfRequest(request), seenStates(request));
        const full = reply(record);
        return isNotModified(request.headers['if-none-match'], record.state)
          ? { status: 304, headers: full.headers ?? {} }
          : full;
      },
    },
    {
      method: 'PATCH',
      path: one,
      body: checks.patch,
      async handle(request) {
        const values = request.body as Record<string, Json>;
        const changed = await service.change(idOfRequest(request), values, {
          ...writeOptions(request),
          request: keyedRequest(entity.name, request),
        });
        const full = reply(changed.record);
        const headers = { ...full.headers, ...replayedHeader(changed.replayed) };
        return withDurability(request, { ...full, headers }, () => service.isAccepted(changed));
      },
    },
    {
      method: 'DELETE',
      path: one,
      async handle(request) {
        return removalReply(request, idOfRequest(request), service);
      },
    },
  ];
}

type Records = Pick<EntityService, 'isAccepted' | 'list' | 'remove' | 'view'>;

/** One page of live records, and where the next one begins. @throws InvalidError */
export async function listReply(base: string, request: HttpRequest, service: Records): Promise<HttpReply> {
  const { limit, after } = readPaging(request.query, opaqueCursor);
  const page = await service.list({ limit, after, seen: seenStates(request) });
  const cursor = page.next === undefined ? undefined : opaqueCursor.write(page.next);
  return {
    status: 200,
    body: pageBody(page, service, cursor),
    headers: {
      'cache-control': 'private, no-cache',
      ...(cursor && { link: `<${base}?limit=${limit}&cursor=${cursor}>; rel="next"` }),
    },
  };
}

/** One page of what an index finds, and where the next one begins. @throws InvalidError @throws IndexIncompleteError */
async function indexedReply(base: string, request: HttpRequest, service: EntityService): Promise<HttpReply> {
  const { query, limit, after, cursor } = readListQuery(request.query, service.indexes);
  const page = await service.listBy(query, { limit, after, seen: seenStates(request) });
  const next = page.next === undefined ? undefined : cursor(page.next);
  const link = new URLSearchParams();
  for (const [name, text] of Object.entries({ ...request.query, cursor: next }))
    if (text !== undefined) link.set(name, text);
  return {
    status: 200,
    body: pageBody(page, service, next),
    headers: {
      'cache-control': 'private, no-cache',
      ...(next !== undefined && { link: `<${base}?${link.toString()}>; rel="next"` }),
    },
  };
}

function pageBody(
  page: EntityPage,
  service: Pick<EntityService, 'view'>,
  cursor: string | undefined,
): Record<string, unknown> {
  return {
    items: page.records.map((record) => service.view(record)),
    ...(page.unreadable.length > 0 && { unreadable: page.unreadable }),
    ...(cursor !== undefined && { cursor }),
  };
}

/** Deletes one record; the session token names the deletion. */
export async function removalReply(request: HttpRequest, id: string, service: Records): Promise<HttpReply> {
  const record = await service.remove(id, writeOptions(request));
  const headers = { 'x-tandem-session': sessionToken(record) };
  return withDurability(request, { status: 204, headers }, () =>
    service.isAccepted({ record, replayed: false }),
  );
}

/** What a write takes from the request's headers. */
export function writeOptions({ headers }: HttpRequest): WriteOptions {
  return { ifMatch: ifMatchOf(headers['if-match']), traceparent: headers['traceparent'] };
}

/** An id that cannot exist is not found: it never reaches a store. @throws NotFoundError */
export function checkedId(id: string | undefined, entity: string): string {
  if (id === undefined || !ID.test(id)) throw new NotFoundError(`${entity} ${id ?? ''} does not exist`);
  return id;
}
