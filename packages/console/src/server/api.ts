/**
 * What the page asks of the console:
 *
 *     GET  /api/console              what is looked at
 *     POST /api/session              { code }: opens a session, where the console asks for one
 *     GET  /api/live                 server-sent events: `points` of before, then a `look` every second
 *     *    /api/sites/<site>/<path>  that route of that site; below `replication` with the operator's key
 *     GET  /api/traces…, /api/logs, /api/mails, /api/sms   of the stack on this machine
 *
 * Whatever changes something names in `x-tandem-why` why, and is written down first (audit.ts).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyText } from '@tandem-clouds/emulators/core/request-body';
import { LOGS_PATH, TRACES_PATH } from '@tandem-clouds/emulators/otlp/server';
import type { Audit } from './audit.ts';
import type { Sessions } from './guard.ts';
import { relay } from './relay.ts';
import { ConsoleError, replyJson } from './reply.ts';
import type { Sites } from './sites.ts';
import type { Look, Watch } from './watch.ts';

const SESSION_BYTES_MAX = 1_024;
const WHY_MAX = 500;
/** A proxy in between may end a stream that says nothing. */
const STILL_THERE_MS = 15_000;

export interface ConsoleFacts {
  readonly mode: 'local' | 'deployed';
  readonly version: string;
  /** Base URLs by site; a deployed one that has not answered yet is not there. */
  readonly sites: readonly {
    readonly site: string;
    readonly url: string;
    readonly cloud?: 'aws' | 'azure';
  }[];
  /** Of the stack on this machine: where a person goes. */
  readonly links?: { readonly shop: string; readonly mailbox: string };
}

export interface ApiOptions {
  readonly sites: Sites;
  readonly watch: Watch;
  readonly audit: Audit;
  /** Absent: whoever is on this machine may use it. */
  readonly sessions?: Sessions | undefined;
  readonly version: string;
  /** Further routes, the first part of their path as name. */
  readonly more?: Readonly<Record<string, ApiRoute>>;
}

/** @param path Behind `/api/<name>`, without a slash at its begin. @returns The status that it was answered with. */
export type ApiRoute = (
  request: IncomingMessage,
  response: ServerResponse,
  at: { readonly path: string; readonly query: URLSearchParams },
) => Promise<number>;

export class Api {
  readonly #options: ApiOptions;
  readonly #routes: Readonly<Record<string, ApiRoute>>;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#routes = {
      console: async (_request, response) => ok(response, await this.#facts()),
      live: (request, response) => this.#live(request, response),
      sites: (request, response, at) => this.#site(request, response, at),
      traces: (request, response, { path, query }) => {
        const id = path === '' ? '' : `/${path}`;
        return this.#local(
          request,
          response,
          `${options.sites.stack().traces.url}${TRACES_PATH}${id}?${query}`,
        );
      },
      logs: (request, response, { query }) =>
        this.#local(request, response, `${options.sites.stack().traces.url}${LOGS_PATH}?${query}`),
      mails: (request, response) =>
        this.#local(request, response, `${options.sites.stack().mail.web}/_tandem/mails`),
      sms: (request, response) =>
        this.#local(request, response, `${options.sites.stack().mail.web}/_tandem/sms`),
      ...options.more,
    };
  }

  /** @param url Below `/api/`. @throws ConsoleError */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const [, name = '', path = ''] = /^\/api\/([a-z-]+)(?:\/(.*))?$/.exec(url.pathname) ?? [];
    const { sessions } = this.#options;
    if (name === 'session') {
      await this.#openSession(request, response);
      return;
    }
    if (sessions !== undefined && !sessions.isOpen(request))
      throw new ConsoleError(401, 'Open the console by the address that was printed where it was started');
    const route = Object.hasOwn(this.#routes, name) ? this.#routes[name] : undefined;
    if (route === undefined) throw new ConsoleError(404, `the console has no ${url.pathname}`);
    const at = { path, query: url.searchParams };
    if (request.method === 'GET') await route(request, response, at);
    else await this.#audited(request, url, () => route(request, response, at));
  }

  async #audited(request: IncomingMessage, url: URL, act: () => Promise<number>): Promise<void> {
    const why = whyOf(request);
    const [, site] = /^\/api\/sites\/([^/]+)\//.exec(url.pathname) ?? [];
    const { method = '' } = request;
    const ended = this.#options.audit.begin({
      method,
      path: url.pathname,
      ...(site !== undefined && { site: decodeURIComponent(site) }),
      why,
    });
    try {
      ended(await act());
    } catch (error) {
      ended(error instanceof ConsoleError ? error.status : 0);
      throw error;
    }
  }

  async #openSession(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { sessions } = this.#options;
    if (request.method !== 'POST') throw new ConsoleError(405, 'POST is needed');
    const { code } = JSON.parse(await bodyText(request, SESSION_BYTES_MAX)) as { code?: unknown };
    const cookie = sessions?.open(code);
    if (sessions !== undefined && cookie === undefined)
      throw new ConsoleError(401, 'The code is another one');
    if (cookie !== undefined) response.setHeader('set-cookie', cookie);
    replyJson(response, 200, {});
  }

  async #facts(): Promise<ConsoleFacts> {
    const { sites, version } = this.#options;
    if (!sites.isLocal) {
      const named = await sites.named();
      return {
        mode: 'deployed',
        version,
        sites: named.flatMap(({ url, site }) => (site === undefined ? [] : [{ site, url }])),
      };
    }
    const stack = sites.stack();
    return {
      mode: 'local',
      version,
      sites: stack.sites.map(({ site, url, cloud }) => ({ site, url, cloud })),
      links: { shop: stack.edge.url, mailbox: stack.mail.web },
    };
  }

  async #site(
    request: IncomingMessage,
    response: ServerResponse,
    { path, query }: { path: string; query: URLSearchParams },
  ): Promise<number> {
    const { sites } = this.#options;
    const [, name = '', rest = ''] = /^([^/]+)\/(.*)$/.exec(path) ?? [];
    const target = await sites.site(decodeURIComponent(name));
    const url = new URL(`/${rest}${query.size > 0 ? `?${query}` : ''}`, target.url);
    // `//elsewhere` would be another host.
    if (url.origin !== new URL(target.url).origin)
      throw new ConsoleError(400, `${rest} is no path of ${name}`);
    const isForOperators = /^\/replication(\/|$)/.test(url.pathname);
    const bearer = isForOperators ? target.operatorKey : await sites.recordsToken();
    return relay(request, response, { url, bearer });
  }

  #local(request: IncomingMessage, response: ServerResponse, url: string): Promise<number> {
    if (request.method !== 'GET') throw new ConsoleError(405, 'GET is needed');
    return relay(request, response, { url: new URL(url) });
  }

  /** https://html.spec.whatwg.org/multipage/server-sent-events.html */
  #live(request: IncomingMessage, response: ServerResponse): Promise<number> {
    const { watch } = this.#options;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const send = (event: string, value: unknown): void => {
      // Who does not read misses looks, and does not fill our memory.
      if (response.writableNeedDrain) return;
      response.write(`event: ${event}\ndata: ${JSON.stringify(value)}\n\n`);
    };
    send('points', watch.points);
    const leave = watch.watch((look: Look) => send('look', look));
    const beat = setInterval(() => response.write(': still there\n\n'), STILL_THERE_MS);
    return new Promise((resolve) => {
      request.once('close', () => {
        clearInterval(beat);
        leave();
        resolve(200);
      });
    });
  }
}

/** Percent-encoded in its header, because people have names with other letters. @throws ConsoleError */
function whyOf({ headers }: IncomingMessage): string {
  const given = headers['x-tandem-why'];
  if (typeof given !== 'string')
    throw new ConsoleError(400, 'x-tandem-why: whatever changes something needs it, if only empty');
  const why = decodeURIComponent(given);
  if (why.length > WHY_MAX) throw new ConsoleError(400, `x-tandem-why: at most ${WHY_MAX} characters`);
  return why;
}

export function ok(response: ServerResponse, body: unknown): number {
  replyJson(response, 200, body);
  return 200;
}
