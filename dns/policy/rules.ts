/**
 * What a schema cannot say of a policy. It is given whatever the file held: a part that the schema refuses is left out
 * here, so that all mistakes of a file are seen at once.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { nameMistakes, routeMistakes, typesOf, type Sites } from './name-rules.ts';
import type { Mistake } from './parse.ts';
import type { NamePolicy, RecordPolicy } from './policy.ts';

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
