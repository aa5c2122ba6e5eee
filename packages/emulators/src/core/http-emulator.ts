/** What the stand-ins of both vendors share: a server on a free port, faults to order, and a record of the requests. */
import http from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** An answer instead of the service's own, for so many requests that match. `hang-up` closes the connection. */
export interface Fault {
  readonly matches: (asked: Asked) => boolean;
  readonly answer: Answer | 'hang-up';
  times: number;
}

export interface HttpStandIn {
  readonly url: string;
  readonly asked: readonly Asked[];
  readonly faults: Fault[];
  close(): Promise<void>;
}

export async function startHttpStandIn(handle: (asked: Asked) => Answer): Promise<HttpStandIn> {
  const asked: Asked[] = [];
  const faults: Fault[] = [];
  const server = http.createServer((request, response) => {
    void (async () => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
      const { method = 'GET', headers } = request;
      const one = { method, path: pathname, query: searchParams, headers, body: await text(request) };
      asked.push(one);
      const fault = faults.find(({ matches, times }) => times > 0 && matches(one));
      if (fault) fault.times -= 1;
      if (fault?.answer === 'hang-up') {
        request.socket.destroy();
        return;
      }
      const answer = fault?.answer ?? handle(one);
      response.writeHead(answer.status, answer.headers).end(answer.body);
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    faults,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
