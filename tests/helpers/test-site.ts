/** One site for tests of protocols: a store and queues in memory, a clock that the test moves. */
import { drive, type Resources } from '@tandem-clouds/replication/drive';
import { type Changes, type LocalWrite, localWrite } from '@tandem-clouds/replication/local-write';
import type { InboundMessage, OutboundMessage } from '@tandem-clouds/replication/ports/queue';
import type { Protocol, Site } from '@tandem-clouds/replication/protocol';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import type { DeclaredIndex } from '../../src/shared/domain/indexes/declared-index.ts';
import { Replica } from '../../src/shared/domain/replica.ts';
import type { UniqueOf } from '../../src/shared/domain/unique/unique-values.ts';
import { MemoryQueue } from './memory-queue.ts';
import { MemoryStore } from './memory-store.ts';

export const START_MS = 1_800_000_000_000;

export class TestSite {
  readonly store = new MemoryStore();
  readonly outbox = new MemoryQueue();
  readonly peers: ReadonlyMap<string, MemoryQueue>;
  /** What was told to the queues of comparisons, its own included. */
  readonly verifiers: ReadonlyMap<string, MemoryQueue>;
  /** May be replaced, as a new release does. */
  site: Site;
  nowMs = START_MS;
  #operations = 0;

  constructor(name: string, peers: readonly string[] = ['azure-eastus']) {
    this.peers = new Map(peers.map((peer) => [peer, new MemoryQueue()]));
    this.verifiers = new Map([name, ...peers].map((site) => [site, new MemoryQueue()]));
    this.site = { site: name, peers, now: () => this.nowMs };
  }

  /** What happens while a protocol sleeps; the clock does not move on its own. */
  sleep: (ms: number) => Promise<void> = () => Promise.resolve();

  get resources(): Resources {
    return {
      store: this.store,
      outbox: this.outbox,
      peers: this.peers,
      verifiers: this.verifiers,
      sleep: (ms) => this.sleep(ms),
    };
  }

  run<Result>(protocol: Protocol<Result>): Promise<Result> {
    return drive(protocol, this.resources);
  }

  /** The replica of this site, as a service uses it. @param nextId Its ids, where a test wants its own. */
  /** @param uniqueOf What of its records is unique; nothing unless it is said. */
  replica(indexes: readonly DeclaredIndex[] = [], nextId?: () => string, uniqueOf?: UniqueOf): Replica {
    const next = (): string => {
      if (nextId !== undefined) return nextId();
      this.#operations += 1;
      return `id-${String(this.#operations).padStart(9, '0')}`;
    };
    return new Replica({
      site: this.site,
      resources: this.resources,
      indexes,
      ids: { next },
      ...(uniqueOf && { uniqueOf }),
    });
  }

  /** Sets fields of a key. */
  write(key: string, fields: Changes, options: Partial<LocalWrite> = {}): Promise<StoredRecord> {
    this.#operations += 1;
    return this.run(
      localWrite(this.site, { key, operationId: `op${this.#operations}`, decide: () => fields, ...options }),
    );
  }

  held(key: string): StoredRecord | undefined {
    return this.store.items.get(key)?.record;
  }

  /** What the outbox holds, as the trigger would deliver it. */
  outboxDeliveries(): InboundMessage[] {
    return this.outbox.sent.map(delivered);
  }
}

/** A sent message as its receiver gets it. */
export function delivered(message: OutboundMessage, index = 0): InboundMessage {
  return { id: `m${index}`, body: message.body, attributes: message.attributes ?? {}, attempts: 1 };
}
