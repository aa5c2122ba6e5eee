/** A site that sends the lines of its log, by its own HTTP client, to a collector that takes them and to some that do not. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { type Collector, startCollector } from '@tandem-clouds/emulators/otlp/server';
import { jsonLogger } from '../../../../src/shared/adapters/json-logger.ts';
import { otlpLogRecord } from '../../../../src/shared/adapters/logging/otlp-logs.ts';
import { siteLogs } from '../../../../src/shared/adapters/logging/site-logs.ts';
import { siteTracing } from '../../../../src/shared/adapters/tracing/site-tracing.ts';
import { logBounds } from '../../../../src/shared/bounds.ts';
import { loadConfig } from '../../../../src/shared/config/config.ts';
import type { Route } from '../../../../src/shared/http/route.ts';
import { httpService } from '../../../../src/shared/http/service.ts';
import type { Logger } from '../../../../src/shared/ports/telemetry.ts';
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
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const later = closeAfterEach();

const ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/things/{id}',
    handle: ({ params }) => {
      if (params['id'] === 'broken') throw new Error('it broke');
      return Promise.resolve({ status: 200, body: {} });
    },
  },
];

/** As `openRuntime` and `serve` of `runtime.ts` put it together. */
function siteOf(env: Record<string, string>) {
  const config = loadConfig('azure', { ...AZURE, ...env });
  const written: string[] = [];
  const logger: Logger = jsonLogger({
    level: 'info',
    site: config.site,
    write: (text) => void written.push(text),
    span: () => tracing.current(),
    also: (line) => logs.line?.(line),
  });
  const logs = siteLogs(config, 'azure', logger);
  const tracing = logs.tracing(siteTracing(config, 'azure', logger));
  const service = httpService({
    site: config.site,
    routes: ROUTES,
    logger,
    elapsed: () => performance.now(),
  });
  return { written, logger, tracing, handler: tracing.http(service) };
}

async function collect(): Promise<Collector> {
  const collector = await startCollector();
  later(() => collector.close());
  return collector;
}

describe('a site that sends its log', () => {
  test('has sent a line when the answer is given, with the trace and the span that it belongs to', async () => {
    const { url, logs, traces } = await collect();
    const { handler, written } = siteOf({
      TANDEM_LOGS_URL: url,
      TANDEM_TRACES_URL: url,
      TANDEM_TRACES_RATIO: '1',
    });
    const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
    // What the first one loads may take longer than an answer waits.
    await invokeLambda(handler, { method: 'GET', path: '/things/1' });
    written.length = 0;
    await invokeLambda(handler, { method: 'GET', path: '/things/broken', headers });
    const lines = logs.list({ trace: TRACE, limit: 10 });
    expect(lines.map(({ level, message, site }) => ({ level, message, site })).reverse()).toEqual([
      { level: 'error', message: 'request failed', site: 'azure-eastus' },
      { level: 'info', message: 'request', site: 'azure-eastus' },
    ]);
    const spans = traces.find(TRACE)?.spans.map(({ spanId }) => spanId);
    expect(lines.map(({ spanId }) => spanId)).toEqual([spans?.[0], spans?.[0]]);
    expect(written).toHaveLength(2);
    expect(JSON.parse(written[1] ?? '')).toMatchObject({ message: 'request', traceId: TRACE });
  });

  test('has no trace where it does not trace', async () => {
    const { url, logs } = await collect();
    const { handler } = siteOf({ TANDEM_LOGS_URL: url });
    await invokeLambda(handler, { method: 'GET', path: '/things/1' });
    const [line] = logs.list({ limit: 10 });
    expect(line).toMatchObject({ message: 'request', severity: 9, attributes: { status: 200 } });
    expect(line).not.toHaveProperty('traceId');
  });

  test('sends what a timer writes, and what was written before', async () => {
    const { url, logs } = await collect();
    const { logger, tracing } = siteOf({ TANDEM_LOGS_URL: url });
    logger.log('warn', 'at the start');
    await tracing.timer('sweep', () => {
      logger.log('info', 'swept', { keys: [1, { n: null }] });
      return Promise.resolve(true);
    })();
    expect(logs.list({ limit: 10 }).map(({ message }) => message)).toEqual(['swept', 'at the start']);
    expect(logs.list({ limit: 1 })[0]?.attributes).toEqual({ keys: [1, { n: null }] });
  });

  test('sends nothing without the setting, and wraps nothing', () => {
    const config = loadConfig('azure', AZURE);
    const logs = siteLogs(config, 'azure', { log: () => undefined });
    const given = siteTracing(config, 'azure', { log: () => undefined });
    expect(logs.line).toBeUndefined();
    expect(logs.tracing(given)).toBe(given);
  });

  test.each([
    ['refuses', (response: http.ServerResponse) => response.writeHead(503).end()],
    ['never answers', () => undefined],
    ['hangs up', (response: http.ServerResponse) => response.destroy()],
  ])('answers as ever while a collector %s, and has every line on standard output', async (_, answer) => {
    const server = http.createServer((request, response) => {
      request.resume().on('end', () => answer(response));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    later(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const { handler, written } = siteOf({ TANDEM_LOGS_URL: `http://127.0.0.1:${port}` });
    for (let i = 0; i < 5; i += 1)
      expect((await invokeLambda(handler, { method: 'GET', path: '/things/1' })).status).toBe(200);
    const messages = written.map((text) => (JSON.parse(text) as { message: string }).message);
    expect(messages.filter((message) => message === 'request')).toHaveLength(5);
    expect(messages).toContain('logs are not taken');
  });
});

test('a line that is too long is sent with its message alone', () => {
  const line = { atMs: 1, level: 'info', message: 'much', span: undefined } as const;
  const whole = otlpLogRecord({ ...line, fields: { text: 'x'.repeat(100) } }, 'p-1');
  expect(whole).toContain('xxx');
  const cut = otlpLogRecord(
    { ...line, fields: { text: 'x'.repeat(logBounds.lineCharsMax), other: 1 } },
    'p-1',
  );
  expect(JSON.parse(cut)).toMatchObject({ body: { stringValue: 'much' }, droppedAttributesCount: 2 });
  expect(cut.length).toBeLessThan(logBounds.lineCharsMax);
});
