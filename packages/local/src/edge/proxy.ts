/**
 * The edge: one address in front of all sites. Either cloud takes every request.
 *
 * Invariants: no request fails that another site could have served; no request that may have had an effect is sent
 * twice.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { refuseForeign } from '@tandem-clouds/emulators/core/control';
import type { ShopConfig } from '@tandem-clouds/storefront/build/page';
import { Balancer } from './balancer.ts';
import { Exchanger, isRepeatable } from './exchange.ts';
import { responseHeaders } from './headers.ts';
import type { HealthOptions, Origin } from './health.ts';
import { Storefront } from './storefront.ts';

/** Where the edge tells what it knows about the sites. */
export const STATUS_PATH = '/_tandem/edge';

const HOST = '127.0.0.1';
/** How long requests under way may take once the edge is told to end. */
const DRAIN_WITHIN_MS = 1_000;
const RETRY_AFTER_SECONDS = 2;

/** A site that answers so may be alone with its trouble: its own dependency, not the request. */
const UNAVAILABLE = new Set([502, 503, 504]);

export interface EdgeOptions extends HealthOptions {
  readonly origins: readonly Origin[];
  /** 0 or absent picks a free port. */
  readonly port?: number;
  /** Where the shop's page finds the sites; without it there is no shop here. */
  readonly shop?: ShopConfig;
}

export interface Edge {
  readonly url: string;
  readonly port: number;
  /** Whether each site is healthy, by name. */
  sites(): Record<string, boolean>;
  /** Stops listening, lets requests under way end within a second, then drops them. */
  close(): Promise<void>;
}

/** Starts an edge. @throws Error when the port is taken. */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const balancer = new Balancer(options.origins, options);
  const exchanger = new Exchanger();
  const storefront = options.shop && new Storefront(options.shop);
  const server = http.createServer((request, response) => {
    if (!server.listening) response.setHeader('connection', 'close');
    if (request.url === STATUS_PATH) {
      if (!refuseForeign(request, response)) responseStatus(response, balancer);
    } else if (storefront?.responds(request, response) !== true)
      void new Forwarding(request, response, { balancer, exchanger }).run();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, HOST, resolve);
  });
  balancer.start();
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${HOST}:${port}`,
    port,
    sites: () => statusOf(balancer),
    close: async () => {
      balancer.stop();
      await drain(server);
      exchanger.close();
    },
  };
}

async function drain(server: http.Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const drop = setTimeout(() => server.closeAllConnections(), DRAIN_WITHIN_MS);
  await closed;
  clearTimeout(drop);
}

function statusOf(balancer: Balancer): Record<string, boolean> {
  return Object.fromEntries(balancer.sites.map(({ origin, healthy }) => [origin.site, healthy]));
}

function responseStatus(response: ServerResponse, balancer: Balancer): void {
  const body = JSON.stringify({ healthy: statusOf(balancer) });
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body);
}

/** What a site said, kept unread until it is clear that no other one has a better answer. */
interface SiteResponse {
  readonly site: string;
  readonly response: IncomingMessage;
}

/** One request on its way through the sites. */
class Forwarding {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #balancer: Balancer;
  readonly #exchanger: Exchanger;
  readonly #clientGone = new AbortController();
  /** Sites that were tried in vain. */
  readonly #tried: string[] = [];
  #held: SiteResponse | undefined;
  #timedOut = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    { balancer, exchanger }: { balancer: Balancer; exchanger: Exchanger },
  ) {
    this.#request = request;
    this.#response = response;
    this.#balancer = balancer;
    this.#exchanger = exchanger;
    response.once('close', () => this.#clientGone.abort());
  }

  async run(): Promise<void> {
    let lost = false;
    for await (const site of this.#balancer.candidates()) {
      const result = await this.#exchanger.send(this.#request, site, this.#clientGone.signal);
      if (this.#clientGone.signal.aborted) return;
      if (result.kind === 'answer') {
        const { response } = result;
        if (!this.#mayBeBetterElsewhere(response)) {
          this.#relay({ site: site.origin.site, response });
          return;
        }
        this.#hold({ site: site.origin.site, response });
      } else if (result.kind === 'lost') {
        lost = true;
        this.#timedOut ||= result.timedOut;
        if (!isRepeatable(this.#request)) break;
      }
      this.#tried.push(site.origin.site);
    }
    if (this.#held !== undefined) this.#relay(this.#held);
    else if (lost) this.#respondLost();
    else this.#respondUnavailable();
  }

  #mayBeBetterElsewhere({ statusCode = 0 }: IncomingMessage): boolean {
    return UNAVAILABLE.has(statusCode) && isRepeatable(this.#request);
  }

  #hold(response: SiteResponse): void {
    this.#held?.response.destroy();
    this.#held = response;
  }

  #relay({ site, response }: SiteResponse): void {
    if (this.#held !== undefined && this.#held.response !== response) this.#held.response.destroy();
    const others = this.#tried.filter((name) => name !== site);
    this.#response.writeHead(
      response.statusCode ?? 502,
      response.statusMessage ?? '',
      responseHeaders(response, site, others),
    );
    // When the site breaks off, so does the answer: the client must see that it is not whole.
    pipeline(response, this.#response, () => undefined);
  }

  /** The request went out: only its sender can decide whether to repeat it. */
  #respondLost(): void {
    this.#problem(
      this.#timedOut
        ? { status: 504, title: 'Gateway timeout', detail: 'The site did not answer in time.' }
        : { status: 502, title: 'Bad gateway', detail: 'The site broke the connection before it answered.' },
      isRepeatable(this.#request) ? '' : ' The request may have had its effect; the edge does not repeat it.',
    );
  }

  #respondUnavailable(): void {
    this.#response.setHeader('retry-after', String(RETRY_AFTER_SECONDS));
    this.#problem({ status: 503, title: 'Temporarily unavailable', detail: 'No site is healthy.' });
  }

  /** RFC 9457. */
  #problem({ status, title, detail }: { status: number; title: string; detail: string }, note = ''): void {
    const names = this.#tried.map((name) => `not=${name}`);
    const body = JSON.stringify({
      type: 'about:blank',
      title,
      status,
      detail: detail + note,
      instance: `urn:request:${randomUUID()}`,
    });
    // A body that nobody has read would be taken for the next request.
    if (!this.#request.complete) this.#response.setHeader('connection', 'close');
    this.#response
      .writeHead(status, {
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        'x-tandem-edge': ['none', ...names].join('; '),
      })
      .end(this.#request.method === 'HEAD' ? undefined : body);
  }
}
