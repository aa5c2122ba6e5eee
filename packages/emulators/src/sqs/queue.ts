/**
 * One queue in memory: which messages can be received, which are hidden and until when, which groups are locked.
 *
 * Invariant: every message is in exactly one of two places, the visible list (sorted by key, the order of arrival) or
 * the hidden set (delayed or in flight), and a FIFO group is locked while a message of it is in flight. Nothing here
 * knows about the journal or the wire.
 */
import type { Message } from './message.ts';

/** Messages by state, as the approximate counters report them. */
export interface QueueCounts {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
  /** Age of the oldest message that nobody has deleted; 0 when the queue is empty. */
  readonly oldestAgeMs: number;
}

export interface QueueOptions {
  readonly name: string;
  readonly arn: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly attributes: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

export class Queue {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  /** Epoch milliseconds of the last change of the attributes. */
  modifiedAt: number;
  attributes: Readonly<Record<string, string>>;
  tags: Readonly<Record<string, string>>;
  readonly #messages = new Map<number, Message>();
  #visible: Message[] = [];
  readonly #hidden = new Set<Message>();
  readonly #lockedGroups = new Map<string, number>();
  readonly #waiters = new Set<() => void>();
  /** No hidden message is due before this moment; it may be too early, never too late. */
  #nextDue = Infinity;
  #inFlight = 0;

  constructor({ name, arn, createdAt, attributes, tags }: QueueOptions) {
    this.name = name;
    this.arn = arn;
    this.createdAt = createdAt;
    this.modifiedAt = createdAt;
    this.attributes = attributes;
    this.tags = tags;
  }

  get isFifo(): boolean {
    return this.name.endsWith('.fifo');
  }

  get visible(): readonly Message[] {
    return this.#visible;
  }

  /** Messages received and not yet deleted. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get size(): number {
    return this.#messages.size;
  }

  messages(): Iterable<Message> {
    return this.#messages.values();
  }

  get(key: number): Message | undefined {
    return this.#messages.get(key);
  }

  /** A whole number from the attributes; they are validated when they are set. */
  numberOf(attribute: string): number {
    return Number(this.attributes[attribute]);
  }

  /** Adds a message, or replaces the one with its key. */
  put(message: Message): void {
    this.remove(message.key);
    this.#messages.set(message.key, message);
    if (message.hidden === undefined) {
      this.#insertVisible(message);
    } else {
      this.#hidden.add(message);
      this.#nextDue = Math.min(this.#nextDue, message.hiddenUntil ?? 0);
      if (message.hidden === 'in-flight') this.#countInFlight(message, 1);
    }
    this.notify();
  }

  remove(key: number): Message | undefined {
    const message = this.#messages.get(key);
    if (message === undefined) return undefined;
    this.#messages.delete(key);
    if (message.hidden === undefined) {
      this.#visible.splice(this.#visibleIndex(key), 1);
    } else {
      this.#hidden.delete(message);
      if (message.hidden === 'in-flight') this.#countInFlight(message, -1);
    }
    this.notify();
    return message;
  }

  clear(): void {
    this.#messages.clear();
    this.#visible = [];
    this.#hidden.clear();
    this.#lockedGroups.clear();
    this.#nextDue = Infinity;
    this.#inFlight = 0;
  }

  isGroupLocked(groupId: string | undefined): boolean {
    return this.isFifo && groupId !== undefined && this.#lockedGroups.has(groupId);
  }

  /** Makes visible what is due. */
  surface(now: number): void {
    if (now < this.#nextDue) return;
    this.#nextDue = Infinity;
    for (const message of [...this.#hidden]) {
      const due = message.hiddenUntil ?? 0;
      if (due <= now) this.put(asVisible(message));
      else this.#nextDue = Math.min(this.#nextDue, due);
    }
  }

  /** Keys of the visible messages that are older than the retention period. */
  expired(now: number): number[] {
    const oldestKept = now - this.numberOf('MessageRetentionPeriod') * 1000;
    const keys: number[] = [];
    for (const message of this.#visible) {
      if (message.sentAt > oldestKept) break;
      keys.push(message.key);
    }
    return keys;
  }

  counts(now: number): QueueCounts {
    let oldest = now;
    for (const { sentAt } of this.#messages.values()) oldest = Math.min(oldest, sentAt);
    const inFlight = this.#inFlight;
    return {
      visible: this.#visible.length,
      inFlight,
      delayed: this.#hidden.size - inFlight,
      oldestAgeMs: now - oldest,
    };
  }

  /** Wakes every long poll, so that it looks again. */
  notify(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  /** Resolves when something changed, when a hidden message is due, after `timeoutMs`, or when the poll is aborted. */
  waitForChange(timeoutMs: number, now: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.max(1, Math.ceil(Math.min(timeoutMs, this.#nextDue - now))));
      this.#waiters.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  #insertVisible(message: Message): void {
    const last = this.#visible.at(-1);
    if (last === undefined || last.key < message.key) this.#visible.push(message);
    else this.#visible.splice(this.#visibleIndex(message.key), 0, message);
  }

  /** Where a key is, or belongs, in the visible list. */
  #visibleIndex(key: number): number {
    let low = 0;
    let high = this.#visible.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keyAt(middle) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #keyAt(index: number): number {
    return this.#visible[index]?.key ?? Infinity;
  }

  #countInFlight(message: Message, change: 1 | -1): void {
    this.#inFlight += change;
    if (!this.isFifo || message.groupId === undefined) return;
    const locks = (this.#lockedGroups.get(message.groupId) ?? 0) + change;
    if (locks > 0) this.#lockedGroups.set(message.groupId, locks);
    else this.#lockedGroups.delete(message.groupId);
  }
}

function asVisible(message: Message): Message {
  const { hidden: _hidden, hiddenUntil: _hiddenUntil, ...visible } = message;
  return visible;
}
