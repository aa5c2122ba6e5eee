import { describe, expect, test } from '@jest/globals';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import type { BatchHandler, InboundMessage } from '@tandem-clouds/replication/ports/queue';
import { otlpBody } from '../../../../src/shared/adapters/tracing/otlp.ts';
import type { Span } from '../../../../src/shared/adapters/tracing/span.ts';
import { otlpBounds, traceBounds } from '../../../../src/shared/bounds.ts';
import { noTracing } from '../../../../src/shared/ports/tracing.ts';
import { timeLimit } from '../../../../src/shared/time-limit.ts';
import { MemoryQueue } from '../../../helpers/memory-queue.ts';
import { MemoryStore } from '../../../helpers/memory-store.ts';
import { type TracedSite, tracedSite } from '../../../helpers/traced-site.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const OTHER_TRACE = '1bf7651916cd43dd8448eb211c80319d';
const PARENT = 'b7ad6b7169203331';
const SAMPLED = `00-${TRACE}-${PARENT}-01`;
const CONTEXT = { awsRequestId: 'r1' };
const limit = timeLimit({ ms: 10_000 });

function event(headers: Record<string, string> = {}): APIGatewayProxyEventV2 {
  return { headers, requestContext: { http: { method: 'GET' } } } as unknown as APIGatewayProxyEventV2;
}

function message(key: string, traceparent?: string): InboundMessage {
  return {
    id: key,
    body: JSON.stringify({ key }),
    attributes: traceparent === undefined ? {} : { traceparent },
    attempts: 1,
  };
}

async function request({ tracing }: TracedSite, headers: Record<string, string>, status = 200) {
  const seen: (string | undefined)[] = [];
  await tracing.http((given) => {
    seen.push(given.headers['traceparent']);
    return Promise.resolve({ statusCode: status });
  })(event(headers), CONTEXT);
  return seen[0];
}

const named = (spans: readonly Span[], name: string): Span => {
  const found = spans.find((span) => span.name === name);
  if (found === undefined) throw new Error(`no ${name} in ${spans.map((span) => span.name).join(', ')}`);
  return found;
};

const sentAs = (spans: readonly Span[]): string => otlpBody({}, { name: 'tandem', version: '1' }, spans);

describe('a request', () => {
  test('goes on with the trace of its caller, and hands on its own span', async () => {
    const site = tracedSite();
    const given = await request(site, { traceparent: SAMPLED });
    const [span] = site.spans;
    expect(span).toMatchObject({ traceId: TRACE, parentId: PARENT, kind: 'server', name: 'GET' });
    expect(given).toBe(`00-${TRACE}-${span?.spanId ?? ''}-01`);
  });

  test('begins a trace where the caller brings none, or one that is not valid', async () => {
    const site = tracedSite();
    await request(site, {});
    await request(site, { traceparent: 'nonsense' });
    expect(site.spans.map(({ parentId }) => parentId)).toEqual([undefined, undefined]);
    expect(new Set(site.spans.map(({ traceId }) => traceId)).size).toBe(2);
  });

  test('about health begins no trace, and goes on with one that its caller brings', async () => {
    const { tracing, spans } = tracedSite();
    const handler = tracing.http(() => Promise.resolve({ statusCode: 200 }));
    await handler({ ...event(), rawPath: '/health/deep' }, CONTEXT);
    expect(spans).toEqual([]);
    await handler({ ...event({ traceparent: SAMPLED }), rawPath: '/health/deep' }, CONTEXT);
    expect(spans).toHaveLength(1);
  });

  test('is named by its route, and has its status', async () => {
    const { tracing, spans } = tracedSite();
    await tracing.http(() => {
      tracing.route('GET', '/items/{id}');
      return Promise.resolve({ statusCode: 404 });
    })(event(), CONTEXT);
    expect(spans[0]).toMatchObject({
      name: 'GET /items/{id}',
      failure: undefined,
      attributes: { 'http.route': '/items/{id}', 'http.response.status_code': 404 },
    });
  });

  test('waits for the collector no longer than is allowed, and never longer than half of what it has left', async () => {
    const { tracing, waitsMs } = tracedSite();
    const handler = tracing.http(() => Promise.resolve({ statusCode: 200 }));
    await handler(event(), CONTEXT);
    await handler(event(), { ...CONTEXT, getRemainingTimeInMillis: () => 100 });
    expect(waitsMs).toEqual([otlpBounds.waitMs, 50]);
  });

  test('what it throws is thrown on, and noted by its kind alone', async () => {
    const { tracing, spans } = tracedSite();
    const handler = tracing.http(() => Promise.reject(new UnavailableError('user:hedy is not there')));
    await expect(handler(event(), CONTEXT)).rejects.toThrow(UnavailableError);
    expect(spans[0]?.failure).toBe('unavailable');
    expect(sentAs(spans)).not.toContain('hedy');
  });
});

describe('sampling', () => {
  test('what the caller has decided stands', async () => {
    const never = tracedSite({ ratio: 0 });
    await request(never, { traceparent: SAMPLED });
    expect(never.spans).toHaveLength(1);
    const always = tracedSite({ ratio: 1 });
    const given = await request(always, { traceparent: SAMPLED.replace(/01$/, '00') });
    expect(always.spans).toEqual([]);
    expect(given).toMatch(/-00$/);
  });

  test.each([
    ['0', 0, 0],
    ['1', 1, 1],
    // Ids of this test end in sevens: their random part is 0.46 of all.
    ['less than what the id says', 0.5, 0],
    ['more than what the id says', 0.6, 1],
  ])('a trace that begins is sampled by its id: ratio %s', async (_, ratio, count) => {
    const site = tracedSite({ ratio });
    await request(site, {});
    expect(site.spans).toHaveLength(count);
  });

  test('what fails is sent although it is not sampled, whole, and only so many a minute', async () => {
    const site = tracedSite({ ratio: 0 });
    const store = site.tracing.store(new MemoryStore());
    const handler = site.tracing.http(async () => {
      await store.get('item:1');
      return { statusCode: 503 };
    });
    await handler(event(), CONTEXT);
    expect(site.spans.map(({ name }) => name)).toEqual(['get records', 'GET']);
    expect(site.spans.every(({ traceparent }) => traceparent.endsWith('-00'))).toBe(true);
    for (let i = 0; i < 2 * traceBounds.failedPerMinuteMax; i += 1) await handler(event(), CONTEXT);
    expect(site.spans).toHaveLength(2 * traceBounds.failedPerMinuteMax);
  });
});

describe('ports', () => {
  test('calls of the store and of the queue are children of the request', async () => {
    const { tracing, spans } = tracedSite();
    const queue = new MemoryQueue();
    const store = tracing.store(new MemoryStore());
    const peer = tracing.queue(queue, 'tandem-in', 'azure-eastus');
    await tracing.http(async () => {
      await store.get('user:hedy');
      await peer.send([{ id: '0', body: '{"key":"user:hedy"}' }]);
      return { statusCode: 200 };
    })(event({ traceparent: SAMPLED }), CONTEXT);
    const root = named(spans, 'GET');
    const get = named(spans, 'get records');
    const send = named(spans, 'send tandem-in');
    expect(get).toMatchObject({
      kind: 'client',
      parentId: root.spanId,
      attributes: { 'db.system.name': 'aws.dynamodb', 'db.operation.name': 'get', 'tandem.entity': 'user' },
    });
    expect(send).toMatchObject({
      kind: 'producer',
      parentId: root.spanId,
      attributes: { 'messaging.system': 'servicebus', 'messaging.destination.name': 'tandem-in' },
    });
    // The message names the sending, and nothing names the record.
    expect(queue.sent[0]?.attributes).toEqual({ traceparent: `00-${TRACE}-${send.spanId}-01` });
    expect(sentAs(spans)).not.toContain('hedy');
    for (const span of spans) expect(span.endMs).toBeGreaterThan(span.startMs);
  });

  test('a message that is refused is an error of the sending', async () => {
    const { tracing, spans } = tracedSite();
    const queue = new MemoryQueue();
    queue.refuse = () => new UnavailableError('away');
    await tracing.timer('sweep', async () => {
      await tracing.queue(queue, 'tandem-out').send([{ id: '0', body: '{}' }]);
      return false;
    })();
    expect(named(spans, 'send tandem-out').failure).toBe('unavailable');
    expect(named(spans, 'sweep').failure).toBeUndefined();
  });

  test('outside of an invocation nothing is recorded, and a message stays as it is', async () => {
    const { tracing, spans } = tracedSite();
    const queue = new MemoryQueue();
    await tracing.store(new MemoryStore()).get('item:1');
    await tracing.queue(queue, 'tandem-out').send([{ id: '0', body: '{}' }]);
    expect(spans).toEqual([]);
    expect(queue.sent).toEqual([{ id: '0', body: '{}' }]);
  });

  test('a call of another service brings the trace along, unless the caller names another one', async () => {
    const { tracing, spans } = tracedSite();
    const sent: Readonly<Record<string, string>>[] = [];
    const response = { status: 200, ok: true, headers: {}, body: '', attempts: 2, json: () => ({}) };
    const http = tracing.outbound({
      send: ({ headers = {} }) => {
        sent.push(headers);
        return Promise.resolve(response);
      },
      json: () => Promise.resolve({}),
    });
    await tracing.http(async () => {
      await http.send({ url: 'https://pay.example/charges/4?card=1', json: {} });
      await http.send({ url: 'https://pay.example/', headers: { traceparent: 'mine' } });
      return { statusCode: 200 };
    })(event(), CONTEXT);
    const call = named(spans, 'POST');
    expect(sent).toEqual([{ traceparent: call.traceparent }, { traceparent: 'mine' }]);
    expect(call.attributes).toEqual({
      'http.request.method': 'POST',
      'server.address': 'pay.example',
      'server.port': 443,
      'http.response.status_code': 200,
      'http.request.resend_count': 1,
    });
  });

  test('of a site that does not trace are what they were', () => {
    const [store, queue] = [new MemoryStore(), new MemoryQueue()];
    const handler = () => Promise.resolve({ statusCode: 200 });
    const batch: BatchHandler = () => Promise.resolve([]);
    expect(noTracing.store(store)).toBe(store);
    expect(noTracing.queue(queue, 'tandem-out')).toBe(queue);
    expect(noTracing.http(handler)).toBe(handler);
    expect(noTracing.batch('apply', 'tandem-in', batch)).toBe(batch);
  });
});

describe('a batch', () => {
  const done: BatchHandler = (messages) => Promise.resolve(messages.map(() => ({ kind: 'done' })));

  test('of one trace goes on with it', async () => {
    const { tracing, spans } = tracedSite();
    await tracing.batch('apply', 'tandem-in', done)([message('item:1', SAMPLED)], limit);
    expect(spans).toHaveLength(1);
    expect(spans[0]).toMatchObject({
      name: 'apply tandem-in',
      kind: 'consumer',
      traceId: TRACE,
      parentId: PARENT,
      links: [],
      attributes: { 'messaging.operation.name': 'apply', 'messaging.operation.type': 'process' },
    });
  });

  test('of a sender that does not trace goes on with the trace that the event names, and no other text', async () => {
    const { tracing, spans } = tracedSite({ ratio: 0 });
    const handler = tracing.batch('apply', 'tandem-in', done);
    const bare = message('item:1');
    const payload = { traceparent: SAMPLED };
    await handler(
      [{ ...bare, body: JSON.stringify({ key: 'item:1', payload, sent_at: 1, traceparent: SAMPLED }) }],
      limit,
    );
    expect(spans[0]).toMatchObject({ traceId: TRACE, parentId: PARENT });
    await handler([{ ...bare, body: JSON.stringify({ key: 'item:1', sent_at: 1, payload }) }], limit);
    expect(spans).toHaveLength(1);
  });

  test('of several traces is linked with them, and what is sent of each goes on in its own', async () => {
    const { tracing, spans } = tracedSite({ ratio: 0 });
    const queue = new MemoryQueue();
    const out = tracing.queue(queue, 'tandem-in', 'azure-eastus');
    const forward: BatchHandler = async (messages, within) => {
      await out.send(messages.map(({ id, body }) => ({ id, body })));
      return done(messages, within);
    };
    const unsampled = `00-${OTHER_TRACE}-${PARENT.replace('b', 'c')}-00`;
    await tracing.batch(
      'forward',
      'tandem-out',
      forward,
    )([message('item:1', SAMPLED), message('item:2', unsampled)], limit);
    const ofTrace = spans.filter(({ traceId }) => traceId === TRACE);
    const batch = spans.find(({ parentId }) => parentId === undefined);
    expect(ofTrace).toMatchObject([{ name: 'forward tandem-out', parentId: PARENT }]);
    expect(ofTrace[0]?.links[0]?.spanId).toBe(batch?.spanId);
    expect(batch).toMatchObject({ parentId: undefined, attributes: { 'messaging.batch.message_count': 2 } });
    expect(named(spans, 'send tandem-in').traceId).toBe(batch?.traceId);
    // Each message brings its own trace, with what was decided about it.
    expect(queue.sent[0]?.attributes?.['traceparent']).toBe(ofTrace[0]?.traceparent);
    expect(queue.sent[1]?.attributes?.['traceparent']).toMatch(new RegExp(`^00-${OTHER_TRACE}-.{16}-00$`));
  });

  test('each record of a batch is worked on in its own trace', async () => {
    const { tracing, spans } = tracedSite({ ratio: 0 });
    const react: BatchHandler = async (messages, within) => {
      for (const { id } of messages) await tracing.record('react', id, () => Promise.resolve());
      return done(messages, within);
    };
    const other = `00-${OTHER_TRACE}-${PARENT}-01`.replace('b7', 'c7');
    await tracing.batch(
      'react',
      'tandem-react',
      react,
    )([message('item:1', SAMPLED), message('order:2', other)], limit);
    const reactions = spans.filter(({ name }) => name === 'react');
    expect(reactions.map(({ traceId }) => traceId)).toEqual([TRACE, OTHER_TRACE]);
    expect(reactions.map(({ attributes }) => attributes['tandem.entity'])).toEqual(['item', 'order']);
  });

  test('a message that is to come again or is dead is an error, and its retry keeps its trace', async () => {
    const { tracing, spans } = tracedSite();
    const queue = new MemoryQueue();
    await tracing.batch('apply', 'tandem-in', async (messages) => {
      const [first] = messages;
      if (first !== undefined) await tracing.queue(queue, 'tandem-in').send([first]);
      return [{ kind: 'dead', reason: 'malformed', detail: 'item:1 is wrong' }];
    })([message('item:1', SAMPLED)], limit);
    expect(named(spans, 'apply tandem-in').failure).toBe('malformed');
    expect(queue.sent[0]?.attributes?.['traceparent']).toBe(SAMPLED);
  });
});

describe('bounds', () => {
  test('of the spans of an invocation, whose own is always among them', async () => {
    const { tracing, spans } = tracedSite();
    const store = tracing.store(new MemoryStore());
    await tracing.timer('sweep', async () => {
      for (let i = 0; i < traceBounds.invocationSpansMax + 10; i += 1) await store.get('item:1');
      return false;
    })();
    expect(spans).toHaveLength(traceBounds.invocationSpansMax + 1);
    expect(spans.at(-1)?.name).toBe('sweep');
  });

  test('of links', async () => {
    const { tracing, spans } = tracedSite();
    const many = Array.from({ length: traceBounds.linksMax + 5 }, (_, i) =>
      message(`item:${i}`, `00-${String(i + 1).padStart(32, '0')}-${PARENT}-01`),
    ).map((one, i) => ({
      ...one,
      attributes: {
        traceparent: `00-${String(i + 1).padStart(32, '0')}-${String(i + 1).padStart(16, '0')}-01`,
      },
    }));
    const batch: BatchHandler = (messages) => Promise.resolve(messages.map(() => ({ kind: 'done' })));
    await tracing.batch('apply', 'tandem-in', batch)(many, limit);
    expect(Math.max(...spans.map(({ links }) => links.length))).toBe(traceBounds.linksMax);
  });
});
