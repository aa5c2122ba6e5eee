/**
 * A provider of mails, to try the example with: it prints what it would send, once for each `Idempotency-Key`, and answers
 * every repetition as the first time. `GET /mails` is what it has sent. The port is 8025 unless one is given.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** By `Idempotency-Key`, with how often each was asked for. */
const sent = new Map<string, { readonly mail: Mail; calls: number }>();

async function reply(request: http.IncomingMessage): Promise<[status: number, body: unknown]> {
  if (request.url !== '/mails') return [404, { error: 'there is /mails' }];
  if (request.method === 'GET') return [200, [...sent].map(([key, each]) => ({ key, ...each }))];
  const body = await text(request);
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string') return [400, { error: 'an Idempotency-Key is needed' }];
  const known = sent.get(key);
  if (known === undefined) {
    const mail = JSON.parse(body) as Mail;
    sent.set(key, { mail, calls: 1 });
    console.log(`to ${mail.to}: ${mail.subject}. ${mail.text}`);
  } else known.calls += 1;
  return [202, { id: key }];
}

const server = http.createServer((request, response) => {
  reply(request)
    .catch((error: unknown): [number, unknown] => [400, { error: String(error) }])
    .then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    })
    .catch(console.error);
});
server.listen(Number(process.argv[2] ?? 8025), '127.0.0.1', () => {
  console.log(`mails: http://127.0.0.1:${(server.address() as AddressInfo).port}/mails`);
});
