/** What is wrong with a declaration of an entity: every contradiction at once, each with its place. */
import { isReservedEntity } from '@tandem-clouds/replication/reserved';
import { type Entity, type MergePolicy, policyOf, type States, writersOf } from './entity.ts';
import type { JsonSchema } from './json-schema.ts';
import { rankMax, ranksOf, statesMax } from './states.ts';

/** Where in the declaration, as the names that lead there, and what is wrong. */
export interface Mistake {
  readonly at: readonly string[];
  readonly detail: string;
}

/** A declaration contradicts itself; `mistakes` names every place. */
export class DeclarationError extends TypeError {
  override readonly name = 'DeclarationError';
  readonly mistakes: readonly Mistake[];

  constructor(entity: string, mistakes: readonly Mistake[]) {
    super(mistakes.map(({ at, detail }) => `${entity}: ${at.join('.')}: ${detail}`).join('\n'));
    this.mistakes = mistakes;
  }
}

const NAME = /^[a-z][a-z0-9-]*$/;
const MEMBER = /^[a-z][A-Za-z0-9]*$/;
const PATH = /^\/[a-z][a-z0-9-]*$/;
const CODE = /^[a-z][a-z0-9_]*$/;
/** First segments of paths that are no entity's. */
const OWN_PATHS = new Set(['region', 'health', 'replication', 'write', 'items']);
const BUCKETS_MAX = 16;
/** It is part of effect ids, which are keys at providers. */
const REACTION_CHARS_MAX = 40;
const MERGED_TYPES: Readonly<Partial<Record<MergePolicy, string>>> = { set: 'array', counter: 'integer' };

/** @returns None when the entity may be used. */
export function mistakesOf(entity: Entity): readonly Mistake[] {
  return [
    ...names(entity),
    ...fields(entity),
    ...Object.entries(entity.states).flatMap(([field, states]) => [...walk(field, states)]),
    ...lists(entity),
    ...access(entity),
    ...actions(entity),
    ...reactions(entity),
  ];
}

type Mistakes = Generator<Mistake>;

function* names({ name, collection, idField, aliases }: Entity): Mistakes {
  if (!NAME.test(name) || isReservedEntity(name))
    yield { at: ['name'], detail: 'must be lower case, and not one of our own' };
  if (!NAME.test(collection) || OWN_PATHS.has(collection))
    yield { at: ['collection'], detail: 'must be lower case, and no path of our own' };
  if (!MEMBER.test(idField)) yield { at: ['idField'], detail: 'must begin with a small letter' };
  for (const alias of aliases)
    if (!PATH.test(alias) || OWN_PATHS.has(alias.slice(1)))
      yield {
        at: ['aliases'],
        detail: `${alias} must be one segment, such as /${name}, and no path of our own`,
      };
}

function* fields(entity: Entity): Mistakes {
  for (const field of entity.required) {
    if (!has(entity, field)) yield { at: ['required'], detail: `${field} is no declared field` };
    else if (policyOf(entity, field) !== 'register')
      yield { at: ['required'], detail: `${field} is a ${policyOf(entity, field)} and cannot be required` };
    else if (!writersOf(entity, field).includes('client'))
      yield { at: ['required'], detail: `${field} is not written by clients and cannot be required of them` };
  }
  for (const [field, schema] of Object.entries(entity.fields)) {
    const at = ['fields', field];
    if (field.startsWith('$') || field.includes('/') || ['id', 'createdAt', entity.idField].includes(field))
      yield { at, detail: 'is a reserved name' };
    if (writersOf(entity, field).length === 0) yield { at: [...at, 'by'], detail: 'must name a writer' };
    const policy = policyOf(entity, field);
    const wanted = MERGED_TYPES[policy];
    if (wanted !== undefined && typeOf(schema) !== wanted)
      yield { at: [...at, 'merge'], detail: `a ${policy} needs a field of type ${wanted}` };
    if (policy === 'counter' && !Number.isSafeInteger((schema as { maximum?: unknown }).maximum))
      yield { at, detail: 'a counter needs a maximum that can be counted exactly' };
  }
}

/** A field that could walk in a circle would have no winner by rank. */
function* walk(field: string, states: States): Mistakes {
  const at = ['fields', field, 'states'];
  const { order, allowed } = states;
  if (order.length < 2 || order.length > statesMax || new Set(order).size < order.length)
    yield { at: [...at, 'order'], detail: `must name 2 to ${statesMax} states, each once` };
  yield* ranks(at, states);
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
  for (const [name, { on, order = 'createdAt', buckets = 1 }] of Object.entries(entity.indexes)) {
    const at = ['indexes', name];
    for (const [part, field] of Object.entries({ on, order })) {
      if (part === 'order' && field === 'createdAt') continue;
      if (!has(entity, field)) yield { at: [...at, part], detail: `${field} is no declared field` };
      else if (!['string', 'integer', 'number', 'boolean'].includes(typeOf(entity.fields[field]) ?? ''))
        yield { at: [...at, part], detail: `${field} must be a string, a number or a boolean` };
    }
    if (!Number.isInteger(buckets) || buckets < 1 || buckets > BUCKETS_MAX)
      yield { at: [...at, 'buckets'], detail: `must be a whole number from 1 to ${BUCKETS_MAX}` };
  }
  for (const field of entity.unique)
    if (typeOf(entity.fields[field]) !== 'string' || policyOf(entity, field) !== 'register')
      yield { at: ['unique'], detail: `${field} must be a string that is a register` };
}

function* access(entity: Entity): Mistakes {
  const { owner } = entity.access;
  if (owner === undefined) return;
  if (typeOf(entity.fields[owner]) !== 'string' || policyOf(entity, owner) !== 'register')
    yield { at: ['access', 'owner'], detail: `${owner} must be a string that is a register` };
}

function* actions(entity: Entity): Mistakes {
  for (const [name, { required, input, errors }] of Object.entries(entity.actions)) {
    const at = ['actions', name];
    if (!MEMBER.test(name))
      yield { at, detail: 'must begin with a small letter and hold letters and digits' };
    for (const field of required)
      if (!Object.hasOwn(input, field))
        yield { at: [...at, 'required'], detail: `${field} is no declared input` };
    for (const [code, { status }] of Object.entries(errors)) {
      if (!CODE.test(code))
        yield { at: [...at, 'errors', code], detail: 'must be lower case, with underscores' };
      if (!Number.isInteger(status) || status < 400 || status > 499)
        yield { at: [...at, 'errors', code], detail: 'its status must be from 400 to 499' };
    }
  }
}

function* reactions(entity: Entity): Mistakes {
  for (const [name, { on, version, site, lookup }] of Object.entries(entity.reactions)) {
    const at = ['reactions', name];
    if (!MEMBER.test(name) || name.length > REACTION_CHARS_MAX)
      yield {
        at,
        detail: `must begin with a small letter and hold at most ${REACTION_CHARS_MAX} letters and digits`,
      };
    if (site === 'every' && lookup !== undefined)
      yield { at: [...at, 'lookup'], detail: 'what runs at every site is repeated, and never looked up' };
    if (on.length === 0) yield { at: [...at, 'on'], detail: 'must name at least one field' };
    for (const field of on)
      if (!has(entity, field)) yield { at: [...at, 'on'], detail: `${field} is no declared field` };
    if (!Number.isInteger(version) || version < 1)
      yield { at: [...at, 'version'], detail: 'must be a whole number from 1 on' };
  }
}

function has({ fields: declared }: Entity, field: string): boolean {
  return Object.hasOwn(declared, field);
}

function typeOf(schema: JsonSchema | undefined): string | undefined {
  const type = (schema as { type?: unknown } | undefined)?.type;
  return typeof type === 'string' ? type : undefined;
}
