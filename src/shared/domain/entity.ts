/**
 * An entity is declared in one file: its name, its path and the JSON Schemas of what may be written. Validation,
 * routes, the OpenAPI document and replication follow from the declaration.
 */
import type { Json } from '@tandem-clouds/replication/json';
import { isReservedEntity } from '@tandem-clouds/replication/reserved';

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

/**
 * How concurrent writes of a field become one.
 *
 * | policy | rule |
 * |---|---|
 * | `register` | the later write wins; the loser is in the conflict log. The default |
 * | `set` | an array of distinct elements; additions and removals merge, an addition wins against a removal |
 * | `counter` | a whole number that is changed by increments, all of which count |
 * | `owned` | written by the service's own code under a rank, never by clients: the higher rank wins |
 *
 * A later release may change the policy of a field without a migration (`replication/policies/field.ts`).
 */
export type MergePolicy = 'register' | 'set' | 'counter' | 'owned';

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
  /** Field → how it merges, where it is no register. */
  readonly merge?: Readonly<Record<string, MergePolicy>>;
  /** One line for the contract. */
  readonly description: string;
  readonly example: Readonly<Record<string, Json>>;
}

/** Ids that both stores and a path segment carry as they are. */
export const ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$';
export const idSchema = { type: 'string', pattern: ID_PATTERN } as const;

/** A whole number that a double, and so JSON, holds exactly (RFC 8259, section 6). */
export const exactInteger = {
  type: 'integer',
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
} as const;

/** Any JSON object, bounded in width; the reader of bodies bounds its depth. */
export const metadataSchema = { type: 'object', maxProperties: 100, additionalProperties: true } as const;

/** Declares an entity. @throws TypeError when the declaration contradicts itself. */
export function defineEntity(entity: Entity): Entity {
  if (!/^[a-z][a-z0-9-]*$/.test(entity.name) || isReservedEntity(entity.name)) {
    throw new TypeError(`${entity.name}: an entity's name is lower case, and not one of our own`);
  }
  for (const field of entity.required) {
    if (!Object.hasOwn(entity.fields, field))
      throw new TypeError(`${entity.name}: required field ${field} is not declared`);
  }
  for (const field of Object.keys(entity.fields)) {
    if (field.startsWith('$') || field.includes('/') || field === 'id' || field === entity.idField) {
      throw new TypeError(`${entity.name}: ${field} is a reserved name`);
    }
  }
  for (const [field, policy] of Object.entries(entity.merge ?? {})) {
    const type = (entity.fields[field] as { type?: unknown } | undefined)?.type;
    const wanted = MERGED_TYPES[policy];
    if (type === undefined || (wanted !== undefined && type !== wanted)) {
      throw new TypeError(
        `${entity.name}: a ${policy} needs a field of type ${wanted ?? 'any'}; ${field} is none`,
      );
    }
    if (policy === 'counter' && !isExact(entity.fields[field])) {
      throw new TypeError(
        `${entity.name}: ${field} is a counter and needs a maximum that can be counted exactly`,
      );
    }
    if (policy !== 'register' && entity.required.includes(field)) {
      throw new TypeError(`${entity.name}: ${field} is a ${policy} and cannot be required`);
    }
  }
  return Object.freeze(entity);
}

function isExact(schema: JsonSchema | undefined): boolean {
  return Number.isSafeInteger((schema as { maximum?: unknown } | undefined)?.maximum);
}

const MERGED_TYPES: Readonly<Record<MergePolicy, string | undefined>> = {
  register: undefined,
  set: 'array',
  counter: 'integer',
  owned: undefined,
};

/** How a field merges. */
export function policyOf(entity: Entity, field: string): MergePolicy {
  return entity.merge?.[field] ?? 'register';
}

/** Whether a field is an object whose members merge one by one. */
export function mergesByMember(entity: Entity, field: string): boolean {
  const type = (entity.fields[field] as { type?: unknown } | undefined)?.type;
  return policyOf(entity, field) === 'register' && type === 'object';
}

/** The schema of fields as they are stored, some or all of them. */
export function storedSchema(entity: Entity): JsonSchemaObject {
  return { type: 'object', properties: entity.fields };
}

/** The fields that clients write, with their schemas. */
function writable(entity: Entity): [string, JsonSchema][] {
  return Object.entries(entity.fields).filter(([field]) => policyOf(entity, field) !== 'owned');
}

/** The schema of a creation: the client may choose the id; fields nobody declared are refused. */
export function createSchema(entity: Entity): JsonSchemaObject {
  return {
    type: 'object',
    required: entity.required,
    additionalProperties: false,
    properties: { [entity.idField]: idSchema, ...Object.fromEntries(writable(entity)) },
  };
}

/**
 * The schema of a change, a JSON Merge Patch (RFC 7396): null removes a field that is not required. A set takes an
 * array, which replaces it, or what to add and remove; a counter takes an increment.
 */
export function patchSchema(entity: Entity): JsonSchemaObject {
  const properties: Record<string, JsonSchema> = {};
  for (const [field, schema] of writable(entity)) {
    properties[field] = changeSchema(policyOf(entity, field), schema, entity.required.includes(field));
  }
  return { type: 'object', minProperties: 1, additionalProperties: false, properties };
}

function changeSchema(policy: MergePolicy, schema: JsonSchema, required: boolean): JsonSchema {
  switch (policy) {
    case 'set':
      return { anyOf: [schema, strictObject({ add: schema, remove: schema }), { type: 'null' }] };
    case 'counter':
      return { ...strictObject({ increment: exactInteger }), required: ['increment'] };
    case 'register':
    case 'owned':
      return required ? schema : { anyOf: [schema, { type: 'null' }] };
  }
}

function strictObject(properties: Readonly<Record<string, JsonSchema>>): JsonSchemaObject {
  return { type: 'object', minProperties: 1, additionalProperties: false, properties };
}

/**
 * The schema of what is answered. What one site accepts keeps to the bounds of a field; what two sites accept at the same
 * time may be over them when it is merged, so they are not claimed here.
 */
export function viewSchema(entity: Entity): JsonSchemaObject {
  const shown = Object.entries(entity.fields).map(([field, schema]) => [
    field,
    withoutBounds(entity, field, schema),
  ]);
  return {
    type: 'object',
    required: ['id', entity.idField, ...entity.required, 'createdAt'],
    additionalProperties: false,
    properties: {
      id: idSchema,
      [entity.idField]: idSchema,
      ...(Object.fromEntries(shown) as Record<string, JsonSchema>),
      createdAt: { type: 'string', format: 'date-time' },
    },
  };
}

const BOUNDS = new Set(['minimum', 'maximum', 'minItems', 'maxItems', 'minProperties', 'maxProperties']);

function withoutBounds(entity: Entity, field: string, schema: JsonSchema): JsonSchema {
  const merges = mergesByMember(entity, field) || ['set', 'counter'].includes(policyOf(entity, field));
  if (!merges) return schema;
  const rest = Object.entries(schema).filter(([keyword]) => !BOUNDS.has(keyword));
  const bounds = Object.entries(schema).filter(([keyword]) => BOUNDS.has(keyword));
  const text = bounds.map(([keyword, bound]) => `${keyword} ${String(bound)}`).join(', ');
  return {
    ...Object.fromEntries(rest),
    ...(text !== '' && {
      description: `At each site ${text}; what two sites accept at the same time may be beyond that when it is merged.`,
    }),
  };
}
