import { expect, test } from '@jest/globals';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { siteInstruments } from '../../../../src/shared/adapters/metering/instruments.ts';
import { Meter } from '../../../../src/shared/adapters/metering/meter.ts';
import { MetricsSender } from '../../../../src/shared/adapters/metering/metrics-sender.ts';
import { meterBounds, otlpBounds } from '../../../../src/shared/bounds.ts';
import type { HttpCall, HttpResponse } from '../../../../src/shared/ports/http-client.ts';

const { everyMs } = meterBounds;

function setUp(answer: () => Promise<HttpResponse> = status(200)) {
  const calls: HttpCall[] = [];
  const warnings: unknown[][] = [];
  const state = { nowMs: 1_000_000, answer, calls, warnings };
  const meter = new Meter(() => state.nowMs);
  const sender = new MetricsSender({
    url: 'https://collector.example/',
    headers: { 'x-key': 'k' },
    meter,
    encode: ({ series }) => JSON.stringify(series.map(({ value }) => value)),
    client: (call) => {
      calls.push(call);
      return state.answer();
    },
    logger: { log: (...line) => void warnings.push(line) },
    elapsed: () => state.nowMs,
    now: () => state.nowMs,
  });
  const measure = async (value: number, laterMs: number = everyMs): Promise<void> => {
    state.nowMs += laterMs;
    meter.record(siteInstruments.SweptKeys, {}, value);
    await sender.flush(200);
  };
  return Object.assign(state, { sender, measure });
}

function status(code: number): () => Promise<HttpResponse> {
  return () => Promise.resolve({ status: code, headers: {}, body: '' });
}

test('posts to /v1/metrics what there is, and nothing when there is nothing or no time', async () => {
  const { sender, measure, calls } = setUp();
  await sender.flush(200);
  await measure(3);
  expect(calls).toHaveLength(1);
  expect(calls[0]).toMatchObject({ method: 'POST', body: '[3]', timeoutMs: 200, headers: { 'x-key': 'k' } });
  expect(calls[0]?.url.href).toBe('https://collector.example/v1/metrics');
  await sender.flush(0.5);
  expect(calls).toHaveLength(1);
});

test('adds up for a while before it sends again, or until the clock is set back', async () => {
  const { measure, calls } = setUp();
  await measure(1);
  await measure(2, 1);
  await measure(3, everyMs - 2);
  expect(calls.map(({ body }) => body)).toEqual(['[1]']);
  await measure(4, 1);
  await measure(5, -60_000);
  expect(calls.map(({ body }) => body)).toEqual(['[1]', '[9]', '[5]']);
});

test('what is refused for a passing reason goes on with the next, and is counted once', async () => {
  const set = setUp(status(503));
  await set.measure(1);
  set.answer = status(200);
  await set.measure(2);
  expect(set.calls.map(({ body }) => body)).toEqual(['[1]', '[3]']);
});

test.each([
  ['refused', status(400)],
  [
    'not answered, so that nobody knows whether it was counted',
    () => Promise.reject(new UnavailableError('away')),
  ],
])('what is %s is not sent again', async (_, answer) => {
  const set = setUp(answer);
  await set.measure(1);
  set.answer = status(200);
  await set.measure(2);
  expect(set.calls.map(({ body }) => body)).toEqual(['[1]', '[2]']);
});

test('leaves a collector that fails alone, goes on adding up, and says once how much was lost', async () => {
  const set = setUp(() => Promise.reject(new UnavailableError('away')));
  for (let i = 0; i < otlpBounds.failuresMax + 3; i += 1) await set.measure(1);
  expect(set.calls).toHaveLength(otlpBounds.failuresMax);
  expect(set.warnings).toEqual([
    [
      'warn',
      'metrics are not taken',
      { reason: 'away', restMs: otlpBounds.restMs, dropped: otlpBounds.failuresMax },
    ],
  ]);
  set.answer = status(200);
  await set.measure(1, otlpBounds.restMs);
  expect(set.calls.at(-1)?.body).toBe('[4]');
});
