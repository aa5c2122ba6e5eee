/**
 * How an entity is declared: one file in `src/shared/entities/`, one call of `defineEntity`.
 *
 * @example
 * export const note = defineEntity({
 *   name: 'note',
 *   collection: 'notes',
 *   idField: 'noteId',
 *   description: 'Something to remember',
 *   required: ['text'],
 *   fields: {
 *     text: { type: 'string', maxLength: 2_000 },
 *     labels: { type: 'array', items: { type: 'string' }, merge: 'set' },
 *     status: { states: { order: ['open', 'done'], allowed: { open: ['done'] } }, by: 'action' },
 *   },
 *   actions: { finish: { summary: 'Finish', decide: () => ({ status: 'done' }) } },
 *   example: { text: 'Buy milk' },
 * });
 */
import type { Json } from '@tandem-clouds/replication/json';
import type { StepsProtocol } from '@tandem-clouds/replication/reactions/react';
import { cacheStaleSeconds, objectBytesMax, objectFetchSeconds } from '../bounds.ts';
import { COMPLETE, completeAction } from './content.ts';
import { DeclarationError, mistakesOf, shapeMistakes } from './declaration-mistakes.ts';
import {
  type Access,
  type Action,
  type BelongsTo,
  type ContentRules,
  type DeclaredError,
  type DuplicateContext,
  type Entity,
  type Ids,
  type Index,
  type MergePolicy,
  type OnDuplicate,
  OWNER_INDEX,
  type Quota,
  type Reaction,
  type ReactionContext,
  type RuleContext,
  type States,
  type StepsContext,
  type SubjectRule,
  takesUploads,
  type Variants,
  type Writer,
} from './entity.ts';
import type { JsonSchema, ObjectOf, Properties, ValueOf } from './json-schema.ts';

/** A field: the JSON Schema of its value, and what is beside it. */
export type FieldDeclaration = Readonly<Record<string, unknown>> & {
  /** How concurrent writes become one; `register` unless it is said. */
  readonly merge?: 'register' | 'whole' | 'set' | 'counter';
  /** The states that it walks through, instead of `type` and `merge`. */
  readonly states?: States;
  /**
   * Who writes it, one or several; clients unless it is said. What is not named may not. `creation`: the creation that a
   * client asks for, and no change of theirs afterwards.
   */
  readonly by?: Writer | readonly Writer[];
  /** Scopes, one of which a caller must have to see it; `owner` is the record's owner. Everybody unless it is said. */
  readonly readableBy?: readonly string[];
  /**
   * What the field shows where nothing was written, for rules, lists and answers alike: so it is always there, also in
   * records that are older than the field. Of registers that are no objects.
   */
  readonly default?: Json;
};

type Fields = Readonly<Record<string, FieldDeclaration>>;

/** The fields that are always there: those that a creation must have, sets, counters, states, and those with a default. */
type Always<F, R> =
  | R
  | {
      [Name in keyof F]: F[Name] extends
        { readonly merge: 'set' | 'counter' } | { readonly states: object } | { readonly default: Json }
        ? Name
        : never;
    }[keyof F];

/** A record of these fields, as rules and reactions see it. */
export type RecordOf<F, R = never> = ObjectOf<F, Always<F, R>> & {
  readonly id: string;
  readonly createdAt: string;
};

/** What may be set of these fields, in the terms of their policies. */
export type ChangesOf<F> = {
  readonly [Name in keyof F]?: F[Name] extends { readonly merge: 'counter' }
    ? { readonly increment: number }
    : F[Name] extends { readonly merge: 'set' }
      ? ValueOf<F[Name]> | { readonly add?: ValueOf<F[Name]>; readonly remove?: ValueOf<F[Name]> } | null
      : ValueOf<F[Name]> | null;
};

/** @typeParam I Of the input, field by field. @typeParam Q What the input must have. */
export interface ActionDeclaration<F, R, I, Q> {
  readonly summary: string;
  /** Field → JSON Schema of what the body of the request has; none unless it is said. */
  readonly input?: I & Properties;
  /** What the body must have. */
  readonly required?: readonly (Q & keyof I & string)[];
  /** Code → what it means; the status is 409 unless it is said. */
  readonly errors?: Readonly<Record<string, string | DeclaredError>>;
  /** The fields that it may write, and no other; all that actions write unless it is said. */
  readonly writes?: readonly (keyof F & string)[];
  /**
   * `elsewhere`: two sites that both do it under one key come to one effect, so a client may go to the other site when its
   * own breaks off. What can be proven unless it is said (docs/rules.md).
   */
  readonly repeat?: 'elsewhere' | 'here';
  /** Pure: nothing but its arguments. Throws `RuleError` to refuse; undefined leaves the record as it is. */
  readonly decide: (
    record: RecordOf<F, R>,
    input: I extends Properties
      ? ObjectOf<I, unknown extends Q ? never : Q>
      : Readonly<Record<string, never>>,
    context: RuleContext,
  ) => ChangesOf<F> | undefined;
}

/** @see Reaction */
export interface ReactionDeclaration<F, R> {
  readonly on: readonly ((keyof F & string) | 'createdAt')[];
  readonly when: (record: RecordOf<F, R>, nowMs: number) => boolean | number;
  readonly run?: (
    record: RecordOf<F, R>,
    context: ReactionContext,
  ) => Promise<ChangesOf<F> | undefined> | Promise<void>;
  /** Instead of `run`, where it is about other records of the site. */
  readonly steps?: (
    record: RecordOf<F, R>,
    context: StepsContext,
  ) => StepsProtocol<ChangesOf<F> | undefined> | StepsProtocol<void>;
  /** `origin` unless it is said. */
  readonly site?: Reaction['site'];
  /** The field that names the site that runs it, where that is not the one which wrote last. */
  readonly at?: keyof F & string;
  readonly once?: (record: RecordOf<F, R>) => string;
  /** What `run` would have returned, when the provider says that it was done; undefined: it was not. */
  readonly lookup?: (record: RecordOf<F, R>, context: ReactionContext) => Promise<ChangesOf<F> | undefined>;
  /** Also once a record is deleted, when nothing but its id is there. Of what runs at every site. */
  readonly whenDeleted?: boolean;
  /** 1 unless it is said. */
  readonly version?: number;
}

export interface DuplicateDeclaration<F, R> {
  readonly run: (
    loser: RecordOf<F, R>,
    context: DuplicateContext,
  ) => Promise<ChangesOf<F> | undefined> | Promise<void>;
  /** What `run` would have returned, when the provider says that it was done; undefined: it was not. */
  readonly lookup?: (loser: RecordOf<F, R>, context: DuplicateContext) => Promise<ChangesOf<F> | undefined>;
}

/** With the fields `...contentFields` (`content.ts`): each record has bytes beside it. */
export interface ContentDeclaration {
  /** Media types that are taken, `image/*` for all of a kind; any unless it is said. */
  readonly types?: readonly string[];
  /** `objectBytesMax`, 5,000 MiB, unless it is said. */
  readonly bytesMax?: number;
  /**
   * Beginning of a name → when the other sites fetch what has it: `{ 'logs/': { afterSeconds: 3600 } }`. The longest one
   * counts; at once, and overdue after five minutes, unless it is said.
   */
  readonly fetch?: Readonly<
    Record<string, { readonly afterSeconds?: number; readonly withinSeconds?: number }>
  >;
  /** No bound unless it is said. */
  readonly quota?: Quota;
  /** `true`: a record whose upload was never completed is deleted after a week. Otherwise it may be without content. */
  readonly required?: boolean;
  /** It is deleted when the record is, whose id a field holds: `{ entity: 'product', field: 'sku' }`. */
  readonly belongsTo?: BelongsTo;
  /** What a reaction makes of it: `{ entity: 'thumbnail', names: ['small'] }` is `GET /pictures/{pictureId}/small`. */
  readonly variants?: Variants;
}

/** @see CacheRules */
export interface CacheDeclaration {
  readonly maxAgeSeconds: number;
  /** Fields that an index is `on`; none unless it is said. */
  readonly by?: readonly string[];
  /** `cacheStaleSeconds`, five minutes, unless it is said. */
  readonly staleIfErrorSeconds?: number;
}

export interface EntityDeclaration<F, R, A, Q = Readonly<Record<string, string>>> {
  readonly name: string;
  readonly collection: string;
  readonly idField: string;
  readonly description: string;
  readonly fields: F;
  readonly required: readonly R[];
  readonly example: Readonly<Record<string, Json>>;
  /** Id → fields, of records that `npm start -- --seed` writes; the example unless some are given. */
  readonly samples?: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly aliases?: readonly string[];
  readonly unique?: readonly (keyof F & string)[];
  /** When two sites gave one value to two records: what is done about the one that claimed it later. */
  readonly onDuplicate?: DuplicateDeclaration<F, R>;
  /**
   * Of several on one field, the first one answers what names no range. One on the owner's field takes the place of
   * `byOwner`, which is there otherwise.
   */
  readonly indexes?: Readonly<Record<string, Index>>;
  readonly access?: Access;
  /**
   * A creation needs an `Idempotency-Key` that is a UUID of version 7: `{ from: 'uuid7', withinMs: 72_000_000 }`. The id
   * derives from it and nobody chooses one; `createdAt` is the key's time, the same at every site; and a new record is
   * refused when its key is older than that, so that no site begins again what another one has done and forgotten.
   */
  readonly ids?: Ids;
  /** `false`: there is no DELETE, and no handler deletes one. Callers may delete what they see unless it is said. */
  readonly removable?: boolean;
  readonly content?: ContentDeclaration;
  /**
   * Whose records they are, for the export and the erasure of a person (docs/persons.md): `{ field: 'ownerId' }`. Of records
   * that have to stay `empties` names the fields that are emptied, and `when` says from when on.
   */
  readonly subject?: SubjectRule;
  /** Caches may keep what is read of it: `{ maxAgeSeconds: 60, by: ['category'] }` (docs/caching.md). Not at all unless it is said. */
  readonly cache?: CacheDeclaration;
  /** The ids of the sites that keep its records, for data that may not be elsewhere: `['aws-eu-west-1']`. All unless it is said. */
  readonly sites?: readonly string[];
  /** The id of the site that writes its records, until `tandem promote` names another. Every site that keeps them unless it is said. */
  readonly writes?: string;
  readonly actions?: {
    readonly [Name in keyof A]: ActionDeclaration<F, R, A[Name], Name extends keyof Q ? Q[Name] : never>;
  } & { readonly [Name in keyof Q]: { readonly required?: readonly Q[Name][] } };
  readonly reactions?: Readonly<Record<string, ReactionDeclaration<F, R>>>;
}

/** Declares an entity. @throws DeclarationError */
export function defineEntity<
  const F extends Fields,
  const R extends keyof F & string,
  const A extends Readonly<Record<string, unknown>> = Readonly<Record<string, never>>,
  const Q extends Readonly<Record<string, unknown>> = Readonly<Record<string, never>>,
>(declaration: EntityDeclaration<F, R, A, Q>): Entity {
  const misshapen = shapeMistakes(declaration);
  if (misshapen.length > 0) throw new DeclarationError(declaration.name, misshapen);
  const entity = normalized(declaration as unknown as LooseDeclaration);
  const mistakes = mistakesOf(entity);
  if (mistakes.length > 0) throw new DeclarationError(entity.name, mistakes, entity);
  return Object.freeze(entity);
}

/** A declaration without the types of its fields. */
type LooseDeclaration = EntityDeclaration<Fields, string, Readonly<Record<string, Properties>>>;

function normalized(declaration: LooseDeclaration): Entity {
  const {
    fields: declared,
    actions = {},
    reactions = {},
    onDuplicate,
    content,
    cache,
    ...rest
  } = declaration;
  const fields: Record<string, JsonSchema> = {};
  const merge: Record<string, MergePolicy> = {};
  const states: Record<string, States> = {};
  const by: Record<string, readonly Writer[]> = {};
  const readableBy: Record<string, readonly string[]> = {};
  for (const [name, field] of Object.entries(declared)) {
    const { merge: policy, states: walk, by: writer, readableBy: readers, ...schema } = field;
    fields[name] = walk === undefined ? schema : { type: 'string', enum: walk.order, ...schema };
    if (walk !== undefined) states[name] = walk;
    const merges = walk === undefined ? policy : 'states';
    if (merges !== undefined && merges !== 'register') merge[name] = merges;
    if (writer !== undefined && writer !== 'client')
      by[name] = typeof writer === 'string' ? [writer] : writer;
    if (readers !== undefined) readableBy[name] = readers;
  }
  const entity: Entity = {
    aliases: [],
    samples: { example: declaration.example },
    unique: [],
    access: {},
    ...rest,
    fields,
    merge,
    states,
    by,
    readableBy,
    ...(onDuplicate !== undefined && { onDuplicate: onDuplicate as unknown as OnDuplicate }),
    ...(content !== undefined && { content: contentRules(content) }),
    ...(cache !== undefined && { cache: { by: [], staleIfErrorSeconds: cacheStaleSeconds, ...cache } }),
    indexes: withOwners(rest.indexes ?? {}, rest.access?.owner, fields),
    actions: {
      ...mapped(actions, ({ input = {}, required = [], errors = {}, ...action }) => ({
        ...action,
        input,
        required,
        errors: mapped(errors, (error) =>
          typeof error === 'string' ? { title: error, status: 409 } : error,
        ),
        decide: action.decide as unknown as Action['decide'],
      })),
    },
    reactions: mapped(reactions, (reaction) => ({
      site: 'origin' as const,
      version: 1,
      ...(reaction as unknown as Omit<Reaction, 'site' | 'version'>),
    })),
  };
  return takesUploads(entity) && !Object.hasOwn(actions, COMPLETE)
    ? { ...entity, actions: { ...entity.actions, [COMPLETE]: completeAction } }
    : entity;
}

function contentRules({
  types = [],
  bytesMax = objectBytesMax,
  fetch = {},
  quota = {},
  required = false,
  belongsTo,
  variants,
}: ContentDeclaration): ContentRules {
  const rules = mapped({ '': {}, ...fetch }, (rule) => ({ ...objectFetchSeconds, ...rule }));
  return {
    types,
    bytesMax,
    fetch: Object.entries(rules).map(([prefix, rule]) => ({ prefix, ...rule })),
    quota,
    required,
    ...(belongsTo !== undefined && { belongsTo }),
    ...(variants !== undefined && { variants }),
  };
}

/** What has owners is listed by them: by the first index that is declared on the field, or by one that is made here. */
function withOwners(
  indexes: Readonly<Record<string, Index>>,
  owner: string | undefined,
  fields: Readonly<Record<string, JsonSchema>>,
): Readonly<Record<string, Index>> {
  if (owner === undefined || !Object.hasOwn(fields, owner)) return indexes;
  const isListed = Object.values(indexes).some(({ on }) => on === owner);
  return isListed ? indexes : { [OWNER_INDEX]: { on: owner }, ...indexes };
}

function mapped<From, To>(
  members: Readonly<Record<string, From>>,
  map: (member: From) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, map(member)]));
}
