/**
 * Closes what clients leave idle: a link that nothing used for ten minutes, a connection that has had no link for five,
 * and one that opened none within its first minute.
 *
 * Invariant: it knows a link from the moment that it is attached until it is closed, by whichever side.
 * Links to `$cbs` carry tokens only; they are neither closed here nor do they keep a connection open.
 *
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-troubleshoot
 */
import type { Connection, Receiver, Sender } from 'rhea';
import type { AmqpCondition } from './errors.ts';

const MINUTE_MS = 60_000;
export const LINK_IDLE_MS = 10 * MINUTE_MS;
export const CONNECTION_IDLE_MS = 5 * MINUTE_MS;
export const FIRST_LINK_MS = MINUTE_MS;

type Link = Sender | Receiver;

export interface IdleLinksOptions {
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly detach: (link: Link, why: AmqpCondition) => void;
  readonly close: (connection: Connection, why: AmqpCondition) => void;
}

interface Watched {
  readonly links: Set<Link>;
  /** Since when it has had no link; meaningless while it has one. */
  emptySince: number;
  allowedMs: number;
}

export class IdleLinks {
  readonly #options: IdleLinksOptions;
  readonly #usedAt = new Map<Link, number>();
  readonly #connections = new Map<Connection, Watched>();

  constructor(options: IdleLinksOptions) {
    this.#options = options;
  }

  opened(connection: Connection): void {
    this.#connections.set(connection, {
      links: new Set(),
      emptySince: this.#options.now(),
      allowedMs: FIRST_LINK_MS,
    });
  }

  closed(connection: Connection): void {
    for (const link of this.#connections.get(connection)?.links ?? []) this.#usedAt.delete(link);
    this.#connections.delete(connection);
  }

  attached(link: Link): void {
    const watched = this.#connections.get(link.connection);
    if (watched === undefined) return;
    watched.links.add(link);
    watched.allowedMs = CONNECTION_IDLE_MS;
    this.#usedAt.set(link, this.#options.now());
  }

  /** A message, a disposition or credit went over the link. */
  used(link: Link): void {
    if (this.#usedAt.has(link)) this.#usedAt.set(link, this.#options.now());
  }

  detached(link: Link): void {
    this.#usedAt.delete(link);
    const watched = this.#connections.get(link.connection);
    if (watched?.links.delete(link) === true && watched.links.size === 0)
      watched.emptySince = this.#options.now();
  }

  /** The earliest moment, in epoch milliseconds, at which `tick` may have something to do. */
  get nextDueAt(): number {
    let dueAt = Infinity;
    for (const at of this.#usedAt.values()) dueAt = Math.min(dueAt, at + LINK_IDLE_MS);
    for (const { links, emptySince, allowedMs } of this.#connections.values()) {
      if (links.size === 0) dueAt = Math.min(dueAt, emptySince + allowedMs);
    }
    return dueAt;
  }

  tick(): void {
    const now = this.#options.now();
    for (const [link, at] of [...this.#usedAt]) {
      if (at + LINK_IDLE_MS > now) continue;
      this.detached(link);
      this.#options.detach(link, linkIdle(link));
    }
    for (const [connection, { links, emptySince, allowedMs }] of [...this.#connections]) {
      if (links.size > 0 || emptySince + allowedMs > now) continue;
      this.#connections.delete(connection);
      this.#options.close(connection, connectionIdle(allowedMs));
    }
  }
}

function linkIdle(link: Link): AmqpCondition {
  const [code, kind] = link.is_receiver()
    ? ['publisher', 'AmqpMessagePublisher']
    : ['consumer', 'AmqpMessageConsumer'];
  return {
    condition: 'amqp:link:detach-forced',
    description: `The link '${link.name}' is force detached. Code: ${code}(${link.name}). Details: ${kind}.IdleTimerExpired: Idle timeout: 00:10:00.`,
  };
}

const connectionIdle = (allowedMs: number): AmqpCondition => ({
  condition: 'amqp:connection:forced',
  description: `The connection was closed by container 'local-service-bus' because it did not have any active links in the past ${allowedMs} milliseconds.`,
});
