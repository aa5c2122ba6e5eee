/** Whose e-mail address nobody else may have: an entity, declared as any other, and what the simulator does for who loses. */
import { digest } from '../../../../../src/shared/digest.ts';
import { defineEntity } from '../../../../../src/shared/domain/define-entity.ts';
import type { FieldChanges } from '../../../../../src/shared/domain/entity.ts';
import { reactionsOf, within } from '../../../../../src/shared/domain/reactions.ts';
import { uniqueValues } from '../../../../../src/shared/domain/unique/unique-values.ts';
import type { UniqueFields } from '../../../../../src/shared/domain/unique/write-unique.ts';

export const PERSON = 'person:';
export const EMAIL = 'email';

/** The simulator does the effects itself, at once and on virtual time. */
const simulated = (): Promise<never> => Promise.reject(new Error('the simulator does the effects'));

export const person = defineEntity({
  name: 'person',
  collection: 'people',
  idField: 'personId',
  description: 'Somebody with an e-mail address',
  required: [],
  fields: {
    email: { type: 'string', by: ['client', 'reaction'] },
    sharedWith: { type: 'string', by: 'reaction' },
  },
  unique: [EMAIL],
  onDuplicate: { run: simulated, lookup: simulated },
  example: {},
});

/** Readable in a trace: the values here need no digest to be safe in a key. */
const uniqueOf = uniqueValues([person], (text) => text.match(/[a-z]+/g)?.join('-') ?? '');

export const reactions = reactionsOf([person], digest, uniqueOf);
export const withinSite = within([person], digest, uniqueOf);

export function uniqueFieldsOf(key: string): Omit<UniqueFields, 'by'> {
  const unique = uniqueOf(key);
  if (unique === undefined) throw new TypeError(`${key} has no unique fields`);
  return unique;
}

/** Key of the reservation of an e-mail address. */
export function reservationOf(email: string): string {
  return uniqueFieldsOf(PERSON).reservationOf(EMAIL, email);
}

/** Some give up what they have lost, others only say so. */
export function changesOf(key: string, winner: string): FieldChanges {
  return key.charCodeAt(key.length - 1) % 2 === 0
    ? { email: null, sharedWith: winner }
    : { sharedWith: winner };
}
