import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GAUGE_KEPT_MS, Metrics, SERIES_MAX } from '../../src/otlp/metrics.ts';
import type { MetricPoint } from '../../src/otlp/metrics-request.ts';
import { labelsOf, prometheusName, TEXT_TYPE, toText } from '../../src/otlp/prometheus-text.ts';
import { type Collector, METRICS_PATH, startCollector } from '../../src/otlp/server.ts';

const point = (more: Partial<MetricPoint> = {}): MetricPoint => ({
  name: 'shop.orders',
  unit: '{order}',
  description: 'Orders',
  kind: 'counter',
  attributes: { site: 'a' },
  value: 2,
  count: 1,
  bounds: [],
  buckets: [],
  ...more,
});
const duration = (more: Partial<MetricPoint> = {}): MetricPoint =>
  point({
    name: 'http.server.request.duration',
    unit: 's',
    description: '',
    kind: 'histogram',
    value: 1.5,
    count: 3,
    bounds: [0.1, 1],
    buckets: [1, 1, 1],
    ...more,
  });
/** Without what the collector says of itself. */
const linesOf = (metrics: Metrics): string[] =>
  toText(metrics.families())
    .split('\n')
    .filter((line) => line !== '' && !line.includes('tandem_collector_'));

describe('names', () => {
  test.each([
    ['http.server.request.duration', 's', 'histogram', 'http_server_request_duration_seconds'],
    ['tandem.keys_at_risk', '{key}', 'gauge', 'tandem_keys_at_risk'],
    ['tandem.swept_keys', '', 'counter', 'tandem_swept_keys_total'],
    ['requests.total', '{request}', 'counter', 'requests_total'],
    ['memory.bytes', 'By', 'gauge', 'memory_bytes'],
    ['disk', 'By/s', 'gauge', 'disk_bytes_per_second'],
    ['cpu.utilization', '1', 'gauge', 'cpu_utilization_ratio'],
    ['requests', '1', 'counter', 'requests_total'],
    ['a--b..c', '', 'gauge', 'a_b_c'],
    ['2fa', '', 'gauge', '_2fa'],
  ] as const)('%s in %s, a %s, is %s', (name, unit, type, wanted) => {
    expect(prometheusName(name, unit, type)).toBe(wanted);
  });

  test('of labels are of letters, and two attributes that come to one are one', () => {
    expect(labelsOf({ 'http.route': '/a', 'x.y': 1, x_y: true, '1st': 'b', __name__: 'c', le: 'd' })).toEqual(
      {
        http_route: '/a',
        x_y: '1;true',
        key_1st: 'b',
        key__name__: 'c',
        key_le: 'd',
      },
    );
  });
});

describe('what is kept', () => {
  test('adds up differences by labels, and shows the last value of a gauge', () => {
    const metrics = new Metrics();
    const gauge = point({ name: 'tandem.lag', unit: 's', kind: 'gauge', description: '', value: -0.25 });
    for (const each of [point(), point({ value: 3 }), point({ attributes: { site: 'b' } }), gauge])
      metrics.add(each);
    metrics.add({ ...gauge, value: 1.5 });
    expect(linesOf(metrics)).toEqual([
      '# HELP shop_orders_total Orders',
      '# TYPE shop_orders_total counter',
      'shop_orders_total{site="a"} 5',
      'shop_orders_total{site="b"} 2',
      '# TYPE tandem_lag_seconds gauge',
      'tandem_lag_seconds{site="a"} 1.5',
    ]);
  });

  test('shows buckets that hold what is below them, too', () => {
    const metrics = new Metrics();
    metrics.add(duration());
    metrics.add(duration({ value: 0.5, count: 1, buckets: [0, 1, 0] }));
    expect(linesOf(metrics)).toEqual([
      '# TYPE http_server_request_duration_seconds histogram',
      'http_server_request_duration_seconds_bucket{site="a",le="0.1"} 1',
      'http_server_request_duration_seconds_bucket{site="a",le="1"} 3',
      'http_server_request_duration_seconds_bucket{site="a",le="+Inf"} 4',
      'http_server_request_duration_seconds_sum{site="a"} 2',
      'http_server_request_duration_seconds_count{site="a"} 4',
    ]);
  });

  test('escapes what people may write', () => {
    const metrics = new Metrics();
    metrics.add(point({ description: 'a\\b\nc "d"', attributes: { name: 'a\\b\nc "d"' } }));
    expect(linesOf(metrics)).toEqual([
      String.raw`# HELP shop_orders_total a\\b\nc "d"`,
      '# TYPE shop_orders_total counter',
      String.raw`shop_orders_total{name="a\\b\nc \"d\""} 2`,
    ]);
  });

  test('is bounded by number, and counts what is dropped', () => {
    const metrics = new Metrics();
    for (let i = 0; i < SERIES_MAX + 10; i += 1) metrics.add(point({ attributes: { i } }));
    expect(linesOf(metrics)).toHaveLength(2 + SERIES_MAX);
    // Another kind under the same name, and other buckets.
    metrics.add(point({ attributes: { i: 1 }, name: 'shop.orders.total', kind: 'gauge' }));
    expect(toText(metrics.families())).toContain('tandem_collector_dropped_points_total 11\n');
  });

  test('drops buckets that are others than before', () => {
    const metrics = new Metrics();
    metrics.add(duration());
    metrics.add(duration({ bounds: [0.2, 1] }));
    expect(toText(metrics.families())).toContain('tandem_collector_dropped_points_total 1\n');
    expect(toText(metrics.families())).toContain('_count{site="a"} 3\n');
  });

  test('does not show a gauge that nobody measures any more; counts stay', () => {
    let nowMs = 0;
    const metrics = new Metrics(() => nowMs);
    metrics.add(point());
    metrics.add(point({ name: 'g', kind: 'gauge' }));
    nowMs = GAUGE_KEPT_MS + 1;
    expect(linesOf(metrics)).toEqual([
      '# HELP shop_orders_total Orders',
      '# TYPE shop_orders_total counter',
      'shop_orders_total{site="a"} 2',
    ]);
  });
});

describe('the collector', () => {
  let collector: Collector;
  beforeAll(async () => {
    collector = await startCollector();
  });
  afterAll(() => collector.close());

  const post = (body: string, type = 'application/json'): Promise<Response> =>
    fetch(`${collector.url}/v1/metrics`, { method: 'POST', headers: { 'content-type': type }, body });
  const request = (...metrics: object[]): string =>
    JSON.stringify({ resourceMetrics: [{ resource: {}, scopeMetrics: [{ metrics }] }] });
  const attributes = [{ key: 'http.route', value: { stringValue: '/items/{id}' } }];

  test('takes what OTLP sends as JSON, and serves it to Prometheus', async () => {
    const histogram = {
      aggregationTemporality: 1,
      dataPoints: [{ attributes, count: '2', sum: 0.3, bucketCounts: ['1', '1'], explicitBounds: [0.1] }],
    };
    const sum = { aggregationTemporality: 1, isMonotonic: true, dataPoints: [{ attributes, asInt: '7' }] };
    const sent = await post(request({ name: 'took', unit: 's', histogram }, { name: 'done', sum }));
    expect([sent.status, await sent.json()]).toEqual([200, { partialSuccess: {} }]);
    const shown = await fetch(`${collector.url}${METRICS_PATH}`);
    expect(shown.headers.get('content-type')).toBe(TEXT_TYPE);
    const text = await shown.text();
    expect(text).toContain('took_seconds_bucket{http_route="/items/{id}",le="0.1"} 1\n');
    expect(text).toContain('done_total{http_route="/items/{id}"} 7\n');
  });

  test('says what it does not take, and takes the rest', async () => {
    const dataPoints = [{ asDouble: 1 }];
    const sent = await post(
      request(
        { name: 'total', sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints } },
        { name: 'quantiles', summary: { dataPoints } },
        { name: 'broken', gauge: { dataPoints: [{ asDouble: 'x' }] } },
        {
          name: 'back',
          sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [{ asInt: '-1' }] },
        },
        { name: 'fine', gauge: { dataPoints } },
      ),
    );
    expect(await sent.json()).toEqual({
      partialSuccess: { rejectedDataPoints: '4', errorMessage: 'back: a value is none that it can have' },
    });
    expect(collector.metrics.families().map(({ name }) => name)).toContain('fine');
  });

  test.each([
    ['what is no JSON', 'x', 'application/json', 400],
    ['what is no export request', '{}', 'application/json', 400],
    ['protobuf', 'x', 'application/x-protobuf', 415],
  ])('refuses %s', async (_, body, type, status) => {
    expect((await post(body, type)).status).toBe(status);
  });
});
