/** What is wrong with a declaration of an entity: every contradiction at once, each with its place. */
import { horizonMs } from '@tandem-clouds/replication/bounds';
import { CROSSING, HOLD } from '@tandem-clouds/replication/objects/content';
import { own } from '@tandem-clouds/replication/own';
import { isReservedEntity } from '@tandem-clouds/replication/reserved';
import { cacheSecondsMax, indexesMax, objectBytesMax } from '../bounds.ts';
import { errorCodes } from '../errors.ts';
import { countedTwice } from './action-repeat.ts';
import { COMPLETE, completeAction, contentFields } from './content.ts';
import {
  type Action,
  defaultOf,
  type Entity,
  isRemovable,
  type MergePolicy,
  mergesByMember,
  OWNER_INDEX,
  policyOf,
  type States,
  takesUploads,
  WRITERS,
  writersOf,
} from './entity.ts';
import { sortTypeOf } from './indexes/declared-index.ts';
import type { JsonSchema } from './json-schema.ts';
import { OWNER } from './readable-by.ts';
import type { CustomRoutes } from './routes/custom-routes.ts';
import { rankMax, ranksOf, statesMax } from './states.ts';
import { ON_DUPLICATE } from './unique/duplicates.ts';

/** Where in the declaration, as the names that lead there, and what is wrong. */
export interface Mistake {
  readonly at: readonly string[];
  readonly detail: string;
}

/** A declaration contradicts itself; `mistakes` names every place. */
export class DeclarationError extends TypeError {
  override readonly name = 'DeclarationError';
  /** Its name, or that of the routes. */
  readonly entity: string;
  readonly mistakes: readonly Mistake[];
  /** What was declared, where it has the shape of an entity or of routes. */
  readonly declared: Entity | CustomRoutes | undefined;

  constructor(entity: string, mistakes: readonly Mistake[], declared?: Entity | CustomRoutes) {
    super(mistakes.map(({ at, detail }) => `${entity}: ${at.join('.')}: ${detail}`).join('\n'));
    this.entity = entity;
    this.mistakes = mistakes;
    this.declared = declared;
  }
}

/** As long as a function's name may still be beside service and stage (64 on AWS), and the key of a record. */
const NAME = /^[a-z][a-z0-9-]{0,39}$/;
const MEMBER = /^[a-z][A-Za-z0-9]*$/;
const PATH = /^\/[a-z][a-z0-9-]{0,39}$/;
const CODE = /^[a-z][a-z0-9_]*$/;
const SCOPE = /^[!#-[\]-~]{1,128}$/;
/** First segments of paths, and names of functions, that are no entity's. */
const OWN_PATHS = new Set(['region', 'health', 'replication', 'write', 'items']);
/** What the contract calls what every entity has: `createUser`. */
const OWN_OPERATIONS = new Set(['create', 'get', 'list', 'change', 'delete']);
const OWN_CODES: ReadonlySet<string> = new Set(errorCodes);
/** Neither `async` nor a generator. */
const PLAIN = /^\[object Function\]$/;
/** Without hyphens: Azure does not tell capital letters from small ones. */
const OWN_FUNCTIONS = new Set([
  'operations',
  'fallback',
  'forward',
  'apply',
  'sweep',
  'verify',
  'verifyhourly',
  'monitor',
  'react',
  'transfer',
]);
/** Azure's host has these beginnings of paths for itself: https://github.com/Azure/azure-functions-host/issues/7634 */
const OF_THE_HOST = /^(?:admin|runtime)/;
const BUCKETS_MAX = 16;
const INDEX_NAME_MAX = 40;
/** Of a list, which a field that is asked for cannot have for a name. */
const PARAMETERS = new Set(['limit', 'cursor', 'order']);
/** As configurations have it (`config-schema.ts`): the cloud and the region. */
const SITE = /^(?=.{1,48}$)(?:aws|azure)-[a-z0-9]+(?:-[a-z0-9]+)*$/;
const SITES_MAX = 9;
/** It is part of effect ids, which are keys at providers. */
const REACTION_CHARS_MAX = 40;
const MERGED_TYPES: Readonly<Partial<Record<MergePolicy, string>>> = {
  set: 'array',
  counter: 'integer',
  whole: 'object',
};

/** Of a kind, or one. */
const TYPE = /^[a-z]+\/(?:\*|[a-z0-9!#$&^_.+-]+)$/;
const QUOTAS = new Set(['ownerBytes', 'ownerObjects', 'tenantBytes', 'tenantObjects']);
const FETCH_SECONDS_MAX = 86_400;

const isText = (value: unknown): boolean => typeof value === 'string';
const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a declaration must be made of, in files that no compiler has checked yet. */
const SHAPE: Readonly<Record<string, readonly [is: (value: unknown) => boolean, what: string]>> = {
  name: [isText, 'a text'],
  collection: [isText, 'a text'],
  idField: [isText, 'a text'],
  description: [isText, 'a text'],
  required: [(value) => Array.isArray(value) && value.every(isText), 'a list of fields'],
  fields: [
    (value) => isObject(value) && Object.values(value as object).every(isObject),
    'schemas by their fields',
  ],
  example: [isObject, 'an object'],
  sites: [
    (value) => value === undefined || (Array.isArray(value) && value.every(isText)),
    'a list of ids of sites',
  ],
  writes: [(value) => value === undefined || isText(value), 'the id of a site'],
  removable: [(value) => value === undefined || typeof value === 'boolean', 'true or false'],
  ids: [(value) => value === undefined || isObject(value), 'an object, { from, withinMs }'],
  cache: [
    (value) => value === undefined || isObject(value),
    'an object, { maxAgeSeconds, by, staleIfErrorSeconds }',
  ],
};

/** What is missing of a declaration, or is no such thing. @returns None when `mistakesOf` may look at it. */
export function shapeMistakes(declaration: object): readonly Mistake[] {
  const members = declaration as Readonly<Record<string, unknown>>;
  return Object.entries(SHAPE).flatMap(([name, [is, what]]) =>
    is(members[name]) ? [] : [{ at: [name], detail: `must be ${what}` }],
  );
}

/** @returns None when the entity may be used. */
export function mistakesOf(entity: Entity): readonly Mistake[] {
  return [
    ...names(entity),
    ...fields(entity),
    ...Object.entries(entity.states).flatMap(([field, states]) => [...walk(field, states)]),
    ...lists(entity),
    ...access(entity),
    ...ids(entity),
    ...places(entity),
    ...actions(entity),
    ...reactions(entity),
    ...onDuplicate(entity),
    ...content(entity),
    ...subject(entity),
    ...caching(entity),
  ];
}

type Mistakes = Generator<Mistake>;

function* names({ name, collection, idField, aliases }: Entity): Mistakes {
  if (!NAME.test(name) || isReservedEntity(name))
    yield { at: ['name'], detail: 'must be lower case, and not one of our own' };
  if (!NAME.test(collection) || isTaken(collection))
    yield { at: ['collection'], detail: 'must be lower case, and no path of our own' };
  if (!MEMBER.test(idField)) yield { at: ['idField'], detail: 'must begin with a small letter' };
  for (const alias of aliases)
    if (!PATH.test(alias) || isTaken(alias.slice(1)))
      yield {
        at: ['aliases'],
        detail: `${alias} must be one segment, such as /${name}, and no path of our own`,
      };
}

/** Whether the first segment of a path cannot be an entity's, at one cloud or the other. */
export function isTaken(segment: string): boolean {
  return (
    OWN_PATHS.has(segment) || OWN_FUNCTIONS.has(segment.replaceAll('-', '')) || OF_THE_HOST.test(segment)
  );
}

function* fields(entity: Entity): Mistakes {
  for (const field of entity.required) {
    if (!has(entity, field)) yield { at: ['required'], detail: `${field} is no declared field` };
    else if (policyOf(entity, field) !== 'register')
      yield { at: ['required'], detail: `${field} is a ${policyOf(entity, field)} and cannot be required` };
    else if (!writersOf(entity, field).some((writer) => writer === 'client' || writer === 'creation'))
      yield { at: ['required'], detail: `${field} is not written by clients and cannot be required of them` };
  }
  for (const [field, schema] of Object.entries(entity.fields)) {
    const at = ['fields', field];
    if (field.startsWith('$') || field.includes('/') || ['id', 'createdAt', entity.idField].includes(field))
      yield { at, detail: 'is a reserved name' };
    yield* writers(entity, field);
    if (entity.readableBy[field]?.includes(OWNER) === true && entity.access.owner === undefined)
      yield { at: [...at, 'readableBy'], detail: 'names the owner, whom access.owner does not declare' };
    if (defaultOf(entity, field) !== undefined) yield* defaults(entity, field);
    const policy = policyOf(entity, field);
    const wanted = MERGED_TYPES[policy];
    if (wanted !== undefined && typeOf(schema) !== wanted)
      yield { at: [...at, 'merge'], detail: `a ${policy} needs a field of type ${wanted}` };
    if (policy === 'counter' && !Number.isSafeInteger((schema as { maximum?: unknown }).maximum))
      yield { at, detail: 'a counter needs a maximum that can be counted exactly' };
  }
}

function* writers(entity: Entity, field: string): Mistakes {
  const at = ['fields', field, 'by'];
  const named = writersOf(entity, field);
  if (named.length === 0) yield { at, detail: 'must name a writer' };
  for (const writer of named)
    if (!WRITERS.includes(writer)) yield { at, detail: `${writer} must be one of ${WRITERS.join(', ')}` };
  if (!named.includes('creation')) return;
  if (named.includes('client'))
    yield { at, detail: 'creation says nothing beside client, who creates records' };
  if (policyOf(entity, field) === 'states')
    yield { at, detail: 'creation is not for states, whose first one is where every record begins' };
}

/** Whether the value keeps its schema is for a schema compiler to say (`scripts/generate/check-examples.ts`). */
function* defaults(entity: Entity, field: string): Mistakes {
  const at = ['fields', field, 'default'];
  const policy = policyOf(entity, field);
  if (policy !== 'register') yield { at, detail: `is not for a ${policy}, which begins by itself` };
  if (mergesByMember(entity, field))
    yield { at, detail: 'is not for an object, whose members are written one by one' };
  if (defaultOf(entity, field) === null) yield { at, detail: 'must be a value: null is no value' };
  if (entity.unique.includes(field)) yield { at, detail: 'is not for a field that is unique' };
  if (entity.access.owner === field)
    yield { at, detail: 'is not for the owner, whom the creation writes and nothing else' };
}

/** A field that could walk in a circle would have no winner by rank. */
function* walk(field: string, states: States): Mistakes {
  const at = ['fields', field, 'states'];
  const { order, allowed } = states;
  if (order.length < 2 || order.length > statesMax || new Set(order).size < order.length)
    yield { at: [...at, 'order'], detail: `must name 2 to ${statesMax} states, each once` };
  yield* ranks(at, states);
  for (const state of states.passing ?? []) {
    if (!order.includes(state)) yield { at: [...at, 'passing'], detail: `${state} is not in the order` };
    else if ((own(allowed, state) ?? []).length === 0)
      yield { at: [...at, 'passing'], detail: `${state} is an end: nothing leads on from it` };
  }
  for (const [from, followers] of Object.entries(allowed)) {
    if (!order.includes(from)) yield { at: [...at, 'allowed'], detail: `${from} is not in the order` };
    for (const to of followers) {
      if (!order.includes(to)) yield { at: [...at, 'allowed'], detail: `${to} is not in the order` };
      else if (order.indexOf(to) <= order.indexOf(from))
        yield { at: [...at, 'allowed'], detail: `${from} to ${to} goes against the order` };
    }
  }
}

function* ranks(at: readonly string[], states: States): Mistakes {
  for (const [state, rank] of Object.entries(states.ranks ?? {})) {
    if (!states.order.includes(state)) yield { at: [...at, 'ranks', state], detail: 'is not in the order' };
    if (!Number.isInteger(rank) || rank < 1 || rank > rankMax)
      yield { at: [...at, 'ranks', state], detail: `must be a whole number from 1 to ${rankMax}` };
  }
  let before: readonly [string, number] | undefined;
  for (const [state, rank] of ranksOf(states)) {
    if (before !== undefined && rank <= before[1])
      yield { at: [...at, 'ranks'], detail: `the ranks of ${before[0]}, ${state} must rise along the order` };
    before = [state, rank];
  }
}

function* lists(entity: Entity): Mistakes {
  const count = Object.keys(entity.indexes).length;
  if (count > indexesMax)
    yield { at: ['indexes'], detail: `are ${count}, and an entity has at most ${indexesMax}` };
  for (const [name, { on, order = 'createdAt', buckets = 1, folded = false }] of Object.entries(
    entity.indexes,
  )) {
    const at = ['indexes', name];
    if (!MEMBER.test(name) || name.length > INDEX_NAME_MAX)
      yield {
        at,
        detail: `must begin with a small letter, and hold at most ${INDEX_NAME_MAX} letters and digits`,
      };
    for (const [part, field] of Object.entries({ on, order })) {
      if (part === 'order' && field === 'createdAt') continue;
      if (PARAMETERS.has(field)) yield { at: [...at, part], detail: `${field} is a parameter of every list` };
      if (!has(entity, field)) yield { at: [...at, part], detail: `${field} is no declared field` };
      else if (!['string', 'integer', 'number', 'boolean'].includes(typeOf(entity.fields[field]) ?? ''))
        yield { at: [...at, part], detail: `${field} must be a string, a number or a boolean` };
    }
    if (folded && sortTypeOf(entity, order) !== 'string')
      yield { at: [...at, 'folded'], detail: `is about text, and ${order} is none` };
    if (!Number.isInteger(buckets) || buckets < 1 || buckets > BUCKETS_MAX)
      yield { at: [...at, 'buckets'], detail: `must be a whole number from 1 to ${BUCKETS_MAX}` };
  }
  for (const field of entity.unique)
    if (typeOf(entity.fields[field]) !== 'string' || policyOf(entity, field) !== 'register')
      yield { at: ['unique'], detail: `${field} must be a string that is a register` };
}

function* access(entity: Entity): Mistakes {
  const { owner, tenant, read, write } = entity.access;
  if (read !== undefined) yield* publicReading(entity);
  if (write !== undefined && !SCOPE.test(write))
    yield { at: ['access', 'write'], detail: 'must be a scope of at most 128 visible characters' };
  if (tenant === '') yield { at: ['access', 'tenant'], detail: 'must name a claim' };
  if (owner === undefined) return;
  if (Object.hasOwn(entity.by, owner))
    yield { at: ['fields', owner, 'by'], detail: 'is the owner, whom the creation writes and nothing else' };
  if (typeOf(entity.fields[owner]) !== 'string' || policyOf(entity, owner) !== 'register')
    yield { at: ['access', 'owner'], detail: `${owner} must be a string that is a register` };
  else if (Object.hasOwn(entity.indexes, OWNER_INDEX) && !isIndexed(entity, owner))
    yield {
      at: ['indexes', OWNER_INDEX],
      detail: `is the name of the index on ${owner}, the owner: give this one another`,
    };
}

/** Who reads is not asked who they are, so nothing can depend on that. */
function* publicReading({ access: { owner, tenant, read }, readableBy }: Entity): Mistakes {
  const at = ['access', 'read'];
  if ((read as string) !== 'everybody') yield { at, detail: 'must be everybody, or be left out' };
  if (owner !== undefined || tenant !== undefined)
    yield { at, detail: 'is not for what has owners or tenants, which others do not see' };
  for (const field of Object.keys(readableBy))
    yield {
      at: ['fields', field, 'readableBy'],
      detail: 'is about who asks, and everybody reads the records',
    };
}

/** A repeat of a key whose record was deleted must find the tombstone, or be too old. */
function* ids({ ids: declared, content: rules }: Entity): Mistakes {
  if (declared === undefined) return;
  const at = ['ids'];
  const { from, withinMs } = declared as Readonly<Record<keyof typeof declared, unknown>>;
  for (const part of Object.keys(declared))
    if (part !== 'from' && part !== 'withinMs')
      yield { at: [...at, part], detail: 'must be one of from, withinMs' };
  if (from !== 'uuid7') yield { at: [...at, 'from'], detail: 'must be uuid7' };
  if (!Number.isSafeInteger(withinMs) || Number(withinMs) < 1_000 || Number(withinMs) > horizonMs)
    yield {
      at: [...at, 'withinMs'],
      detail: `must be a whole number of milliseconds from 1000 to ${horizonMs}`,
    };
  if (rules !== undefined) yield { at, detail: 'is not for what has content, whose ids derive from names' };
}

function isIndexed({ indexes }: Entity, field: string): boolean {
  return Object.values(indexes).some(({ on }) => on === field);
}

function* places({ sites, writes, reactions: declared }: Entity): Mistakes {
  if (writes !== undefined && !SITE.test(writes))
    yield {
      at: ['writes'],
      detail: `${writes} is no id of a site, such as aws-eu-west-1 or azure-westeurope`,
    };
  if (writes !== undefined && sites?.includes(writes) === false)
    yield { at: ['writes'], detail: `${writes} is none of the sites that keep the records` };
  if (writes !== undefined && sites?.length === 1)
    yield { at: ['writes'], detail: `is said by sites already: there is ${String(sites[0])} alone` };
  if (sites === undefined) return;
  if (sites.length === 0 || sites.length > SITES_MAX || new Set(sites).size < sites.length)
    yield { at: ['sites'], detail: `must name 1 to ${SITES_MAX} sites, each once` };
  for (const site of sites)
    if (!SITE.test(site))
      yield {
        at: ['sites'],
        detail: `${site} is no id of a site, such as aws-eu-west-1 or azure-westeurope`,
      };
  for (const [name, { site }] of Object.entries(declared))
    if (site === 'every' && sites.length === 1)
      yield {
        at: ['reactions', name, 'site'],
        detail: `every is ${String(sites[0])} alone, where its records are: leave it out`,
      };
}

function* actions(entity: Entity): Mistakes {
  for (const [name, action] of Object.entries(entity.actions)) {
    const { required, input, errors, decide } = action;
    const at = ['actions', name];
    yield* repeats(entity, at, action);
    if (!MEMBER.test(name) || OWN_OPERATIONS.has(name))
      yield {
        at,
        detail: 'must begin with a small letter, hold letters and digits, and be no operation of our own',
      };
    if (!PLAIN.test(Object.prototype.toString.call(decide)))
      yield {
        at: [...at, 'decide'],
        detail: 'must be a plain function: a rule decides at once, inside the write',
      };
    for (const field of required)
      if (!Object.hasOwn(input, field))
        yield { at: [...at, 'required'], detail: `${field} is no declared input` };
    for (const [code, { status }] of Object.entries(errors)) {
      if (!CODE.test(code) || OWN_CODES.has(code))
        yield {
          at: [...at, 'errors', code],
          detail: 'must be lower case, with underscores, and no code of our own',
        };
      if (!Number.isInteger(status) || status < 400 || status > 499)
        yield { at: [...at, 'errors', code], detail: 'its status must be from 400 to 499' };
    }
  }
}

function* repeats(entity: Entity, at: readonly string[], action: Action): Mistakes {
  for (const field of action.writes ?? [])
    if (!has(entity, field)) yield { at: [...at, 'writes'], detail: `${field} is no declared field` };
    else if (!writersOf(entity, field).includes('action'))
      yield { at: [...at, 'writes'], detail: `${field} is not written by actions` };
  if (action.repeat === undefined) return;
  if (!['elsewhere', 'here'].includes(action.repeat))
    yield { at: [...at, 'repeat'], detail: 'must be elsewhere or here' };
  if (action.repeat === 'elsewhere')
    for (const reason of countedTwice(entity, action)) yield { at: [...at, 'repeat'], detail: reason };
}

function* reactions(entity: Entity): Mistakes {
  for (const [name, { on, version, site, at: field, lookup, run, steps, whenDeleted }] of Object.entries(
    entity.reactions,
  )) {
    const at = ['reactions', name];
    if ((run === undefined) === (steps === undefined))
      yield { at: [...at, 'run'], detail: 'it is done by run, or by steps: one of the two must be there' };
    if (steps !== undefined && lookup !== undefined)
      yield { at: [...at, 'lookup'], detail: 'steps ask by themselves what was done' };
    if (field !== undefined && (!has(entity, field) || typeOf(entity.fields[field]) !== 'string'))
      yield { at: [...at, 'at'], detail: `${field} must be a declared field with the id of a site` };
    if (field !== undefined && site === 'every')
      yield { at: [...at, 'at'], detail: 'is said of what runs at one site, and this runs at every site' };
    if (name === ON_DUPLICATE) yield { at, detail: 'is the name of what the entity declares beside unique' };
    if (!MEMBER.test(name) || name.length > REACTION_CHARS_MAX)
      yield {
        at,
        detail: `must begin with a small letter and hold at most ${REACTION_CHARS_MAX} letters and digits`,
      };
    if (site === 'every' && lookup !== undefined)
      yield { at: [...at, 'lookup'], detail: 'what runs at every site is repeated, and never looked up' };
    if (on.length === 0) yield { at: [...at, 'on'], detail: 'must name at least one field' };
    for (const field of on)
      if (field !== 'createdAt' && !has(entity, field))
        yield { at: [...at, 'on'], detail: `${field} is no declared field` };
    if (whenDeleted === true && site !== 'every')
      yield {
        at: [...at, 'whenDeleted'],
        detail: 'is said of what runs at every site: nothing is written to what is deleted',
      };
    if (!Number.isInteger(version) || version < 1)
      yield { at: [...at, 'version'], detail: 'must be a whole number from 1 on' };
  }
}

function* onDuplicate({ onDuplicate: declared, unique }: Entity): Mistakes {
  if (declared === undefined) return;
  const at = ['onDuplicate'];
  if (unique.length === 0) yield { at, detail: 'is about values that are unique, and no field is' };
  for (const member of ['run', 'lookup'] as const) {
    const isLeftOut = member === 'lookup' && declared.lookup === undefined;
    if (!isLeftOut && typeof declared[member] !== 'function')
      yield { at: [...at, member], detail: 'must be a function' };
  }
}

/** Fields by other rules than these would say nothing true of the bytes. */
function* content(entity: Entity): Mistakes {
  const { content: rules, fields: declared, reactions: named } = entity;
  for (const name of [HOLD, CROSSING])
    if (Object.hasOwn(named, name)) yield { at: ['reactions', name], detail: 'is made for what has content' };
  if (rules === undefined) return;
  // Ours is among the actions; one of another kind was declared.
  if (entity.actions[COMPLETE] !== (takesUploads(entity) ? completeAction : undefined))
    yield { at: ['actions', COMPLETE], detail: 'is made for what has content' };
  const isThere = Object.entries(contentFields).every(([field, { by, ...declaredAs }]) => {
    const { merge = 'register', ...schema } = declaredAs as { readonly merge?: MergePolicy };
    return (
      JSON.stringify([declared[field], policyOf(entity, field), writersOf(entity, field)]) ===
      JSON.stringify([schema, merge, [by].flat()])
    );
  });
  if (!isThere) yield { at: ['fields'], detail: 'must hold ...contentFields, as they are' };
  if (!Number.isSafeInteger(rules.bytesMax) || rules.bytesMax < 1 || rules.bytesMax > objectBytesMax)
    yield { at: ['content', 'bytesMax'], detail: `must be a whole number from 1 to ${objectBytesMax}` };
  for (const type of rules.types)
    if (!TYPE.test(type)) yield { at: ['content', 'types'], detail: `${type} is no media type, nor image/*` };
  for (const { prefix, afterSeconds, withinSeconds } of rules.fetch)
    for (const [part, seconds] of Object.entries({ afterSeconds, withinSeconds }))
      if (!Number.isInteger(seconds) || seconds < 0 || seconds > FETCH_SECONDS_MAX)
        yield {
          at: ['content', 'fetch', prefix, part],
          detail: `must be a whole number of seconds from 0 to ${FETCH_SECONDS_MAX}`,
        };
  for (const part of Object.keys(rules.quota))
    if (!QUOTAS.has(part))
      yield { at: ['content', 'quota', part], detail: `must be one of ${[...QUOTAS].join(', ')}` };
  for (const [part, bound] of Object.entries(rules.quota))
    if (!Number.isSafeInteger(bound) || (bound as number) < 1)
      yield { at: ['content', 'quota', part], detail: 'must be a whole number from 1 on' };
  if (rules.quota.ownerBytes !== undefined || rules.quota.ownerObjects !== undefined) {
    if (entity.access.owner === undefined)
      yield { at: ['content', 'quota'], detail: 'is about owners, whom access.owner does not declare' };
  }
  if (rules.quota.tenantBytes !== undefined || rules.quota.tenantObjects !== undefined) {
    if (entity.access.tenant === undefined)
      yield { at: ['content', 'quota'], detail: 'is about tenants, whom access.tenant does not declare' };
  }
}

/** What an erasure cannot keep empty against writes that had not heard of it is not erased out of a record. */
function* subject(entity: Entity): Mistakes {
  const { subject: rule, idField, fields: declared, required } = entity;
  if (rule === undefined) return;
  const { field, empties, when } = rule;
  const isRegister = typeOf(declared[field]) === 'string' && policyOf(entity, field) === 'register';
  if (field !== idField && !isRegister)
    yield { at: ['subject', 'field'], detail: `${field} must be ${idField}, or a string that is a register` };
  if (when !== undefined && typeof when !== 'function')
    yield { at: ['subject', 'when'], detail: 'must be a function of the record' };
  if (empties === undefined) return;
  const at = ['subject', 'empties'];
  if (isRemovable(entity))
    yield {
      at,
      detail: 'is for records that stay: say removable: false, or leave it out, and nothing stays',
    };
  if (field === idField)
    yield { at, detail: `is for a subject that a field names: the id ${idField} stays as it is` };
  for (const each of empties)
    if (!has(entity, each) || each === field) yield { at, detail: `${each} is no other declared field` };
    else if (required.includes(each)) yield { at, detail: `${each} is required, so it cannot be empty` };
    else if (!['register', 'whole'].includes(policyOf(entity, each)) || mergesByMember(entity, each))
      yield { at, detail: `${each} must be a register, or an object that is a whole` };
}

const CACHE_PARTS = new Set(['maxAgeSeconds', 'by', 'staleIfErrorSeconds']);

/** What is kept by others than its stores must be to be shown to others, and a key that no list has would purge nothing. */
function* caching(entity: Entity): Mistakes {
  const { cache, access: allowed } = entity;
  if (cache === undefined) return;
  const at = ['cache'];
  for (const part of Object.keys(cache))
    if (!CACHE_PARTS.has(part))
      yield { at: [...at, part], detail: `must be one of ${[...CACHE_PARTS].join(', ')}` };
  yield* cacheSeconds('maxAgeSeconds', cache.maxAgeSeconds, 1);
  yield* cacheSeconds('staleIfErrorSeconds', cache.staleIfErrorSeconds, 0);
  const by: unknown = cache.by;
  if (!Array.isArray(by) || !by.every(isText) || new Set(by).size < by.length) {
    yield { at: [...at, 'by'], detail: 'must be a list of fields, each once' };
    return;
  }
  if (by.length > 0 && allowed.read !== 'everybody')
    yield { at: [...at, 'by'], detail: 'is about lists that everybody reads: declare access.read everybody' };
  for (const field of cache.by)
    if (!has(entity, field)) yield { at: [...at, 'by'], detail: `${field} is no declared field` };
    else if (!isIndexed(entity, field))
      yield { at: [...at, 'by'], detail: `${field} is what no index is on, so no list is by it` };
}

function* cacheSeconds(part: string, seconds: unknown, least: number): Mistakes {
  if (!Number.isSafeInteger(seconds) || Number(seconds) < least || Number(seconds) > cacheSecondsMax)
    yield {
      at: ['cache', part],
      detail: `must be a whole number of seconds from ${least} to ${cacheSecondsMax}`,
    };
}

function has({ fields: declared }: Entity, field: string): boolean {
  return Object.hasOwn(declared, field);
}

function typeOf(schema: JsonSchema | undefined): string | undefined {
  const type = (schema as { type?: unknown } | undefined)?.type;
  return typeof type === 'string' ? type : undefined;
}
