/** What Cloudflare's API says of a zone, and what it means. Pure. */
import type { RecordResponse } from 'cloudflare/resources/dns/records';
import type { LoadBalancer } from 'cloudflare/resources/load-balancers/load-balancers';
import type { Monitor } from 'cloudflare/resources/load-balancers/monitors/monitors';
import type { Pool } from 'cloudflare/resources/load-balancers/pools/pools';
import type { HealthCheck, Target, ZoneRecord } from '@tandem-clouds/zone/model';
import { sorted } from '../../policy/records.ts';
import type { Foreign, LiveZone } from '../../provider.ts';
import { fromRecords } from './dns-records.ts';
import { edgeFrom, isOurs, type LiveRule, PHASES, refsFor, type Rulesets, rulesOf } from './edge-rules.ts';
import { routedFrom } from './load-balancers.ts';
import { checkFrom, descriptionOf, poolKey, targetFrom } from './pools.ts';

/** A load balancer goes before these at its name: https://developers.cloudflare.com/load-balancing/load-balancers/dns-records/ */
const ADDRESS_TYPES: readonly string[] = ['A', 'AAAA', 'CNAME'];

/** What the API says, as it is. */
export interface Raw {
  readonly zone: string;
  readonly zoneId: string;
  readonly accountId: string;
  readonly records: readonly RecordResponse[];
  readonly balancers: readonly LoadBalancer[];
  readonly pools: readonly Pool[];
  readonly monitors: readonly Monitor[];
  readonly rulesets: Rulesets;
}

/** Records as the model says them, and what it cannot say. */
export function understood(raw: Raw): Pick<LiveZone, 'foreign' | 'records'> {
  const plain = fromRecords(raw.records);
  const targets = targetsOf(raw);
  const routed = raw.balancers.map((balancer) => routedFrom(balancer, targets, raw.zone));
  const balanced = new Set(routed.map(({ name }) => name));
  const isHidden = ({ name, type }: ZoneRecord): boolean =>
    balanced.has(name) && ADDRESS_TYPES.includes(type);
  const records = [
    ...plain.records.filter((record) => !isHidden(record)),
    ...routed.flatMap((one) => ('reason' in one ? [] : [one])),
  ];
  const hidden = plain.records.filter(isHidden).map((record): Foreign => {
    const { name, type } = record;
    return { name, type, reason: 'hidden by the load balancer of the same name', record };
  });
  return {
    records: sorted(
      records.map((record) =>
        record.edge ? { ...record, edge: edgeFrom(record.name, raw.rulesets, raw.zone) } : record,
      ),
    ),
    foreign: [...plain.foreign, ...hidden, ...routed.flatMap((one) => ('reason' in one ? [one] : []))],
  };
}

/** Monitor id → what it asks, or undefined when the model cannot say it. */
export function checksOf({ monitors }: Raw): ReadonlyMap<string, HealthCheck | undefined> {
  return new Map(monitors.map((monitor) => [monitor.id ?? '', checkFrom(monitor)]));
}

/** Pool id → its target, or why the model cannot say it. */
export function targetsOf(raw: Raw): ReadonlyMap<string, Target | string> {
  const checks = checksOf(raw);
  return new Map(raw.pools.map((pool) => [pool.id ?? '', targetFrom(pool, checks)]));
}

/** The pools that a load balancer uses already, by `poolKey`: also one that somebody else made serves on. */
export function poolsOf(balancer: LoadBalancer, raw: Raw): ReadonlyMap<string, string> {
  const reported = JSON.stringify(balancer);
  return new Map(
    [...targetsOf(raw)].flatMap(([id, target]): [string, string][] =>
      typeof target === 'object' && id !== '' && reported.includes(id) ? [[poolKey(target), id]] : [],
    ),
  );
}

/** What we made for this zone. */
export function ours<T extends { description?: string }>(things: readonly T[], zone: string): readonly T[] {
  const mark = descriptionOf(zone);
  return things.filter(({ description = '' }) => description === mark || description.startsWith(`${mark} `));
}

/** Of ours, what no load balancer and no name behind the edge needs. */
export function unused(raw: Raw): {
  pools: readonly Pool[];
  monitors: readonly Monitor[];
  rules: readonly LiveRule[];
} {
  const { zone, balancers, pools, monitors, rulesets } = raw;
  const { records, foreign } = understood(raw);
  // What the rules do for a name that cannot be read, nobody knows.
  const kept = new Set([...refsOf(records, zone), ...foreign.flatMap(({ name }) => refsFor(name))]);
  const rules = PHASES.flatMap((phase) => rulesets[phase].rules).filter(isOurs);
  const reported = JSON.stringify(balancers);
  const freePools = ours(pools, zone).filter(({ id = '' }) => !reported.includes(id));
  const needed = new Set(pools.filter((pool) => !freePools.includes(pool)).map(({ monitor }) => monitor));
  return {
    pools: freePools,
    monitors: ours(monitors, zone).filter(({ id }) => !needed.has(id)),
    rules: rules.filter(({ ref = '' }) => !kept.has(ref)),
  };
}

/** Of the rules that the edge of these records needs. */
export function refsOf(records: readonly ZoneRecord[], zone: string): ReadonlySet<string> {
  return new Set(
    records.flatMap(({ name, edge }) => (edge ? rulesOf(name, edge, zone).map(([, { ref }]) => ref) : [])),
  );
}

/** By the majority of the places that have asked; undefined when none has. The API answers with a map of places. */
export function isHealthy(health: unknown): boolean | undefined {
  if (typeof health !== 'object' || health === null) return undefined;
  const places = 'healthy' in health ? [health] : Object.values(health);
  const reported = places.flatMap((place) => {
    const { healthy } = place as { healthy?: boolean };
    return healthy ?? [];
  });
  return reported.length === 0 ? undefined : reported.filter(Boolean).length * 2 > reported.length;
}
