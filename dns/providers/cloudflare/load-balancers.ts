/**
 * Between the model's routed records and Cloudflare's load balancers. Pure.
 *
 * A name is a load balancer, a target is a pool, a check is a monitor. A load balancer changes in one request.
 */
import type {
  LoadBalancer,
  LoadBalancerCreateParams,
} from 'cloudflare/resources/load-balancers/load-balancers';
import { normalised, type Location, type RoutedRecord, type Strategy, type Target } from '../../model.ts';
import type { Foreign } from '../../provider.ts';
import { TTL_AUTO } from './dns-records.ts';
import { BARE } from './edge-rules.ts';
import { descriptionOf, poolKey, typeOf } from './pools.ts';

/** Regions of https://developers.cloudflare.com/load-balancing/reference/region-mapping-api/ in each continent. */
export const REGIONS: Readonly<Record<string, readonly string[]>> = {
  AF: ['NAF', 'SAF'],
  AS: ['ME', 'NEAS', 'SAS', 'SEAS'],
  EU: ['EEU', 'WEU'],
  NA: ['ENAM', 'WNAM'],
  OC: ['OC'],
  SA: ['NSAM', 'SSAM'],
};

const POLICY: Readonly<Record<Strategy, NonNullable<LoadBalancerCreateParams['steering_policy']>>> = {
  weighted: 'random',
  latency: 'dynamic_latency',
  geolocation: 'geo',
  failover: 'off',
};

export type NewBalancer = Omit<LoadBalancerCreateParams, 'account_id' | 'zone_id'>;

/** @param ids pool of each target, by `poolKey` */
export function toBalancer(
  record: RoutedRecord,
  ids: ReadonlyMap<string, string>,
  zone: string,
): NewBalancer {
  const id = (target: Target): string => ids.get(poolKey(target)) ?? '';
  const { strategy, targets, ttlSeconds } = record;
  const edge = record.edge !== undefined;
  const defaults =
    strategy === 'geolocation' ? targets.filter(({ location }) => location?.default === true) : targets;
  return {
    name: record.name,
    description: descriptionOf(zone),
    enabled: true,
    proxied: edge,
    ...(!edge && { ttl: ttlSeconds }),
    steering_policy: POLICY[strategy],
    default_pools: defaults.map(id),
    // Serves when nobody is healthy: whoever is preferred is then still the best guess.
    fallback_pool: id(preferred(record)),
    ...(strategy === 'weighted' && {
      random_steering: {
        default_weight: 0,
        pool_weights: Object.fromEntries(targets.map((target) => [id(target), (target.weight ?? 0) / 100])),
      },
    }),
    ...(strategy === 'geolocation' && {
      region_pools: pools(targets, id, ({ continents }) => continents.flatMap((code) => REGIONS[code] ?? [])),
      country_pools: pools(targets, id, ({ countries }) => countries),
    }),
  };
}

function preferred({ targets }: RoutedRecord): Target {
  const best = targets.reduce((a, b) => ((b.weight ?? 0) > (a.weight ?? 0) ? b : a));
  return targets.find(({ location }) => location?.default === true) ?? best;
}

function pools(
  targets: readonly Target[],
  id: (target: Target) => string,
  codes: (location: Location) => readonly string[],
): Record<string, string[]> {
  return Object.fromEntries(
    targets.flatMap((target) =>
      target.location ? codes(target.location).map((code): [string, string[]] => [code, [id(target)]]) : [],
    ),
  );
}

/** @param targets pool id → its target, or why the model cannot say it */
export function routedFrom(
  balancer: LoadBalancer,
  targets: ReadonlyMap<string, Target | string>,
): RoutedRecord | Foreign {
  const name = (balancer.name ?? '').toLowerCase();
  const foreign = (reason: string): Foreign => ({ name, type: 'CNAME', reason });
  const strategy = strategyOf(balancer);
  if (balancer.enabled === false) return foreign('a load balancer that is disabled');
  if (strategy === undefined) return foreign(`the steering policy '${balancer.steering_policy ?? ''}'`);
  const found: Target[] = [];
  for (const id of poolsOf(balancer)) {
    const target = targets.get(id) ?? `the pool ${id} is gone`;
    if (typeof target === 'string') return foreign(target);
    const location = strategy === 'geolocation' ? locationOf(balancer, id) : undefined;
    if (typeof location === 'string') return foreign(location);
    found.push({
      ...target,
      ...(strategy === 'weighted' && { weight: weightOf(balancer, id) }),
      ...(location && { location }),
    });
  }
  const types = new Set(found.flatMap(({ values }) => values.map(typeOf)));
  const [type] = types;
  if (type === undefined || types.size > 1) return foreign('pools of different kinds');
  const edge = balancer.proxied === true;
  const record: RoutedRecord = normalised({
    kind: 'routed',
    name,
    type,
    ttlSeconds: edge ? TTL_AUTO : (balancer.ttl ?? 30),
    strategy,
    targets: found,
    ...(edge && { edge: BARE }),
  });
  const deviations = deviationsOf(balancer, record, targets);
  return deviations.length === 0 ? record : { ...record, deviations };
}

/** What `toBalancer` would have made of the record, and is not so. */
function deviationsOf(
  { fallback_pool: fallback = '' }: LoadBalancer,
  record: RoutedRecord,
  targets: ReadonlyMap<string, Target | string>,
): readonly string[] {
  const target = targets.get(fallback);
  const site = typeof target === 'object' ? target.site : fallback;
  return site === preferred(record).site ? [] : [`when nobody is healthy: ${site}`];
}

function strategyOf({ steering_policy, region_pools, country_pools }: LoadBalancer): Strategy | undefined {
  const regional = Object.keys({ ...region_pools, ...country_pools }).length > 0;
  const policy =
    steering_policy === undefined || steering_policy === '' ? (regional ? 'geo' : 'off') : steering_policy;
  return (Object.keys(POLICY) as Strategy[]).find((strategy) => POLICY[strategy] === policy);
}

/** In the order of preference, each once. */
function poolsOf({
  default_pools = [],
  region_pools = {},
  country_pools = {},
}: LoadBalancer): readonly string[] {
  const lists = [...Object.values(region_pools), ...Object.values(country_pools)] as (readonly string[])[];
  return [...new Set([...default_pools, ...lists.flat()])];
}

function weightOf({ random_steering }: LoadBalancer, id: string): number {
  const { pool_weights = {}, default_weight = 1 } = random_steering ?? {};
  return Math.round((pool_weights[id] ?? default_weight) * 100);
}

function locationOf(balancer: LoadBalancer, id: string): Location | string {
  const { default_pools = [], region_pools = {}, country_pools = {} } = balancer;
  const codesOf = (lists: object): string[] =>
    Object.entries(lists as Record<string, readonly string[]>).flatMap(([code, ids]) =>
      ids[0] === id ? [code] : [],
    );
  const regions = codesOf(region_pools);
  const continents = Object.keys(REGIONS).filter((code) =>
    REGIONS[code]?.every((region) => regions.includes(region)),
  );
  const said = continents.flatMap((code) => REGIONS[code] ?? []);
  if (regions.some((region) => !said.includes(region))) return 'a part of a continent as a region';
  return { continents, countries: codesOf(country_pools), default: default_pools[0] === id };
}
