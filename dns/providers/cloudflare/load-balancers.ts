/**
 * Between the model's routed records and Cloudflare's load balancers. Pure.
 *
 * A name is a load balancer, a route of it is a rule, a target is a pool, a check is a monitor. A load balancer changes in
 * one request.
 */
import type {
  LoadBalancer,
  LoadBalancerCreateParams,
  Rules,
} from 'cloudflare/resources/load-balancers/load-balancers';
import { normalised, type Route, type RoutedRecord, type Target } from '@tandem-clouds/zone/model';
import { lowerCase } from '../../policy/records.ts';
import type { Foreign } from '../../provider.ts';
import { TTL_AUTO } from './dns-records.ts';
import { BARE } from './edge-rules.ts';
import { descriptionOf, typeOf } from './pools.ts';
import { deviationsOf, sharingFrom, type Steering, toSteering } from './steering.ts';

export type NewBalancer = Omit<LoadBalancerCreateParams, 'account_id' | 'zone_id'>;

/** What a load balancer that is changed in place must not keep of another way to share. */
export const CLEARED = { region_pools: {}, country_pools: {}, rules: [] };

/** @param ids pool of each target, by `poolKey` */
export function toBalancer(
  record: RoutedRecord,
  ids: ReadonlyMap<string, string>,
  zone: string,
): NewBalancer {
  const { ttlSeconds, routes } = record;
  const edge = record.edge !== undefined;
  return {
    name: record.name,
    description: descriptionOf(zone),
    enabled: true,
    proxied: edge,
    ...(!edge && { ttl: ttlSeconds }),
    ...toSteering(record, ids),
    ...(routes && {
      rules: routes.map((route, index) => ({
        name: `tandem ${route.path}`,
        condition: conditionOf(route.path),
        priority: index,
        terminates: true,
        overrides: toSteering(route, ids),
      })),
    }),
  };
}

/**
 * The path and what is below it. Fields:
 * https://developers.cloudflare.com/load-balancing/additional-options/load-balancing-rules/reference/
 */
function conditionOf(path: string): string {
  return `http.request.uri.path eq "${path}" or starts_with(http.request.uri.path, "${path}/")`;
}

/** @param targets pool id → its target, or why the model cannot say it */
export function routedFrom(
  balancer: LoadBalancer,
  targets: ReadonlyMap<string, Target | string>,
  zone: string,
): RoutedRecord | Foreign {
  const name = lowerCase(balancer.name ?? '');
  const foreign = (reason: string): Foreign => ({ name, type: 'CNAME', reason, alsoTypes: ['A', 'AAAA'] });
  if (balancer.enabled === false) return foreign('a load balancer that is disabled');
  const sharing = sharingFrom(balancer, targets);
  if (typeof sharing === 'string') return foreign(sharing);
  const routes = routesFrom(balancer.rules ?? [], targets);
  if (typeof routes === 'string') return foreign(routes);
  const all = [sharing, ...routes].flatMap((one) => one.targets);
  const types = new Set(all.flatMap(({ values }) => values.map(typeOf)));
  const [type] = types;
  if (type === undefined || types.size > 1) return foreign('pools of different kinds');
  const edge = balancer.proxied === true;
  const record: RoutedRecord = normalised({
    kind: 'routed',
    name,
    type,
    ttlSeconds: edge ? TTL_AUTO : (balancer.ttl ?? 30),
    ...sharing,
    ...(edge && { edge: BARE }),
    ...(routes.length > 0 && { routes }),
  });
  const paths = (of: RoutedRecord['routes']): string => (of ?? []).map(({ path }) => path).join(', ');
  const deviations = [
    ...(paths(routes) === paths(record.routes) ? [] : [`paths in the order ${paths(routes)}`]),
    ...deviationsOf(balancer, record, targets),
    ...(record.routes ?? []).flatMap((route) =>
      deviationsOf(steeringOf(balancer, route), route, targets).map((one) => `path ${route.path}: ${one}`),
    ),
  ];
  if (deviations.length === 0) return record;
  const bent = { ...record, deviations };
  // What we made is set right; what somebody else made is theirs.
  return balancer.description === descriptionOf(zone)
    ? bent
    : { name, type, reason: deviations.join('; '), record: bent };
}

/** A rule of any other form is not ours, and the load balancer as a whole is then left alone. */
function routesFrom(
  rules: readonly Rules[],
  targets: ReadonlyMap<string, Target | string>,
): readonly Route[] | string {
  const routes: Route[] = [];
  const ordered = rules.toSorted((a, b) => (a.priority ?? 0) - (b.priority ?? 0));
  for (const { name = '', condition = '', disabled, overrides, terminates } of ordered) {
    const path = /^http\.request\.uri\.path eq "([^"]+)" /.exec(condition)?.[1] ?? '';
    if (
      overrides === undefined ||
      disabled === true ||
      terminates !== true ||
      condition !== conditionOf(path)
    ) {
      return `the rule '${name}', which is not for a path and what is below it`;
    }
    const sharing = sharingFrom(overrides, targets);
    if (typeof sharing === 'string') return sharing;
    routes.push({ path, ...sharing });
  }
  return routes;
}

function steeringOf({ rules = [] }: LoadBalancer, { path }: Route): Steering {
  const rule = rules.find(({ condition }) => condition === conditionOf(path));
  return rule?.overrides ?? {};
}
