/**
 * The console's server: on the loopback address of the operator's machine, where the key is. Nothing of it is hosted.
 *
 * Invariants: it speaks to the sites that it was given and, at a stack of this machine, to the servers of that; every answer has
 * the headers of the page, so that not even a stored text that is opened by itself can run anything.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Whereabouts } from '@tandem-clouds/operator/targets';
import { Api, type ApiRoute } from './api.ts';
import { Audit } from './audit.ts';
import { refusalOf, Sessions } from './guard.ts';
import { buildPage, type ConsolePage, PAGE_HEADERS } from './page.ts';
import { ConsoleError, replyProblem } from './reply.ts';
import { Sites } from './sites.ts';
import { Watch, type WatchOptions } from './watch.ts';

const HOST = '127.0.0.1';

export interface ConsoleOptions {
  readonly place: Whereabouts;
  readonly version: string;
  /** Where actions are written down. */
  readonly auditFile: string;
  /** Further routes, the first part of their path as name. */
  readonly more?: (sites: Sites) => Readonly<Record<string, ApiRoute>>;
  /** Of a stack of this machine. */
  readonly local?: (sites: Sites) => LocalParts;
  readonly everyMs?: number;
}

/** What a console has more where it looks at a stack of this machine. */
export interface LocalParts {
  readonly look: NonNullable<WatchOptions['local']>;
  readonly routes: Readonly<Record<string, ApiRoute>>;
  readonly close: () => Promise<void>;
}

export class ConsoleServer {
  readonly #server: http.Server;
  readonly #watch: Watch;
  readonly #api: Api;
  readonly #sessions: Sessions | undefined;
  readonly #local: LocalParts | undefined;
  #page: Promise<ConsolePage> | undefined;

  constructor({ place, version, auditFile, more, local, everyMs }: ConsoleOptions) {
    const sites = new Sites(place);
    this.#local = sites.isLocal ? local?.(sites) : undefined;
    // A stack of this machine trusts whoever is on it; the key of deployed sites is not for everybody who is.
    this.#sessions = sites.isLocal ? undefined : new Sessions();
    this.#watch = new Watch({
      targets: () => sites.targets(),
      ...(this.#local !== undefined && { local: this.#local.look }),
      ...(everyMs !== undefined && { everyMs }),
    });
    this.#api = new Api({
      sites,
      watch: this.#watch,
      audit: new Audit(auditFile),
      sessions: this.#sessions,
      version,
      more: { ...more?.(sites), ...this.#local?.routes },
    });
    this.#server = http.createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => replyProblem(response, error));
    });
  }

  /** @param port On 127.0.0.1; 0 picks a free one. @returns The address to open. @throws Error when the port is taken */
  async listen(port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, HOST, resolve);
    });
    const { port: own } = this.#server.address() as AddressInfo;
    const url = `http://${HOST}:${own}/`;
    return this.#sessions === undefined ? url : `${url}#code=${this.#sessions.code}`;
  }

  /** Serves a connection that was accepted elsewhere (`lazy-server.ts`). */
  accept(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  async close(): Promise<void> {
    await Promise.all([this.#watch.close(), this.#local?.close()]);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value);
    const refusal = refusalOf(request);
    if (refusal !== undefined) {
      response.setHeader('connection', 'close');
      throw new ConsoleError(403, refusal);
    }
    const url = new URL(request.url ?? '/', `http://${HOST}`);
    if (url.pathname.startsWith('/api/')) {
      await this.#api.serve(request, response, url);
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') throw new ConsoleError(405, 'GET is needed');
    this.#page ??= buildPage();
    this.#page.catch(() => (this.#page = undefined));
    const { html, assets } = await this.#page;
    const asset = assets.get(url.pathname.slice(1));
    if (url.pathname !== '/' && asset === undefined)
      throw new ConsoleError(404, 'There is no such file. Load the page anew.');
    const { contentType, cacheControl, bytes } = asset ?? {
      contentType: 'text/html; charset=utf-8',
      cacheControl: 'no-cache',
      bytes: Buffer.from(html),
    };
    response.writeHead(200, { 'content-type': contentType, 'cache-control': cacheControl });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }
}
