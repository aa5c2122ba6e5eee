/**
 * Everything that happens to a queue and must survive a restart, as data: what the journal writes and replays.
 * Locks are not among them: after a restart every message is available again.
 */
import type { Message, MessageState } from './message.ts';
import type { QueueSettings } from './queue-options.ts';

/** One durable change of a queue. */
export type QueueChange =
  /** Messages of one send: all of them or none. */
  | { readonly kind: 'added'; readonly messages: readonly Message[] }
  /** Completed, expired, cancelled, or received and deleted. */
  | { readonly kind: 'removed'; readonly sequence: number }
  /** Abandoned, deferred, or made available. `bare` only when properties were modified. */
  | {
      readonly kind: 'updated';
      readonly sequence: number;
      readonly state: MessageState;
      readonly deliveryCount: number;
      readonly enqueuedAt: number;
      readonly expiresAt: number;
      readonly bare?: Buffer;
    }
  /** Left the queue and entered its dead-letter queue, in one step. */
  | { readonly kind: 'dead-lettered'; readonly sequence: number; readonly message: Message }
  | { readonly kind: 'session-state'; readonly sessionId: string; readonly state: Buffer | undefined }
  /** Message ids that duplicate detection remembers, with the epoch milliseconds until which it does. */
  | { readonly kind: 'seen'; readonly ids: readonly (readonly [id: string, untilMs: number])[] }
  /** Numbers already used, when the messages that carried them are gone. */
  | { readonly kind: 'numbered'; readonly sequence: number }
  | { readonly kind: 'defined'; readonly settings: QueueSettings };

/** A change and the queue that it happened to. */
export interface QueueEntry {
  readonly queue: string;
  readonly change: QueueChange;
}
