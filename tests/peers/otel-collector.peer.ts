/**
 * OpenTelemetry's Collector beside a stack of its own: it takes what both clouds send, of all three signals, and hands on what
 * it has understood. `npm run test:peers -- otel-collector` says where it is.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { spansIn } from '@tandem-clouds/emulators/otlp/export-request';
import { linesIn } from '@tandem-clouds/emulators/otlp/logs-request';
import { spanRows } from '@tandem-clouds/emulators/otlp/span-tree';
import { type OwnStack, startOwnStack } from '@tandem-clouds/local/stack/own-stack';
import { freePort, stop, untilAnswering } from '@tandem-clouds/testkit/peers/peer';
import { waitUntil } from '../helpers/wait-until.ts';

const program = process.env['TANDEM_PEER_OTEL_COLLECTOR'];
if (program === undefined) throw new Error('TANDEM_PEER_OTEL_COLLECTOR is not set; run npm run test:peers');

const START_MS = 240_000;
const AGAIN_MS = 4_000;
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-otelcol-'));
const closing: (() => unknown)[] = [() => fs.rmSync(dir, { recursive: true, force: true })];
/** What the collector has handed on, by its path. */
const handed = new Map<string, unknown[]>();
let url: string;
let stack: OwnStack;

/** Takes what the collector exports, in JSON. */
async function receive(): Promise<string> {
  const server = http.createServer((request, response) => {
    void text(request).then((body) => {
      const { url: at = '' } = request;
      handed.set(at, [...(handed.get(at) ?? []), JSON.parse(body)]);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Returns the id of its trace. */
async function write(site: string): Promise<string> {
  const traceId = randomBytes(16).toString('hex');
  const response = await fetch(`${site}/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    body: JSON.stringify({ data: {} }),
  });
  expect(response.status).toBe(201);
  return traceId;
}

beforeAll(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const pipeline = { receivers: ['otlp'], exporters: ['otlp_http'] };
  const file = path.join(dir, 'collector.yml');
  fs.writeFileSync(
    file,
    stringify({
      receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
      exporters: {
        otlp_http: {
          endpoint: await receive(),
          encoding: 'json',
          compression: 'none',
          sending_queue: { enabled: false },
        },
      },
      service: {
        telemetry: { metrics: { level: 'none' }, logs: { level: 'error' } },
        pipelines: { traces: pipeline, metrics: pipeline, logs: pipeline },
      },
    }),
  );
  const running = spawn(program, ['--config', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  closing.push(() => stop(running));
  await untilAnswering(url, running, 'otelcol');
  stack = await startOwnStack('--ephemeral', '--types', 'off', '--collector', url);
  closing.push(() => stack.stop());
}, START_MS);

afterAll(async () => {
  for (const close of closing.reverse()) await close();
}, START_MS);

test('refuses what is no OTLP, so that what it takes says something', async () => {
  for (const signal of ['traces', 'metrics', 'logs']) {
    const response = await fetch(`${url}/v1/${signal}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"resourceSpans":1,"resourceMetrics":1,"resourceLogs":1}',
    });
    expect(response.status).toBe(400);
  }
});

test(
  'has one waterfall over both clouds, the lines of it, and the metrics of both',
  async () => {
    const { sites } = stack.describe();
    const [aws, azure] = ['aws', 'azure'].map((cloud) => sites.find((site) => site.cloud === cloud));
    const [here, there] = [aws?.site ?? '', azure?.site ?? ''];
    // Handler, store, queue, forward, queue, apply, store: each below the one that caused it.
    const wanted = [
      `0 ${here}: POST /write`,
      `1 ${here}: putMany records`,
      `1 ${here}: send tandem-out`,
      `2 ${here}: forward tandem-out`,
      `3 ${here}: send tandem-in`,
      `4 ${there}: apply tandem-in`,
      `5 ${there}: putMany records`,
    ];
    let rows: string[] = [];
    let [written, writtenMs] = ['', -Infinity];
    const { traceId, spans } = await waitUntil(
      () => `the waterfall; there is: ${rows.join(', ')}`,
      async () => {
        const all = (handed.get('/v1/traces') ?? []).flatMap(spansIn);
        const own = all.filter((each) => each.traceId === written).map(({ span }) => span);
        rows = spanRows(own).map(({ span, depth }) => `${depth} ${span.site}: ${span.name}`);
        if (wanted.every((row) => rows.includes(row))) return { traceId: written, spans: own };
        // A write that goes along with others is only linked with the batch that puts it: another one is alone.
        if (performance.now() - writtenMs > AGAIN_MS)
          [written, writtenMs] = [await write(aws?.url ?? ''), performance.now()];
        return undefined;
      },
    );

    const lines = await waitUntil('the line of the request', () => {
      const own = (handed.get('/v1/logs') ?? [])
        .flatMap(linesIn)
        .filter(({ line }) => line.traceId === traceId)
        .map(({ line }) => line);
      return own.some(({ message }) => message === 'request') ? own : undefined;
    });
    const spanIds = new Set(spans.map(({ spanId }) => spanId));
    for (const { spanId = '' } of lines) expect(spanIds).toContain(spanId);
    await waitUntil('lines and metrics of both sites', () => {
      const said = ['/v1/logs', '/v1/metrics'].map((at) => JSON.stringify(handed.get(at) ?? []));
      return said.every((each) => each.includes(here) && each.includes(there)) &&
        said[1]?.includes('http.server.request.duration') === true
        ? true
        : undefined;
    });
  },
  2 * START_MS,
);
