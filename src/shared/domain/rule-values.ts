/** What actions and reactions return: code, so that no schema has seen it yet. */
import type { Json } from '@tandem-clouds/replication/json';
import { own } from '@tandem-clouds/replication/own';
import { isObject } from '@tandem-clouds/replication/policies/members';
import { jsonDepthMax } from '../bounds.ts';
import type { Failure } from '../errors.ts';
import { type Entity, policyOf } from './entity.ts';
import type { FieldCheck } from './field-check.ts';

/** Levels of a field's value, which is a member of the record. */
const LEVELS = jsonDepthMax - 1;

/** What is wrong with a value that a rule returned for a field, in the terms of its policy. */
export function valueMistake(
  entity: Entity,
  field: string,
  { value, check }: { readonly value: Json; readonly check: FieldCheck },
): readonly Failure[] {
  const failure = (rule: string, detail: string): readonly Failure[] => [
    { pointer: `/${field}`, rule, detail },
  ];
  if (!isPlainJson(value)) return failure('json', `is no plain JSON of at most ${LEVELS} levels`);
  switch (policyOf(entity, field)) {
    case 'counter': {
      const isRight = isObject(value) && hasOnly(value, ['increment']);
      return isRight && Number.isSafeInteger(value['increment'])
        ? []
        : failure('increment', 'is a counter and takes { increment: <whole number> }');
    }
    case 'set': {
      if (value === null) return [];
      const lists: readonly Json[] =
        isObject(value) && hasOnly(value, ['add', 'remove']) ? Object.values(value) : [value];
      if (!lists.every(Array.isArray))
        return failure('set', 'is a set and takes an array, or { add, remove }');
      // How many there are is known only once they are merged.
      const added = isObject(value) ? (value['add'] ?? []) : value;
      return check({ [field]: added }).filter(({ pointer }) => pointer !== `/${field}`);
    }
    case 'states': {
      const order = own(entity.states, field)?.order ?? [];
      return typeof value === 'string' && order.includes(value)
        ? []
        : failure('states', `is none of ${order.join(', ')}`);
    }
    case 'register':
    case 'whole':
      return value === null && entity.required.includes(field) ? failure('required', 'is required') : [];
  }
}

function hasOnly(value: Readonly<Record<string, Json>>, names: readonly string[]): boolean {
  return Object.keys(value).every((name) => names.includes(name));
}

/** Whether every store and queue carries a value as it is: what the boundary asks of clients (`http/json-text.ts`). */
function isPlainJson(value: unknown, levels = LEVELS): boolean {
  if (value === null || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || levels === 0) return false;
  if (Array.isArray(value)) return [...(value as unknown[])].every((each) => isPlainJson(each, levels - 1));
  const isRecord = [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null);
  return (
    isRecord &&
    Object.entries(value).every(([name, each]) => name.isWellFormed() && isPlainJson(each, levels - 1))
  );
}
