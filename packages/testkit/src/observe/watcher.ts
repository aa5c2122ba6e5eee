/**
 * Waits for written keys to become visible at the other site, by asking for all outstanding ones together.
 *
 * Invariant: at most one request is under way and none when nothing is outstanding, so that the probe takes little
 * from what it measures. Each sighting says how wide its window was: the truth lies between the last request that
 * did not find the key and the answer that did.
 */
import type { Probe } from './probe.ts';

/** A key that has been seen. */
export interface Sighting {
  /** Milliseconds from the acknowledgement to the answer that showed it: never less than the truth. */
  readonly lagMs: number;
  /** Milliseconds by which the lag may be too large. */
  readonly windowMs: number;
}

export interface WatcherOptions {
  readonly probe: Pick<Probe, 'visible'>;
  /** Milliseconds from one request to the next. */
  readonly intervalMs: number;
  /** A key that is not seen within this time after its acknowledgement has failed. */
  readonly timeoutMs: number;
  /** What has been outstanding for long is asked for less often: again after this share of its age. Default 0: always. */
  readonly patience?: number;
  /** Ends the asking; what is outstanding then stays so. */
  readonly signal?: AbortSignal;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

interface Outstanding {
  readonly acknowledgedAt: number;
  /** When the last request that did not find it was sent. */
  absentAt: number | undefined;
  /** Not asked for before. */
  nextAt: number;
  readonly seen: (sighting: Sighting) => void;
  readonly failed: (error: Error) => void;
}

/** One request takes a hundred keys, at both vendors. */
const KEYS_MAX = 100;

export class Watcher {
  readonly #options: WatcherOptions;
  readonly #outstanding = new Map<string, Outstanding>();
  #asking = false;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  /** Resolves when the key is visible. @throws Error when it stays invisible for too long. */
  watch(key: string, acknowledgedAt: number): Promise<Sighting> {
    const { promise, resolve, reject } = Promise.withResolvers<Sighting>();
    this.#outstanding.set(key, {
      acknowledgedAt,
      absentAt: undefined,
      nextAt: 0,
      seen: resolve,
      failed: reject,
    });
    if (!this.#asking) void this.#query();
    return promise;
  }

  async #query(): Promise<void> {
    const { now, sleep, intervalMs, signal } = this.#options;
    this.#asking = true;
    while (this.#outstanding.size > 0 && signal?.aborted !== true) {
      const sentAt = now();
      try {
        await this.#queryOnce(sentAt);
      } catch (error) {
        this.#failAll(error);
      }
      await sleep(Math.max(0, sentAt + intervalMs - now()));
    }
    this.#asking = false;
  }

  async #queryOnce(sentAt: number): Promise<void> {
    const { probe, now, timeoutMs, patience = 0 } = this.#options;
    const keys = [...this.#outstanding]
      .filter(([, { nextAt }]) => nextAt <= sentAt)
      .slice(0, KEYS_MAX)
      .map(([key]) => key);
    if (keys.length === 0) return;
    const visible = await probe.visible(keys);
    const respondedAt = now();
    for (const key of keys) {
      const entry = this.#outstanding.get(key);
      if (entry === undefined) continue;
      const { acknowledgedAt, absentAt = acknowledgedAt } = entry;
      if (visible.has(key)) {
        this.#outstanding.delete(key);
        entry.seen({ lagMs: respondedAt - acknowledgedAt, windowMs: respondedAt - absentAt });
      } else if (respondedAt - acknowledgedAt > timeoutMs) {
        this.#outstanding.delete(key);
        entry.failed(new Error(`${key} was acknowledged and not seen within ${timeoutMs} ms`));
      } else {
        entry.absentAt = sentAt;
        entry.nextAt = respondedAt + patience * (respondedAt - acknowledgedAt);
      }
    }
  }

  #failAll(error: unknown): void {
    for (const { failed } of this.#outstanding.values())
      failed(new Error('the probe failed', { cause: error }));
    this.#outstanding.clear();
  }
}
