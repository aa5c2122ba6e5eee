/**
 * The function of one entity: every handler that `npm run generate` writes below `src/handlers/entities` calls this with the
 * entity and its compiled schemas, and does nothing else.
 */
import type { ValidateFunction } from 'ajv';
import { fetchClient } from './adapters/fetch-client.ts';
import { sharedCache } from './domain/caching/keys.ts';
import { ContentAccounts } from './domain/content-accounts.ts';
import type { ContentStorage } from './domain/content-storage.ts';
import type { Entity } from './domain/entity.ts';
import { EntityService } from './domain/entity-service.ts';
import { forCallers } from './http/authentication.ts';
import { ContentRequests } from './http/content-requests.ts';
import { type EntityChecks, entityRoutes } from './http/entity-routes.ts';
import { keptElsewhere, requireKnownSites } from './http/kept-elsewhere.ts';
import type { Route } from './http/route.ts';
import { openLimits, openReplica, openRuntime, type Runtime, serve } from './runtime.ts';
import { validate } from './validation/validate.ts';

/** The compiled schemas of an entity, as `generated/validators.js` has them. */
export interface CompiledEntity extends EntityChecks {
  /** Of fields as they are stored: `<name>Stored`. */
  readonly stored: ValidateFunction;
}

/**
 * What the platform calls.
 * @param openContent `openContent` of `open-content.ts`, for an entity with content: no other one has a storage in its bundle.
 * @throws InvalidError that lists every mistake in the configuration, or sites that are none.
 */
export function serveEntity(
  entity: Entity,
  checks: CompiledEntity,
  openContent?: (runtime: Runtime) => ContentStorage,
): unknown {
  const runtime = openRuntime();
  requireKnownSites(entity, runtime.site);
  // What a shared cache in front of this site keeps is of the store: one cache must not pass on what another one had missed.
  const isCached = runtime.config.cdn === undefined || sharedCache(entity) === undefined;
  const replica = openReplica(runtime, [entity], { isCached });
  const service = new EntityService(entity, replica, (fields) => validate(checks.stored, fields));
  const content =
    entity.content === undefined || openContent === undefined
      ? undefined
      : new ContentRequests(entity, entity.content, {
          storage: openContent(runtime),
          accounts: new ContentAccounts(entity, replica),
          find: (key) => replica.read(key, [], undefined, true),
        });
  const { site } = runtime.config;
  const routes = keptElsewhere(entity, site, entityRoutes(entity, service, checks, content));
  const all = [...routes, ...aliasRoutes(entity, routes)];
  return serve(runtime, forCallers(runtime.config, fetchClient, all, openLimits(runtime)));
}

/** An alias is another path of the creation, and of nothing else. */
function aliasRoutes({ aliases, collection }: Entity, routes: readonly Route[]): Route[] {
  const creations = routes.filter(({ method, path }) => method === 'POST' && path === `/${collection}`);
  return aliases.flatMap((path) => creations.map((route) => ({ ...route, path })));
}
