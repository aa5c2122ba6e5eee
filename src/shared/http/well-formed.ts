/**
 * JSON can name what is no Unicode text: half of a surrogate pair (RFC 8259, section 8.2). Stores, queues and clients
 * differ in what they make of it, down to another character in its place, so it is refused (RFC 7493, section 2.1).
 */
import type { Failure } from '../errors.ts';

/** Enough to find the cause; an answer must not grow with what it is about. */
const FAILURES_MAX = 20;

/** The members whose name or value holds half of a surrogate pair; a bounded number of them. Any depth. */
export function malformedText(body: unknown): Failure[] {
  const failures: Failure[] = [];
  const open: { value: unknown; pointer: string }[] = [{ value: body, pointer: '' }];
  for (let next = open.pop(); next !== undefined && failures.length < FAILURES_MAX; next = open.pop()) {
    const { value, pointer } = next;
    if (typeof value === 'string') {
      if (!value.isWellFormed()) failures.push(failureAt(pointer, 'holds'));
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value).reverse()) {
        const below = `${pointer}/${name.toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')}`;
        if (!name.isWellFormed()) failures.push(failureAt(below, 'has a name with'));
        open.push({ value: member, pointer: below });
      }
    }
  }
  return failures;
}

function failureAt(pointer: string, verb: string): Failure {
  return { pointer, rule: 'unicode', detail: `${verb} half of a surrogate pair, which is no Unicode text` };
}
