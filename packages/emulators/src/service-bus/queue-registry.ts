/**
 * All queues of one broker, with what they share: the journal, the clock and the alarm.
 * Invariant: a queue exists here if and only if the journal defines it.
 */
import { randomBytes } from 'node:crypto';
import { type Address, deadLetterPath } from './addresses.ts';
import { Queue } from './queue.ts';
import type { QueueChange, QueueEntry } from './queue-changes.ts';
import { QueueJournal } from './queue-journal.ts';
import {
  checkQueueName,
  parseQueueOptions,
  type QueueOptions,
  type QueueSettings,
  queueSettings,
} from './queue-options.ts';
import type { QueueCounts } from './queue-types.ts';
import { checkTier, defaultTtlOf, type Tier } from './tiers.ts';

export interface QueueRegistryOptions {
  readonly dataDir: string | undefined;
  /** What queues may have; Standard when absent. */
  readonly tier?: Tier;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Something may have become deliverable, or due, in a queue. */
  readonly changed: (queue: Queue) => void;
  /** Journal size at which it is first rewritten; for tests. */
  readonly compactAtBytes?: number;
}

export class QueueRegistry {
  /** By name in lower case: Azure's names do not distinguish it. */
  readonly #queues = new Map<string, Queue>();
  readonly #journal: QueueJournal;
  readonly #now: () => number;
  readonly #changed: (queue: Queue) => void;
  #tier: Tier;

  constructor({ dataDir, now, changed, compactAtBytes, tier = 'Standard' }: QueueRegistryOptions) {
    this.#now = now;
    this.#tier = tier;
    this.#changed = changed;
    this.#journal = new QueueJournal({
      dataDir,
      replay: (entry) => this.#replay(entry),
      snapshot: () => this.#snapshot(),
      ...(compactAtBytes === undefined ? {} : { compactAtBytes }),
    });
    for (const queue of this.#queues.values()) queue.settleRecovery();
  }

  get tier(): Tier {
    return this.#tier;
  }

  /** What counts for queues that are created, or changed, from now on. */
  set tier(tier: Tier) {
    this.#tier = tier;
  }

  /** Lines in the journal. */
  get journalLength(): number {
    return this.#journal.length;
  }

  /**
   * Creates a queue, or gives an existing one these options; without options an existing one stays as it is.
   * @throws TypeError naming the option that is wrong, or that the tier does not have.
   */
  createQueue(name: string, options?: QueueOptions): Queue {
    checkQueueName(name);
    const parsed = parseQueueOptions(options ?? {});
    checkTier(this.#tier, parsed);
    const defaultTtlMs = defaultTtlOf(this.#tier);
    const settings = queueSettings({ ...(defaultTtlMs !== undefined && { defaultTtlMs }), ...parsed });
    const existing = this.#queues.get(name.toLowerCase());
    if (existing === undefined) return this.#define(name, settings);
    if (options !== undefined && JSON.stringify(settings) !== JSON.stringify(existing.settings)) {
      existing.configure(settings);
    }
    return existing;
  }

  /** The queue, or dead-letter queue, that an address names. */
  find(address: Address): Queue | undefined {
    if (address.kind === 'cbs') return undefined;
    const queue = this.#queues.get(address.name.toLowerCase());
    return address.deadLetters ? queue?.deadLetters : queue;
  }

  /** Every queue, without the dead-letter queues, sorted by name. */
  all(): Queue[] {
    return [...this.#queues.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * How many messages stand where; `tick` first, for the figures of this moment.
   * @throws TypeError when there is no such queue.
   */
  counts(name: string): QueueCounts {
    const queue = this.#queues.get(name.toLowerCase());
    if (queue === undefined) throw new TypeError(`name: there is no queue '${name}'`);
    return queue.counts;
  }

  /** The earliest moment, in epoch milliseconds, at which `tick` may have something to do. */
  get nextDueAt(): number {
    let dueAt = Infinity;
    for (const queue of this.#queues.values()) dueAt = Math.min(dueAt, queue.nextDueAt);
    return dueAt;
  }

  /** Does what is due in every queue. */
  tick(): void {
    for (const queue of this.#queues.values()) queue.tick();
  }

  /** Keeps the journal in proportion; call it between changes. */
  compactIfWorthIt(): void {
    this.#journal.compactIfWorthIt();
  }

  close(): void {
    this.#journal.close();
  }

  #define(name: string, settings: QueueSettings): Queue {
    this.#record(name, { kind: 'defined', settings });
    return this.#add(name, settings);
  }

  #add(name: string, settings: QueueSettings): Queue {
    const deps = (owner: string): ConstructorParameters<typeof Queue>[2] => ({
      now: this.#now,
      newToken: () => randomBytes(16).toString('hex'),
      record: (change) => this.#record(owner, change),
      changed: this.#changed,
    });
    const path = deadLetterPath(name);
    // A dead letter does not expire, is not counted out, and belongs to no session.
    const deadLetterSettings = queueSettings({ lockDurationMs: settings.lockDurationMs });
    const deadLetters = new Queue(path, deadLetterSettings, deps(path));
    const queue = new Queue(name, settings, deps(name), deadLetters);
    this.#queues.set(name.toLowerCase(), queue);
    return queue;
  }

  #record(queue: string, change: QueueChange): void {
    this.#journal.record({ queue, change });
  }

  #replay({ queue: path, change }: QueueEntry): void {
    const suffix = deadLetterPath('');
    const deadLetters = path.endsWith(suffix);
    const name = deadLetters ? path.slice(0, -suffix.length) : path;
    let queue = this.#queues.get(name.toLowerCase());
    if (queue === undefined) {
      if (change.kind !== 'defined') throw new Error(`journal: queue '${name}' is used before it is defined`);
      queue = this.#add(name, change.settings);
    }
    (deadLetters ? queue.deadLetters : queue)?.replay(change);
  }

  *#snapshot(): Generator<QueueEntry> {
    for (const queue of this.#queues.values()) {
      yield { queue: queue.name, change: { kind: 'defined', settings: queue.settings } };
      for (const part of [queue, queue.deadLetters]) {
        for (const change of part?.snapshot() ?? []) yield { queue: part?.name ?? queue.name, change };
      }
    }
  }
}
