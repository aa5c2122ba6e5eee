/** The mail server through nodemailer, and its mailbox by HTTP. */
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { SmsBox } from '../src/sms/sms-box.ts';
import { BYTES_MAX, type Mail, Mailbox, MAILS_MAX } from '../src/smtp/mailbox.ts';
import { type SmtpEmulator, type SmtpOptions, startSmtp } from '../src/smtp/server.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function started(options: SmtpOptions = {}): Promise<SmtpEmulator> {
  const server = await startSmtp(options);
  closing.push(() => server.close());
  return server;
}

interface Refusal {
  readonly responseCode?: number;
}

async function send(
  { port }: { readonly port: number },
  mail: SendMailOptions = {},
  { pass = 'local' } = {},
): Promise<Refusal | 'sent'> {
  const transport = createTransport({
    host: '127.0.0.1',
    port,
    ignoreTLS: true,
    auth: { user: 'local', pass },
  });
  try {
    await transport.sendMail({
      ...{
        from: 'shop@example.com',
        to: 'hedy@example.com',
        subject: 'Hello',
        text: 'one',
        html: '<b>two</b>',
      },
      ...mail,
    });
    return 'sent';
  } catch (error) {
    return error as Refusal;
  } finally {
    transport.close();
  }
}

async function mails({ web }: SmtpEmulator, query = ''): Promise<readonly Mail[]> {
  const response = await fetch(`${web}/_tandem/mails${query}`);
  return ((await response.json()) as { items: readonly Mail[] }).items;
}

describe('a mail that is taken', () => {
  test('is in the mailbox with what it says', async () => {
    const server = await started({ now: () => 0 });
    await send(server, { messageId: '<m1@example.com>', headers: { 'X-Entity-Ref-ID': 'm1' } });
    expect(await mails(server)).toMatchObject([
      {
        ...{
          from: 'shop@example.com',
          to: 'hedy@example.com',
          subject: 'Hello',
          messageId: '<m1@example.com>',
        },
        ...{ text: expect.stringContaining('one'), html: expect.stringContaining('<b>two</b>') as unknown },
        headers: { 'x-entity-ref-id': 'm1' },
        ...{ at: '1970-01-01T00:00:00.000Z', copies: 1 },
      },
    ]);
  });

  test('is one of its recipient for each Message-ID, however often it comes', async () => {
    const server = await started();
    for (const to of ['a@example.com', 'a@example.com', 'b@example.com'])
      await send(server, { messageId: '<m1@example.com>', to });
    expect((await mails(server)).map(({ to, copies }) => [to, copies])).toEqual([
      ['b@example.com', 1],
      ['a@example.com', 2],
    ]);
    expect(await mails(server, '?to=A@example.com')).toHaveLength(1);
  });

  test('goes when newer ones need the room, and is counted', async () => {
    const mailbox = new Mailbox();
    const mail = (n: number, bytes: number) =>
      mailbox.add({
        ...{ from: 'a@a.test', to: 'b@b.test', atMs: 0 },
        raw: Buffer.from(`Message-ID: <m${n}@a.test>\r\n\r\n`.padEnd(bytes, 'x')),
      });
    for (let n = 0; n < MAILS_MAX + 2; n += 1) await mail(n, 40);
    expect([mailbox.mails().length, mailbox.dropped]).toEqual([MAILS_MAX, 2]);
    await mail(MAILS_MAX + 2, BYTES_MAX);
    expect(mailbox.mails().map(({ messageId }) => messageId)).toEqual([`<m${MAILS_MAX + 2}@a.test>`]);
  });
});

describe('what is refused', () => {
  test('a password that is wrong', async () => {
    expect(await send(await started(), {}, { pass: 'other' })).toMatchObject({ responseCode: 535 });
  });

  test('a mail of somebody who has not signed in', async () => {
    const { port } = await started();
    const socket = net.connect(port, '127.0.0.1');
    closing.push(() => socket.destroy());
    let said = '';
    socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
    // Whoever speaks first is refused for that.
    await once(socket, 'data');
    socket.write('EHLO a.test\r\nMAIL FROM:<a@a.test>\r\nQUIT\r\n');
    await once(socket, 'close');
    expect(said).toContain('\r\n530 ');
  });

  test('a recipient below refuse.test', async () => {
    expect(await send(await started(), { to: 'x@refuse.test' })).toMatchObject({ responseCode: 550 });
  });

  test('a mail that is too large', async () => {
    const server = await started();
    const text = 'x'.repeat(11 * 1024 * 1024);
    expect(await send(server, { text })).toMatchObject({ code: 'EMESSAGE' });
    expect(server.mailbox.mails()).toEqual([]);
  });

  test('what a fault rule names, with its code', async () => {
    const server = await started();
    server.faults.set([
      { kind: 'error', operation: 'RCPT', resource: 'hedy@example.com', code: '421', times: 1 },
    ]);
    expect(await send(server)).toMatchObject({ responseCode: 421 });
    expect(await send(server)).toBe('sent');
  });
});

test('a mail whose answer is lost is kept', async () => {
  const server = await started();
  server.faults.set([{ kind: 'drop-ack', operation: 'DATA', times: 1 }]);
  expect(await send(server, { messageId: '<m1@example.com>' })).not.toBe('sent');
  expect(await send(server, { messageId: '<m1@example.com>' })).toBe('sent');
  expect(await mails(server)).toMatchObject([{ copies: 2 }]);
});

test.each([
  ['bounce.test', 'hard'],
  ['full.test', 'soft'],
])('a mail to %s is taken, and reported as a %s bounce', async (domain, kind) => {
  const { createServer } = await import('node:http');
  const reports: string[] = [];
  const told = Promise.withResolvers<undefined>();
  const receiver = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => reports.push(chunk.toString()));
    // The first time it is not taken: it comes again.
    request.on('end', () => {
      response.writeHead(reports.length === 1 ? 503 : 200).end();
      if (reports.length === 2) told.resolve(undefined);
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  closing.push(() => receiver.close());
  const { port } = receiver.address() as net.AddressInfo;
  const server = await started({ bouncesTo: `http://127.0.0.1:${port}/bounces` });
  expect(await send(server, { messageId: '<m1@example.com>', to: `x@${domain}` })).toBe('sent');
  await told.promise;
  expect(reports.map((each) => JSON.parse(each) as unknown)).toEqual(
    Array(2).fill({ messageId: '<m1@example.com>', kind }),
  );
});

test('a bounce is reported with a token, where one is given', async () => {
  const { createServer } = await import('node:http');
  const told = Promise.withResolvers<string | undefined>();
  const receiver = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200).end();
      told.resolve(request.headers.authorization);
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  closing.push(() => receiver.close());
  const { port } = receiver.address() as net.AddressInfo;
  let asked = 0;
  const server = await started({
    bouncesTo: `http://127.0.0.1:${port}/bounces`,
    bouncesToken: () => {
      asked += 1;
      // The issuer may not be there yet: it is asked again.
      return asked === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve('a-token');
    },
  });
  expect(await send(server, { messageId: '<m2@example.com>', to: 'x@bounce.test' })).toBe('sent');
  expect(await told.promise).toBe('Bearer a-token');
});

describe('the page', () => {
  test('shows mails as text, and their HTML in a frame that runs nothing', async () => {
    const server = await started();
    await send(server, { subject: '<script>alert(1)</script>', html: '<script>alert(2)</script><b>x</b>' });
    const page = await fetch(`${server.web}/`);
    const text = await page.text();
    expect(text).toContain('&lt;script&gt;alert(1)');
    expect(text).not.toContain('<script');
    expect(text).toContain('<iframe sandbox title=');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const [, frame = ''] = /src="([^"]+)"/.exec(text) ?? [];
    const mail = await fetch(server.web + frame);
    expect(await mail.text()).toContain('<script>alert(2)');
    expect(mail.headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none'/);
  });

  test('shows the SMS of other emulators beside them', async () => {
    const sms = new SmsBox();
    const server = await started({ sms });
    const text = '<b>Hello</b> €';
    for (let n = 0; n < 2; n += 1)
      sms.add({
        ...{
          service: 'SNS',
          from: 'Tandem',
          to: '+15005550006',
          text,
          messageId: 'm1',
          attributes: {},
          atMs: 0,
        },
      });
    const page = await (await fetch(`${server.web}/`)).text();
    expect(page).toContain('<h2>&lt;b&gt;Hello&lt;/b&gt; €</h2>');
    expect(page).toContain('To +15005550006 from Tandem, by SNS');
    expect(page).toContain('GSM-7 × 1, <strong>came 2 times</strong>');
    const listed = async (method = 'GET') => {
      const response = await fetch(`${server.web}/_tandem/sms?to=+15005550006`, { method });
      return ((await response.json()) as { items: unknown[] }).items.length;
    };
    expect([await listed(), await listed('DELETE'), await listed()]).toEqual([1, 0, 0]);
  });

  test('is for this machine alone', async () => {
    const server = await started();
    const answer = await fetch(`${server.web}/_tandem/mails`, {
      headers: { origin: 'https://evil.example' },
    });
    expect(answer.status).toBe(403);
  });
});
