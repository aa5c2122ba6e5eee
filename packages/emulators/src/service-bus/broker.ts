/**
 * The AMQP side of the emulator: connections and links, joined to queues.
 *
 * rhea speaks the protocol and this module decides what each link means: a client's sender feeds a queue
 * (`Ingress`), its receiver is fed by one (`Egress`, `Settlements`), and a pair of links to `$management` or `$cbs`
 * asks questions (`Management`).
 */
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Connection, Container, Delivery, Receiver, Sender, Session } from 'rhea';
import rhea from 'rhea';
import type { Faults } from '../core/faults.ts';
import { FileWriteError } from '../core/files.ts';
import type { UsageMeter } from '../core/usage.ts';
import { type Address, parseAddress } from './addresses.ts';
import { Alarm, Delays } from './alarm.ts';
import { type BrokerContext, plain } from './broker-context.ts';
import { Credits, CREDITS_PER_SECOND } from './credits.ts';
import { Egress, refuse } from './egress.ts';
import { type AmqpCondition, entityNotFound, messageLockLost } from './errors.ts';
import { IdleLinks } from './idle-links.ts';
import { Ingress } from './ingress.ts';
import { Management, type ManagementRequest } from './management.ts';
import type { Queue } from './queue.ts';
import { QueueRegistry } from './queue-registry.ts';
import { resourceManager } from './resource-manager.ts';
import {
  addressOf,
  cutConnection,
  flush,
  keepRawMessages,
  refuseLateSettlements,
  respondToAttach,
  socketOf,
  terminusAt,
} from './rhea-internals.ts';
import { Settlements } from './settlements.ts';
import type { Tier } from './tiers.ts';

/** Messages that a client may send ahead of their answers, per link. */
const SEND_CREDIT = 1000;
/**
 * Deliveries per session that rhea keeps in order, from the oldest unsettled one on; delivery stops when they are
 * full. Twice what the SDK's own side keeps, so that the SDK's limit is the one that is met.
 */
const UNSETTLED_MAX = 4096;
/** Unanswered sends per session. */
const UNANSWERED_MAX = 2048;
const FRAME_BYTES_MAX = 1024 * 1024;

export interface BrokerOptions {
  readonly dataDir: string | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly faults: Faults;
  readonly usage: UsageMeter;
  /** Bytes of one message, and of one batch. */
  readonly maxMessageBytes: number;
  readonly tier: Tier;
  /** Absent: what the tier has. */
  readonly creditsPerSecond: number | undefined;
  /** Told of defects of the broker itself. */
  readonly report: (error: unknown) => void;
}

/** What a client's sending link leads to. */
type Target = Address & { readonly queue: Queue | undefined };

interface MessageEvent extends ManagementRequest {
  readonly delivery: Delivery;
  readonly format: number;
}

export class Broker {
  readonly registry: QueueRegistry;
  readonly #container: Container;
  readonly #options: BrokerOptions;
  readonly #alarm: Alarm;
  readonly #delays = new Delays();
  readonly #idle: IdleLinks;
  readonly credits: Credits;
  onDetach: (why: AmqpCondition) => void = () => undefined;
  readonly #ingress: Ingress;
  readonly #egress: Egress;
  readonly #management: Management;
  readonly #targets = new WeakMap<Receiver, Target>();
  readonly #connections = new Set<Connection>();
  #server: Server | undefined;
  #http: HttpServer | undefined;
  /** Connections that are not AMQP's, or have not said yet. */
  readonly #unread = new Set<Socket>();

  constructor(options: BrokerOptions) {
    this.#options = options;
    const { now, tier, creditsPerSecond = tier === 'Premium' ? Infinity : CREDITS_PER_SECOND } = options;
    this.credits = new Credits({ perSecond: creditsPerSecond, now });
    this.#idle = new IdleLinks({
      now,
      detach: (link, why) => this.#detach(link, why),
      close: (connection, why) => {
        connection.close(plain(why));
        flush(connection);
      },
    });
    const context: BrokerContext = {
      faults: options.faults,
      usage: options.usage,
      delays: this.#delays,
      credits: this.credits,
      idle: this.#idle,
      now: options.now,
      cut: (connection) => this.#cut(connection),
      report: options.report,
    };
    const settlements = new Settlements(context);
    this.#ingress = new Ingress(context, options.maxMessageBytes);
    this.#egress = new Egress(context, settlements);
    this.#management = new Management(context, settlements, options.maxMessageBytes);
    this.#alarm = new Alarm(options.now, () => this.tick());
    this.registry = new QueueRegistry({
      dataDir: options.dataDir,
      tier,
      now: options.now,
      changed: (queue) => this.#changed(queue),
    });
    this.#container = this.#createContainer(settlements);
  }

  /** Listens on 127.0.0.1; 0 picks a free port. @returns The port. */
  async listen(port: number): Promise<number> {
    const options = {
      port,
      host: '127.0.0.1',
      tcp_no_delay: true,
      session_buffer_size: { incoming: UNANSWERED_MAX, outgoing: UNSETTLED_MAX },
      max_frame_size: FRAME_BYTES_MAX,
    };
    const server = this.#container.listen(options);
    this.#server = server;
    this.#shareWithHttp(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', resolve);
    });
    this.tick();
    return (server.address() as AddressInfo).port;
  }

  /** The first bytes of a connection say whether it speaks AMQP or HTTP. */
  #shareWithHttp(server: Server): void {
    const http = resourceManager({
      faults: this.#options.faults,
      credits: this.credits,
      registry: this.registry,
    });
    this.#http = http;
    const [acceptAmqp] = server.listeners('connection') as ((socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      this.#unread.add(socket);
      socket.once('close', () => this.#unread.delete(socket));
      socket.on('error', () => socket.destroy());
      socket.once('readable', () => {
        const first = socket.read() as Buffer | null;
        if (first === null) return;
        socket.unshift(first);
        if (first.subarray(0, 4).toString('latin1') === 'AMQP') {
          this.#unread.delete(socket);
          acceptAmqp?.(socket);
        } else http.emit('connection', socket);
      });
    });
  }

  /** Does what is due and arms the alarm for what comes next. */
  tick(): void {
    try {
      this.registry.tick();
      this.#egress.tick();
      this.#idle.tick();
      this.registry.compactIfWorthIt();
    } catch (error) {
      // A full disk: the queues are as they were, and what was due is due again a little later.
      if (!(error instanceof FileWriteError)) throw error;
      this.#options.report(error.message);
    }
    // Anew, because an injected clock may have passed the moment that the alarm is set for.
    this.#alarm.clear();
    this.#armAlarm();
  }

  /** Stops listening, cuts every connection and closes the journal. */
  async close(): Promise<void> {
    this.#alarm.clear();
    this.#delays.clear();
    const closed = new Promise<void>((resolve) => {
      if (this.#server === undefined) resolve();
      else this.#server.close(() => resolve());
    });
    for (const connection of [...this.#connections]) this.#cut(connection);
    for (const socket of this.#unread) socket.destroy();
    this.#http?.close();
    await closed;
    this.#alarm.clear();
    this.registry.close();
  }

  #armAlarm(): void {
    this.#alarm.arm(Math.min(this.registry.nextDueAt, this.#egress.nextDueAt, this.#idle.nextDueAt));
  }

  /** A queue changed: somebody may be waiting for it, and something may have become due. */
  #changed(queue: Queue): void {
    this.#egress.pump(queue);
    this.#alarm.arm(queue.nextDueAt);
  }

  // --- Wiring

  #createContainer(settlements: Settlements): Container {
    const container = rhea.create_container({
      id: 'local-service-bus',
      // The broker answers every delivery itself, after it has done what was asked.
      sender_options: { autosettle: false, treat_modified_as_released: false },
      receiver_options: { autoaccept: false, credit_window: SEND_CREDIT },
    });
    this.#wireConnections(container);
    settlements.wire(container);
    this.#egress.wire(container);
    container.on('receiver_open', ({ receiver }: { receiver: Receiver }) => this.#attachSender(receiver));
    container.on('sender_open', ({ sender }: { sender: Sender }) => this.#attachReceiver(sender));
    container.on('message', (event: MessageEvent) => this.#receive(event));
    container.on('sender_flow', ({ sender }: { sender: Sender }) => this.#idle.used(sender));
    container.on('sender_close', ({ sender }: { sender: Sender }) => this.#idle.detached(sender));
    container.on('receiver_close', ({ receiver }: { receiver: Receiver }) => this.#idle.detached(receiver));
    return container;
  }

  #wireConnections(container: Container): void {
    container.on('connection_open', ({ connection }: { connection: Connection }) => {
      this.#connections.add(connection);
      this.#idle.opened(connection);
      this.#armAlarm();
      // rhea misses a socket that is destroyed without an end or an error.
      socketOf(connection).once('close', () => this.#cut(connection));
    });
    container.on('connection_close', ({ connection }: { connection: Connection }) =>
      this.#forget(connection),
    );
    container.on('disconnected', ({ connection }: { connection: Connection }) => this.#forget(connection));
    container.on('session_open', ({ session }: { session: Session }) => {
      keepRawMessages(session, (receiver) => this.#targets.get(receiver)?.kind === 'queue');
      refuseLateSettlements(session, messageLockLost);
    });
    container.on('session_close', ({ session }: { session: Session }) => {
      session.each_sender((sender: Sender) => this.#egress.drop(sender), isLink);
    });
    // A peer that ends something with an error, or speaks nonsense, is its own affair: rhea closes the connection.
    for (const event of [
      'connection_error',
      'session_error',
      'sender_error',
      'receiver_error',
      'protocol_error',
    ]) {
      container.on(event, () => undefined);
    }
    // rhea catches what a handler throws and ends up here: a defect of the broker.
    container.on('error', (error: unknown) => this.#options.report(error));
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.#idle.closed(connection);
    connection.each_sender((sender: Sender) => this.#egress.drop(sender));
  }

  #cut(connection: Connection): void {
    if (!this.#connections.has(connection)) return;
    this.#forget(connection);
    cutConnection(connection);
  }

  /** A client opened a sender: to a queue, to its management node, or to `$cbs`. */
  #attachSender(receiver: Receiver): void {
    const address = addressOf(receiver, 'target');
    const parsed = parseAddress(address);
    receiver.set_source(terminusAt(addressOf(receiver, 'source')));
    receiver.set_target(terminusAt(address));
    // `createMessageBatch` of the SDK fills a batch up to this.
    respondToAttach(receiver, { maxMessageBytes: this.#options.maxMessageBytes });
    const queue = parsed === undefined ? undefined : this.registry.find(parsed);
    if (parsed === undefined || (parsed.kind !== 'cbs' && queue === undefined)) {
      receiver.close(plain(entityNotFound(address ?? '')));
      return;
    }
    this.#targets.set(receiver, { ...parsed, queue });
    if (parsed.kind !== 'cbs') this.#idle.attached(receiver);
  }

  #detach(link: Sender | Receiver, why: AmqpCondition): void {
    this.onDetach(why);
    if (link.is_sender()) this.#egress.drop(link as Sender);
    link.close(plain(why));
    flush(link.connection);
  }

  /** A client opened a receiver: on a queue, or for answers. */
  #attachReceiver(sender: Sender): void {
    const address = addressOf(sender, 'source');
    const parsed = parseAddress(address);
    sender.set_target(terminusAt(addressOf(sender, 'target')));
    const queue = parsed === undefined ? undefined : this.registry.find(parsed);
    if (parsed?.kind === 'queue' && queue !== undefined) {
      this.#idle.attached(sender);
      this.#egress.attach(sender, queue);
      this.#armAlarm();
    } else if (parsed?.kind === 'cbs' || queue !== undefined) {
      sender.set_source(terminusAt(address));
      if (parsed?.kind !== 'cbs') this.#idle.attached(sender);
    } else {
      refuse(sender, entityNotFound(address ?? ''));
    }
  }

  #receive(event: MessageEvent): void {
    this.registry.compactIfWorthIt();
    const { receiver, delivery, format } = event;
    const target = this.#targets.get(receiver);
    if (target === undefined) return;
    this.#idle.used(receiver);
    if (target.kind === 'queue' && target.queue !== undefined) {
      const encoded = event.message as unknown as Buffer;
      this.#ingress.receive(target.queue, {
        connection: event.connection,
        delivery,
        format,
        encoded,
      });
      return;
    }
    delivery.accept();
    if (target.queue === undefined) this.#management.acceptToken(event);
    else {
      this.#management.handle(event, target.queue);
      this.#armAlarm();
    }
  }
}

const isLink = (): boolean => true;
