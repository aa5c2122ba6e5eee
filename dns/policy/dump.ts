/** Writes a live zone as a policy that plans to nothing. */
import { stringify } from 'yaml';
import {
  canonical,
  checkKey,
  type RoutedRecord,
  sharings,
  type Target,
  type ZoneRecord,
} from '@tandem-clouds/zone/model';
import { incidentsName } from '../incidents.ts';
import { isOverridesNote } from '../overrides.ts';
import type { LiveZone } from '../provider.ts';
import { visible } from '../visible.ts';
import type { NamePolicy, ProviderName, RecordPolicy, SiteSettings, SiteUse } from './policy.ts';
import { parsePolicy } from './read-policy.ts';
import { relative } from './records.ts';

export interface Source {
  readonly zone: string;
  readonly provider: ProviderName;
  readonly zoneId?: string;
}

/**
 * YAML. What most names say of a site is said once; what one name says differently is said there. What no policy can say
 * is left out, and named in a comment.
 * @throws PolicyError for a live zone that did not come through `supported`.
 */
export function dump({ records, foreign }: LiveZone, source: Source): string {
  const own = records.filter((record) => !isNote(record, source.zone));
  const text = [
    ...foreign.map(
      ({ name, type, reason }) => `# Not here, and not touched: ${visible(name)} ${type}: ${visible(reason)}`,
    ),
    stringify(documentOf(own, source), { lineWidth: 0 }),
  ].join('\n');
  parsePolicy(text, `the policy of ${source.zone}`);
  return text;
}

/** Where traffic stands and what monitors know: these commands' own, and in no policy. */
export function isNote(record: ZoneRecord, zone: string): boolean {
  return isOverridesNote(record, zone) || (record.name === incidentsName(zone) && record.type === 'TXT');
}

/** What a policy of these records is, before it is checked: the names and the records are in the order that they have here. */
export function documentOf(records: readonly ZoneRecord[], source: Source) {
  const routed = records.filter((record): record is RoutedRecord => record.kind === 'routed');
  const sites = commonSites(routed);
  return {
    ...source,
    healthCheck: false as const,
    sites: Object.fromEntries(sites),
    names: routed.map((record) => nameOf(record, sites, source.zone)),
    records: records.flatMap((record) => plainOf(record, source.zone)),
  };
}

/** What each site is said to be most often. */
function commonSites(routed: readonly RoutedRecord[]): ReadonlyMap<string, SiteSettings> {
  const reported = Map.groupBy(
    routed.flatMap(sharings).flatMap(({ targets }) => targets),
    ({ site }) => site,
  );
  return new Map(
    [...reported]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([site, targets]) => {
        const kinds = [...Map.groupBy(targets.map(settingsOf), canonical).values()];
        const [common = {}] = kinds.reduce((a, b) => (b.length > a.length ? b : a));
        return [site, common];
      }),
  );
}

/** Without weight and location, which belong to a name. */
function settingsOf({ values, alias, region, check }: Target): SiteSettings {
  const [first = ''] = values;
  const isHost = /[a-z]/i.test(first) && !first.includes(':');
  const endpoint = alias ? { alias } : isHost ? { cname: first } : { addresses: values };
  const host = check && (check.host.includes(':') ? `[${check.host}]` : check.host);
  return {
    ...(check && { url: `${check.protocol}://${host ?? ''}:${check.port}` }),
    endpoint,
    ...(region !== undefined && { region }),
  };
}

function nameOf(record: RoutedRecord, sites: ReadonlyMap<string, SiteSettings>, zone: string): NamePolicy {
  const { name, type, strategy, ttlSeconds, targets, edge, routes } = record;
  const checks = new Set(
    sharings(record)
      .flatMap((sharing) => sharing.targets)
      .map(({ check }) => (check ? checkKey({ ...check, host: '', port: 0, protocol: 'http' }) : '')),
  );
  const shared = checks.size === 1 ? checkOf(targets[0]) : undefined;
  return {
    name: relative(name, zone),
    type,
    strategy,
    ttlSeconds,
    ...(edge && { edge }),
    ...(shared !== undefined && { healthCheck: shared }),
    sites: targets.map((target) => useOf(target, sites, shared)),
    ...(routes && {
      routes: routes.map((route) => ({
        path: route.path,
        strategy: route.strategy,
        sites: route.targets.map((target) => useOf(target, sites, shared)),
      })),
    }),
  };
}

function useOf(
  target: Target,
  sites: ReadonlyMap<string, SiteSettings>,
  shared: NamePolicy['healthCheck'],
): SiteUse {
  const { site, weight, location } = target;
  const own = settingsOf(target);
  const isCommon = canonical(own) === canonical(sites.get(site));
  return {
    site,
    ...(isCommon ? {} : own),
    ...(weight !== undefined && { weight }),
    ...(location && {
      continents: location.continents,
      countries: location.countries,
      default: location.default,
    }),
    ...(shared === undefined && { healthCheck: checkOf(target) }),
  };
}

function checkOf(target: Target | undefined): NonNullable<NamePolicy['healthCheck']> {
  if (target?.check === undefined) return false;
  const { path, intervalSeconds, failureThreshold } = target.check;
  return { path, intervalSeconds, failureThreshold };
}

function plainOf(record: ZoneRecord, zone: string): RecordPolicy[] {
  if (record.kind === 'routed') return [];
  const { name, type, ttlSeconds, values, alias, edge } = record;
  return [
    {
      name: relative(name, zone),
      type,
      ttlSeconds,
      ...(alias ? { alias } : { values }),
      ...(edge && { edge }),
    },
  ];
}
