import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { closeAfterEach } from '../../../../tests/helpers/cleanup.ts';
import type { LogLine } from '../../src/otlp/log-line.ts';
import {
  type Collector,
  EXPORT_BYTES_MAX,
  LOGS_PATH,
  startCollector,
  TRACES_PATH,
} from '../../src/otlp/server.ts';
import { KEPT_MS, TelemetryDb } from '../../src/otlp/telemetry-db.ts';
import { type SpanFacts, SPANS_MAX } from '../../src/otlp/trace.ts';
import { Traces } from '../../src/otlp/traces.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

const span = (spanId: string, more: Partial<SpanFacts> = {}): SpanFacts => ({
  spanId,
  name: 'GET /items',
  kind: 'server',
  site: 'aws-us-east-1',
  startMs: 1_000,
  endMs: 1_010,
  attributes: {},
  links: [],
  ...more,
});

describe('the collector', () => {
  let collector: Collector;
  beforeAll(async () => {
    collector = await startCollector();
  });
  afterAll(() => collector.close());

  const post = (body: string, type = 'application/json'): Promise<Response> =>
    fetch(`${collector.url}/v1/traces`, { method: 'POST', headers: { 'content-type': type }, body });

  test('shows what was sent, whole and in a list', async () => {
    const otlp = {
      traceId: TRACE,
      spanId: 'b7ad6b7169203331',
      name: 'GET /items/{id}',
      kind: 2,
      startTimeUnixNano: '1700000000123456000',
      endTimeUnixNano: '1700000000125456000',
      attributes: [{ key: 'error.type', value: { stringValue: '503' } }],
      status: { code: 2 },
    };
    const resource = { attributes: [{ key: 'tandem.site', value: { stringValue: 'azure-eastus' } }] };
    const sent = await post(
      JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [otlp, otlp] }] }] }),
    );
    expect(sent.status).toBe(200);
    const list = (await (await fetch(`${collector.url}${TRACES_PATH}?route=/items`)).json()) as object;
    expect(list).toMatchObject({
      items: [{ traceId: TRACE, ms: 2, spans: 1, sites: ['azure-eastus'], failed: true }],
    });
    const one = (await (await fetch(`${collector.url}${TRACES_PATH}/${TRACE}`)).json()) as object;
    expect(one).toMatchObject({ spans: [{ name: 'GET /items/{id}', kind: 'server', failure: '503' }] });
  });

  test.each([
    ['what is no JSON', 'x', 'application/json', 400],
    ['what is no export request', '{}', 'application/json', 400],
    ['protobuf', 'x', 'application/x-protobuf', 415],
    ['what is too large', 'x'.repeat(EXPORT_BYTES_MAX + 1), 'application/json', 413],
  ])('refuses %s', async (_, body, type, status) => {
    expect((await post(body, type)).status).toBe(status);
  });

  test.each(['limit=0', 'limit=x', 'minMs=-1'])('refuses ?%s', async (query) => {
    expect((await fetch(`${collector.url}${TRACES_PATH}?${query}`)).status).toBe(400);
  });
});

/** With spans of one trace given at once. */
function keep(options: ConstructorParameters<typeof TelemetryDb>[0] = {}) {
  const db = new TelemetryDb(options);
  later(() => db.close());
  const traces = new Traces(db);
  const add = (traceId: string, ...spans: SpanFacts[]): void =>
    traces.add(spans.map((each) => ({ traceId, span: each })));
  return { db, traces, add };
}

/** Notes how what is asked is found. */
class Explaining extends TelemetryDb {
  readonly plans: string[] = [];

  override all<Row>(query: string, ...values: (string | number | null)[]): Row[] {
    const plan = super.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${query}`, ...values);
    this.plans.push(...plan.map(({ detail }) => detail));
    return super.all<Row>(query, ...values);
  }
}

const later = closeAfterEach();

describe('what is kept', () => {
  test('is listed by route, time and failure, the newest first', () => {
    const { traces, add } = keep();
    add('a', span('1'));
    add('b', span('2', { name: 'POST /write', endMs: 1_500, failure: '503' }));
    add('c', span('3', { kind: 'internal', name: 'sweep' }));
    const ids = (query: object): string[] =>
      traces.list({ limit: 10, ...query }).map(({ traceId }) => traceId);
    expect(ids({})).toEqual(['b', 'a']);
    expect(ids({ all: true })).toEqual(['c', 'b', 'a']);
    expect(ids({ route: '/items' })).toEqual(['a']);
    expect(ids({ minMs: 100 })).toEqual(['b']);
    expect(ids({ failed: true })).toEqual(['b']);
    expect(ids({ all: true, limit: 1 })).toEqual(['c']);
  });

  test('is found by the X-Request-Id of an answer, whatever began the trace', () => {
    const { traces, add } = keep();
    add('a', span('1', { attributes: { 'faas.invocation_id': 'r-1' } }));
    add('b', span('2', { attributes: { 'faas.invocation_id': 'r-2' } }));
    add('b', span('3', { kind: 'internal' }));
    expect(traces.list({ request: 'r-2', limit: 10 })).toMatchObject([{ traceId: 'b', spans: 2 }]);
    expect(traces.list({ request: 'r', limit: 10 })).toEqual([]);
  });

  test('is bounded by time', () => {
    let nowMs = 0;
    const { traces, add, db } = keep({ now: () => nowMs });
    add('x', span('1'));
    nowMs = KEPT_MS + 1;
    expect(traces.find('x')).toBeUndefined();
    expect(traces.list({ all: true, limit: 10 })).toEqual([]);
    add('y', span('1'));
    expect(db.all('SELECT trace FROM spans')).toHaveLength(1);
  });

  test('is bounded by size: the oldest goes, and the newest is there', () => {
    const bytesMax = 1024 * 1024;
    const { traces, add, db } = keep({ bytesMax });
    const attributes = { text: 'x'.repeat(10_000) };
    for (let i = 0; i < 300; i += 1) add(`t${i}`, span('1', { attributes }));
    expect(db.bytes).toBeLessThanOrEqual(bytesMax);
    expect(traces.find('t0')).toBeUndefined();
    expect(traces.find('t299')?.spans).toHaveLength(1);
  });

  test('of a trace of thousands of spans is all there, in their order, and no more than the bound', () => {
    const { traces, add } = keep();
    const spans = Array.from({ length: SPANS_MAX + 1 }, (_, i) =>
      span(String(i), { startMs: 1_000 + i, endMs: 1_001 + i, ...(i > 0 && { parentId: String(i - 1) }) }),
    );
    add('x', ...spans.toReversed());
    expect(traces.dropped).toBe(1);
    const found = traces.find('x')?.spans ?? [];
    expect(found).toHaveLength(SPANS_MAX);
    expect(found.map(({ startMs }) => startMs)).toEqual(
      found.map(({ startMs }) => startMs).sort((a, b) => a - b),
    );
    expect(traces.list({ limit: 1 })).toMatchObject([{ spans: SPANS_MAX, ms: SPANS_MAX }]);
  });

  test('is found by indexes, without reading all spans', () => {
    const db = new Explaining();
    later(() => db.close());
    const traces = new Traces(db);
    traces.add([{ traceId: 'a', span: span('1') }]);
    for (const query of [{ route: '/items' }, { minMs: 5 }, { failed: true }, { request: 'r-1' }])
      traces.list({ all: true, limit: 10, ...query });
    traces.find('a');
    expect(db.plans.join('\n')).toMatch(/spans_invocation/);
    expect(db.plans.filter((detail) => /^SCAN spans\b/.test(detail))).toEqual([]);
  });

  test('is there for the next process with the same file, which makes anew what is no database of its own', async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-otlp-'));
    later(() => fs.rmSync(dir, { recursive: true, force: true }));
    const file = path.join(dir, 'telemetry.sqlite');
    fs.writeFileSync(file, 'not a database, though it has some length to it'.repeat(100));
    const first = await startCollector({ file });
    first.traces.add([{ traceId: TRACE, span: span('1') }]);
    first.logs.add([{ uid: 'a', line: line({ traceId: TRACE }) }]);
    await first.close();
    const second = await startCollector({ file });
    later(() => second.close());
    expect(second.traces.find(TRACE)?.spans).toHaveLength(1);
    second.logs.add([{ uid: 'a', line: line({ traceId: TRACE }) }]);
    expect(second.logs.list({ trace: TRACE, limit: 10 })).toEqual([line({ traceId: TRACE })]);
  });
});

const line = (more: Partial<LogLine> = {}): LogLine => ({
  atMs: 1_700_000_000_123,
  severity: 9,
  level: 'info',
  site: 'aws-us-east-1',
  message: 'request',
  attributes: { path: '/items', ms: 3 },
  ...more,
});

describe('lines of logs', () => {
  test('are taken as OTLP has them, whatever a value is', async () => {
    const collector = await startCollector();
    later(() => collector.close());
    const record = {
      timeUnixNano: '1700000000123000000',
      severityNumber: 17,
      severityText: 'error',
      traceId: TRACE,
      spanId: 'b7ad6b7169203331',
      body: { stringValue: 'request failed' },
      attributes: [
        { key: 'log.record.uid', value: { stringValue: 'p-1' } },
        { key: 'sizes', value: { arrayValue: { values: [{ intValue: '1' }, { doubleValue: 0.5 }, {}] } } },
        { key: 'inner', value: { kvlistValue: { values: [{ key: 'is', value: { boolValue: true } }] } } },
      ],
    };
    const resource = { attributes: [{ key: 'tandem.site', value: { stringValue: 'azure-eastus' } }] };
    const sent = await fetch(`${collector.url}/v1/logs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record, record] }] }] }),
    });
    expect(sent.status).toBe(200);
    const found = await (await fetch(`${collector.url}${LOGS_PATH}?trace=${TRACE}&level=warn`)).json();
    expect(found).toEqual({
      items: [
        {
          atMs: 1_700_000_000_123,
          severity: 17,
          level: 'error',
          site: 'azure-eastus',
          message: 'request failed',
          traceId: TRACE,
          spanId: 'b7ad6b7169203331',
          attributes: { sizes: [1, 0.5, null], inner: { is: true } },
        },
      ],
    });
  });

  test('are listed by trace, level, text and site, the newest first', async () => {
    const collector = await startCollector();
    later(() => collector.close());
    collector.logs.add(
      [
        line({ message: 'one', traceId: TRACE }),
        line({ message: 'two', severity: 13, site: 'azure-eastus' }),
        line({ message: 'three', severity: 17, attributes: { error: 'Throttled' } }),
      ].map((each) => ({ uid: undefined, line: each })),
    );
    const of = (query: object): string[] =>
      collector.logs.list({ limit: 10, ...query }).map(({ message }) => message);
    expect(of({})).toEqual(['three', 'two', 'one']);
    expect(of({ trace: TRACE })).toEqual(['one']);
    expect(of({ level: 'warn' })).toEqual(['three', 'two']);
    expect(of({ text: 'throttled' })).toEqual(['three']);
    expect(of({ site: 'azure-eastus' })).toEqual(['two']);
    expect(of({ limit: 1 })).toEqual(['three']);
  });

  test.each(['level=loud', 'limit=0', 'trace=x'])('are not asked for by ?%s', async (query) => {
    const collector = await startCollector();
    later(() => collector.close());
    expect((await fetch(`${collector.url}${LOGS_PATH}?${query}`)).status).toBe(400);
  });
});
