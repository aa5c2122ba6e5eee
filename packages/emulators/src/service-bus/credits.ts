/**
 * The budget of a Service Bus namespace of the shared tiers: so many credits a second, taken by what clients do.
 *
 * Invariant: over any number of whole seconds no more credits are spent than were granted in them, plus what the last
 * operation took beyond its second. An operation begins as long as a credit is left; what it costs more is owed by the
 * next second (Microsoft does not publish what becomes of such a debt; without it a batch of 4,500 messages would cost
 * as much as one of 1,000).
 * Settling a message is not among the operations that Microsoft counts.
 *
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-throttling#what-are-the-credit-limits
 */
import { BrokerError } from './errors.ts';

/** Of a namespace of the tiers Basic and Standard, which share their machines with others. */
export const CREDITS_PER_SECOND = 1_000;
/** A message that is sent, received or peeked. */
export const MESSAGE_CREDITS = 1;
/** Creating, reading, updating or deleting a queue; reading its counts is one of these. */
export const MANAGEMENT_CREDITS = 10;

const PERIOD_MS = 1_000;

export interface CreditsOptions {
  /** Infinity: no budget, as in Premium, which has machines of its own. */
  readonly perSecond: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export class Credits {
  readonly #perSecond: number;
  readonly #now: () => number;
  #period = -Infinity;
  #left: number;
  #spent = 0;
  #throttled = 0;

  constructor({ perSecond, now }: CreditsOptions) {
    this.#perSecond = perSecond;
    this.#now = now;
    this.#left = perSecond;
  }

  /** Takes credits. @returns False when none is left in this second: nothing was taken. */
  take(credits: number): boolean {
    this.#replenish();
    if (this.#left <= 0) {
      this.#throttled += 1;
      return false;
    }
    this.#left -= credits;
    this.#spent += credits;
    return true;
  }

  /** Takes credits. @throws BrokerError `com.microsoft:server-busy` when none is left in this second. */
  spend(credits: number): void {
    if (!this.take(credits)) throw throttled();
  }

  /** Milliseconds until credits are replenished, at least 1. */
  get replenishedInMs(): number {
    const now = this.#now();
    return (Math.floor(now / PERIOD_MS) + 1) * PERIOD_MS - now;
  }

  /** Credits that were spent, and operations that found none, since the start. */
  get totals(): { readonly spent: number; readonly throttled: number } {
    return { spent: this.#spent, throttled: this.#throttled };
  }

  #replenish(): void {
    const period = Math.floor(this.#now() / PERIOD_MS);
    if (period <= this.#period) return;
    const owed = Math.min(this.#left, 0);
    const periods = Number.isFinite(this.#period) ? period - this.#period : 1;
    this.#left = Math.min(owed + periods * this.#perSecond, this.#perSecond);
    this.#period = period;
  }
}

/** In the words of the service, whose hint is 2 s; its SDK for .NET waits 10 s whatever the hint. */
const throttled = (): BrokerError =>
  new BrokerError(
    'com.microsoft:server-busy',
    'The request was terminated because the entity is being throttled. Error code: 50009. Please wait 2 seconds and try again.',
    503,
  );
