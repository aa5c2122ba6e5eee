/** From a policy to the state of its zone. Pure. */
import { isIPv4 } from 'node:net';
import { own } from '@tandem-clouds/command-line/own';
import {
  type Edge,
  type HealthCheck,
  normalised,
  type PlainRecord,
  type RecordType,
  type Route,
  type RoutedRecord,
  type RoutedType,
  type Target,
  type ZoneRecord,
} from '@tandem-clouds/zone/model';
import type {
  CheckSettings,
  EdgeSettings,
  NamePolicy,
  Policy,
  RecordPolicy,
  RoutePolicy,
  SiteUse,
} from './policy.ts';

/** Of each check that a policy does not describe further (requirement C2; the bar of a drill is 10 s checks). */
const CHECK_DEFAULTS = { path: '/health', intervalSeconds: 10, failureThreshold: 3 } as const;
const WEIGHT_DEFAULT = 1;

/** All records that the policy wants, in the order of their keys. */
export function recordsOf(policy: Policy): readonly ZoneRecord[] {
  const records = [
    ...policy.names.flatMap((name) => routedRecords(name, policy)),
    ...policy.records.map((record) => plainRecord(record, policy)),
  ];
  return sorted(records.map(normalised));
}

/** By name, then type. */
export function sorted<R extends ZoneRecord>(records: readonly R[]): readonly R[] {
  return [...records].sort((a, b) => order(a.name, b.name) || order(a.type, b.type));
}

function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** `@` and relative names, as the model has them. */
export function absolute(name: string, zone: string): string {
  return name === '@' ? zone : `${name}.${zone}`;
}

/** The inverse of `absolute`. */
export function relative(name: string, zone: string): string {
  return name === zone ? '@' : name.slice(0, -zone.length - 1);
}

/** Letters of ASCII only: two names that differ otherwise are two names (RFC 4343). */
export function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (characters) => characters.toLowerCase());
}

/** One form for values that mean the same: hosts and tags in lower case without a final dot, IPv6 as in RFC 5952. */
export function plainValue(type: RecordType, value: string): string {
  switch (type) {
    case 'AAAA':
      return URL.parse(`http://[${value}]/`)?.hostname.slice(1, -1) ?? value;
    case 'CNAME':
    case 'MX':
    case 'NS':
    case 'SRV':
      // `.` alone says that there is no host.
      return lowerCase(value).replace(/(?<=[^ .])\.$/, '');
    case 'CAA':
      return value.replace(/^\d+ [A-Za-z0-9]+(?= )/, lowerCase);
    case 'A':
    case 'TXT':
      return value;
  }
}

function plainRecord(record: RecordPolicy, policy: Policy): PlainRecord {
  const { name, type, ttlSeconds = policy.ttlSeconds, values = [], alias } = record;
  return {
    kind: 'plain',
    name: absolute(name, policy.zone),
    type,
    ttlSeconds,
    values: values.map((value) => plainValue(type, value)),
    ...(alias && { alias }),
    ...edgeOf(record.edge ?? false),
  };
}

/** `true` is a CDN and a WAF. */
function edgeOf(settings: EdgeSettings | boolean): { edge?: Edge } {
  if (settings === false) return {};
  const { cdn = false, waf = false, rateLimit } = settings === true ? { cdn: true, waf: true } : settings;
  return { edge: { cdn, waf, ...(rateLimit && { rateLimit }) } };
}

function routedRecords(name: NamePolicy, policy: Policy): readonly RoutedRecord[] {
  const uses = usesOf(name.sites, policy);
  const types = name.type === undefined ? typesOf(uses) : [name.type];
  return types.map((type) => ({
    kind: 'routed',
    name: absolute(name.name, policy.zone),
    type,
    ttlSeconds: name.ttlSeconds ?? policy.ttlSeconds,
    strategy: name.strategy,
    ...edgeOf(name.edge ?? policy.edge),
    targets: uses.flatMap((use) => targetOf(use, type, name, policy) ?? []),
    ...(name.routes && { routes: name.routes.map((route) => routeOf(route, type, name, policy)) }),
  }));
}

function routeOf(route: RoutePolicy, type: RoutedType, name: NamePolicy, policy: Policy): Route {
  const asName = { ...name, strategy: route.strategy ?? name.strategy };
  return {
    path: route.path,
    strategy: asName.strategy,
    targets: usesOf(route.sites, policy).flatMap((use) => targetOf(use, type, asName, policy) ?? []),
  };
}

function usesOf(sites: NamePolicy['sites'], policy: Policy): readonly SiteUse[] {
  return sites.map((use) => {
    const settings = typeof use === 'string' ? { site: use } : use;
    return { ...own(policy.sites, settings.site), ...settings };
  });
}

function typesOf(uses: readonly SiteUse[]): readonly RoutedType[] {
  const types = uses.flatMap(({ endpoint }): RoutedType[] => {
    if (endpoint?.cname !== undefined) return ['CNAME'];
    return endpoint?.addresses?.map((address) => (isIPv4(address) ? 'A' : 'AAAA')) ?? ['A'];
  });
  return [...new Set(types)];
}

/** Undefined when the site has nothing of this type to answer with. */
function targetOf(use: SiteUse, type: RoutedType, name: NamePolicy, policy: Policy): Target | undefined {
  const { site, endpoint, region, weight = WEIGHT_DEFAULT } = use;
  const values =
    endpoint?.cname !== undefined
      ? [plainValue('CNAME', endpoint.cname)]
      : (endpoint?.addresses ?? [])
          .filter((address) => (type === 'A') === isIPv4(address))
          .map((address) => plainValue(type, address));
  if (values.length === 0 && endpoint?.alias === undefined) return undefined;
  const check = checkOf(use, name, policy);
  return {
    site,
    values,
    ...(endpoint?.alias && { alias: endpoint.alias }),
    ...(name.strategy === 'weighted' && { weight }),
    ...(name.strategy === 'latency' && region !== undefined && { region }),
    ...(name.strategy === 'geolocation' && {
      location: {
        continents: use.continents ?? [],
        countries: use.countries ?? [],
        default: use.default ?? false,
      },
    }),
    ...(check && { check }),
  };
}

function checkOf(use: SiteUse, name: NamePolicy, policy: Policy): HealthCheck | undefined {
  const layers: (CheckSettings | false | undefined)[] = [
    policy.healthCheck,
    name.healthCheck,
    use.healthCheck,
  ];
  const last = layers.findLast((layer) => layer !== undefined);
  if (last === false || use.url === undefined) return undefined;
  const settings = Object.assign({}, ...layers.filter((layer) => layer !== false)) as CheckSettings;
  const url = new URL(use.url);
  const protocol = url.protocol === 'http:' ? 'http' : 'https';
  return {
    protocol,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (protocol === 'http' ? 80 : 443) : Number(url.port),
    ...CHECK_DEFAULTS,
    ...settings,
  };
}
