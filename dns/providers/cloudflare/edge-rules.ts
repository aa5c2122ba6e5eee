/**
 * Between what the edge does for a name and the rules that make Cloudflare do it. Pure.
 *
 * A name has up to four rules, in three rulesets of its zone. Each is found again by its `ref`, which is made of the name,
 * and counts only while it is exactly what would be made: one that somebody changed is none, so the plan makes it again.
 * Rules without such a `ref` are other people's, and are neither read into the model nor touched.
 */
import { createHash } from 'node:crypto';
import { canonical, type Edge, type RateLimit } from '@tandem-clouds/zone/model';
import { descriptionOf } from './pools.ts';

/** Of https://developers.cloudflare.com/ruleset-engine/reference/phases-list/ */
export const PHASES = [
  'http_ratelimit',
  'http_request_cache_settings',
  'http_request_firewall_managed',
] as const;
export type Phase = (typeof PHASES)[number];

export interface EdgeRule {
  readonly ref: string;
  readonly description: string;
  readonly expression: string;
  readonly enabled: true;
  readonly action: 'block' | 'execute' | 'set_cache_settings';
  readonly action_parameters?: Readonly<Record<string, unknown>>;
  readonly ratelimit?: Readonly<Record<string, unknown>>;
}

/** A rule as the API answers it; of any kind, anybody's. */
export interface LiveRule {
  readonly id?: string;
  readonly ref?: string;
  readonly description?: string;
  readonly expression?: string;
  readonly enabled?: boolean;
  readonly action?: string;
  readonly action_parameters?: Readonly<Record<string, unknown>>;
  readonly ratelimit?: Readonly<Record<string, unknown>>;
}

/** The entry point of each phase; one that is missing has no id. */
export type Rulesets = Readonly<Record<Phase, { readonly id?: string; readonly rules: readonly LiveRule[] }>>;

/** Proxied, and nothing of what the rules add. */
export const BARE: Edge = { cdn: false, waf: false };

/** https://developers.cloudflare.com/waf/managed-rulesets/reference/cloudflare-managed-ruleset/ */
const MANAGED_RULESET = 'efb7b8c949ac4650a09736fc376e9aee';

const MARK = 'tandem_';
const HAS_AUTHORIZATION = 'any(http.request.headers.names[*] eq "authorization")';
const READS = 'http.request.method in {"GET" "HEAD"}';

/** Ours, of whatever name. */
export function isOurs({ ref = '' }: LiveRule): boolean {
  return ref.startsWith(MARK);
}

/** The rules that make the edge do this for a name, each with its phase. */
export function rulesOf(name: string, edge: Edge, zone: string): readonly (readonly [Phase, EdgeRule])[] {
  return [
    ...(edge.cdn ? cacheRules(name, zone) : []),
    ...(edge.waf ? [wafRule(name, zone)] : []),
    ...(edge.rateLimit ? [rateRule(name, edge.rateLimit, zone)] : []),
  ];
}

/** What the rules make the edge do for a name. */
export function edgeFrom(name: string, rulesets: Rulesets, zone: string): Edge {
  const are = (wanted: readonly (readonly [Phase, EdgeRule])[]): boolean =>
    wanted.every(([phase, rule]) => rulesets[phase].rules.some((live) => isSame(live, rule)));
  const { requests_per_period: requests, period: seconds } =
    rulesets.http_ratelimit.rules.find(({ ref }) => ref === refOf('rate', name))?.ratelimit ?? {};
  const rateLimit =
    typeof requests === 'number' && typeof seconds === 'number' ? { requests, seconds } : undefined;
  return {
    cdn: are(cacheRules(name, zone)),
    waf: are([wafRule(name, zone)]),
    ...(rateLimit && are([rateRule(name, rateLimit, zone)]) && { rateLimit }),
  };
}

/**
 * Only answers with a Cache-Control of their own are kept, for as long as it says; nothing is kept for, or answered to,
 * a request with credentials. https://developers.cloudflare.com/cache/how-to/cache-rules/settings/
 */
function cacheRules(name: string, zone: string): readonly (readonly [Phase, EdgeRule])[] {
  const rule = (kind: string, what: string, when: string, parameters: EdgeRule['action_parameters']) =>
    [
      'http_request_cache_settings',
      {
        ...head(kind, what, name, zone),
        expression: `(${isHost(name)} and ${when})`,
        action: 'set_cache_settings',
        ...(parameters && { action_parameters: parameters }),
      },
    ] satisfies readonly [Phase, EdgeRule];
  return [
    rule('bypass', 'past the cache', `(not ${READS} or ${HAS_AUTHORIZATION})`, { cache: false }),
    rule('cache', 'CDN', `${READS} and not ${HAS_AUTHORIZATION}`, {
      cache: true,
      edge_ttl: { mode: 'bypass_by_default' },
      browser_ttl: { mode: 'respect_origin' },
    }),
  ];
}

function wafRule(name: string, zone: string): readonly [Phase, EdgeRule] {
  return [
    'http_request_firewall_managed',
    {
      ...head('waf', 'WAF', name, zone),
      expression: `(${isHost(name)})`,
      action: 'execute',
      action_parameters: { id: MANAGED_RULESET },
    },
  ];
}

/** Counted for each client in each data centre: https://developers.cloudflare.com/waf/rate-limiting-rules/parameters/ */
function rateRule(name: string, { requests, seconds }: RateLimit, zone: string): readonly [Phase, EdgeRule] {
  return [
    'http_ratelimit',
    {
      ...head('rate', 'rate limit', name, zone),
      expression: `(${isHost(name)})`,
      action: 'block',
      ratelimit: {
        characteristics: ['cf.colo.id', 'ip.src'],
        period: seconds,
        requests_per_period: requests,
        mitigation_timeout: seconds,
      },
    },
  ];
}

function head(
  kind: string,
  what: string,
  name: string,
  zone: string,
): Pick<EdgeRule, 'description' | 'enabled' | 'ref'> {
  return { ref: refOf(kind, name), description: `${descriptionOf(zone)}: ${what} of ${name}`, enabled: true };
}

/** Of every rule that a name can have. */
export function refsFor(name: string): readonly string[] {
  return ['bypass', 'cache', 'rate', 'waf'].map((kind) => refOf(kind, name));
}

function refOf(kind: string, name: string): string {
  return `${MARK}${kind}_${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}

function isHost(name: string): string {
  return name.startsWith('*.') ? `ends_with(http.host, "${name.slice(1)}")` : `http.host eq "${name}"`;
}

/** But for what the API fills in by itself. */
export function isSame(live: LiveRule, rule: EdgeRule): boolean {
  const { version: _version, ...parameters } = live.action_parameters ?? {};
  const { requests_to_origin: _origin, ...ratelimit } = live.ratelimit ?? {};
  const reported = (of: Omit<LiveRule, 'id'>): string =>
    canonical([
      of.ref,
      of.description,
      of.expression,
      of.enabled ?? true,
      of.action,
      of.action_parameters ?? {},
      of.ratelimit ?? {},
    ]);
  return reported(rule) === reported({ ...live, action_parameters: parameters, ratelimit });
}
