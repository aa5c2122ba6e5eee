/**
 * One queue of a site on virtual time: at-least-once, with receive counts and a visibility timeout after which a
 * message that nobody settled comes back. Messages that come back too often go to the broker's dead letters.
 */
import { type MessageFact, type QueueKind, RECEIVED_TOO_OFTEN } from '../history/facts.ts';

export const VISIBILITY_MS = 60_000;
/** Deliveries without an answer after which the broker dead-letters a message, as the templates say it to SQS; and at Azure. */
export const RECEIVES_MAX = { aws: 1_000, azure: 14 } as const;

export interface QueuedMessage {
  /** Its place among all messages of the schedule. */
  readonly number: number;
  readonly body: string;
  readonly fact: MessageFact;
  /** Vector of the state that it carries; undefined for what is no event. */
  readonly vector: Readonly<Record<string, string>> | undefined;
  /** The events of a pack; empty for anything else. */
  readonly pack: readonly CarriedEvent[];
  receives: number;
  /** Of the receives, those before it was last sent again: a new message to the broker. */
  receivesBefore: number;
  /** As the adapters send it again: they count the attempts at it. */
  attributes: Readonly<Record<string, string>>;
  /** How often it was handed over, or would have been, and came to nothing: by throttles, and otherwise. */
  readonly failures: { throttled: number; others: number };
  visibleAtMs: number;
}

/** What one event carries: its key, and the vector of its state. */
export interface CarriedEvent {
  readonly key: string;
  readonly vector: Readonly<Record<string, string>>;
}

/** A message in the hands of one invocation. */
export interface Lease {
  readonly message: QueuedMessage;
  readonly receives: number;
}

export class SiteQueue {
  readonly kind: QueueKind;
  readonly messages = new Set<QueuedMessage>();
  /** Set aside, by the product with a reason or by the broker. */
  readonly dead = new Set<QueuedMessage>();
  /** Its site is down, and somebody will look again. */
  dozing = false;
  /** Called with what has just been dead-lettered, and why. */
  onDead: (fact: MessageFact, reason: string) => void = () => undefined;
  readonly #receivesMax: number;

  constructor(kind: QueueKind, receivesMax: number) {
    this.kind = kind;
    this.#receivesMax = receivesMax;
  }

  /** Takes up to `max` visible messages. */
  receive(nowMs: number, max: number): Lease[] {
    const leases: Lease[] = [];
    for (const message of this.messages) {
      if (leases.length === max) break;
      if (message.visibleAtMs > nowMs) continue;
      if (message.receives - message.receivesBefore >= this.#receivesMax) {
        this.deadLettered(message, RECEIVED_TOO_OFTEN);
        continue;
      }
      message.receives += 1;
      message.visibleAtMs = nowMs + VISIBILITY_MS;
      leases.push({ message, receives: message.receives });
    }
    return leases;
  }

  /** What failed for a passing reason goes back into the queue as a message that counts its attempts. */
  sendAgain(message: QueuedMessage, attributes: QueuedMessage['attributes'], visibleAtMs: number): void {
    message.attributes = attributes;
    message.receivesBefore = message.receives;
    message.visibleAtMs = visibleAtMs;
  }

  done(message: QueuedMessage): void {
    if (!this.messages.delete(message)) return;
    message.fact.end = 'done';
  }

  lose(message: QueuedMessage): void {
    if (!this.messages.delete(message)) return;
    message.fact.end = 'lost';
  }

  deadLettered(message: QueuedMessage, reason: string): void {
    if (!this.messages.delete(message)) return;
    message.fact.end = 'dead';
    message.fact.reasons.push(reason);
    message.fact.failures = { ...message.failures };
    this.dead.add(message);
    this.onDead(message.fact, reason);
  }

  /** Moves every dead letter back. */
  redrive(nowMs: number): readonly QueuedMessage[] {
    const moved = [...this.dead];
    this.dead.clear();
    for (const message of moved) {
      message.fact.end = 'open';
      message.receivesBefore = message.receives;
      message.attributes = {};
      Object.assign(message.failures, { throttled: 0, others: 0 });
      message.visibleAtMs = nowMs;
      this.messages.add(message);
    }
    return moved;
  }

  /** Whether a message here or set aside includes all these stamps for the key. */
  carries(key: string, wanted: Readonly<Record<string, string>>): boolean {
    const stamps = Object.entries(wanted);
    for (const list of [this.messages, this.dead]) {
      for (const { fact, vector, pack } of list) {
        const vectors =
          fact.key === key ? [vector] : pack.filter((event) => event.key === key).map((e) => e.vector);
        for (const carried of vectors)
          if (stamps.every(([origin, stamp]) => (carried?.[origin] ?? '') >= stamp)) return true;
      }
    }
    return false;
  }
}
