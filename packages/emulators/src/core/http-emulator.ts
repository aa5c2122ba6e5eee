/** What the emulators of both vendors share: a server on a free port, faults to order, and a record of the requests. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { bodyText, BodyTooLargeError } from './request-body.ts';

/** Our own: the largest of these APIs, a batch of records of one zone, takes less. */
export const API_BODY_BYTES_MAX = 8 * 1024 * 1024;

export interface Response {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface IncomingRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** An answer instead of the service's own, for so many requests that match. `hang-up` closes the connection. */
export interface Fault {
  readonly matches: (requested: IncomingRequest) => boolean;
  readonly response: Response | 'hang-up';
  times: number;
}

export interface HttpEmulator {
  readonly url: string;
  readonly requested: readonly IncomingRequest[];
  readonly faults: Fault[];
  close(): Promise<void>;
}

export async function startHttpEmulator(
  handle: (requested: IncomingRequest) => Response,
): Promise<HttpEmulator> {
  const requested: IncomingRequest[] = [];
  const faults: Fault[] = [];
  const server = http.createServer((request, response) => {
    void (async () => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
      const { method = 'GET', headers } = request;
      const body = await bodyText(request, API_BODY_BYTES_MAX);
      const one = { method, path: pathname, query: searchParams, headers, body };
      requested.push(one);
      const fault = faults.find(({ matches, times }) => times > 0 && matches(one));
      if (fault) fault.times -= 1;
      if (fault?.response === 'hang-up') {
        request.socket.destroy();
        return;
      }
      const reply = fault?.response ?? handle(one);
      response.writeHead(reply.status, reply.headers).end(reply.body);
    })().catch((error: unknown) => {
      if (error instanceof BodyTooLargeError) response.writeHead(413).end();
      else response.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requested,
    faults,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
