/**
 * Fault hooks shared by every emulator: a list of rules, matched in order against (operation, resource).
 *
 * A rule is data, so that a test in the same process, a drill in another one and a person with `curl` all use
 * the same thing (see `control.ts` for the HTTP side).
 */

/** What a rule does to the operation that it matches. */
export type FaultKind =
  /** Wait `latencyMs` before the operation. */
  | 'latency'
  /** Refuse the operation before it has any effect, with the emulator's own throttling or outage error. */
  | 'error'
  /** Let the operation take effect, then lose the answer: the client sees a broken connection. */
  | 'drop-ack'
  /** Deliver, or enqueue, the message a second time (queues only). */
  | 'duplicate'
  /** Make each message that is sent available only after a time of its own, up to `latencyMs` (queues only). */
  | 'reorder'
  /** Break the connection in the middle of the content that is sent (objects only). */
  | 'cut'
  /** Send other bytes than those of the object, as many of them (objects only). */
  | 'corrupt';

export interface FaultRule {
  readonly kind: FaultKind;
  /** Operation, as the service names it (`PutItem`, `SendMessageBatch`, `Replace`, `send`, `complete`); `*` for any. */
  readonly operation?: string;
  /** Table, container or queue; `*` for any. */
  readonly resource?: string;
  /** Chance that a matching operation is hit, 0 to 1. Default 1. */
  readonly probability?: number;
  /** How many times the rule may still fire; without it, for ever. */
  readonly times?: number;
  /** For `latency` and `reorder`: milliseconds to wait, at most. Default 0. */
  readonly latencyMs?: number;
  /** For `error`: the service's own error code; each emulator has a default. */
  readonly code?: string;
}

/** The faults that hit one operation. */
export interface FaultResult {
  readonly latencyMs: number;
  readonly error: { readonly code: string | undefined } | undefined;
  readonly dropAck: boolean;
  readonly duplicate: boolean;
  /** Messages become available after a random time of up to this many milliseconds each. */
  readonly reorderMs: number;
  /** What goes wrong with the content of an answer. */
  readonly content?: 'cut' | 'corrupt' | undefined;
}

const NONE: FaultResult = {
  latencyMs: 0,
  error: undefined,
  dropAck: false,
  duplicate: false,
  reorderMs: 0,
};
const KINDS: readonly FaultKind[] = [
  'latency',
  'error',
  'drop-ack',
  'duplicate',
  'reorder',
  'cut',
  'corrupt',
];
const FIELDS = new Set(['kind', 'operation', 'resource', 'probability', 'times', 'latencyMs', 'code']);

/** Checks rules that came over the wire; throws a `TypeError` that names the rule and the field. */
export function parseFaultRules(value: unknown): FaultRule[] {
  if (!Array.isArray(value)) throw new TypeError('faults: expected an array of rules');
  return value.map((rule: unknown, index) => {
    if (typeof rule !== 'object' || rule === null)
      throw new TypeError(`faults[${index}]: expected an object`);
    const r = rule as Record<string, unknown>;
    for (const field of Object.keys(r)) {
      if (!FIELDS.has(field)) throw new TypeError(`faults[${index}].${field}: unknown field`);
    }
    if (!KINDS.includes(r['kind'] as FaultKind)) {
      throw new TypeError(`faults[${index}].kind: expected one of ${KINDS.join(', ')}`);
    }
    for (const field of ['probability', 'times', 'latencyMs']) {
      const n = r[field];
      if (n !== undefined && (typeof n !== 'number' || !(n >= 0))) {
        throw new TypeError(`faults[${index}].${field}: expected a number of at least 0`);
      }
    }
    return rule as FaultRule;
  });
}

/** The rules of one emulator. `random` is injected so that a simulation can replay a run. */
export class Faults {
  #rules: { rule: FaultRule; left: number }[] = [];
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  get rules(): readonly FaultRule[] {
    return this.#rules.map(({ rule, left }) => (left === Infinity ? rule : { ...rule, times: left }));
  }

  set(rules: readonly FaultRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, left: rule.times ?? Infinity }));
  }

  add(...rules: readonly FaultRule[]): void {
    this.#rules.push(...rules.map((rule) => ({ rule, left: rule.times ?? Infinity })));
  }

  clear(): void {
    this.#rules = [];
  }

  /** Decides, once per operation, what goes wrong with it. */
  hit(operation: string, resource: string): FaultResult {
    if (this.#rules.length === 0) return NONE;
    let { latencyMs, error, dropAck, duplicate, reorderMs, content } = NONE;
    for (const entry of this.#rules) {
      const { rule } = entry;
      if (entry.left <= 0) continue;
      if (rule.operation !== undefined && rule.operation !== '*' && rule.operation !== operation) continue;
      if (rule.resource !== undefined && rule.resource !== '*' && rule.resource !== resource) continue;
      if (rule.probability !== undefined && this.#random() >= rule.probability) continue;
      entry.left -= 1;
      switch (rule.kind) {
        case 'latency':
          latencyMs += rule.latencyMs ?? 0;
          break;
        case 'error':
          error ??= { code: rule.code };
          break;
        case 'drop-ack':
          dropAck = true;
          break;
        case 'duplicate':
          duplicate = true;
          break;
        case 'reorder':
          reorderMs = Math.max(reorderMs, rule.latencyMs ?? 0);
          break;
        case 'cut':
        case 'corrupt':
          content ??= rule.kind;
          break;
      }
    }
    this.#rules = this.#rules.filter((entry) => entry.left > 0);
    return { latencyMs, error, dropAck, duplicate, reorderMs, content };
  }
}
