/**
 * The function of one file of custom routes: every handler that `npm run generate` writes below `src/handlers/routes` calls
 * this with the declaration and what is compiled for it, and does nothing else.
 */
import { v7 as uuidv7 } from 'uuid';
import { fetchClient } from './adapters/fetch-client.ts';
import type { Entity } from './domain/entity.ts';
import { EntityService } from './domain/entity-service.ts';
import type { Replica } from './domain/replica.ts';
import type { CustomRoutes } from './domain/routes/custom-routes.ts';
import type { OwnSite } from './domain/routes/route-records.ts';
import { forCallers } from './http/authentication.ts';
import { customRoutes, type OperationChecks } from './http/custom-routes.ts';
import { requireKnownSites } from './http/kept-elsewhere.ts';
import type { UsedEntity } from './http/route-records.ts';
import { invocationOf, openServices } from './open-services.ts';
import type { PaymentGateway } from './ports/payment-provider.ts';
import type { Services } from './ports/services.ts';
import { openLimits, openReplica, openRuntime, type Runtime, serve } from './runtime.ts';
import type { CompiledEntity } from './serve-entity.ts';
import { validate } from './validation/validate.ts';

export interface CompiledRoutes {
  /** By the name of the operation. */
  readonly operations: Readonly<Record<string, OperationChecks>>;
  /** Those that `uses.records` names. */
  readonly entities: readonly { readonly entity: Entity; readonly checks: CompiledEntity }[];
}

/** What is `openPayments` of `open-payments.ts`. */
type OpenPayments = (runtime: Runtime) => (services: Services) => PaymentGateway;

/**
 * What the platform calls.
 * @param openPayments For routes that use payments: no others have the SDK of a provider in their bundle.
 * @throws InvalidError that lists every mistake in the configuration.
 */
export function serveRoutes(
  routes: CustomRoutes,
  { operations, entities }: CompiledRoutes,
  openPayments?: OpenPayments,
): unknown {
  const runtime = openRuntime();
  const services = openServices(runtime);
  const replica = entities.length === 0 ? undefined : openRecords(runtime, routes, entities);
  const payments = routes.uses.payments === true ? openPayments?.(runtime) : undefined;
  const all = customRoutes(routes, {
    checks: operations,
    entities: replica === undefined ? [] : openEntities(runtime, routes, { compiled: entities, replica }),
    context: (request) => {
      const within = services.within(invocationOf(request));
      const context = {
        ...contextOf(routes, within, runtime.site.now()),
        ...(routes.uses.site === true && replica !== undefined && { site: ownSite(runtime, replica) }),
      };
      return payments === undefined ? context : withPayments(context, () => payments(within));
    },
  });
  return serve(runtime, forCallers(runtime.config, fetchClient, all, openLimits(runtime)));
}

function openRecords(
  runtime: Runtime,
  { uses: { records = {} } }: CustomRoutes,
  compiled: CompiledRoutes['entities'],
): Replica {
  for (const { entity } of compiled) requireKnownSites(entity, runtime.site);
  const written = compiled.filter(({ entity }) => records[entity.name] === 'write');
  return openReplica(
    runtime,
    written.map(({ entity }) => entity),
  );
}

function ownSite({ site: { site, peers } }: Runtime, replica: Replica): OwnSite {
  return { id: site, peers, run: (protocol) => replica.run(protocol) };
}

function openEntities(
  runtime: Runtime,
  { uses: { records = {} } }: CustomRoutes,
  { compiled, replica }: { readonly compiled: CompiledRoutes['entities']; readonly replica: Replica },
): readonly UsedEntity[] {
  return compiled.map(({ entity, checks }) => ({
    entity,
    checks,
    service: new EntityService(entity, replica, (fields) => validate(checks.stored, fields)),
    right: records[entity.name] ?? 'read',
    site: runtime.config.site,
  }));
}

/** What the declaration names, and nothing else. */
function contextOf({ name, uses }: CustomRoutes, services: Services, nowMs: number): object {
  const { log, metrics, secrets, http, config } = services;
  const settings = new Set(uses.settings);
  return {
    log,
    metrics,
    now: new Date(nowMs),
    newId: uuidv7,
    ...(uses.http === true && { http }),
    ...(uses.secrets !== undefined && { secrets: onlyNamed(name, secrets, new Set(uses.secrets)) }),
    ...(uses.settings !== undefined && {
      settings: Object.fromEntries(Object.entries(config).filter(([setting]) => settings.has(setting))),
    }),
  };
}

/** Whoever uses it where the site has no provider learns so, and nobody else. */
function withPayments(context: object, open: () => PaymentGateway): object {
  let opened: PaymentGateway | undefined;
  return Object.defineProperty(context, 'payments', {
    enumerable: true,
    get: () => (opened ??= open()),
  });
}

/** The vault of a site has one identity on Azure, so what is not declared is refused here, alike at both clouds. */
function onlyNamed(
  routes: string,
  secrets: Services['secrets'],
  named: ReadonlySet<string>,
): Services['secrets'] {
  const check = (secret: string): void => {
    if (!named.has(secret))
      throw new TypeError(`${routes} reads the secret ${secret}: declare it in uses.secrets`);
  };
  return {
    get: async (secret) => {
      check(secret);
      return secrets.get(secret);
    },
    refresh: async (secret, refused) => {
      check(secret);
      return secrets.refresh(secret, refused);
    },
  };
}
