/** Mail by SMTP, against the emulator and against servers that behave worse. */
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  type SmtpEmulator,
  type SmtpOptions as ServerOptions,
  startSmtp,
} from '@tandem-clouds/emulators/smtp/server';
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import { SmtpMailer, type SmtpOptions } from '../../../src/shared/adapters/mail/smtp.ts';
import type { Mail } from '../../../src/shared/ports/mail.ts';
import { MailRefusedError } from '../../../src/shared/ports/mail-errors.ts';
import { selfSigned } from '../../helpers/self-signed.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const MAIL: Mail = {
  messageId: '<o1~paid@shop.example>',
  to: 'hedy@example.com',
  subject: 'Your order is paid',
  text: 'Thank you',
  html: '<p>Thank you</p>',
  headers: { 'X-Entity-Ref-ID': 'o1~paid', 'List-Unsubscribe': '<https://shop.example/u>' },
};
const GOOD = { user: 'local', password: 'local' };

async function started(options: ServerOptions = {}): Promise<SmtpEmulator> {
  const server = await startSmtp(options);
  closing.push(() => server.close());
  return server;
}

function mailerTo(port: number, options: Partial<SmtpOptions> = {}): SmtpMailer {
  return new SmtpMailer({
    ...{ host: '127.0.0.1', port, security: 'none', from: 'A shop <orders@shop.example>' },
    linksUrl: 'https://shop.example',
    credentials: () => Promise.resolve(GOOD),
    refreshCredentials: (refused) => Promise.resolve(refused),
    ...options,
  });
}

describe('a mail', () => {
  test('arrives as it is, under its own Message-ID, at every attempt', async () => {
    const server = await started();
    const mailer = mailerTo(server.port);
    await mailer.send(MAIL);
    await mailer.send(MAIL);
    expect([mailer.domain, mailer.linksUrl]).toEqual(['shop.example', 'https://shop.example']);
    expect(server.mailbox.mails()).toMatchObject([
      {
        ...{ from: 'orders@shop.example', to: 'hedy@example.com', messageId: MAIL.messageId, copies: 2 },
        ...{ subject: MAIL.subject, html: expect.stringContaining('<p>Thank you</p>') as unknown },
        headers: {
          ...{ 'x-entity-ref-id': 'o1~paid', 'list-unsubscribe': '<https://shop.example/u>' },
          from: 'A shop <orders@shop.example>',
        },
      },
    ]);
  });

  test('has one recipient and no header of anybody else, whatever its parts are made of', async () => {
    const server = await started();
    await mailerTo(server.port).send({
      ...MAIL,
      subject: 'Hello\r\nBcc: all@example.com\r\n\r\nbody',
      headers: { 'X-Entity-Ref-ID': 'o1\r\nBcc: all@example.com' },
    });
    const [mail, ...others] = server.mailbox.mails();
    expect(others).toEqual([]);
    expect(mail?.headers['bcc']).toBeUndefined();
    expect(mail?.to).toBe('hedy@example.com');
    expect(mail?.text).toContain('Thank you');
  });
});

describe('what the server says is told apart', () => {
  test.each([
    ['a recipient that does not exist', 'RCPT', '550', MailRefusedError],
    ['a mail that it will never take', 'DATA', '554', MailRefusedError],
    ['a recipient that is busy', 'RCPT', '450', UnavailableError],
    ['a mail that it does not take now', 'DATA', '451', UnavailableError],
    ['that it closes', 'MAIL', '421', UnavailableError],
    ['a sender that it does not know, which is ours to mend', 'MAIL', '550', UnavailableError],
    ['a password that is wrong', 'AUTH', '535', UnavailableError],
  ])('%s', async (_, operation, code, error) => {
    const server = await started();
    server.faults.set([{ kind: 'error', operation, code }]);
    await expect(mailerTo(server.port).send(MAIL)).rejects.toThrow(error);
    expect(server.mailbox.mails()).toEqual([]);
  });

  test('nothing, where nobody listens', async () => {
    const server = await started();
    await server.close();
    await expect(mailerTo(server.port).send(MAIL)).rejects.toThrow(UnavailableError);
  });

  test('nothing, after it has the whole mail: then nobody knows', async () => {
    const server = await started();
    server.faults.set([{ kind: 'drop-ack', operation: 'DATA', times: 1 }]);
    await expect(mailerTo(server.port).send(MAIL)).rejects.toThrow(AmbiguousError);
    expect(server.mailbox.mails()).toMatchObject([{ messageId: MAIL.messageId }]);
  });
});

describe('a server that is slow', () => {
  test.each([
    ['RCPT', UnavailableError],
    ['DATA', AmbiguousError],
  ])('with %s holds nobody beyond the time of a mail', async (operation, error) => {
    const server = await started();
    server.faults.set([{ kind: 'latency', operation, latencyMs: 60_000 }]);
    const begunMs = performance.now();
    await expect(mailerTo(server.port, { withinMs: 400 }).send(MAIL)).rejects.toThrow(error);
    expect(performance.now() - begunMs).toBeLessThan(5_000);
  });

  test('and says one thing after the other, each in time, is held to the time of the whole', async () => {
    const server = net.createServer((socket) => {
      const timer = setInterval(() => socket.write('220-wait\r\n'), 50);
      socket.on('close', () => clearInterval(timer)).on('error', () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => server.close());
    const { port } = server.address() as net.AddressInfo;
    await expect(mailerTo(port, { withinMs: 400 }).send(MAIL)).rejects.toThrow(UnavailableError);
  });
});

describe('a password', () => {
  test('that was replaced is asked for anew at once', async () => {
    const server = await started({ password: 'new' });
    await mailerTo(server.port, {
      refreshCredentials: ({ user }) => Promise.resolve({ user, password: 'new' }),
    }).send(MAIL);
    expect(server.mailbox.mails()).toHaveLength(1);
  });

  test('is in no error', async () => {
    const server = await started({ password: 'other' });
    const secret = { user: 'local', password: 'a-password-of-somebody' };
    const failure: unknown = await mailerTo(server.port, { credentials: () => Promise.resolve(secret) })
      .send(MAIL)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UnavailableError);
    expect(String(failure)).not.toContain(secret.password);
  });

  test('is not sent to a server that takes no TLS', async () => {
    const server = await started();
    const said: string[] = [];
    server.faults.set([{ kind: 'error', operation: 'AUTH', code: '535' }]);
    const failure: unknown = await mailerTo(server.port, { security: 'starttls' })
      .send(MAIL)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UnavailableError);
    expect(server.faults.rules).toHaveLength(1);
    expect(said).toEqual([]);
  });
});

describe('TLS', () => {
  const { key, cert } = selfSigned();

  test.each([
    ['from the first byte', 'tls', true],
    ['by STARTTLS', 'starttls', false],
  ] as const)(
    '%s: a server whose certificate is trusted gets the mail, another one does not',
    async (_, security, secure) => {
      const server = await started({ tls: { key, cert, secure } });
      const to = { host: 'localhost', security } as const;
      await mailerTo(server.port, { ...to, ca: cert }).send(MAIL);
      expect(server.mailbox.mails()).toHaveLength(1);
      await expect(mailerTo(server.port, to).send(MAIL)).rejects.toThrow(UnavailableError);
      expect(server.mailbox.mails()).toMatchObject([{ copies: 1 }]);
    },
  );
});
