/** What a policy says: `policy.schema.json`, as types. */
import type { Alias, RateLimit, RecordType, RoutedType, Strategy } from '@tandem-clouds/zone/model';

/** Just one of them. */
export interface Endpoint {
  readonly cname?: string;
  readonly addresses?: readonly string[];
  readonly alias?: Alias;
}

export interface CheckSettings {
  readonly path?: string;
  readonly intervalSeconds?: number;
  readonly failureThreshold?: number;
}

export interface SiteSettings {
  readonly url?: string;
  readonly endpoint?: Endpoint;
  readonly region?: string;
  readonly weight?: number;
  readonly continents?: readonly string[];
  readonly countries?: readonly string[];
  readonly default?: boolean;
}

export interface SiteUse extends SiteSettings {
  readonly site: string;
  readonly healthCheck?: CheckSettings | false;
}

/** What is not said is as the name says. */
export interface RoutePolicy {
  readonly path: string;
  readonly strategy?: Strategy;
  readonly sites: readonly (string | SiteUse)[];
}

/** What is not said is off. */
export interface EdgeSettings {
  readonly cdn?: boolean;
  readonly waf?: boolean;
  readonly rateLimit?: RateLimit;
}

export interface NamePolicy {
  readonly name: string;
  readonly type?: RoutedType;
  readonly strategy: Strategy;
  readonly ttlSeconds?: number;
  readonly edge?: EdgeSettings | boolean;
  readonly healthCheck?: CheckSettings | false;
  readonly sites: readonly (string | SiteUse)[];
  readonly routes?: readonly RoutePolicy[];
}

export interface RecordPolicy {
  readonly name: string;
  readonly type: RecordType;
  readonly ttlSeconds?: number;
  readonly values?: readonly string[];
  readonly alias?: Alias;
  readonly edge?: EdgeSettings | boolean;
}

export interface Gates {
  readonly errorPercentMax: number;
  readonly p99MsMax: number;
  readonly replicationLagMsMax: number;
  readonly safeTimeBehindMsMax: number;
  readonly exposedKeysMax: number;
}

export interface ShiftSettings {
  readonly stepPercent: number;
  readonly holdSeconds: number;
  readonly sampleSeconds: number;
  readonly requestsPerSample: number;
  readonly gates: Gates;
}

export type ProviderName = 'cloudflare' | 'local' | 'route53';

/** policy.schema.json with its defaults. */
export interface Policy {
  readonly zone: string;
  readonly provider: ProviderName;
  readonly zoneId?: string;
  readonly unmanaged?: readonly string[];
  readonly ttlSeconds: number;
  readonly healthCheck: CheckSettings | false;
  readonly edge: EdgeSettings | boolean;
  readonly sites: Readonly<Record<string, SiteSettings>>;
  readonly names: readonly NamePolicy[];
  readonly records: readonly RecordPolicy[];
  readonly shift: ShiftSettings;
  readonly safety: { readonly changedPercentMax: number };
}
