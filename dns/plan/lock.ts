/**
 * One operator at a time. The lock lies with the zone and is replaced in one step by its provider, so two operators on
 * two machines cannot both have it. It runs out by itself: a stale one is taken over, and that is said.
 *
 * A clock that is wrong by more than the lease can take over a live lock; the compare-and-swap still lets the earlier
 * owner find out at its next renewal, before it changes anything more.
 */
import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import type { LockNote } from '@tandem-clouds/zone/lock-note';
import { LockedError, RefusedError } from '../errors.ts';
import type { Clock, Provider } from '../provider.ts';

const LEASE_MS = 120_000;
/** Two operators may meet; one of them then sees the other's lock. */
const TRIES_MAX = 3;

export interface Lock {
  /** Call before each change. @throws RefusedError when somebody else has taken the lock over. */
  renew(): Promise<void>;
}

export interface LockOptions {
  readonly provider: Provider;
  readonly clock: Clock;
  readonly report: (text: string) => void;
  readonly owner?: string;
}

/** Runs `work` while holding the zone's lock, and gives it back. @throws LockedError naming who has it. */
export async function withLock<T>(options: LockOptions, work: (lock: Lock) => Promise<T>): Promise<T> {
  const { provider, clock, report } = options;
  let held = await take(options);
  const renew = async (): Promise<void> => {
    if (held.expiresAtMs - clock.now() > LEASE_MS / 2) return;
    const next = note(held.owner, clock);
    if (!(await provider.swapLock(held, next))) {
      throw new RefusedError(
        `the lock of ${provider.zone} was taken over by somebody else; nothing more is changed`,
      );
    }
    held = next;
  };
  try {
    return await work({ renew });
  } finally {
    try {
      await provider.swapLock(held, undefined);
    } catch (error) {
      report(
        `the lock of ${provider.zone} could not be given back and runs out at ${time(held.expiresAtMs)}: ${String(error)}`,
      );
    }
  }
}

async function take({ provider, clock, report, owner = defaultOwner() }: LockOptions): Promise<LockNote> {
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const present = await provider.readLock();
    if (present !== undefined && present.expiresAtMs > clock.now())
      throw new LockedError(heldBy(present, provider));
    const next = note(owner, clock);
    if (!(await provider.swapLock(present, next))) continue;
    if (present !== undefined) {
      report(`took over the stale lock of ${present.owner}, which ran out at ${time(present.expiresAtMs)}`);
    }
    return next;
  }
  throw new LockedError(`the lock of ${provider.zone} is contended; try again`);
}

function heldBy({ owner, expiresAtMs }: LockNote, { zone }: Provider): string {
  return `${zone} is locked by ${owner} until ${time(expiresAtMs)}; one operator at a time`;
}

function note(owner: string, clock: Clock): LockNote {
  return { owner, nonce: randomUUID().slice(0, 8), expiresAtMs: clock.now() + LEASE_MS };
}

/** Fits into a DNS label with some to spare. */
function defaultOwner(): string {
  return `${userInfo().username}-at-${hostname()}`.replace(/[^A-Za-z0-9-]+/g, '-').slice(0, 50);
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
