/** Whose records they are, by what entities declare (`subject`), and what is left of a record that has to stay. */
import type { Subject, Subjects } from '@tandem-clouds/replication/anti-entropy/erase';
import { erase } from '@tandem-clouds/replication/policies/erased';
import { entityOf, idOf, plainValues, type StoredRecord } from '@tandem-clouds/replication/record';
import type { Entity } from '../entity.ts';

/** What stands for a person in a record that has to stay: the same in all of them, so that books still add up. */
export function pseudonymOf(id: string): string {
  return `erased-${id.slice(0, 16)}`;
}

/** Whether any entity says whose its records are. */
export function hasSubjects(entities: readonly Entity[]): boolean {
  return entities.some(({ subject }) => subject !== undefined);
}

/** @param named What names a person in what is kept of their erasure (`subject-id.ts`). */
export function subjectsOf(entities: readonly Entity[], named: (subject: string) => string): Subjects {
  const byName = new Map(entities.map((entity) => [entity.name, entity]));
  return {
    fieldOf: (name) => {
      const { subject, idField } = byName.get(name) ?? {};
      return subject?.field === idField ? undefined : subject?.field;
    },
    of: (record) => {
      const entity = byName.get(entityOf(record.key));
      const subject = entity && personOf(entity, record);
      return entity === undefined || subject === undefined
        ? undefined
        : whatIsErased(entity, record, named(subject));
    },
  };
}

/** Whose record it is, as its entity declares; undefined: nobody's. */
export function personOf({ subject, idField }: Entity, { key, state }: StoredRecord): string | undefined {
  if (subject === undefined) return undefined;
  if (subject.field === idField) return idOf(key);
  const value = plainValues(state)[subject.field];
  return typeof value === 'string' ? value : undefined;
}

function whatIsErased({ subject, idField }: Entity, record: StoredRecord, id: string): Subject {
  const { field = '', empties, when } = subject ?? {};
  const values = { ...plainValues(record.state), [idField]: idOf(record.key) };
  if (empties === undefined) return { id, isReady: when?.(values) ?? true };
  const emptied = Object.fromEntries(empties.map((each) => [each, erase()]));
  return { id, emptied: { ...emptied, [field]: erase(pseudonymOf(id)) }, isReady: when?.(values) ?? true };
}
