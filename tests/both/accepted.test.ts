/**
 * What the HTTP boundary accepts, the other site can apply: from any request, over the message that it publishes, to the
 * same record at the other site. Runs once per cloud.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { applyBatch } from '@tandem-clouds/replication/apply';
import { eventVersion, parseEvent } from '@tandem-clouds/replication/event';
import { plainValues } from '@tandem-clouds/replication/record';
import { cloudName } from '#cloud';
import { checkEvent } from '../../src/shared/validation/check-event.ts';
import { type CallApi, openApi } from '../helpers/api.ts';
import { setEnvironment, startCloud, type TestCloud } from '../helpers/sites.ts';
import { delivered, TestSite } from '../helpers/test-site.ts';

let cloud: TestCloud;
let restore: () => void;
let call: CallApi;
const PEER = cloudName === 'aws' ? 'azure-eastus' : 'aws-us-east-1';

beforeAll(async () => {
  cloud = await startCloud(cloudName);
  const peer = {
    site: PEER,
    cloud: 'aws',
    region: 'us-east-1',
    url: 'http://127.0.0.1:1',
    inbox: 'http://127.0.0.1:1/q',
    verify: 'http://127.0.0.1:1/v',
  };
  restore = setEnvironment({ ...cloud.env, TANDEM_PEERS: JSON.stringify([peer]), TANDEM_LOG_LEVEL: 'error' });
  call = await openApi();
});

afterAll(async () => {
  restore();
  await cloud.close();
});

/** Also names such as `__proto__`. Noncharacters are left to the tests of the queues, which carry them in their own way. */
const text = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('__proto__', 'constructor', '', '$deleted', '\u0000', '\u2028', '|', '"\\'),
  )
  .filter((each) => !/[\uFFFE\uFFFF]/.test(each));
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(null, true, false, -0, 5e-324, 1.7976931348623157e308, Number.MAX_SAFE_INTEGER),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    text,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
const object = fc.dictionary(text, json, { maxKeys: 5, noNullPrototype: true });
const label = text.filter((each) => each !== '');
const labels = fc.array(label, { maxLength: 5 });
const whole = fc.oneof(fc.nat({ max: 1_000 }), fc.maxSafeNat());

const named = { name: text.filter((name) => name !== ''), email: fc.constant('a@b.co') };
const optional = { metadata: object, labels, signIns: fc.maxSafeNat() };
const creation = fc.record({ ...named, ...optional }, { requiredKeys: ['name', 'email'] });
const changes = fc.record(
  {
    ...named,
    metadata: fc.oneof(object, fc.constant(null)),
    labels: fc.oneof(labels, fc.record({ add: labels, remove: labels }), fc.constant(null)),
    signIns: whole.map((increment) => ({ increment })),
  },
  { requiredKeys: [] },
);
const item = fc.record(
  { data: object, ttlSeconds: fc.integer({ min: 60, max: 1e6 }) },
  { requiredKeys: ['data'] },
);

/** Any value that HTTP carries; visible ASCII, as the clouds' gateways pass on nothing else. */
const headerText = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
});
const headers = fc.record(
  {
    traceparent: fc.oneof(
      headerText,
      fc.constantFrom(
        '00',
        `cc-${'1'.repeat(32)}-${'2'.repeat(16)}-ff-${'x'.repeat(300)}`,
        'a'.repeat(2_000),
      ),
    ),
    'idempotency-key': fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 255 }),
    prefer: headerText,
    'x-request-id': headerText,
  },
  { requiredKeys: [] },
);

const request = fc.oneof(
  fc.record({ method: fc.constant('POST'), path: fc.constant('/users'), body: creation, headers }),
  fc.record({ method: fc.constant('POST'), path: fc.constant('/write'), body: item, headers }),
  fc.record({ method: fc.constant('PATCH'), path: fc.constant('/users/any'), body: changes, headers }),
);

/** Everything that is in the site's own queue; a batch at a time, as a trigger gets it. */
async function published(count: number): Promise<string[]> {
  const bodies: string[] = [];
  for (let empty = 0; bodies.length < count && empty < 3;) {
    const taken = await cloud.take('tandem-out');
    bodies.push(...taken.map(({ body }) => body));
    empty = taken.length === 0 ? empty + 1 : 0;
  }
  return bodies;
}

test(`whatever ${cloudName} accepts, the other site applies`, async () => {
  const other = new TestSite(PEER, [cloud.site]);
  await call('POST', '/users', { body: { userId: 'any', name: 'Any', email: 'a@b.co' } });
  await published(1);
  let accepted = 0;
  const property = fc.asyncProperty(fc.array(request, { minLength: 40, maxLength: 40 }), async (requests) => {
    let writes = 0;
    for (const { method, path, ...rest } of requests) {
      const { status, headers: responded } = await call(method, path, rest);
      expect(status).toBeLessThan(500);
      if (status < 300 && responded['idempotency-replayed'] === undefined) writes += 1;
    }
    const bodies = await published(writes);
    expect(bodies).toHaveLength(writes);
    accepted += writes;
    const inOrder = bodies.map((body) => ({ body, event: parseEvent(body, checkEvent) }));
    inOrder.sort((a, b) => (eventVersion(a.event) < eventVersion(b.event) ? -1 : 1));
    for (const { body, event } of inOrder) {
      other.nowMs = Date.now();
      const batch = applyBatch(other.site, [delivered({ id: '1', body })], checkEvent);
      expect((await other.run(batch)).dispositions).toEqual([{ kind: 'done' }]);
      const held = other.held(event.key);
      const values = Object.entries(event.payload).filter(([, value]) => value !== null);
      expect(held && plainValues(held.state)).toEqual(Object.fromEntries(values));
    }
  });
  await fc.assert(property, { numRuns: 5, endOnFailure: true });
  expect(accepted).toBeGreaterThan(50);
});
