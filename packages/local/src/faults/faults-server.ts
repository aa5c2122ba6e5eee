/**
 * Where commands and consoles, in processes of their own, impose and lift the faults of a stack: in its supervisor.
 * `GET /faults` lists, `POST /faults` imposes, `DELETE /faults/<id>` lifts one, `DELETE /faults` all.
 *
 * Invariant: only who can read `stack.json` is served: it holds the key, and only its owner may read it.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refuseForeign } from '@tandem-clouds/emulators/core/control';
import { bodyText, CONTROL_BODY_BYTES_MAX } from '@tandem-clouds/emulators/core/request-body';
import { HOST } from '../ports.ts';
import { FaultError, type FaultErrorCode, type FaultOrder, type LocalFaults } from './fault-order.ts';

const PATH = '/faults';
const STATUS: Readonly<Record<FaultErrorCode, number>> = {
  invalid: 400,
  already_on: 409,
  not_on: 404,
  unavailable: 503,
};

interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

export class FaultsServer {
  readonly #faults: LocalFaults;
  readonly #key: Buffer;
  readonly #server = http.createServer((request, response) => void this.#serve(request, response));

  /** @param operatorKey What a caller must present. */
  constructor(faults: LocalFaults, operatorKey: string) {
    this.#faults = faults;
    this.#key = digestOf(`Bearer ${operatorKey}`);
  }

  /** Listens on a free port. Returns the address of the faults. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(0, HOST, resolve);
    });
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}${PATH}`;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (refuseForeign(request, response)) return;
    const { status, body } = await this.#reply(request);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }

  async #reply(request: IncomingMessage): Promise<Reply> {
    if (!timingSafeEqual(digestOf(request.headers.authorization ?? ''), this.#key))
      return { status: 401, body: { message: 'the operator key of stack.json is needed' } };
    try {
      return await this.#act(request);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (error instanceof FaultError)
        return { status: STATUS[error.code], body: { code: error.code, message } };
      return { status: 500, body: { message } };
    }
  }

  async #act(request: IncomingMessage): Promise<Reply> {
    const { method = '', url = '' } = request;
    if (url === PATH) {
      if (method === 'GET') return { status: 200, body: await this.#faults.list() };
      if (method === 'POST') return { status: 201, body: await this.#faults.impose(await orderIn(request)) };
      if (method === 'DELETE') {
        await this.#faults.liftAll();
        return { status: 204 };
      }
    }
    if (method === 'DELETE' && url.startsWith(`${PATH}/`)) {
      await this.#faults.lift(idIn(url));
      return { status: 204 };
    }
    return { status: 404, body: { message: `${method} ${url} is not known here` } };
  }
}

function idIn(url: string): string {
  try {
    return decodeURIComponent(url.slice(PATH.length + 1));
  } catch (cause) {
    throw new FaultError('invalid', 'the id is not encoded as in a URL', { cause });
  }
}

/** Read by whoever imposes it. */
async function orderIn(request: IncomingMessage): Promise<FaultOrder> {
  try {
    return JSON.parse(await bodyText(request, CONTROL_BODY_BYTES_MAX)) as FaultOrder;
  } catch (error) {
    throw new FaultError(
      'invalid',
      `the order cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

/** Of one length, whatever is compared. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
