/**
 * The store of a site on virtual time, with the budget and the charges of the Cosmos DB emulator, or without; its callers
 * ask again for what is throttled with the code that the adapters use.
 */
import type { Budget } from '@tandem-clouds/emulators/core/budget';
import {
  queryCharge,
  readCharge,
  REFUSED_CHARGE,
  writeCharge,
} from '@tandem-clouds/emulators/cosmos/charges';
import { chunk } from '@tandem-clouds/replication/chunk';
import { ThrottledError } from '@tandem-clouds/replication/errors';
import { byAge } from '@tandem-clouds/replication/index-attributes';
import { isCleared } from '@tandem-clouds/replication/markers';
import type {
  ClearRequest,
  PendingEntry,
  PutResult,
  Store,
  Versioned,
  WriteRequest,
} from '@tandem-clouds/replication/ports/store';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { withThrottling } from '../../../../src/shared/adapters/with-throttling.ts';
import { vendorAttemptsMax } from '../../../../src/shared/bounds.ts';
import type { Urgency } from '../../../../src/shared/ports/cloud.ts';
import { chargedBytes } from '../backlog.ts';

const BULK_MAX = 100;
const INDEX_ROW_BYTES = 60;

interface Held extends Versioned {
  readonly bytes: number;
}

/** What a site holds; several stores of different urgency may be opened on it. */
export class VirtualData {
  readonly #held = new Map<string, Held>();
  /** In order; what is no longer pending is left in it until most of it is that. */
  #index: PendingEntry[] = [];
  readonly #pending = new Map<string, number>();
  #revisions = 0;

  get(key: string): Held | undefined {
    return this.#held.get(key);
  }

  set(record: StoredRecord): void {
    const { key, pending, pendingSince: sinceMs = 0 } = record;
    this.#revisions += 1;
    this.#held.set(key, { record, revision: String(this.#revisions), bytes: chargedBytes(record) });
    if (Object.keys(pending).length === 0) this.#pending.delete(key);
    else if (this.#pending.get(key) !== sinceMs) {
      this.#pending.set(key, sinceMs);
      const entry = { key, sinceMs };
      this.#index.splice(this.#firstAfter(entry), 0, entry);
    }
    if (this.#index.length > 2 * this.#pending.size + BULK_MAX)
      this.#index = this.#index.filter((entry) => this.#isPending(entry));
  }

  pending(beforeMs: number, limit: number, after: PendingEntry | undefined): readonly PendingEntry[] {
    const found: PendingEntry[] = [];
    for (let i = after === undefined ? 0 : this.#firstAfter(after); found.length < limit; i += 1) {
      const entry = this.#index[i];
      if (entry === undefined || entry.sinceMs >= beforeMs) break;
      if (this.#isPending(entry)) found.push(entry);
    }
    return found;
  }

  #isPending({ key, sinceMs }: PendingEntry): boolean {
    return this.#pending.get(key) === sinceMs;
  }

  /** Of the first entry that comes after this one. */
  #firstAfter(entry: PendingEntry): number {
    let low = 0;
    let high = this.#index.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = this.#index[middle];
      if (at !== undefined && byAge(at, entry) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export interface VirtualStoreOptions {
  readonly data: VirtualData;
  readonly budget: Budget;
  readonly urgency: Urgency;
  readonly sleep: (ms: number) => Promise<void>;
  /** Of half the way of one request. */
  readonly latencyMs: () => number;
}

interface Charged<Result> {
  readonly result: Result;
  readonly charge: number;
}

type Response<Result> = { readonly result: Result } | { readonly throttledMs: number };

/** What the protocols of the bridge and of writes need of a store. */
export type BridgeStore = Pick<Store, 'get' | 'getMany' | 'putMany' | 'clearPending' | 'pending'>;

export class VirtualStore implements BridgeStore {
  readonly #options: VirtualStoreOptions;

  constructor(options: VirtualStoreOptions) {
    this.#options = options;
  }

  get(key: string): Promise<Versioned | undefined> {
    const { data } = this.#options;
    return this.#single(() => {
      const held = data.get(key);
      return { result: held, charge: held === undefined ? REFUSED_CHARGE : readCharge(held.bytes) };
    });
  }

  async getMany(keys: readonly string[]): Promise<ReadonlyMap<string, Versioned>> {
    const { data } = this.#options;
    const responses = await this.#bulk(keys, (key) => {
      const held = data.get(key);
      return { result: held, charge: held === undefined ? REFUSED_CHARGE : readCharge(held.bytes) };
    });
    const found = new Map<string, Versioned>();
    keys.forEach((key, i) => {
      const response = responses[i];
      if (response === undefined || 'throttledMs' in response) throw throttled(response?.throttledMs);
      if (response.result !== undefined) found.set(key, response.result);
    });
    return found;
  }

  async putMany(writes: readonly WriteRequest[]): Promise<readonly PutResult[]> {
    const { data } = this.#options;
    const responses = await this.#bulk(writes, ({ record, expected }): Charged<PutResult> => {
      const before = data.get(record.key);
      if (before?.revision !== expected) return { result: { status: 'stale' }, charge: REFUSED_CHARGE };
      data.set(record);
      const charge = writeCharge(data.get(record.key)?.bytes ?? 0, before?.bytes);
      return { result: { status: 'written' }, charge };
    });
    return responses.map((response) =>
      'throttledMs' in response
        ? { status: 'failed', error: throttled(response.throttledMs) }
        : response.result,
    );
  }

  async clearPending(requests: readonly ClearRequest[]): Promise<readonly (Error | undefined)[]> {
    const { data } = this.#options;
    const responses = await this.#bulk(requests, ({ key, accepted }) => {
      const held = data.get(key);
      const left = Object.entries(held?.record.pending ?? {}).filter(
        ([peer, marker]) => !isCleared(marker, accepted[peer]),
      );
      if (held === undefined || left.length > 0) return { result: undefined, charge: REFUSED_CHARGE };
      const { pendingSince: _, ...rest } = held.record;
      data.set({ ...rest, pending: {} });
      return { result: undefined, charge: writeCharge(data.get(key)?.bytes ?? 0, held.bytes) };
    });
    return responses.map((response) =>
      'throttledMs' in response ? throttled(response.throttledMs) : undefined,
    );
  }

  pending(beforeMs: number, limit: number, after?: PendingEntry): Promise<readonly PendingEntry[]> {
    const { data } = this.#options;
    return this.#single(() => {
      const result = data.pending(beforeMs, limit, after);
      return { result, charge: queryCharge(result.length, result.length * INDEX_ROW_BYTES) };
    });
  }

  /** One request; the SDK asks again as often as the product lets it. */
  async #single<Result>(effect: () => Charged<Result>): Promise<Result> {
    const { budget, sleep, latencyMs } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      await sleep(latencyMs());
      const response = admitted(budget, effect);
      await sleep(latencyMs());
      if ('result' in response) return response.result;
      if (attempt === vendorAttemptsMax) throw throttled(response.throttledMs);
      await sleep(response.throttledMs);
    }
  }

  /** Operations that are admitted one by one. Answers in order. */
  async #bulk<Item, Result>(
    items: readonly Item[],
    effect: (item: Item) => Charged<Result>,
  ): Promise<readonly Response<Result>[]> {
    const { budget, urgency, sleep, latencyMs } = this.#options;
    const send = async (some: readonly Item[]): Promise<readonly Response<Result>[]> => {
      await sleep(latencyMs());
      const responses = some.map((item) => admitted(budget, () => effect(item)));
      await sleep(latencyMs());
      return responses;
    };
    const hintOf = (response: Response<Result>): number | undefined =>
      'throttledMs' in response ? response.throttledMs : undefined;
    const parts = chunk(items, BULK_MAX).map((part) =>
      withThrottling(part, send, { hintOf, urgency, sleep }),
    );
    return (await Promise.all(parts)).flat();
  }
}

function admitted<Result>(budget: Budget, effect: () => Charged<Result>): Response<Result> {
  if (!budget.admit()) return { throttledMs: budget.retryAfterMs };
  const { result, charge } = effect();
  budget.charge(charge);
  return { result };
}

const throttled = (retryAfterMs = 0): ThrottledError =>
  new ThrottledError('the budget of this second is used up', { retryAfterMs });
