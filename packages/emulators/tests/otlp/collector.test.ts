import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Collector, EXPORT_BYTES_MAX, startCollector, TRACES_PATH } from '../../src/otlp/server.ts';
import { KEPT_MS, type SpanFacts, SPANS_MAX, Traces, TRACES_MAX } from '../../src/otlp/traces.ts';

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

describe('what is kept', () => {
  test('is listed by route, time and failure, the newest first', () => {
    const traces = new Traces();
    traces.add('a', span('1'));
    traces.add('b', span('2', { name: 'POST /write', endMs: 1_500, failure: '503' }));
    traces.add('c', span('3', { kind: 'internal', name: 'sweep' }));
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
    const traces = new Traces();
    traces.add('a', span('1', { attributes: { 'faas.invocation_id': 'r-1' } }));
    traces.add('b', span('2', { attributes: { 'faas.invocation_id': 'r-2' } }));
    traces.add('b', span('3', { kind: 'internal' }));
    expect(traces.list({ request: 'r-2', limit: 10 })).toMatchObject([{ traceId: 'b', spans: 2 }]);
    expect(traces.list({ request: 'r', limit: 10 })).toEqual([]);
  });

  test('is bounded by number and by time', () => {
    let nowMs = 0;
    const traces = new Traces(() => nowMs);
    for (let i = 0; i <= TRACES_MAX; i += 1) traces.add(String(i), span('1'));
    expect(traces.find('0')).toBeUndefined();
    for (let i = 0; i <= SPANS_MAX; i += 1) traces.add('x', span(String(i)));
    expect(traces.find('x')?.spans).toHaveLength(SPANS_MAX);
    expect(traces.dropped).toBe(1);
    nowMs = KEPT_MS + 1;
    expect(traces.find('x')).toBeUndefined();
    expect(traces.list({ all: true, limit: 10 })).toEqual([]);
  });
});
