/**
 * What a schema cannot say of a policy. It is given whatever the file held: a part that the schema refuses is left out
 * here, so that all mistakes of a file are seen at once.
 */
import type { RecordType } from '@tandem-clouds/zone/model';
import { isAddress, isHost, valueMistake, valuesMistake } from '@tandem-clouds/zone/values';
import { escaped } from './json-pointer.ts';
import { APEX_CNAME, nameMistakes, routeMistakes, type Sites, typesOf } from './name-rules.ts';
import type { Mistake } from './parse.ts';
import type { NamePolicy, Policy, RecordPolicy } from './policy.ts';
import { matchesName } from './unmanaged.ts';

/** Every rule that is broken, with its place. */
export function rulesBroken(value: unknown): readonly Mistake[] {
  if (!isObject(value)) return [];
  const { healthCheck } = value;
  const sites = (isObject(value['sites']) ? value['sites'] : {}) as Sites;
  const names = listOf(value, 'names', isName);
  const records = listOf(value, 'records', isRecord);
  const flattens = FLATTENS.has(value['provider']);
  return [
    ...Object.entries(sites).flatMap(([site, settings]) =>
      placeMistakes(settings, `/sites/${escaped(site)}`),
    ),
    ...names.flatMap(([name, at]) => {
      const context = { sites, checked: healthCheck !== false, flattens };
      return [
        ...usesOf(name, at).flatMap(([use, place]) => (isText(use) ? [] : placeMistakes(use, place))),
        ...nameMistakes(name, at, context),
        ...routeMistakes(name, at, context),
      ];
    }),
    ...records.flatMap(([record, at]) => recordMistakes(record, at, flattens)),
    ...[...names, ...records].flatMap(([{ name }, at]) => [
      ...reservedMistakes(name, at),
      ...managedMistakes(name, at, value['unmanaged']),
    ]),
    ...clashes(names, records, sites),
  ];
}

/** These answer a CNAME of the zone itself with the addresses that it leads to, so that it may stand beside others. */
const FLATTENS: ReadonlySet<unknown> = new Set<Policy['provider']>(['cloudflare']);

/** The zone's own notes: its lock, where traffic stands, and what the monitors know. */
const RESERVED = ['_tandem-lock', '_tandem-monitor', '_tandem-traffic'];

function reservedMistakes(name: string, at: string): Mistake[] {
  return RESERVED.includes(name)
    ? [
        {
          pointer: `${at}/name`,
          rule: 'reserved',
          detail: `${name} holds notes of these commands; take another name`,
        },
      ]
    : [];
}

/** What is here and unmanaged as well would be made again and again, and never be found. */
function managedMistakes(name: string, at: string, patterns: unknown): Mistake[] {
  const pattern = (Array.isArray(patterns) ? patterns : [])
    .filter(isText)
    .find((one) => matchesName(one, name));
  if (pattern === undefined) return [];
  const detail = `${name} is here, and unmanaged by '${pattern}' as well; leave out one of the two`;
  return [{ pointer: `${at}/name`, rule: 'unmanaged', detail }];
}

/** Of a site, or of what a name says differently of it. */
function placeMistakes(settings: unknown, at: string): Mistake[] {
  if (!isObject(settings)) return [];
  const { url, endpoint } = settings;
  const wrong = isText(url) ? urlMistake(url) : undefined;
  const { cname, alias } = isObject(endpoint) ? endpoint : {};
  return [
    ...(wrong === undefined ? [] : [{ pointer: `${at}/url`, rule: 'url', detail: wrong }]),
    ...hostMistakes(cname, `${at}/endpoint/cname`, (host) => `say addresses: [${host}]`),
    ...aliasMistakes(alias, `${at}/endpoint/alias`),
  ];
}

function aliasMistakes(alias: unknown, at: string): Mistake[] {
  return isObject(alias)
    ? hostMistakes(alias['host'], `${at}/host`, () => 'an alias leads to a name of AWS')
    : [];
}

/** A host that the schema refuses as well is named twice, each time with another reason. */
function hostMistakes(host: unknown, pointer: string, instead: (host: string) => string): Mistake[] {
  if (!isText(host) || isHost(host)) return [];
  const detail = isAddress(host)
    ? `${host} is an address, not a host name; ${instead(host)}`
    : `'${host}' is not a host name`;
  return [{ pointer, rule: 'host', detail }];
}

function urlMistake(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null)
    return `'${text}' is not a URL; its form is https://<host>[:<port>], with a port up to 65535`;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return isHost(host) || isAddress(host) ? undefined : `'${host}' is neither a host name nor an address`;
}

/** Every use of a site by a name and its routes, with its pointer. */
function usesOf({ sites, routes = [] }: NamePolicy, at: string): [NamePolicy['sites'][number], string][] {
  const lists: [NamePolicy['sites'], string][] = [
    [sites, `${at}/sites`],
    ...routes.map((route, index): [NamePolicy['sites'], string] => [
      route.sites,
      `${at}/routes/${index}/sites`,
    ]),
  ];
  return lists.flatMap(([uses, place]) =>
    uses.map((use, index): [NamePolicy['sites'][number], string] => [use, `${place}/${index}`]),
  );
}

function recordMistakes(
  { name, type, values = [], alias, edge = false }: RecordPolicy,
  at: string,
  flattens: boolean,
): Mistake[] {
  const wrong = values.flatMap((value, index): Mistake[] => {
    const detail = valueMistake(type, value);
    return detail === undefined ? [] : [{ pointer: `${at}/values/${index}`, rule: 'value', detail }];
  });
  wrong.push(...aliasMistakes(alias, `${at}/alias`));
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
  const together = valuesMistake(type, values);
  if (together !== undefined) wrong.push({ pointer: `${at}/values`, rule: 'value', detail: together });
  if (name === '@' && type === 'NS') {
    wrong.push({ pointer: at, rule: 'apex', detail: 'the NS of the zone itself is not set here' });
  }
  if (name === '@' && type === 'CNAME' && !flattens) wrong.push({ pointer: at, ...APEX_CNAME });
  return wrong;
}

/**
 * Two entries of one name and type, or a CNAME beside anything (RFC 1034, 3.6.2); at the zone itself, where it is
 * flattened, beside addresses only.
 */
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
    const stands = (type: string): boolean => name === '@' && !['A', 'AAAA'].includes(type);
    const besideCname = (others: Iterable<string>): boolean => ![...others].every(stands);
    const clash = types.find(
      (type) =>
        before.has(type) ||
        (before.has('CNAME') && besideCname([type])) ||
        (type === 'CNAME' && besideCname(before)),
    );
    seen.set(name, new Set([...before, ...types]));
    if (clash === undefined) return [];
    const detail = before.has(clash)
      ? `${name} ${clash} is here twice`
      : `${name} cannot be a CNAME and something else`;
    return [{ pointer: at, rule: 'unique', detail }];
  });
}

const TYPES: readonly unknown[] = [
  'A',
  'AAAA',
  'CAA',
  'CNAME',
  'MX',
  'NS',
  'SRV',
  'TXT',
] satisfies RecordType[];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** Well enough formed to look at closer; the schema says what is wrong otherwise. */
function isName(value: unknown): value is NamePolicy {
  return (
    isObject(value) &&
    isText(value['name']) &&
    (value['type'] === undefined || isText(value['type'])) &&
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
  if (!isObject(value) || !isText(value['name']) || !TYPES.includes(value['type'])) return false;
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
