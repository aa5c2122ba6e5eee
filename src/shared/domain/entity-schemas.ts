/** The JSON Schemas of a declared entity: of a creation, of a change, of what is stored and of what is answered. */
import { signedUploadSchema, uploadSchema } from './content.ts';
import {
  type Action,
  clientFields,
  creationFields,
  defaultOf,
  type Entity,
  idPatternOf,
  type MergePolicy,
  mergesByMember,
  policyOf,
} from './entity.ts';
import { exactInteger, type JsonSchema, type JsonSchemaObject } from './json-schema.ts';

/** The schema of fields as they are stored, some or all of them. */
export function storedSchema(entity: Entity): JsonSchemaObject {
  return { type: 'object', properties: entity.fields };
}

/**
 * The schema of a creation: the client may choose the id, unless it derives from a key; fields nobody declared are refused. What walks through states
 * begins at the first one.
 */
export function createSchema(entity: Entity): JsonSchemaObject {
  const chosen = creationFields(entity).filter(([field]) => policyOf(entity, field) !== 'states');
  return {
    type: 'object',
    required: entity.required.filter(
      (field) => field !== entity.access.owner && defaultOf(entity, field) === undefined,
    ),
    additionalProperties: false,
    properties: {
      ...(entity.ids === undefined && { [entity.idField]: idSchemaOf(entity) }),
      ...(entity.content !== undefined && {
        name: entity.fields['name'] ?? {},
        upload: uploadSchema(entity.content),
      }),
      ...Object.fromEntries(chosen.map(([field, schema]) => [field, withoutDefault(schema)])),
    },
  };
}

/** What is sent need not have it: generated types would ask for a member that has a default. */
function withoutDefault(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== 'default'));
}

/** The schema of an id. Of records with owners it may be chosen by whom all of them may be shown. */
export function idSchemaOf(entity: Entity): JsonSchema {
  return { type: 'string', pattern: idPatternOf(entity) };
}

/** The schema of an action's input. */
export function inputSchema({ input, required }: Action): JsonSchemaObject {
  return { type: 'object', required, additionalProperties: false, properties: input };
}

/**
 * The schema of a change, a JSON Merge Patch (RFC 7396): null removes a field that is not required. A set takes an
 * array, which replaces it, or what to add and remove; a counter takes an increment.
 */
export function patchSchema(entity: Entity): JsonSchemaObject {
  return changesOf(entity, clientFields(entity));
}

/** The schema of what an operator sets in place of what a conflict left: any field, whoever writes it. */
export function overrideSchema(entity: Entity): JsonSchemaObject {
  return changesOf(entity, Object.entries(entity.fields));
}

function changesOf(entity: Entity, fields: readonly (readonly [string, JsonSchema])[]): JsonSchemaObject {
  const properties: Record<string, JsonSchema> = {};
  for (const [field, schema] of fields) {
    properties[field] = changeSchema(
      policyOf(entity, field),
      withoutDefault(schema),
      entity.required.includes(field),
    );
  }
  return { type: 'object', minProperties: 1, additionalProperties: false, properties };
}

function changeSchema(policy: MergePolicy, schema: JsonSchema, required: boolean): JsonSchema {
  switch (policy) {
    case 'set':
      return { anyOf: [schema, strictObject({ add: schema, remove: schema }), { type: 'null' }] };
    case 'counter':
      return { ...strictObject({ increment: exactInteger }), required: ['increment'] };
    case 'states':
      return schema;
    case 'register':
    case 'whole':
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
    required: ['id', entity.idField, ...seenByAll(entity), 'createdAt'],
    additionalProperties: false,
    properties: {
      id: idSchemaOf(entity),
      [entity.idField]: idSchemaOf(entity),
      ...(Object.fromEntries(shown) as Record<string, JsonSchema>),
      createdAt: { type: 'string', format: 'date-time' },
      ...(entity.content !== undefined && { upload: signedUploadSchema }),
    },
  };
}

/** Of the fields that a record always has, those that every caller sees. */
function seenByAll(entity: Entity): readonly string[] {
  const defaulted = Object.keys(entity.fields).filter((field) => defaultOf(entity, field) !== undefined);
  const always = new Set([...entity.required, ...defaulted]);
  return [...always].filter((field) => !Object.hasOwn(entity.readableBy, field));
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
