/** Validation with schemas that were compiled ahead of time, so that a bundle carries no schema compiler. */
import type { ErrorObject, ValidateFunction } from 'ajv';
import type { Failure } from '../errors.ts';

/** Every failure, not only the first; empty when the value is valid. `check` comes from `generated/validators.js`. */
export function validate(check: ValidateFunction, value: unknown): Failure[] {
  if (check(value)) return [];
  return (check.errors ?? []).filter(isLeaf).map(toFailure);
}

/** A branch that only says that something below it failed tells a person nothing. */
function isLeaf({ keyword }: ErrorObject): boolean {
  return keyword !== 'if';
}

function toFailure({ instancePath, keyword, message, params }: ErrorObject): Failure {
  const named = params as {
    missingProperty?: string;
    additionalProperty?: string;
    allowedValues?: unknown[];
  };
  const child = named.missingProperty ?? named.additionalProperty;
  const pointer = child === undefined ? instancePath : `${instancePath}/${escapePointer(child)}`;
  return { pointer, rule: keyword, detail: sentence(keyword, message, named.allowedValues) };
}

function sentence(keyword: string, message: string | undefined, allowed: unknown[] | undefined): string {
  switch (keyword) {
    case 'required':
      return 'is required';
    case 'additionalProperties':
      return 'is not a known field';
    case 'enum':
      return `must be one of ${(allowed ?? []).join(', ')}`;
    default:
      return message ?? `breaks the rule ${keyword}`;
  }
}

/** The name of a member as a part of a JSON pointer (RFC 6901, section 3). */
export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
