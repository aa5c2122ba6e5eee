/** What Cloudflare's API says of a zone, and what it means. Pure. */
import type { RecordResponse } from 'cloudflare/resources/dns/records';
import type { LoadBalancer } from 'cloudflare/resources/load-balancers/load-balancers';
import type { Monitor } from 'cloudflare/resources/load-balancers/monitors/monitors';
import type { Pool } from 'cloudflare/resources/load-balancers/pools/pools';
import type { HealthCheck, Target, ZoneRecord } from '../../model.ts';
import { sorted } from '../../policy/records.ts';
import type { LiveZone } from '../../provider.ts';
import { fromRecords } from './dns-records.ts';
import { edgeFrom, isOurs, PHASES, rulesOf, type LiveRule, type Rulesets } from './edge-rules.ts';
import { routedFrom } from './load-balancers.ts';
import { checkFrom, descriptionOf, targetFrom } from './pools.ts';

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
  const routed = raw.balancers.map((balancer) => routedFrom(balancer, targets));
  const records = [...plain.records, ...routed.flatMap((one) => ('reason' in one ? [] : [one]))];
  return {
    records: sorted(
      records.map((record) =>
        record.edge ? { ...record, edge: edgeFrom(record.name, raw.rulesets, raw.zone) } : record,
      ),
    ),
    foreign: [...plain.foreign, ...routed.flatMap((one) => ('reason' in one ? [one] : []))],
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
  const kept = refsOf(understood(raw).records, zone);
  const rules = PHASES.flatMap((phase) => rulesets[phase].rules).filter(isOurs);
  const said = JSON.stringify(balancers);
  const freePools = ours(pools, zone).filter(({ id = '' }) => !said.includes(id));
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
  const said = places.flatMap((place) => {
    const { healthy } = place as { healthy?: boolean };
    return healthy ?? [];
  });
  return said.length === 0 ? undefined : said.filter(Boolean).length * 2 > said.length;
}
