/** The paths of a declared entity. */
import { pageSizeDefault, pageSizeMax, prefixCharsMax } from '../../src/shared/bounds.ts';
import { repeatOfAction } from '../../src/shared/domain/action-repeat.ts';
import {
  type Action,
  type Entity,
  isChangeable,
  isCreatable,
  isRemovable,
  takesUploads,
} from '../../src/shared/domain/entity.ts';
import { idSchemaOf, inputSchema } from '../../src/shared/domain/entity-schemas.ts';
import { PREFIX, RANGE_OPERATORS } from '../../src/shared/domain/indexes/list-query.ts';
import { INDEX_CURSOR_PATTERN } from '../../src/shared/http/list-query.ts';
import { opaqueCursor } from '../../src/shared/http/paging.ts';
import { pascal } from './names.ts';
import { scoped } from './openapi-callers.ts';
import {
  actsFor,
  applied,
  birthKey,
  idempotencyKey,
  NOT_YET_EVERYWHERE,
  type Operation,
  placed,
  precondition,
  prefer,
  preferWait,
  problems,
  readHere,
  ref,
  replayed,
  response,
  session,
  stateHeaders,
  unreadable,
  waited,
} from './openapi-parts.ts';
import { refusalResponses, refusalSchemas } from './openapi-refusals.ts';

export function entityPaths(entity: Entity): Record<string, Record<string, Operation>> {
  const more = actsFor(entity.access);
  const withMore = (operation: Operation, method: string): Operation => {
    const writer = method === 'get' || entity.writes === undefined ? undefined : [entity.writes];
    const sites = writer ?? entity.sites;
    return {
      ...withAccess(entity, method, operation),
      parameters: [...((operation['parameters'] as readonly object[] | undefined) ?? []), ...more],
      ...(sites !== undefined && placed(operation, sites)),
    };
  };
  return Object.fromEntries(
    Object.entries(pathsOf(entity)).map(([path, operations]) => [
      path,
      Object.fromEntries(
        Object.entries(operations).map(([method, each]) => [method, withMore(each, method)]),
      ),
    ]),
  );
}

/** Who may, where the declaration says so. */
function withAccess({ access }: Entity, method: string, operation: Operation): Operation {
  const isOriginal = String(operation['operationId']).endsWith('Content') && access.write !== undefined;
  if (method === 'get' && !isOriginal)
    return access.read === 'everybody' ? { ...operation, security: [] } : operation;
  return access.write === undefined ? operation : scoped(operation, access.write);
}

function pathsOf(entity: Entity): Record<string, Record<string, Operation>> {
  const type = pascal(entity.name);
  const tags = [entity.collection];
  const id = { name: entity.idField, in: 'path', required: true, schema: idSchemaOf(entity) };
  const created = { ...stateHeaders, Location: ref('headers', 'Location'), ...replayed };
  const json = (schema: string): object => ({ 'application/json': { schema: ref('schemas', schema) } });
  const post = {
    operationId: `create${type}`,
    tags,
    summary: 'Create',
    parameters: [entity.ids === undefined ? idempotencyKey : birthKey(entity.ids), prefer, session],
    requestBody: { required: true, content: json(`${type}Create`) },
    responses: {
      '201': response(type, 'Created', { ...created, ...applied }),
      '202': response(type, NOT_YET_EVERYWHERE, created),
      ...(entity.content !== undefined && {
        '200': response(type, 'One of this name was there: its upload is announced', {
          ...created,
          ...applied,
        }),
      }),
      ...problems(400, 409, 410, 411, 413, 415, 422, 500, 503),
    },
  };
  return {
    [`/${entity.collection}`]: {
      get: listOperation(type, entity.collection, entity),
      ...(isCreatable(entity) && { post }),
    },
    [`/${entity.collection}/{${entity.idField}}`]: {
      get: {
        operationId: `get${type}`,
        tags,
        summary: 'Read',
        parameters: [id, precondition('If-None-Match'), preferWait(passingOf(entity)), session],
        responses: {
          '200': response(type, 'The record', { ...stateHeaders, ...readHere, ...waited }),
          '304': {
            description: 'The client holds this state',
            headers: { ...stateHeaders, ...readHere, ...waited },
          },
          ...problems(400, 404, 500, 503),
        },
      },
      ...(isChangeable(entity) && {
        patch: {
          operationId: `change${type}`,
          tags,
          summary: 'Change some fields (JSON Merge Patch); null removes an optional one',
          parameters: [id, precondition('If-Match'), idempotencyKey, prefer, session],
          requestBody: {
            required: true,
            content: {
              'application/merge-patch+json': { schema: ref('schemas', `${type}Patch`) },
              ...json(`${type}Patch`),
            },
          },
          responses: {
            '200': response(type, 'Changed', { ...stateHeaders, ...replayed, ...applied }),
            '202': response(type, NOT_YET_EVERYWHERE, { ...stateHeaders, ...replayed }),
            ...problems(400, 404, 409, 411, 412, 413, 415, 422, 500, 503),
          },
        },
      }),
      ...(isRemovable(entity) && { delete: deleteOperation(type, tags, id) }),
    },
    ...Object.fromEntries(
      Object.entries(entity.actions).map(([name, action]) => [
        `/${entity.collection}/{${entity.idField}}/${name}`,
        { post: actionOperation(type, name, { action, repeat: repeatOfAction(entity, action), tags, id }) },
      ]),
    ),
    ...(takesUploads(entity) && {
      [`/${entity.collection}/{${entity.idField}}/content`]: { get: contentOperation(type, tags, id) },
      ...Object.fromEntries(
        (entity.content?.variants?.names ?? []).map((name) => [
          `/${entity.collection}/{${entity.idField}}/${name}`,
          { get: variantOperation(type, name, { tags, id }) },
        ]),
      ),
    }),
    ...Object.fromEntries(
      entity.aliases.map((alias, index) => [alias, { post: aliasOf(entity, post, index + 1) }]),
    ),
  };
}

function passingOf({ states }: Entity): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(states).flatMap(([field, { passing = [] }]) =>
      passing.length === 0 ? [] : [[field, passing] as const],
    ),
  );
}

/** The schemas of what actions take, and of how they refuse, by name. */
export function actionSchemas(entity: Entity): Record<string, object> {
  const type = pascal(entity.name);
  const schemas: Record<string, object> = {};
  for (const [name, action] of Object.entries(entity.actions)) {
    schemas[inputName(type, name)] = inputSchema(action);
    Object.assign(schemas, refusalSchemas(`${type}${pascal(name)}`, action.errors));
  }
  return schemas;
}

function inputName(type: string, action: string): string {
  return `${type}${pascal(action)}Input`;
}

function actionOperation(
  type: string,
  name: string,
  {
    action,
    repeat,
    tags,
    id,
  }: {
    readonly action: Action;
    /** Where a client may do it again when its outcome is unknown. */
    readonly repeat: 'elsewhere' | 'here';
    readonly tags: readonly string[];
    readonly id: object;
  },
): Operation {
  return {
    operationId: `${name}${type}`,
    tags,
    summary: action.summary,
    'x-tandem-repeat': repeat,
    parameters: [id, precondition('If-Match'), idempotencyKey, prefer, session],
    requestBody: {
      required: action.required.length > 0,
      content: { 'application/json': { schema: ref('schemas', inputName(type, name)) } },
    },
    responses: {
      '200': response(type, 'The record as it is now', { ...stateHeaders, ...replayed, ...applied }),
      '202': response(type, NOT_YET_EVERYWHERE, { ...stateHeaders, ...replayed }),
      ...problems(400, 404, 409, 411, 412, 413, 415, 422, 500, 503),
      ...refusalResponses(`${type}${pascal(name)}`, action.errors),
    },
  };
}

/** @param nth Of the entity's aliases, from 1 on: its operation has a name of its own. */
function aliasOf({ collection }: Entity, post: Operation, nth: number): Operation {
  const operationId = `${String(post['operationId'])}Alias${nth === 1 ? '' : nth}`;
  return { ...post, operationId, summary: `The same as \`POST /${collection}\`` };
}

/**
 * @param type Of what is listed, as a schema.
 * @param entity Whose indexes serve other lists, where it has some.
 */
export function listOperation(type: string, collection: string, entity?: Entity): Operation {
  const indexes = Object.values(entity?.indexes ?? {});
  return {
    operationId: `list${pascal(collection)}`,
    tags: [collection],
    summary:
      indexes.length === 0 ? 'List, in the order of the ids' : 'List, in the order of the ids or by an index',
    parameters: [
      ...(entity === undefined ? [] : indexParameters(entity)),
      {
        name: 'limit',
        in: 'query',
        schema: { type: 'integer', minimum: 1, maximum: pageSizeMax, default: pageSizeDefault },
      },
      {
        name: 'cursor',
        in: 'query',
        schema: {
          type: 'string',
          pattern: indexes.length === 0 ? opaqueCursor.pattern : INDEX_CURSOR_PATTERN,
        },
      },
      session,
    ],
    responses: { '200': response(`${type}Page`, 'One page', readHere), ...problems(400, 503) },
  };
}

/** What a list may be asked for, by the indexes of the entity. */
function indexParameters(entity: Entity): readonly object[] {
  const indexes = Object.values(entity.indexes).map(({ on, order = 'createdAt' }) => ({ on, order }));
  if (indexes.length === 0) return [];
  const schemaOf = (field: string): object =>
    field === 'createdAt' ? { type: 'string', format: 'date-time' } : { ...entity.fields[field] };
  const parameters = new Map<string, object>();
  for (const field of new Set(indexes.map(({ on }) => on))) {
    const [order, ...others] = indexes.filter(({ on }) => on === field).map((index) => index.order);
    const ranges = others.map((other) => `, or of ${other} with a range of that`).join('');
    const description = `Those with this value, in the order of ${order}${ranges}; not together with another field`;
    parameters.set(field, { name: field, in: 'query', description, schema: schemaOf(field) });
  }
  for (const field of new Set(indexes.map(({ order }) => order)))
    for (const operator of RANGE_OPERATORS) {
      const name = `${field}[${operator}]`;
      const values = indexes.filter(({ order }) => order === field).map(({ on }) => on);
      const description = `With ${values.join(' or ')}: a bound of the range`;
      parameters.set(name, { name, in: 'query', description, schema: schemaOf(field) });
    }
  for (const { on, order = 'createdAt' } of Object.values(entity.indexes).filter(({ folded }) => folded)) {
    const name = `${order}[${PREFIX}]`;
    const description = `With ${on}: those that begin so, without case and accents`;
    const schema = { type: 'string', minLength: 1, maxLength: prefixCharsMax };
    parameters.set(name, { name, in: 'query', description, schema });
  }
  const direction = { name: 'order', in: 'query', schema: { enum: ['asc', 'desc'], default: 'asc' } };
  return [...parameters.values(), { ...direction, description: 'Of a list by an index' }];
}

function contentOperation(type: string, tags: readonly string[], id: object): Operation {
  return {
    operationId: `read${type}Content`,
    tags,
    summary: 'Read the bytes: a redirection to a storage, which takes ranges',
    parameters: [id, session],
    responses: {
      '302': {
        description: 'Where the bytes are, for some minutes',
        headers: { Location: ref('headers', 'Location'), ...readHere },
      },
      ...problems(400, 404, 500, 503),
    },
  };
}

function variantOperation(
  type: string,
  name: string,
  { tags, id }: { readonly tags: readonly string[]; readonly id: object },
): Operation {
  return {
    operationId: `read${type}${pascal(name)}`,
    tags,
    summary: `Read what was made of the bytes, ${name}: a redirection to a storage`,
    description: '404 with the code `not_ready` while it is being made, `refused` where it cannot be made.',
    parameters: [id, session],
    responses: {
      '302': {
        description: 'Where the bytes are, for some minutes',
        headers: { Location: ref('headers', 'Location'), ...readHere },
      },
      ...problems(400, 404, 500, 503),
    },
  };
}

/** @param id The parameter of the path. */
export function deleteOperation(type: string, tags: readonly string[], id: object): Operation {
  const token = { 'X-Tandem-Session': ref('headers', 'X-Tandem-Session') };
  return {
    operationId: `delete${type}`,
    tags,
    summary: 'Delete',
    parameters: [id, precondition('If-Match'), prefer, session],
    responses: {
      '204': { description: 'Deleted', headers: { ...token, ...applied } },
      '202': { description: NOT_YET_EVERYWHERE, headers: token },
      ...problems(400, 404, 412, 500, 503),
    },
  };
}

/** The schema of a page of `type`. */
export function pageSchema(type: string): object {
  return {
    type: 'object',
    required: ['items'],
    additionalProperties: false,
    properties: {
      items: { type: 'array', items: ref('schemas', type) },
      unreadable,
      cursor: {
        type: 'string',
        description: 'Where the next page starts; absent on the last one. Valid at every site.',
      },
    },
  };
}
