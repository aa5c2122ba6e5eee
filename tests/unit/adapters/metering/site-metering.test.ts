/** A site that sends metrics, by its own HTTP client, to a collector that takes them and to some that do not. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { toText } from '@tandem-clouds/emulators/otlp/prometheus-text';
import { type Collector, startCollector } from '@tandem-clouds/emulators/otlp/server';
import { siteMetering } from '../../../../src/shared/adapters/metering/site-metering.ts';
import { siteTracing } from '../../../../src/shared/adapters/tracing/site-tracing.ts';
import { meterBounds, otlpBounds } from '../../../../src/shared/bounds.ts';
import { loadConfig } from '../../../../src/shared/config/config.ts';
import { NotFoundError } from '../../../../src/shared/errors.ts';
import type { Route } from '../../../../src/shared/http/route.ts';
import { httpService } from '../../../../src/shared/http/service.ts';
import type { HttpHandler } from '../../../../src/shared/ports/cloud.ts';
import { noMetering } from '../../../../src/shared/ports/metering.ts';
import type { Metrics, OwnMetrics } from '../../../../src/shared/ports/telemetry.ts';
import { noTracing } from '../../../../src/shared/ports/tracing.ts';
import { invokeLambda } from '../../../helpers/call.ts';
import { closeAfterEach } from '../../../helpers/cleanup.ts';

const AZURE = {
  TANDEM_SITE: 'azure-eastus',
  TANDEM_REGION: 'eastus',
  COSMOS_ENDPOINT: 'http://127.0.0.1:1',
  COSMOS_DATABASE: 'tandem',
  COSMOS_CONTAINER: 'records',
  SERVICE_BUS_CONNECTION: 'Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=b',
};
const QUIET = { log: () => undefined };
const later = closeAfterEach();

const configOf = (env: Record<string, string>) => loadConfig('azure', { ...AZURE, ...env });

async function collect(): Promise<Collector> {
  const collector = await startCollector();
  later(() => collector.close());
  return collector;
}

const ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/things/{id}',
    handle: ({ params }) => {
      if (params['id'] === 'none') throw new NotFoundError('there is none');
      if (params['id'] === 'broken') throw new Error('a secret');
      return Promise.resolve({ status: 200, body: {} });
    },
  },
];

/** As `serve` of `runtime.ts` puts it together. */
function siteOf(env: Record<string, string>) {
  const config = configOf(env);
  const clock = { aheadMs: 0 };
  const metering = siteMetering(config, 'azure', QUIET, () => Date.now() + clock.aheadMs);
  const tracing = metering.tracing(siteTracing(config, 'azure', QUIET));
  const service = httpService({
    site: config.site,
    routes: ROUTES,
    logger: QUIET,
    elapsed: () => performance.now(),
    matched: tracing.route,
    answered: metering.answered,
  });
  return { clock, metering, tracing, handler: tracing.http(service) };
}

const textOf = (collector: Collector): string => toText(collector.metrics.families());
const seriesOf = (collector: Collector, name: string): string[] =>
  textOf(collector)
    .split('\n')
    .filter((line) => line.startsWith(name));

describe('a site that sends metrics', () => {
  test('counts requests by method, route and status, and has sent them when the answer is given', async () => {
    const collector = await collect();
    const { clock, handler, tracing } = siteOf({ TANDEM_METRICS_URL: collector.url });
    await invokeLambda(handler, { method: 'GET', path: '/things/1' });
    const count = 'http_server_request_duration_seconds_count';
    const labels = (more: string): string => `${count}{${more},site="azure-eastus",url_scheme="https"} 1`;
    expect(seriesOf(collector, count)).toEqual([
      labels('http_request_method="GET",http_response_status_code="200",http_route="/things/{id}"'),
    ]);
    // What follows at once waits for a later invocation.
    for (const path of ['/things/none', '/things/broken', '/else'])
      await invokeLambda(handler, { method: 'GET', path: path });
    await invokeLambda(handler, { method: 'HACK', path: '/else' });
    expect(seriesOf(collector, count)).toHaveLength(1);
    clock.aheadMs = meterBounds.everyMs;
    await tracing.timer('sweep', () => Promise.resolve(false))();
    expect(seriesOf(collector, count).sort()).toEqual(
      [
        labels(
          'error_type="500",http_request_method="GET",http_response_status_code="500",http_route="/things/{id}"',
        ),
        labels('http_request_method="GET",http_response_status_code="200",http_route="/things/{id}"'),
        labels('http_request_method="GET",http_response_status_code="404",http_route="/things/{id}"'),
        labels('http_request_method="GET",http_response_status_code="404"'),
        labels('http_request_method="_OTHER",http_response_status_code="404"'),
      ].sort(),
    );
  });

  test('sends what functions of queues measure, and handlers, beside the lines of the log', async () => {
    const collector = await collect();
    const { metering, tracing } = siteOf({ TANDEM_METRICS_URL: collector.url });
    const lines: unknown[] = [];
    const metrics = metering.metrics({ record: (...line) => void lines.push(line) });
    const own = metering.own({ record: (...line) => void lines.push(line) });
    await tracing.batch('apply', 'tandem-in', () => {
      metrics.record({ LagMs: 1_500, ConflictsLogged: 2 }, 'aws-us-east-1');
      own.record('ProviderMs', 250, { provider: 'mail' });
      return Promise.resolve([]);
    })([], { remainingMs: () => 1_000 } as never);
    expect(lines).toEqual([
      [{ LagMs: 1_500, ConflictsLogged: 2 }, 'aws-us-east-1'],
      ['ProviderMs', 250, { provider: 'mail' }],
    ]);
    const text = textOf(collector);
    expect(text).toContain('tandem_lag_seconds{peer="aws-us-east-1",site="azure-eastus"} 1.5\n');
    expect(text).toContain('tandem_conflicts_logged_total{peer="aws-us-east-1",site="azure-eastus"} 2\n');
    expect(text).toContain('tandem_own_provider_seconds_sum{provider="mail",site="azure-eastus"} 0.25\n');
  });

  test('measures nothing that the log refuses', async () => {
    const collector = await collect();
    const { metering, tracing } = siteOf({ TANDEM_METRICS_URL: collector.url });
    const refusing: OwnMetrics = {
      record: () => {
        throw new RangeError('no');
      },
    };
    expect(() => metering.own(refusing).record('x')).toThrow(RangeError);
    await tracing.timer('sweep', () => Promise.resolve(false))();
    expect(collector.metrics.families()).toHaveLength(1);
  });

  test('sends them where an invocation fails, too, and spans beside them', async () => {
    const collector = await collect();
    const { metering, tracing } = siteOf({
      TANDEM_METRICS_URL: collector.url,
      TANDEM_TRACES_URL: collector.url,
      TANDEM_TRACES_RATIO: '1',
    });
    const metrics = metering.metrics({ record: () => undefined });
    const failing = tracing.timer('sweep', () => {
      metrics.record({ SweptKeys: 3 });
      return Promise.reject(new Error('no'));
    });
    await expect(failing()).rejects.toThrow('no');
    expect(textOf(collector)).toContain('tandem_swept_keys_total{site="azure-eastus"} 3\n');
    expect(collector.traces.list({ all: true, limit: 1 })).toMatchObject([{ name: 'sweep', failed: true }]);
  });
});

test('a site without an address has each port back as it was', () => {
  const metering = siteMetering(configOf({}), 'azure', QUIET);
  expect(metering).toBe(noMetering);
  const metrics: Metrics = { record: () => undefined };
  expect(metering.metrics(metrics)).toBe(metrics);
  expect(metering.own(metrics as OwnMetrics)).toBe(metrics);
  expect(metering.tracing(noTracing)).toBe(noTracing);
  expect(metering.answered).toBeUndefined();
});

async function serverOf(listener: http.RequestListener): Promise<string> {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  later(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.each<[string, () => Promise<string>]>([
  ['is away', () => Promise.resolve('http://127.0.0.1:1')],
  ['hangs', () => serverOf(() => undefined)],
  ['refuses with 503', () => serverOf((_, response) => void response.writeHead(503).end())],
])('a collector that %s changes no answer, and soon costs no time', async (_, open) => {
  const handler: HttpHandler = siteOf({ TANDEM_METRICS_URL: await open() }).handler;
  const call = async (): Promise<number> => {
    const begunAtMs = performance.now();
    expect(await invokeLambda(handler, { method: 'GET', path: '/things/1' })).toMatchObject({ status: 200 });
    return performance.now() - begunAtMs;
  };
  // A busy machine adds to it.
  expect(await call()).toBeLessThan(otlpBounds.waitMs + 1_500);
  const restingMs: number[] = [];
  for (let i = 0; i < 20; i += 1) restingMs.push(await call());
  expect(Math.min(...restingMs)).toBeLessThan(20);
});
