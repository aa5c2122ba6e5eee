/**
 * How long after its acknowledgement a change is readable at the other site, and how long until it is acted on.
 *
 * Invariant: both are counted from the same moment, the end of the one request that was answered; a change that was sent
 * twice is in neither.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@tandem-clouds/replication/errors';
import type { Store } from '@tandem-clouds/replication/ports/store';
import { stampSite } from '@tandem-clouds/replication/stamp';
import type { Attempt } from '../history/client-log.ts';
import { vectorHolds } from '../history/facts.ts';
import { Watcher } from './watcher.ts';

/** Fine enough beside lags of some ten milliseconds. */
const INTERVAL_MS = 8;
/** What has not come for long is asked for less often: its lag may be too large by this share. */
const PATIENCE = 0.05;

/** Of one change, in milliseconds. */
export interface Lag {
  /** Where it was made. */
  readonly site: string;
  readonly acknowledgedAtMs: number;
  readonly replicatedMs?: number;
  readonly reactedMs?: number;
}

export interface LagsOptions {
  readonly sites: readonly [string, string];
  readonly store: (site: string) => Store;
  readonly signal: AbortSignal;
}

export class Lags {
  readonly #options: LagsOptions;
  readonly #watchers: ReadonlyMap<string, Watcher>;
  /** By change. */
  readonly #acknowledged = new Map<string, { readonly site: string; readonly atMs: number }>();
  readonly #attempts = new Map<string, number>();
  readonly #replicated = new Map<string, number>();
  readonly #called = new Map<string, number>();

  constructor(options: LagsOptions) {
    this.#options = options;
    this.#watchers = new Map(options.sites.map((site) => [site, this.#watcherAt(site)]));
  }

  /** An attempt of a client, as soon as it has been answered. */
  answered({ id, result, token, site, endMs }: Attempt): void {
    this.#attempts.set(id, (this.#attempts.get(id) ?? 0) + 1);
    const stamp = site === undefined ? undefined : token?.vector[site];
    if (result !== 'acknowledged' || token === undefined || site === undefined || stamp === undefined) return;
    this.#acknowledged.set(id, { site, atMs: endMs });
    const other = this.#options.sites.find((each) => each !== site) ?? '';
    void this.#watchers
      .get(other)
      ?.watch(`${token.key} ${stamp}`, endMs)
      .then(
        ({ lagMs }) => this.#replicated.set(id, lagMs),
        // A look that failed for good says nothing, and the change is in no figure.
        () => undefined,
      );
  }

  /** The provider was called. Only the first call counts. */
  called(change: string, atMs: number): void {
    if (!this.#called.has(change)) this.#called.set(change, atMs);
  }

  /** Of the changes that were sent once. An effect may come before the answer: then it waited for nothing. */
  all(): Lag[] {
    return [...this.#acknowledged].flatMap(([id, { site, atMs: acknowledgedAtMs }]) => {
      if (this.#attempts.get(id) !== 1) return [];
      const [replicatedMs, calledAtMs] = [this.#replicated.get(id), this.#called.get(id)];
      return [
        {
          site,
          acknowledgedAtMs,
          ...(replicatedMs !== undefined && { replicatedMs }),
          ...(calledAtMs !== undefined && { reactedMs: Math.max(0, calledAtMs - acknowledgedAtMs) }),
        },
      ];
    });
  }

  #watcherAt(site: string): Watcher {
    const { store, signal } = this.#options;
    return new Watcher({
      probe: { visible: (names) => seen(store(site), names) },
      intervalMs: INTERVAL_MS,
      timeoutMs: Infinity,
      patience: PATIENCE,
      signal,
      now: Date.now,
      // Nobody waits for a look.
      sleep: (ms) => sleep(ms, undefined, { ref: false }),
    });
  }
}

/** Those of these changes (`<key> <stamp>`) that a store holds; none while it does not answer. */
async function seen(store: Store, names: readonly string[]): Promise<ReadonlySet<string>> {
  const changes = names.map((name) => {
    const at = name.lastIndexOf(' ');
    return { name, key: name.slice(0, at), stamp: name.slice(at + 1) };
  });
  try {
    const held = await store.getMany([...new Set(changes.map(({ key }) => key))]);
    return new Set(
      changes
        .filter(({ key, stamp }) => vectorHolds(held.get(key)?.record.state.vector, stampSite(stamp), stamp))
        .map(({ name }) => name),
    );
  } catch (error) {
    if (error instanceof AppError) return new Set();
    throw error;
  }
}
