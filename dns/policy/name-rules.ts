/** What a schema cannot say of the names of a policy. */
import { isIPv4 } from 'node:net';
import { own } from '@tandem-clouds/command-line/own';
import type { Mistake } from './parse.ts';
import type { Endpoint, NamePolicy, SiteSettings, SiteUse } from './policy.ts';

export type Sites = Readonly<Record<string, SiteSettings>>;

export interface NameContext {
  readonly sites: Sites;
  /** Unless a name says otherwise. */
  readonly checked: boolean;
  /** The provider answers a CNAME of the zone itself with addresses. */
  readonly flattens: boolean;
}

export const APEX_CNAME = {
  rule: 'apex',
  detail:
    'the zone itself cannot be a CNAME (RFC 1034, 3.6.2); give it addresses, an alias of Route 53, or a provider that ' +
    'flattens it (cloudflare)',
};

/** Every rule that a name breaks. */
export function nameMistakes(
  name: NamePolicy,
  at: string,
  { sites, checked, flattens }: NameContext,
): Mistake[] {
  const uses = name.sites.map((use, index): [SiteUse, string] => [asUse(use), `${at}/sites/${index}`]);
  const unknown = uses.filter(([{ site }]) => own(sites, site) === undefined);
  if (unknown.length > 0) {
    const known = Object.keys(sites).join(', ') || 'none';
    return unknown.map(([{ site }, pointer]) => ({
      pointer,
      rule: 'site',
      detail: `there is no site '${site}'; the sites are: ${known}`,
    }));
  }
  const merged = uses.map(([use, pointer]): [SiteUse, string] => [
    { ...own(sites, use.site), ...use },
    pointer,
  ]);
  const wanted = merged.flatMap(([use, pointer]) => {
    const check = use.healthCheck ?? name.healthCheck ?? (checked ? {} : false);
    return [
      ...(isEndpoint(use.endpoint)
        ? []
        : [{ pointer, rule: 'endpoint', detail: `${use.site} has no endpoint` }]),
      ...(check === false || use.url !== undefined
        ? []
        : [{ pointer, rule: 'url', detail: `${use.site} has a health check but no url to ask` }]),
    ];
  });
  return [
    ...wanted,
    ...repeated(merged),
    ...endpointMistakes(name, at, { uses: merged, flattens }),
    ...strategyMistakes(name, at, merged),
  ];
}

/** Every rule that a route of a name breaks. */
export function routeMistakes(
  { routes = [], ...name }: NamePolicy,
  at: string,
  context: NameContext,
): Mistake[] {
  const kindsOf = (sites: NamePolicy['sites']): string =>
    [...new Set(typesOf({ ...name, sites }, context.sites))].sort().join();
  return routes.flatMap(({ path, strategy = name.strategy, sites }, index) => {
    const own = `${at}/routes/${index}`;
    const mistakes = nameMistakes({ ...name, strategy, sites }, own, context);
    if (routes.findIndex((other) => other.path === path) < index) {
      mistakes.push({ pointer: `${own}/path`, rule: 'unique', detail: `${path} is here twice` });
    }
    if (mistakes.length === 0 && kindsOf(sites) !== kindsOf(name.sites)) {
      const detail = 'the sites of a route need the kind of endpoint that the name has';
      mistakes.push({ pointer: `${own}/sites`, rule: 'endpoint', detail });
    }
    return mistakes;
  });
}

function repeated(uses: readonly [SiteUse, string][]): Mistake[] {
  return uses.flatMap(([{ site }, pointer], index) =>
    uses.findIndex(([other]) => other.site === site) < index
      ? [{ pointer, rule: 'unique', detail: `${site} is named twice` }]
      : [],
  );
}

function endpointMistakes(
  name: NamePolicy,
  at: string,
  { uses, flattens }: { readonly uses: readonly [SiteUse, string][]; readonly flattens: boolean },
): Mistake[] {
  const kinds = new Set(
    uses.flatMap(([{ endpoint }]) => (isEndpoint(endpoint) ? Object.keys(endpoint) : [])),
  );
  if (kinds.size > 1) {
    return [
      {
        pointer: `${at}/sites`,
        rule: 'endpoint',
        detail: `all sites of a name need one kind of endpoint, not ${[...kinds].join(' and ')}`,
      },
    ];
  }
  if (kinds.has('cname') && name.name === '@' && !flattens) return [{ pointer: at, ...APEX_CNAME }];
  const [kind] = kinds;
  const possible = kind === 'cname' ? ['CNAME'] : ['A', 'AAAA'];
  return kind === undefined || name.type === undefined || possible.includes(name.type)
    ? []
    : [{ pointer: `${at}/type`, rule: 'type', detail: `these endpoints give ${possible.join(' or ')}` }];
}

function strategyMistakes(
  { strategy }: NamePolicy,
  at: string,
  uses: readonly [SiteUse, string][],
): Mistake[] {
  switch (strategy) {
    case 'weighted':
      return uses.every(([{ weight = 1 }]) => weight === 0)
        ? [{ pointer: at, rule: 'weight', detail: 'all weights are 0, so nobody would be answered' }]
        : [];
    // What latency is measured to is the provider's to ask for.
    case 'latency':
    case 'failover':
      return [];
    case 'geolocation':
      return locationMistakes(at, uses);
  }
}

function locationMistakes(at: string, uses: readonly [SiteUse, string][]): Mistake[] {
  const holders = new Map<string, string>();
  const mistakes: Mistake[] = [];
  for (const [{ site, continents, countries, default: isDefault }, pointer] of uses) {
    const codes = [
      ...texts(continents).map((code) => `continent ${code}`),
      ...texts(countries).map((code) => `country ${code}`),
      ...(isDefault === true ? ['the default'] : []),
    ];
    if (codes.length === 0) {
      mistakes.push({
        pointer,
        rule: 'location',
        detail: `geolocation needs countries, continents or default of ${site}`,
      });
    }
    for (const code of codes) {
      const holder = holders.get(code);
      if (holder === undefined) holders.set(code, site);
      else mistakes.push({ pointer, rule: 'location', detail: `${code} belongs to ${holder} already` });
    }
  }
  if (!holders.has('the default')) {
    mistakes.push({
      pointer: `${at}/sites`,
      rule: 'location',
      detail: 'one site must be the default, for everybody else',
    });
  }
  return mistakes;
}

/** A list that the schema refuses is empty here. */
function texts(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((part): part is string => typeof part === 'string') : [];
}

/** Types that a name is answered with. */
export function typesOf({ type, sites: uses }: NamePolicy, sites: Sites): string[] {
  if (type !== undefined) return [type];
  const types = uses.flatMap((use) => {
    const { site, endpoint = own(sites, site)?.endpoint } = asUse(use);
    if (!isEndpoint(endpoint)) return [];
    if (endpoint.cname !== undefined) return ['CNAME'];
    return endpoint.addresses?.map((address) => (isIPv4(address) ? 'A' : 'AAAA')) ?? ['A'];
  });
  return [...new Set(types)];
}

function asUse(use: string | SiteUse): SiteUse {
  return typeof use === 'string' ? { site: use } : use;
}

function isEndpoint(value: unknown): value is Endpoint {
  if (typeof value !== 'object' || value === null) return false;
  const { cname, addresses, alias } = value as Record<string, unknown>;
  return (
    typeof cname === 'string' ||
    (typeof alias === 'object' && alias !== null) ||
    (Array.isArray(addresses) && addresses.every((address) => typeof address === 'string'))
  );
}
