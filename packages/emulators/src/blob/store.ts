/**
 * The state of one account: in memory, behind a journal; the bytes are in files (`core/object-files.ts`).
 *
 * Invariants: a change is in the journal before anybody sees it, and what the changes of one request do is seen as a whole
 * or not at all. Version ids only increase. What can be recovered is dropped when its time is over, and so are blocks that
 * no list has named for a week.
 */
import path from 'node:path';
import { lockDataDir } from '../core/data-lock.ts';
import { Journal } from '../core/journal.ts';
import { ObjectFiles } from '../core/object-files.ts';
import { type Change, State } from './changes.ts';
import { BlobError } from './errors.ts';
import type { Blob, BlobVersion, Container, ServiceProperties } from './model.ts';

const DAY_MS = 86_400_000;
/** @see https://learn.microsoft.com/rest/api/storageservices/put-block#remarks */
const STAGED_MS_MAX = 7 * DAY_MS;
const COMPACT_ABOVE = 5_000;
/** From the first day of the year 1, in which ETags and version ids count, to that of 1970, in ticks of 100 ns. */
const TICKS_TO_EPOCH = 621_355_968_000_000_000n;
const TICKS_PER_MS = 10_000n;

export interface StoreOptions {
  /** Undefined: nothing is kept, and the bytes are in a temporary folder. */
  readonly dataDir: string | undefined;
  readonly now: () => number;
  /** Whether each write keeps the state before it. */
  readonly versioning: boolean;
  /** Changes in the journal above which it may be compacted. */
  readonly compactAbove?: number | undefined;
}

export class Store {
  readonly now: () => number;
  readonly versioning: boolean;
  readonly files: ObjectFiles;
  readonly #state: State;
  readonly #journal: Journal<readonly Change[]>;
  readonly #compactAbove: number;
  readonly #unlock: () => void;
  #compactFrom: number;
  #lastTick = 0n;

  constructor({ dataDir, now, versioning, compactAbove = COMPACT_ABOVE }: StoreOptions) {
    this.now = now;
    this.versioning = versioning;
    this.#compactAbove = compactAbove;
    this.#compactFrom = compactAbove;
    this.#unlock = dataDir === undefined ? () => undefined : lockDataDir(dataDir);
    try {
      this.files = new ObjectFiles(dataDir && path.join(dataDir, 'objects'));
      this.#state = new State(this.files);
      this.#journal = Journal.open(dataDir && path.join(dataDir, 'journal.jsonl'), (changes) => {
        for (const change of changes) this.#apply(change);
      });
      this.files.sweep();
    } catch (error) {
      this.#unlock();
      throw error;
    }
  }

  get service(): ServiceProperties {
    return this.#state.service;
  }

  get containers(): ReadonlyMap<string, Container> {
    return this.#state.containers;
  }

  /** What happened, and has not been sent. Oldest first. */
  get events(): State['events'] {
    return this.#state.events;
  }

  /** @throws BlobError when there is none. */
  container(name: string): Container {
    const found = this.#state.containers.get(name);
    if (found === undefined) throw new BlobError('ContainerNotFound');
    return found;
  }

  /** With what is over dropped; undefined when nothing is left of it. @throws BlobError when there is no container. */
  blob(container: string, name: string): Blob | undefined {
    const blob = this.container(container).blobs.get(name);
    if (blob === undefined) return undefined;
    const over = this.#changesOfTime(container, blob);
    if (over.length > 0) this.commit(over);
    return this.container(container).blobs.get(name);
  }

  /** All of them or none. @throws FileWriteError */
  commit(changes: readonly Change[]): void {
    this.#journal.append(changes);
    for (const change of changes) this.#apply(change);
    if (this.#journal.length <= this.#compactFrom) return;
    this.#journal.compact(this.#entries());
    this.#compactFrom = Math.max(this.#compactAbove, 2 * this.#journal.length);
  }

  /** A moment that no other state has, as a version id and as an ETag. */
  newId(): { readonly id: string; readonly etag: string; readonly atMs: number } {
    const atMs = this.now();
    const now = BigInt(Math.floor(atMs)) * TICKS_PER_MS;
    this.#lastTick = now > this.#lastTick ? now : this.#lastTick + 1n;
    const tick = this.#lastTick;
    const fraction = String(tick % 10_000_000n).padStart(7, '0');
    const seconds = new Date(Number(tick / 10_000_000n) * 1_000).toISOString().slice(0, 19);
    const etag = `"0x${(tick + TICKS_TO_EPOCH).toString(16).toUpperCase()}"`;
    return { id: `${seconds}.${fraction}Z`, etag, atMs };
  }

  /** Until when a deleted state can be recovered; undefined: it is gone at once. */
  recoverableUntil({ deletedMs }: BlobVersion): number | undefined {
    const { deleteRetentionDays } = this.service;
    if (deletedMs === undefined || deleteRetentionDays === undefined) return undefined;
    return deletedMs + deleteRetentionDays * DAY_MS;
  }

  async close(): Promise<void> {
    this.#journal.close();
    await this.files.close();
    this.#unlock();
  }

  #changesOfTime(container: string, blob: Blob): Change[] {
    const nowMs = this.now();
    const of = { container, blob: blob.name };
    const dropped = blob.previous
      .filter((one) => one.deletedMs !== undefined && (this.recoverableUntil(one) ?? 0) <= nowMs)
      .map(({ id }): Change => ({ ...of, do: 'drop', id }));
    // All of them together, a week after the last one came.
    return blob.staged.size > 0 && blob.lastStagedMs + STAGED_MS_MAX <= nowMs
      ? [...dropped, { ...of, do: 'unstage' }]
      : dropped;
  }

  #apply(change: Change): void {
    this.#state.apply(change);
    const id = change.do === 'current' ? change.version.id : undefined;
    if (id !== undefined) {
      const tick = ticksOf(id);
      if (tick > this.#lastTick) this.#lastTick = tick;
    }
  }

  *#entries(): Generator<readonly Change[], void, undefined> {
    for (const change of this.#state.snapshot()) yield [change];
  }
}

function ticksOf(id: string): bigint {
  const fraction = BigInt(id.slice(20, 27));
  return BigInt(Date.parse(`${id.slice(0, 19)}Z`)) * TICKS_PER_MS + fraction;
}
