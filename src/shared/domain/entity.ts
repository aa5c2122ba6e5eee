/**
 * An entity is declared in one file: its name, its path and the JSON Schemas of what may be written. Validation,
 * routes, the OpenAPI document and replication follow from the declaration.
 */
import { isHeartbeat } from '../replication/heartbeat.ts';
import type { Json } from '../replication/record.ts';

export interface JsonSchemaObject {
  readonly type: 'object';
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly maxProperties?: number;
  readonly minProperties?: number;
  readonly description?: string;
  readonly example?: unknown;
  readonly properties: Readonly<Record<string, JsonSchema>>;
}
export type JsonSchema = Readonly<Record<string, unknown>> | JsonSchemaObject;

export interface Entity {
  /** Singular, lower case; prefixes the keys and the event types: `user`. */
  readonly name: string;
  /** Plural, the first segment of its path: `users`. */
  readonly collection: string;
  /** The field that clients know the id by: `userId`. */
  readonly idField: string;
  /** What clients may write. `required` holds for a creation; a change may leave fields out, or null them. */
  readonly fields: Readonly<Record<string, JsonSchema>>;
  readonly required: readonly string[];
  /** One line for the contract. */
  readonly description: string;
  readonly example: Readonly<Record<string, Json>>;
}

/** Ids that both stores and a path segment carry as they are. */
export const ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$';
export const idSchema = { type: 'string', pattern: ID_PATTERN } as const;

/** Any JSON object, bounded in width; depth is bounded by the body limit. */
export const metadataSchema = { type: 'object', maxProperties: 100, additionalProperties: true } as const;

/** Declares an entity. @throws TypeError when the declaration contradicts itself. */
export function defineEntity(entity: Entity): Entity {
  if (!/^[a-z][a-z0-9-]*$/.test(entity.name) || isHeartbeat(`${entity.name}:`)) {
    throw new TypeError(`${entity.name}: an entity's name is lower case, and not one of our own`);
  }
  for (const field of entity.required) {
    if (!(field in entity.fields))
      throw new TypeError(`${entity.name}: required field ${field} is not declared`);
  }
  for (const field of Object.keys(entity.fields)) {
    if (field.startsWith('$') || field === 'id' || field === entity.idField) {
      throw new TypeError(`${entity.name}: ${field} is a reserved name`);
    }
  }
  return Object.freeze(entity);
}

/** The schema of a creation: the client may choose the id; fields nobody declared are refused. */
export function createSchema(entity: Entity): JsonSchemaObject {
  return {
    type: 'object',
    required: entity.required,
    additionalProperties: false,
    properties: { [entity.idField]: idSchema, ...entity.fields },
  };
}

/** The schema of a change, a JSON Merge Patch (RFC 7396): null removes a field that is not required. */
export function patchSchema(entity: Entity): JsonSchemaObject {
  const properties: Record<string, JsonSchema> = {};
  for (const [field, schema] of Object.entries(entity.fields)) {
    properties[field] = entity.required.includes(field) ? schema : { anyOf: [schema, { type: 'null' }] };
  }
  return { type: 'object', minProperties: 1, additionalProperties: false, properties };
}

/** The schema of what is answered. */
export function viewSchema(entity: Entity): JsonSchemaObject {
  return {
    type: 'object',
    required: ['id', entity.idField, ...entity.required, 'createdAt'],
    additionalProperties: false,
    properties: {
      id: idSchema,
      [entity.idField]: idSchema,
      ...entity.fields,
      createdAt: { type: 'string', format: 'date-time' },
    },
  };
}
