/** A site that sends the lines of its log to a workspace, by its own HTTP client, to an endpoint that takes them and to some that do not. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { deploy } from '@tandem-clouds/emulators/azure-control-plane/evaluate-template';
import {
  type ColumnType,
  type LogsIngestionOptions,
  type Row,
  startLogsIngestion,
} from '@tandem-clouds/emulators/logs-ingestion/server';
import { composeTemplate } from '../../../../infra/azure/template/compose-template.ts';
import { jsonLogger } from '../../../../src/shared/adapters/json-logger.ts';
import { CENTRAL_LOGS_STREAM, centralLogs } from '../../../../src/shared/adapters/logging/central-logs.ts';
import { openCentralLogsToken } from '../../../../src/shared/adapters/peers/central-logs-token.ts';
import { siteTracing } from '../../../../src/shared/adapters/tracing/site-tracing.ts';
import { loadConfig } from '../../../../src/shared/config/config.ts';
import type { Route } from '../../../../src/shared/http/route.ts';
import { httpService } from '../../../../src/shared/http/service.ts';
import type { HttpCall } from '../../../../src/shared/ports/http-client.ts';
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
const AWS = {
  TANDEM_SITE: 'aws-us-east-1',
  TANDEM_REGION: 'us-east-1',
  TANDEM_TABLE: 't',
  ...Object.fromEntries(
    ['OUT', 'IN', 'DEAD', 'TICK', 'VERIFY', 'REACT', 'OBJECTS_QUEUE'].map((name) => [
      `TANDEM_${name}_URL`,
      name,
    ]),
  ),
};
const RULE = `dcr-${'0a'.repeat(16)}`;
const UUID = '11111111-1111-1111-1111-111111111111';
/** The columns that the template declares. */
const STREAMS = streamsOfTemplate();
const later = closeAfterEach();

function streamsOfTemplate() {
  const template = composeTemplate(path.join(import.meta.dirname, '../../../../infra/azure/site.json'));
  const given = { functionAppName: 'acme', location: 'here', tags: {}, centralLogs: true };
  const rule = deploy(template, given).find(
    ({ type, made }) => made && type === 'Microsoft.Insights/dataCollectionRules',
  );
  const { streamDeclarations } = rule?.body['properties'] as {
    streamDeclarations: Record<string, { columns: { name: string; type: ColumnType }[] }>;
  };
  return Object.fromEntries(
    Object.entries(streamDeclarations).map(([stream, { columns }]) => [
      stream,
      Object.fromEntries(columns.map(({ name, type }) => [name, type])),
    ]),
  );
}

async function endpoint(more: Partial<LogsIngestionOptions> = {}) {
  const server = await startLogsIngestion({ rules: { [RULE]: STREAMS }, tokens: ['good'], ...more });
  later(() => server.close());
  return server;
}

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
function siteAt(url: string, token: () => Promise<string> = () => Promise.resolve('good')) {
  const config = loadConfig('azure', {
    ...AZURE,
    TANDEM_CENTRAL_LOGS: JSON.stringify({ endpoint: url, rule: RULE }),
  });
  const written: string[] = [];
  const logger: Logger = jsonLogger({
    level: 'info',
    site: config.site,
    write: (text) => void written.push(text),
    also: (line) => logs.line?.(line),
  });
  const logs = centralLogs({ config, cloud: 'azure', logger, token });
  const tracing = logs.tracing(siteTracing(config, 'azure', logger));
  const service = httpService({
    site: config.site,
    routes: ROUTES,
    logger,
    elapsed: () => performance.now(),
  });
  const flush = tracing.timer('flush', () => Promise.resolve(true));
  return { written, logger, flush, handler: tracing.http(service) };
}

/** On a busy machine one call may take longer than an answer waits. */
async function flushUntil(flush: () => Promise<unknown>, isThere: () => boolean): Promise<void> {
  for (let turn = 0; turn < 50 && !isThere(); turn += 1) await flush();
  expect(isThere()).toBe(true);
}

/** A line that was sent again after an answer that came too late is there twice, by one id. */
function once(rows: readonly Row[]): readonly Row[] {
  return [...new Map(rows.map((row) => [row['Uid'], row])).values()];
}

const get = (id: string) => ({ method: 'GET', path: `/things/${id}` });
const warnings = (written: readonly string[]): Record<string, unknown>[] =>
  written
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ message }) => message === 'central logs are not taken');

describe('a site that sends its log to a workspace', () => {
  test('has sent each line when the answer is given, in columns that the rule declares, and none else', async () => {
    const server = await endpoint();
    const { handler, flush, logger } = siteAt(server.url);
    // What the first one loads may take longer than an answer waits.
    logger.log('info', 'at the start', { keys: [1, { n: null }] });
    await flushUntil(flush, () => once(server.rows).length === 1);
    await invokeLambda(handler, get('broken'));
    await flushUntil(flush, () => once(server.rows).length === 3);
    expect(once(server.rows).map(({ Level, Message }) => [Level, Message])).toEqual([
      ['info', 'at the start'],
      ['error', 'request failed'],
      ['info', 'request'],
    ]);
    expect(server.rows[0]).toMatchObject({
      Site: 'azure-eastus',
      Cloud: 'azure',
      Region: 'eastus',
      Fields: { keys: [1, { n: null }] },
    });
    expect([...server.undeclared]).toEqual([]);
    expect(server.requested.map(({ query }) => query.get('api-version'))).toEqual(
      server.requested.map(() => '2023-01-01'),
    );
  });

  test('sends no call of more than the megabyte that the API takes, and every line', async () => {
    const server = await endpoint();
    const { flush, logger } = siteAt(server.url);
    for (let count = 0; count < 500; count += 1) logger.log('info', 'ü'.repeat(4_000), { count });
    await flushUntil(flush, () => once(server.rows).length === 500);
    expect(once(server.rows).map(({ Fields }) => (Fields as { count: number }).count)).toEqual(
      Array.from({ length: 500 }, (_, count) => count),
    );
    const sizes = server.requested.map(({ body }) => Buffer.byteLength(body));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000_002);
    expect(server.requested.length).toBeGreaterThan(3);
  });

  test('sends a line that is too long with its message alone, cut', async () => {
    const server = await endpoint();
    const { flush, logger } = siteAt(server.url);
    logger.log('info', 'x'.repeat(20_000), { more: 'y' });
    await flushUntil(flush, () => server.rows.length > 0);
    expect(server.rows[0]?.['Message']).toHaveLength(1_024);
    expect(server.rows[0]).not.toHaveProperty('Fields');
  });

  test('sends again what was not answered, by the same id', async () => {
    const server = await endpoint();
    const { flush, logger } = siteAt(server.url);
    logger.log('info', 'one');
    server.faults.push({ matches: () => true, response: 'hang-up', times: 1 });
    await flush();
    expect(server.rows).toEqual([]);
    await flushUntil(flush, () => server.rows.length > 0);
    expect(once(server.rows).map(({ Message }) => Message)).toEqual(['one']);
    const uids = server.requested.map(({ body }) => (JSON.parse(body) as [{ Uid: string }])[0].Uid);
    expect(new Set(uids).size).toBe(1);
  });

  test('keeps what is throttled, leaves the endpoint alone for as long as it says, and says so once', async () => {
    const server = await endpoint({ callsPerMinute: 1 });
    const { flush, logger, written } = siteAt(server.url);
    logger.log('info', 'one');
    await flushUntil(flush, () => once(server.rows).length === 1);
    logger.log('info', 'two');
    await flushUntil(flush, () => warnings(written).length === 1);
    const { length } = server.requested;
    await flush();
    expect(server.requested).toHaveLength(length);
    expect(once(server.rows).map(({ Message }) => Message)).toEqual(['one']);
    expect(warnings(written)).toMatchObject([{ reason: 'status 429', waiting: 1, dropped: 0 }]);
  });

  test.each([
    ['who has no right to', 'bad', RULE, 403],
    ['to a rule that is not there', 'good', `dcr-${'0b'.repeat(16)}`, 404],
  ])('loses nothing but the copy %s, and says so', async (_, token, rule, status) => {
    const server = await endpoint({ rules: { [rule]: STREAMS } });
    const { flush, logger, written } = siteAt(server.url, () => Promise.resolve(token));
    for (let count = 0; count < 3; count += 1) {
      logger.log('info', `line ${count}`);
      await flush();
    }
    expect(server.rows).toEqual([]);
    expect(warnings(written)).toMatchObject([{ reason: `status ${status}`, waiting: 0, dropped: 3 }]);
    expect(written.filter((line) => line.includes('"line '))).toHaveLength(3);
  });

  test.each([
    ['refuses', (response: http.ServerResponse) => response.writeHead(503).end()],
    ['never answers', () => undefined],
    ['hangs up', (response: http.ServerResponse) => response.destroy()],
  ])('answers as ever while the endpoint %s, and has every line on standard output', async (_, answer) => {
    const server = http.createServer((request, response) => {
      request.resume().on('end', () => answer(response));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    later(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const { handler, written } = siteAt(`http://127.0.0.1:${port}`);
    for (let count = 0; count < 5; count += 1) {
      expect((await invokeLambda(handler, get('1'))).status).toBe(200);
    }
    expect(written.filter((line) => line.includes('"message":"request"'))).toHaveLength(5);
  });

  test.each([
    ['takes for ever', () => new Promise<string>(() => undefined)],
    ['is refused', () => Promise.reject(new Error('no identity'))],
  ])('answers as ever while its token %s', async (_, token) => {
    const server = await endpoint();
    const { handler, written } = siteAt(server.url, token);
    for (let count = 0; count < 4; count += 1) {
      expect((await invokeLambda(handler, get('1'))).status).toBe(200);
    }
    expect(server.requested).toEqual([]);
    expect(written.filter((line) => line.includes('"message":"request"'))).toHaveLength(4);
  });

  test('sends nothing without the setting, and wraps nothing', () => {
    const config = loadConfig('azure', AZURE);
    const logger: Logger = { log: () => undefined };
    const logs = centralLogs({ config, cloud: 'azure', logger, token: () => Promise.resolve('') });
    const given = siteTracing(config, 'azure', logger);
    expect(logs.line).toBeUndefined();
    expect(logs.tracing(given)).toBe(given);
  });

  test('is told which stream the template declares', () => {
    expect(Object.keys(STREAMS)).toEqual([CENTRAL_LOGS_STREAM]);
  });
});

describe('the endpoint', () => {
  const send = async (url: string, { token = 'good', path: at = '', body = '[]' } = {}) => {
    const response = await fetch(
      `${url}${at || `/dataCollectionRules/${RULE}/streams/${CENTRAL_LOGS_STREAM}`}?api-version=2023-01-01`,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token !== '' && { authorization: `Bearer ${token}` }),
        },
        body,
      },
    );
    return response.status;
  };

  test.each([
    ['without a token', { token: '' }, 401],
    ['by who may not', { token: 'other' }, 403],
    [
      'to no rule',
      { path: `/dataCollectionRules/dcr-${'0'.repeat(32)}/streams/${CENTRAL_LOGS_STREAM}` },
      404,
    ],
    ['to no stream of the rule', { path: `/dataCollectionRules/${RULE}/streams/Custom-Other` }, 400],
    ['that is no array', { body: '{}' }, 400],
    ['of more than a megabyte', { body: JSON.stringify(['x'.repeat(1_048_576)]) }, 413],
    ['in order', { body: '[{"Message":"m"}]' }, 204],
  ])('answers a call %s as the service does', async (_, call, status) => {
    expect(await send((await endpoint()).url, call)).toBe(status);
  });

  test('drops a column that is not declared and a value of another type, and dates what is too old', async () => {
    const server = await endpoint();
    const row = { Message: 7, Level: 'info', Mesage: 'x', TimeGenerated: '2001-01-01T00:00:00Z' };
    await send(server.url, { body: JSON.stringify([row]) });
    expect(Object.keys(server.rows[0] ?? {}).sort()).toEqual(['Level', 'TimeGenerated']);
    expect(server.rows[0]?.['TimeGenerated']).not.toContain('2001');
    expect([...server.undeclared]).toEqual(['Mesage']);
  });
});

describe('a function on AWS', () => {
  const place = { tenantId: UUID, clientId: UUID, roleArn: 'arn:aws:iam::1:role/r' };

  test('shows Entra what AWS says of its role, and gets a token for logs', async () => {
    const calls: HttpCall[] = [];
    const { value, expiresAtMs } = await openCentralLogsToken({
      ...place,
      vouch: (role, audience) => Promise.resolve(`${role} for ${audience}`),
      client: (call) => {
        calls.push(call);
        return Promise.resolve({ status: 200, headers: {}, body: '{"access_token":"t","expires_in":3599}' });
      },
    });
    expect(value).toBe('t');
    expect(expiresAtMs).toBeGreaterThan(Date.now() + 3_000_000);
    expect(calls[0]?.url.href).toBe(`https://login.microsoftonline.com/${UUID}/oauth2/v2.0/token`);
    expect(Object.fromEntries(new URLSearchParams(calls[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: UUID,
      scope: 'https://monitor.azure.com/.default',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'arn:aws:iam::1:role/r for api://AzureADTokenExchange',
    });
  });

  test.each([
    [400, '{"error":"invalid_client"}', 'invalid_client'],
    [200, '<html>', 'no reason'],
  ])('is told who to look at when Entra answers %d %s', async (status, body, reason) => {
    const client = () => Promise.resolve({ status, headers: {}, body });
    const vouch = () => Promise.resolve('assertion');
    await expect(openCentralLogsToken({ ...place, vouch, client })).rejects.toThrow(
      `(${status} ${reason}); does a federated credential of that identity name`,
    );
  });

  test('needs to be told as whom it is known there', () => {
    const endpointOnly = { endpoint: 'https://a.ingest.monitor.azure.com', rule: RULE };
    const load = (more: object, role = 'r') =>
      loadConfig('aws', {
        ...AWS,
        TANDEM_CENTRAL_LOGS: JSON.stringify({ ...endpointOnly, ...more }),
        TANDEM_CENTRAL_LOGS_ROLE: role,
      });
    expect(() => load({})).toThrow('TANDEM_CENTRAL_LOGS/tenantId: is needed on AWS');
    expect(() => load({ tenantId: UUID, clientId: UUID }, '')).toThrow('TANDEM_CENTRAL_LOGS_ROLE: is needed');
    expect(() => load({ tenantId: UUID, clientId: UUID, rule: 'x' })).toThrow('TANDEM_CENTRAL_LOGS/rule');
    expect(load({ tenantId: UUID, clientId: UUID }).centralLogs).toMatchObject({ clientId: UUID });
  });
});
