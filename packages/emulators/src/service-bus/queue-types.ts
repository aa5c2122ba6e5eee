/** What a queue takes and gives: settlements, locks and counts. */
import type { Message } from './message.ts';
import type { LockHolder } from './session-table.ts';

type Properties = Readonly<Record<string, unknown>>;

/** A message that one receiver holds. */
export interface Lock {
  /** 32 hexadecimal digits. */
  readonly token: string;
  readonly message: Message;
  readonly holder: LockHolder;
  /** Epoch milliseconds. */
  lockedUntil: number;
  /** Called once if the lock ends without the holder settling it. */
  onLost: (() => void) | undefined;
}

/** What a receiver decides about a message that it holds; `properties` are set on the message. */
export type Settlement =
  | { readonly kind: 'complete' }
  | { readonly kind: 'abandon' | 'defer'; readonly properties?: Properties }
  | {
      readonly kind: 'deadLetter';
      readonly reason?: string | undefined;
      readonly description?: string | undefined;
      readonly properties?: Properties;
    };

/** How many messages stand where, as the portal shows them. */
export interface QueueCounts {
  /** `ready` and `locked`. */
  readonly active: number;
  readonly ready: number;
  readonly locked: number;
  readonly scheduled: number;
  readonly deferred: number;
  readonly deadLetter: number;
  /** Epoch milliseconds at which the oldest active message became available; undefined when there is none. */
  readonly oldestEnqueuedAt: number | undefined;
}
