/**
 * The zone of a DNS server of ours (packages/emulators/src/dns), through its control interface.
 *
 * Invariant: a change is made to the revision that was read, or not at all. A list of changes is one revision, so it
 * happens as a whole or not at all.
 */
import {
  CHECK_INTERVAL_SECONDS_MAX,
  CHECK_THRESHOLD_MAX,
  TARGETS_MAX,
  TTL_SECONDS_MAX,
  WEIGHT_MAX,
} from '@tandem-clouds/emulators/dns/bounds';
import {
  HEALTH_PATH,
  type HealthReport,
  ZONE_PATH,
  type ZoneState,
} from '@tandem-clouds/emulators/dns/control';
import { SERVED_TYPES } from '@tandem-clouds/emulators/dns/values';
import { readZone, SITE_LABEL, type Zone, ZoneError } from '@tandem-clouds/emulators/dns/zone';
import type { LockNote } from '@tandem-clouds/zone/lock-note';
import { canonical, type Change, keyOf, normalised, type ZoneRecord } from '@tandem-clouds/zone/model';
import { ProviderError, type ProviderFault } from '../../errors.ts';
import { supported } from '../../policy/supported.ts';
import type { Capabilities, LiveZone, Prepared, Provider } from '../../provider.ts';

const REQUEST_TIMEOUT_MS = 5_000;
/** Attempts of a change of ours that meets a change of somebody else's, such as the lock's. */
const ATTEMPTS_MAX = 5;

const CAPABILITIES: Capabilities = {
  strategies: ['weighted', 'latency', 'geolocation', 'failover'],
  recordTypes: SERVED_TYPES,
  aliases: false,
  ttlSeconds: { min: 0, max: TTL_SECONDS_MAX },
  weightMax: WEIGHT_MAX,
  targetsMax: {
    weighted: TARGETS_MAX,
    latency: TARGETS_MAX,
    geolocation: TARGETS_MAX,
    failover: TARGETS_MAX,
  },
  checkIntervalSeconds: { min: 1, max: CHECK_INTERVAL_SECONDS_MAX },
  failureThreshold: { min: 1, max: CHECK_THRESHOLD_MAX },
};

export interface LocalProviderOptions {
  /** `tandem.test`; the server serves this zone and no other. */
  readonly zone: string;
  /** Base URL of the server's control interface. */
  readonly controlUrl: string;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export class LocalProvider implements Provider {
  readonly name = 'local';
  readonly zone: string;
  readonly capabilities = CAPABILITIES;
  readonly #controlUrl: string;

  constructor({ zone, controlUrl }: LocalProviderOptions) {
    this.zone = zone;
    this.#controlUrl = controlUrl;
  }

  /** The server holds records as they are; what it would refuse is said here. */
  prepare(records: readonly ZoneRecord[]): Prepared {
    const held = records.map(normalised);
    const possible = held.filter((record) => !isBeyond(record));
    const refusals = held.flatMap(unserved);
    if (refusals.length > 0) return { records: held, refusals };
    try {
      readZone({ zone: this.zone, records: possible });
      return { records: held, refusals: [] };
    } catch (error) {
      if (!(error instanceof ZoneError)) throw error;
      return { records: held, refusals: error.problems.map((problem) => named(problem, possible)) };
    }
  }

  async read(): Promise<LiveZone> {
    const { zone } = await this.#state();
    return supported({ records: zone.records.map(normalised), foreign: [], leftovers: [] }, this, 'local');
  }

  async apply(changes: readonly Change[], onDone: (change: Change) => void): Promise<void> {
    await this.#change((zone) => {
      const records = new Map(zone.records.map((record) => [keyOf(record), record]));
      for (const change of changes) applyTo(records, change);
      return { ...zone, records: [...records.values()] };
    });
    for (const change of changes) onDone(change);
  }

  /** There is nothing to remove: health checks live and die with their records. */
  async cleanUp(): Promise<void> {
    await Promise.resolve();
  }

  async health(): Promise<ReadonlyMap<string, boolean>> {
    const { body } = await this.#request('GET', HEALTH_PATH);
    const { checks } = body as HealthReport;
    return new Map(
      Object.entries(checks).flatMap(([key, { passing, healthy }]) =>
        passing === undefined ? [] : [[key, healthy] as const],
      ),
    );
  }

  async readLock(): Promise<LockNote | undefined> {
    return (await this.#state()).zone.lock;
  }

  async swapLock(expected: LockNote | undefined, next: LockNote | undefined): Promise<boolean> {
    let swapped = false;
    await this.#change(({ lock, ...zone }) => {
      swapped = canonical(lock ?? null) === canonical(expected ?? null);
      return swapped ? { ...zone, ...(next && { lock: next }) } : undefined;
    });
    return swapped;
  }

  /** Replaces the zone by what `make` makes of it; undefined leaves it as it is. */
  async #change(make: (zone: Zone) => Zone | undefined): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      const { revision, zone } = await this.#state();
      const next = make(zone);
      if (next === undefined) return;
      const { status, body } = await this.#put(revision, next);
      if (status === 200) return;
      if (status !== 412) throw refusal(status, body);
    }
    throw new ProviderError('throttled', `the zone changed ${ATTEMPTS_MAX} times while it was being changed`);
  }

  /** A request without an answer may have had its effect; the zone says whether it had. */
  async #put(revision: number, next: Zone): Promise<Answer> {
    try {
      return await this.#request('PUT', ZONE_PATH, { revision, body: next });
    } catch (error) {
      const { zone } = await this.#state();
      if (canonical(zone) === canonical(next)) return { status: 200, body: {} };
      throw error;
    }
  }

  async #state(): Promise<ZoneState> {
    const { status, body } = await this.#request('GET', ZONE_PATH);
    if (status !== 200) throw refusal(status, body);
    const state = body as ZoneState;
    if (state.zone.zone === this.zone) return state;
    throw new ProviderError('not-found', `the local DNS server has ${state.zone.zone}, not ${this.zone}`);
  }

  async #request(method: string, path: string, change?: { revision: number; body: Zone }): Promise<Answer> {
    try {
      const response = await fetch(this.#controlUrl + path, {
        method,
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        ...(change && {
          headers: { 'content-type': 'application/json', 'if-match': `"${change.revision}"` },
          body: JSON.stringify(change.body),
        }),
      });
      return { status: response.status, body: await response.json() };
    } catch (cause) {
      const message = `the local DNS server does not answer at ${this.#controlUrl}; npm start runs one`;
      throw new ProviderError('unavailable', message, { cause });
    }
  }
}

/** What the capabilities rule out: the planner refuses it in its own words, and the server would only name a field. */
function isBeyond(record: ZoneRecord): boolean {
  const { strategies, recordTypes, targetsMax } = CAPABILITIES;
  if (record.edge !== undefined) return true;
  if (record.kind === 'plain') return record.alias !== undefined || !recordTypes.includes(record.type);
  const { strategy, targets } = record;
  return (
    record.routes !== undefined ||
    !strategies.includes(strategy) ||
    targets.length > (targetsMax[strategy] ?? 0) ||
    targets.some(({ alias }) => alias !== undefined)
  );
}

/** The server names a record by its place in the list; people know it by its name. */
function named(problem: string, records: readonly ZoneRecord[]): string {
  return problem.replace(/^\/records\/(\d+)/, (place, index: string) => {
    const record = records[Number(index)];
    return record === undefined ? place : `${keyOf(record)}: local: `;
  });
}

/** What a policy may hold and the server does not serve. */
function unserved(record: ZoneRecord): string[] {
  const wildcard = record.name.startsWith('*') ? ['does not support names with *'] : [];
  // The server makes a name of each site.
  const sites = (record.kind === 'plain' ? [] : record.targets).flatMap(({ site }) =>
    SITE_LABEL.test(site) ? [] : [`takes a-z, 0-9 and hyphens for the name of a site, not '${site}'`],
  );
  const alias = record.kind === 'plain' && record.alias ? ['has no aliases'] : [];
  return [...wildcard, ...alias, ...sites].map((why) => `${keyOf(record)}: local ${why}`);
}

/** @throws ProviderError when the record is not what the change is based on. */
function applyTo(records: Map<string, ZoneRecord>, { before, after }: Change): void {
  const record = before ?? after;
  if (record === undefined) return;
  const key = keyOf(record);
  const present = records.get(key);
  if (canonical(present && normalised(present)) !== canonical(before && normalised(before))) {
    throw new ProviderError('rejected', `${key} is not what it was when the change was planned`);
  }
  if (after === undefined) records.delete(key);
  else records.set(key, normalised(after));
}

function refusal(status: number, body: unknown): ProviderError {
  const { title = 'no reason given', errors = [] } = (body ?? {}) as { title?: string; errors?: string[] };
  const faults: Readonly<Record<number, ProviderFault>> = { 413: 'limit', 500: 'unavailable' };
  const message = [`the local DNS server answered ${status}: ${title}`, ...errors].join('\n  ');
  return new ProviderError(faults[status] ?? 'rejected', message);
}
