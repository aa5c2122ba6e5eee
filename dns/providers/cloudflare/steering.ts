/**
 * Between how targets share traffic, and how Cloudflare steers it to pools: for a load balancer as a whole, and for those
 * of its requests that a rule is for. Pure.
 */
import type {
  LoadBalancer,
  LoadBalancerCreateParams,
} from 'cloudflare/resources/load-balancers/load-balancers';
import { own } from '@tandem-clouds/command-line/own';
import type { Location, Sharing, Strategy, Target } from '@tandem-clouds/zone/model';
import { poolKey } from './pools.ts';

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

/** What a load balancer and the overrides of a rule have in common. */
export type Steering = Pick<
  LoadBalancer,
  'country_pools' | 'default_pools' | 'fallback_pool' | 'random_steering' | 'region_pools' | 'steering_policy'
>;

/** @param ids pool of each target, by `poolKey` */
export function toSteering(sharing: Sharing, ids: ReadonlyMap<string, string>) {
  const id = (target: Target): string => ids.get(poolKey(target)) ?? '';
  const { strategy, targets } = sharing;
  const defaults =
    strategy === 'geolocation' ? targets.filter(({ location }) => location?.default === true) : targets;
  return {
    steering_policy: POLICY[strategy],
    default_pools: defaults.map(id),
    // Serves when nobody is healthy: whoever is preferred is then still the best guess.
    fallback_pool: id(preferred(sharing)),
    ...(strategy === 'weighted' && {
      random_steering: {
        default_weight: 0,
        pool_weights: Object.fromEntries(targets.map((target) => [id(target), (target.weight ?? 0) / 100])),
      },
    }),
    ...(strategy === 'geolocation' && {
      region_pools: pools(targets, id, ({ continents }) =>
        continents.flatMap((code) => own(REGIONS, code) ?? []),
      ),
      country_pools: pools(targets, id, ({ countries }) => countries),
    }),
  };
}

function preferred({ targets }: Sharing): Target {
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

/**
 * How traffic is shared, or why the model cannot say it.
 * @param targets pool id → its target, or why the model cannot say it
 */
export function sharingFrom(
  steering: Steering,
  targets: ReadonlyMap<string, Target | string>,
): Sharing | string {
  const strategy = strategyOf(steering);
  if (strategy === undefined) return `the steering policy '${steering.steering_policy ?? ''}'`;
  const found: Target[] = [];
  for (const id of poolsOf(steering)) {
    const target = targets.get(id) ?? `the pool ${id} is gone`;
    if (typeof target === 'string') return target;
    const location = strategy === 'geolocation' ? locationOf(steering, id) : undefined;
    if (typeof location === 'string') return location;
    const weight = strategy === 'weighted' ? weightOf(steering, id) : undefined;
    if (weight !== undefined && !Number.isInteger(weight)) return 'a weight between two whole percents';
    found.push({
      ...target,
      ...(weight !== undefined && { weight }),
      ...(location && { location }),
    });
  }
  return { strategy, targets: found };
}

/** What `toSteering` would have made of this (normalised) sharing, and is not so. */
export function deviationsOf(
  { fallback_pool: fallback = '' }: Steering,
  sharing: Sharing,
  targets: ReadonlyMap<string, Target | string>,
): readonly string[] {
  const target = targets.get(fallback);
  const site = typeof target === 'object' ? target.site : fallback;
  return site === preferred(sharing).site ? [] : [`when nobody is healthy: ${site}`];
}

function strategyOf({ steering_policy, region_pools, country_pools }: Steering): Strategy | undefined {
  const regional = Object.keys({ ...region_pools, ...country_pools }).length > 0;
  const policy =
    steering_policy === undefined || steering_policy === '' ? (regional ? 'geo' : 'off') : steering_policy;
  return (Object.keys(POLICY) as Strategy[]).find((strategy) => POLICY[strategy] === policy);
}

/** In the order of preference, each once. */
function poolsOf({ default_pools = [], region_pools = {}, country_pools = {} }: Steering): readonly string[] {
  const lists = [...Object.values(region_pools), ...Object.values(country_pools)] as (readonly string[])[];
  return [...new Set([...default_pools, ...lists.flat()])];
}

function weightOf({ random_steering }: Steering, id: string): number {
  const { pool_weights = {}, default_weight = 1 } = random_steering ?? {};
  const percent = (own(pool_weights as Record<string, number>, id) ?? default_weight) * 100;
  const whole = Math.round(percent);
  // 0.29 * 100 is not 29 in binary.
  return Math.abs(percent - whole) < 1e-9 ? whole : percent;
}

function locationOf(balancer: Steering, id: string): Location | string {
  const { default_pools = [], region_pools = {}, country_pools = {} } = balancer;
  const codesOf = (lists: object): string[] =>
    Object.entries(lists as Record<string, readonly string[]>).flatMap(([code, ids]) =>
      ids[0] === id ? [code] : [],
    );
  const regions = codesOf(region_pools);
  const continents = Object.keys(REGIONS).filter((code) =>
    REGIONS[code]?.every((region) => regions.includes(region)),
  );
  const reported = continents.flatMap((code) => REGIONS[code] ?? []);
  if (regions.some((region) => !reported.includes(region))) return 'a part of a continent as a region';
  return { continents, countries: codesOf(country_pools), default: default_pools[0] === id };
}
