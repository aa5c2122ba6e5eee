/** Makes the pools and monitors that a change needs, before a load balancer points to them. */
import { checkKey, type HealthCheck, type Target } from '@tandem-clouds/zone/model';
import type { Connection } from './client.ts';
import { checkFrom, poolKey, toMonitor, toPool } from './pools.ts';
import { ours, type Raw, targetsOf } from './raw.ts';

/** Pool of each target that the changes need, by `poolKey`. */
export async function ensurePools(
  { client, query }: Connection,
  targets: readonly Target[],
  raw: Raw,
  zone: string,
): Promise<ReadonlyMap<string, string>> {
  const account = { account_id: raw.accountId };
  const known = targetsOf(raw);
  const ids = new Map(
    ours(raw.pools, zone).flatMap(({ id = '' }): [string, string][] => {
      const target = known.get(id);
      return typeof target === 'object' ? [[poolKey(target), id]] : [];
    }),
  );
  const monitors = new Map(
    ours(raw.monitors, zone).flatMap((monitor): [string, string][] => {
      const check = checkFrom(monitor);
      return check ? [[checkKey(check), monitor.id ?? '']] : [];
    }),
  );
  const monitorFor = async (check: HealthCheck): Promise<string> => {
    const present = monitors.get(checkKey(check));
    if (present !== undefined) return present;
    const body = { ...account, ...toMonitor(check, zone) };
    const { id = '' } = await query(async () => client.loadBalancers.monitors.create(body));
    monitors.set(checkKey(check), id);
    return id;
  };
  for (const target of targets) {
    if (ids.has(poolKey(target))) continue;
    const monitor = target.check && (await monitorFor(target.check));
    const body = { ...account, ...toPool(target, zone, monitor) };
    const { id = '' } = await query(async () => client.loadBalancers.pools.create(body));
    ids.set(poolKey(target), id);
  }
  return ids;
}
