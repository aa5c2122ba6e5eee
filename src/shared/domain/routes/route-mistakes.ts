/**
 * What is wrong with declared routes, as far as one file shows: every contradiction at once, each with its place. What it
 * has in common with others, paths, operations and entities, is for whoever loads all of them (`scripts/generate`).
 */
import { ownSettings } from '../../config/own-settings.ts';
import { errorCodes } from '../../errors.ts';
import { isTaken, type Mistake } from '../declaration-mistakes.ts';
import {
  type CustomOperation,
  type CustomRoutes,
  isAskedByQuery,
  type LooseRoutes,
  paramsOf,
} from './custom-routes.ts';

const NAME = /^[a-z][a-z0-9-]{0,39}$/;
const MEMBER = /^[a-z][A-Za-z0-9]{0,63}$/;
const SEGMENT = /^(?:[a-z0-9][a-z0-9-]{0,39}|\{[a-z][A-Za-z0-9]{0,39}\})$/;
const SEGMENTS_MAX = 8;
const CODE = /^[a-z][a-z0-9_]*$/;
const OWN_CODES: ReadonlySet<string> = new Set(errorCodes);
/** scope-token of RFC 6749, section 3.3, as service keys take it. */
const SCOPE = /^[!#-[\]-~]{1,128}$/;
/** What both vaults take (docs/handlers.md). */
const SECRET = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const SECRET_CHARS_MAX = 127;
const METHODS = new Set<unknown>(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
const RIGHTS = new Set<unknown>(['read', 'write']);
const USED = new Set([
  'records',
  'actsForAnybody',
  'site',
  'counts',
  'secrets',
  'http',
  'payments',
  'settings',
]);
/** Types that the text of a query can be read as. */
const QUERY_TYPES = new Set<unknown>(['string', 'integer', 'number', 'boolean', 'array']);
const MEMBERS = new Set([
  ...['method', 'path', 'summary', 'access', 'keyed', 'repeat', 'params', 'input', 'required', 'output'],
  ...['status', 'errors', 'page', 'handle'],
]);

type Mistakes = Generator<Mistake>;

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isMap = (value: unknown): boolean => isObject(value) && Object.values(value).every(isObject);
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

/** What is missing of a declaration, or is no such thing. @returns None when `routeMistakes` may look at it. */
export function routeShapeMistakes(declaration: LooseRoutes): readonly Mistake[] {
  const {
    name,
    description,
    uses = {},
    operations,
  } = declaration as unknown as Readonly<Record<string, unknown>>;
  const wrong: Mistake[] = [];
  const need = (at: readonly string[], isRight: boolean, what: string): void => {
    if (!isRight) wrong.push({ at, detail: `must be ${what}` });
  };
  need(['name'], isText(name), 'a text');
  need(['description'], isText(description), 'a text');
  need(['uses'], isObject(uses), 'an object');
  need(
    ['operations'],
    isMap(operations) && Object.keys(operations as object).length > 0,
    'operations by their names',
  );
  if (wrong.length > 0) return wrong;
  const { records = {}, secrets = [], settings = [] } = uses as Readonly<Record<string, unknown>>;
  need(['uses', 'records'], isObject(records), 'rights by their entities');
  need(['uses', 'secrets'], isTexts(secrets), 'a list of names');
  need(['uses', 'settings'], isTexts(settings), 'a list of names');
  for (const [key, operation] of Object.entries(operations as Readonly<Record<string, Members>>)) {
    const at = ['operations', key];
    for (const part of ['path', 'summary']) need([...at, part], isText(operation[part]), 'a text');
    need([...at, 'handle'], typeof operation['handle'] === 'function', 'a function');
    const page = operation['page'];
    need(
      [...at, 'page'],
      page === undefined ||
        (isObject(page) && typeof page['answered'] === 'function' && typeof page['refused'] === 'function'),
      'two functions, answered and refused',
    );
    need([...at, 'required'], isTexts(operation['required'] ?? []), 'a list of names');
    for (const part of ['params', 'input', 'output'])
      need([...at, part], isMap(operation[part] ?? {}), 'schemas by their names');
    need([...at, 'errors'], isObject(operation['errors'] ?? {}), 'meanings by their codes');
  }
  return wrong;
}

type Members = Readonly<Record<string, unknown>>;

/** @returns None when the routes may be served, as far as this file shows. */
export function routeMistakes(routes: CustomRoutes): readonly Mistake[] {
  return [
    ...ofName(routes),
    ...ofUses(routes),
    ...Object.entries(routes.operations).flatMap(([key, operation]) => [
      ...ofOperation(key, operation),
      ...ofPath(routes, key, operation),
      ...ofInput(key, operation),
      ...ofErrors(key, operation),
    ]),
    ...twins(routes),
  ];
}

function* ofName({ name }: CustomRoutes): Mistakes {
  if (!NAME.test(name) || isTaken(name))
    yield { at: ['name'], detail: 'must be lower case, and no path of our own' };
}

function* ofUses({ uses }: CustomRoutes): Mistakes {
  for (const part of Object.keys(uses))
    if (!USED.has(part)) yield { at: ['uses', part], detail: `must be one of ${[...USED].join(', ')}` };
  for (const [entity, right] of Object.entries(uses.records ?? {}))
    if (!RIGHTS.has(right)) yield { at: ['uses', 'records', entity], detail: 'must be read or write' };
  if (uses.site === true && Object.keys(uses.records ?? {}).length === 0)
    yield { at: ['uses', 'site'], detail: 'is about records, and uses.records names none' };
  for (const part of ['http', 'payments', 'actsForAnybody', 'site', 'counts'] as const)
    if (![undefined, true].includes(uses[part]))
      yield { at: ['uses', part], detail: 'must be true, or be left out' };
  for (const secret of uses.secrets ?? [])
    if (!SECRET.test(secret) || secret.length > SECRET_CHARS_MAX)
      yield {
        at: ['uses', 'secrets'],
        detail: `${secret} must be lower-case letters, digits and single dashes, ${SECRET_CHARS_MAX} at most`,
      };
  for (const setting of uses.settings ?? [])
    if (!Object.hasOwn(ownSettings, setting))
      yield {
        at: ['uses', 'settings'],
        detail: `${setting} is no setting of src/shared/config/own-settings.ts`,
      };
}

function* ofOperation(
  key: string,
  { access, status, output, repeat, keyed, method, ...rest }: CustomOperation,
): Mistakes {
  const at = ['operations', key];
  for (const member of Object.keys(rest))
    if (!MEMBERS.has(member)) yield { at: [...at, member], detail: 'is no member of an operation' };
  if (!MEMBER.test(key)) yield { at, detail: 'must begin with a small letter, and hold letters and digits' };
  if (!METHODS.has(method))
    yield { at: [...at, 'method'], detail: `must be one of ${[...METHODS].join(', ')}` };
  if (access !== undefined && access !== 'everybody' && !SCOPE.test(scopeIn(access)))
    yield {
      at: [...at, 'access'],
      detail: "must be 'everybody', or a scope of at most 128 visible characters",
    };
  if (output !== undefined && ![200, 201, 202].includes(status))
    yield { at: [...at, 'status'], detail: 'must be 200, 201 or 202' };
  if (!['elsewhere', 'here'].includes(repeat))
    yield { at: [...at, 'repeat'], detail: 'must be elsewhere or here' };
  if (keyed && method === 'GET')
    yield { at: [...at, 'keyed'], detail: 'is not for GET, which changes nothing' };
  if (repeat === 'elsewhere' && !keyed && method !== 'GET' && method !== 'DELETE')
    yield {
      at: [...at, 'repeat'],
      detail: 'elsewhere needs keyed: nothing else would know the request again',
    };
}

function scopeIn(access: object): string {
  const { scope } = access as { readonly scope?: unknown };
  return typeof scope === 'string' ? scope : '';
}

function* ofPath({ name }: CustomRoutes, key: string, { path, params }: CustomOperation): Mistakes {
  const at = ['operations', key];
  const [empty, first, ...others] = path.split('/');
  if (empty !== '' || first !== name)
    yield { at: [...at, 'path'], detail: `must be /${name}, or below it: a file has one first segment` };
  else if (others.length >= SEGMENTS_MAX || !others.every((segment) => SEGMENT.test(segment)))
    yield {
      at: [...at, 'path'],
      detail: `must have at most ${SEGMENTS_MAX} segments, each lower case or a parameter such as {userId}`,
    };
  const there = paramsOf(path);
  if (new Set(there).size < there.length) yield { at: [...at, 'path'], detail: 'names one parameter twice' };
  for (const [param, schema] of Object.entries(params)) {
    if (!there.includes(param)) yield { at: [...at, 'params', param], detail: 'is no parameter of the path' };
    if (![undefined, 'string'].includes((schema as { type?: string }).type))
      yield { at: [...at, 'params', param], detail: 'is text: its type can only be string' };
  }
}

function* ofInput(key: string, operation: CustomOperation): Mistakes {
  const { input = {}, required } = operation;
  const at = ['operations', key];
  for (const field of required)
    if (!Object.hasOwn(input, field))
      yield { at: [...at, 'required'], detail: `${field} is no declared input` };
  if (!isAskedByQuery(operation)) return;
  for (const [field, schema] of Object.entries(input)) {
    const {
      type,
      enum: values,
      items,
    } = schema as {
      readonly type?: unknown;
      readonly enum?: readonly unknown[];
      readonly items?: { readonly type?: unknown };
    };
    if (type === 'array' && items?.type !== 'string')
      yield { at: [...at, 'input', field], detail: 'is part of a query: its items must be of type string' };
    const isTextual = values?.every((value) => typeof value === 'string') === true;
    if (!QUERY_TYPES.has(type ?? (isTextual ? 'string' : undefined)))
      yield {
        at: [...at, 'input', field],
        detail: `is part of a query: its type must be one of ${[...QUERY_TYPES].join(', ')}`,
      };
  }
}

function* ofErrors(key: string, { errors }: CustomOperation): Mistakes {
  for (const [code, { status }] of Object.entries(errors)) {
    const at = ['operations', key, 'errors', code];
    if (!CODE.test(code) || OWN_CODES.has(code))
      yield { at, detail: 'must be lower case, with underscores, and no code of our own' };
    if (!Number.isInteger(status) || status < 400 || status > 499)
      yield { at, detail: 'its status must be from 400 to 499' };
  }
}

/** Two operations that one request could mean. A path without parameters goes before one with some. */
function* twins({ operations }: CustomRoutes): Mistakes {
  const seen: { readonly key: string; readonly operation: CustomOperation }[] = [];
  for (const [key, operation] of Object.entries(operations)) {
    const twin = seen.find((one) => mayMeet(one.operation, operation));
    if (twin !== undefined)
      yield {
        at: ['operations', key, 'path'],
        detail: `${operation.method} ${operation.path} may be meant by what ${twin.key} answers, ${twin.operation.path}`,
      };
    seen.push({ key, operation });
  }
}

function mayMeet(one: CustomOperation, other: CustomOperation): boolean {
  const [a, b] = [one.path.split('/'), other.path.split('/')];
  if (one.method !== other.method || a.length !== b.length) return false;
  const isParam = (segment: string | undefined): boolean => segment?.startsWith('{') === true;
  if (!a.every((segment, i) => segment === b[i] || isParam(segment) || isParam(b[i]))) return false;
  // One of them without any parameter is asked first.
  return a.some(isParam) === b.some(isParam);
}
