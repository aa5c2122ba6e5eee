/** The two sites of a catch-up: what is put into them, waited for and checked. */
import { setTimeout as delay } from 'node:timers/promises';
import { BUDGET_PATH } from '@tandem-clouds/emulators/core/budget';
import { chunk } from '@tandem-clouds/replication/chunk';
import { eventOf } from '@tandem-clouds/replication/event';
import { outlook, recoveryOf } from '@tandem-clouds/replication/heartbeat';
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import { messageOf } from '@tandem-clouds/replication/message';
import type { Fixture } from '../bridge/fixture.ts';
import { type BenchSite, type BenchSites, OTHER } from '../bridge/two-sites.ts';
import { type BacklogOptions, backlogRecord } from './backlog.ts';
import type { Hops } from './hops.ts';
import { LiveWrites } from './live.ts';
import type { CatchUpOptions } from './options.ts';

const FILL_AT_ONCE = 2_000;
const POLL_MS = 1_000;
const PROGRESS_EVERY_MS = 15_000;
/** Longer than any backlog of this size takes: then something stands still. */
const GIVE_UP_MS = 60 * 60_000;

export type Progress = (line: string) => void;

export class CatchUp {
  readonly #sites: BenchSites;
  readonly #fixture: Fixture;
  readonly #unitsPerSecond: number;
  readonly #from: BenchSite;
  readonly #to: BenchSite;

  constructor(sites: BenchSites, fixture: Fixture, { from, unitsPerSecond }: CatchUpOptions) {
    this.#sites = sites;
    this.#fixture = fixture;
    this.#unitsPerSecond = unitsPerSecond;
    this.#from = sites[from];
    this.#to = sites[OTHER[from]];
  }

  /** Sets the budget of Cosmos DB, or none. */
  async limit(isLimited: boolean): Promise<void> {
    const perSecond = isLimited ? this.#unitsPerSecond : null;
    const url = `${trimmed(this.#sites.azure.control.store)}${BUDGET_PATH}`;
    const response = await fetch(url, { method: 'PUT', body: JSON.stringify({ perSecond }) });
    if (!response.ok) throw new Error(`the budget was not set: HTTP ${response.status}`);
  }

  /** Request units that were used since the start. */
  async spent(): Promise<number> {
    const response = await fetch(`${trimmed(this.#sites.azure.control.store)}${BUDGET_PATH}`);
    return ((await response.json()) as { spent: number }).spent;
  }

  /** Puts the records with their markers into the store, as the product itself would have. */
  async fill(options: BacklogOptions, progress: Progress): Promise<void> {
    const every = paced(progress);
    for (let first = 0; first < options.keys; first += FILL_AT_ONCE) {
      const count = Math.min(FILL_AT_ONCE, options.keys - first);
      const records = Array.from({ length: count }, (_, i) => backlogRecord(first + i, options));
      await this.#fixture.fill(this.#from.cloud, { bodies: [], records });
      every(() => `${first + count} keys written`);
    }
  }

  live(perSecond: number, hops: Hops): LiveWrites {
    return new LiveWrites({
      at: this.#fixture.replica(this.#from.cloud),
      other: this.#fixture.replica(this.#to.cloud),
      hops,
      perSecond,
    });
  }

  /** Waits until nothing waits in a queue of the receiving site, and `isSent`. Returns milliseconds. */
  async untilArrived(isSent: () => Promise<boolean>, progress: Progress = () => undefined): Promise<number> {
    const begun = performance.now();
    let reportedAt = begun;
    for (;;) {
      if ((await isSent()) && (await this.#waiting()) === 0) return performance.now() - begun;
      if (performance.now() - reportedAt > PROGRESS_EVERY_MS) {
        reportedAt = performance.now();
        progress(`${Math.round((reportedAt - begun) / 1_000)} s: ${await this.#outlook()}`);
      }
      if (performance.now() - begun > GIVE_UP_MS) throw new Error('the backlog does not end');
      await delay(POLL_MS);
    }
  }

  /** What the site itself says of its backlog, as `status` does. */
  async #outlook(): Promise<string> {
    const key = heartbeatKey(this.#from.site);
    const { store } = this.#fixture.site(this.#from.cloud);
    const heartbeat = (await store.get(key).catch(() => undefined))?.record;
    const seen = outlook(heartbeat, Date.now());
    const sent = recoveryOf(heartbeat)?.sent;
    if (seen === undefined || sent === undefined)
      return 'no run of the sweeper has ended within the backlog yet';
    const left =
      seen.doneAtMs === undefined ? '' : `, ${Math.round((seen.doneAtMs - Date.now()) / 1_000)} s left`;
    return `${sent} keys sent, ${seen.keysPerSecond} a second${left}`;
  }

  /** Whether no key of the backlog is left; live writes are never pending for long. */
  async isSent(beforeMs: number): Promise<boolean> {
    const { store } = this.#fixture.site(this.#from.cloud);
    return (await store.pending(beforeMs, 1).catch(() => [undefined])).length === 0;
  }

  async deadLetters(): Promise<number> {
    const counts = await Promise.all([this.#from, this.#to].map((site) => messagesOf(site, ['tandem-dead'])));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** @throws Error when one did not arrive as it was written. */
  async checkArrived(options: BacklogOptions): Promise<void> {
    const all = Array.from({ length: options.keys }, (_, n) => n);
    for (const some of chunk(all, FILL_AT_ONCE)) {
      const records = some.map((n) => backlogRecord(n, options));
      await this.#fixture.checkArrived(this.#to.cloud, records);
      const left = await this.#fixture.markersLeft(this.#from.cloud, records);
      if (left > 0) throw new Error(`${left} markers are left`);
    }
  }

  /** Events a second that `forward` and `apply` take across, one message each. */
  async bridgeRate(run: string, events: number): Promise<number> {
    const nowMs = Date.now();
    const options = { site: this.#from.site, peer: this.#to.site, keys: events, nowMs };
    // Of the same sizes. No sweep runs meanwhile.
    const records = Array.from({ length: events }, (_, n) => ({
      ...backlogRecord(n, options),
      key: `item:${run}-${n}`,
      pendingSince: nowMs,
    }));
    const bodies = records.map((record) => messageOf(eventOf(record, { source: options.site, nowMs })).body);
    await this.limit(false);
    await this.#fixture.fill(this.#from.cloud, { bodies: [], records });
    await this.limit(true);
    const begun = performance.now();
    await this.#fixture.fill(this.#from.cloud, { bodies, records: [] });
    await this.untilArrived(async () => (await messagesOf(this.#from, ['tandem-out'])) === 0);
    const rate = (events * 1_000) / (performance.now() - begun);
    await this.limit(false);
    await this.#fixture.checkArrived(this.#to.cloud, records);
    return rate;
  }

  #waiting(): Promise<number> {
    return messagesOf(this.#to, ['tandem-in', 'tandem-verify']);
  }
}

/** Passes on a line every so often. */
function paced(progress: Progress): (line: () => string) => void {
  let lastAt = performance.now();
  return (line) => {
    if (performance.now() - lastAt < PROGRESS_EVERY_MS) return;
    lastAt = performance.now();
    progress(line());
  };
}

const trimmed = (url: string): string => url.replace(/\/$/, '');

/** Messages in queues of a site, whatever their state, by the emulator's own count. */
async function messagesOf({ control }: BenchSite, names: readonly string[]): Promise<number> {
  const response = await fetch(`${trimmed(control.queues)}/_tandem/queues`);
  const queues = (await response.json()) as Record<string, Record<string, unknown>>;
  const states = ['visible', 'inFlight', 'delayed', 'active', 'locked', 'scheduled', 'deadLettered'];
  return names
    .flatMap((name) => states.map((state) => queues[name]?.[state]))
    .reduce((sum: number, count) => sum + (typeof count === 'number' ? count : 0), 0);
}
