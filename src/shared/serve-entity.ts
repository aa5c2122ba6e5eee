/**
 * The function of one entity: every handler that `npm run generate` writes below `src/handlers/entities` calls this with the
 * entity and its compiled schemas, and does nothing else.
 */
import type { ValidateFunction } from 'ajv';
import { fetchClient } from './adapters/fetch-client.ts';
import type { Entity } from './domain/entity.ts';
import { EntityService } from './domain/entity-service.ts';
import { forCallers } from './http/authentication.ts';
import { type EntityChecks, entityRoutes } from './http/entity-routes.ts';
import { keptElsewhere, requireKnownSites } from './http/kept-elsewhere.ts';
import type { Route } from './http/route.ts';
import { openLimits, openReplica, openRuntime, serve } from './runtime.ts';
import { validate } from './validation/validate.ts';

/** The compiled schemas of an entity, as `generated/validators.js` has them. */
export interface CompiledEntity extends EntityChecks {
  /** Of fields as they are stored: `<name>Stored`. */
  readonly stored: ValidateFunction;
}

/** What the platform calls. @throws InvalidError that lists every mistake in the configuration, or sites that are none. */
export function serveEntity(entity: Entity, checks: CompiledEntity): unknown {
  const runtime = openRuntime();
  requireKnownSites(entity, runtime.site);
  const service = new EntityService(entity, openReplica(runtime, [entity]), (fields) =>
    validate(checks.stored, fields),
  );
  const routes = keptElsewhere(entity, runtime.config.site, entityRoutes(entity, service, checks));
  const all = [...routes, ...aliasRoutes(entity, routes)];
  return serve(runtime, forCallers(runtime.config, fetchClient, all, openLimits(runtime)));
}

/** An alias is another path of the creation, and of nothing else. */
function aliasRoutes({ aliases, collection }: Entity, routes: readonly Route[]): Route[] {
  const creations = routes.filter(({ method, path }) => method === 'POST' && path === `/${collection}`);
  return aliases.flatMap((path) => creations.map((route) => ({ ...route, path })));
}
