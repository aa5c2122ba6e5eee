/**
 * Route 53 on loopback, for the real client: it checks every request against the published shapes, keeps zones and health
 * checks, and refuses what the service refuses: other than exact deletes, double creates, limits, more than five requests
 * a second, health checks that do not exist.
 */
import { randomUUID } from 'node:crypto';
import {
  type HttpEmulator,
  type IncomingRequest,
  type Response,
  startHttpEmulator,
} from '../core/http-emulator.ts';
import { parseXml, type Shape, shaped, toXml } from '../core/xml.ts';
import { CHANGE_SETS, CHANGE_TAGS, CREATE_CHECK } from './shapes.ts';

const NAMESPACE = 'https://route53.amazonaws.com/doc/2013-04-01/';
const BASE = '/2013-04-01';
const PER_SECOND = 5;

export interface RecordSet {
  Name: string;
  Type: string;
  SetIdentifier?: string;
  Weight?: number;
  Region?: string;
  GeoLocation?: Record<string, string>;
  Failover?: string;
  MultiValueAnswer?: boolean;
  TTL?: number;
  ResourceRecords?: { Value: string }[];
  AliasTarget?: Record<string, unknown>;
  HealthCheckId?: string;
}

interface Change {
  Action: string;
  ResourceRecordSet: RecordSet;
}

interface Check {
  readonly CallerReference: string;
  readonly HealthCheckConfig: Record<string, unknown>;
  readonly tags: Map<string, string>;
  /** What its checkers report; none: nothing yet. */
  healthy?: boolean;
}

export interface Route53Server extends HttpEmulator {
  readonly zoneId: string;
  readonly sets: readonly RecordSet[];
  readonly checks: ReadonlyMap<string, Check>;
  /** As if somebody else had done it. */
  edit(sets: RecordSet[]): void;
  addCheck(id: string, reference: string, config: Record<string, unknown>): void;
}

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export async function startRoute53(
  zone: string,
  clock: { now(): number },
  { limited = true } = {},
): Promise<Route53Server> {
  const zoneId = 'Z0TANDEM1STANDIN';
  let sets: RecordSet[] = [
    { Name: `${zone}.`, Type: 'NS', TTL: 172_800, ResourceRecords: [{ Value: 'ns-1.awsdns-01.org.' }] },
    {
      Name: `${zone}.`,
      Type: 'SOA',
      TTL: 900,
      ResourceRecords: [{ Value: 'ns-1.awsdns-01.org. a.b. 1 7200 900 1209600 86400' }],
    },
  ];
  const checks = new Map<string, Check>();
  const pending = new Map<string, number>();
  const recent: number[] = [];

  const route = (requested: IncomingRequest): Response => {
    authenticate(requested);
    if (limited) pace(clock, recent);
    const path = requested.path.replace(BASE, '');
    const at = (pattern: RegExp): RegExpExecArray | null => pattern.exec(`${requested.method} ${path}`);
    let match: RegExpExecArray | null;
    if (at(/^GET \/hostedzonesbyname$/)) return listZones(zone, zoneId);
    if ((match = at(/^GET \/hostedzone\/(\w+)\/rrset$/)))
      return zoneOnly(match, zoneId, () => listSets(sets, requested.query));
    if ((match = at(/^POST \/hostedzone\/(\w+)\/rrset\/?$/))) {
      return zoneOnly(match, zoneId, () => {
        const { ChangeBatch } = body(requested, 'ChangeResourceRecordSetsRequest', CHANGE_SETS) as {
          ChangeBatch: { Changes: Change[] };
        };
        sets = changed(sets, ChangeBatch.Changes, checks);
        const id = randomUUID().replaceAll('-', '').slice(0, 14).toUpperCase();
        pending.set(id, 1);
        return ok('ChangeResourceRecordSetsResponse', changeInfo(id, 'PENDING'));
      });
    }
    if ((match = at(/^GET \/change\/(\w+)$/))) return getChange(match[1] ?? '', pending);
    if (at(/^GET \/healthcheck$/)) return listChecks(checks, requested.query);
    if (at(/^POST \/healthcheck$/)) {
      return createCheck(
        checks,
        body(requested, 'CreateHealthCheckRequest', CREATE_CHECK) as Omit<Check, 'tags'>,
      );
    }
    if ((match = at(/^GET \/healthcheck\/([\w-]+)\/status$/))) {
      return status(find(checks, match[1] ?? ''));
    }
    if ((match = at(/^DELETE \/healthcheck\/([\w-]+)$/))) {
      const [, id = ''] = match;
      find(checks, id);
      if (sets.some(({ HealthCheckId }) => HealthCheckId === id)) {
        throw new Refusal(400, 'HealthCheckInUse', `${id} is in use`);
      }
      checks.delete(id);
      return ok('DeleteHealthCheckResponse', {});
    }
    if ((match = at(/^POST \/tags\/healthcheck\/([\w-]+)$/))) {
      const [, id = ''] = match;
      const { AddTags = [] } = body(requested, 'ChangeTagsForResourceRequest', CHANGE_TAGS) as {
        AddTags?: { Key: string; Value: string }[];
      };
      for (const { Key, Value } of AddTags) find(checks, id).tags.set(Key, Value);
      return ok('ChangeTagsForResourceResponse', {});
    }
    throw new Refusal(404, 'UnknownOperationException', `${requested.method} ${requested.path}`);
  };

  const emulator = await startHttpEmulator((requested) => {
    try {
      return route(requested);
    } catch (error) {
      if (error instanceof Refusal) return refusal(error.status, error.code, error.message);
      return refusal(400, 'InvalidInput', (error as Error).message);
    }
  });
  return {
    ...emulator,
    zoneId,
    checks,
    get sets() {
      return sets;
    },
    edit: (next) => void (sets = next),
    addCheck: (id, CallerReference, HealthCheckConfig) =>
      void checks.set(id, { CallerReference, HealthCheckConfig, tags: new Map() }),
  };
}

/** The XML error of restXml: https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html */
export function refusal(status: number, code: string, message = code): Response {
  const xml = toXml('ErrorResponse', {
    Error: { Type: 'Sender', Code: code, Message: message },
    RequestId: randomUUID(),
  });
  return { status, body: xml, headers: { 'content-type': 'text/xml' } };
}

function ok(root: string, value: unknown): Response {
  const status = root.startsWith('Create') ? 201 : 200;
  return {
    status,
    body: `<?xml version="1.0"?>${toXml(root, value)}`,
    headers: { 'content-type': 'text/xml' },
  };
}

function authenticate({ headers }: IncomingRequest): void {
  const scope = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/us-east-1\/route53\/aws4_request,/;
  const key = scope.exec(headers.authorization ?? '')?.[1];
  if (key === undefined) throw new Refusal(403, 'MissingAuthenticationToken', 'Missing Authentication Token');
  if (key === 'WRONG')
    throw new Refusal(403, 'InvalidClientTokenId', 'The security token included in the request is invalid');
}

function pace(clock: { now(): number }, recent: number[]): void {
  const now = clock.now();
  while (recent[0] !== undefined && recent[0] <= now - 1000) recent.shift();
  // The bucket of the client may start full, so a second may see its burst and a second's refill.
  if (recent.length >= 2 * PER_SECOND) throw new Refusal(400, 'Throttling', 'Rate exceeded');
  recent.push(now);
}

function body(requested: IncomingRequest, root: string, shape: Shape): unknown {
  const parsed = parseXml(requested.body);
  if (parsed.namespace !== NAMESPACE) throw new Error(`the namespace is '${parsed.namespace}'`);
  if (parsed.root.name !== root) throw new Error(`the root is ${parsed.root.name}, not ${root}`);
  return shaped(parsed.root, shape);
}

function zoneOnly(match: RegExpExecArray, zoneId: string, act: () => Response): Response {
  if (match[1] !== zoneId)
    throw new Refusal(404, 'NoSuchHostedZone', `No hosted zone found with ID: ${match[1] ?? ''}`);
  return act();
}

function listZones(zone: string, zoneId: string): Response {
  const one = {
    Id: `/hostedzone/${zoneId}`,
    Name: `${zone}.`,
    CallerReference: 'by hand',
    Config: { PrivateZone: false },
    ResourceRecordSetCount: 2,
  };
  return ok('ListHostedZonesByNameResponse', {
    HostedZones: { HostedZone: [one] },
    IsTruncated: false,
    MaxItems: 100,
  });
}

/** Labels from the right, then type, then identifier. */
function orderOf({ Name, Type, SetIdentifier = '' }: RecordSet): string {
  return [Name.split('.').reverse().join('.'), Type, SetIdentifier].join('\0');
}

const orders = new WeakMap<readonly RecordSet[], readonly RecordSet[]>();

/** Sorted once for each state of the zone, not for each page. */
function inOrder(sets: readonly RecordSet[]): readonly RecordSet[] {
  const known = orders.get(sets);
  if (known) return known;
  const keyed = sets.map((set): [string, RecordSet] => [orderOf(set), set]);
  const ordered = keyed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, set]) => set);
  orders.set(sets, ordered);
  return ordered;
}

function listSets(sets: readonly RecordSet[], query: URLSearchParams): Response {
  const ordered = inOrder(sets);
  const dotted = (name: string): string => (name.endsWith('.') ? name : `${name}.`);
  const name = query.get('name');
  const start =
    name === null
      ? ''
      : orderOf({
          Name: dotted(name),
          Type: query.get('type') ?? '',
          SetIdentifier: query.get('identifier') ?? '',
        });
  const from = ordered.filter((set) => orderOf(set) >= start);
  const max = Math.min(Number(query.get('maxitems') ?? 300), 300);
  const next = from[max];
  return ok('ListResourceRecordSetsResponse', {
    ResourceRecordSets: { ResourceRecordSet: from.slice(0, max).map(written) },
    IsTruncated: next !== undefined,
    MaxItems: max,
    ...(next && {
      NextRecordName: next.Name,
      NextRecordType: next.Type,
      NextRecordIdentifier: next.SetIdentifier,
    }),
  });
}

function written({ ResourceRecords, ...set }: RecordSet): unknown {
  const Name = set.Name.replaceAll('*', '\\052');
  return { ...set, Name, ...(ResourceRecords && { ResourceRecords: { ResourceRecord: ResourceRecords } }) };
}

function changed(
  sets: readonly RecordSet[],
  changes: readonly Change[],
  checks: ReadonlyMap<string, Check>,
): RecordSet[] {
  const problems = limits(changes);
  let after = [...sets];
  for (const { Action, ResourceRecordSet } of changes) {
    const set = {
      ...ResourceRecordSet,
      Name: ResourceRecordSet.Name.replace(/\.?$/, '.').replaceAll('\\052', '*'),
    };
    const same = (other: RecordSet): boolean => orderOf(other) === orderOf(set);
    const present = after.find(same);
    const label = `[name='${set.Name}', type='${set.Type}']`;
    if (Action === 'CREATE' && present)
      problems.push(`Tried to create resource record set ${label} but it already exists`);
    if (Action === 'DELETE' && !present)
      problems.push(`Tried to delete resource record set ${label} but it was not found`);
    if (Action === 'DELETE' && present && text(present) !== text(set)) {
      problems.push(
        `Tried to delete resource record set ${label} but the values provided do not match the current values`,
      );
    }
    if (set.HealthCheckId !== undefined && Action !== 'DELETE') find(checks, set.HealthCheckId);
    after = after.filter((other) => !same(other));
    if (Action !== 'DELETE') after.push(set);
  }
  problems.push(...inconsistent(after));
  if (problems.length > 0) throw new Refusal(400, 'InvalidChangeBatch', `[${problems.join(', ')}]`);
  return after;
}

function text(set: RecordSet): string {
  return JSON.stringify(Object.entries(set).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function limits(changes: readonly Change[]): string[] {
  const factor = ({ Action }: Change): number => (Action === 'UPSERT' ? 2 : 1);
  let [records, characters] = [0, 0];
  for (const change of changes) {
    const values = change.ResourceRecordSet.ResourceRecords ?? [];
    records += factor(change) * values.length;
    for (const { Value } of values) characters += factor(change) * Value.length;
  }
  return [
    ...(changes.length === 0 ? ['there is nothing to change'] : []),
    ...(changes.length > 1000 ? ['Number of changes exceeds 1000'] : []),
    ...(records > 1000 ? [`Number of records limit of 1000 exceeded: ${records}`] : []),
    ...(characters > 32_000 ? [`RDATA character length limit of 32000 exceeded: ${characters}`] : []),
  ];
}

/** What the service refuses of the zone as a whole. */
function inconsistent(sets: readonly RecordSet[]): string[] {
  const problems: string[] = [];
  for (const [name, group] of Map.groupBy(sets, ({ Name }) => Name)) {
    const types = new Set(group.map(({ Type }) => Type));
    if (types.has('CNAME') && types.size > 1)
      problems.push(`RRSet of type CNAME with DNS name ${name} is not permitted beside others`);
    for (const [type, same] of Map.groupBy(group, ({ Type }) => Type)) {
      const kinds = new Set(same.map(kindOf));
      if (kinds.size > 1) problems.push(`${name} ${type}: multiple routing policies`);
      if (same.length > 1 && kinds.has('simple')) problems.push(`${name} ${type}: simple twice`);
      const distinct = (pick: (set: RecordSet) => unknown): boolean =>
        new Set(same.map((set) => JSON.stringify(pick(set)))).size === same.length;
      if (kinds.has('Region') && !distinct(({ Region }) => Region))
        problems.push(`${name} ${type}: a region twice`);
      if (kinds.has('Failover') && !distinct(({ Failover }) => Failover))
        problems.push(`${name} ${type}: two of one failover kind`);
      if (kinds.has('GeoLocation') && !distinct(({ GeoLocation }) => GeoLocation))
        problems.push(`${name} ${type}: a location twice`);
    }
  }
  return problems;
}

function kindOf(set: RecordSet): string {
  if (set.SetIdentifier === undefined) return 'simple';
  const kinds = (['Weight', 'Region', 'GeoLocation', 'Failover', 'MultiValueAnswer'] as const).filter(
    (kind) => set[kind] !== undefined,
  );
  const [kind, ...others] = kinds;
  return kind !== undefined && others.length === 0 ? kind : `invalid: ${kinds.join()}`;
}

function changeInfo(id: string, state: string): unknown {
  return { ChangeInfo: { Id: `/change/${id}`, Status: state, SubmittedAt: '2026-01-01T00:00:00.000Z' } };
}

function getChange(id: string, pending: Map<string, number>): Response {
  const polls = pending.get(id);
  if (polls === undefined) throw new Refusal(404, 'NoSuchChange', id);
  pending.set(id, polls - 1);
  return ok('GetChangeResponse', changeInfo(id, polls > 0 ? 'PENDING' : 'INSYNC'));
}

function listChecks(checks: ReadonlyMap<string, Check>, query: URLSearchParams): Response {
  const all = [...checks];
  const from = query.has('marker') ? all.findIndex(([id]) => id === query.get('marker')) : 0;
  const max = Number(query.get('maxitems') ?? 100);
  const next = all[from + max];
  return ok('ListHealthChecksResponse', {
    HealthChecks: {
      HealthCheck: all.slice(from, from + max).map(([Id, { CallerReference, HealthCheckConfig }]) => ({
        Id,
        CallerReference,
        HealthCheckConfig,
        HealthCheckVersion: 1,
      })),
    },
    IsTruncated: next !== undefined,
    MaxItems: max,
    ...(next && { NextMarker: next[0] }),
  });
}

function createCheck(
  checks: Map<string, Check>,
  { CallerReference, HealthCheckConfig }: Omit<Check, 'tags'>,
): Response {
  const Id = randomUUID();
  checks.set(Id, { CallerReference, HealthCheckConfig, tags: new Map() });
  const response = ok('CreateHealthCheckResponse', {
    HealthCheck: { Id, CallerReference, HealthCheckConfig, HealthCheckVersion: 1 },
  });
  return { ...response, headers: { ...response.headers, location: `${BASE}/healthcheck/${Id}` } };
}

function find(checks: ReadonlyMap<string, Check>, id: string): Check {
  const check = checks.get(id);
  if (check === undefined) throw new Refusal(404, 'NoSuchHealthCheck', id);
  return check;
}

function status({ healthy }: Check): Response {
  const Status = healthy === true ? 'Success: HTTP Status Code 200, OK' : 'Failure: Connection timed out.';
  const CheckedTime = '2026-01-01T00:00:00.000Z';
  const seen = ['us-east-1', 'eu-west-1'].map((Region) => ({
    Region,
    IPAddress: '192.0.2.1',
    StatusReport: { Status, CheckedTime },
  }));
  return ok('GetHealthCheckStatusResponse', {
    HealthCheckObservations: { HealthCheckObservation: healthy === undefined ? [] : seen },
  });
}
