/** What one caller may ask of a site, whose functions run in many instances. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { isOwnBusiness } from '@tandem-clouds/replication/reserved';
import { pocketShare } from '../../../src/shared/bounds.ts';
import { filled, type Limit, taken, untilOneMs } from '../../../src/shared/domain/token-bucket.ts';
import { TooManyRequestsError } from '../../../src/shared/errors.ts';
import { type CallerLimits, LimitsOfCallers } from '../../../src/shared/http/caller-limits.ts';
import { problemReply } from '../../../src/shared/http/problem.ts';
import { MemoryStore } from '../../helpers/memory-store.ts';

const LIMIT: Limit = { perSecond: 20, burst: 100 };
const START_MS = 1_800_000_000_000;

interface TestInstances {
  readonly store: MemoryStore;
  readonly instances: readonly LimitsOfCallers[];
  readonly clock: { nowMs: number };
  calls: number;
}

function instancesOf(count: number, limits: CallerLimits = { requests: LIMIT }): TestInstances {
  const store = new MemoryStore();
  const clock = { nowMs: START_MS };
  const at: TestInstances = {
    store,
    clock,
    calls: 0,
    instances: Array.from(
      { length: count },
      () => new LimitsOfCallers({ site: 'aws-us-east-1', limits, store, now: () => clock.nowMs }),
    ),
  };
  store.before = () => void (at.calls += 1);
  return at;
}

/** Whether it was granted. */
async function asks(limits: LimitsOfCallers, identity = 'ann'): Promise<boolean> {
  try {
    await limits.take(identity, ['requests']);
    return true;
  } catch (error) {
    if (error instanceof TooManyRequestsError) return false;
    throw error;
  }
}

async function granted(limits: LimitsOfCallers, count: number, identity = 'ann'): Promise<number> {
  let granted = 0;
  for (let i = 0; i < count; i += 1) granted += Number(await asks(limits, identity));
  return granted;
}

test('whoever asks more than the limit is refused until there is room again, and nobody else is', async () => {
  const { instances, clock } = instancesOf(1);
  const [one] = instances as [LimitsOfCallers];
  expect(await granted(one, 300)).toBe(LIMIT.burst * (1 + pocketShare));
  await expect(one.take('ann', ['requests'])).rejects.toThrow(
    'this site takes 20 requests a second of one caller, and 100 at once',
  );
  expect(await asks(one, 'bob')).toBe(true);
  clock.nowMs += 1_000;
  expect(await granted(one, 100)).toBe(LIMIT.perSecond * (1 + pocketShare));
});

test('however many instances serve a caller and whenever, each adds its pocket to the limit and no more', async () => {
  const step = fc.record({
    instance: fc.nat(4),
    pauseMs: fc.constantFrom(0, 0, 0, 1, 7, 50, 400),
    count: fc.nat(40),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { instances, clock } = instancesOf(5);
      let sum = 0;
      for (const { instance, pauseMs, count } of steps) {
        clock.nowMs += pauseMs;
        sum += await granted(instances[instance]!, count);
        const most = LIMIT.burst + ((clock.nowMs - START_MS) / 1_000) * LIMIT.perSecond;
        expect(sum).toBeLessThanOrEqual(most * (1 + 5 * pocketShare));
      }
    }),
    { numRuns: 100 },
  );
});

test('requests at the same time, at several instances, share what there is', async () => {
  const { instances } = instancesOf(4);
  const all = await Promise.all(Array.from({ length: 400 }, (_, i) => asks(instances[i % 4]!)));
  const count = all.filter(Boolean).length;
  expect(count).toBeLessThanOrEqual(LIMIT.burst * (1 + 4 * pocketShare));
  expect(count).toBeGreaterThan(LIMIT.burst / 4);
});

test('whoever asks little costs the store nothing, and who asks much a call for ten requests', async () => {
  const at = instancesOf(1);
  const [one] = at.instances as [LimitsOfCallers];
  for (let i = 0; i < 50; i += 1) {
    expect(await asks(one)).toBe(true);
    at.clock.nowMs += 1_000;
  }
  expect(at.calls).toBe(0);
  expect(await granted(one, 85)).toBe(85);
  // 80 beyond the pocket, ten at a time, each a read and a write.
  expect(at.calls).toBe(16);
});

test('a caller who is refused costs the store nothing more until there may be room', async () => {
  const at = instancesOf(1);
  const [one] = at.instances as [LimitsOfCallers];
  await granted(one, 200);
  const before = at.calls;
  await granted(one, 1_000);
  expect(at.calls).toBe(before);
});

test('a store that does not answer refuses nobody', async () => {
  const { instances, store } = instancesOf(1);
  store.before = () => {
    throw new UnavailableError('no answer');
  };
  expect(await granted(instances[0]!, 500)).toBe(500);
});

test('each kind has a bucket of its own, and what is not named is not limited', async () => {
  const { instances } = instancesOf(1, { writes: { perSecond: 1, burst: 1 } });
  const [one] = instances as [LimitsOfCallers];
  for (let i = 0; i < 100; i += 1) await one.take('ann', ['requests', 'waitingReads']);
  await one.take('ann', ['requests', 'writes']);
  await one.take('ann', ['requests', 'writes']);
  await expect(one.take('ann', ['requests', 'writes'])).rejects.toThrow(TooManyRequestsError);
});

test('a bucket is a record of the site alone, and names nobody', async () => {
  const { instances, store } = instancesOf(1);
  await granted(instances[0]!, 10, 'ann of acme');
  const [[key, { record }] = ['', undefined as never]] = store.items;
  expect([isOwnBusiness(key), record.pending]).toEqual([true, {}]);
  expect(key).toMatch(/^limit:requests\.[0-9a-f]{40}$/);
  expect(JSON.stringify(record)).not.toContain('acme');
});

test('the answer is 429 and says when to come back', () => {
  const { status, headers, body } = problemReply(new TooManyRequestsError('too much', 3), 'r1');
  expect([status, headers?.['retry-after'], (body as { code: string }).code]).toEqual([
    429,
    '3',
    'too_many_requests',
  ]);
});

test('a bucket fills with time up to its burst, and a clock that goes back takes nothing', () => {
  const { left, count } = taken(filled(undefined, LIMIT, 0), 150);
  expect([left, count]).toEqual([{ tokens: 0, atMs: 0 }, 100]);
  expect(untilOneMs(left, LIMIT)).toBe(50);
  expect(filled(left, LIMIT, 500).tokens).toBe(10);
  expect(filled(left, LIMIT, 3_600_000).tokens).toBe(100);
  expect(filled({ tokens: 5, atMs: 1_000 }, LIMIT, 0)).toEqual({ tokens: 5, atMs: 1_000 });
});
