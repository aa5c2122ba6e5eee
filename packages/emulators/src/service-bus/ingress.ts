/**
 * What clients send: messages and batches into the queues.
 * Invariant: a delivery is accepted only after its messages are stored, all of them or none.
 *
 * Fault rules on `send` (resource: the queue): `latency` before storing; `error` refuses, with
 * `com.microsoft:server-busy` unless the rule names a code; `duplicate` stores twice (duplicate detection still
 * applies, as it would to a sender's own retry); `reorder` schedules each message for a moment of its own; `drop-ack`
 * stores and then breaks the connection, so that the sender cannot know.
 */
import { randomUUID } from 'node:crypto';
import type { Connection, Delivery } from 'rhea';
import type { FaultResult } from '../core/faults.ts';
import { binaryContent, SECTION, splitSections } from './amqp-sections.ts';
import { type BrokerContext, conditionOf, countOperation } from './broker-context.ts';
import { MESSAGE_CREDITS } from './credits.ts';
import { injectedError, messageTooLarge } from './errors.ts';
import { decodeMessage, type MessageDraft } from './message.ts';
import type { Queue } from './queue.ts';
import { acceptDelivery, rejectDelivery } from './rhea-internals.ts';

/** Azure's message format for a batch: a message whose data sections are encoded messages. */
const BATCH_FORMAT = 0x8001_3700;

/** A transfer that arrived on a queue. */
export interface IncomingTransfer {
  readonly connection: Connection;
  readonly delivery: Delivery;
  readonly format: number;
  readonly encoded: Buffer;
}

/** An id for a message whose sender set none; Azure assigns one too. */
export const newMessageId = (): string => randomUUID().replaceAll('-', '');

export class Ingress {
  readonly #context: BrokerContext;
  readonly #maxMessageBytes: number;

  /** @param maxMessageBytes Limit for one message, and for one batch as a whole. */
  constructor(context: BrokerContext, maxMessageBytes: number) {
    this.#context = context;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Takes in what arrived on a queue, and answers it. */
  receive(queue: Queue, transfer: IncomingTransfer): void {
    const fault = this.#context.faults.hit('send', queue.name);
    this.#context.delays.after(fault.latencyMs, () => {
      try {
        this.#store(queue, transfer, fault);
        if (fault.dropAck) this.#context.cut(transfer.connection);
        else acceptDelivery(transfer.delivery);
      } catch (error) {
        rejectDelivery(transfer.delivery, conditionOf(error, this.#context));
      }
    });
  }

  #store(queue: Queue, { encoded, format }: IncomingTransfer, fault: FaultResult): void {
    if (fault.error !== undefined) throw injectedError(fault.error.code ?? 'com.microsoft:server-busy');
    if (encoded.length > this.#maxMessageBytes) throw messageTooLarge(encoded.length, this.#maxMessageBytes);
    const messages = format === BATCH_FORMAT ? batchContent(encoded) : [encoded];
    this.#context.credits.spend(messages.length * MESSAGE_CREDITS);
    const drafts = messages.map((message) =>
      this.#delayed(decodeMessage(message, newMessageId), fault.reorderMs),
    );
    queue.enqueue(drafts);
    for (const { length } of messages) countOperation(this.#context, queue.name, 'send', length);
    if (fault.duplicate) queue.enqueue(drafts);
  }

  #delayed(draft: MessageDraft, reorderMs: number): MessageDraft {
    if (reorderMs === 0 || draft.scheduledAt !== undefined) return draft;
    return { ...draft, scheduledAt: this.#context.now() + Math.floor(Math.random() * reorderMs) };
  }
}

function batchContent(encoded: Buffer): Buffer[] {
  return splitSections(encoded)
    .filter(({ code }) => code === SECTION.data)
    .map((section) => binaryContent(encoded, section));
}
