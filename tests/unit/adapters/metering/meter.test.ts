import { describe, expect, test } from '@jest/globals';
import {
  type Instrument,
  ownInstrument,
  requestDuration,
  siteInstruments,
} from '../../../../src/shared/adapters/metering/instruments.ts';
import { type Measured, Meter } from '../../../../src/shared/adapters/metering/meter.ts';
import { otlpMetricsBody } from '../../../../src/shared/adapters/metering/otlp-metrics.ts';
import { meterBounds } from '../../../../src/shared/bounds.ts';

const { LagMs, SweptKeys } = siteInstruments;
const PEER = { peer: 'b' };

function setUp() {
  const clock = { nowMs: 1_000 };
  return { clock, meter: new Meter(() => clock.nowMs) };
}

function valuesOf(measured: Measured | undefined): unknown[] {
  return measured?.series.map(({ instrument, value, count }) => [instrument.name, value, count]) ?? [];
}

describe('what is measured', () => {
  test('is added up, and of a gauge the last value', () => {
    const { clock, meter } = setUp();
    meter.record(LagMs, PEER, 200);
    meter.record(SweptKeys, {}, 2);
    meter.record(SweptKeys, {}, 3);
    clock.nowMs = 2_000;
    meter.record(LagMs, PEER, -50);
    const measured = meter.take();
    expect(valuesOf(measured)).toEqual([
      ['tandem.lag', -0.05, 2],
      ['tandem.swept_keys', 5, 2],
    ]);
    expect(measured).toMatchObject({ startMs: 1_000, endMs: 2_000 });
    expect(meter.take()).toBeUndefined();
    meter.record(SweptKeys, {}, 1);
    expect(meter.take()).toMatchObject({ startMs: 2_000, series: [{ value: 1 }] });
  });

  test('is in the bucket whose bound it does not exceed', () => {
    const { meter } = setUp();
    for (const ms of [0, 5, 5.1, 1_000, 10_000, 10_001]) meter.record(requestDuration, {}, ms);
    const [series] = meter.take()?.series ?? [];
    expect(series?.buckets).toEqual([2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1]);
    expect(series?.count).toBe(6);
  });

  test('and was not taken goes on with what came meanwhile, from when it began', () => {
    const { clock, meter } = setUp();
    meter.record(LagMs, PEER, 100);
    meter.record(LagMs, { peer: 'c' }, 300);
    meter.record(requestDuration, {}, 20);
    const measured = meter.take();
    clock.nowMs = 3_000;
    meter.record(LagMs, PEER, 200);
    meter.record(requestDuration, {}, 40);
    if (measured !== undefined) meter.putBack(measured);
    const both = meter.take();
    expect(both).toMatchObject({ startMs: 1_000, endMs: 3_000 });
    expect(both?.series.map(({ value, atMs }) => [value, atMs])).toEqual([
      [0.2, 3_000],
      [expect.closeTo(0.06), 3_000],
      [0.3, 1_000],
    ]);
    expect(both?.series[1]?.buckets.slice(0, 4)).toEqual([0, 0, 1, 1]);
  });

  test('has a bound: what comes then is counted without its attributes', () => {
    const { meter } = setUp();
    for (let i = 0; i < meterBounds.seriesMax + 10; i += 1) meter.record(SweptKeys, { i }, 1);
    meter.record(SweptKeys, { i: 0 }, 1);
    const series = meter.take()?.series ?? [];
    expect(series).toHaveLength(meterBounds.seriesMax + 1);
    expect(series.at(-1)).toMatchObject({ value: 10, attributes: { 'otel.metric.overflow': true } });
    expect(series[0]).toMatchObject({ value: 2 });
  });
});

test.each<[string, Pick<Instrument, 'name' | 'unit' | 'factor'>]>([
  ['ProviderMs', { name: 'tandem.own.provider', unit: 's', factor: 0.001 }],
  ['BodyBytes', { name: 'tandem.own.body', unit: 'By', factor: 1 }],
  ['LoadPercent', { name: 'tandem.own.load', unit: '%', factor: 1 }],
  ['MailsSent', { name: 'tandem.own.mails_sent', unit: '', factor: 1 }],
])('%s of a handler says its unit', (name, wanted) => {
  expect(ownInstrument(name)).toMatchObject({ ...wanted, kind: 'histogram' });
});

test('measurements are what OTLP takes as JSON, counts as differences', () => {
  const { clock, meter } = setUp();
  meter.record(LagMs, PEER, 100);
  meter.record(SweptKeys, { peer: undefined }, 2);
  meter.record(requestDuration, { 'http.route': '/items', 'http.response.status_code': 200 }, 30_000);
  meter.record(ownInstrument('MailsSent'), {}, 1);
  clock.nowMs = 1_500.5;
  const from = {
    resource: { 'service.name': 'tandem' },
    scope: { name: 'tandem', version: '1' },
    attributes: { site: 'a' },
  };
  const measured = meter.take();
  const body = measured === undefined ? undefined : (JSON.parse(otlpMetricsBody(from, measured)) as unknown);
  const site = { key: 'site', value: { stringValue: 'a' } };
  const times = { startTimeUnixNano: '1000000000', timeUnixNano: '1500500000' };
  expect(body).toEqual({
    resourceMetrics: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'tandem' } }] },
        scopeMetrics: [
          {
            scope: { name: 'tandem', version: '1' },
            metrics: [
              {
                name: 'tandem.lag',
                unit: 's',
                description: LagMs.description,
                gauge: {
                  dataPoints: [
                    {
                      attributes: [site, { key: 'peer', value: { stringValue: 'b' } }],
                      timeUnixNano: '1000000000',
                      asDouble: 0.1,
                    },
                  ],
                },
              },
              {
                name: 'tandem.swept_keys',
                unit: '',
                description: SweptKeys.description,
                sum: {
                  aggregationTemporality: 1,
                  isMonotonic: true,
                  dataPoints: [{ attributes: [site], ...times, asDouble: 2 }],
                },
              },
              {
                name: 'http.server.request.duration',
                unit: 's',
                description: requestDuration.description,
                histogram: {
                  aggregationTemporality: 1,
                  dataPoints: [
                    {
                      attributes: [
                        site,
                        { key: 'http.route', value: { stringValue: '/items' } },
                        { key: 'http.response.status_code', value: { intValue: '200' } },
                      ],
                      ...times,
                      count: '1',
                      sum: 30,
                      bucketCounts: [...Array.from({ length: 14 }, () => '0'), '1'],
                      explicitBounds: requestDuration.bounds,
                    },
                  ],
                },
              },
              {
                name: 'tandem.own.mails_sent',
                unit: '',
                description: 'Of a handler or a reaction',
                histogram: {
                  aggregationTemporality: 1,
                  dataPoints: [{ attributes: [site], ...times, count: '1', sum: 1 }],
                },
              },
            ],
          },
        ],
      },
    ],
  });
});
