/**
 * Everything that reaches past rhea's public types, in one place: rhea is an AMQP library, not a broker, and the
 * broker needs five things that it does not offer. Checked against rhea 3.0.5, which package.json pins; the
 * contract suite fails if another version behaves differently.
 */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { Connection, Delivery, Receiver, Sender, Session } from 'rhea';
import rhea from 'rhea';
import type { AmqpCondition } from './errors.ts';

/** A value with its AMQP type. */
export interface Typed {
  readonly value: unknown;
}

interface AmqpTypes {
  readonly Writer: new () => { write(value: Typed): void; toBuffer(): Buffer };
  wrap(value: unknown): Typed;
  wrap_array(values: readonly unknown[], typecode: number): Typed;
  wrap_boolean(value: boolean): Typed;
  wrap_int(value: number): Typed;
  wrap_long(value: number | Buffer): Typed;
  wrap_string(value: string): Typed;
  wrap_symbol(value: string): Typed;
  wrap_timestamp(value: number): Typed;
  wrap_ubyte(value: number): Typed;
  wrap_uint(value: number): Typed;
  wrap_uuid(value: Buffer): Typed;
}

interface AmqpMessages {
  decode(encoded: Buffer): Record<string, unknown>;
  accepted(): { described(): Typed };
  rejected(fields: { error: AmqpCondition }): { described(): Typed };
}

interface DispositionFields {
  readonly role: boolean;
  readonly first: number;
  readonly last: number;
  readonly settled: boolean;
  readonly state: Typed;
}

interface Transfer {
  readonly performative: { readonly handle: number; message_format: number | null | undefined };
}

interface IncomingDisposition {
  readonly first: number;
  readonly last: number | undefined;
  readonly settled: boolean | undefined;
  readonly state: unknown;
}

interface OutgoingDelivery {
  readonly id: number;
  settled: boolean;
  remote_settled: boolean;
}

interface SessionInternals {
  readonly remote: { readonly handles: Readonly<Record<number, Receiver>> };
  readonly incoming: { on_transfer(frame: Transfer, receiver: Receiver): void };
  readonly outgoing: {
    readonly next_delivery_id: number;
    readonly next_pending_delivery: number;
    readonly deliveries: { by_id(id: number): OutgoingDelivery | undefined };
    available(): number;
    transfer_window(): number;
    on_disposition(fields: IncomingDisposition): void;
  };
  output(frame: unknown): void;
}

interface SenderInternals {
  credit: number;
  delivery_count: number;
  issue_flow: boolean;
  _draining: boolean;
  _drained: boolean;
  _get_drain: () => boolean;
  _process: () => void;
}

interface LinkInternals {
  readonly local: {
    readonly attach: {
      max_message_size: number;
      snd_settle_mode: number;
      rcv_settle_mode: number;
      properties: Readonly<Record<string, Typed>>;
    };
  };
}

interface ConnectionInternals {
  readonly socket: Socket;
  _register(): void;
  _disconnected(): void;
}

const frames = createRequire(import.meta.url)('rhea/lib/frames.js') as {
  disposition(fields: DispositionFields): unknown;
};

/** rhea's type wrappers and its encoder. */
export const types = rhea.types as unknown as AmqpTypes;
/** rhea's message decoder and its outcomes. */
export const message = rhea.message as unknown as AmqpMessages;

const sessionOf = (session: Session): SessionInternals => session as unknown as SessionInternals;
const senderOf = (sender: Sender): SenderInternals => sender as unknown as SenderInternals;
const linkOf = (link: Sender | Receiver): LinkInternals => link as unknown as LinkInternals;
const connectionOf = (connection: Connection): ConnectionInternals =>
  connection as unknown as ConnectionInternals;

/** Writes what was handed to rhea outside one of its own events. */
export function flush(connection: Connection): void {
  connectionOf(connection)._register();
}

/** The encoded form of one value. */
export function encodeValue(value: Typed): Buffer {
  const writer = new types.Writer();
  writer.write(value);
  return writer.toBuffer();
}

/** Message format that stands for "leave the bytes alone"; the standard format 0 is what rhea would decode. */
export const RAW_FORMAT = 0xffff_ffff;

/**
 * Makes the receivers that `wantsRaw` names get encoded messages, whose bytes rhea's decoder would lose.
 */
export function keepRawMessages(session: Session, wantsRaw: (receiver: Receiver) => boolean): void {
  const { incoming, remote } = sessionOf(session);
  const onTransfer = incoming.on_transfer.bind(incoming);
  incoming.on_transfer = (frame, receiver): void => {
    const { performative } = frame;
    const link = remote.handles[performative.handle];
    if (!performative.message_format && link !== undefined && wantsRaw(link)) {
      performative.message_format = RAW_FORMAT;
    }
    onTransfer(frame, receiver);
  };
}

/**
 * Answers dispositions for deliveries that rhea has forgotten, which it would ignore and leave the client
 * waiting: a client may well settle a message after its lock, and so its place in rhea's ring, is gone.
 */
export function refuseLateSettlements(session: Session, error: () => AmqpCondition): void {
  const { outgoing } = sessionOf(session);
  const onDisposition = outgoing.on_disposition.bind(outgoing);
  outgoing.on_disposition = (fields): void => {
    for (let id = fields.first; id <= (fields.last ?? fields.first); id += 1) {
      const delivery = outgoing.deliveries.by_id(id);
      if (delivery?.id === id && !delivery.remote_settled)
        onDisposition({ ...pick(fields), first: id, last: id });
      else if (!fields.settled) writeRejection(session, false, id, error());
    }
  };
}

/** The fields of a disposition are accessors, so spreading the frame itself would lose them. */
function pick({ first, last, settled, state }: IncomingDisposition): IncomingDisposition {
  return { first, last, settled, state };
}

function writeRejection(session: Session, receiving: boolean, id: number, error: AmqpCondition): void {
  const { condition, description } = error;
  const state = message.rejected({ error: { condition, description } }).described();
  sessionOf(session).output(
    frames.disposition({ role: receiving, first: id, last: id, settled: true, state }),
  );
  flush(session.connection);
}

/**
 * Answers a delivery with `accepted`, settled.
 * Also what abandon, defer and dead-letter are answered with: the SDK takes anything else for a failure.
 */
export function acceptDelivery(delivery: Delivery): void {
  delivery.update(true, message.accepted().described());
  freeDelivery(delivery);
}

/**
 * Answers a delivery with `rejected`, in a frame of its own: rhea merges neighbouring answers of one tick and
 * may give the second one the outcome of the first.
 */
export function rejectDelivery(delivery: Delivery, error: AmqpCondition): void {
  const { link } = delivery;
  freeDelivery(delivery);
  writeRejection(link.session, link.is_receiver(), delivery.id, error);
}

/**
 * Gives back the place of a delivery in rhea's ring. The SDK settles second and never confirms, so rhea alone
 * would keep every delivery for ever and stop at the size of the ring (2,048 unless told otherwise).
 */
export function freeDelivery(delivery: Delivery): void {
  const internals = delivery as unknown as OutgoingDelivery;
  internals.settled = true;
  internals.remote_settled = true;
}

/** How many more messages a sender may be given now; rhea itself lowers the credit only when it writes. */
export function freeCredit(sender: Sender): number {
  const { credit } = senderOf(sender);
  // Before the first flow of the client, which is what grants credit, its window is not a number yet.
  if (!sender.is_open() || credit <= 0) return 0;
  const { outgoing } = sessionOf(sender.session);
  const unwritten = outgoing.next_delivery_id - outgoing.next_pending_delivery;
  const allowed = Math.min(credit, outgoing.transfer_window()) - unwritten;
  return Math.min(allowed, outgoing.available());
}

/** Makes a sender answer a drain request also when it has used up its credit: the SDK waits for the answer. */
export function respondToDrainsWithoutCredit(sender: Sender): void {
  const internals = senderOf(sender);
  internals._get_drain = (): boolean => {
    if (!internals._draining || !internals._drained) return false;
    internals.delivery_count += Math.max(internals.credit, 0);
    internals.credit = 0;
    internals._drained = false;
    return true;
  };
}

/** Answers a drain request once what there was has been sent. */
export function finishDrain(sender: Sender): void {
  const internals = senderOf(sender);
  internals._drained = true;
  internals.issue_flow = true;
  flush(sender.connection);
}

/** Holds back the answer to an attach until the returned function is called; it may take a while. */
export function holdAttach(sender: Sender): () => void {
  const internals = senderOf(sender);
  const process = internals._process.bind(sender);
  internals._process = (): void => undefined;
  return () => {
    internals._process = process;
    flush(sender.connection);
  };
}

/** The address that the client named at one end of a link; rhea's types do not say that it may name none. */
export function addressOf(link: Sender | Receiver, end: 'source' | 'target'): string | undefined {
  const terminus = link[end] as { readonly address?: string | null } | null | undefined;
  return terminus?.address ?? undefined;
}

/** A terminus for an attach answer; without an address when the client named none. */
export function terminusAt(address: string | undefined): { address: string } {
  return (address === undefined ? {} : { address }) as { address: string };
}

/** Sets what the attach answer says beside source and target. */
export function respondToAttach(
  link: Sender | Receiver,
  fields: { maxMessageBytes?: number; properties?: Readonly<Record<string, Typed>> },
): void {
  const { attach } = linkOf(link).local;
  if (fields.maxMessageBytes !== undefined) attach.max_message_size = fields.maxMessageBytes;
  if (fields.properties !== undefined) attach.properties = fields.properties;
}

/** Agrees to the settlement modes that the client asked for. */
export function agreeSettleModes(sender: Sender): void {
  const { attach } = linkOf(sender).local;
  attach.snd_settle_mode = sender.snd_settle_mode;
  attach.rcv_settle_mode = sender.rcv_settle_mode;
}

/** The socket under a connection. */
export function socketOf(connection: Connection): Socket {
  return connectionOf(connection).socket;
}

/** Cuts a connection without a word, and stops rhea's heartbeat for it. */
export function cutConnection(connection: Connection): void {
  connectionOf(connection).socket.destroy();
  connectionOf(connection)._disconnected();
}
