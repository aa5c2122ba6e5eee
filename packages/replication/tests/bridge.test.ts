import { describe, expect, test } from '@jest/globals';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { delivered, START_MS, TestSite } from '../../../tests/helpers/test-site.ts';
import { mark } from '../src/anti-entropy/repair.ts';
import { applyBatch, type ApplyReport } from '../src/apply.ts';
import {
  clockAheadMaxMs,
  eventBytesMax,
  forwardAgeMaxMs,
  forwardAttemptsMax,
  horizonMs,
  inboundAttemptsMax,
  sweepGraceMs,
  sweepScansMax,
} from '../src/bounds.ts';
import { logConflicts } from '../src/conflict-log.ts';
import { AmbiguousError, RefusedError, TooLargeError, UnavailableError } from '../src/errors.ts';
import type { ReplicationEvent } from '../src/event.ts';
import { forward } from '../src/forward.ts';
import type { InboundMessage } from '../src/ports/queue.ts';
import { plainValues } from '../src/record.ts';
import { encodeStamp } from '../src/stamp.ts';
import { isAnyDue, sweep } from '../src/sweep.ts';

const AWS = 'aws-us-east-1';
const AZURE = 'azure-eastus';
const OTHER = 'aws-eu-west-1';
const pair = (): { aws: TestSite; azure: TestSite } => ({
  aws: new TestSite(AWS, [AZURE]),
  azure: new TestSite(AZURE, [AWS]),
});

const message = (body: string, attempts = 1): InboundMessage => ({ id: 'm', body, attributes: {}, attempts });
const apply = (site: TestSite, messages: readonly InboundMessage[]): Promise<ApplyReport> =>
  site.run(applyBatch(site.site, messages, checkEvent));

/** From now on the peer's queue answers every message with this error. */
function refuse(site: TestSite, peer: string, error: Error | undefined): void {
  const queue = site.peers.get(peer);
  if (queue === undefined) throw new Error(`${peer} is no peer`);
  queue.refuse = () => error;
}

/** An event of AWS, as text, with changes. */
async function eventText(
  site: TestSite,
  change: (event: ReplicationEvent) => object = (e) => e,
): Promise<string> {
  await site.write('user:1', { name: 'Ada' });
  return JSON.stringify(change(JSON.parse(site.outbox.sent.at(-1)?.body ?? '') as ReplicationEvent));
}

describe('forward', () => {
  test('sends to the peer and clears its marker', async () => {
    const { aws } = pair();
    await aws.write('user:1', { name: 'Ada' });
    const dispositions = await aws.run(forward(aws.site, aws.outboxDeliveries(), checkEvent));
    expect(dispositions).toEqual([{ kind: 'done' }]);
    expect(aws.peers.get(AZURE)?.sent).toHaveLength(1);
    expect(aws.held('user:1')).toMatchObject({ pending: {} });
    expect(aws.held('user:1')).not.toHaveProperty('pendingSince');
  });

  test('leaves what has lain in its queue for long to the sweeper, which sends it as it is now', async () => {
    const { aws } = pair();
    const { version } = await aws.write('user:1', { name: 'Ada' });
    const late = aws.outboxDeliveries();
    aws.nowMs += forwardAgeMaxMs + 1;
    expect(await aws.run(forward(aws.site, late, checkEvent))).toEqual([{ kind: 'done' }]);
    expect(aws.peers.get(AZURE)?.sent).toEqual([]);
    expect(aws.held('user:1')?.pending).toEqual({ [AZURE]: version });
  });

  test('leaves a marker that is newer than what was sent', async () => {
    const { aws } = pair();
    await aws.write('user:1', { name: 'a' });
    const [first] = aws.outboxDeliveries();
    const second = await aws.write('user:1', { name: 'b' });
    await aws.run(forward(aws.site, first === undefined ? [] : [first], checkEvent));
    expect(aws.held('user:1')?.pending).toEqual({ [AZURE]: second.version });
  });

  test('clears only the markers of the peers that accepted', async () => {
    const aws = new TestSite(AWS, [AZURE, 'aws-eu-west-1']);
    const queue = aws.peers.get(AZURE);
    if (queue) queue.refuse = () => new UnavailableError('down');
    const { version } = await aws.write('user:1', { name: 'a' });
    const [disposition] = await aws.run(forward(aws.site, aws.outboxDeliveries(), checkEvent));
    expect(disposition?.kind).toBe('retry');
    expect(aws.held('user:1')?.pending).toEqual({ [AZURE]: version });
  });

  test('leaves a message to the sweeper when the peer stays silent', async () => {
    const { aws } = pair();
    const queue = aws.peers.get(AZURE);
    if (queue) queue.refuse = () => new UnavailableError('down');
    const body = await eventText(aws);
    expect(await aws.run(forward(aws.site, [message(body, forwardAttemptsMax)], checkEvent))).toEqual([
      { kind: 'done' },
    ]);
    expect(aws.held('user:1')?.pending).toHaveProperty([AZURE]);
  });

  test.each([
    ['the first peer is silent and the second can never take it', AZURE, OTHER],
    ['the first peer can never take it and the second is silent', OTHER, AZURE],
  ])('a message is tried again, and then set aside with its reason, when %s', async (_, silent, never) => {
    const aws = new TestSite(AWS, [AZURE, OTHER]);
    refuse(aws, silent, new UnavailableError('down'));
    refuse(aws, never, new TooLargeError('too large'));
    const body = await eventText(aws);
    const receivedOnce = await aws.run(forward(aws.site, [message(body)], checkEvent));
    expect(receivedOnce).toMatchObject([{ kind: 'retry', error: { message: 'down' } }]);
    const receivedLast = await aws.run(forward(aws.site, [message(body, forwardAttemptsMax)], checkEvent));
    expect(receivedLast).toMatchObject([{ kind: 'dead', reason: 'too_large' }]);
    expect(Object.keys(aws.held('user:1')?.pending ?? {}).sort()).toEqual([OTHER, AZURE].sort());
  });

  test('one message that the peer can never take does not stop its neighbours', async () => {
    const { aws } = pair();
    await aws.write('user:1', { name: 'a' });
    await aws.write('user:2', { name: 'b' });
    const queue = aws.peers.get(AZURE);
    if (queue)
      queue.refuse = ({ body }) => (body.includes('user:1') ? new TooLargeError('too large') : undefined);
    const dispositions = await aws.run(forward(aws.site, aws.outboxDeliveries(), checkEvent));
    expect(dispositions.map(({ kind }) => kind)).toEqual(['dead', 'done']);
    expect(aws.held('user:2')?.pending).toEqual({});
  });

  test('sets an event of another site aside', async () => {
    const { aws, azure } = pair();
    const body = await eventText(azure);
    expect(await aws.run(forward(aws.site, [message(body)], checkEvent))).toMatchObject([
      { kind: 'dead', reason: 'foreign' },
    ]);
  });
});

describe('apply', () => {
  test('merges what the peer wrote, without marker or message', async () => {
    const { aws, azure } = pair();
    const body = await eventText(aws);
    expect(await apply(azure, [message(body)])).toMatchObject({
      dispositions: [{ kind: 'done' }],
      applied: 1,
    });
    expect(azure.held('user:1')?.state).toEqual(aws.held('user:1')?.state);
    expect(azure.held('user:1')?.pending).toEqual({});
    expect(azure.outbox.sent).toEqual([]);
  });

  test('a duplicate changes nothing and is done', async () => {
    const { aws, azure } = pair();
    const body = await eventText(aws);
    await apply(azure, [message(body)]);
    const before = structuredClone(azure.store.items.get('user:1'));
    expect(await apply(azure, [message(body), message(body)])).toMatchObject({ applied: 0, superseded: 2 });
    expect(azure.store.items.get('user:1')).toEqual(before);
  });

  test('a batch writes each key once', async () => {
    const { aws, azure } = pair();
    for (let i = 0; i < 5; i += 1) await aws.write('user:1', { name: `v${i}` });
    const report = await apply(azure, aws.outbox.sent.map(delivered));
    expect(report).toMatchObject({ applied: 1, dispositions: Array(5).fill({ kind: 'done' }) });
    expect(azure.store.items.get('user:1')?.revision).toBe(1);
  });

  test('keeps the markers of writes made here', async () => {
    const { aws, azure } = pair();
    const { version } = await azure.write('user:1', { email: 'a@x' });
    await apply(azure, [message(await eventText(aws))]);
    expect(azure.held('user:1')?.pending).toEqual({ [AWS]: version });
  });

  test.each([
    ['not JSON', () => '{', 'malformed', 'not JSON'],
    ['not an event', () => '{"a":1}', 'malformed', '/specversion is required'],
    [
      'of a newer major version',
      (e: ReplicationEvent) => ({ ...e, specversion: '2.0' }),
      'malformed',
      'version 2.0',
    ],
    [
      'of a site that is no peer',
      (e: ReplicationEvent) => ({ ...e, source: 'gcp-x', event_id: e.event_id.replace(AWS, 'gcp-x') }),
      'foreign',
      'gcp-x is not a peer',
    ],
    [
      'with a stamp that is none',
      (e: ReplicationEvent) => ({ ...e, state: { ...e.state, vector: { [AWS]: 'now' } } }),
      'malformed',
      'must match pattern',
    ],
    [
      'with a part that its vector does not include',
      (e: ReplicationEvent) => ({
        ...e,
        state: { ...e.state, stamps: { ...e.state.stamps, name: encodeStamp(START_MS + 1, 0, AWS) } },
      }),
      'malformed',
      'is not included in the vector',
    ],
    [
      'with a slot that its vector does not include',
      (e: ReplicationEvent) => ({
        ...e,
        state: { ...e.state, counters: { n: { [AWS]: [encodeStamp(START_MS + 1, 0, AWS), 1] } } },
      }),
      'malformed',
      'is not included in the vector',
    ],
    [
      'with a slot under the stamp of another site',
      (e: ReplicationEvent) => ({
        ...e,
        state: { ...e.state, counters: { n: { [AZURE]: [e.state.vector[AWS], 1] } } },
      }),
      'malformed',
      `slot ${AZURE} is stamped`,
    ],
    [
      'whose id names a later state',
      (e: ReplicationEvent) => ({ ...e, event_id: `${AWS}|${e.key}|${encodeStamp(START_MS + 1, 0, AWS)}` }),
      'malformed',
      'names another state',
    ],
    [
      'whose id names another key',
      (e: ReplicationEvent) => ({ ...e, event_id: e.event_id.replace('user:1', 'user:2') }),
      'malformed',
      'names another state',
    ],
    [
      'whose vector has the stamp of one site for another',
      (e: ReplicationEvent) => ({
        ...e,
        state: { ...e.state, vector: { ...e.state.vector, [AZURE]: e.state.vector[AWS] } },
      }),
      'malformed',
      `for ${AZURE}`,
    ],
    [
      'whose vector names more sites than there can be',
      (e: ReplicationEvent) => ({
        ...e,
        state: {
          ...e.state,
          vector: {
            ...e.state.vector,
            ...Object.fromEntries(
              Array.from({ length: 3_000 }, (_, i) => [`s-${i}`, encodeStamp(START_MS, 0, `s-${i}`)]),
            ),
          },
        },
      }),
      'malformed',
      'must NOT have more than',
    ],
    [
      'larger than an event may be',
      (e: ReplicationEvent) => ({ ...e, payload: { name: 'x'.repeat(eventBytesMax) } }),
      'too_large',
      'at most',
    ],
  ])(
    'a message %s is set aside with its reason, its neighbours are applied',
    async (_, change, reason, detail) => {
      const { aws, azure } = pair();
      const good = await eventText(aws);
      const made = change(JSON.parse(good) as ReplicationEvent);
      const bad = typeof made === 'string' ? made : JSON.stringify(made);
      const { dispositions, applied } = await apply(azure, [message(bad), message(good)]);
      expect(dispositions[0]).toMatchObject({ kind: 'dead', reason });
      expect((dispositions[0] as { detail: string }).detail).toContain(detail);
      expect([dispositions[1]?.kind, applied]).toEqual(['done', 1]);
    },
  );

  test('a newer minor version is applied', async () => {
    const { aws, azure } = pair();
    const body = await eventText(aws, (e) => ({ ...e, specversion: '1.7', novelty: true }));
    expect((await apply(azure, [message(body)])).applied).toBe(1);
  });

  test('a stamp too far ahead is parked and retried, then set aside, never merged', async () => {
    const { aws, azure } = pair();
    aws.nowMs += clockAheadMaxMs + 1;
    const body = await eventText(aws);
    expect((await apply(azure, [message(body)])).dispositions[0]?.kind).toBe('retry');
    expect((await apply(azure, [message(body, inboundAttemptsMax)])).dispositions[0]?.kind).toBe('dead');
    expect(azure.store.items.size).toBe(0);
    azure.nowMs += 1;
    expect((await apply(azure, [message(body)])).applied).toBe(1);
  });

  test('a message older than the horizon about an absent key is refused', async () => {
    const { aws, azure } = pair();
    const body = await eventText(aws);
    azure.nowMs += horizonMs + 1;
    expect((await apply(azure, [message(body)])).dispositions).toMatchObject([
      { kind: 'dead', reason: 'beyond_horizon' },
    ]);
  });

  test('a message older than the horizon does not take a fresh one about the same key along', async () => {
    const { aws, azure } = pair();
    const old = await eventText(aws);
    aws.nowMs += horizonMs + 1;
    azure.nowMs += horizonMs + 1;
    const fresh = await eventText(aws);
    const { dispositions, applied } = await apply(azure, [message(old), message(fresh)]);
    expect([dispositions.map(({ kind }) => kind), applied]).toEqual([['dead', 'done'], 1]);
    expect(azure.held('user:1')?.state).toEqual(aws.held('user:1')?.state);
  });

  test('a first version is written without a read, and merged when the key is there after all', async () => {
    const { aws, azure } = pair();
    let reads = 0;
    azure.store.before = (operation) => {
      if (operation === 'getMany') reads += 1;
    };
    expect((await apply(azure, [message(await eventText(aws))])).applied).toBe(1);
    expect(reads).toBe(0);
    const other = pair();
    await other.azure.write('user:1', { email: 'a@x' });
    expect((await apply(other.azure, [message(await eventText(other.aws))])).applied).toBe(1);
    expect(Object.keys(other.azure.held('user:1')?.state.fields ?? {}).sort()).toEqual(['email', 'name']);
  });

  test.each(['getMany', 'putMany'] as const)(
    'a store that fails in %s hands every message back',
    async (failing) => {
      const { aws, azure } = pair();
      await aws.write('user:1', { email: 'a@x' });
      const body = await eventText(aws);
      azure.store.before = (operation) => {
        if (operation === failing) throw new UnavailableError('throttled');
      };
      expect((await apply(azure, [message(body)])).dispositions[0]?.kind).toBe('retry');
    },
  );

  const logged = (site: TestSite): unknown[] =>
    [...site.store.items.keys()]
      .filter((key) => key.startsWith('conflict:'))
      .map((key) => plainValues(site.held(key)!.state));

  test('logs a concurrent write that lost, with both values and the reason', async () => {
    const { aws, azure } = pair();
    await azure.write('user:1', { name: 'theirs' });
    aws.nowMs += 1;
    const { lost } = await apply(azure, [message(await eventText(aws))]);
    expect(lost).toMatchObject([{ key: 'user:1', conflict: { field: 'name' } }]);
    expect(logged(azure)).toMatchObject([
      {
        record: 'user:1',
        field: 'name',
        loser: { site: AZURE, value: 'theirs' },
        winner: { site: AWS, value: 'Ada' },
        reason: 'newer',
      },
    ]);
  });

  test('logs a conflict as the very same record at every site that meets it, and sends it where it was not met', async () => {
    const { aws, azure } = pair();
    await azure.write('user:1', { name: 'theirs' });
    aws.nowMs += 1;
    const body = await eventText(aws);
    await apply(aws, azure.outboxDeliveries());
    await apply(azure, [message(body)]);
    expect(logged(aws)).toEqual(logged(azure));
    aws.nowMs += sweepGraceMs + 1;
    await aws.run(sweep(aws.site));
    const sent = aws.peers.get(AZURE)?.sent ?? [];
    expect((await apply(azure, sent.map(delivered))).applied).toBe(0);
  });

  test('logs no second time when the store lost its answer and the event came twice', async () => {
    const { aws, azure } = pair();
    await azure.write('user:1', { name: 'theirs' });
    await aws.write('user:1', { email: 'a@x' });
    aws.nowMs += 1;
    const body = await eventText(aws);
    const put = azure.store.putMany.bind(azure.store);
    azure.store.putMany = async (writes) => {
      await put(writes);
      return writes.map(() => ({ status: 'failed', error: new AmbiguousError('no answer') }));
    };
    expect((await apply(azure, [message(body)])).dispositions[0]?.kind).toBe('retry');
    azure.store.putMany = put;
    expect((await apply(azure, [message(body, 2)])).dispositions[0]?.kind).toBe('done');
    expect(logged(azure)).toHaveLength(1);
  });

  test('leaves a write that it cannot log where it is, and the event in its queue', async () => {
    const { aws, azure } = pair();
    await azure.write('user:1', { name: 'theirs' });
    aws.nowMs += 1;
    const body = await eventText(aws);
    const put = azure.store.putMany.bind(azure.store);
    azure.store.putMany = (writes) =>
      writes[0]?.record.key.startsWith('conflict:') === true
        ? Promise.resolve(writes.map(() => ({ status: 'failed', error: new UnavailableError('throttled') })))
        : put(writes);
    expect((await apply(azure, [message(body)])).dispositions[0]?.kind).toBe('retry');
    expect(plainValues(azure.held('user:1')!.state)).toMatchObject({ name: 'theirs' });
  });

  test('logs a value that fills a message without the one that won', async () => {
    const { azure } = pair();
    const loser = [encodeStamp(START_MS, 0, AZURE), 'x'.repeat(eventBytesMax / 2)] as const;
    const winner = [encodeStamp(START_MS + 1, 0, AWS), 'y'.repeat(eventBytesMax / 2)] as const;
    await azure.run(
      logConflicts(azure.site, [{ key: 'user:1', conflict: { field: 'name', loser, winner } }]),
    );
    const [entry] = logged(azure) as { loser: { value: string }; winner: object }[];
    expect([entry?.loser.value.length, Object.keys(entry?.winner ?? {})]).toEqual([
      eventBytesMax / 2,
      ['stamp', 'site'],
    ]);
  });
});

describe('sweep', () => {
  test('sends what has been pending for too long, as it is now, and clears it', async () => {
    const { aws, azure } = pair();
    await aws.write('user:1', { name: 'a' });
    await aws.write('user:1', { name: 'b' });
    aws.nowMs += sweepGraceMs + 1;
    expect(await aws.run(sweep(aws.site))).toMatchObject({
      scanned: 1,
      resent: 1,
      silent: {},
      oldestMs: sweepGraceMs + 1,
    });
    const sent = aws.peers.get(AZURE)?.sent ?? [];
    expect(sent).toHaveLength(1);
    await apply(azure, sent.map(delivered));
    expect(azure.held('user:1')?.state).toEqual(aws.held('user:1')?.state);
    expect(aws.held('user:1')?.pending).toEqual({});
  });

  test.each([
    ['nothing pending', [], undefined, false],
    ['a young key', [1], undefined, false],
    ['a key that is due', [1, sweepGraceMs], undefined, true],
    ['a key from the future', [-sweepGraceMs], undefined, true],
    ['more keys than were looked at', [1], START_MS, true],
  ])('is worth a run: %s', (_title, agesMs, cutAtMs, expected) => {
    const entries = agesMs.map((ms) => ({ key: `user:${ms}`, sinceMs: START_MS - ms, peers: [AZURE] }));
    const page = { entries, indexLagMs: 0, ...(cutAtMs !== undefined && { cutAtMs }) };
    expect(isAnyDue(page, START_MS)).toBe(expected);
  });

  test('leaves what is still young to the ordinary path', async () => {
    const { aws } = pair();
    await aws.write('user:1', { name: 'a' });
    aws.nowMs += sweepGraceMs - 1;
    expect(await aws.run(sweep(aws.site))).toMatchObject({ resent: 0, oldestMs: 0 });
  });

  test('stops at the first page that a silent peer refuses', async () => {
    const { aws } = pair();
    for (let i = 0; i < 250; i += 1) await aws.write(`user:${i}`, { i });
    aws.nowMs += sweepGraceMs + 1;
    let tried = 0;
    const queue = aws.peers.get(AZURE);
    if (queue) {
      queue.refuse = () => {
        tried += 1;
        return new UnavailableError('down');
      };
    }
    expect(await aws.run(sweep(aws.site))).toMatchObject({ resent: 0, silent: { [AZURE]: 'down' } });
    expect(tried).toBe(100);
  });

  test('reaches everything behind a page that cannot be sent', async () => {
    const { aws } = pair();
    for (let i = 0; i < 250; i += 1) {
      aws.nowMs += 1;
      await aws.write(`user:${i}`, { i });
    }
    aws.nowMs += sweepGraceMs + 1;
    const queue = aws.peers.get(AZURE);
    if (queue)
      queue.refuse = ({ body }) => (/"user:\d{1,2}"/.test(body) ? new TooLargeError('no') : undefined);
    const report = await aws.run(sweep(aws.site));
    expect(report).toMatchObject({ resent: 150, silent: {} });
    expect(Object.keys(report.refused[AZURE] ?? {})).toHaveLength(100);
    expect(report.refused[AZURE]).toMatchObject({ 'user:0': 'no' });
  });

  /** Writes `count` keys that only `peer` lacks, the oldest first. */
  async function writeWhileSilent(site: TestSite, peer: string, count: number): Promise<void> {
    refuse(site, peer, new UnavailableError('down'));
    for (let i = 0; i < count; i += 1) {
      site.nowMs += 1;
      await site.write(`user:${i}`, { i });
    }
    await site.run(forward(site.site, site.outboxDeliveries(), checkEvent));
  }

  test('reaches a key of a healthy peer behind almost as many keys of a silent one as a run looks at', async () => {
    const aws = new TestSite(AWS, [AZURE, OTHER]);
    await writeWhileSilent(aws, AZURE, sweepScansMax - 1);
    await aws.write('user:new', { name: 'Ada' });
    aws.nowMs += sweepGraceMs + 1;
    expect(await aws.run(sweep(aws.site))).toMatchObject({ resent: 1, silent: { [AZURE]: 'down' } });
    expect(Object.keys(aws.held('user:new')?.pending ?? {})).toEqual([AZURE]);
  });

  test('looks at a bounded number of keys in one run and goes on behind them in the next', async () => {
    const aws = new TestSite(AWS, [AZURE, OTHER]);
    await writeWhileSilent(aws, AZURE, sweepScansMax);
    await aws.write('user:new', { name: 'Ada' });
    aws.nowMs += sweepGraceMs + 1;
    const first = await aws.run(sweep(aws.site));
    expect(first).toMatchObject({ scanned: sweepScansMax, resent: 0 });
    const second = await aws.run(sweep(aws.site, { after: first.resume }));
    expect(second.resent).toBe(1);
    expect(Object.keys(aws.held('user:new')?.pending ?? {})).toEqual([AZURE]);
  });

  test('that stopped before a silent peer begins again with the oldest key', async () => {
    const { aws } = pair();
    await writeWhileSilent(aws, AZURE, 3);
    aws.nowMs += sweepGraceMs + 1;
    const { resume } = await aws.run(sweep(aws.site));
    expect(resume).toMatchObject({ key: 'user:2' });
    refuse(aws, AZURE, undefined);
    expect(await aws.run(sweep(aws.site, { after: resume }))).toMatchObject({ resent: 3 });
  });

  test('finds what was marked by a clock that was far ahead', async () => {
    const { aws } = pair();
    aws.nowMs += 3_600_000;
    await aws.write('user:ahead', { name: 'Ada' });
    aws.nowMs -= 3_600_000;
    expect(await aws.run(sweep(aws.site))).toMatchObject({ resent: 1 });
    expect(aws.held('user:ahead')?.pending).toEqual({});
  });

  test('an index that lags resends nothing', async () => {
    const { aws } = pair();
    await aws.write('user:1', { name: 'a' });
    aws.nowMs += sweepGraceMs + 1;
    const stale = await aws.store.pending(aws.nowMs, 10);
    await aws.run(forward(aws.site, aws.outboxDeliveries(), checkEvent));
    aws.store.pending = (_beforeMs, _limit, after) => Promise.resolve(after === undefined ? stale : []);
    expect(await aws.run(sweep(aws.site))).toMatchObject({ resent: 0 });
    expect(aws.peers.get(AZURE)?.sent).toHaveLength(1);
  });
});

describe('a record that a peer refuses for good', () => {
  const refusing = (): TestSite => {
    const { aws } = pair();
    const queue = aws.peers.get(AZURE);
    if (queue) {
      queue.refuse = ({ body }) =>
        body.includes('"user:bad"') ? new RefusedError('no such text') : undefined;
    }
    return aws;
  };

  test('is set aside by forward with its reason, and its neighbours cross', async () => {
    const aws = refusing();
    for (const id of ['1', 'bad', '2']) await aws.write(`user:${id}`, { name: 'Ada' });
    const dispositions = await aws.run(forward(aws.site, aws.outboxDeliveries(), checkEvent));
    expect(dispositions).toEqual([
      { kind: 'done' },
      { kind: 'dead', reason: 'refused', detail: 'no such text' },
      { kind: 'done' },
    ]);
    expect(aws.held('user:bad')?.pending).toHaveProperty([AZURE]);
  });

  test('does not make the sweeper take the peer for silent, and is named by it', async () => {
    const aws = refusing();
    for (const id of ['1', 'bad', '2']) await aws.write(`user:${id}`, { name: 'Ada' });
    aws.nowMs += sweepGraceMs + 1;
    const report = await aws.run(sweep(aws.site));
    expect(report).toMatchObject({
      resent: 2,
      silent: {},
      refused: { [AZURE]: { 'user:bad': 'no such text' } },
    });
    expect(report).not.toHaveProperty('resume');
  });

  test('is marked by a repair, which sends all others', async () => {
    const aws = refusing();
    const keys = ['user:1', 'user:bad', 'user:2'];
    for (const key of keys) await aws.write(key, { name: 'Ada' });
    expect(await aws.run(mark(aws.site, AZURE, keys))).toBe(3);
    const left = keys.filter((key) => AZURE in (aws.held(key)?.pending ?? {}));
    expect(left).toEqual(['user:bad']);
  });
});
