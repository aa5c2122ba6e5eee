/**
 * What a schema cannot say of a policy. It is given whatever the file held: a part that the schema refuses is left out
 * here, so that all mistakes of a file are seen at once.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Mistake } from './parse.ts';
import type { Endpoint, NamePolicy, RecordPolicy, SiteSettings, SiteUse } from './policy.ts';

type Sites = Readonly<Record<string, SiteSettings>>;

/** Every rule that is broken, with its place. */
export function rulesBroken(value: unknown): readonly Mistake[] {
  if (!isObject(value)) return [];
  const { healthCheck } = value;
  const sites = (isObject(value['sites']) ? value['sites'] : {}) as Sites;
  const names = listOf(value, 'names', isName);
  const records = listOf(value, 'records', isRecord);
  return [
    ...names.flatMap(([name, at]) => {
      const context = { sites, checked: healthCheck !== false };
      return [...nameMistakes(name, at, context), ...routeMistakes(name, at, context)];
    }),
    ...records.flatMap(([record, at]) => recordMistakes(record, at)),
    ...clashes(names, records, sites),
  ];
}

interface Context {
  readonly sites: Sites;
  /** Unless a name says otherwise. */
  readonly checked: boolean;
}

function nameMistakes(name: NamePolicy, at: string, { sites, checked }: Context): Mistake[] {
  const uses = name.sites.map((use, index): [SiteUse, string] => [asUse(use), `${at}/sites/${index}`]);
  const unknown = uses.filter(([{ site }]) => sites[site] === undefined);
  if (unknown.length > 0) {
    const known = Object.keys(sites).join(', ') || 'none';
    return unknown.map(([{ site }, pointer]) => ({
      pointer,
      rule: 'site',
      detail: `there is no site '${site}'; the sites are: ${known}`,
    }));
  }
  const merged = uses.map(([use, pointer]): [SiteUse, string] => [{ ...sites[use.site], ...use }, pointer]);
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
    ...endpointMistakes(name, at, merged),
    ...strategyMistakes(name, at, merged),
  ];
}

function routeMistakes({ routes = [], ...name }: NamePolicy, at: string, context: Context): Mistake[] {
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

function endpointMistakes(name: NamePolicy, at: string, uses: readonly [SiteUse, string][]): Mistake[] {
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
  if (kinds.has('cname') && name.name === '@') {
    return [{ pointer: at, rule: 'apex', detail: 'the zone itself cannot be a CNAME (RFC 1034, 3.6.2)' }];
  }
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
  for (const [{ site, continents = [], countries = [], default: isDefault = false }, pointer] of uses) {
    const codes = [
      ...continents.map((code) => `continent ${code}`),
      ...countries.map((code) => `country ${code}`),
      ...(isDefault ? ['the default'] : []),
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

const VALID: Partial<Record<RecordPolicy['type'], readonly [(value: string) => boolean, string]>> = {
  A: [isIPv4, 'an IPv4 address'],
  AAAA: [isIPv6, 'an IPv6 address'],
  CAA: [(value) => /^\d{1,3} [a-z0-9]+ "[^"]*"$/i.test(value), '<flags> <tag> "<value>"'],
  CNAME: [isHost, 'a host name'],
  MX: [(value) => /^\d{1,5} \S+$/.test(value), '<preference> <host>'],
  NS: [isHost, 'a host name'],
  SRV: [(value) => /^\d{1,5} \d{1,5} \d{1,5} \S+$/.test(value), '<priority> <weight> <port> <host>'],
};

function isHost(value: string): boolean {
  return value.length <= 254 && /^[A-Za-z0-9_.-]+$/.test(value);
}

function recordMistakes(
  { name, type, values = [], alias, edge = false }: RecordPolicy,
  at: string,
): Mistake[] {
  const [isValid, shape] = VALID[type] ?? [() => true, ''];
  const wrong = values.flatMap((value, index) =>
    isValid(value)
      ? []
      : [{ pointer: `${at}/values/${index}`, rule: 'value', detail: `${type} needs ${shape}` }],
  );
  if (alias !== undefined && type !== 'A' && type !== 'AAAA') {
    wrong.push({ pointer: `${at}/alias`, rule: 'alias', detail: 'only A and AAAA can be aliases' });
  }
  if (edge !== false && !['A', 'AAAA', 'CNAME'].includes(type)) {
    wrong.push({
      pointer: `${at}/edge`,
      rule: 'edge',
      detail: `${type} has no requests for an edge to look at`,
    });
  }
  if (type === 'CNAME' && values.length > 1) {
    wrong.push({ pointer: `${at}/values`, rule: 'value', detail: 'a CNAME has one value' });
  }
  if (name === '@' && (type === 'CNAME' || type === 'NS')) {
    wrong.push({ pointer: at, rule: 'apex', detail: `the ${type} of the zone itself is not set here` });
  }
  return wrong;
}

/** Two entries of one name and type, or a CNAME beside anything (RFC 1034, 3.6.2). */
function clashes(
  names: readonly [NamePolicy, string][],
  records: readonly [RecordPolicy, string][],
  sites: Sites,
): Mistake[] {
  const entries = [
    ...names.map(([name, at]) => ({ name: name.name, at, types: typesOf(name, sites) })),
    ...records.map(([{ name, type }, at]) => ({ name, at, types: [type as string] })),
  ];
  const seen = new Map<string, Set<string>>();
  return entries.flatMap(({ name, at, types }) => {
    const before = seen.get(name) ?? new Set<string>();
    const clash = types.find(
      (type) => before.has(type) || before.has('CNAME') || (type === 'CNAME' && before.size > 0),
    );
    seen.set(name, new Set([...before, ...types]));
    if (clash === undefined) return [];
    const detail = before.has(clash)
      ? `${name} ${clash} is here twice`
      : `${name} cannot be a CNAME and something else`;
    return [{ pointer: at, rule: 'unique', detail }];
  });
}

function typesOf({ type, sites: uses }: NamePolicy, sites: Sites): string[] {
  if (type !== undefined) return [type];
  const types = uses.flatMap((use) => {
    const { site, endpoint = sites[site]?.endpoint } = asUse(use);
    if (!isEndpoint(endpoint)) return [];
    if (endpoint.cname !== undefined) return ['CNAME'];
    return endpoint.addresses?.map((address) => (isIPv4(address) ? 'A' : 'AAAA')) ?? ['A'];
  });
  return [...new Set(types)];
}

function asUse(use: string | SiteUse): SiteUse {
  return typeof use === 'string' ? { site: use } : use;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEndpoint(value: unknown): value is Endpoint {
  if (!isObject(value)) return false;
  const { cname, addresses, alias } = value;
  return (
    typeof cname === 'string' || isObject(alias) || (Array.isArray(addresses) && addresses.every(isText))
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** Well enough formed to look at closer; the schema says what is wrong otherwise. */
function isName(value: unknown): value is NamePolicy {
  return (
    isObject(value) &&
    isText(value['name']) &&
    areUses(value['sites']) &&
    (value['routes'] === undefined ||
      (Array.isArray(value['routes']) &&
        value['routes'].every(
          (route) => isObject(route) && isText(route['path']) && areUses(route['sites']),
        )))
  );
}

function areUses(value: unknown): boolean {
  return Array.isArray(value) && value.every((use) => isText(use) || (isObject(use) && isText(use['site'])));
}

function isRecord(value: unknown): value is RecordPolicy {
  if (!isObject(value) || !isText(value['name']) || !isText(value['type'])) return false;
  const { values } = value;
  return values === undefined || (Array.isArray(values) && values.every(isText));
}

/** Those that are well enough formed, each with its pointer. */
function listOf<T>(
  policy: Record<string, unknown>,
  part: string,
  isWanted: (value: unknown) => value is T,
): [T, string][] {
  const list: unknown = policy[part];
  if (!Array.isArray(list)) return [];
  return list.flatMap((value, index): [T, string][] =>
    isWanted(value) ? [[value, `/${part}/${index}`]] : [],
  );
}
