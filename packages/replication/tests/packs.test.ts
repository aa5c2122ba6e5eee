import { describe, expect, test } from '@jest/globals';
import { UnreadableError } from '../../../src/shared/errors.ts';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { checkStep } from '../../../src/shared/validation/check-step.ts';
import { delivered, TestSite } from '../../../tests/helpers/test-site.ts';
import { verify } from '../src/anti-entropy/verify.ts';
import { applyBatch, type ApplyReport } from '../src/apply.ts';
import { packAttemptsMax, sweepGraceMs, sweepPageSize, sweepThrottlesMax } from '../src/bounds.ts';
import { RefusedError, ThrottledError, TooLargeError } from '../src/errors.ts';
import { beat, leaveNotes, outlook, recoveryAfter, recoveryOf } from '../src/heartbeat.ts';
import { sweep } from '../src/sweep.ts';

const AWS = 'aws-us-east-1';
const AZURE = 'azure-eastus';
const OTHER = 'aws-eu-west-1';
const KEYS = sweepPageSize + 50;

/** A site with a backlog, and a peer whose heartbeat it has heard. */
async function backlog(): Promise<{ aws: TestSite; azure: TestSite }> {
  const aws = new TestSite(AWS);
  const azure = new TestSite(AZURE, [AWS]);
  await azure.run(beat(azure.site));
  await aws.run(applyBatch(aws.site, azure.outboxDeliveries(), checkEvent));
  for (let i = 0; i < KEYS; i += 1) await aws.write(`user:${i}`, { name: `n${i}` });
  aws.nowMs += sweepGraceMs + 1;
  azure.nowMs = aws.nowMs;
  return { aws, azure };
}

const packsFor = (site: TestSite, peer: string) => site.verifiers.get(peer)?.sent ?? [];

function take(site: TestSite, body: string, attempts = 1, reports: ApplyReport[] = []) {
  return site.run(
    verify(site.site, [{ ...delivered({ id: 'p', body }), attempts }], checkStep, {
      packs: { check: checkEvent, applied: (report) => reports.push(report) },
    }),
  );
}

/** A site whose peers include itself: what a pack leaves goes to its own inbound queue. */
function withInbox(site: TestSite): TestSite {
  const inbox = new TestSite(site.site.site).outbox;
  (site.peers as Map<string, typeof inbox>).set(site.site.site, inbox);
  return site;
}

describe('a backlog', () => {
  test('crosses in packs beside the inbound queue, and is there afterwards', async () => {
    const { aws, azure } = await backlog();
    const report = await aws.run(sweep(aws.site, { packs: true }));
    expect(report).toMatchObject({ scanned: KEYS, resent: KEYS, silent: {}, refused: {} });
    // The last page is short, and goes the ordinary way.
    expect(aws.peers.get(AZURE)?.sent).toHaveLength(50);
    expect(packsFor(aws, AZURE)).toHaveLength(1);
    const reports: ApplyReport[] = [];
    expect(await take(azure, packsFor(aws, AZURE)[0]?.body ?? '', 1, reports)).toEqual([{ kind: 'done' }]);
    expect(reports).toMatchObject([{ applied: sweepPageSize }]);
    expect(azure.held('user:0')?.state.fields['name']?.[1]).toBe('n0');
    expect(aws.held('user:0')?.pending).toEqual({});
  });

  test('of what one site writes at a time crosses by the inbound queue, which a promotion looks at', async () => {
    const { aws } = await backlog();
    aws.site = { ...aws.site, declaredWriter: (key) => (key.startsWith('user:') ? AWS : undefined) };
    expect(await aws.run(sweep(aws.site, { packs: true }))).toMatchObject({ resent: KEYS });
    expect([aws.peers.get(AZURE)?.sent.length, packsFor(aws, AZURE).length]).toEqual([KEYS, 0]);
  });

  test('lets a write whose message was lost meanwhile cross before all that is older', async () => {
    const { aws } = await backlog();
    aws.nowMs += 3_600_000;
    await aws.write('user:late', { name: 'late' });
    aws.nowMs += sweepGraceMs + 1;
    const { resume } = await aws.run(sweep(aws.site, { packs: true, keysMax: 1 }));
    expect(Object.keys(aws.held('user:late')?.pending ?? {})).toEqual([AZURE]);
    const next = await aws.run(sweep(aws.site, { packs: true, keysMax: 1, after: resume }));
    expect(next).toMatchObject({ scanned: 1, resent: 1, resume });
    expect(aws.held('user:late')?.pending).toEqual({});
    // By the queue of live events, not among packs.
    expect(aws.peers.get(AZURE)?.sent).toHaveLength(1);
  });

  test('crosses message by message to a peer that was never heard, and where nobody sends packs', async () => {
    for (const options of [{ packs: false }, { packs: true }]) {
      const { aws } = await backlog();
      if (options.packs) aws.store.items.delete(`heartbeat:${AZURE}`);
      await aws.run(sweep(aws.site, options));
      expect(packsFor(aws, AZURE)).toEqual([]);
      expect(aws.peers.get(AZURE)?.sent).toHaveLength(KEYS);
    }
  });

  test('stays marked when the queue refuses a pack, and is taken apart when it refuses it for good', async () => {
    const { aws } = await backlog();
    const queue = aws.verifiers.get(AZURE)!;
    const refuse = (error: Error) => (queue.send = (messages) => Promise.resolve(messages.map(() => error)));
    refuse(new RefusedError('a character that it does not take'));
    expect(await aws.run(sweep(aws.site, { packs: true }))).toMatchObject({ resent: KEYS, refused: {} });
    expect(aws.peers.get(AZURE)?.sent).toHaveLength(KEYS);

    const again = await backlog();
    again.aws.verifiers.get(AZURE)!.send = (messages) =>
      Promise.resolve(messages.map(() => new ThrottledError('busy', { retryAfterMs: 10 })));
    const { resent, silent } = await again.aws.run(sweep(again.aws.site, { packs: true }));
    expect([resent, silent]).toEqual([0, { [AZURE]: 'busy' }]);
    expect(again.aws.held('user:0')?.pending).toHaveProperty(AZURE);
  });

  test('waits for as long as a throttled queue asks for, and goes on where it was', async () => {
    const { aws } = await backlog();
    const queue = aws.verifiers.get(AZURE)!;
    const take = queue.send.bind(queue);
    let refusals = 3;
    queue.send = (messages) =>
      (refusals -= 1) >= 0
        ? Promise.resolve(messages.map(() => new ThrottledError('busy', { retryAfterMs: 700 })))
        : take(messages);
    const slept: number[] = [];
    aws.sleep = (ms) => {
      slept.push(ms);
      aws.nowMs += ms;
      return Promise.resolve();
    };
    expect(await aws.run(sweep(aws.site, { packs: true }))).toMatchObject({ resent: KEYS, silent: {} });
    expect(slept.filter((ms) => ms === 700)).toHaveLength(3);
  });

  test('for a peer that throttles keeps nobody else waiting', async () => {
    const aws = new TestSite(AWS, [AZURE, OTHER]);
    for (let i = 0; i < KEYS; i += 1) await aws.write(`user:${i}`, { name: `n${i}` });
    aws.nowMs += sweepGraceMs + 1;
    aws.peers.get(AZURE)!.send = (messages) =>
      Promise.resolve(messages.map(() => new ThrottledError('busy', { retryAfterMs: 60_000 })));
    await aws.run(sweep(aws.site, { keysMax: KEYS }));
    expect(aws.peers.get(OTHER)?.sent).toHaveLength(KEYS);
  });

  test('goes on when its own store throttles what clears: a page of refusals is one', async () => {
    const { aws } = await backlog();
    const busy = [1, 900, 2].map((retryAfterMs) => new ThrottledError('busy', { retryAfterMs }));
    aws.store.clearPending = (requests) => Promise.resolve(requests.map((_, index) => busy[index % 3]));
    const slept: number[] = [];
    aws.sleep = (ms) => {
      slept.push(ms);
      aws.nowMs += ms;
      return Promise.resolve();
    };
    const report = await aws.run(sweep(aws.site, { packs: true }));
    expect(report).toMatchObject({ resent: KEYS, silent: {}, refused: {} });
    expect(slept).toContain(900);
    expect(aws.held('user:0')?.pending).toHaveProperty(AZURE);
  });

  test('crosses without the keys that fail for good, which are named', async () => {
    const { aws } = await backlog();
    aws.store.bad.set('user:3', { read: new UnreadableError('no record') });
    aws.store.bad.set('user:5', { change: new RefusedError('no change') });
    const { resent, silent, refused } = await aws.run(sweep(aws.site, { packs: true }));
    expect([resent, silent]).toEqual([KEYS - 1, {}]);
    expect(refused).toEqual({ [AZURE]: { 'user:3': 'no record', 'user:5': 'no change' } });
    expect(packsFor(aws, AZURE)).toHaveLength(1);
  });

  test('ends the run when its own store throttles for too long', async () => {
    const { aws } = await backlog();
    let requested = 0;
    aws.store.getMany = () => {
      requested += 1;
      return Promise.reject(new ThrottledError('busy', { retryAfterMs: 1 }));
    };
    expect(await aws.run(sweep(aws.site))).toMatchObject({ resent: 0, silent: {} });
    expect(requested).toBe(sweepThrottlesMax + 1);
  });
});

describe('a pack', () => {
  const spoilt = async (): Promise<{ azure: TestSite; body: string; key: unknown }> => {
    const { aws, azure } = await backlog();
    await aws.run(sweep(aws.site, { packs: true }));
    const pack = JSON.parse(packsFor(aws, AZURE)[0]?.body ?? '') as { events: Record<string, unknown>[] };
    pack.events[3] = { ...pack.events[3], specversion: '9.0' };
    return { azure: withInbox(azure), body: JSON.stringify(pack), key: pack.events[3]['key'] };
  };

  test('with an event that can never be applied leaves just that to the ordinary queue', async () => {
    const { azure, body, key } = await spoilt();
    expect(await take(azure, body)).toEqual([{ kind: 'done' }]);
    const [left, ...more] = azure.peers.get(AZURE)?.sent ?? [];
    expect([JSON.parse(left?.body ?? ''), more]).toMatchObject([{ specversion: '9.0', key }, []]);
    expect(azure.held('user:4')).toBeDefined();
  });

  test('is not done while the ordinary queue does not take what is left', async () => {
    const { azure, body } = await spoilt();
    azure.peers.get(AZURE)!.send = (messages) =>
      Promise.resolve(messages.map(() => new TooLargeError('full')));
    expect(await take(azure, body)).toMatchObject([{ kind: 'retry' }]);
  });

  test('whose store throttles is tried again as a whole, and then what is left goes on alone', async () => {
    const { aws, azure } = await backlog();
    await aws.run(sweep(aws.site, { packs: true }));
    const body = packsFor(aws, AZURE)[0]?.body ?? '';
    withInbox(azure).store.putMany = (writes) =>
      Promise.resolve(
        writes.map(() => ({ status: 'failed', error: new ThrottledError('busy', { retryAfterMs: 1 }) })),
      );
    expect(await take(azure, body)).toMatchObject([{ kind: 'retry', error: { name: 'ThrottledError' } }]);
    expect(await take(azure, body, packAttemptsMax)).toEqual([{ kind: 'done' }]);
    expect(azure.peers.get(AZURE)?.sent).toHaveLength(sweepPageSize);
  });

  test('of a site that is no peer is set aside', async () => {
    const { azure } = await backlog();
    const body = JSON.stringify({ kind: 'pack', from: 'gcp-9', events: [{}] });
    expect(await take(azure, body)).toMatchObject([{ kind: 'dead', reason: 'foreign' }]);
  });
});

describe('what is known of a backlog that is being sent', () => {
  test('is its rate and when it will be done, by how far it has come', async () => {
    const site = new TestSite(AWS);
    const startMs = site.nowMs;
    const first = { startMs, oldestMs: 3_600_000, resent: 3_000 };
    const resume = { sinceMs: startMs - 3_000_000, key: 'user:a' };
    const recovery = recoveryAfter(undefined, { ...first, resume });
    site.nowMs += 10_000;
    const notes = { sweptTo: resume, silent: {}, refused: {} };
    const noted = await site.run(leaveNotes(site.site, { ...notes, recovery }));
    expect(recoveryOf(noted)).toEqual({ beganAtMs: startMs, fromMs: startMs - 3_600_000, sent: 3_000 });
    const { keysPerSecond, doneAtMs = 0 } = outlook(noted, site.nowMs) ?? {};
    expect(keysPerSecond).toBe(300);
    // A sixth took ten seconds.
    expect(doneAtMs - site.nowMs).toBe(50_000);

    const second = recoveryAfter(noted, {
      ...first,
      resume: { sinceMs: startMs - 1_000_000, key: 'user:b' },
    });
    expect(second).toEqual({ beganAtMs: startMs, fromMs: startMs - 3_600_000, sent: 6_000 });
    expect(recoveryAfter(noted, { ...first, resume: undefined })).toBeUndefined();
  });
});
