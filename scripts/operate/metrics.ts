/**
 * `tandem metrics`: what the sites say of themselves, for Prometheus. Each scrape asks them anew, by the API of operators.
 *
 * Invariants: a site that does not answer is `tandem_up 0`, and no failure of the scrape; a scrape that comes while another one
 * asks has its answer; and nobody but this machine is served, because the key of an operator is behind it.
 */
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { whyForeign } from '@tandem-clouds/emulators/core/this-machine';
import { TEXT_TYPE, toText } from '@tandem-clouds/emulators/otlp/prometheus-text';
import { METRICS_PATH } from '@tandem-clouds/emulators/otlp/server';
import { querySite, type SiteReport } from '@tandem-clouds/operator/query-sites';
import { findTargets, type Target, TargetError } from '@tandem-clouds/operator/targets';
import type { MetricsOptions } from './options.ts';
import { familiesOf } from './site-families.ts';

/** Prometheus waits ten seconds for a scrape unless it is told otherwise. */
const SITE_MS = 8_000;
const HOST = '127.0.0.1';

/** Once. Returns the exit status: 1 when a site does not answer. @throws TargetError when there is nobody to ask. */
export async function showMetrics(options: MetricsOptions, { out }: CommandContext): Promise<number> {
  const { text, reports } = await siteScraper(options)();
  out(text);
  return reports.every(({ problem }) => problem === undefined) ? 0 : 1;
}

/** Until the signal. @throws TargetError when there is nobody to ask, or the port is taken. */
export async function serveMetrics(
  { port, ...options }: MetricsOptions & { readonly port: number },
  { out, signal }: CommandContext,
): Promise<number> {
  findTargets(options);
  const scrape = siteScraper(options);
  const server = http.createServer((request, response) => void serve(request, response, scrape));
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, HOST, resolve);
    });
  } catch (cause) {
    throw new CommandError(`port ${port} cannot be listened on; name another one with --port`, { cause });
  }
  out(`http://${HOST}:${(server.address() as AddressInfo).port}${METRICS_PATH}\n`);
  if (!signal.aborted) await once(signal, 'abort');
  server.close();
  server.closeAllConnections();
  return 0;
}

interface Scrape {
  readonly text: string;
  readonly reports: readonly SiteReport[];
}

/** One at a time, which remembers what sites are called, and which there were, when the stack has gone. */
function siteScraper(options: MetricsOptions): () => Promise<Scrape> {
  const names = new Map<string, string>();
  let targets: readonly Target[] = [];
  let running: Promise<Scrape> | undefined;
  const nameOf = ({ url, site }: SiteReport): string => site ?? names.get(url) ?? new URL(url).host;
  const scrape = async (): Promise<Scrape> => {
    targets = targetsNow(options, targets);
    const questions = { keys: false, watch: true, withinMs: SITE_MS };
    const reports = await Promise.all(targets.map((target) => querySite(target, questions)));
    for (const { url, site } of reports) if (site !== undefined) names.set(url, site);
    return { reports, text: toText(familiesOf(reports, nameOf)) };
  };
  return () => (running ??= scrape().finally(() => (running = undefined)));
}

function targetsNow(options: MetricsOptions, before: readonly Target[]): readonly Target[] {
  try {
    return findTargets(options);
  } catch (error) {
    if (before.length === 0 || !(error instanceof TargetError)) throw error;
    return before;
  }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  scrape: () => Promise<Scrape>,
): Promise<void> {
  const foreign = whyForeign(request);
  const { pathname } = new URL(request.url ?? '/', `http://${HOST}`);
  if (foreign !== undefined) reply(response, 403, foreign);
  else if (pathname !== METRICS_PATH) reply(response, 404, `There is only ${METRICS_PATH}`);
  else if (request.method !== 'GET') reply(response.setHeader('allow', 'GET'), 405, 'Only GET');
  else
    try {
      const { text } = await scrape();
      response.writeHead(200, { 'content-type': TEXT_TYPE, 'cache-control': 'no-store' }).end(text);
    } catch (error) {
      reply(response, 503, error instanceof CommandError ? error.message : 'The sites could not be asked');
    }
}

/** What is left of a body must not be taken for the next request. */
function reply(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${text}\n`);
}
