/** Reads a policy file. What is returned has every default filled in and breaks no rule; otherwise all mistakes are named. */
import type { ErrorObject } from 'ajv';
import schema from '../policy.schema.json' with { type: 'json' };
import type { NamedAlike } from './named-alike.ts';
import { type Mistake, mistakesIn, parseChecked, readText, validatorOf } from './parse.ts';
import type { CheckSettings, EdgeSettings, Endpoint, Policy, SiteUse } from './policy.ts';
import { rulesBroken } from './rules.ts';

type Schema = typeof schema;
type Definitions = Schema['definitions'];

/** What the schema lets pass. */
type Checked = NamedAlike<
  Policy,
  [
    [Policy, Schema],
    [CheckSettings, Definitions['healthCheck']['else']],
    [EdgeSettings, Definitions['edge']['else']],
    [Endpoint, Definitions['endpoint']],
    [NonNullable<Endpoint['alias']>, Definitions['alias']],
    [SiteUse, Definitions['uses']['items']['else']],
  ]
>;

/** @throws PolicyError naming every mistake; TrafficError when there is no such file. */
export function readPolicy(file: string): Policy {
  return parsePolicy(readText(file), file);
}

/** @throws PolicyError */
export function parsePolicy(text: string, file: string): Policy {
  return parseChecked(text, file, { valid, rules: rulesBroken, explain }) as Checked;
}

/** The same checks of a policy that is no file yet. Defaults are filled into `value`. */
export function checkPolicy(value: unknown): {
  readonly value: unknown;
  readonly mistakes: readonly Mistake[];
} {
  const copy = structuredClone(value);
  return { value: copy, mistakes: mistakesIn(copy, { valid, rules: rulesBroken, explain }) };
}

const valid = validatorOf(schema);

/** Where ajv's own words do not help. */
function explain({ keyword, params }: ErrorObject): string | undefined {
  const { allowedValue } = params as { allowedValue?: unknown };
  if (keyword === 'const') return `must be ${String(allowedValue)} or an object`;
  if (keyword === 'oneOf') return 'needs either values or alias';
  if (keyword === 'propertyNames') return 'is not a name for a site';
  return undefined;
}
