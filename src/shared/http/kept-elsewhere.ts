/** What a site answers about an entity whose records it does not keep: nothing of its own, on any route. */
import { NotKeptHereError } from '@tandem-clouds/replication/errors';
import type { Site } from '@tandem-clouds/replication/protocol';
import type { Entity } from '../domain/entity.ts';
import { type Failure, InvalidError } from '../errors.ts';
import type { Route } from './route.ts';

/** @throws NotKeptHereError */
export function requireKept({ name, sites }: Pick<Entity, 'name' | 'sites'>, site: string): void {
  if (sites?.includes(site) === false)
    throw new NotKeptHereError(`records of ${name} are kept at ${sites.join(', ')} only`, sites);
}

/** The routes of an entity at a site: as they are, or each sent to a site that keeps it, before its body is read. */
export function keptElsewhere(
  entity: Pick<Entity, 'name' | 'sites'>,
  site: string,
  routes: readonly Route[],
): readonly Route[] {
  if (entity.sites?.includes(site) !== false) return routes;
  return routes.map(({ method, path }) => ({
    method,
    path,
    handle() {
      requireKept(entity, site);
      return { status: 204 };
    },
  }));
}

/**
 * A site that nobody knows is a misspelt one: its records would be nowhere.
 * @throws InvalidError that names each
 */
export function requireKnownSites(
  { name, sites = [], writes }: Pick<Entity, 'name' | 'sites' | 'writes'>,
  { site, peers, retired = [] }: Pick<Site, 'site' | 'peers' | 'retired'>,
): void {
  const known = [site, ...peers, ...retired];
  const named = [...sites, ...(writes === undefined || sites.includes(writes) ? [] : [writes])];
  const failures = named.flatMap((each): Failure[] =>
    known.includes(each)
      ? []
      : [
          {
            pointer: `/${name}/${sites.includes(each) ? 'sites' : 'writes'}`,
            rule: 'site',
            detail: `${each} is none of ${known.join(', ')}: name it in TANDEM_PEERS or TANDEM_RETIRED_SITES, or mend the declaration`,
          },
        ],
  );
  if (failures.length === 0) return;
  throw new InvalidError(`${name}: ${failures.map(({ detail }) => detail).join('; ')}`, failures);
}
