/**
 * All queues of one emulator, and the journal that makes them survive a kill.
 *
 * Invariant: state changes only in `#apply`, and every entry is in the journal before it is applied. So what is
 * replayed at start is exactly what clients were told: a deleted message stays deleted, a receive count is kept, and
 * a message in flight comes back when its visibility timeout ends by the clock.
 */
import { Journal } from '../core/journal.ts';
import { DeduplicationWindow, type RememberedSend } from './deduplication.ts';
import type { Message } from './message.ts';
import type { MoveTask } from './move-task.ts';
import { Queue } from './queue.ts';

/** Compaction starts when the file has this many entries more than it needs. */
const COMPACTION_SLACK = 10_000;

type Entry =
  | {
      readonly type: 'create';
      readonly queue: string;
      readonly at: number;
      readonly attributes: Readonly<Record<string, string>>;
      readonly tags: Readonly<Record<string, string>>;
    }
  | {
      readonly type: 'configure';
      readonly queue: string;
      readonly at: number;
      readonly attributes: Readonly<Record<string, string>>;
    }
  | { readonly type: 'tag'; readonly queue: string; readonly tags: Readonly<Record<string, string>> }
  | { readonly type: 'drop'; readonly queue: string }
  | { readonly type: 'purge'; readonly queue: string }
  | {
      readonly type: 'put';
      readonly queue: string;
      readonly messages: readonly Message[];
      readonly remember?: RememberedSend;
    }
  | { readonly type: 'receive'; readonly queue: string; readonly receipts: readonly Receipt[] }
  | { readonly type: 'hide'; readonly queue: string; readonly key: number; readonly until: number }
  | { readonly type: 'delete'; readonly queue: string; readonly keys: readonly number[] }
  | {
      readonly type: 'transfer';
      readonly from: string;
      readonly keys: readonly number[];
      readonly to: string;
      readonly messages: readonly Message[];
    }
  | { readonly type: 'remember'; readonly send: RememberedSend }
  | { readonly type: 'counter'; readonly nextKey: number }
  | { readonly type: 'task'; readonly task: MoveTask };

/** What a receive changes about one message; without the body, to keep the journal small. */
export interface Receipt {
  readonly key: number;
  /** Random part of the receipt handle. */
  readonly receipt: string;
  /** Epoch milliseconds of the receive, and of the end of the visibility timeout. */
  readonly at: number;
  readonly until: number;
}

export interface SqsStoreOptions {
  /** Journal file; absent: memory only. */
  readonly file: string | undefined;
  readonly region: string;
  readonly account: string;
  readonly now: () => number;
}

export class SqsStore {
  readonly region: string;
  readonly account: string;
  readonly now: () => number;
  readonly queues = new Map<string, Queue>();
  readonly deduplication = new DeduplicationWindow();
  /** Latest first. */
  tasks: readonly MoveTask[] = [];
  readonly #journal: Journal<Entry>;
  #nextKey = 1;

  constructor({ file, region, account, now }: SqsStoreOptions) {
    this.region = region;
    this.account = account;
    this.now = now;
    this.#journal = Journal.open<Entry>(file, (entry) => this.#apply(entry));
  }

  close(): void {
    this.#journal.close();
  }

  /** The next position in the order of arrival. */
  takeKey(): number {
    const key = this.#nextKey;
    this.#nextKey += 1;
    return key;
  }

  arnOf(name: string): string {
    return `arn:aws:sqs:${this.region}:${this.account}:${name}`;
  }

  byArn(arn: string | undefined): Queue | undefined {
    const queue = this.queues.get(arn?.split(':').at(-1) ?? '');
    return queue?.arn === arn ? queue : undefined;
  }

  create(
    queue: string,
    attributes: Readonly<Record<string, string>>,
    tags: Readonly<Record<string, string>>,
  ): void {
    this.#commit({ type: 'create', queue, at: this.now(), attributes, tags });
  }

  configure(queue: Queue, attributes: Readonly<Record<string, string>>): void {
    this.#commit({ type: 'configure', queue: queue.name, at: this.now(), attributes });
  }

  tag(queue: Queue, tags: Readonly<Record<string, string>>): void {
    this.#commit({ type: 'tag', queue: queue.name, tags });
  }

  drop(queue: Queue): void {
    this.#commit({ type: 'drop', queue: queue.name });
    queue.notify();
  }

  purge(queue: Queue): void {
    this.#commit({ type: 'purge', queue: queue.name });
  }

  /** Adds messages and, in the same entry, what a FIFO queue remembers of the send. */
  put(queue: Queue, messages: readonly Message[], remember?: RememberedSend): void {
    this.#commit({ type: 'put', queue: queue.name, messages, ...(remember !== undefined && { remember }) });
  }

  receive(queue: Queue, receipts: readonly Receipt[]): void {
    this.#commit({ type: 'receive', queue: queue.name, receipts });
  }

  hide(queue: Queue, key: number, until: number): void {
    this.#commit({ type: 'hide', queue: queue.name, key, until });
  }

  delete(queue: Queue, keys: readonly number[]): void {
    this.#commit({ type: 'delete', queue: queue.name, keys });
  }

  /** Moves messages in one entry, so that a kill leaves them in one queue or in the other. */
  transfer(from: Queue, keys: readonly number[], to: Queue, messages: readonly Message[]): void {
    this.#commit({ type: 'transfer', from: from.name, keys, to: to.name, messages });
  }

  saveTask(task: MoveTask): void {
    this.#commit({ type: 'task', task });
  }

  /** Brings a queue up to the present: what is due becomes visible, what is too old is dropped. */
  settle(queue: Queue): void {
    const now = this.now();
    queue.surface(now);
    const expired = queue.expired(now);
    if (expired.length > 0) this.delete(queue, expired);
  }

  #commit(entry: Entry): void {
    this.#journal.append(entry);
    this.#apply(entry);
    if (this.#journal.length > COMPACTION_SLACK + 4 * this.#liveEntries()) {
      this.#journal.compact(this.#snapshot());
    }
  }

  #liveEntries(): number {
    let live = this.queues.size + this.tasks.length;
    for (const queue of this.queues.values()) live += queue.size;
    return live;
  }

  *#snapshot(): Generator<Entry> {
    yield { type: 'counter', nextKey: this.#nextKey };
    for (const queue of this.queues.values()) {
      const { name, createdAt, modifiedAt, attributes, tags } = queue;
      yield { type: 'create', queue: name, at: createdAt, attributes, tags };
      yield { type: 'configure', queue: name, at: modifiedAt, attributes };
      for (const message of queue.messages()) yield { type: 'put', queue: name, messages: [message] };
    }
    for (const send of this.deduplication.all(this.now())) yield { type: 'remember', send };
    for (const task of [...this.tasks].reverse()) yield { type: 'task', task };
  }

  #queue(name: string): Queue {
    const queue = this.queues.get(name);
    if (queue === undefined) throw new Error(`the journal names an unknown queue: ${name}`);
    return queue;
  }

  #apply(entry: Entry): void {
    switch (entry.type) {
      case 'create':
        this.#applyCreate(entry);
        return;
      case 'configure': {
        const queue = this.#queue(entry.queue);
        queue.attributes = entry.attributes;
        queue.modifiedAt = entry.at;
        return;
      }
      case 'tag':
        this.#queue(entry.queue).tags = entry.tags;
        return;
      case 'drop':
        this.queues.delete(entry.queue);
        return;
      case 'purge':
        this.#queue(entry.queue).clear();
        return;
      case 'put':
        if (entry.remember !== undefined) this.deduplication.remember(entry.remember);
        this.#applyPut(entry.queue, entry.messages);
        return;
      case 'receive':
        this.#applyReceive(this.#queue(entry.queue), entry.receipts);
        return;
      case 'hide':
        this.#applyHide(this.#queue(entry.queue), entry.key, entry.until);
        return;
      case 'delete':
        for (const key of entry.keys) this.#queue(entry.queue).remove(key);
        return;
      case 'transfer':
        for (const key of entry.keys) this.#queue(entry.from).remove(key);
        this.#applyPut(entry.to, entry.messages);
        return;
      case 'remember':
        this.deduplication.remember(entry.send);
        return;
      case 'counter':
        this.#nextKey = Math.max(this.#nextKey, entry.nextKey);
        return;
      case 'task':
        this.tasks = [entry.task, ...this.tasks.filter(({ handle }) => handle !== entry.task.handle)];
        return;
    }
  }

  #applyCreate({ queue: name, at, attributes, tags }: Entry & { type: 'create' }): void {
    this.queues.set(name, new Queue({ name, arn: this.arnOf(name), createdAt: at, attributes, tags }));
  }

  #applyPut(name: string, messages: readonly Message[]): void {
    const queue = this.#queue(name);
    for (const message of messages) {
      queue.put(message);
      this.#nextKey = Math.max(this.#nextKey, message.key + 1);
    }
  }

  #applyReceive(queue: Queue, receipts: readonly Receipt[]): void {
    for (const { key, receipt, at, until } of receipts) {
      const message = queue.get(key);
      if (message === undefined)
        throw new Error(`the journal receives an unknown message from ${queue.name}`);
      queue.put({
        ...message,
        receipt,
        receiveCount: message.receiveCount + 1,
        firstReceivedAt: message.firstReceivedAt ?? at,
        hidden: 'in-flight',
        hiddenUntil: until,
      });
    }
  }

  #applyHide(queue: Queue, key: number, until: number): void {
    const message = queue.get(key);
    if (message !== undefined) queue.put({ ...message, hidden: 'in-flight', hiddenUntil: until });
  }
}
