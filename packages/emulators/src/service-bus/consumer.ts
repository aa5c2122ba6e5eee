/**
 * One receiver of a client: gives it messages while it has credit, and applies what it decides about them.
 *
 * Invariant: a message goes out only if its transfer can be written at once, so a lock never runs for a message
 * that waits inside the broker.
 *
 * Without credits of the namespace a delivery waits for the next second. The service refuses the receive request; how
 * that shows to a link that has been granted credit is not published.
 *
 * Fault rules on `receive`: `latency` holds the receiver's next message back; `error` detaches the receiver, with
 * `com.microsoft:server-busy` unless the rule names a code; `duplicate` (peek-lock) delivers and drops the lock at
 * once, so the message is delivered again; `drop-ack` locks the message and breaks the connection before the
 * client sees it.
 */
import type { Sender } from 'rhea';
import type { FaultResult } from '../core/faults.ts';
import { type BrokerContext, countOperation, plain } from './broker-context.ts';
import { MESSAGE_CREDITS } from './credits.ts';
import { injectedError, sessionLockLost } from './errors.ts';
import { encodeMessage } from './message.ts';
import type { Queue } from './queue.ts';
import type { Lock } from './queue-types.ts';
import { flush, freeCredit, freeDelivery } from './rhea-internals.ts';
import type { LockHolder, Session } from './session-table.ts';
import type { Settlements } from './settlements.ts';

/** `snd-settle-mode` settled: what the SDK calls receive-and-delete. */
const SETTLED = 1;
/** Long enough for a transfer to be written before its lock is dropped. */
const DUPLICATE_AFTER_MS = 1;

/** .NET writes the first three groups of a GUID little-endian; Azure's delivery tags follow it. */
function deliveryTag(token: string): Buffer {
  const bytes = Buffer.from(token, 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

export class Consumer implements LockHolder {
  readonly link: Sender;
  readonly queue: Queue;
  /** The session that it holds; set once it was granted. */
  session: Session | undefined;
  readonly #context: BrokerContext;
  readonly #settlements: Settlements;
  /** The faults of the next delivery, decided before a latency and applied after it. */
  #nextFault: FaultResult | undefined;
  #paused = false;

  constructor(link: Sender, queue: Queue, context: BrokerContext, settlements: Settlements) {
    this.link = link;
    this.queue = queue;
    this.#context = context;
    this.#settlements = settlements;
  }

  sessionLost(): void {
    this.session = undefined;
    this.link.close(plain(sessionLockLost()));
    flush(this.link.connection);
  }

  /**
   * Gives the client one message, if there is one and it has credit.
   * @param resume Called when a latency fault is over and there may be something to deliver again.
   * @returns Whether a message went out.
   */
  deliverOne(resume: () => void): boolean {
    if (this.#paused || freeCredit(this.link) <= 0 || !this.queue.hasReady(this.session)) return false;
    const fault = this.#nextFault ?? this.#context.faults.hit('receive', this.queue.name);
    this.#nextFault = undefined;
    if (fault.latencyMs > 0) {
      this.#pause(fault, resume, fault.latencyMs);
      return false;
    }
    if (fault.error === undefined && !this.#context.credits.take(MESSAGE_CREDITS)) {
      this.#pause(fault, resume, this.#context.credits.replenishedInMs);
      return false;
    }
    if (fault.error !== undefined) {
      this.link.close(plain(injectedError(fault.error.code ?? 'com.microsoft:server-busy')));
      return false;
    }
    return this.link.snd_settle_mode === SETTLED ? this.#sendSettled(fault) : this.#sendLocked(fault);
  }

  #pause(fault: FaultResult, resume: () => void, ms: number): void {
    this.#paused = true;
    this.#nextFault = { ...fault, latencyMs: 0 };
    this.#context.delays.after(ms, () => {
      this.#paused = false;
      resume();
    });
  }

  #sendSettled(fault: FaultResult): boolean {
    const message = this.queue.receiveAndDelete(this.session);
    if (message === undefined) return false;
    this.#context.idle.used(this.link);
    const encoded = encodeMessage(message);
    countOperation(this.#context, this.queue.name, 'receive', encoded.length);
    if (fault.dropAck) this.#context.cut(this.link.connection);
    // The tag of a settled delivery names nothing; AMQP wants one all the same.
    else this.link.send(encoded, Buffer.from(String(message.sequence)), 0);
    return true;
  }

  #sendLocked(fault: FaultResult): boolean {
    const lock = this.queue.receive(this, this.session);
    if (lock === undefined) return false;
    if (fault.dropAck) {
      this.#context.cut(this.link.connection);
      return true;
    }
    this.#transfer(lock);
    if (fault.duplicate) {
      this.#context.delays.after(DUPLICATE_AFTER_MS, () => this.queue.expireLock(lock.token));
    }
    return true;
  }

  #transfer(lock: Lock): void {
    this.#context.idle.used(this.link);
    const encoded = encodeMessage(lock.message, lock.lockedUntil);
    countOperation(this.#context, this.queue.name, 'receive', encoded.length);
    const delivery = this.link.send(encoded, deliveryTag(lock.token), 0);
    lock.onLost = () => freeDelivery(delivery);
    this.#settlements.track(delivery, this.queue, lock.token);
  }
}
