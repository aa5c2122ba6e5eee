/** What Cloudflare supports, and how it holds a policy's records. Pure. */
import { own } from '@tandem-clouds/command-line/own';
import {
  canonical,
  type RoutedRecord,
  type Sharing,
  sharings,
  type Target,
  type ZoneRecord,
} from '@tandem-clouds/zone/model';
import type { Capabilities, Prepared } from '../../provider.ts';
import { RECORD_TYPES, TTL_AUTO } from './dns-records.ts';
import { REGIONS } from './steering.ts';

/** https://developers.cloudflare.com/dns/manage-dns-records/reference/ttl/ */
export const RECORD_TTL = { min: 60, max: 86_400 };
/** DNS-only load balancers take 30 seconds to 10 minutes: https://cloud.ibm.com/docs/cis?topic=cis-proxy-modes */
const BALANCER_TTL = { min: 30, max: 600 };

/** What the core may ask for; `prepared` refuses the rest. */
export const CAPABILITIES: Capabilities = {
  strategies: ['weighted', 'latency', 'geolocation', 'failover'],
  recordTypes: RECORD_TYPES,
  aliases: false,
  edge: true,
  paths: true,
  // The exact bounds depend on the record; see prepare.
  ttlSeconds: { min: 0, max: RECORD_TTL.max },
  weightMax: 100,
  targetsMax: {},
  checkIntervalSeconds: { min: 5, max: 3_600 },
  failureThreshold: { min: 1, max: 10 },
};

/** See Provider.prepare. */
export function prepared(records: readonly ZoneRecord[]): Prepared {
  return { records: records.map(asHeld), refusals: records.flatMap((record) => refused(record, records)) };
}

/** Behind the edge there is no TTL but the automatic one, and no region is kept for latency: it is measured. */
function asHeld(record: ZoneRecord): ZoneRecord {
  const ttl = record.edge ? { ttlSeconds: TTL_AUTO } : {};
  if (record.kind === 'plain') return { ...record, ...ttl };
  const unplaced = (sharing: Sharing): readonly Target[] =>
    sharing.targets.map(({ region: _, ...target }) => target);
  const routes = record.routes?.map((route) => ({ ...route, targets: unplaced(route) }));
  return { ...record, ...ttl, targets: unplaced(record), ...(routes && { routes }) };
}

function refused(record: ZoneRecord, all: readonly ZoneRecord[]): string[] {
  const { min, max } = record.kind === 'plain' ? RECORD_TTL : BALANCER_TTL;
  const { ttlSeconds } = record;
  const automatic = record.edge !== undefined || (record.kind === 'plain' && ttlSeconds === TTL_AUTO);
  const reasons = [
    ...(automatic || (ttlSeconds >= min && ttlSeconds <= max)
      ? []
      : [`takes ${min} to ${max} for the TTL of such a name, not ${ttlSeconds}`]),
    ...edgeRefused(record, all),
    ...(record.kind === 'plain' ? (record.alias ? ['has no aliases'] : []) : routingRefused(record, all)),
  ];
  return reasons.map((why) => `${record.name} ${record.type}: Cloudflare ${why}`);
}

/** A rule is for a host, whatever addresses it has. */
function edgeRefused({ name, type, edge }: ZoneRecord, all: readonly ZoneRecord[]): string[] {
  const other = all.find((record) => record.name === name && record.type < type && record.edge !== undefined);
  return other === undefined || edge === undefined || canonical(other.edge) === canonical(edge)
    ? []
    : [`does the same at the edge for all records of a name, but ${other.type} says something else`];
}

function routingRefused(record: RoutedRecord, all: readonly ZoneRecord[]): string[] {
  const { name, type, routes, edge } = record;
  const shared = sharings(record);
  const other = all.find((record) => record.kind === 'routed' && record.name === name && record.type < type);
  return [
    ...(other ? [`has one load balancer for a name; ${name} cannot answer with IPv4 and IPv6 sites`] : []),
    ...(routes && edge === undefined ? ['sees paths only of what is behind its edge; set edge'] : []),
    // https://developers.cloudflare.com/load-balancing/additional-options/load-balancing-rules/
    ...(routes && shared.some(({ strategy }) => strategy === 'geolocation')
      ? ['has no paths together with geolocation']
      : []),
    ...(shared.some(
      ({ strategy, targets }) => strategy === 'latency' && targets.some(({ check }) => check === undefined),
    )
      ? ['measures latency by its health checks, so every site needs one']
      : []),
    ...record.targets.flatMap(({ location }) =>
      (location?.continents ?? []).flatMap((code) =>
        own(REGIONS, code) ? [] : [`has no region for the continent ${code}`],
      ),
    ),
  ];
}
