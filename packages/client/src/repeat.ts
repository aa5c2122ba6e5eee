/**
 * Where a request may be sent again when nobody can say whether it took effect.
 *
 * Invariant: what is sent to a second site has one effect when both sites have taken it. A site knows the keys of the
 * other only once the record has crossed, so that must follow from how the effects merge:
 *
 * - a creation without an id gets one from its key, the same at every site; with an id it names the same record;
 * - a replacement, a patch of plain fields and `{ add, remove }` set the same values at both, which merge to them;
 * - deleting twice is deleting once;
 * - two `{ increment }` both count, so an increment stays at its site, where its key is known at once;
 * - what an action or a custom route does, only the contract says (`x-tandem-repeat`, which is derived from what an action
 *   may write, or declared); without it, or with `here`, it stays as well;
 * - a precondition is true of what one site holds; elsewhere it would be another one.
 */
import type { OperationFacts } from './operation-facts.ts';

/** `elsewhere`: at any site. `here`: at the same site, under the same key. `never`. */
export type Repeat = 'elsewhere' | 'here' | 'never';

export interface Repeatable {
  readonly method: string;
  /** As it is sent: undefined without a body. */
  readonly body: unknown;
  readonly headers: Headers;
  /** What the contract says; undefined for a path that it does not have. */
  readonly facts: OperationFacts | undefined;
}

export function repeatOf({ method, body, headers, facts }: Repeatable): Repeat {
  if (isRead(method)) return 'elsewhere';
  const isConditional = headers.has('if-match') || headers.has('if-none-match');
  if (method === 'DELETE')
    return facts?.idempotent === true ? (isConditional ? 'here' : 'elsewhere') : 'never';
  if (facts?.keyed !== true || !headers.has('idempotency-key')) return 'never';
  if (isConditional) return 'here';
  if (method === 'PATCH') return counts(body) ? 'here' : (facts.repeat ?? 'elsewhere');
  return facts.repeat ?? 'here';
}

export function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/**
 * Whether a change holds an increment. An object that looks like one and is none stays at its site as well: that costs an
 * `OutcomeUnknown` now and then, the other mistake would count twice.
 */
function counts(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return true;
  return Object.values(body).some(
    (value: unknown) => typeof value === 'object' && value !== null && Object.hasOwn(value, 'increment'),
  );
}
