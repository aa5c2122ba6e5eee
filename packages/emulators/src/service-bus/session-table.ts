/**
 * The sessions of one queue: their waiting messages, their state, and who holds which.
 *
 * Invariant: at most one holder per session at a time, and a session that nobody holds, that has no message and
 * no state, takes no memory.
 */
import { ReadyList } from './ready-list.ts';

/** Whoever holds a lock; only its identity matters (the broker uses the receiver of the link). */
export interface LockHolder {
  /** The holder lost its session, because the lock expired. */
  sessionLost?(): void;
}

/** One session. */
export interface Session {
  readonly id: string;
  readonly ready: ReadyList;
  holder: LockHolder | undefined;
  /** Epoch milliseconds; means something only while there is a holder. */
  lockedUntil: number;
  /** What the application keeps with the session; opaque bytes. */
  state: Buffer | undefined;
}

export class SessionTable {
  readonly #sessions = new Map<string, Session>();
  readonly #held = new Map<LockHolder, Session>();

  get(id: string): Session {
    let session = this.#sessions.get(id);
    if (session === undefined) {
      session = { id, ready: new ReadyList(), holder: undefined, lockedUntil: 0, state: undefined };
      this.#sessions.set(id, session);
    }
    return session;
  }

  find(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  heldBy(holder: LockHolder): Session | undefined {
    return this.#held.get(holder);
  }

  /** Gives a session that nobody holds to a holder; `untilMs` is in epoch milliseconds. */
  hold(session: Session, holder: LockHolder, untilMs: number): void {
    session.holder = holder;
    session.lockedUntil = untilMs;
    this.#held.set(holder, session);
  }

  /** Takes a session from its holder. */
  free(session: Session): void {
    if (session.holder !== undefined) this.#held.delete(session.holder);
    session.holder = undefined;
  }

  /** A session with messages that nobody holds: the one that has waited longest. */
  nextAvailable(): Session | undefined {
    let oldest: Session | undefined;
    for (const session of this.#sessions.values()) {
      const first = session.ready.first;
      if (session.holder !== undefined || first === undefined) continue;
      if (oldest?.ready.first === undefined || first.sequence < oldest.ready.first.sequence) oldest = session;
    }
    return oldest;
  }

  all(): Session[] {
    return [...this.#sessions.values()];
  }

  /** Forgets a session that holds nothing. */
  prune(session: Session): void {
    if (session.holder === undefined && session.ready.size === 0 && session.state === undefined) {
      this.#sessions.delete(session.id);
    }
  }
}
