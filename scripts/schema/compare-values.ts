/**
 * Whether a later JSON Schema takes everything that the earlier one took.
 *
 * Invariant: a difference that is not understood is never called harmless.
 */
import type { Json } from '@tandem-clouds/replication/json';
import { additive, breaking, type Changes, isSame, paired, shown } from './change.ts';
import type { Schema } from './describe.ts';

/** The way to narrow what these values are of. */
export interface Narrowing {
  readonly mend: string;
}

/** More is narrower. */
const LOWER_BOUNDS = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']);
/** Less is narrower. */
const UPPER_BOUNDS = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']);
/** Each asks for something by itself: without it more is valid, whatever is beside it. */
const INDEPENDENT = new Set([
  ...LOWER_BOUNDS,
  ...UPPER_BOUNDS,
  'additionalProperties',
  'allOf',
  'anyOf',
  'const',
  'contains',
  'format',
  'items',
  'multipleOf',
  'not',
  'oneOf',
  'pattern',
  'propertyNames',
  'uniqueItems',
]);
const SUBSCHEMAS = new Set(['items', 'additionalProperties', 'propertyNames', 'contains']);

const TYPE_MEND =
  'release 1: add a field of the new type beside it, and write both; release 2: read the new one; take the old one away as fields are taken away';

export function* compareValues(place: string, before: Schema, after: Schema, narrowing: Narrowing): Changes {
  if (!isSame(before['type'], after['type'])) {
    yield breaking(
      `${place}.type`,
      `the type was ${shown(before['type'])} and is ${shown(after['type'])}`,
      TYPE_MEND,
    );
    // Bounds of another type say nothing about those of this one.
    return;
  }
  for (const [keyword, was, is] of paired<Json>(before, after))
    if (keyword !== 'type' && keyword !== 'properties' && !isSame(was, is))
      yield* compareKeyword({ place: `${place}.${keyword}`, keyword, was, is, narrowing });
  yield* compareProperties(place, before, after, narrowing);
}

interface Keyword {
  readonly place: string;
  readonly keyword: string;
  readonly was: Json | undefined;
  readonly is: Json | undefined;
  readonly narrowing: Narrowing;
}

function* compareKeyword(change: Keyword): Changes {
  const { place, keyword, was, is, narrowing } = change;
  const [before, after] = [was ?? true, is ?? true];
  if (keyword === 'enum') yield* compareEnum(change);
  else if (keyword === 'required') yield* compareRequired(change);
  else if (SUBSCHEMAS.has(keyword) && isSchema(before) && isSchema(after))
    yield* compareValues(place, before, after, narrowing);
  else if (isWider(keyword, was, is))
    yield additive(place, `was ${shown(was)} and is ${shown(is)}: more values are valid`);
  else if (LOWER_BOUNDS.has(keyword) || UPPER_BOUNDS.has(keyword))
    yield narrower(change, 'values that were valid are not');
  else yield narrower(change, 'it cannot be known that values that were valid still are');
}

function narrower({ place, was, is, narrowing }: Keyword, why: string): ReturnType<typeof breaking> {
  return breaking(place, `was ${shown(was)} and is ${shown(is)}: ${why}`, narrowing.mend);
}

function isWider(keyword: string, was: Json | undefined, is: Json | undefined): boolean {
  if (is === undefined) return INDEPENDENT.has(keyword);
  if (keyword === 'uniqueItems') return is === false;
  if (keyword === 'additionalProperties') return is === true || was === false;
  if (typeof was !== 'number' || typeof is !== 'number') return false;
  return UPPER_BOUNDS.has(keyword) ? is > was : LOWER_BOUNDS.has(keyword) && is < was;
}

function* compareEnum(change: Keyword): Changes {
  const { place, was, is } = change;
  if (is === undefined) yield additive(place, 'every value of the type is valid now');
  else if (was === undefined) yield narrower(change, 'only these values are valid now');
  else {
    const [had, has] = [was as readonly Json[], is as readonly Json[]];
    const gone = had.filter((value) => !has.some((other) => isSame(other, value)));
    const added = has.filter((value) => !had.some((other) => isSame(other, value)));
    if (gone.length > 0) yield narrower(change, `without ${gone.map(shown).join(', ')}`);
    if (added.length > 0)
      yield additive(
        place,
        `takes ${added.map(shown).join(', ')} too`,
        'sites of the older release show such a value and do not accept it from clients',
      );
  }
}

function* compareRequired(change: Keyword): Changes {
  const [had, has] = [change.was ?? [], change.is ?? []] as [readonly string[], readonly string[]];
  const added = has.filter((name) => !had.includes(name));
  const gone = had.filter((name) => !has.includes(name));
  if (added.length > 0) yield narrower(change, `${added.join(', ')} must be there now`);
  if (gone.length > 0) yield additive(change.place, `${gone.join(', ')} may be missing now`);
}

function* compareProperties(place: string, before: Schema, after: Schema, narrowing: Narrowing): Changes {
  const [had, has] = [before, after].map((schema) => (schema['properties'] ?? {}) as Record<string, Schema>);
  for (const [name, was, is] of paired<Schema>(had ?? {}, has ?? {})) {
    const at = `${place}.properties.${name}`;
    if (was !== undefined && is !== undefined) {
      if (!isSame(was, is)) yield* compareValues(at, was, is, narrowing);
    } else if (was === undefined) {
      // Where others were refused, nobody has one that the new schema could refuse.
      if (before['additionalProperties'] === false && before['patternProperties'] === undefined)
        yield additive(at, 'is new');
      else yield breaking(at, 'is new, and may be there already with any value', narrowing.mend);
    } else if (after['additionalProperties'] === undefined || after['additionalProperties'] === true)
      yield additive(at, 'may have any value now');
    else yield breaking(at, 'is gone: records that have it are not valid', narrowing.mend);
  }
}

function isSchema(value: Json): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
