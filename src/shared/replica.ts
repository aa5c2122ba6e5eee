/** The local copy of everything, as handlers use it: reads, lists, and writes that replicate. */
import type { Clock } from './ports/clock.ts';
import type { Ids } from './ports/ids.ts';
import { drive, type Resources } from './replication/drive.ts';
import { localWrite, type LocalWrite } from './replication/local-write.ts';
import type { Site } from './replication/protocol.ts';
import { isLive, type StoredRecord } from './replication/record.ts';

export interface Page {
  readonly records: readonly StoredRecord[];
  /** The last key that was looked at, when there may be more. */
  readonly next: string | undefined;
}

export class Replica {
  readonly #site: Site;
  readonly #resources: Resources;
  readonly #ids: Ids;
  readonly #clock: Clock;

  constructor(options: { site: Site; resources: Resources; ids: Ids; clock: Clock }) {
    this.#site = options.site;
    this.#resources = options.resources;
    this.#ids = options.ids;
    this.#clock = options.clock;
  }

  /** A fresh id, unique over all sites. */
  newId(): string {
    return this.#ids.next();
  }

  /** Epoch milliseconds at this site. */
  now(): number {
    return this.#clock.now();
  }

  /** The record, unless it is absent, deleted or expired. */
  async read(key: string): Promise<StoredRecord | undefined> {
    const held = await this.#resources.store.get(key);
    return held !== undefined && this.isLive(held.record) ? held.record : undefined;
  }

  isLive(record: StoredRecord): boolean {
    return isLive(record.state, this.#clock.now());
  }

  /** Performs a write under a fresh operation id. @throws what `localWrite` throws. */
  write(write: Omit<LocalWrite, 'operationId'>): Promise<StoredRecord> {
    // The last 48 bits are random: enough to tell a record's few latest operations apart.
    const operationId = this.#ids.next().slice(-12);
    return drive(localWrite(this.#site, { ...write, operationId }), this.#resources);
  }

  /** Live records of an entity in the order of their keys, after `after`. */
  async list(entity: string, { after, limit }: { after: string | undefined; limit: number }): Promise<Page> {
    const keys = await this.#resources.store.list(entity, { after, limit: limit + 1 });
    const wanted = keys.slice(0, limit);
    const held = await this.#resources.store.getMany(wanted);
    const records = wanted
      .flatMap((key) => held.get(key)?.record ?? [])
      .filter((record) => this.isLive(record));
    return { records, next: keys.length > limit ? wanted.at(-1) : undefined };
  }
}
