/** dynalite on a free loopback port, with the one call that it lacks and the AWS host makes: `UpdateTimeToLive`. */
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

const dynalite = createRequire(import.meta.url)('dynalite') as (options: object) => Server;

export interface DynaliteServer {
  readonly endpoint: string;
  /** What `UpdateTimeToLive` was called with. */
  readonly timeToLive: unknown[];
  close(): Promise<void>;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

export async function startDynalite(): Promise<DynaliteServer> {
  const server = dynalite({ createTableMs: 0 });
  const [pass] = server.listeners('request') as [Listener];
  const timeToLive: unknown[] = [];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (!String(request.headers['x-amz-target']).endsWith('.UpdateTimeToLive')) {
      pass(request, response);
      return;
    }
    void text(request).then((body) => {
      timeToLive.push(JSON.parse(body));
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    timeToLive,
    async close() {
      server.close();
      server.closeAllConnections();
      // dynalite answers from its store in a later turn: let the last answers find their sockets closed.
      await delay(0);
    },
  };
}
