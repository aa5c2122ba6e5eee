/**
 * What receivers decide about the messages that they hold: complete, abandon, defer, dead-letter.
 *
 * The SDK settles second (`rcv-settle-mode` 1): it names an outcome and waits until the broker confirms it. So
 * the answer comes only after the queue has recorded the change.
 *
 * Fault rules on `complete`, `abandon`, `defer` and `deadLetter` (resource: the queue): `latency` before it;
 * `error` refuses without any effect, with `com.microsoft:message-lock-lost` unless the rule names a code, so the
 * message comes back when its lock expires (a request that was lost); `drop-ack` settles and breaks the
 * connection before the answer (an acknowledgement that was lost): the client's attempt ends in a time-out or a
 * lost lock, and the message never comes back.
 */
import type { Connection, Container, Delivery } from 'rhea';
import { type BrokerContext, conditionOf, countOperation } from './broker-context.ts';
import { injectedError } from './errors.ts';
import type { Queue } from './queue.ts';
import type { Settlement } from './queue-types.ts';
import { acceptDelivery, freeDelivery, rejectDelivery } from './rhea-internals.ts';

type Properties = Readonly<Record<string, unknown>>;

interface ResultEvent {
  readonly connection: Connection;
  readonly delivery: Delivery;
}

/** Which message a delivery carried. */
interface Tracked {
  readonly queue: Queue;
  readonly token: string;
}

/** `undeliverable-here` is how the SDK says "defer". */
function modifiedSettlement(result: Properties): Settlement {
  const properties = (result['message_annotations'] ?? {}) as Properties;
  return { kind: result['undeliverable_here'] === true ? 'defer' : 'abandon', properties };
}

/** The SDK puts reason, description and modified properties into the `info` of the error. */
function rejectedSettlement(result: Properties): Settlement {
  const error = result['error'] as { info?: Properties } | undefined;
  const {
    DeadLetterReason: reason,
    DeadLetterErrorDescription: description,
    ...properties
  } = error?.info ?? {};
  return {
    kind: 'deadLetter',
    reason: typeof reason === 'string' ? reason : undefined,
    description: typeof description === 'string' ? description : undefined,
    properties,
  };
}

export class Settlements {
  readonly #context: BrokerContext;
  readonly #tracked = new WeakMap<Delivery, Tracked>();

  constructor(context: BrokerContext) {
    this.#context = context;
  }

  wire(container: Container): void {
    const on = (event: string, settlementOf: (result: Properties) => Settlement): void => {
      container.on(event, (occurred: ResultEvent) => this.#receive(occurred, settlementOf));
    };
    on('accepted', () => ({ kind: 'complete' }));
    on('released', () => ({ kind: 'abandon' }));
    on('modified', modifiedSettlement);
    on('rejected', rejectedSettlement);
  }

  /** Remembers which message a delivery carries. */
  track(delivery: Delivery, queue: Queue, token: string): void {
    this.#tracked.set(delivery, { queue, token });
  }

  /**
   * Applies a settlement together with the faults of its operation, then answers.
   * @param respond Called with the refusal, or with nothing when it was settled; not called when the answer is lost.
   */
  apply(
    { queue, token }: Tracked,
    settlement: Settlement,
    connection: Connection,
    respond: (refusal?: unknown) => void,
  ): void {
    const fault = this.#context.faults.hit(settlement.kind, queue.name);
    this.#context.delays.after(fault.latencyMs, () => {
      try {
        if (fault.error !== undefined)
          throw injectedError(fault.error.code ?? 'com.microsoft:message-lock-lost');
        queue.settle(token, settlement);
        countOperation(this.#context, queue.name, settlement.kind);
      } catch (error) {
        respond(error);
        return;
      }
      if (fault.dropAck) this.#context.cut(connection);
      else respond();
    });
  }

  #receive({ connection, delivery }: ResultEvent, settlementOf: (result: Properties) => Settlement): void {
    const tracked = this.#tracked.get(delivery);
    this.#context.idle.used(delivery.link);
    // Not a message from a queue: the client confirms an answer of $management or $cbs.
    if (tracked === undefined) {
      freeDelivery(delivery);
      return;
    }
    this.apply(tracked, settlementOf(delivery.remote_state ?? {}), connection, (refusal) => {
      if (refusal === undefined) acceptDelivery(delivery);
      else rejectDelivery(delivery, conditionOf(refusal, this.#context));
    });
  }
}
