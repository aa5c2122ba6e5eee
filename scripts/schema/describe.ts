/**
 * The declarations as data: what two releases are compared by. `npm run generate` writes it, and a release keeps it.
 *
 * Invariant: all that stored records, the other site or a caller depend on is in it, and nothing else: words for people
 * and the code of rules are not. Of one set of declarations there is one text.
 */
import type { Json } from '@tandem-clouds/replication/json';
import { isObject } from '@tandem-clouds/replication/policies/members';
import type { IndexSlot } from '@tandem-clouds/replication/ports/store';
import {
  type Access,
  type Action,
  type ContentRules,
  defaultOf,
  type Entity,
  type Ids,
  isRemovable,
  type MergePolicy,
  policyOf,
  type Reaction,
  type Writer,
  writersOf,
} from '../../src/shared/domain/entity.ts';
import { type RecordedSlots, slotsOf } from '../../src/shared/domain/indexes/declared-index.ts';
import type { JsonSchema } from '../../src/shared/domain/json-schema.ts';
import type { CustomOperation, CustomRoutes } from '../../src/shared/domain/routes/custom-routes.ts';
import { pathParams } from '../../src/shared/domain/routes/route-schemas.ts';
import { ranksOf } from '../../src/shared/domain/states.ts';
import { ON_DUPLICATE } from '../../src/shared/domain/unique/duplicates.ts';

/** From the root. */
export const SCHEMA_FILE = 'src/shared/registry/schema.json';

export type Schema = Readonly<Record<string, Json>>;

export interface FieldDescription {
  /** Without words for people, without the default, and of states without the list of them. */
  readonly schema: Schema;
  readonly default?: Json;
  readonly deprecated?: true;
  readonly required: boolean;
  readonly merge: MergePolicy;
  /** Its rank by state, and the transitions. */
  readonly states?: {
    readonly ranks: Readonly<Record<string, number>>;
    readonly allowed: Readonly<Record<string, readonly string[]>>;
    /** Those that the service itself leads on; absent: none. */
    readonly passing?: readonly string[];
  };
  readonly by: readonly Writer[];
  readonly readableBy?: readonly string[];
  readonly unique: boolean;
}

export interface IndexDescription {
  readonly on: string;
  readonly order: string;
  readonly buckets: number;
  /** Absent: its order is that of the values as they are. */
  readonly folded?: true;
  readonly slot?: IndexSlot;
}

/** What callers send, and what is refused. */
export interface InputDescription {
  readonly input: Readonly<Record<string, Schema>>;
  readonly required: readonly string[];
  /** Code → status. */
  readonly errors: Readonly<Record<string, number>>;
}

export type ActionDescription = InputDescription;

export interface OutputDescription {
  readonly schema: Schema;
  readonly optional?: true;
}

/** One operation of custom routes: what its callers depend on. What it may use is a role's business. */
export interface RouteDescription extends InputDescription {
  readonly method: CustomOperation['method'];
  readonly path: string;
  readonly params: Readonly<Record<string, Schema>>;
  /** `everybody`, or a scope; absent: that which records take. */
  readonly access?: string;
  readonly keyed: boolean;
  readonly repeat: CustomOperation['repeat'];
  readonly output: Readonly<Record<string, OutputDescription>>;
  readonly status: number;
}

export interface ReactionDescription {
  readonly on: readonly string[];
  readonly site: Reaction['site'];
  /** Absent: the site that wrote last. */
  readonly at?: string;
  readonly once: boolean;
  readonly version: number;
}

export interface EntityDescription {
  readonly collection: string;
  readonly idField: string;
  readonly aliases: readonly string[];
  readonly access: Access;
  /** Absent: every site. */
  readonly sites?: readonly string[];
  /** Absent: every site that keeps them. */
  readonly writes?: string;
  /** Absent: clients may choose them, and a creation needs no key. */
  readonly ids?: Ids;
  /** Absent: callers may delete its records. */
  readonly removable?: false;
  readonly fields: Readonly<Record<string, FieldDescription>>;
  readonly indexes: Readonly<Record<string, IndexDescription>>;
  readonly actions: Readonly<Record<string, ActionDescription>>;
  readonly reactions: Readonly<Record<string, ReactionDescription>>;
  /** Absent: its records have no bytes beside them. */
  readonly content?: ContentRules;
}

export interface SchemaDescription {
  /** Of this file. */
  readonly format: 1;
  /** Name → description. */
  readonly entities: Readonly<Record<string, EntityDescription>>;
  /** Name of an operation → description; absent from a release that did not say. */
  readonly routes?: Readonly<Record<string, RouteDescription>>;
}

export function describeDeclarations(
  entities: readonly Entity[],
  slots: RecordedSlots,
  routes: readonly CustomRoutes[] = [],
): SchemaDescription {
  const described = entities.map((entity) => [entity.name, describeEntity(entity, slots)] as const);
  const operations = routes.flatMap((one) => Object.entries(mapped(one.operations, describeRoute)));
  return { format: 1, entities: Object.fromEntries(described), routes: Object.fromEntries(operations) };
}

/** The file's text: the names of every object in one order. */
export function schemaText(description: SchemaDescription): string {
  return `${JSON.stringify(sorted(description as unknown as Json), undefined, 2)}\n`;
}

/** @param name Of what was read, for the error. @throws TypeError when it is no such text */
export function readDescription(text: string, name: string): SchemaDescription {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TypeError(`${name} is not JSON`);
  }
  const { format, entities } = (value ?? {}) as { readonly format?: unknown; readonly entities?: unknown };
  if (format !== 1 || typeof entities !== 'object' || entities === null)
    throw new TypeError(`${name} is no ${SCHEMA_FILE} of format 1`);
  return value as SchemaDescription;
}

function describeEntity(entity: Entity, recorded: RecordedSlots): EntityDescription {
  const { collection, idField, aliases, access, fields, indexes, actions, reactions, onDuplicate } = entity;
  const slots = slotsOf(entity, recorded);
  const { content } = entity;
  return {
    collection,
    idField,
    aliases,
    access,
    ...(entity.sites !== undefined && { sites: entity.sites.toSorted() }),
    ...(entity.writes !== undefined && { writes: entity.writes }),
    ...(entity.ids !== undefined && { ids: entity.ids }),
    ...(!isRemovable(entity) && { removable: false as const }),
    fields: mapped(fields, (schema, field) => describeField(entity, field, schema)),
    indexes: mapped(indexes, ({ on, order = 'createdAt', buckets = 1, folded }, name) => {
      const slot = slots[name];
      return { on, order, buckets, ...(folded === true && { folded }), ...(slot !== undefined && { slot }) };
    }),
    actions: mapped(actions, describeAction),
    reactions: {
      ...mapped(reactions, ({ on, site, at, once, version }) => ({
        on: on.toSorted(),
        site,
        ...(at !== undefined && { at }),
        once: once !== undefined,
        version,
      })),
      // Named by what was lost, whichever fields are unique.
      ...(onDuplicate !== undefined && {
        [ON_DUPLICATE]: { on: [], site: 'origin' as const, once: true, version: 1 },
      }),
    },
    ...(content !== undefined && { content: { ...content, types: content.types.toSorted() } }),
  };
}

function describeField(entity: Entity, field: string, declared: JsonSchema): FieldDescription {
  const states = entity.states[field];
  const readers = entity.readableBy[field];
  const value = defaultOf(entity, field);
  const { enum: listed, ...rest } = withoutWords(declared as Schema);
  return {
    schema: states === undefined && listed !== undefined ? { ...rest, enum: listed } : rest,
    ...(value !== undefined && { default: value }),
    ...((declared as Schema)['deprecated'] === true && { deprecated: true as const }),
    required: entity.required.includes(field),
    merge: policyOf(entity, field),
    ...(states !== undefined && {
      states: {
        ranks: Object.fromEntries(ranksOf(states)),
        allowed: states.allowed,
        ...(states.passing !== undefined && { passing: states.passing.toSorted() }),
      },
    }),
    by: writersOf(entity, field).toSorted(),
    ...(readers !== undefined && { readableBy: readers.toSorted() }),
    unique: entity.unique.includes(field),
  };
}

function describeAction({
  input,
  required,
  errors,
}: Pick<Action, 'errors' | 'input' | 'required'>): ActionDescription {
  return {
    input: mapped(input, (schema) => withoutWords(schema as Schema)),
    required: required.toSorted(),
    errors: mapped(errors, ({ status }) => status),
  };
}

function describeRoute(operation: CustomOperation): RouteDescription {
  const {
    method,
    path,
    access,
    keyed,
    repeat,
    input = {},
    required,
    errors,
    output = {},
    status,
  } = operation;
  return {
    method,
    path,
    params: mapped(pathParams(operation), (schema) => withoutWords(schema as Schema)),
    ...(access !== undefined && { access: access === 'everybody' ? access : access.scope }),
    keyed,
    repeat,
    ...describeAction({ input, required, errors }),
    output: mapped(output, ({ optional, ...schema }) => ({
      schema: withoutWords(schema as Schema),
      ...(optional === true && { optional }),
    })),
    status,
  };
}

/** What says nothing of which values are valid: https://json-schema.org/draft-07/json-schema-validation#section-10 */
const WORDS = new Set([
  'title',
  'description',
  'default',
  'deprecated',
  'readOnly',
  'writeOnly',
  'example',
  'examples',
  '$comment',
]);
/** Their values are schemas by names that people chose. */
const BY_NAME = new Set(['properties', 'patternProperties', 'definitions', '$defs']);
/** Their values are lists of values without an order. */
const LISTS = new Set(['enum', 'required']);

function withoutWords(schema: Schema): Schema {
  const kept = Object.entries(schema).filter(([keyword]) => !WORDS.has(keyword));
  return Object.fromEntries(
    kept.map(([keyword, value]) => {
      if (LISTS.has(keyword)) return [keyword, inOrder(value as readonly Json[])];
      // A value, not a schema.
      if (keyword === 'const') return [keyword, value];
      if (BY_NAME.has(keyword)) return [keyword, mapped(value as Record<string, Json>, schemaIn)];
      return [keyword, schemaIn(value)];
    }),
  );
}

function inOrder(values: readonly Json[]): readonly Json[] {
  return values.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function schemaIn(value: Json): Json {
  if (Array.isArray(value)) return value.map(schemaIn);
  return isObject(value) ? withoutWords(value) : value;
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}

function mapped<From, To>(
  members: Readonly<Record<string, From>>,
  map: (member: From, name: string) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, map(member, name)]));
}
