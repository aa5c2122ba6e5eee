import { describe, expect, test } from '@jest/globals';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { otlpBody } from '../../../../src/shared/adapters/tracing/otlp.ts';
import { OtlpSender } from '../../../../src/shared/adapters/tracing/otlp-sender.ts';
import { Invocation, Span } from '../../../../src/shared/adapters/tracing/span.ts';
import { otlpBounds, traceBounds } from '../../../../src/shared/bounds.ts';
import type { HttpCall, HttpResponse } from '../../../../src/shared/ports/http-client.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const { failuresMax, restMs, restMaxMs } = otlpBounds;
const { bufferedMax, sendMax } = traceBounds;

function span(name = 'GET', at = 1_700_000_000_123.456): Span {
  const invocation = new Invocation({ now: () => at, elapsed: () => 0 });
  const made = new Span(
    invocation,
    { traceId: TRACE, spanId: 'b7ad6b7169203331', isSampled: true },
    {
      name,
      kind: 'server',
      parentId: undefined,
      attributes: { a: 'x', n: 3, r: 0.5, b: true, none: undefined },
    },
  );
  made.end();
  return made;
}

type Answer = (call: HttpCall) => Promise<HttpResponse>;

function setUp(answer: Answer = status(200)) {
  const calls: HttpCall[] = [];
  const warnings: unknown[] = [];
  const state = { nowMs: 0, answer, calls, warnings };
  const sender = new OtlpSender<Span>({
    signal: 'traces',
    bufferedMax,
    sendMax,
    url: 'https://collector.example/',
    headers: { 'x-key': 'k' },
    encode: (spans) => JSON.stringify(spans.map(({ name }) => name)),
    client: (call) => {
      calls.push(call);
      return state.answer(call);
    },
    logger: { log: (...line) => void warnings.push(line) },
    elapsed: () => state.nowMs,
  });
  const deliver = async (): Promise<void> => {
    sender.add([span()]);
    await sender.flush(200);
  };
  return Object.assign(state, { sender, deliver });
}

function status(code: number, headers: Record<string, string> = {}): Answer {
  return () => Promise.resolve({ status: code, headers, body: '' });
}

const away: Answer = () => Promise.reject(new UnavailableError('https://collector.example has not answered'));

describe('the sender', () => {
  test('leaves a collector alone that is slow, for a hundred times as long as it took, and no longer than a rest', async () => {
    const { slowMs, slowRests } = otlpBounds;
    const state = setUp();
    const { deliver, calls } = state;
    const taking = (tookMs: number): Answer => {
      return (call) => {
        state.nowMs += tookMs;
        return status(200)(call);
      };
    };
    state.answer = taking(slowMs + 1);
    for (let i = 0; i < failuresMax; i += 1) await deliver();
    expect(calls).toHaveLength(failuresMax);
    await deliver();
    state.nowMs += (slowMs + 1) * slowRests - 1;
    await deliver();
    expect(calls).toHaveLength(failuresMax);
    state.nowMs += 1;
    state.answer = taking(slowMs);
    await deliver();
    await deliver();
    expect(calls).toHaveLength(failuresMax + 2);
  });

  test('posts what waits to /v1/traces, with its headers, in the time that is given', async () => {
    const { sender, calls } = setUp();
    sender.add([span('one'), span('two')]);
    await sender.flush(150);
    await sender.flush(150);
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      method: 'POST',
      body: '["one","two"]',
      timeoutMs: 150,
      headers: { 'content-type': 'application/json', 'x-key': 'k' },
    });
    expect(calls[0]?.url.href).toBe('https://collector.example/v1/traces');
  });

  test('asks nobody when nothing waits, or when there is no time', async () => {
    const { sender, calls } = setUp();
    await sender.flush(200);
    sender.add([span()]);
    await sender.flush(0);
    expect(calls).toEqual([]);
    expect(sender.buffered).toBe(1);
  });

  test.each([408, 429, 502, 503, 504])('keeps what is refused with %i for the next time', async (code) => {
    const set = setUp(status(code));
    await set.deliver();
    expect(set.sender.buffered).toBe(1);
    set.answer = status(200);
    await set.deliver();
    expect(set.sender.buffered).toBe(0);
    expect(set.calls.at(-1)?.body).toBe('["GET","GET"]');
  });

  test.each([400, 401, 413])('drops what is refused with %i: it would be again', async (code) => {
    const set = setUp(status(code));
    await set.deliver();
    expect(set.sender.buffered).toBe(0);
  });

  test.each([
    ['is away', away],
    ['refuses', status(503)],
    ['takes nothing of ours', status(413)],
  ])('leaves a collector that %s alone after a few failures, with one warning', async (_, answer) => {
    const set = setUp(answer);
    for (let i = 0; i < failuresMax + 5; i += 1) await set.deliver();
    expect(set.calls).toHaveLength(failuresMax);
    expect(set.warnings).toHaveLength(1);
  });

  test('tries once after a rest, and goes on when that is taken', async () => {
    const set = setUp(away);
    for (let i = 0; i < failuresMax; i += 1) await set.deliver();
    set.nowMs += restMs;
    await set.deliver();
    await set.deliver();
    expect(set.calls).toHaveLength(failuresMax + 1);
    set.nowMs += restMs;
    set.answer = status(200);
    await set.deliver();
    expect(set.sender.buffered).toBe(0);
    await set.deliver();
    expect(set.sender.buffered).toBe(0);
  });

  test('while one tries after a rest, others go on without', async () => {
    const set = setUp(away);
    for (let i = 0; i < failuresMax; i += 1) await set.deliver();
    set.nowMs += restMs;
    const { promise, resolve } = Promise.withResolvers<HttpResponse>();
    set.answer = () => promise;
    const trying = set.deliver();
    await set.deliver();
    expect(set.calls).toHaveLength(failuresMax + 1);
    resolve({ status: 200, headers: {}, body: '' });
    await trying;
    expect(set.sender.buffered).toBe(0);
  });

  test('rests for as long as it is asked to, within a bound', async () => {
    const set = setUp(status(429, { 'retry-after': '100000' }));
    await set.deliver();
    set.answer = status(200);
    set.nowMs += restMaxMs - 1;
    await set.deliver();
    expect(set.calls).toHaveLength(1);
    set.nowMs += 1;
    await set.deliver();
    expect(set.calls).toHaveLength(2);
  });

  test('keeps the newest, so many of them, and sends them in portions', async () => {
    const set = setUp(away);
    for (let i = 0; i < bufferedMax + 10; i += 1) set.sender.add([span(String(i))]);
    await set.sender.flush(200);
    expect(set.sender.buffered).toBe(bufferedMax);
    set.answer = status(200);
    await set.sender.flush(200);
    expect(set.sender.buffered).toBe(0);
    const sent = set.calls.slice(1).map(({ body }) => JSON.parse(body ?? '') as string[]);
    expect(sent).toHaveLength(bufferedMax / sendMax);
    expect(sent.flat().slice(0, 1)).toEqual(['10']);
  });
});

test('spans are what OTLP takes as JSON', () => {
  const failed = span();
  failed.fail(new UnavailableError('user:hedy'));
  const body = JSON.parse(
    otlpBody({ 'service.name': 'tandem' }, { name: 'tandem', version: '1' }, [failed]),
  ) as unknown;
  expect(body).toEqual({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'tandem' } }] },
        scopeSpans: [
          {
            scope: { name: 'tandem', version: '1' },
            spans: [
              {
                traceId: TRACE,
                spanId: 'b7ad6b7169203331',
                flags: 1,
                name: 'GET',
                kind: 2,
                startTimeUnixNano: '1700000000123456000',
                endTimeUnixNano: '1700000000123456000',
                attributes: [
                  { key: 'a', value: { stringValue: 'x' } },
                  { key: 'n', value: { intValue: '3' } },
                  { key: 'r', value: { doubleValue: 0.5 } },
                  { key: 'b', value: { boolValue: true } },
                  { key: 'error.type', value: { stringValue: 'unavailable' } },
                ],
                status: { code: 2 },
              },
            ],
          },
        ],
      },
    ],
  });
});
