/**
 * A mail server for submission (RFC 6409) that keeps what it is given and delivers nothing: real SMTP clients talk to it.
 *
 * Recipients below `refuse.test` are refused (550). Those below `bounce.test` and `full.test` are taken, and reported as hard and
 * soft bounces to `bouncesTo`.
 *
 * Faults name the command (`AUTH`, `MAIL`, `RCPT`, `DATA`) and the address that it is about, the user's name for `AUTH`. `error`
 * has the reply code for its code, 451 unless it is said; `drop-ack` after `DATA` keeps the mail and loses the answer.
 */
import type { Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import { FAULTS_PATH } from '../core/control.ts';
import type { Emulator, EmulatorOptions } from '../core/emulator.ts';
import { Faults } from '../core/faults.ts';
import { SmsBox } from '../sms/sms-box.ts';
import { BounceReporter } from './bounces.ts';
import { Mailbox } from './mailbox.ts';
import { startMailboxWeb } from './web.ts';

const HOST = '127.0.0.1';
/** Of a mail: what most providers take. */
export const SIZE_MAX = 10 * 1024 * 1024;
/** Of one mail: RFC 5321, section 4.5.3.1.8, wants 100. */
const RECIPIENTS_MAX = 100;

export interface SmtpOptions extends Omit<EmulatorOptions, 'dataDir'> {
  /** TCP port of the mailbox by HTTP; 0 or absent picks a free one. */
  readonly webPort?: number;
  /** Who may send. Default `local` and `local`. */
  readonly user?: string;
  readonly password?: string;
  /** SMS that are shown beside the mails: the box of other emulators. */
  readonly sms?: SmsBox;
  /** Where bounces are reported; absent: nowhere. */
  readonly bouncesTo?: string | undefined;
  /** Gives the token that is presented there, anew for each attempt; absent: none is. */
  readonly bouncesToken?: (() => Promise<string>) | undefined;
  /** A certificate: the server offers STARTTLS, and takes no password before it; `secure`: TLS from the first byte. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly secure?: boolean };
}

export interface SmtpEmulator extends Emulator {
  readonly mailbox: Mailbox;
  /** Base address of the mailbox: `/` for people, `/_tandem/mails` for programs. */
  readonly web: string;
  readonly faultsUrl: string;
  /** Serve a connection that somebody else has accepted. */
  accept(socket: Socket): void;
  acceptWeb(socket: Socket): void;
}

/** A reply that is no success. */
class SmtpReply extends Error {
  readonly responseCode: number;

  constructor(responseCode: number, message: string) {
    super(message);
    this.responseCode = responseCode;
  }
}

type Done = (error?: Error | null) => void;

export async function startSmtp(options: SmtpOptions = {}): Promise<SmtpEmulator> {
  const { port = 0, webPort = 0, now = Date.now, user = 'local', password = 'local', tls } = options;
  const faults = new Faults();
  const mailbox = new Mailbox();
  const bounces = new BounceReporter(options.bouncesTo, options.bouncesToken);
  const sockets = new Map<number, Socket>();

  /** What a command is answered; undefined: nobody will be, because the connection is gone. */
  const within = async (
    command: string,
    resource: string,
    session: SMTPServerSession,
    run: () => void | Promise<void>,
  ): Promise<Error | null | undefined> => {
    const { latencyMs, error, dropAck } = faults.hit(command, resource);
    // It keeps no process alive whose server has been closed meanwhile.
    if (latencyMs > 0) await delay(latencyMs, undefined, { ref: false });
    if (error !== undefined) return new SmtpReply(Number(error.code ?? 451), 'a fault rule says so');
    try {
      await run();
    } catch (failure) {
      if (failure instanceof SmtpReply) return failure;
      console.error(failure);
      return new SmtpReply(451, 'the emulator failed; see its output');
    }
    if (!dropAck) return null;
    sockets.get(session.remotePort)?.destroy();
    return undefined;
  };
  const answer = (result: Promise<Error | null | undefined>, done: Done): void => {
    void result.then((error) => {
      if (error !== undefined) done(error);
    });
  };

  const server = new SMTPServer({
    name: 'mail.test',
    banner: 'Tandem emulator',
    size: SIZE_MAX,
    authMethods: ['PLAIN', 'LOGIN'],
    disableReverseLookup: true,
    closeTimeout: 1,
    ...(tls === undefined
      ? { allowInsecureAuth: true, disabledCommands: ['STARTTLS'] }
      : { key: tls.key, cert: tls.cert, secure: tls.secure === true }),
    onAuth: ({ username = '', password: given }, session, done) => {
      const result = within('AUTH', username, session, () => {
        if (username !== user || given !== password)
          throw new SmtpReply(535, 'Authentication credentials invalid');
      });
      void result.then((error) => {
        if (error === null) done(null, { user: username });
        else if (error !== undefined) done(error);
      });
    },
    onMailFrom: ({ address }, session, done) => {
      answer(
        within('MAIL', address, session, () => undefined),
        done,
      );
    },
    onRcptTo: ({ address }, session, done) => {
      const result = within('RCPT', address, session, () => {
        if (isBelow(address, 'refuse.test')) throw new SmtpReply(550, 'Mailbox unavailable');
        if (session.envelope.rcptTo.length >= RECIPIENTS_MAX) throw new SmtpReply(452, 'Too many recipients');
      });
      answer(result, done);
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => {
        if (!stream.sizeExceeded) chunks.push(chunk);
      });
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        const result = within('DATA', rcptTo[0]?.address ?? '', session, async () => {
          if (stream.sizeExceeded) throw new SmtpReply(552, 'Message exceeds fixed maximum message size');
          const from = mailFrom === false ? '' : mailFrom.address;
          for (const { address } of rcptTo) {
            const mail = await mailbox.add({ from, to: address, raw: Buffer.concat(chunks), atMs: now() });
            if (isBelow(address, 'bounce.test')) bounces.report({ messageId: mail.messageId, kind: 'hard' });
            if (isBelow(address, 'full.test')) bounces.report({ messageId: mail.messageId, kind: 'soft' });
          }
        });
        answer(result, done);
      });
    },
  });
  // What a client does to its connection is its own business.
  server.on('error', () => undefined);
  server.server.on('connection', (socket: Socket) => {
    const { remotePort } = socket;
    if (remotePort === undefined) return;
    sockets.set(remotePort, socket);
    socket.once('close', () => sockets.delete(remotePort));
  });
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(port, HOST, resolve);
  });
  const listening = (server.server.address() as AddressInfo).port;
  const shown = { mailbox, sms: options.sms ?? new SmsBox(), faults };
  const web = await startMailboxWeb(webPort, shown).catch(async (error: unknown) => {
    await closed(server);
    throw error;
  });
  const webUrl = `http://${HOST}:${web.port}`;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await bounces.close();
    // Below TLS that has not been agreed on, Node 24 does not survive it; then the server's own time-out ends them.
    if (tls === undefined) for (const socket of sockets.values()) socket.destroy();
    await Promise.all([closed(server), web.close()]);
  };
  return {
    endpoint: `${tls?.secure === true ? 'smtps' : 'smtp'}://${HOST}:${listening}`,
    port: listening,
    faults,
    mailbox,
    web: webUrl,
    faultsUrl: webUrl + FAULTS_PATH,
    accept: (socket) => void server.server.emit('connection', socket),
    acceptWeb: (socket) => web.accept(socket),
    close: () => (closing ??= close()),
  };
}

function closed(server: SMTPServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function isBelow(address: string, domain: string): boolean {
  const host = address.slice(address.lastIndexOf('@') + 1).toLowerCase();
  return host === domain || host.endsWith(`.${domain}`);
}
