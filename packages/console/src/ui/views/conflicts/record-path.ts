/** Where a record is read that is known by its key. Pure. */
import type { EntityFacts } from '../../../server/entities.ts';

/** The path at a site, or why there is none. */
export function recordPath(
  key: string,
  places: readonly Pick<EntityFacts, 'name' | 'collection' | 'hasTenants'>[],
): { readonly path: string } | { readonly why: string } {
  const colon = key.indexOf(':');
  const place = places.find(({ name }) => name === key.slice(0, colon));
  if (place === undefined) return { why: 'Its entity is not of this release.' };
  if (place.hasTenants) return { why: 'It is of a tenant, who is not named in its key.' };
  return { path: `${place.collection}/${encodeURIComponent(key.slice(colon + 1))}` };
}
