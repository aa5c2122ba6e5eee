/** Queues as the core sees them: sending in batches, and the batch that a trigger hands over. */
import type { TimeLimit } from './time-limit.ts';

export interface OutboundMessage {
  /** Unique within one call. */
  readonly id: string;
  readonly body: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** Seconds before it becomes visible; at most 900 (SQS). */
  readonly delaySeconds?: number;
}

/** Undefined: the queue holds it durably. Otherwise why it, or its answer, did not get there. */
export type SendResult = Error | undefined;

export interface QueueSender {
  /**
   * Sends in as few calls as fit; outcomes in the order of the messages. Never throws for a message:
   * `TooLargeError` for one that can never fit, `RefusedError` for one that is refused for what it is; both say that
   * trying again is in vain. `UnavailableError` or `AmbiguousError` for the rest. None decides about its neighbours.
   */
  send(messages: readonly OutboundMessage[]): Promise<readonly SendResult[]>;
  /** One cheap round trip. @throws UnavailableError when the queue does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** A message that a trigger delivered. */
export interface InboundMessage {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  /**
   * How often a handler has had it, this time included. Receives that no handler saw, such as those of a batch that
   * Lambda throttled, are not among them.
   */
  readonly attempts: number;
}

/** What became of one message of a batch. */
export type Disposition =
  | { readonly kind: 'done' }
  /** A passing fault: deliver it again later. */
  | {
      readonly kind: 'retry';
      readonly error: Error;
      /** The try says nothing about the message, so it is no attempt: its store has more to do than it grants. */
      readonly isNoAttempt?: true;
    }
  /** Can never succeed: set it aside with a reason that a person can act on. */
  | { readonly kind: 'dead'; readonly reason: string; readonly detail: string };

/** Handles a batch within a time; one disposition per message, in order. */
export type BatchHandler = (
  messages: readonly InboundMessage[],
  limit: TimeLimit,
) => Promise<readonly Disposition[]>;
