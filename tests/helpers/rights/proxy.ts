/** An HTTP server in front of an emulator, which answers in its place when a call is not allowed. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface ProxiedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A text goes as it is. */
  readonly body: object | string;
}

export interface RightsProxy {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** @param judge Undefined when the request may go on. */
export async function startProxy(
  target: string,
  judge: (request: ProxiedRequest) => Refusal | undefined,
): Promise<RightsProxy> {
  const server = http.createServer((request, response) => {
    void pass(request, response, target, judge).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function pass(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  target: string,
  judge: (request: ProxiedRequest) => Refusal | undefined,
): Promise<void> {
  const body = await buffer(request);
  const { method = 'GET', url: path = '/', headers } = request;
  const refusal = judge({ method, path, headers, body });
  if (refusal !== undefined) {
    response
      .writeHead(refusal.status, { 'content-type': 'application/json', ...refusal.headers })
      .end(typeof refusal.body === 'string' ? refusal.body : JSON.stringify(refusal.body));
    return;
  }
  const onward = http.request(new URL(path, target), { method, headers }, (reply) => {
    response.writeHead(reply.statusCode ?? 500, reply.headers);
    reply.pipe(response);
  });
  onward.on('error', (error) => response.destroy(error));
  onward.end(body);
}
