/**
 * What stands between the commands and moto: passes every request on under the host that it was meant for, by which
 * moto knows services, regions and buckets; or answers itself, when a rehearsal wants to see a failure that moto does
 * not have. Remembers what was asked, and no header and no body: those hold credentials.
 */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface IncomingRequest {
  /** Such as `cloudformation.us-east-1.amazonaws.com`. */
  readonly host: string;
  readonly method: string;
  readonly path: string;
  /** Of a form-encoded request, its `Action`; of a JSON one, its target. */
  readonly action: string | undefined;
  readonly body: string;
}

interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Undefined: moto answers. */
export type Fault = (requested: IncomingRequest) => Response | undefined;

export interface Front {
  readonly port: number;
  /** What was asked since it was last emptied, as `host action`. */
  readonly requested: string[];
  /** The failure that is on; undefined is none. */
  fault: Fault | undefined;
  close(): Promise<void>;
}

/** @param moto Where moto listens. */
export async function startFront(moto: string): Promise<Front> {
  const { hostname, port: motoPort } = new URL(moto);
  const server = http
    .createServer((request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const body = Buffer.concat(chunks);
        const requested = describe(request, body);
        front.requested.push(`${requested.host} ${requested.action ?? requested.method}`);
        const own = front.fault?.(requested);
        if (own !== undefined) {
          response.writeHead(own.status, own.headers).end(own.body);
          return;
        }
        const passed = http.request(
          { hostname, port: motoPort, method: request.method, path: request.url, headers: request.headers },
          (reply) => {
            response.writeHead(reply.statusCode ?? 502, reply.headers);
            reply.pipe(response);
          },
        );
        passed.on('error', (error) => response.writeHead(502).end(String(error)));
        passed.end(body);
      })();
    })
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  const front: Front = {
    port: (server.address() as AddressInfo).port,
    requested: [],
    fault: undefined,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return front;
}

function describe(request: http.IncomingMessage, bytes: Buffer): IncomingRequest {
  const target = request.headers['x-amz-target'];
  const form = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  const body = form ? bytes.toString() : '';
  const action = form ? (new URLSearchParams(body).get('Action') ?? undefined) : undefined;
  return {
    host: (request.headers.host ?? '').replace(/:\d+$/, ''),
    method: request.method ?? '',
    path: request.url ?? '',
    action: action ?? (typeof target === 'string' ? target : undefined),
    body,
  };
}
