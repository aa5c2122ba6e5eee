/** What a request to a custom route brings in its path and its query, by the declared schemas. */
import type { ValidateFunction } from 'ajv';
import type { Json } from '@tandem-clouds/replication/json';
import type { CustomOperation } from '../domain/routes/custom-routes.ts';
import { type Failure, InvalidError } from '../errors.ts';
import { validate } from '../validation/validate.ts';

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The parameters of the path. @throws InvalidError that names every broken rule. */
export function readParams(
  check: ValidateFunction | undefined,
  params: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return check === undefined ? {} : checked(check, 'path', params);
}

/** The values of a query, each as its schema's type. @throws InvalidError that names every broken rule. */
export function readQuery(
  { input = {} }: Pick<CustomOperation, 'input'>,
  check: ValidateFunction | undefined,
  query: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, Json>> {
  const given = Object.entries(query).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, valueOf((input[name] as { type?: unknown } | undefined)?.type, text)]],
  );
  const values = Object.fromEntries(given) as Readonly<Record<string, Json>>;
  if (check !== undefined) return checked(check, 'query', values);
  const unknown = Object.keys(values).map((name) =>
    failure('query', `/${name}`, 'additionalProperties', UNKNOWN),
  );
  if (unknown.length > 0) throw new InvalidError('the query is invalid', unknown);
  return values;
}

const UNKNOWN = 'is not a known parameter';

/** What cannot be read as its type stays text, for the schema to refuse. */
function valueOf(type: unknown, text: string): Json {
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  // Several values of one name are joined by a comma (`service.ts`).
  if (type === 'array') return text === '' ? [] : text.split(',');
  if (type === 'integer' || type === 'number') return NUMBER.test(text) ? Number(text) : text;
  return text;
}

function checked<T>(check: ValidateFunction, part: 'path' | 'query', values: T): T {
  const failures = validate(check, values);
  if (failures.length === 0) return values;
  const named = failures.map(({ pointer, rule, detail }) =>
    failure(part, pointer, rule, rule === 'additionalProperties' ? UNKNOWN : detail),
  );
  throw new InvalidError(`the ${part} is invalid`, named);
}

function failure(part: string, pointer: string, rule: string, detail: string): Failure {
  return { pointer: `/${part}${pointer}`, rule, detail };
}
