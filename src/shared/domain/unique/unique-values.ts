/** Which fields of a record are unique, and where each of their values is reserved. */
import { canonicalJson } from '@tandem-clouds/replication/canonical-json';
import { entityOf } from '@tandem-clouds/replication/record';
import { type Entity, recordIdOf } from '../entity.ts';
import { reservationKey } from './reservation.ts';
import type { UniqueFields } from './write-unique.ts';

/** Of the key of a record; undefined where it has no unique fields. */
export type UniqueOf = (key: string) => Omit<UniqueFields, 'by'> | undefined;

/**
 * @param sha256 In hexadecimal. Not a faster digest: who could make two values collide could take another's.
 */
export function uniqueValues(entities: readonly Entity[], sha256: (text: string) => string): UniqueOf {
  const byName = new Map(entities.map((entity) => [entity.name, entity]));
  return (key) => {
    const entity = byName.get(entityOf(key));
    if (entity === undefined || entity.unique.length === 0) return undefined;
    // The entity, and the tenant where there are some: a value is unique within a tenant.
    const prefix = key.slice(0, key.length - recordIdOf(entity, key).length);
    return {
      names: entity.unique,
      // A digest says something to whoever tries values, so it is kept where the record is (`placement.ts`).
      reservationOf: (field, value) =>
        reservationKey(
          `${sha256(canonicalJson([prefix, field, value]))}${entity.sites ? `.${entity.name}` : ''}`,
        ),
    };
  };
}
