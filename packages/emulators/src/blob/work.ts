/** What every operation is given, and what it answers. */
import type { Account } from './account.ts';
import type { Rights } from './authorize.ts';
import type { Call } from './call.ts';
import type { Store } from './store.ts';

export interface Work {
  readonly call: Call;
  readonly rights: Rights;
  readonly store: Store;
  readonly account: Account;
  /** Somebody wants to know what happens to blobs. */
  readonly hasSubscriber: boolean;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Streamed;
}

/** A body in pieces, of a length that is known before. */
export interface Streamed {
  readonly bytes: number;
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Instead of taking the pieces: lets go of what they come from. */
  readonly cancel: () => Promise<unknown>;
}

export type Route = (work: Work) => Reply | Promise<Reply>;
