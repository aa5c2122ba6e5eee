/**
 * The address of a site's HTTP API, which outlives the servers behind it: with a changed definition another one takes
 * over between two requests, and none is refused.
 */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** As hapi listens for them. */
const FORWARDED = ['request', 'checkContinue'] as const;

export class Front {
  readonly #server = http.createServer();
  #behind: http.Server | undefined;

  /** Requests go to this server's listeners from now on; it need not be reached by itself. */
  passTo(server: http.Server): void {
    this.#behind = server;
  }

  /** @returns The base URL, without a trailing slash. @throws Error when the port is taken. */
  async listen(port: number): Promise<string> {
    for (const event of FORWARDED) {
      this.#server.on(event, (request: http.IncomingMessage, response: http.ServerResponse) => {
        this.#behind?.emit(event, request, response);
      });
    }
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    this.#server.closeAllConnections();
    await closed;
  }
}
