/**
 * What the server is told to serve: one zone, as a JSON document in the terms of the model.
 *
 * Invariant: a `Zone` that `readZone` has returned can be served; every rule is checked there, once.
 */
import { Ajv, type ErrorObject } from 'ajv';
import type { LockNote } from '@tandem-clouds/zone/lock-note';
import { keyOf, type RoutedRecord, type Target, type ZoneRecord } from '@tandem-clouds/zone/model';
import { isAddress, isHost, valuesMistake } from '@tandem-clouds/zone/values';
import {
  CHECK_INTERVAL_SECONDS_MAX,
  CHECK_INTERVAL_SECONDS_MIN,
  CHECK_THRESHOLD_MAX,
  RECORDS_MAX,
  TARGETS_MAX,
  TTL_SECONDS_MAX,
  VALUE_CHARS_MAX,
  VALUES_MAX,
  WEIGHT_MAX,
} from './bounds.ts';
import { parseValue, SERVED_TYPES } from './values.ts';
import { LABEL_BYTES_MAX, NAME_BYTES_MAX } from './wire.ts';

export interface Zone {
  /** `tandem.test` */
  readonly zone: string;
  readonly records: readonly ZoneRecord[];
  /** Who may change the zone; kept for the planner, without effect on answers. */
  readonly lock?: LockNote;
}

/** A zone that cannot be served. `problems` names every field that is wrong, and the rule. */
export class ZoneError extends Error {
  override readonly name = 'ZoneError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the zone cannot be served:\n${problems.join('\n')}`);
    this.problems = problems;
  }
}

const LABEL = `[a-z0-9_](?:[a-z0-9_-]{0,${LABEL_BYTES_MAX - 2}}[a-z0-9_])?`;
/** Sites are labels, because the server makes names of them. */
export const SITE_LABEL = new RegExp(`^${LABEL}$`);
const NAME_CHARS_MAX = NAME_BYTES_MAX - 2;
const DOMAIN = { type: 'string', maxLength: NAME_CHARS_MAX, pattern: `^${LABEL}(?:\\.${LABEL})*$` };
const TTL = { type: 'integer', minimum: 0, maximum: TTL_SECONDS_MAX };
const VALUES = {
  type: 'array',
  minItems: 1,
  maxItems: VALUES_MAX,
  items: { type: 'string', maxLength: VALUE_CHARS_MAX },
};
const CODES = { type: 'array', maxItems: 300, items: { type: 'string', pattern: '^[A-Z]{2}$' } };
const record = (required: Record<string, unknown>, optional: Record<string, unknown> = {}) => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(required),
  properties: { ...required, ...optional },
});

const CHECK = record({
  protocol: { enum: ['http', 'https'] },
  host: { type: 'string', minLength: 1, maxLength: NAME_CHARS_MAX },
  port: { type: 'integer', minimum: 1, maximum: 65_535 },
  path: { type: 'string', pattern: '^/[\\x21-\\x7e]*$', maxLength: 255 },
  intervalSeconds: {
    type: 'number',
    minimum: CHECK_INTERVAL_SECONDS_MIN,
    maximum: CHECK_INTERVAL_SECONDS_MAX,
  },
  failureThreshold: { type: 'integer', minimum: 1, maximum: CHECK_THRESHOLD_MAX },
});

const TARGET = record(
  { site: { type: 'string', pattern: SITE_LABEL.source }, values: VALUES },
  {
    weight: { type: 'number', minimum: 0, maximum: WEIGHT_MAX },
    region: { type: 'string', minLength: 1, maxLength: 64 },
    location: record({ continents: CODES, countries: CODES, default: { type: 'boolean' } }),
    check: CHECK,
  },
);

const PLAIN = record({
  kind: { const: 'plain' },
  name: DOMAIN,
  type: { enum: SERVED_TYPES },
  ttlSeconds: TTL,
  values: VALUES,
});

const ROUTED = record({
  kind: { const: 'routed' },
  name: DOMAIN,
  type: { enum: ['A', 'AAAA', 'CNAME'] },
  ttlSeconds: TTL,
  strategy: { enum: ['weighted', 'latency', 'geolocation', 'failover'] },
  targets: { type: 'array', minItems: 1, maxItems: TARGETS_MAX, items: TARGET },
});

const SCHEMA = record(
  {
    zone: DOMAIN,
    records: {
      type: 'array',
      maxItems: RECORDS_MAX,
      items: {
        type: 'object',
        required: ['kind'],
        discriminator: { propertyName: 'kind' },
        oneOf: [PLAIN, ROUTED],
      },
    },
  },
  {
    lock: record({
      owner: { type: 'string', maxLength: 255 },
      nonce: { type: 'string', maxLength: 255 },
      expiresAtMs: { type: 'number' },
    }),
  },
);

const validate = new Ajv({ allErrors: true, discriminator: true }).compile<Zone>(SCHEMA);

/**
 * Checks a document against the schema and against what only a look at the whole shows.
 * @throws ZoneError with all that is wrong.
 */
export function readZone(document: unknown): Zone {
  if (!validate(document)) throw new ZoneError((validate.errors ?? []).map(describe));
  const problems = [
    ...namesOf(document),
    ...document.records.flatMap((one) =>
      one.kind === 'routed' ? targetsOf(one) : valuesOf(one, keyOf(one)),
    ),
  ];
  if (problems.length > 0) throw new ZoneError(problems);
  return document;
}

function describe({ instancePath, message = '', params }: ErrorObject): string {
  const field = 'additionalProperty' in params ? `: ${String(params['additionalProperty'])}` : '';
  return `${instancePath === '' ? '/' : instancePath} ${message}${field}`;
}

/** True for the zone's own name and for all below it. */
export function isWithin(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

/** The names that the server makes for a target of a name. */
export interface MadeNames {
  /** This site and no other, healthy or not. */
  readonly site: string;
  /** SRV (RFC 2782). */
  readonly service?: string;
  /** SVCB or HTTPS (RFC 9460). */
  readonly binding?: string;
}

/** A browser takes an HTTPS record as a reason to use TLS (RFC 9460, section 9.5), so plain HTTP has SVCB ones. */
export function madeNames(name: string, { site, check }: Target): MadeNames {
  if (check === undefined) return { site: `${site}.${name}` };
  return {
    site: `${site}.${name}`,
    service: `_${check.protocol}._tcp.${name}`,
    binding: check.protocol === 'https' ? name : `_http.${name}`,
  };
}

function namesOf({ zone, records }: Zone): string[] {
  const problems: string[] = [];
  const types = new Map<string, Set<string>>();
  const made = new Map<string, string>();
  for (const one of records) {
    const { name, type } = one;
    if (!isWithin(name, zone)) problems.push(`${keyOf(one)} is not within ${zone}`);
    const present = types.get(name) ?? new Set();
    if (present.has(type)) problems.push(`${keyOf(one)} is there twice`);
    types.set(name, present.add(type));
    for (const target of one.kind === 'routed' ? one.targets : []) {
      for (const other of Object.values(madeNames(name, target)) as string[]) {
        if (other !== name) made.set(other, name);
        if (other.length > NAME_CHARS_MAX) problems.push(`${other} is too long a name`);
      }
    }
  }
  for (const [name, present] of types) {
    const owner = made.get(name);
    if (owner !== undefined) problems.push(`${name} is a name that the server makes for ${owner}`);
    if (present.has('CNAME') && (present.size > 1 || name === zone)) {
      problems.push(`${name}: a CNAME stands alone (RFC 1034, section 3.6.2)`);
    }
  }
  return problems;
}

function targetsOf({ name, type, strategy, targets }: RoutedRecord): string[] {
  const problems: string[] = [];
  const sites = new Set<string>();
  for (const { site, values, region, location, check } of targets) {
    const key = `${name} ${type}, ${site}`;
    if (sites.has(site)) problems.push(`${key}: the site is there twice`);
    sites.add(site);
    problems.push(...valuesOf({ type, values }, key));
    if (strategy === 'latency' && region === undefined) problems.push(`${key}: latency needs a region`);
    if (strategy === 'geolocation' && location === undefined)
      problems.push(`${key}: geolocation needs a location`);
    if (check !== undefined && !(isAddress(check.host) || isHost(check.host)))
      problems.push(`${key}: '${check.host}' is not a host`);
  }
  return problems;
}

function valuesOf(
  { type, values }: Pick<ZoneRecord, 'type'> & { values: readonly string[] },
  key: string,
): string[] {
  const problems = values
    .filter((value) => parseValue(type, value) === undefined)
    .map((value) => `${key}: '${value}' is no value of this type`);
  const together = valuesMistake(type, values);
  if (together !== undefined) problems.push(`${key}: ${together}`);
  return problems;
}
