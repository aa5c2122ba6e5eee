/**
 * Between the model's targets and checks, and Cloudflare's pools and monitors. Pure.
 *
 * Pools and monitors are never changed: another target is another pool, made before the load balancer points to it. The
 * old ones are leftovers after.
 */
import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import type { Monitor, MonitorCreateParams } from 'cloudflare/resources/load-balancers/monitors/monitors';
import type { Pool, PoolCreateParams } from 'cloudflare/resources/load-balancers/pools/pools';
import { canonical, type HealthCheck, type RoutedType, type Target } from '@tandem-clouds/zone/model';

/** A check waits for an answer at most so long, and less than its interval. */
const TIMEOUT_SECONDS = 5;

/** Marks what is ours, and says to whom it belongs. */
export function descriptionOf(zone: string): string {
  return `tandem ${zone}`;
}

/** Which site a pool is for, and with which values and check. */
export function poolKey({ site, values, check }: Target): string {
  return canonical({ site, values, check });
}

export type NewMonitor = Omit<MonitorCreateParams, 'account_id'>;
export type NewPool = Omit<PoolCreateParams, 'account_id'>;

export function toMonitor(check: HealthCheck, zone: string): NewMonitor {
  const { protocol, host, port, path, intervalSeconds, failureThreshold } = check;
  return {
    type: protocol,
    description: descriptionOf(zone),
    method: 'GET',
    path,
    port,
    header: { Host: [host] },
    interval: intervalSeconds,
    timeout: Math.min(TIMEOUT_SECONDS, Math.max(1, intervalSeconds - 1)),
    retries: 0,
    consecutive_down: failureThreshold,
    consecutive_up: failureThreshold,
    expected_codes: '2xx',
    follow_redirects: false,
  };
}

export function checkFrom(monitor: Monitor): HealthCheck | undefined {
  const { type, path = '/', port, header, interval = 60, consecutive_down: down = 0 } = monitor;
  const [host] = header?.['Host'] ?? [];
  const own = port ?? 0;
  if ((type !== 'http' && type !== 'https') || host === undefined) return undefined;
  return {
    protocol: type,
    host,
    // The API answers 0 or null for the usual one.
    port: own === 0 ? (type === 'http' ? 80 : 443) : own,
    path,
    intervalSeconds: interval,
    failureThreshold: Math.max(1, down),
  };
}

export function toPool(target: Target, zone: string, monitor: string | undefined): NewPool {
  const digest = createHash('sha256')
    .update(`${zone} ${poolKey(target)}`)
    .digest('hex')
    .slice(0, 8);
  const safe = `${zone}-${target.site}`.replace(/[^A-Za-z0-9_-]/g, '-');
  return {
    name: `tandem-${safe}-${digest}`,
    description: `${descriptionOf(zone)} ${target.site}`,
    origins: target.values.map((address, index) => ({
      name: `origin-${index + 1}`,
      address,
      enabled: true,
      weight: 1,
    })),
    ...(monitor !== undefined && { monitor }),
  };
}

/** A pool as a target without its part in the routing, or why not. */
export function targetFrom(
  pool: Pool,
  checks: ReadonlyMap<string, HealthCheck | undefined>,
): Target | string {
  const { description = '', name = '', origins = [], monitor } = pool;
  const site = /^tandem \S+ (\S+)$/.exec(description)?.[1] ?? name;
  if (pool.enabled === false) return `the pool ${name} is disabled`;
  if (origins.some(({ enabled, weight = 1 }) => enabled === false || weight !== origins[0]?.weight)) {
    return `the pool ${name} has origins that are disabled or of different weights`;
  }
  const values = origins.flatMap(({ address }) => address ?? []).sort();
  if (!monitor) return { site, values };
  const check = checks.get(monitor);
  return check === undefined
    ? `the pool ${name} has a monitor that is no HTTP check of a host`
    : { site, values, check };
}

export function typeOf(value: string): RoutedType {
  return isIPv4(value) ? 'A' : isIPv6(value) ? 'AAAA' : 'CNAME';
}
