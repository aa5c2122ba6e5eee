/**
 * What clients receive: which receivers wait on which queue, and who gets which session.
 *
 * Invariant: messages are handed out one per receiver in turn, so that no receiver starves; a session receiver
 * is attached only once it holds its session.
 */
import type { Container, Sender } from 'rhea';
import { type BrokerContext, plain } from './broker-context.ts';
import { Consumer } from './consumer.ts';
import { type AmqpCondition, BrokerError, notAllowed } from './errors.ts';
import type { Queue } from './queue.ts';
import {
  addressOf,
  agreeSettleModes,
  finishDrain,
  flush,
  holdAttach,
  respondToAttach,
  respondToDrainsWithoutCredit,
  terminusAt,
  types,
} from './rhea-internals.ts';
import type { Session } from './session-table.ts';
import type { Settlements } from './settlements.ts';

const SESSION_FILTER = 'com.microsoft:session-filter';
/** A client waits this long for a session unless it asks for less (Azure's operation timeout). */
const SESSION_WAIT_MAX_MS = 60_000;
/** .NET counts time in ticks of 100 ns since the year 1. */
const TICKS_AT_EPOCH = 621_355_968_000_000_000n;

/** A receiver that waits for any session. */
interface SessionWaiter {
  readonly consumer: Consumer;
  /** Epoch milliseconds. */
  readonly deadline: number;
  /** Lets the answer to its attach go out. */
  readonly response: () => void;
}

/** The session that a receiver asks for; `any` for the next one that has messages. */
function wantedSession(link: Sender): { any: boolean; id: string | undefined } | undefined {
  const filter = link.source.filter as Record<string, unknown> | undefined | null;
  if (filter === undefined || filter === null || !Object.hasOwn(filter, SESSION_FILTER)) return undefined;
  const given = filter[SESSION_FILTER];
  const value = typeof given === 'object' && given !== null ? (given as { value?: unknown }).value : given;
  return typeof value === 'string' ? { any: false, id: value } : { any: true, id: undefined };
}

export class Egress {
  readonly #context: BrokerContext;
  readonly #settlements: Settlements;
  readonly #consumers = new Map<Sender, Consumer>();
  readonly #byQueue = new Map<Queue, Set<Consumer>>();
  #waiters: SessionWaiter[] = [];
  readonly #pumping = new Set<Queue>();

  constructor(context: BrokerContext, settlements: Settlements) {
    this.#context = context;
    this.#settlements = settlements;
  }

  wire(container: Container): void {
    container.on('sender_flow', ({ sender }: { sender: Sender }) => {
      const consumer = this.#consumers.get(sender);
      if (consumer !== undefined) this.pump(consumer.queue);
    });
    container.on('sender_draining', ({ sender }: { sender: Sender }) => this.#drain(sender));
    container.on('sender_close', ({ sender }: { sender: Sender }) => this.drop(sender));
  }

  /** A client attached a receiver to a queue. */
  attach(link: Sender, queue: Queue): void {
    agreeSettleModes(link);
    respondToDrainsWithoutCredit(link);
    const consumer = new Consumer(link, queue, this.#context, this.#settlements);
    const wanted = wantedSession(link);
    if (queue.settings.requiresSession !== (wanted !== undefined)) {
      refuse(link, notAllowed(`Queue '${queue.name}' ${wanted ? 'has no' : 'requires'} sessions.`));
    } else if (wanted === undefined) {
      link.set_source(terminusAt(addressOf(link, 'source')));
      this.#add(consumer);
    } else if (wanted.any) {
      this.#awaitSession(consumer);
    } else {
      this.#acceptNamedSession(consumer, wanted.id);
    }
  }

  /** A receiver is gone. Its peek locks stay until they expire, as on Azure; its session is free at once. */
  drop(link: Sender): void {
    this.#waiters = this.#waiters.filter(({ consumer, response }) => {
      if (consumer.link !== link) return true;
      response();
      return false;
    });
    const consumer = this.#consumers.get(link);
    if (consumer === undefined) return;
    this.#consumers.delete(link);
    this.#byQueue.get(consumer.queue)?.delete(consumer);
    consumer.queue.releaseSession(consumer);
  }

  /** Delivers what can be delivered, soon: many changes in one turn make one pass. */
  pump(queue: Queue): void {
    if (this.#pumping.has(queue)) return;
    this.#pumping.add(queue);
    queueMicrotask(() => {
      this.#pumping.delete(queue);
      this.#grantSessions(queue);
      const resume = (): void => this.pump(queue);
      const consumers = [...(this.#byQueue.get(queue) ?? [])];
      while (consumers.map((consumer) => consumer.deliverOne(resume)).includes(true));
    });
  }

  /** The earliest moment, in epoch milliseconds, at which a receiver gives up waiting for a session. */
  get nextDueAt(): number {
    return Math.min(Infinity, ...this.#waiters.map(({ deadline }) => deadline));
  }

  /** Sends away the receivers that have waited long enough for a session. */
  tick(): void {
    const now = this.#context.now();
    const over = this.#waiters.filter(({ deadline }) => deadline <= now);
    if (over.length === 0) return;
    this.#waiters = this.#waiters.filter(({ deadline }) => deadline > now);
    for (const { consumer, response } of over) {
      const description = `No session of queue '${consumer.queue.name}' became available.`;
      refuse(consumer.link, { condition: 'com.microsoft:timeout', description });
      response();
    }
  }

  #add(consumer: Consumer): void {
    this.#consumers.set(consumer.link, consumer);
    const consumers = this.#byQueue.get(consumer.queue) ?? new Set();
    this.#byQueue.set(consumer.queue, consumers.add(consumer));
    this.pump(consumer.queue);
  }

  #drain(link: Sender): void {
    const consumer = this.#consumers.get(link);
    if (consumer === undefined) {
      link.set_drained(true);
      return;
    }
    while (consumer.deliverOne(() => this.pump(consumer.queue)));
    finishDrain(link);
  }

  // --- Sessions

  #acceptNamedSession(consumer: Consumer, id: string | undefined): void {
    try {
      const session = consumer.queue.acceptSession(id, consumer);
      if (session !== undefined) this.#grant(consumer, session);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      refuse(consumer.link, error);
    }
  }

  #awaitSession(consumer: Consumer): void {
    const properties = consumer.link.properties as Readonly<Record<string, unknown>> | undefined;
    const requested = Number(properties?.['com.microsoft:timeout'] ?? SESSION_WAIT_MAX_MS);
    const deadline = this.#context.now() + Math.min(requested, SESSION_WAIT_MAX_MS);
    this.#waiters.push({ consumer, deadline, response: holdAttach(consumer.link) });
    this.pump(consumer.queue);
  }

  #grantSessions(queue: Queue): void {
    for (const waiter of this.#waiters.filter(({ consumer }) => consumer.queue === queue)) {
      const session = queue.acceptSession(undefined, waiter.consumer);
      if (session === undefined) return;
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      this.#grant(waiter.consumer, session);
      waiter.response();
    }
  }

  #grant(consumer: Consumer, session: Session): void {
    const { link } = consumer;
    const ticks = TICKS_AT_EPOCH + BigInt(session.lockedUntil) * 10_000n;
    const encodedTicks = Buffer.alloc(8);
    encodedTicks.writeBigInt64BE(ticks);
    consumer.session = session;
    link.set_source({ ...terminusAt(addressOf(link, 'source')), filter: { [SESSION_FILTER]: session.id } });
    respondToAttach(link, {
      properties: { 'com.microsoft:locked-until-utc': types.wrap_long(encodedTicks) },
    });
    this.#add(consumer);
  }
}

/** Answers an attach and ends the link with the reason. */
export function refuse(link: Sender, error: AmqpCondition): void {
  link.set_source(terminusAt(addressOf(link, 'source')));
  link.close(plain(error));
  flush(link.connection);
}
