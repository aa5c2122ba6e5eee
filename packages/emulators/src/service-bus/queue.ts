/**
 * One queue and its dead-letter queue: a state machine without AMQP, timers or I/O.
 *
 * Invariant: a message is in exactly one place (ready, locked, scheduled or deferred) until it is settled,
 * expires or moves to the dead-letter queue, and every durable change is recorded before anybody is told of it.
 * Time and randomness come in through `QueueDeps`; `tick` does what has become due. It is one class, and longer
 * than most, because every transition must keep the same few collections in step.
 */
import { DuplicateWindow } from './duplicate-window.ts';
import type { BrokerError } from './errors.ts';
import {
  messageLockLost,
  messageNotFound,
  notAllowed,
  quotaExceeded,
  sessionCannotBeLocked,
  sessionLockLost,
} from './errors.ts';
import { type Message, type MessageDraft, withApplicationProperties } from './message.ts';
import { admit, asDeadLetter, expiryOf } from './message-lifecycle.ts';
import type { QueueChange } from './queue-changes.ts';
import type { QueueSettings } from './queue-options.ts';
import type { Lock, QueueCounts, Settlement } from './queue-types.ts';
import { ReadyList } from './ready-list.ts';
import { type LockHolder, type Session, SessionTable } from './session-table.ts';

type Properties = Readonly<Record<string, unknown>>;

/** What a queue needs from outside. */
export interface QueueDeps {
  /** Epoch milliseconds. */
  now(): number;
  /** A lock token: 32 hexadecimal digits, never the same twice. */
  newToken(): string;
  /** Writes a change down before its effect is visible. */
  record(change: QueueChange): void;
  /** Something may have become deliverable, or due. */
  changed(queue: Queue): void;
}

/** When what was due could not be recorded, it is due again after this time. */
const RETRY_AFTER_MS = 1_000;

/** Holds the locks taken through the management node, which belong to no link. */
const ANYONE: LockHolder = {};

export class Queue {
  readonly name: string;
  /** Absent on a dead-letter queue itself. */
  readonly deadLetters: Queue | undefined;
  #settings: QueueSettings;
  readonly #deps: QueueDeps;
  /** Every message of the queue, in order of its number. */
  readonly #messages = new Map<number, Message>();
  readonly #ready = new ReadyList();
  readonly #locks = new Map<string, Lock>();
  readonly #scheduled = new Set<Message>();
  readonly #deferred = new Set<Message>();
  readonly #sessions = new SessionTable();
  readonly #seen = new DuplicateWindow();
  #sequence = 0;
  /** Bytes of each message as it was taken in, by its number, and of all, without the dead-letter queue. */
  readonly #sizes = new Map<number, number>();
  #bytes = 0;
  /** No later than the earliest moment at which something of the kind is due. */
  #lockDueAt = Infinity;
  #scheduleDueAt = Infinity;
  #expiryDueAt = Infinity;

  constructor(name: string, settings: QueueSettings, deps: QueueDeps, deadLetters?: Queue) {
    this.name = name;
    this.#settings = settings;
    this.#deps = deps;
    this.deadLetters = deadLetters;
  }

  get settings(): QueueSettings {
    return this.#settings;
  }

  /** @throws TypeError when a queue with messages would begin or cease to require sessions. */
  configure(settings: QueueSettings): void {
    if (settings.requiresSession !== this.#settings.requiresSession && this.#messages.size > 0) {
      throw new TypeError(`options.requiresSession: queue '${this.name}' holds messages; drain it first`);
    }
    this.#deps.record({ kind: 'defined', settings });
    this.#settings = settings;
  }

  /** The earliest moment, in epoch milliseconds, at which `tick` may have something to do. */
  get nextDueAt(): number {
    const own = Math.min(this.#lockDueAt, this.#scheduleDueAt, this.#expiryDueAt);
    return Math.min(own, this.deadLetters?.nextDueAt ?? Infinity);
  }

  /** Bytes of the queue with its dead letters, which count towards its size. */
  get sizeInBytes(): number {
    return this.#bytes + (this.deadLetters?.sizeInBytes ?? 0);
  }

  get counts(): QueueCounts {
    const locked = this.#locks.size;
    const deferredAndScheduled = this.#deferred.size + this.#scheduled.size;
    const ready = this.#messages.size - locked - deferredAndScheduled;
    return {
      active: ready + locked,
      ready,
      locked,
      scheduled: this.#scheduled.size,
      deferred: this.#deferred.size,
      deadLetter: this.deadLetters?.counts.active ?? 0,
      oldestEnqueuedAt: this.#oldestActive()?.enqueuedAt,
    };
  }

  // --- Sending

  /**
   * Takes in the messages of one send, all or none.
   * @returns Their sequence numbers; 0 for one that duplicate detection dropped.
   * @throws BrokerError `amqp:not-allowed` for a message without session id in a queue that requires one;
   * `amqp:resource-limit-exceeded` when the queue was full already.
   */
  enqueue(drafts: readonly MessageDraft[]): number[] {
    if (this.#settings.requiresSession && drafts.some(({ sessionId }) => sessionId === undefined)) {
      throw notAllowed(`Queue '${this.name}' requires sessions: set the session id of the message.`);
    }
    const { maxSizeBytes } = this.#settings;
    if (this.sizeInBytes >= maxSizeBytes) throw quotaExceeded(this.name, maxSizeBytes);
    this.#seen.forget(this.#deps.now());
    const now = this.#deps.now();
    const ids = new Set<string>();
    const accepted = drafts.map((draft) => {
      if (this.#isDuplicate(draft.id, ids)) return undefined;
      ids.add(draft.id);
      this.#sequence += 1;
      return admit(draft, this.#sequence, this.#settings, now);
    });
    const messages = accepted.filter((message) => message !== undefined);
    if (messages.length > 0) this.#deps.record({ kind: 'added', messages });
    for (const message of messages) this.#insert(message);
    this.#remember(ids);
    this.#deps.changed(this);
    return accepted.map((message) => message?.sequence ?? 0);
  }

  /**
   * Withdraws scheduled messages, all or none.
   * @throws BrokerError `com.microsoft:message-not-found` when one is not scheduled (any more).
   */
  cancelScheduled(sequences: readonly number[]): void {
    const messages = sequences.map((sequence) => this.#requireState(sequence, 'scheduled'));
    for (const message of messages) {
      this.#remove(message);
      this.#scheduled.delete(message);
    }
  }

  // --- Receiving

  /** Whether a receiver (of `session`, where the queue requires one) would get a message now. */
  hasReady(session?: Session): boolean {
    return this.#readyList(session)?.first !== undefined;
  }

  /** Locks the next message for `holder`; undefined when there is none. */
  receive(holder: LockHolder, session?: Session): Lock | undefined {
    const message = this.#takeReady(session);
    return message === undefined ? undefined : this.#lock(message, holder);
  }

  /** Takes the next message out of the queue for good (receive-and-delete). */
  receiveAndDelete(session?: Session): Message | undefined {
    const message = this.#takeReady(session);
    if (message === undefined) return undefined;
    try {
      this.#remove(message);
    } catch (error) {
      this.#place(message);
      throw error;
    }
    return message;
  }

  /**
   * Locks deferred messages by their numbers, all or none.
   * @throws BrokerError `com.microsoft:message-not-found` when one is not deferred.
   */
  receiveDeferred(sequences: readonly number[], sessionId?: string): Lock[] {
    const messages = sequences.map((sequence) => this.#requireState(sequence, 'deferred'));
    const holder = sessionId === undefined ? ANYONE : (this.#sessions.find(sessionId)?.holder ?? ANYONE);
    return messages.map((message) => {
      this.#deferred.delete(message);
      return this.#lock(message, holder);
    });
  }

  /** Up to `count` messages from a number on, whatever their state, without locking them. */
  peek(fromSequence: number, count: number, sessionId?: string): Message[] {
    const found: Message[] = [];
    for (const message of this.#messages.values()) {
      if (found.length >= count) break;
      if (message.sequence < fromSequence) continue;
      if (sessionId === undefined || message.sessionId === sessionId) found.push(message);
    }
    return found;
  }

  // --- Locks

  /**
   * Ends a lock as its holder wishes.
   * @throws BrokerError message or session lock lost; `amqp:not-allowed` for dead-lettering a dead letter.
   */
  settle(token: string, settlement: Settlement): void {
    const lock = this.#requireLock(token);
    if (settlement.kind === 'deadLetter' && this.deadLetters === undefined) {
      throw notAllowed('A message in a dead-letter queue cannot be dead-lettered again.');
    }
    this.#whole(lock.message, () => this.#settle(lock.message, settlement));
    this.#locks.delete(token);
    this.#deps.changed(this);
  }

  #settle(message: Message, settlement: Settlement): void {
    switch (settlement.kind) {
      case 'complete':
        this.#remove(message);
        break;
      case 'abandon':
        this.#redeliver(message, settlement.properties);
        break;
      case 'defer':
        message.state = 'deferred';
        this.#update(message, settlement.properties);
        this.#deferred.add(message);
        break;
      case 'deadLetter':
        this.#deadLetter(message, settlement.reason, settlement.description, settlement.properties);
        break;
    }
  }

  /** Makes a change of a message; when it cannot be recorded the message is as it was. */
  #whole(message: Message, change: () => void): void {
    const before = { ...message };
    try {
      change();
    } catch (error) {
      Object.assign(message, before);
      throw error;
    }
  }

  /** Ends a lock as if its time had run out. */
  expireLock(token: string): void {
    const lock = this.#locks.get(token);
    if (lock === undefined) return;
    this.#loseLock(lock, true);
    this.#deps.changed(this);
  }

  /**
   * Gives locks another full duration, all or none.
   * @returns The new ends, in epoch milliseconds.
   * @throws BrokerError when a lock is lost.
   */
  renew(tokens: readonly string[]): number[] {
    const locks = tokens.map((token) => this.#requireLock(token));
    return locks.map((lock) => {
      lock.lockedUntil = this.#lockEnd();
      return lock.lockedUntil;
    });
  }

  // --- Sessions

  /**
   * Gives `holder` a session: the named one, or the one that has waited longest.
   * @returns Undefined when no unnamed session is available.
   * @throws BrokerError `com.microsoft:session-cannot-be-locked` when somebody else holds the named one.
   */
  acceptSession(id: string | undefined, holder: LockHolder): Session | undefined {
    this.tick();
    const session = id === undefined ? this.#sessions.nextAvailable() : this.#sessions.get(id);
    if (session === undefined) return undefined;
    if (session.holder !== undefined) throw sessionCannotBeLocked(session.id);
    this.#sessions.hold(session, holder, this.#lockEnd());
    return session;
  }

  /**
   * Gives the holder of a session another full duration; its messages stay locked with it.
   * @throws BrokerError `com.microsoft:session-lock-lost`.
   */
  renewSession(id: string): number {
    const session = this.#sessions.find(id);
    if (session?.holder === undefined || session.lockedUntil <= this.#deps.now()) throw sessionLockLost();
    session.lockedUntil = this.#lockEnd();
    for (const lock of this.#locksOf(session)) lock.lockedUntil = session.lockedUntil;
    return session.lockedUntil;
  }

  /** The holder is done with its session: what it had locked is available again, and no delivery is counted. */
  releaseSession(holder: LockHolder): void {
    const session = this.#sessions.heldBy(holder);
    if (session === undefined) return;
    this.#endSession(session, false);
    this.#deps.changed(this);
  }

  sessionState(id: string): Buffer | undefined {
    return this.#sessions.find(id)?.state;
  }

  setSessionState(id: string, state: Buffer | undefined): void {
    this.#deps.record({ kind: 'session-state', sessionId: id, state });
    this.#keepSessionState(id, state);
  }

  /** Ids of the sessions that have messages or state, sorted. */
  sessionIds(): string[] {
    const withMessages = [...this.#messages.values()].flatMap(({ sessionId }) => sessionId ?? []);
    const withState = this.#sessions.all().flatMap(({ id, state }) => (state === undefined ? [] : [id]));
    return [...new Set([...withMessages, ...withState])].sort();
  }

  // --- Time

  /**
   * Does everything that is due: lost locks, scheduled messages, expired messages.
   * @throws What recording it throws; what was not recorded is due again a little later.
   */
  tick(): void {
    const now = this.#deps.now();
    this.deadLetters?.tick();
    if (this.nextDueAt > now) return;
    try {
      if (this.#lockDueAt <= now) this.#expireLocks(now);
      if (this.#scheduleDueAt <= now) this.#activateScheduled(now);
      if (this.#expiryDueAt <= now) this.#expireReady(now);
    } catch (error) {
      const again = now + RETRY_AFTER_MS;
      this.#lockDueAt = this.#scheduleDueAt = this.#expiryDueAt = again;
      throw error;
    }
    this.#deps.changed(this);
  }

  #expireLocks(now: number): void {
    this.#lockDueAt = Infinity;
    for (const session of this.#sessions.all()) {
      if (session.holder === undefined) continue;
      if (session.lockedUntil > now) this.#lockDueAt = Math.min(this.#lockDueAt, session.lockedUntil);
      else {
        const { holder } = session;
        this.#endSession(session, true);
        holder.sessionLost?.();
      }
    }
    for (const lock of [...this.#locks.values()]) {
      if (lock.lockedUntil <= now) this.#loseLock(lock, true);
      else this.#lockDueAt = Math.min(this.#lockDueAt, lock.lockedUntil);
    }
  }

  #activateScheduled(now: number): void {
    this.#scheduleDueAt = Infinity;
    for (const message of [...this.#scheduled]) {
      const dueAt = message.availableAt ?? now;
      if (dueAt > now) {
        this.#scheduleDueAt = Math.min(this.#scheduleDueAt, dueAt);
        continue;
      }
      this.#whole(message, () => {
        message.state = 'active';
        message.availableAt = undefined;
        message.enqueuedAt = now;
        // The time to live begins when a message becomes available.
        message.expiresAt = expiryOf(message.ttlMs, now);
        this.#update(message);
      });
      this.#scheduled.delete(message);
      this.#putBack(message);
    }
  }

  /** Messages that wait for a receiver expire; locked and deferred ones do not. */
  #expireReady(now: number): void {
    this.#expiryDueAt = Infinity;
    const lists = [this.#ready, ...this.#sessions.all().map(({ ready }) => ready)];
    for (const list of lists) {
      const expired = list.removeWhere(({ expiresAt }) => expiresAt <= now);
      for (const [index, message] of expired.entries()) {
        try {
          this.#expire(message);
        } catch (error) {
          for (const left of expired.slice(index)) list.add(left);
          throw error;
        }
      }
    }
    for (const { expiresAt } of this.#messages.values()) {
      if (expiresAt > now) this.#expiryDueAt = Math.min(this.#expiryDueAt, expiresAt);
    }
  }

  // --- Recovery

  /** Applies a change that the journal replays; `settleRecovery` follows the last one. */
  replay(change: QueueChange): void {
    switch (change.kind) {
      case 'added':
        for (const message of change.messages) this.#replayMessage(message);
        break;
      case 'removed':
        this.#drop(change.sequence);
        break;
      case 'updated': {
        const message = this.#messages.get(change.sequence);
        if (message === undefined) break;
        const { state, deliveryCount, enqueuedAt, expiresAt, bare = message.bare } = change;
        const availableAt = state === 'scheduled' ? message.availableAt : undefined;
        Object.assign(message, { state, deliveryCount, enqueuedAt, expiresAt, bare, availableAt });
        break;
      }
      case 'dead-lettered':
        this.#drop(change.sequence);
        this.deadLetters?.replay({ kind: 'added', messages: [change.message] });
        break;
      case 'session-state':
        this.#keepSessionState(change.sessionId, change.state);
        break;
      case 'seen':
        for (const [id, until] of change.ids) this.#seen.remember(id, until);
        break;
      case 'numbered':
        this.#sequence = Math.max(this.#sequence, change.sequence);
        break;
      case 'defined':
        this.#settings = change.settings;
        break;
    }
  }

  /** Puts what was replayed in its places. */
  settleRecovery(): void {
    this.deadLetters?.settleRecovery();
    for (const message of this.#messages.values()) this.#place(message);
  }

  /** The changes that would build the queue as it is now, without its dead-letter queue. */
  *snapshot(): Generator<QueueChange> {
    yield { kind: 'numbered', sequence: this.#sequence };
    this.#seen.forget(this.#deps.now());
    const ids = this.#seen.entries();
    if (ids.length > 0) yield { kind: 'seen', ids };
    for (const { id, state } of this.#sessions.all()) {
      if (state !== undefined) yield { kind: 'session-state', sessionId: id, state };
    }
    for (const message of this.#messages.values()) yield { kind: 'added', messages: [message] };
  }

  #replayMessage(message: Message): void {
    this.#sequence = Math.max(this.#sequence, message.sequence);
    this.#hold(message);
    const until = message.enqueuedAt + this.#settings.duplicateDetectionMs;
    if (this.deadLetters !== undefined && until > this.#deps.now()) this.#seen.remember(message.id, until);
  }

  #keepSessionState(id: string, state: Buffer | undefined): void {
    const session = this.#sessions.get(id);
    session.state = state;
    this.#sessions.prune(session);
  }

  // --- Inside

  #isDuplicate(id: string, sameSend: ReadonlySet<string>): boolean {
    return (
      this.#settings.duplicateDetectionMs > 0 && (this.#seen.has(id, this.#deps.now()) || sameSend.has(id))
    );
  }

  #remember(ids: Iterable<string>): void {
    const windowMs = this.#settings.duplicateDetectionMs;
    if (windowMs === 0) return;
    for (const id of ids) this.#seen.remember(id, this.#deps.now() + windowMs);
  }

  #insert(message: Message): void {
    this.#hold(message);
    this.#place(message);
  }

  #hold(message: Message): void {
    this.#drop(message.sequence);
    this.#messages.set(message.sequence, message);
    this.#sizes.set(message.sequence, message.bare.length);
    this.#bytes += message.bare.length;
  }

  #drop(sequence: number): void {
    this.#messages.delete(sequence);
    this.#bytes -= this.#sizes.get(sequence) ?? 0;
    this.#sizes.delete(sequence);
  }

  #place(message: Message): void {
    switch (message.state) {
      case 'scheduled':
        this.#scheduled.add(message);
        this.#scheduleDueAt = Math.min(this.#scheduleDueAt, message.availableAt ?? 0);
        break;
      case 'deferred':
        this.#deferred.add(message);
        break;
      case 'active':
        this.#expiryDueAt = Math.min(this.#expiryDueAt, message.expiresAt);
        this.#sessionOrQueueList(message).add(message);
        break;
    }
  }

  #sessionOrQueueList(message: Message): ReadyList {
    if (!this.#settings.requiresSession) return this.#ready;
    return this.#sessions.get(message.sessionId ?? '').ready;
  }

  #readyList(session: Session | undefined): ReadyList | undefined {
    return this.#settings.requiresSession ? session?.ready : this.#ready;
  }

  #takeReady(session: Session | undefined): Message | undefined {
    const list = this.#readyList(session);
    for (let message = list?.takeFirst(); message !== undefined; message = list?.takeFirst()) {
      if (message.expiresAt > this.#deps.now()) return message;
      try {
        this.#expire(message);
      } catch (error) {
        list?.add(message);
        throw error;
      }
    }
    return undefined;
  }

  #lockEnd(): number {
    const end = this.#deps.now() + this.#settings.lockDurationMs;
    this.#lockDueAt = Math.min(this.#lockDueAt, end);
    return end;
  }

  #lock(message: Message, holder: LockHolder): Lock {
    const session = this.#settings.requiresSession ? this.#sessions.heldBy(holder) : undefined;
    const lock: Lock = {
      token: this.#deps.newToken(),
      message,
      holder,
      lockedUntil: session?.lockedUntil ?? this.#lockEnd(),
      onLost: undefined,
    };
    this.#locks.set(lock.token, lock);
    return lock;
  }

  #requireLock(token: string): Lock {
    const lock = this.#locks.get(token);
    if (lock !== undefined && lock.lockedUntil > this.#deps.now()) return lock;
    if (lock !== undefined) this.expireLock(token);
    throw this.#lockLost();
  }

  #lockLost(): BrokerError {
    return this.#settings.requiresSession ? sessionLockLost() : messageLockLost();
  }

  #locksOf(session: Session): Lock[] {
    return [...this.#locks.values()].filter(({ holder }) => holder === session.holder);
  }

  #loseLock(lock: Lock, countDelivery: boolean): void {
    const { message } = lock;
    this.#whole(message, () => (countDelivery ? this.#redeliver(message) : this.#putBack(message)));
    this.#locks.delete(lock.token);
    lock.onLost?.();
  }

  #endSession(session: Session, countDelivery: boolean): void {
    const locks = this.#locksOf(session);
    this.#sessions.free(session);
    for (const lock of locks) this.#loseLock(lock, countDelivery);
    this.#sessions.prune(session);
  }

  #redeliver(message: Message, properties?: Properties): void {
    message.deliveryCount += 1;
    if (this.deadLetters !== undefined && message.deliveryCount >= this.#settings.maxDeliveryCount) {
      const attempts = `Message could not be consumed after ${message.deliveryCount} delivery attempts.`;
      this.#deadLetter(message, 'MaxDeliveryCountExceeded', attempts, properties);
      return;
    }
    this.#update(message, properties);
    this.#putBack(message);
  }

  #putBack(message: Message): void {
    if (message.state === 'active' && message.expiresAt <= this.#deps.now()) this.#expire(message);
    else this.#place(message);
  }

  #update(message: Message, properties: Properties = {}): void {
    const modified = Object.keys(properties).length > 0;
    if (modified) message.bare = withApplicationProperties(message.bare, properties);
    const { sequence, state, deliveryCount, enqueuedAt, expiresAt, bare } = message;
    const change = { kind: 'updated', sequence, state, deliveryCount, enqueuedAt, expiresAt } as const;
    this.#deps.record(modified ? { ...change, bare } : change);
  }

  #remove(message: Message): void {
    this.#deps.record({ kind: 'removed', sequence: message.sequence });
    this.#drop(message.sequence);
    if (message.sessionId === undefined) return;
    const session = this.#sessions.find(message.sessionId);
    if (session !== undefined) this.#sessions.prune(session);
  }

  #expire(message: Message): void {
    if (this.#settings.deadLetterOnExpiry && this.deadLetters !== undefined) {
      this.#deadLetter(message, 'TTLExpiredException', 'The message expired and was dead lettered.');
    } else {
      this.#remove(message);
    }
  }

  #deadLetter(
    message: Message,
    reason: string | undefined,
    description: string | undefined,
    properties: Properties = {},
  ): void {
    const target = this.deadLetters;
    if (target === undefined) throw new Error(`${this.name}: a dead-letter queue has no dead-letter queue`);
    target.#sequence += 1;
    const { sequence } = message;
    const why = { source: this.name, sequence: target.#sequence, reason, description, properties };
    const dead = asDeadLetter(message, why);
    this.#deps.record({ kind: 'dead-lettered', sequence, message: dead });
    this.#drop(sequence);
    target.#insert(dead);
    this.#deps.changed(target);
  }

  #requireState(sequence: number, state: 'scheduled' | 'deferred'): Message {
    const message = this.#messages.get(sequence);
    const waiting = state === 'scheduled' ? this.#scheduled : this.#deferred;
    if (message === undefined || !waiting.has(message)) throw messageNotFound(sequence);
    return message;
  }

  #oldestActive(): Message | undefined {
    for (const message of this.#messages.values()) if (message.state === 'active') return message;
    return undefined;
  }
}
