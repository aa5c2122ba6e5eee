/**
 * A zone of Cloudflare: plain names are DNS records, routed names are load balancers.
 *
 * DNS records change in batches, each one transaction; a load balancer changes in one request. A name that moves between
 * the two is answered all the while, as a load balancer goes before a record of the same name.
 */
import type { RecordResponse } from 'cloudflare/resources/dns/records';
import type { LoadBalancer } from 'cloudflare/resources/load-balancers/load-balancers';
import type { Monitor } from 'cloudflare/resources/load-balancers/monitors/monitors';
import type { Pool } from 'cloudflare/resources/load-balancers/pools/pools';
import { ProviderError } from '../../errors.ts';
import {
  checkKey,
  keyOf,
  type Change,
  type HealthCheck,
  type RoutedRecord,
  type Target,
  type ZoneRecord,
} from '../../model.ts';
import { sorted } from '../../policy/records.ts';
import type { Capabilities, LiveZone, LockNote, Prepared, Provider } from '../../provider.ts';
import { refuseChanged } from '../unchanged.ts';
import { codesOf, connect, listAll, type Connection, type ConnectionOptions } from './client.ts';
import { fromRecords, RECORD_TYPES, toPosts, TTL_AUTO, type NewRecord } from './dns-records.ts';
import {
  checkFrom,
  descriptionOf,
  poolKey,
  REGIONS,
  routedFrom,
  targetFrom,
  toBalancer,
  toMonitor,
  toPool,
} from './load-balancers.ts';
import { lockContent, lockFrom, lockName, LOST_CODES } from './lock-record.ts';

/** Of the free plan: https://developers.cloudflare.com/dns/manage-dns-records/how-to/batch-record-changes */
const BATCH_MAX = 200;
const PAGE = 1_000;
/** https://developers.cloudflare.com/dns/manage-dns-records/reference/ttl/ */
const RECORD_TTL = { min: 60, max: 86_400 };
/** DNS-only load balancers take 30 seconds to 10 minutes: https://cloud.ibm.com/docs/cis?topic=cis-proxy-modes */
const BALANCER_TTL = { min: 30, max: 600 };

const CAPABILITIES: Capabilities = {
  strategies: ['weighted', 'latency', 'geolocation', 'failover'],
  recordTypes: RECORD_TYPES,
  aliases: false,
  edge: true,
  // The exact bounds depend on the record; see prepare.
  ttlSeconds: { min: 0, max: RECORD_TTL.max },
  weightMax: 100,
  targetsMax: {},
  checkIntervalSeconds: { min: 5, max: 3_600 },
  failureThreshold: { min: 1, max: 10 },
};

export interface CloudflareOptions extends ConnectionOptions {
  readonly zone: string;
  /** Looked up by name when absent. */
  readonly zoneId?: string;
}

/** What the API says, as it is. */
interface Raw {
  readonly zoneId: string;
  readonly accountId: string;
  readonly records: readonly RecordResponse[];
  readonly balancers: readonly LoadBalancer[];
  readonly pools: readonly Pool[];
  readonly monitors: readonly Monitor[];
}

export class CloudflareProvider implements Provider {
  readonly name = 'Cloudflare';
  readonly capabilities = CAPABILITIES;
  readonly zone: string;
  readonly #options: CloudflareOptions;
  #connected: Connection | undefined;
  #ids: Promise<{ zoneId: string; accountId: string }> | undefined;

  constructor(options: CloudflareOptions) {
    this.zone = options.zone;
    this.#options = options;
  }

  prepare(records: readonly ZoneRecord[]): Prepared {
    return { records: records.map(asHeld), refusals: records.flatMap((record) => refused(record, records)) };
  }

  async read(): Promise<LiveZone> {
    const raw = await this.#readRaw();
    const { pools, monitors } = unused(raw, this.zone);
    return {
      ...understood(raw),
      leftovers: [
        ...pools.map(({ name = '' }) => `pool ${name}`),
        ...monitors.map(({ id = '', path = '' }) => `monitor ${id} of ${path}`),
      ],
    };
  }

  async apply(changes: readonly Change[], onDone: (change: Change) => void): Promise<void> {
    const raw = await this.#readRaw();
    refuseChanged(changes, understood(raw).records);
    const groups = [...Map.groupBy(changes, ({ before, after }) => (before ?? after)?.name ?? '').values()];
    const plain = groups.filter((group) => !group.some(isRouted));
    for (const batch of packed(plain, raw)) {
      await this.#batch(raw.zoneId, batch.deletes, batch.posts);
      batch.changes.forEach(onDone);
    }
    const routed = groups.filter((group) => group.some(isRouted));
    const pools = await this.#ensurePools(routed.flat(), raw);
    for (const group of routed) {
      await this.#applyRouted(group, raw, pools);
      group.forEach(onDone);
    }
  }

  async cleanUp(): Promise<void> {
    const raw = await this.#readRaw();
    const { client, ask } = this.#connection();
    const { pools, monitors } = unused(raw, this.zone);
    const account = { account_id: raw.accountId };
    for (const { id = '' } of pools) await ask(async () => client.loadBalancers.pools.delete(id, account));
    for (const { id = '' } of monitors)
      await ask(async () => client.loadBalancers.monitors.delete(id, account));
  }

  async health(): Promise<ReadonlyMap<string, boolean>> {
    const raw = await this.#readRaw();
    const { client, ask } = this.#connection();
    const checks = checksOf(raw);
    const known = new Map<string, boolean>();
    for (const { id = '', monitor = '' } of raw.pools) {
      const check = checks.get(monitor);
      if (check === undefined) continue;
      const { pop_health } = await ask(async () =>
        client.loadBalancers.pools.health.get(id, { account_id: raw.accountId }),
      );
      const healthy = isHealthy(pop_health);
      if (healthy !== undefined) known.set(checkKey(check), healthy);
    }
    return known;
  }

  async readLock(): Promise<LockNote | undefined> {
    const record = await this.#lockRecord();
    return record && lockFrom(record.content ?? '');
  }

  async swapLock(expected: LockNote | undefined, next: LockNote | undefined): Promise<boolean> {
    const present = await this.#lockRecord();
    if (present?.content !== (expected && lockContent(expected))) return false;
    const post: NewRecord[] = next
      ? [
          {
            name: lockName(this.zone),
            type: 'CNAME',
            content: lockContent(next),
            ttl: RECORD_TTL.min,
            proxied: false,
          },
        ]
      : [];
    const { zoneId } = await this.#findIds();
    try {
      await this.#batch(zoneId, present ? [present.id] : [], post);
      return true;
    } catch (error) {
      if (codesOf(error).some((code) => LOST_CODES.includes(code))) return false;
      throw error;
    }
  }

  #connection(): Connection {
    this.#connected ??= connect(this.#options);
    return this.#connected;
  }

  async #findIds(): Promise<{ zoneId: string; accountId: string }> {
    this.#ids ??= this.#lookUp();
    try {
      return await this.#ids;
    } catch (error) {
      // An outage is not remembered: whoever asks again may hear another answer.
      this.#ids = undefined;
      throw error;
    }
  }

  async #lookUp(): Promise<{ zoneId: string; accountId: string }> {
    const { client, ask } = this.#connection();
    const zones = await listAll(ask, async () => client.zones.list({ name: this.zone }));
    const { zoneId } = this.#options;
    const found = zones.filter(({ id }) => zoneId === undefined || id === zoneId);
    const [zone] = found;
    if (zone === undefined)
      throw new ProviderError('not-found', `this token sees no Cloudflare zone ${this.zone}`);
    if (found.length > 1) {
      const ids = found.map(({ id }) => id).join(', ');
      throw new ProviderError(
        'rejected',
        `there are several zones ${this.zone}; set zoneId to one of ${ids}`,
      );
    }
    return { zoneId: zone.id, accountId: zone.account.id ?? '' };
  }

  async #readRaw(): Promise<Raw> {
    const { zoneId, accountId } = await this.#findIds();
    const { client, ask } = this.#connection();
    const account = { account_id: accountId };
    const [records, balancers, pools, monitors] = await Promise.all([
      listAll(ask, async () => client.dns.records.list({ zone_id: zoneId, per_page: PAGE })),
      listAll(ask, async () => client.loadBalancers.list({ zone_id: zoneId })),
      listAll(ask, async () => client.loadBalancers.pools.list(account)),
      listAll(ask, async () => client.loadBalancers.monitors.list(account)),
    ]);
    const own = records.filter(
      ({ name, type }) => name !== lockName(this.zone) && !(type === 'NS' && name === this.zone),
    );
    return { zoneId, accountId, records: own, balancers, pools, monitors };
  }

  async #lockRecord(): Promise<RecordResponse | undefined> {
    const { zoneId } = await this.#findIds();
    const { client, ask } = this.#connection();
    const [record] = await listAll(ask, async () =>
      client.dns.records.list({ zone_id: zoneId, name: { exact: lockName(this.zone) } }),
    );
    return record;
  }

  async #batch(zoneId: string, deletes: readonly string[], posts: readonly NewRecord[]): Promise<void> {
    if (deletes.length + posts.length === 0) return;
    const { client, ask } = this.#connection();
    await ask(async () =>
      client.dns.records.batch({
        zone_id: zoneId,
        ...(deletes.length > 0 && { deletes: deletes.map((id) => ({ id })) }),
        ...(posts.length > 0 && { posts: [...posts] }),
      }),
    );
  }

  /** Pool of each target that the changes need, by `poolKey`. */
  async #ensurePools(changes: readonly Change[], raw: Raw): Promise<ReadonlyMap<string, string>> {
    const { client, ask } = this.#connection();
    const account = { account_id: raw.accountId };
    const targets = targetsOf(raw);
    const ids = new Map(
      ours(raw.pools, this.zone).flatMap(({ id = '' }): [string, string][] => {
        const target = targets.get(id);
        return typeof target === 'object' ? [[poolKey(target), id]] : [];
      }),
    );
    const monitors = new Map(
      ours(raw.monitors, this.zone).flatMap((monitor): [string, string][] => {
        const check = checkFrom(monitor);
        return check ? [[checkKey(check), monitor.id ?? '']] : [];
      }),
    );
    const monitorFor = async (check: HealthCheck): Promise<string> => {
      const known = monitors.get(checkKey(check));
      if (known !== undefined) return known;
      const body = { ...account, ...toMonitor(check, this.zone) };
      const { id = '' } = await ask(async () => client.loadBalancers.monitors.create(body));
      monitors.set(checkKey(check), id);
      return id;
    };
    for (const target of changes.flatMap(({ after }) => (after?.kind === 'routed' ? after.targets : []))) {
      if (ids.has(poolKey(target))) continue;
      const monitor = target.check && (await monitorFor(target.check));
      const body = { ...account, ...toPool(target, this.zone, monitor) };
      const { id = '' } = await ask(async () => client.loadBalancers.pools.create(body));
      ids.set(poolKey(target), id);
    }
    return ids;
  }

  /** All changes of one name of which a load balancer is or becomes a part. */
  async #applyRouted(group: readonly Change[], raw: Raw, pools: ReadonlyMap<string, string>): Promise<void> {
    const { client, ask } = this.#connection();
    const { zoneId } = raw;
    const name = group.map(({ before, after }) => (before ?? after)?.name)[0] ?? '';
    const wanted = group
      .map(({ after }) => after)
      .find((after): after is RoutedRecord => after?.kind === 'routed');
    const present = raw.balancers.find((balancer) => balancer.name?.toLowerCase() === name);
    const [batch = { deletes: [], posts: [] }] = packed([group], raw);
    if (wanted === undefined) {
      await this.#batch(zoneId, batch.deletes, batch.posts);
      if (present?.id !== undefined) {
        const { id } = present;
        await ask(async () => client.loadBalancers.delete(id, { zone_id: zoneId }));
      }
      return;
    }
    const body = { zone_id: zoneId, ...toBalancer(wanted, pools, this.zone) };
    if (present?.id === undefined) await ask(async () => client.loadBalancers.create(body));
    else {
      const { id } = present;
      await ask(async () => client.loadBalancers.update(id, body));
    }
    await this.#batch(zoneId, batch.deletes, batch.posts);
  }
}

function isRouted({ before, after }: Change): boolean {
  return before?.kind === 'routed' || after?.kind === 'routed';
}

/** Behind the edge there is no TTL but the automatic one, and no region is kept for latency: it is measured. */
function asHeld(record: ZoneRecord): ZoneRecord {
  const ttl = record.edge === true ? { ttlSeconds: TTL_AUTO } : {};
  if (record.kind === 'plain') return { ...record, ...ttl };
  return { ...record, ...ttl, targets: record.targets.map(({ region: _, ...target }) => target) };
}

function refused(record: ZoneRecord, all: readonly ZoneRecord[]): string[] {
  const { min, max } = record.kind === 'plain' ? RECORD_TTL : BALANCER_TTL;
  const { ttlSeconds } = record;
  const automatic = record.edge === true || (record.kind === 'plain' && ttlSeconds === TTL_AUTO);
  const reasons = [
    ...(automatic || (ttlSeconds >= min && ttlSeconds <= max)
      ? []
      : [`takes ${min} to ${max} for the TTL of such a name, not ${ttlSeconds}`]),
    ...(record.kind === 'plain' ? (record.alias ? ['has no aliases'] : []) : routingRefused(record, all)),
  ];
  return reasons.map((why) => `${record.name} ${record.type}: Cloudflare ${why}`);
}

function routingRefused(
  { name, type, strategy, targets }: RoutedRecord,
  all: readonly ZoneRecord[],
): string[] {
  const other = all.find((record) => record.kind === 'routed' && record.name === name && record.type < type);
  return [
    ...(other ? [`has one load balancer for a name; ${name} cannot answer with IPv4 and IPv6 sites`] : []),
    ...(strategy === 'latency' && targets.some(({ check }) => check === undefined)
      ? ['measures latency by its health checks, so every site needs one']
      : []),
    ...targets.flatMap(({ location }) =>
      (location?.continents ?? []).flatMap((code) =>
        REGIONS[code] ? [] : [`has no region for the continent ${code}`],
      ),
    ),
  ];
}

interface RecordBatch {
  readonly changes: Change[];
  readonly deletes: string[];
  readonly posts: NewRecord[];
}

/** The DNS records of these changes, in as few batches as the limit allows; a name is never split. */
function packed(groups: readonly (readonly Change[])[], raw: Raw): readonly RecordBatch[] {
  const ids = Map.groupBy(raw.records, ({ name, type }) => `${name.toLowerCase()} ${type}`);
  const batches: RecordBatch[] = [];
  for (const group of groups) {
    const deletes = group.flatMap(({ before }) =>
      before?.kind === 'plain' ? (ids.get(keyOf(before)) ?? []).map(({ id }) => id) : [],
    );
    const posts = group.flatMap(({ after }) => (after?.kind === 'plain' ? toPosts(after) : []));
    let last = batches.at(-1);
    if (!last || last.deletes.length + last.posts.length + deletes.length + posts.length > BATCH_MAX) {
      last = { changes: [], deletes: [], posts: [] };
      batches.push(last);
    }
    last.changes.push(...group);
    last.deletes.push(...deletes);
    last.posts.push(...posts);
  }
  return batches;
}

function understood(raw: Raw): Pick<LiveZone, 'foreign' | 'records'> {
  const plain = fromRecords(raw.records);
  const targets = targetsOf(raw);
  const routed = raw.balancers.map((balancer) => routedFrom(balancer, targets));
  return {
    records: sorted([...plain.records, ...routed.flatMap((one) => ('reason' in one ? [] : [one]))]),
    foreign: [...plain.foreign, ...routed.flatMap((one) => ('reason' in one ? [one] : []))],
  };
}

function checksOf({ monitors }: Raw): ReadonlyMap<string, HealthCheck | undefined> {
  return new Map(monitors.map((monitor) => [monitor.id ?? '', checkFrom(monitor)]));
}

function targetsOf(raw: Raw): ReadonlyMap<string, Target | string> {
  const checks = checksOf(raw);
  return new Map(raw.pools.map((pool) => [pool.id ?? '', targetFrom(pool, checks)]));
}

function ours<T extends { description?: string }>(things: readonly T[], zone: string): readonly T[] {
  const mark = descriptionOf(zone);
  return things.filter(({ description = '' }) => description === mark || description.startsWith(`${mark} `));
}

/** Of ours, what no load balancer needs. */
function unused(
  { balancers, pools, monitors }: Raw,
  zone: string,
): { pools: readonly Pool[]; monitors: readonly Monitor[] } {
  const said = JSON.stringify(balancers);
  const freePools = ours(pools, zone).filter(({ id = '' }) => !said.includes(id));
  const needed = new Set(pools.filter((pool) => !freePools.includes(pool)).map(({ monitor }) => monitor));
  return { pools: freePools, monitors: ours(monitors, zone).filter(({ id }) => !needed.has(id)) };
}

/** By the majority of the places that have asked; undefined when none has. The API answers with a map of places. */
function isHealthy(health: unknown): boolean | undefined {
  if (typeof health !== 'object' || health === null) return undefined;
  const places = 'healthy' in health ? [health] : Object.values(health);
  const said = places.flatMap((place) => {
    const { healthy } = place as { healthy?: boolean };
    return healthy ?? [];
  });
  return said.length === 0 ? undefined : said.filter(Boolean).length * 2 > said.length;
}
