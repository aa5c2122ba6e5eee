/** How a message begins in a queue and in a dead-letter queue. */
import { type Message, type MessageDraft, withApplicationProperties } from './message.ts';
import type { QueueSettings } from './queue-options.ts';

/** Epoch milliseconds at which a message expires that becomes available at `fromMs`. */
export function expiryOf(ttlMs: number | undefined, fromMs: number): number {
  return ttlMs === undefined ? Infinity : fromMs + ttlMs;
}

/** The message that a draft becomes when a queue takes it in. */
export function admit(
  draft: MessageDraft,
  sequence: number,
  settings: QueueSettings,
  nowMs: number,
): Message {
  const { scheduledAt, ttlMs: requestedMs, ...kept } = draft;
  const limitMs = settings.defaultTtlMs;
  // A queue's default also caps what a sender may ask for.
  const ttlMs = requestedMs === undefined ? limitMs : Math.min(requestedMs, limitMs ?? Infinity);
  const scheduled = scheduledAt !== undefined && scheduledAt > nowMs;
  return {
    ...kept,
    sequence,
    originalSequence: sequence,
    ttlMs,
    deadLetterSource: undefined,
    enqueuedAt: nowMs,
    expiresAt: expiryOf(ttlMs, nowMs),
    deliveryCount: 0,
    state: scheduled ? 'scheduled' : 'active',
    availableAt: scheduled ? scheduledAt : undefined,
  };
}

/** Why and whence a message is dead-lettered. */
export interface DeadLettering {
  /** Name of the queue that it leaves. */
  readonly source: string;
  /** Its number in the dead-letter queue. */
  readonly sequence: number;
  readonly reason: string | undefined;
  readonly description: string | undefined;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The message that a dead-lettered one becomes; it never expires. */
export function asDeadLetter(message: Message, why: DeadLettering): Message {
  const changes: Record<string, unknown> = { ...why.properties };
  if (why.reason !== undefined) changes['DeadLetterReason'] = why.reason;
  if (why.description !== undefined) changes['DeadLetterErrorDescription'] = why.description;
  const unchanged = Object.keys(changes).length === 0;
  return {
    ...message,
    bare: unchanged ? message.bare : withApplicationProperties(message.bare, changes),
    sequence: why.sequence,
    deadLetterSource: why.source,
    state: 'active',
    expiresAt: Infinity,
  };
}
