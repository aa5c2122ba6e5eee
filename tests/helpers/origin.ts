/** A site for the edge to stand in front of: answers `/health` and whatever the test wants. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TestOrigin {
  readonly site: string;
  readonly url: URL;
  /** Requests that reached it, except for `/health`: `GET /x`. */
  readonly seen: string[];
  /** Answers requests other than `/health`; may be replaced. */
  handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Status of `/health`. */
  health: number;
  /** How often `/health` was asked. */
  probes: number;
  /** Ends as a killed process does: refuses connections and breaks those that stand. */
  kill(): Promise<void>;
  /** Listens again at the same port. */
  revive(): Promise<void>;
}

export async function startOrigin(site: string): Promise<TestOrigin> {
  const server = http.createServer((request, response) => {
    if (request.url === '/health/deep') {
      origin.probes += 1;
      response.writeHead(origin.health).end('{}');
      return;
    }
    origin.seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
    origin.handle(request, response);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const origin: TestOrigin = {
    site,
    url: new URL(`http://127.0.0.1:${port}`),
    seen: [],
    health: 200,
    probes: 0,
    handle: (_request, response) => {
      response.writeHead(200, { 'x-tandem-site': site }).end(site);
    },
    kill: () =>
      new Promise((resolve) => {
        if (!server.listening) {
          resolve();
          return;
        }
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
    revive: () => listen(port),
  };
  return origin;
}
