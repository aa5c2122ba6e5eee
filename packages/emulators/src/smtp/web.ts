/** The mailbox by HTTP: for tests and programs as JSON, for people as a page, and the fault rules. SMS are shown beside the mails. */
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { handleControl, refuseForeign } from '../core/control.ts';
import type { Faults } from '../core/faults.ts';
import { handleSmsBox, type SmsBox } from '../sms/sms-box.ts';
import type { Mailbox } from './mailbox.ts';
import { MAIL_HEADERS, mailboxPage, PAGE_HEADERS } from './page.ts';

const HOST = '127.0.0.1';
export const MAILS_PATH = '/_tandem/mails';
const MAIL_PATH = /^\/mails\/(\d{1,9})$/;

export interface MailboxWeb {
  readonly port: number;
  accept(socket: Socket): void;
  close(): Promise<void>;
}

interface Shown {
  readonly mailbox: Mailbox;
  readonly sms: SmsBox;
  readonly faults: Faults;
}

export async function startMailboxWeb(port: number, shown: Shown): Promise<MailboxWeb> {
  const server = http.createServer((request, response) => {
    void serve(request, response, shown).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, HOST, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    accept: (socket) => void server.emit('connection', socket),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  { mailbox, sms, faults }: Shown,
): Promise<void> {
  if (refuseForeign(request, response, { relayed: true })) return;
  if (await handleControl(request, response, faults)) return;
  if (handleSmsBox(request, response, sms)) return;
  const { pathname, searchParams } = new URL(request.url ?? '/', `http://${HOST}`);
  const json = (status: number, body: unknown): void => {
    response
      .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      .end(JSON.stringify(body));
  };
  if (pathname === MAILS_PATH && request.method === 'DELETE') {
    mailbox.clear();
    json(200, { items: [], dropped: 0 });
    return;
  }
  if (request.method !== 'GET') {
    response.setHeader('allow', pathname === MAILS_PATH ? 'GET, DELETE' : 'GET');
    json(405, { message: `${request.method ?? ''} is not supported here` });
    return;
  }
  const [, id] = MAIL_PATH.exec(pathname) ?? [];
  const mail = id === undefined ? undefined : mailbox.find(Number(id));
  if (pathname === MAILS_PATH)
    json(200, { items: mailbox.mails(searchParams.get('to') ?? undefined), dropped: mailbox.dropped });
  else if (pathname === '/') response.writeHead(200, PAGE_HEADERS).end(mailboxPage(mailbox, sms));
  else if (mail !== undefined) response.writeHead(200, MAIL_HEADERS).end(mail.html);
  else json(404, { message: 'There is no such page' });
}
