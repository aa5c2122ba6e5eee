/** Whose records the simulator's clients write, and what is erased of them: users as a whole, orders by field. */
import { createHash } from 'node:crypto';
import type { Subject, Subjects } from '@tandem-clouds/replication/anti-entropy/erase';
import { erase } from '@tandem-clouds/replication/policies/erased';
import { entityOf, idOf, plainValues, type StoredRecord } from '@tandem-clouds/replication/record';

export const PEOPLE = ['ada', 'bob', 'cyd', 'dot'] as const;
/** An order in this state is still needed as it is. */
export const PAYING = 'paying';

/** In production a keyed hash. */
export function subjectId(person: string): string {
  return createHash('sha256').update(person).digest('hex').slice(0, 16);
}

/** Whose it is: a user's id names the person, `ada-1`; an order says its customer. */
export function personOf({ key, state }: StoredRecord): string | undefined {
  if (entityOf(key) === 'user') return idOf(key).split('-')[0];
  const { customer } = entityOf(key) === 'order' ? plainValues(state) : {};
  return typeof customer === 'string' ? customer : undefined;
}

function subjectOf(record: StoredRecord): Subject | undefined {
  const person = personOf(record);
  if (person === undefined) return undefined;
  const id = subjectId(person);
  if (entityOf(record.key) === 'user') return { id, isReady: true };
  const emptied = { customer: erase(`erased-${id}`), email: erase(), address: erase() };
  return { id, emptied, isReady: plainValues(record.state)['status'] !== PAYING };
}

export const subjects: Subjects = {
  of: subjectOf,
  fieldOf: (entity) => (entity === 'order' ? 'customer' : undefined),
};
