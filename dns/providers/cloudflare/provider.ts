/**
 * A zone of Cloudflare: plain names are DNS records, routed names are load balancers.
 *
 * DNS records change in batches, each one transaction; a load balancer changes in one request. A name that moves between
 * the two is answered all the while, as a load balancer goes before a record of the same name.
 */
import type { RecordResponse } from 'cloudflare/resources/dns/records';
import type { LoadBalancer } from 'cloudflare/resources/load-balancers/load-balancers';
import type { LockNote } from '@tandem-clouds/zone/lock-note';
import {
  type Change,
  checkKey,
  keyOf,
  type RoutedRecord,
  sharings,
  type ZoneRecord,
} from '@tandem-clouds/zone/model';
import { lowerCase } from '../../policy/records.ts';
import { supported } from '../../policy/supported.ts';
import type { LiveZone, Prepared, Provider } from '../../provider.ts';
import { refuseChanged } from '../unchanged.ts';
import { NO_CHANGES, packed, type RecordChanges } from './batches.ts';
import { codesOf, connect, type Connection, type ConnectionOptions, listAll } from './client.ts';
import type { NewRecord } from './dns-records.ts';
import { dropRules, putRules } from './edge-changes.ts';
import { refsFor, rulesOf } from './edge-rules.ts';
import { ensurePools } from './ensure-pools.ts';
import { CLEARED, toBalancer } from './load-balancers.ts';
import { lockContent, lockFrom, lockName, LOST_CODES } from './lock-record.ts';
import { poolKey } from './pools.ts';
import { CAPABILITIES, prepared, RECORD_TTL } from './prepare.ts';
import { checksOf, isHealthy, poolsOf, type Raw, refsOf, understood, unused } from './raw.ts';
import { findIds, readRaw, type ZoneIds } from './read.ts';

export interface CloudflareOptions extends ConnectionOptions {
  readonly zone: string;
  /** Looked up by name when absent. */
  readonly zoneId?: string;
}

export class CloudflareProvider implements Provider {
  readonly name = 'Cloudflare';
  readonly capabilities = CAPABILITIES;
  readonly zone: string;
  readonly #options: CloudflareOptions;
  #connected: Connection | undefined;
  #ids: Promise<ZoneIds> | undefined;

  constructor(options: CloudflareOptions) {
    this.zone = options.zone;
    this.#options = options;
  }

  prepare(records: readonly ZoneRecord[]): Prepared {
    return prepared(records);
  }

  async read(): Promise<LiveZone> {
    const raw = await this.#readRaw();
    const { pools, monitors, rules } = unused(raw);
    const leftovers = [
      ...pools.map(({ name = '' }) => `pool ${name}`),
      ...monitors.map(({ id = '', path = '' }) => `monitor ${id} of ${path}`),
      ...rules.map(({ ref = '', description = '' }) => `rule ${ref}: ${description}`),
    ];
    return supported({ ...understood(raw), leftovers }, this, 'cloudflare');
  }

  async apply(changes: readonly Change[], onDone: (change: Change) => void): Promise<void> {
    const raw = await this.#readRaw();
    const { records: live, foreign } = understood(raw);
    refuseChanged(changes, [...foreign.flatMap(({ record }) => record ?? []), ...live]);
    const wanted = changes.flatMap(({ after }) =>
      after?.edge ? rulesOf(after.name, after.edge, this.zone) : [],
    );
    // Before a name is behind the edge its rules do nothing, so it is never there without them.
    await putRules(this.#connection(), raw.zoneId, raw.rulesets, wanted);
    const groups = [...Map.groupBy(changes, ({ before, after }) => (before ?? after)?.name ?? '').values()];
    const plain = groups.filter((group) => !group.some(isRouted));
    for (const batch of packed(plain, raw)) {
      await this.#batch(raw.zoneId, batch);
      batch.changes.forEach(onDone);
    }
    const routed = groups.filter((group) => group.some(isRouted));
    const needed = routed.flat().flatMap(({ after }) => {
      if (after?.kind !== 'routed') return [];
      const present = balancerOf(after.name, raw);
      const used = present === undefined ? undefined : poolsOf(present, raw);
      return sharings(after)
        .flatMap(({ targets }) => targets)
        .filter((target) => used?.has(poolKey(target)) !== true);
    });
    const pools = await ensurePools(this.#connection(), needed, raw, this.zone);
    for (const group of routed) {
      await this.#applyRouted(group, raw, pools);
      group.forEach(onDone);
    }
    const kept = new Set([
      ...refsOf(changed(live, changes), this.zone),
      ...foreign.flatMap(({ name }) => refsFor(name)),
    ]);
    await dropRules(this.#connection(), raw.zoneId, raw.rulesets, ({ ref = '' }) => kept.has(ref));
  }

  async cleanUp(): Promise<void> {
    const raw = await this.#readRaw();
    const { client, query } = this.#connection();
    const { pools, monitors, rules } = unused(raw);
    const account = { account_id: raw.accountId };
    for (const { id = '' } of pools) await query(async () => client.loadBalancers.pools.delete(id, account));
    for (const { id = '' } of monitors)
      await query(async () => client.loadBalancers.monitors.delete(id, account));
    await dropRules(this.#connection(), raw.zoneId, raw.rulesets, (rule) => !rules.includes(rule));
  }

  async health(): Promise<ReadonlyMap<string, boolean>> {
    const raw = await this.#readRaw();
    const { client, query } = this.#connection();
    const checks = checksOf(raw);
    const known = new Map<string, boolean>();
    for (const { id = '', monitor = '' } of raw.pools) {
      const check = checks.get(monitor);
      if (check === undefined) continue;
      const { pop_health } = await query(async () =>
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
      await this.#batch(zoneId, { deletes: present ? [present.id] : [], patches: [], posts: post });
      return true;
    } catch (error) {
      if (codesOf(error).some((code) => LOST_CODES.includes(code))) return false;
      throw error;
    }
  }

  async #readRaw(): Promise<Raw> {
    return readRaw(this.#connection(), this.zone, await this.#findIds());
  }

  #connection(): Connection {
    this.#connected ??= connect(this.#options);
    return this.#connected;
  }

  async #findIds(): Promise<ZoneIds> {
    this.#ids ??= findIds(this.#connection(), this.zone, this.#options.zoneId);
    try {
      return await this.#ids;
    } catch (error) {
      // An outage is not remembered: whoever asks again may hear another answer.
      this.#ids = undefined;
      throw error;
    }
  }

  async #lockRecord(): Promise<RecordResponse | undefined> {
    const { zoneId } = await this.#findIds();
    const { client, query } = this.#connection();
    const [record] = await listAll(query, async () =>
      client.dns.records.list({ zone_id: zoneId, name: { exact: lockName(this.zone) } }),
    );
    return record;
  }

  async #batch(zoneId: string, { deletes, patches, posts }: RecordChanges): Promise<void> {
    if (deletes.length + patches.length + posts.length === 0) return;
    const { client, query } = this.#connection();
    await query(async () =>
      client.dns.records.batch({
        zone_id: zoneId,
        ...(deletes.length > 0 && { deletes: deletes.map((id) => ({ id })) }),
        ...(patches.length > 0 && { patches: [...patches] }),
        ...(posts.length > 0 && { posts: [...posts] }),
      }),
    );
  }

  /** All changes of one name of which a load balancer is or becomes a part. */
  async #applyRouted(group: readonly Change[], raw: Raw, pools: ReadonlyMap<string, string>): Promise<void> {
    const { client, query } = this.#connection();
    const { zoneId } = raw;
    const name = group.map(({ before, after }) => (before ?? after)?.name)[0] ?? '';
    const wanted = group
      .map(({ after }) => after)
      .find((after): after is RoutedRecord => after?.kind === 'routed');
    const present = balancerOf(name, raw);
    const [batch = NO_CHANGES] = packed([group], raw);
    if (wanted === undefined) {
      await this.#batch(zoneId, batch);
      if (present?.id !== undefined) {
        const { id } = present;
        await query(async () => client.loadBalancers.delete(id, { zone_id: zoneId }));
      }
      return;
    }
    const ids = present === undefined ? pools : new Map([...pools, ...poolsOf(present, raw)]);
    const body = { zone_id: zoneId, ...toBalancer(wanted, ids, this.zone) };
    if (present?.id === undefined) await query(async () => client.loadBalancers.create(body));
    else {
      const { id } = present;
      // In place: what the model does not say of it, such as session affinity, stays.
      await query(async () => client.loadBalancers.edit(id, { ...CLEARED, ...body }));
    }
    await this.#batch(zoneId, batch);
  }
}

function balancerOf(name: string, { balancers }: Raw): LoadBalancer | undefined {
  return balancers.find((balancer) => lowerCase(balancer.name ?? '') === name);
}

/** The records as they are after the changes. */
function changed(live: readonly ZoneRecord[], changes: readonly Change[]): readonly ZoneRecord[] {
  const records = new Map(live.map((record) => [keyOf(record), record]));
  for (const { before, after } of changes) {
    if (before) records.delete(keyOf(before));
    if (after) records.set(keyOf(after), after);
  }
  return [...records.values()];
}

function isRouted({ before, after }: Change): boolean {
  return before?.kind === 'routed' || after?.kind === 'routed';
}
