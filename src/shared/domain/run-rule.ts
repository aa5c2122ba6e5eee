/**
 * Runs the rule of an action: from the record as it is, the input and the context to changes of fields.
 *
 * Invariant: a rule sees the same context each time that its write is tried, and can change nothing but by what it
 * returns. Whatever it throws beside a declared refusal is a fault that names the action, and nothing is written.
 */
import type { Json } from '@tandem-clouds/replication/json';
import { setOwn } from '@tandem-clouds/replication/own';
import { ruleIdsMax } from '../bounds.ts';
import { RefusedByRuleError, RuleFaultError } from '../errors.ts';
import type { Action, Entity, FieldChanges, RuleCaller, Values } from './entity.ts';
import { RuleError } from './rule-error.ts';

/** What is fixed once per request. */
export interface RuleRequest {
  readonly input: Readonly<Record<string, Json>>;
  readonly caller: RuleCaller;
  readonly nowMs: number;
  /** A fresh id, unique over all sites. */
  readonly freshId: () => string;
}

/** What a rule comes to for one record; undefined: it leaves the record as it is. */
export type Rule = (record: Values) => FieldChanges | undefined;

/**
 * The rule of a request, which may be run several times.
 * @throws RefusedByRuleError @throws RuleFaultError (the rule that is returned)
 */
export function ruleOf(
  entity: Entity,
  name: string,
  action: Action,
  { input, caller, nowMs, freshId }: RuleRequest,
): Rule {
  const place = `${entity.name}.${name}`;
  const fixed = { input: frozen(input), caller: frozen(caller as unknown as Json) as unknown as RuleCaller };
  const ids: string[] = [];
  return (record) => {
    let used = 0;
    const newId = (): string => {
      if (used === ruleIdsMax) throw new RangeError(`a rule may take ${ruleIdsMax} ids`);
      const id = (ids[used] ??= freshId());
      used += 1;
      return id;
    };
    const context = Object.freeze({ caller: fixed.caller, now: new Date(nowMs), newId });
    try {
      return settled(action.decide(frozen(record as Json) as Values, fixed.input as Values, context));
    } catch (error) {
      throw refusal(place, action, error);
    }
  };
}

/** @throws TypeError for a promise: what it brings would come after the write */
function settled(result: unknown): FieldChanges | undefined {
  if (result === undefined) return undefined;
  if (isThenable(result)) {
    // Nobody waits for it, and its failure must not end the process.
    void Promise.resolve(result).catch(() => undefined);
    throw new TypeError('it returned a promise: a rule decides at once, inside the write');
  }
  if (typeof result !== 'object' || result === null || Array.isArray(result))
    throw new TypeError('it returned neither changes of fields nor undefined');
  return result as FieldChanges;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function refusal(place: string, { errors }: Action, error: unknown): Error {
  if (error instanceof RuleError) return declaredRefusal(`the rule ${place}`, errors, error);
  const reason = error instanceof Error ? error.message : String(error);
  return new RuleFaultError(`the rule ${place} failed: ${reason}`, { cause: error });
}

/** What a refusal by a code comes to: the answer that is declared for it, or a fault of whoever threw it. */
export function declaredRefusal(place: string, errors: Action['errors'], error: RuleError): Error {
  const declared = Object.hasOwn(errors, error.code) ? errors[error.code] : undefined;
  if (declared === undefined)
    return new RuleFaultError(`${place} refused by ${error.code}, which it does not declare`, {
      cause: error,
    });
  const detail = error.message === '' ? declared.title : error.message;
  return new RefusedByRuleError(error.code, { ...declared, detail });
}

/** A copy that nobody can change: what the store handed over stays what it is. */
function frozen(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozen));
  const copy: Record<string, Json> = {};
  for (const [name, member] of Object.entries(value as Readonly<Record<string, Json>>))
    setOwn(copy, name, frozen(member));
  return Object.freeze(copy);
}
