/**
 * Between the model and Route 53's resource record sets. Pure.
 *
 * A target is one record set whose identifier is its site; with geolocation it is one for each location, as
 * `site@location`. Sets that are read are only taken together when they say the same, so nothing is lost by it.
 */
import type { GeoLocation, ResourceRecordSet, ResourceRecordSetRegion } from '@aws-sdk/client-route-53';
import {
  canonical,
  checkKey,
  type HealthCheck,
  type Location,
  normalised,
  type RecordType,
  type RoutedRecord,
  type RoutedType,
  type Strategy,
  type Target,
  type ZoneRecord,
} from '@tandem-clouds/zone/model';
import { plainValue, sorted } from '../../policy/records.ts';
import type { Foreign } from '../../provider.ts';
import { nameFrom, txtFrom, txtTo } from './text.ts';

/** Aliases have the TTL of what they point to; in the model this stands for it. */
export const ALIAS_TTL_SECONDS = 60;

export const RECORD_TYPES: readonly RecordType[] = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NS', 'SRV', 'TXT'];

/** Types of which a value ends with a host, which is absolute here. */
const HOSTS: readonly string[] = ['CNAME', 'MX', 'NS', 'SRV'];

/** @param checkIds `checkKey` → id of the health check */
export function toSets(
  record: ZoneRecord,
  checkIds: ReadonlyMap<string, string>,
): readonly ResourceRecordSet[] {
  const head = { Name: `${record.name}.`, Type: record.type };
  if (record.kind === 'plain') return [{ ...head, ...answer(record, record) }];
  return record.targets.flatMap((target, index) =>
    routings(record.strategy, target, index).map((routing) => {
      const id = target.check && checkIds.get(checkKey(target.check));
      return {
        ...head,
        ...routing,
        ...answer(record, target),
        ...(id !== undefined && { HealthCheckId: id }),
      };
    }),
  );
}

function answer(
  { type, ttlSeconds }: Pick<ZoneRecord, 'type' | 'ttlSeconds'>,
  { values, alias }: Pick<Target, 'alias' | 'values'>,
): Partial<ResourceRecordSet> {
  if (alias !== undefined) {
    const { host, zoneId } = alias;
    return { AliasTarget: { DNSName: `${host}.`, HostedZoneId: zoneId, EvaluateTargetHealth: false } };
  }
  const written = (value: string): string =>
    type === 'TXT' ? txtTo(value) : HOSTS.includes(type) && !value.endsWith('.') ? `${value}.` : value;
  return { TTL: ttlSeconds, ResourceRecords: values.map((value) => ({ Value: written(value) })) };
}

function routings(
  strategy: Strategy,
  { site, weight, region, location }: Target,
  index: number,
): Partial<ResourceRecordSet>[] {
  switch (strategy) {
    case 'weighted':
      return [{ SetIdentifier: site, Weight: weight ?? 0 }];
    case 'latency':
      return [{ SetIdentifier: site, Region: region as ResourceRecordSetRegion }];
    case 'failover':
      return [{ SetIdentifier: site, Failover: index === 0 ? 'PRIMARY' : 'SECONDARY' }];
    case 'geolocation':
      return geoLocations(location).map(([code, GeoLocation]) => ({
        SetIdentifier: `${site}@${code}`,
        GeoLocation,
      }));
  }
}

function geoLocations(location: Location | undefined): [string, GeoLocation][] {
  const { continents = [], countries = [], default: isDefault = false } = location ?? {};
  return [
    ...continents.map((code): [string, GeoLocation] => [code, { ContinentCode: code }]),
    ...countries.map((code): [string, GeoLocation] => [`country-${code}`, { CountryCode: code }]),
    ...(isDefault ? [['default', { CountryCode: '*' }] satisfies [string, GeoLocation]] : []),
  ];
}

export interface Understood {
  readonly records: readonly ZoneRecord[];
  readonly foreign: readonly Foreign[];
}

/** Why a record set has no place in the model. */
class UnsupportedRecord extends Error {}

/** @param checks id → what the health check asks, or why the model cannot say it */
export function fromSets(
  sets: readonly ResourceRecordSet[],
  checks: ReadonlyMap<string, HealthCheck | string>,
): Understood {
  const groups = Map.groupBy(sets, ({ Name = '', Type = '' }) => `${nameFrom(Name)} ${Type}`);
  const records: ZoneRecord[] = [];
  const foreign: Foreign[] = [];
  for (const [key, group] of groups) {
    const [name = '', type = ''] = key.split(' ');
    try {
      records.push(normalised(recordFrom(name, type, group, checks)));
    } catch (error) {
      if (!(error instanceof UnsupportedRecord)) throw error;
      foreign.push({ name, type, reason: error.message });
    }
  }
  return { records: sorted(records), foreign };
}

function recordFrom(
  name: string,
  type: string,
  group: readonly ResourceRecordSet[],
  checks: ReadonlyMap<string, HealthCheck | string>,
): ZoneRecord {
  const [first] = group;
  if (first === undefined || !isKnown(type)) throw new UnsupportedRecord(`the type ${type}`);
  if (group.some(({ TrafficPolicyInstanceId }) => TrafficPolicyInstanceId !== undefined))
    throw new UnsupportedRecord('a record of a traffic policy');
  const ttlSeconds = commonTtl(group);
  if (first.SetIdentifier === undefined) {
    if (first.HealthCheckId !== undefined)
      throw new UnsupportedRecord('a health check on a name that is not routed');
    return { kind: 'plain', name, type, ttlSeconds, ...valuesFrom(type, first) };
  }
  if (!isRouted(type)) throw new UnsupportedRecord(`routing of the type ${type}`);
  const strategy = strategyOf(first);
  const targets = group.map((set) => targetFrom(set, strategy, type, checks));
  const record: RoutedRecord = { kind: 'routed', name, type, ttlSeconds, strategy, targets };
  if (strategy === 'geolocation') return { ...record, targets: together(targets) };
  if (strategy === 'failover')
    targets.sort((a, b) => Number(isSecondary(a, group)) - Number(isSecondary(b, group)));
  return record;
}

function isSecondary({ site }: Target, group: readonly ResourceRecordSet[]): boolean {
  return group.some(({ SetIdentifier, Failover }) => SetIdentifier === site && Failover === 'SECONDARY');
}

function commonTtl(group: readonly ResourceRecordSet[]): number {
  const ttls = new Set(group.map(({ TTL, AliasTarget }) => (AliasTarget ? ALIAS_TTL_SECONDS : (TTL ?? 0))));
  const [ttl = 0] = ttls;
  if (ttls.size > 1) throw new UnsupportedRecord(`different TTLs at one name: ${[...ttls].join(', ')}`);
  return ttl;
}

function strategyOf({ Weight, Region, Failover, GeoLocation }: ResourceRecordSet): Strategy {
  if (Weight !== undefined) return 'weighted';
  if (Region !== undefined) return 'latency';
  if (Failover !== undefined) return 'failover';
  if (GeoLocation !== undefined) return 'geolocation';
  throw new UnsupportedRecord('multivalue, IP-based or geoproximity routing');
}

function valuesFrom(type: RecordType, set: ResourceRecordSet): Pick<Target, 'alias' | 'values'> {
  const { AliasTarget, ResourceRecords = [] } = set;
  if (AliasTarget === undefined) {
    return { values: ResourceRecords.map(({ Value = '' }) => valueFrom(type, Value)) };
  }
  if (AliasTarget.EvaluateTargetHealth === true)
    throw new UnsupportedRecord('an alias that evaluates the health of its target');
  const { DNSName = '', HostedZoneId: zoneId = '' } = AliasTarget;
  return { values: [], alias: { host: nameFrom(DNSName), zoneId } };
}

function valueFrom(type: RecordType, value: string): string {
  const read = readValue(type, value);
  if (read === undefined) throw new UnsupportedRecord('a text that is not UTF-8');
  return read;
}

/** A value as the model says it; undefined when that would lose something. */
export function readValue(type: string | undefined, value: string): string | undefined {
  return type === 'TXT' ? txtFrom(value) : plainValue(type as RecordType, value);
}

function targetFrom(
  set: ResourceRecordSet,
  strategy: Strategy,
  type: RoutedType,
  checks: ReadonlyMap<string, HealthCheck | string>,
): Target {
  if (strategyOf(set) !== strategy) throw new UnsupportedRecord('two strategies at one name');
  const { SetIdentifier = '', Weight, Region, GeoLocation, HealthCheckId } = set;
  const check =
    HealthCheckId === undefined ? undefined : (checks.get(HealthCheckId) ?? 'a health check that is gone');
  if (typeof check === 'string') throw new UnsupportedRecord(check);
  const site = strategy === 'geolocation' ? SetIdentifier.replace(/@[^@]*$/, '') : SetIdentifier;
  if (!/^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/.test(site)) {
    throw new UnsupportedRecord(`the identifier '${SetIdentifier}' is not a name for a site`);
  }
  return {
    site,
    ...valuesFrom(type, set),
    ...(strategy === 'weighted' && { weight: Weight ?? 0 }),
    ...(Region !== undefined && { region: Region }),
    ...(GeoLocation && { location: locationFrom(GeoLocation) }),
    ...(check && { check }),
  };
}

function locationFrom({ ContinentCode, CountryCode, SubdivisionCode }: GeoLocation): Location {
  if (SubdivisionCode !== undefined) throw new UnsupportedRecord('routing by a part of a country');
  if (CountryCode === '*') return { continents: [], countries: [], default: true };
  return {
    continents: ContinentCode === undefined ? [] : [ContinentCode],
    countries: CountryCode === undefined ? [] : [CountryCode],
    default: false,
  };
}

/** The locations of one site as one target. */
function together(targets: readonly Target[]): readonly Target[] {
  const bySite = Map.groupBy(targets, ({ site }) => site);
  return [...bySite].map(([site, [first, ...rest]]) => {
    const reported = (target: Target | undefined): string => canonical({ ...target, location: undefined });
    if (first === undefined || rest.some((target) => reported(target) !== reported(first))) {
      throw new UnsupportedRecord(`different answers for ${site} in different locations`);
    }
    const locations = [first, ...rest].flatMap(({ location }) => location ?? []);
    return {
      ...first,
      location: {
        continents: locations.flatMap(({ continents }) => continents),
        countries: locations.flatMap(({ countries }) => countries),
        default: locations.some((location) => location.default),
      },
    };
  });
}

function isKnown(type: string): type is RecordType {
  return (RECORD_TYPES as readonly string[]).includes(type);
}

function isRouted(type: RecordType): type is RoutedType {
  return type === 'A' || type === 'AAAA' || type === 'CNAME';
}
