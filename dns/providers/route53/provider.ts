/**
 * A hosted zone of Route 53.
 *
 * Every record set is replaced by deleting exactly what was read and creating what is wanted, in one batch: a change by
 * somebody else in between makes the batch fail as a whole, and nothing is overwritten unseen.
 */
import {
  type Change as SetChange,
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  type ResourceRecordSet,
  type Route53ClientConfig,
} from '@aws-sdk/client-route-53';
import type { LockNote } from '@tandem-clouds/zone/lock-note';
import {
  canonical,
  type Change,
  checkKey,
  type HealthCheck,
  keyOf,
  type ZoneRecord,
} from '@tandem-clouds/zone/model';
import { ProviderError } from '../../errors.ts';
import { supported } from '../../policy/supported.ts';
import type { Capabilities, Clock, LiveZone, Prepared, Provider } from '../../provider.ts';
import { refuseChanged } from '../unchanged.ts';
import { batches } from './batches.ts';
import { connect, type Connection } from './client.ts';
import { createCheck, deleteCheck, isHealthy, listChecks, type LiveCheck } from './health-checks.ts';
import { lockFrom, lockName, lockSet } from './lock-record.ts';
import { ALIAS_TTL_SECONDS, fromSets, readValue, RECORD_TYPES, toSets } from './record-sets.ts';
import { nameFrom } from './text.ts';
import { findZone, firstSet, listSets } from './zone.ts';

const SYNC_POLL_MS = 2_000;
/** Usually within 60 seconds: API_ChangeResourceRecordSets. */
const SYNC_POLLS_MAX = 150;

const CAPABILITIES: Capabilities = {
  strategies: ['weighted', 'latency', 'geolocation', 'failover'],
  recordTypes: RECORD_TYPES,
  aliases: true,
  ttlSeconds: { min: 0, max: 2_147_483_647 },
  weightMax: 255,
  targetsMax: { failover: 2, weighted: 100 },
  checkIntervalSeconds: [10, 30],
  failureThreshold: { min: 1, max: 10 },
};

export interface Route53Options {
  readonly zone: string;
  /** Looked up by name when absent. */
  readonly zoneId?: string;
  readonly clock: Clock;
  readonly config?: Route53ClientConfig;
}

export class Route53Provider implements Provider {
  readonly name = 'Route 53';
  readonly capabilities = CAPABILITIES;
  readonly zone: string;
  readonly #clock: Clock;
  readonly #connection: Connection;
  #zoneId: Promise<string> | undefined;

  constructor({ zone, zoneId, clock, config }: Route53Options) {
    this.zone = zone;
    this.#clock = clock;
    this.#connection = connect(clock, config);
    if (zoneId !== undefined) this.#zoneId = Promise.resolve(zoneId);
  }

  prepare(records: readonly ZoneRecord[]): Prepared {
    return {
      records: records.map((record) =>
        isAlias(record) ? { ...record, ttlSeconds: ALIAS_TTL_SECONDS } : record,
      ),
      refusals: records.flatMap(regionsRefused),
    };
  }

  async read(): Promise<LiveZone> {
    const { sets, checks } = await this.#readRaw();
    const { records, foreign } = fromSets(sets, requested(checks));
    const leftovers = unused(checks, sets).map(
      ({ id, queries }) => `health check ${id}: ${reported(queries)}`,
    );
    return supported({ records, foreign, leftovers }, this, 'route53');
  }

  async apply(changes: readonly Change[], onDone: (change: Change) => void): Promise<void> {
    const { sets, checks, zoneId } = await this.#readRaw();
    const present = Map.groupBy(sets, ({ Name = '', Type = '' }) => `${nameFrom(Name)} ${Type}`);
    const usedIds = idsIn(present, requested(checks));
    const checkIds = await this.#ensureChecks(changes, { checks, zoneId, usedIds });
    refuseChanged(changes, fromSets(sets, requested(checks)).records);
    const requests: string[] = [];
    for (const { changes: group, sets: setChanges } of batches(changes, (change) =>
      setChangesFor(change, present, (key) => new Map([...checkIds, ...(usedIds.get(key) ?? [])])),
    )) {
      if (setChanges.length > 0) requests.push(await this.#change(zoneId, setChanges));
      group.forEach(onDone);
    }
    for (const id of requests) await this.#untilInSync(id);
  }

  async cleanUp(): Promise<void> {
    const { sets, checks } = await this.#readRaw();
    for (const { id } of unused(checks, sets)) await deleteCheck(this.#connection, id);
  }

  async health(): Promise<ReadonlyMap<string, boolean>> {
    const { sets, checks } = await this.#readRaw();
    const used = new Set(sets.flatMap(({ HealthCheckId }) => HealthCheckId ?? []));
    const known = new Map<string, boolean>();
    for (const { id, queries } of checks.filter((check) => used.has(check.id))) {
      const healthy = typeof queries === 'string' ? undefined : await isHealthy(this.#connection, id);
      if (typeof queries !== 'string' && healthy !== undefined) known.set(checkKey(queries), healthy);
    }
    return known;
  }

  async readLock(): Promise<LockNote | undefined> {
    const name = lockName(this.zone);
    const set = await firstSet(this.#connection, await this.#findZone(), { name, type: 'TXT' });
    return set !== undefined && isLock(set, this.zone) ? lockFrom(set) : undefined;
  }

  async swapLock(expected: LockNote | undefined, next: LockNote | undefined): Promise<boolean> {
    const changes: SetChange[] = [
      ...(expected ? [{ Action: 'DELETE', ResourceRecordSet: lockSet(expected, this.zone) } as const] : []),
      ...(next ? [{ Action: 'CREATE', ResourceRecordSet: lockSet(next, this.zone) } as const] : []),
    ];
    try {
      await this.#change(await this.#findZone(), changes);
      return true;
    } catch (error) {
      // CREATE of what is there, and DELETE of what is not exactly there, fail as a whole.
      const { cause } = error as { cause?: { name?: string } };
      if (cause?.name === 'InvalidChangeBatch') return false;
      throw error;
    }
  }

  /** @throws ProviderError not-found, or naming the candidates. */
  async #findZone(): Promise<string> {
    this.#zoneId ??= findZone(this.#connection, this.zone);
    try {
      return await this.#zoneId;
    } catch (error) {
      // An outage is not remembered: whoever asks again may hear another answer.
      this.#zoneId = undefined;
      throw error;
    }
  }

  async #readRaw(): Promise<{
    sets: readonly ResourceRecordSet[];
    checks: readonly LiveCheck[];
    zoneId: string;
  }> {
    const zoneId = await this.#findZone();
    const [all, checks] = await Promise.all([
      listSets(this.#connection, zoneId),
      listChecks(this.#connection, zoneId),
    ]);
    return { sets: all.filter((set) => isMaintained(set, this.zone)), checks, zoneId };
  }

  /** `checkKey` → id, for every check that the changes need. */
  async #ensureChecks(
    changes: readonly Change[],
    { checks, zoneId, usedIds }: { checks: readonly LiveCheck[]; zoneId: string; usedIds: UsedIds },
  ): Promise<ReadonlyMap<string, string>> {
    const ids = new Map(
      checks.flatMap(({ id, queries, ours }): [string, string][] =>
        ours && typeof queries !== 'string' ? [[checkKey(queries), id]] : [],
      ),
    );
    const needed = changes.flatMap(({ after }) => {
      const used = after && usedIds.get(keyOf(after));
      return after?.kind === 'routed'
        ? after.targets.flatMap(({ check }) => (check && used?.has(checkKey(check)) !== true ? [check] : []))
        : [];
    });
    for (const check of needed) {
      const key = checkKey(check);
      if (!ids.has(key))
        ids.set(key, await createCheck(this.#connection, check, { zone: this.zone, zoneId }));
    }
    return ids;
  }

  async #change(zoneId: string, changes: readonly SetChange[]): Promise<string> {
    const { client, query } = this.#connection;
    const command = new ChangeResourceRecordSetsCommand({
      HostedZoneId: zoneId,
      ChangeBatch: { Changes: [...changes] },
    });
    const { ChangeInfo } = await query(async () => client.send(command));
    return ChangeInfo?.Id?.replace('/change/', '') ?? '';
  }

  async #untilInSync(id: string): Promise<void> {
    const { client, query } = this.#connection;
    for (let polls = 0; polls < SYNC_POLLS_MAX; polls += 1) {
      const { ChangeInfo } = await query(async () => client.send(new GetChangeCommand({ Id: id })));
      if (ChangeInfo?.Status === 'INSYNC') return;
      await this.#clock.sleep(SYNC_POLL_MS);
    }
    throw new ProviderError(
      'unavailable',
      `Route 53 accepted change ${id} but has not spread it to all its servers yet`,
    );
  }
}

/** What makes one change of the plan, and nothing that is there already. */
function setChangesFor(
  { before, after }: Change,
  present: ReadonlyMap<string, readonly ResourceRecordSet[]>,
  checkIdsFor: (key: string) => ReadonlyMap<string, string>,
): readonly SetChange[] {
  const old = before === undefined ? [] : (present.get(keyOf(before)) ?? []);
  const wanted =
    after === undefined ? [] : toSets(after, checkIdsFor(keyOf(after))).map((set) => asWritten(set, old));
  const isIn = (set: ResourceRecordSet, sets: readonly ResourceRecordSet[]): boolean =>
    sets.some((other) => canonical(other) === canonical(set));
  return [
    ...old
      .filter((set) => !isIn(set, wanted))
      .map((set): SetChange => ({ Action: 'DELETE', ResourceRecordSet: set })),
    ...wanted
      .filter((set) => !isIn(set, old))
      .map((set): SetChange => ({ Action: 'CREATE', ResourceRecordSet: set })),
  ];
}

/** A value that stays is written as it was: how a text is split into strings, or the case of a host. */
function asWritten(set: ResourceRecordSet, old: readonly ResourceRecordSet[]): ResourceRecordSet {
  const { ResourceRecords, Type, SetIdentifier } = set;
  const before = old.find((other) => other.SetIdentifier === SetIdentifier)?.ResourceRecords ?? [];
  const written = new Map(before.map(({ Value = '' }) => [readValue(Type, Value), Value]));
  return ResourceRecords === undefined
    ? set
    : {
        ...set,
        ResourceRecords: ResourceRecords.map(({ Value = '' }) => ({
          Value: written.get(readValue(Type, Value)) ?? Value,
        })),
      };
}

/** Of each record, the health checks that it uses already: `checkKey` → id. One that somebody else made serves on. */
type UsedIds = ReadonlyMap<string, ReadonlyMap<string, string>>;

function idsIn(
  present: ReadonlyMap<string, readonly ResourceRecordSet[]>,
  checks: ReadonlyMap<string, HealthCheck | string>,
): UsedIds {
  return new Map(
    [...present].map(([key, sets]) => [
      key,
      new Map(
        sets.flatMap(({ HealthCheckId: id = '' }): [string, string][] => {
          const check = checks.get(id);
          return typeof check === 'object' ? [[checkKey(check), id]] : [];
        }),
      ),
    ]),
  );
}

/** The zone's own SOA and NS are not, nor is the lock. */
function isMaintained(set: ResourceRecordSet, zone: string): boolean {
  const isApex = nameFrom(set.Name ?? '') === zone;
  return !(isApex && (set.Type === 'SOA' || set.Type === 'NS')) && !isLock(set, zone);
}

function isLock({ Name = '', Type }: ResourceRecordSet, zone: string): boolean {
  return Type === 'TXT' && nameFrom(Name) === lockName(zone);
}

function isAlias(record: ZoneRecord): boolean {
  return record.kind === 'plain'
    ? record.alias !== undefined
    : record.targets.some(({ alias }) => alias !== undefined);
}

/** Route 53 measures latency to its own regions, and takes one site for each. */
function regionsRefused(record: ZoneRecord): string[] {
  if (record.kind === 'plain' || record.strategy !== 'latency') return [];
  const regions = record.targets.map(({ region }) => region);
  return record.targets.flatMap(({ site, region }, index) => {
    const first = regions.indexOf(region);
    const key = `${record.name} ${record.type}`;
    if (region === undefined) return [`${key}: Route 53 needs a region of ${site} for latency`];
    return first < index
      ? [
          `${key}: Route 53 takes one site for each region with latency, and ` +
            `${site} and ${record.targets[first]?.site ?? ''} are both in ${region}`,
        ]
      : [];
  });
}

function requested(checks: readonly LiveCheck[]): ReadonlyMap<string, HealthCheck | string> {
  return new Map(checks.map(({ id, queries }) => [id, queries]));
}

function unused(checks: readonly LiveCheck[], sets: readonly ResourceRecordSet[]): readonly LiveCheck[] {
  const used = new Set(sets.map(({ HealthCheckId }) => HealthCheckId));
  return checks.filter(({ id, ours }) => ours && !used.has(id));
}

function reported(queries: HealthCheck | string): string {
  return typeof queries === 'string' ? queries : checkKey(queries);
}
