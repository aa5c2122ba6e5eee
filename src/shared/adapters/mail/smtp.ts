/**
 * Mail by SMTP submission (RFC 5321, RFC 6409), with nodemailer.
 *
 * Invariant: a call ends within its time, whatever the server does, and leaves no connection behind. What it says of its end
 * is true: refused and unavailable are said only where the server cannot have taken the mail over.
 */
import { Readable } from 'node:stream';
import MailComposer from 'nodemailer/lib/mail-composer';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import { mailMs } from '../../bounds.ts';
import type { Mail, Mailer } from '../../ports/mail.ts';
import { MailRefusedError } from '../../ports/mail-errors.ts';

export interface SmtpCredentials {
  readonly user: string;
  readonly password: string;
}

export interface SmtpOptions {
  readonly host: string;
  readonly port: number;
  /** `tls`: from the first byte. `starttls`: the server must take it. `none`: on this machine alone. */
  readonly security: 'tls' | 'starttls' | 'none';
  /** `Shop <orders@example.com>`, or the address alone. */
  readonly from: string;
  readonly linksUrl: string;
  readonly credentials: () => Promise<SmtpCredentials>;
  /** What replaces a password that the server has refused; the same where there is no newer one. */
  readonly refreshCredentials: (refused: SmtpCredentials) => Promise<SmtpCredentials>;
  /** How long a call may take in all. */
  readonly withinMs?: number;
  /** Certificates that are trusted beside those of Node; for a server with one of its own. */
  readonly ca?: string | undefined;
}

/** As nodemailer reports it. */
interface SmtpFailure extends Error {
  readonly code?: string;
  /** Of the server's answer; absent: there was none. */
  readonly responseCode?: number;
  /** The last one that was sent: `RCPT TO`, `AUTH PLAIN`. */
  readonly command?: string;
}

const RECIPIENT_COMMANDS = new Set(['RCPT TO', 'DATA']);
/** Of a server's answer in our log. */
const ANSWER_CHARS_MAX = 200;

export class SmtpMailer implements Mailer {
  readonly domain: string;
  readonly linksUrl: string;
  readonly #options: SmtpOptions;
  readonly #withinMs: number;

  constructor(options: SmtpOptions) {
    this.#options = options;
    this.#withinMs = options.withinMs ?? mailMs;
    this.linksUrl = options.linksUrl;
    this.domain = addressOf(options.from).split('@')[1] ?? '';
  }

  async send(mail: Mail): Promise<void> {
    const { credentials, refreshCredentials } = this.#options;
    const endsAtMs = performance.now() + this.#withinMs;
    const message = await this.#compose(mail);
    const used = await credentials();
    try {
      await this.#submit(mail.to, message, { credentials: used, endsAtMs });
    } catch (error) {
      if (!isAuthentication(error)) throw errorOf(error);
      const newer = await refreshCredentials(used);
      if (newer.user === used.user && newer.password === used.password) throw errorOf(error);
      await this.#submit(mail.to, message, { credentials: newer, endsAtMs }).catch((again: unknown) => {
        throw errorOf(again);
      });
    }
  }

  async #compose({ messageId, to, subject, text, html, headers }: Mail): Promise<Buffer> {
    const composer = new MailComposer({
      from: this.#options.from,
      // As one address: a list in it would be several recipients.
      to: { name: '', address: to },
      subject,
      text,
      html,
      messageId,
      headers: { ...headers },
      // Nothing in a mail is read from a file or fetched.
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    return await composer.compile().build();
  }

  /** One session of SMTP. @throws SmtpFailure, SentError */
  async #submit(
    to: string,
    message: Buffer,
    { credentials, endsAtMs }: { readonly credentials: SmtpCredentials; readonly endsAtMs: number },
  ): Promise<void> {
    const { host, port, security, from, ca } = this.#options;
    const withinMs = this.#withinMs;
    const connection = new SMTPConnection({
      host,
      port,
      secure: security === 'tls',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'none',
      // None of them is longer than all of it, which the timer below ends.
      connectionTimeout: withinMs,
      greetingTimeout: withinMs,
      socketTimeout: withinMs,
      dnsTimeout: withinMs,
      socketCloseTimeout: 0,
      tls: { minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) },
    });
    const progress = { isHandedOver: false };
    const stream = Readable.from(
      (function* () {
        progress.isHandedOver = true;
        yield message;
      })(),
    );
    let timer: NodeJS.Timeout | undefined;
    try {
      await Promise.race([
        new Promise<never>((_, reject) => {
          const fail = (): void => reject(new Error(`the mail server has not answered in ${withinMs} ms`));
          timer = setTimeout(fail, Math.max(0, endsAtMs - performance.now()));
          connection.on('error', reject);
          connection.on('end', () => reject(new Error('the mail server has closed the connection')));
        }),
        (async () => {
          await called((done) => connection.connect(done));
          await called((done) =>
            connection.login({ user: credentials.user, pass: credentials.password }, done),
          );
          await called((done) => connection.send({ from: addressOf(from), to: [to] }, stream, done));
        })(),
      ]);
      connection.quit();
    } catch (error) {
      const isAnswered = (error as SmtpFailure).responseCode !== undefined;
      throw progress.isHandedOver && !isAnswered ? new SentError(error) : error;
    } finally {
      clearTimeout(timer);
      connection.close();
      stream.destroy();
    }
  }
}

/** The message was on its way when the session ended. */
class SentError extends Error {
  constructor(cause: unknown) {
    super('the session ended after the mail was sent and before the server answered', { cause });
  }
}

async function called(call: (done: (error?: Error | null) => void) => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    call((error) => (error ? reject(error) : resolve()));
  });
}

function isAuthentication(error: unknown): boolean {
  const { code, responseCode } = error as SmtpFailure;
  return code === 'EAUTH' && responseCode !== undefined && responseCode >= 500;
}

/** What became of the mail, whatever has gone wrong. The server's words may repeat the address: they are for the log. */
function errorOf(error: unknown): Error {
  if (error instanceof SentError)
    return new AmbiguousError('the mail server may have taken the mail over', { cause: error });
  const { responseCode, command = '', message } = error as SmtpFailure;
  const said = message.replaceAll(/\s+/g, ' ').slice(0, ANSWER_CHARS_MAX);
  // What a server says for good about us, and not about this recipient, is ours to mend: the mail waits for that.
  if (responseCode !== undefined && responseCode >= 500 && RECIPIENT_COMMANDS.has(command))
    return new MailRefusedError(`the mail server refuses it: ${said}`, { cause: error });
  return new UnavailableError(`the mail server has not taken the mail: ${said}`, { cause: error });
}

/** The address of `Shop <orders@example.com>`. */
function addressOf(from: string): string {
  return /<([^>]+)>$/.exec(from)?.[1] ?? from;
}
