/**
 * How much one caller may ask of this site: requests, writes and reads that may wait, each a bucket of tokens.
 *
 * The bucket of a caller is a record of this site, which is never replicated. An instance of a function takes tokens out of
 * it by the handful, and has a small bucket of its own beside it (`pocketShare` of the limit), so whoever asks little costs the
 * store nothing.
 *
 * Invariant: what all instances grant a caller together is at most the limit, and the pocket of each instance that serves it.
 * A store that does not answer refuses nobody: the request itself will find out.
 */
import type { Json } from '@tandem-clouds/replication/json';
import type { Store, Versioned } from '@tandem-clouds/replication/ports/store';
import { EXPIRES, type StoredRecord } from '@tandem-clouds/replication/record';
import { LIMIT } from '@tandem-clouds/replication/reserved';
import {
  callersKept,
  leaseAttemptsMax,
  leaseMs,
  leaseShare,
  limitKeptSeconds,
  pocketShare,
} from '../bounds.ts';
import { sha256 } from '../digest.ts';
import { type LocalRecord, localRecord } from '../domain/local-record.ts';
import { type Bucket, filled, type Limit, taken, untilOneMs } from '../domain/token-bucket.ts';
import { TooManyRequestsError } from '../errors.ts';

export const LIMITED = ['requests', 'writes', 'waitingReads'] as const;
export type Limited = (typeof LIMITED)[number];
/** What is not named is not limited. */
export type CallerLimits = Readonly<Partial<Record<Limited, Limit>>>;

export interface CallerLimitsOptions {
  readonly site: string;
  readonly limits: CallerLimits;
  readonly store: Pick<Store, 'get' | 'putMany'>;
  readonly now: () => number;
}

/** What this instance knows of one bucket. */
interface Held {
  pocket: Bucket;
  /** Tokens that were taken out of the site's bucket, until then. */
  lease: { count: number; untilMs: number };
  /** Nothing is left of the site's bucket until then: it is not asked again before. */
  emptyUntilMs: number;
  leasing: Promise<void> | undefined;
}

export class LimitsOfCallers {
  readonly #options: CallerLimitsOptions;
  /** In the order of their last use. */
  readonly #held = new Map<string, Held>();

  constructor(options: CallerLimitsOptions) {
    this.#options = options;
  }

  /**
   * Takes a token of each bucket that a request needs.
   * @param identity Of the caller, the same at every instance.
   * @throws TooManyRequestsError
   */
  async take(identity: string, needed: readonly Limited[]): Promise<void> {
    for (const name of needed) {
      const limit = this.#options.limits[name];
      if (limit !== undefined) await this.#takeOne(name, limit, identity);
    }
  }

  async #takeOne(name: Limited, limit: Limit, identity: string): Promise<void> {
    const key = keyOf(name, identity);
    const held = this.#heldOf(key, limit);
    for (let waits = 0; ; waits += 1) {
      const nowMs = this.#options.now();
      if (takeLocally(held, limit, nowMs)) return;
      if (nowMs < held.emptyUntilMs || waits > leaseAttemptsMax)
        throw refusal(name, limit, held.emptyUntilMs - nowMs);
      // Requests that an instance handles at the same time share what one of them fetches.
      held.leasing ??= this.#lease(key, limit, held).finally(() => (held.leasing = undefined));
      await held.leasing;
    }
  }

  #heldOf(key: string, limit: Limit): Held {
    const held = this.#held.get(key) ?? {
      pocket: filled(undefined, pocketOf(limit), this.#options.now()),
      lease: { count: 0, untilMs: 0 },
      emptyUntilMs: 0,
      leasing: undefined,
    };
    this.#held.delete(key);
    this.#held.set(key, held);
    const [oldest] = this.#held.keys();
    if (this.#held.size > callersKept && oldest !== undefined) this.#held.delete(oldest);
    return held;
  }

  /** Fetches tokens out of the site's bucket, or learns from when on there will be one. */
  async #lease(key: string, limit: Limit, held: Held): Promise<void> {
    const { store, now, site } = this.#options;
    const wanted = Math.max(1, Math.floor(limit.burst * leaseShare));
    try {
      let current = await store.get(key);
      for (let attempt = 1; attempt <= leaseAttemptsMax; attempt += 1) {
        const nowMs = now();
        const bucket = filled(bucketIn(current), limit, nowMs);
        const { left, count } = taken(bucket, wanted);
        if (count === 0) {
          held.emptyUntilMs = nowMs + Math.max(1, untilOneMs(bucket, limit));
          return;
        }
        const record = recordOf({ key, site, bucket: left, nowMs, current: current?.record });
        const [result] = await store.putMany([{ record, expected: current?.revision }]);
        if (result?.status === 'written') {
          held.lease = { count, untilMs: nowMs + leaseMs };
          return;
        }
        if (result?.status !== 'stale') throw result?.error ?? new Error('no answer');
        current = result.current ?? (await store.get(key));
      }
      // So many others take from it at this moment that it will be empty soon.
      held.emptyUntilMs = now() + leaseMs;
    } catch {
      held.lease = { count: wanted, untilMs: now() + leaseMs };
    }
  }
}

/** What was fetched first, because it does not keep. */
function takeLocally(held: Held, limit: Limit, nowMs: number): boolean {
  if (held.lease.count > 0 && nowMs < held.lease.untilMs) {
    held.lease.count -= 1;
    return true;
  }
  const { left, count } = taken(filled(held.pocket, pocketOf(limit), nowMs), 1);
  held.pocket = left;
  return count === 1;
}

function pocketOf({ perSecond, burst }: Limit): Limit {
  return { perSecond: perSecond * pocketShare, burst: Math.max(1, burst * pocketShare) };
}

const WHAT: Readonly<Record<Limited, string>> = {
  requests: 'requests',
  writes: 'writes',
  waitingReads: 'reads with X-Tandem-Session or Prefer: wait',
};

function refusal(name: Limited, { perSecond, burst }: Limit, waitMs: number): TooManyRequestsError {
  return new TooManyRequestsError(
    `this site takes ${perSecond} ${WHAT[name]} a second of one caller, and ${burst} at once`,
    Math.max(1, Math.ceil(waitMs / 1_000)),
  );
}

function keyOf(name: Limited, identity: string): string {
  return `${LIMIT}:${name}.${sha256(identity).slice(0, 40)}`;
}

function bucketIn(current: Versioned | undefined): Bucket | undefined {
  const value = current?.record.state.fields['bucket']?.[1];
  const [tokens, atMs] = Array.isArray(value) ? (value as Json[]) : [];
  return typeof tokens === 'number' && typeof atMs === 'number' ? { tokens, atMs } : undefined;
}

/** The store drops it some time after its last change. */
function recordOf({
  bucket: { tokens, atMs },
  ...local
}: Omit<LocalRecord, 'values'> & { readonly bucket: Bucket }): StoredRecord {
  const dropAtSeconds = Math.ceil(local.nowMs / 1_000) + limitKeptSeconds;
  return localRecord({ ...local, values: { bucket: [tokens, atMs], [EXPIRES]: dropAtSeconds } });
}
