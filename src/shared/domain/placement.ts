/**
 * From the declared `sites` of entities to where the protocol keeps a record (`replication/placement.ts`). What names a record
 * of such an entity, a claim of one of its values or an entry of the conflict log, is kept where the record is, and so is what
 * its contents take.
 */
import { canonicalJson } from '@tandem-clouds/replication/canonical-json';
import type { KeptAt } from '@tandem-clouds/replication/declared-places';
import { hashText } from '@tandem-clouds/replication/hash';
import type { Json } from '@tandem-clouds/replication/json';
import { own } from '@tandem-clouds/replication/own';
import { elementsOf } from '@tandem-clouds/replication/policies/set';
import { entityOf, idOf, partsOf, type RecordState } from '@tandem-clouds/replication/record';
import { CONFLICT, UNIQUE, USAGE } from '@tandem-clouds/replication/reserved';

/** Entity → the sites that keep its records. Entities that every site keeps are not in it. */
export type EntitySites = Readonly<Record<string, readonly string[]>>;

/** Undefined where every site keeps everything. */
export function placementOf(sites: EntitySites): KeptAt | undefined {
  if (Object.keys(sites).length === 0) return undefined;
  return Object.assign((key: string, state?: RecordState) => own(sites, subjectOf(key, state)), {
    declaration: hashText(canonicalJson(sites as Json)),
  });
}

/** The entity of the record that a key is about. */
function subjectOf(key: string, state: RecordState | undefined): string {
  const entity = entityOf(key);
  if (entity === CONFLICT) return entityOf(textOf(state?.fields['record']?.[1]));
  if (entity === USAGE) return idOf(key).split('.')[1] ?? entity;
  if (entity !== UNIQUE) return entity;
  const [, named] = idOf(key).split('.');
  // A claim that was made before the entity was kept at some sites says it by its record.
  return named ?? entityOf(textOf(state && recordOfClaim(state)));
}

function recordOfClaim(state: RecordState): unknown {
  const [claim] = elementsOf(partsOf(state, 'claims')) as readonly ({ readonly record?: unknown } | null)[];
  return claim?.record;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
