/**
 * The local copy of everything, as handlers use it: reads, lists, and writes that replicate.
 *
 * Invariant: a record that cannot be read, for good, decides about no other of its page; whoever meets it notes it for
 * `status`.
 */
import { awaitAcceptance } from '@tandem-clouds/replication/await-acceptance';
import { awaitStates, type SeenState, sitesOf } from '@tandem-clouds/replication/await-states';
import { sessionWaitMs } from '@tandem-clouds/replication/bounds';
import { drive, type Resources } from '@tandem-clouds/replication/drive';
import { isPermanent, NotYetHereError } from '@tandem-clouds/replication/errors';
import type { FailedKeys, KeysRead } from '@tandem-clouds/replication/isolate';
import { type LocalWrite, localWrite } from '@tandem-clouds/replication/local-write';
import { pauses } from '@tandem-clouds/replication/pauses';
import type { ListRange } from '@tandem-clouds/replication/ports/store';
import type { Site } from '@tandem-clouds/replication/protocol';
import { isLive, type StoredRecord } from '@tandem-clouds/replication/record';
import { areUnderstood } from '@tandem-clouds/replication/semantics';
import { type Activity, noteUnusable } from '@tandem-clouds/replication/unusable-keys';
import { pageBytesMax } from '../bounds.ts';
import { UnreadableError } from '../errors.ts';
import type { Ids } from '../ports/ids.ts';
import { readEach } from '../read-each.ts';

export interface Page {
  readonly records: readonly StoredRecord[];
  /** Keys of the page that are there and cannot be read at this site, for good. */
  readonly unreadable: readonly string[];
  /** The last key that was looked at, when there may be more. */
  readonly next: string | undefined;
}

export interface ListOptions {
  readonly after: string | undefined;
  readonly limit: number;
  /** States that the page must not be older than, where it reaches them. */
  readonly seen?: readonly SeenState[];
  /** How the keys of the page begin, where that is not with the entity alone (`ports/store.ts`). */
  readonly prefix?: string;
}

/** Whether a record, which may be deleted, is one that whoever asks may know of. */
export type MayKnow = (record: StoredRecord) => boolean;

export class Replica {
  readonly #site: Site;
  readonly #resources: Resources;
  readonly #ids: Ids;
  /** The newest semantics that every peer was found to understand. */
  #understood = 0;

  constructor(options: { site: Site; resources: Resources; ids: Ids }) {
    this.#site = options.site;
    this.#resources = options.resources;
    this.#ids = options.ids;
  }

  /** A fresh id, unique over all sites. */
  newId(): string {
    return this.#ids.next();
  }

  /** Epoch milliseconds at this site. */
  now(): number {
    return this.#site.now();
  }

  /**
   * The record, unless it is absent, deleted or expired; not older than those of the states `seen` that are its own. What
   * whoever asks may not know of is as absent, also in how it is waited for: a token is the client's word.
   * @throws NotYetHereError when such a state does not arrive in time.
   * @throws UnreadableError, or whatever it is that the store answers for good.
   */
  async read(
    key: string,
    seen: readonly SeenState[] = [],
    mayKnow?: MayKnow,
  ): Promise<StoredRecord | undefined> {
    const own = seen.filter((state) => state.key === key);
    const { held, failed } = own.length === 0 ? await this.#readOne(key) : await this.#await(own, mayKnow);
    const failure = failed.get(key);
    if (failure !== undefined) {
      await this.note('read', failed);
      throw failure;
    }
    const record = held.get(key)?.record;
    const isKnown = record !== undefined && (mayKnow?.(record) ?? true);
    return isKnown && this.#isLive(record) ? record : undefined;
  }

  /**
   * The records as they were seen. One that may not be known of is asked for by a key that no record has: whoever makes up
   * a token of it is answered, and waits, as for a record that does not exist.
   */
  async #await(seen: readonly SeenState[], mayKnow?: MayKnow): Promise<KeysRead> {
    const asked = mayKnow === undefined ? seen : await this.#disguised(seen, mayKnow);
    return drive(awaitStates(this.#site, asked), this.#resources);
  }

  async #disguised(seen: readonly SeenState[], mayKnow: MayKnow): Promise<readonly SeenState[]> {
    const { held } = await readEach(this.#resources.store, [...new Set(seen.map(({ key }) => key))]);
    const isHidden = (key: string): boolean => {
      const record = held.get(key)?.record;
      return record !== undefined && !mayKnow(record);
    };
    return seen.map((state) => (isHidden(state.key) ? { ...state, key: `${state.key}!` } : state));
  }

  async #readOne(key: string): Promise<KeysRead> {
    try {
      const versioned = await this.#resources.store.get(key);
      return { held: new Map(versioned && [[key, versioned]]), failed: new Map() };
    } catch (error) {
      if (!isPermanent(error)) throw error;
      return { held: new Map(), failed: new Map([[key, error]]) };
    }
  }

  /** Notes what this site cannot use, where `status` finds it. Never fails. */
  async note(during: Activity, failed: FailedKeys): Promise<void> {
    if (failed.size > 0) await drive(noteUnusable(this.#site, during, failed), this.#resources);
  }

  #isLive(record: StoredRecord): boolean {
    return isLive(record.state, this.#site.now());
  }

  /**
   * Whether every peer understands these semantics (`replication/semantics.ts`). Asked of the store until they do; what
   * was understood once is not asked again.
   */
  async isUnderstood(semantics: number): Promise<boolean> {
    if (this.#understood < semantics && (await drive(areUnderstood(this.#site, semantics), this.#resources)))
      this.#understood = semantics;
    return this.#understood >= semantics;
  }

  /** Performs a write under a fresh operation id. @throws what `localWrite` throws. */
  async write(write: Omit<LocalWrite, 'operationId'>): Promise<StoredRecord> {
    // The last 48 bits are random: enough to tell a record's few latest operations apart.
    const operationId = this.#ids.next().slice(-12);
    try {
      return await drive(localWrite(this.#site, { ...write, operationId }), this.#resources);
    } catch (error) {
      if (error instanceof UnreadableError) await this.note('write', new Map([[write.key, error]]));
      throw error;
    }
  }

  /**
   * Whether every peer's durable queue has the record, after waiting for it within a bound.
   * @param own True when this site has just written it, false when it only found it.
   */
  isAccepted(record: StoredRecord, own: boolean): Promise<boolean> {
    return drive(awaitAcceptance(this.#site, record, own), this.#resources);
  }

  /**
   * Live records of an entity in the order of their keys, after `after`. The index behind a list may lag, so
   * another client's newest record may be missing; what is listed is current, and every state of `seen` is in it.
   * @throws NotYetHereError when a state of `seen` does not arrive in time.
   */
  async list(entity: string, { after, limit, seen = [], prefix = `${entity}:` }: ListOptions): Promise<Page> {
    const own = seen.filter(({ key }) => key.startsWith(prefix));
    const range = { after, limit, prefix };
    if (own.length === 0) return this.#page(entity, range);
    const { held } = await drive(awaitStates(this.#site, own), this.#resources);
    const live = [...held.values()].map(({ record }) => record).filter((record) => this.#isLive(record));
    const waits = pauses(this.#site.now, sessionWaitMs);
    for (;;) {
      const page = await this.#page(entity, range);
      const unlisted = live.find(({ key }) => key > (after ?? '') && isMissing(page, key));
      if (unlisted === undefined) return page;
      const { value: pauseMs } = waits.next();
      if (pauseMs === undefined) {
        const makers = sitesOf(Object.values(unlisted.state.vector));
        throw new NotYetHereError(`${unlisted.key} is not yet in the index`, makers);
      }
      await this.#resources.sleep(pauseMs);
    }
  }

  async #page(entity: string, { limit, ...range }: ListRange): Promise<Page> {
    const keys = await this.#resources.store.list(entity, { ...range, limit: limit + 1 });
    const wanted = keys.slice(0, limit);
    const { held, failed } = await readEach(this.#resources.store, wanted);
    await this.note('list', failed);
    const unreadable: string[] = [];
    const records: StoredRecord[] = [];
    let bytes = 0;
    let last: string | undefined;
    for (const key of wanted) {
      const record = held.get(key)?.record;
      if (failed.has(key)) unreadable.push(key);
      if (record !== undefined && this.#isLive(record)) {
        bytes += Buffer.byteLength(JSON.stringify(record.state));
        if (bytes > pageBytesMax && records.length > 0) return { records, unreadable, next: last };
        records.push(record);
      }
      last = key;
    }
    return { records, unreadable, next: keys.length > limit ? last : undefined };
  }
}

/** The page reaches the key and does not hold it. */
function isMissing({ records, unreadable, next }: Page, key: string): boolean {
  const isNamed = unreadable.includes(key) || records.some((record) => record.key === key);
  return (next === undefined || key <= next) && !isNamed;
}
