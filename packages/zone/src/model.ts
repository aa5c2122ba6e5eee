/**
 * What a zone says, in no provider's terms. The policy becomes this, a live zone is read as this, and a plan is the
 * difference of the two.
 *
 * Invariants: a name is absolute, in lower case, without a final dot; (name, type) occurs once; `values` are sorted;
 * targets are sorted by site, but for failover, where their order is the order of preference. So two states are equal
 * when their canonical texts are.
 */

/** How the targets of a name share its traffic. */
export type Strategy = 'weighted' | 'latency' | 'geolocation' | 'failover';

/** Types that a policy may hold (RFC 1035, 2782, 3596, 8659). */
export type RecordType = 'A' | 'AAAA' | 'CAA' | 'CNAME' | 'MX' | 'NS' | 'SRV' | 'TXT';

/** Types of which the answer may depend on the client. */
export type RoutedType = 'A' | 'AAAA' | 'CNAME';

/** What is asked of a target to know whether it may be answered. 2xx and 3xx are well. */
export interface HealthCheck {
  readonly protocol: 'http' | 'https';
  /** Resolved and sent as Host. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly intervalSeconds: number;
  /** So many failures in a row take the target out of the answers; so many successes bring it back. */
  readonly failureThreshold: number;
}

/** Something of the provider's own that has no fixed address, such as a Route 53 alias. */
export interface Alias {
  readonly host: string;
  readonly zoneId: string;
}

/** Clients that a target is for. Codes are those of ISO 3166-1, and AF AN AS EU NA OC SA. */
export interface Location {
  readonly continents: readonly string[];
  readonly countries: readonly string[];
  /** Also for everybody whom no target is for. */
  readonly default: boolean;
}

/** A client that sends more is refused for the rest of the time. */
export interface RateLimit {
  readonly requests: number;
  readonly seconds: number;
}

/** What the provider's own network does for a name that it stands in front of. */
export interface Edge {
  /** Keeps answers for as long as their Cache-Control says. */
  readonly cdn: boolean;
  /** Refuses requests that look like attacks. */
  readonly waf: boolean;
  readonly rateLimit?: RateLimit;
}

/** One site as an answer to one name. */
export interface Target {
  readonly site: string;
  /** Addresses, or one host name; empty with an alias. */
  readonly values: readonly string[];
  readonly alias?: Alias;
  /** Weighted only: the share is this by the sum; 0 is never answered while another is healthy. */
  readonly weight?: number;
  /** Latency only: the region that distances are taken from. */
  readonly region?: string;
  /** Geolocation only. */
  readonly location?: Location;
  /** Absent: always healthy. */
  readonly check?: HealthCheck;
}

/** The same answer to everybody. */
export interface PlainRecord {
  readonly kind: 'plain';
  readonly name: string;
  readonly type: RecordType;
  readonly ttlSeconds: number;
  /** In presentation format, but TXT: the text itself, neither quoted nor split. */
  readonly values: readonly string[];
  readonly alias?: Alias;
  readonly edge?: Edge;
}

/** Who shares traffic, and how. */
export interface Sharing {
  readonly strategy: Strategy;
  readonly targets: readonly Target[];
}

/** One service of a name: the requests for this path and what is below it. */
export interface Route extends Sharing {
  readonly path: string;
}

/** An answer that depends on the client, on health, or on chance. */
export interface RoutedRecord extends Sharing {
  readonly kind: 'routed';
  readonly name: string;
  readonly type: RoutedType;
  readonly ttlSeconds: number;
  /** A path before those above it. What none is for is shared as the name is. */
  readonly routes?: readonly Route[];
  /** Clients are answered with the provider's own network, which asks the targets. */
  readonly edge?: Edge;
  /** Of a live record: what somebody has made of it that no policy says; in words. Any change sets it right. */
  readonly deviations?: readonly string[];
}

export type ZoneRecord = PlainRecord | RoutedRecord;

/** `before` absent: create; `after` absent: delete. Both are of the same name and type. */
export interface Change {
  readonly before?: ZoneRecord;
  readonly after?: ZoneRecord;
}

/** Identifies a record in its zone; sorts by name, then type. */
export function keyOf(record: Pick<ZoneRecord, 'name' | 'type'>): string {
  return `${record.name} ${record.type}`;
}

/** Two checks that ask the same are the same check. */
export function checkKey(check: HealthCheck): string {
  const { protocol, host, port, path, intervalSeconds, failureThreshold } = check;
  return `${protocol}://${host}:${port}${path} every ${intervalSeconds}s x${failureThreshold}`;
}

/** The same text for equal values, whatever the order of their properties. Undefined properties do not count. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** All that shares traffic under a name: the name itself, and each of its routes. */
export function sharings(record: RoutedRecord): readonly (Route | RoutedRecord)[] {
  return [record, ...(record.routes ?? [])];
}

/** Brings a record into the one form that the invariants ask for. */
export function normalised<R extends ZoneRecord>(record: R): R {
  if (record.kind === 'plain') return { ...record, values: values(record.values) };
  const targets = normalisedTargets(record);
  const routes = record.routes
    ?.map((route) => ({ ...route, targets: normalisedTargets(route) }))
    .sort((a, b) => (a.path > b.path ? -1 : 1));
  return { ...record, targets, ...(routes && { routes }) };
}

function values(list: readonly string[]): readonly string[] {
  return [...new Set(list)].sort();
}

function normalisedTargets({ strategy, targets: given }: Sharing): readonly Target[] {
  const targets = given.map((target) => ({
    ...target,
    values: values(target.values),
    ...(target.location && {
      location: {
        ...target.location,
        continents: values(target.location.continents),
        countries: values(target.location.countries),
      },
    }),
  }));
  if (strategy !== 'failover') targets.sort((a, b) => (a.site < b.site ? -1 : 1));
  return targets;
}
