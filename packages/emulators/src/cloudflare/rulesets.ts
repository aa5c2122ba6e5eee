/** The Rulesets API of one zone: entry points of phases, and their rules one by one. */
import { randomUUID } from 'node:crypto';

export interface Rule extends Record<string, unknown> {
  id: string;
  ref: string;
  enabled: boolean;
}

export interface Ruleset {
  readonly id: string;
  rules: Rule[];
}

export interface RulesetRequest {
  readonly method: string;
  /** Below `/zones/<zone>/rulesets/`. */
  readonly path: readonly string[];
  /** The rule of the request, or `{ rules }`, once its shape was found right. */
  readonly body: () => Record<string, unknown>;
}

/** Phase → its entry point, once it has one. */
export class Rulesets extends Map<string, Ruleset> {
  /** The `result` of the answer; undefined: what was asked for does not exist. */
  response({ method, path, body }: RulesetRequest): unknown {
    const [first = '', second = '', third = ''] = path;
    if (first === 'phases') {
      if (method === 'PUT') this.set(second, { id: newId(), rules: (body()['rules'] as object[]).map(made) });
      return this.get(second);
    }
    const ruleset = [...this.values()].find(({ id }) => id === first);
    if (ruleset === undefined || second !== 'rules') return undefined;
    if (method === 'POST') {
      const rule = made(body());
      if (ruleset.rules.some(({ ref }) => ref === rule.ref))
        throw new Error(`the ref ${rule.ref} is there twice`);
      ruleset.rules.push(rule);
      return ruleset;
    }
    const at = ruleset.rules.findIndex(({ id }) => id === third);
    if (at < 0) return undefined;
    ruleset.rules.splice(at, 1, ...(method === 'DELETE' ? [] : [{ ...made(body()), id: third }]));
    return ruleset;
  }
}

/** With what the service fills in. */
function made(rule: object): Rule {
  const id = newId();
  const { action, action_parameters: parameters, ...rest } = rule as Record<string, unknown>;
  return {
    ref: id,
    enabled: true,
    ...rest,
    action,
    ...(parameters !== undefined && {
      action_parameters: action === 'execute' ? { version: 'latest', ...(parameters as object) } : parameters,
    }),
    id,
    version: '1',
    last_updated: '2026-01-01T00:00:00Z',
  };
}

function newId(): string {
  return randomUUID().replaceAll('-', '');
}
