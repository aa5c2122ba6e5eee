/** What entities there are and what can be done with each, from their declarations: the page has no list of its own. */
import {
  type Entity,
  isChangeable,
  isCreatable,
  isRemovable,
  type MergePolicy,
  type States,
  takesUploads,
} from '../../../../src/shared/domain/entity.ts';
import { createSchema, inputSchema, patchSchema } from '../../../../src/shared/domain/entity-schemas.ts';
import { ITEM, itemSchema, writeSchema } from '../../../../src/shared/domain/item.ts';
import type { JsonSchemaObject, Properties } from '../../../../src/shared/domain/json-schema.ts';
import { type ApiRoute, ok } from './api.ts';
import { ConsoleError } from './reply.ts';
import type { Sites } from './sites.ts';

/** `GET /api/entities` */
export interface EntitiesView {
  readonly entities: readonly EntityFacts[];
  /** Whether requests for records need a token, as far as the console knows. */
  readonly asksForTokens: boolean;
}

export interface EntityFacts {
  readonly name: string;
  readonly collection: string;
  readonly idField: string;
  readonly description: string;
  /** Field → JSON Schema of its value. */
  readonly fields: Properties;
  readonly required: readonly string[];
  readonly merge: Readonly<Record<string, MergePolicy>>;
  readonly states: Readonly<Record<string, States>>;
  /** The field that names whose record it is. */
  readonly owner?: string;
  /** Its records belong to tenants, of whom one must be named. */
  readonly hasTenants: boolean;
  readonly creation?: CreationFacts;
  /** Of a JSON Merge Patch; absent: callers change nothing. */
  readonly change?: JsonSchemaObject;
  readonly isRemovable: boolean;
  readonly actions: readonly ActionFacts[];
  readonly lists: readonly ListFacts[];
  readonly reactions: readonly string[];
  /** Names of what can be read beside the record: its content, and what was made of that. */
  readonly contents: readonly string[];
  readonly example: Readonly<Record<string, unknown>>;
}

export interface CreationFacts {
  /** `/users`; `/write` of items. */
  readonly path: string;
  readonly schema: JsonSchemaObject;
}

export interface ActionFacts {
  readonly name: string;
  readonly summary: string;
  readonly schema: JsonSchemaObject;
  /** Code → what the refusal means. */
  readonly errors: Readonly<Record<string, string>>;
}

/** A list that is ordered by something else than the id. */
export interface ListFacts {
  /** The field whose value must be given. */
  readonly on: string;
  readonly order: string;
  /** Beginnings of the order's text can be asked for. */
  readonly folded: boolean;
}

/** Items are no declared entity: any object under an id. */
const items: EntityFacts = {
  name: ITEM,
  collection: 'items',
  idField: 'id',
  description: 'Any JSON object under an id',
  fields: Object.fromEntries(Object.entries(itemSchema.properties).filter(([field]) => field === 'data')),
  required: ['data'],
  merge: {},
  states: {},
  hasTenants: false,
  creation: { path: '/write', schema: writeSchema },
  isRemovable: true,
  actions: [],
  lists: [],
  reactions: [],
  contents: [],
  example: { id: 'greeting', data: { text: 'hello' } },
};

export function factsOf(entity: Entity): EntityFacts {
  const { name, collection, idField, description, fields, required, merge, states, access, example } = entity;
  return {
    ...{ name, collection, idField, description, fields, required, merge, states, example },
    ...(access.owner !== undefined && { owner: access.owner }),
    hasTenants: access.tenant !== undefined,
    ...(isCreatable(entity) && { creation: { path: `/${collection}`, schema: createSchema(entity) } }),
    ...(isChangeable(entity) && { change: patchSchema(entity) }),
    isRemovable: isRemovable(entity),
    actions: Object.entries(entity.actions).map(([action, declared]) => ({
      name: action,
      summary: declared.summary,
      schema: inputSchema(declared),
      errors: Object.fromEntries(Object.entries(declared.errors).map(([code, { title }]) => [code, title])),
    })),
    lists: Object.values(entity.indexes).map(({ on, order = 'createdAt', folded = false }) => ({
      on,
      order,
      folded,
    })),
    reactions: Object.keys(entity.reactions),
    contents: takesUploads(entity) ? ['content', ...(entity.content?.variants?.names ?? [])] : [],
  };
}

/** The declarations are loaded when somebody first asks. */
export function entitiesRoute(sites: Sites): ApiRoute {
  let all: Promise<readonly EntityFacts[]> | undefined;
  return async (request, response) => {
    if (request.method !== 'GET') throw new ConsoleError(405, 'GET is needed');
    all ??= import('../../../../src/shared/registry/entities.ts').then(({ entities }) => [
      ...entities.map(factsOf),
      items,
    ]);
    const asksForTokens = sites.isLocal ? sites.stack().issuer !== undefined : true;
    return ok(response, { entities: await all, asksForTokens } satisfies EntitiesView);
  };
}
