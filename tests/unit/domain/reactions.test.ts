/** Reactions from their declaration to what is done: one site, an effect that the test does. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { applyBatch } from '@tandem-clouds/replication/apply';
import {
  effectsPerHourMax,
  providerMemoryMs,
  reactionAttemptsMax,
  reactionPauseMaxMs,
  reactionPauseMs,
  reactionRunMs,
} from '@tandem-clouds/replication/bounds';
import { RefusedError, UnavailableError } from '@tandem-clouds/replication/errors';
import { eventOf } from '@tandem-clouds/replication/event';
import type { Json } from '@tandem-clouds/replication/json';
import { change } from '@tandem-clouds/replication/policies/set';
import type { Site } from '@tandem-clouds/replication/protocol';
import { driveReact } from '@tandem-clouds/replication/reactions/drive-react';
import { wakeDue } from '@tandem-clouds/replication/reactions/due';
import type { ReactionEntry } from '@tandem-clouds/replication/reactions/entry';
import { react, type ReactOptions, type Step } from '@tandem-clouds/replication/reactions/react';
import { setEntries } from '@tandem-clouds/replication/reactions/scan';
import { DELETED } from '@tandem-clouds/replication/record';
import { digest } from '../../../src/shared/digest.ts';
import { defineEntity } from '../../../src/shared/domain/define-entity.ts';
import type { FieldChanges, ReactionContext, Values } from '../../../src/shared/domain/entity.ts';
import { reactionsOf, runReaction } from '../../../src/shared/domain/reactions.ts';
import type { Services } from '../../../src/shared/ports/services.ts';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { delivered, START_MS, TestSite } from '../../helpers/test-site.ts';

const AWS = 'aws-us-east-1';
const AZURE = 'azure-eastus';
const KEY = 'order:7';

let calls: { record: Values; context: ReactionContext }[];
let lookups: number;
/** By what was written while reactions ran. */
let woken: string[];
let answer: (record: Values) => FieldChanges | undefined;
let found: FieldChanges | undefined;
const run = (record: Values, context: ReactionContext): Promise<never> => {
  calls.push({ record, context });
  // Whatever it returns is checked as anything that code returns.
  return Promise.resolve().then(() => answer(record)) as Promise<never>;
};

const orderOf = (version = 1) =>
  defineEntity({
    name: 'order',
    collection: 'orders',
    idField: 'orderId',
    description: 'An order',
    required: [],
    fields: {
      status: { type: 'string' },
      mailed: { type: 'string', by: ['client', 'reaction'] },
      tags: { type: 'array', items: { type: 'string' }, merge: 'set' },
      at: { type: 'integer' },
      note: { type: 'string' },
      name: { type: 'string' },
      level: { type: 'integer', by: ['client', 'reaction'] },
    },
    reactions: {
      mail: {
        on: ['status', 'tags'],
        when: ({ status, mailed }) => status !== undefined && status !== mailed && status !== 'quiet',
        run,
        version,
        lookup: () => {
          lookups += 1;
          return Promise.resolve(found as never);
        },
      },
      later: { on: ['at'], when: ({ at, note }) => (at === undefined || note === 'seen' ? false : at), run },
      greet: { on: ['name'], when: ({ name }) => name !== undefined, once: () => '', run },
      climb: { on: ['level'], when: ({ level = 0 }) => level > 0, run },
      index: { on: ['note'], site: 'every', when: ({ note }) => note !== undefined, run },
      bad: { on: ['note'], when: ({ note }) => note === 'bad' && Number(JSON.parse('{')) > 0, run },
    },
    example: {},
  });

let order = orderOf();
let aws: TestSite;
let reacting: Site;
const write = (fields: Record<string, Json>, site = aws) => site.write(KEY, fields);
const entry = (reaction: string, site = aws): ReactionEntry | undefined =>
  site.held(KEY)?.reactions?.[reaction];

/** These reactions use none. */
const noServices = {} as Services;

function siteOf(name: string, peers: readonly string[], more: Partial<Site> = {}): TestSite {
  const site = new TestSite(name, peers);
  const reactions = reactionsOf([order], digest);
  Object.assign(site.site, { ...(reactions && { reactions }), ...more });
  return site;
}

function reactAt(site: TestSite, options: ReactOptions = {}): Promise<readonly Step[]> {
  const waker = (keys: readonly string[]): Promise<void> => {
    woken.push(...keys);
    return Promise.resolve();
  };
  return driveReact(react(site.site, KEY, options), {
    resources: { store: site.store, outbox: site.outbox, sleep: () => Promise.resolve(), waker },
    run: (effect) =>
      runReaction([order], effect, {
        site: site.site.site,
        now: site.site.now,
        signal: AbortSignal.timeout(1_000),
        services: noServices,
        byMember: true,
        check: () => [],
      }),
  });
}

/** What a site has written arrives at another. */
async function cross(from: TestSite, to: TestSite): Promise<void> {
  const record = from.held(KEY);
  if (record === undefined) throw new Error('nothing is there');
  const version = record.version ?? Object.values(record.state.vector).sort().at(-1) ?? '';
  const event = eventOf({ ...record, version }, { source: from.site.site, nowMs: from.nowMs });
  await to.run(applyBatch(to.site, [delivered({ id: 'm', body: JSON.stringify(event) })], checkEvent));
}

beforeEach(() => {
  order = orderOf();
  aws = siteOf(AWS, [AZURE]);
  reacting = aws.site;
  calls = [];
  lookups = 0;
  woken = [];
  found = undefined;
  answer = ({ status, level }) =>
    level === undefined ? { mailed: status ?? null } : { level: Number(level) + 1 };
});

describe('an entry', () => {
  test('is durable in the put that makes the condition true, and gone when its effect is', async () => {
    await write({ status: 'paid' });
    expect(entry('mail')).toMatchObject({ dueMs: START_MS });
    expect(await reactAt(aws)).toMatchObject([{ kind: 'done', reaction: 'mail', lagMs: 0 }]);
    expect(calls[0]?.record).toMatchObject({ id: '7', status: 'paid', tags: [] });
    expect(entry('mail')?.effectId).toBeUndefined();
    expect(entry('mail')?.done).toBe(calls[0]?.context.effectId);
    expect(aws.held(KEY)?.state.fields['mailed']?.[1]).toBe('paid');
    expect(await aws.store.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  });

  test('is not set for what held before a write that has nothing to do with it', async () => {
    const old = new TestSite(AWS, [AZURE]);
    await write({ status: 'paid' }, old);
    const held = old.held(KEY);
    await aws.store.putMany([{ record: held!, expected: undefined }]);
    await aws.write(KEY, { at: START_MS + 60_000 }, { operationId: 'another' });
    expect(Object.keys(aws.held(KEY)?.reactions ?? {})).toEqual(['later']);
    await aws.run(setEntries(reacting, { entity: 'order', reaction: 'mail' }));
    expect(entry('mail')).toMatchObject({ dueMs: START_MS });
  });

  test('is set by a merge that makes true what neither write did, at the site of the newest stamp', async () => {
    const azure = siteOf(AZURE, [AWS]);
    await write({ status: 'quiet' });
    await cross(aws, azure);
    azure.nowMs += 5;
    await write({ status: 'paid', mailed: 'paid' });
    await azure.write(KEY, { mailed: 'quiet' });
    await cross(aws, azure);
    await cross(azure, aws);
    expect(entry('mail')).toBeDefined();
    expect(entry('mail', azure)).toBeUndefined();
  });

  test('goes with its condition, by a write and by a delete', async () => {
    await write({ status: 'paid' });
    await write({ status: 'quiet' });
    expect(entry('mail')).toBeUndefined();
    await write({ status: 'paid' });
    await write({ [DELETED]: true });
    expect(aws.held(KEY)?.reactions).toBeUndefined();
    expect(await reactAt(aws)).toEqual([]);
  });

  test('of a moment to come waits for it, and follows it', async () => {
    await write({ at: START_MS + 60_000 });
    expect(await reactAt(aws)).toEqual([]);
    await write({ at: START_MS + 30_000 });
    aws.nowMs += 30_000;
    answer = () => ({ level: 0 });
    expect(await reactAt(aws)).toMatchObject([{ kind: 'done', reaction: 'later' }]);
    expect(entry('later')).toMatchObject({ parked: { reason: 'stands' } });
  });
});

describe('the name of an effect', () => {
  const nameOf = async (act: () => Promise<unknown>): Promise<string | undefined> => {
    await act();
    return entry('mail')?.effectId;
  };

  test('changes with a stamp of a watched field, slots of sets included, and with nothing else', async () => {
    const first = await nameOf(() => write({ status: 'paid' }));
    expect(await nameOf(() => write({ note: 'x' }))).toBe(first);
    const tagged = await nameOf(() =>
      aws.write(KEY, {}, { decide: () => ({ tags: change({ add: ['a'] }) }) }),
    );
    expect(tagged).not.toBe(first);
    expect(tagged).toMatch(/^mail-v1-[\w-]{32}$/);
  });

  test('is the same at every site, and another one by version', async () => {
    await write({ status: 'paid' });
    const azure = siteOf(AZURE, [], { retired: [AWS] });
    Object.assign(azure.site, { peers: [AWS] });
    await cross(aws, azure);
    const conditions = azure.site.reactions?.conditions(KEY, azure.held(KEY)!.state, START_MS);
    expect(conditions?.find(({ reaction }) => reaction === 'mail')).toMatchObject({
      effectId: entry('mail')?.effectId,
      origin: AWS,
    });
    const raised = reactionsOf([orderOf(2)], digest)?.conditions(KEY, aws.held(KEY)!.state, START_MS);
    expect(raised?.[0]?.effectId).toMatch(/^mail-v2-/);
  });
});

describe('an attempt', () => {
  const fail = (error: Error): void => {
    answer = () => {
      throw error;
    };
  };

  test('that fails is made again later and later, and parked with its reason after the bound', async () => {
    fail(new Error('no route'));
    await write({ status: 'paid' });
    const pauses: number[] = [];
    for (let i = 0; i < reactionAttemptsMax; i += 1) {
      expect(await reactAt(aws)).toMatchObject([{ kind: 'failed', detail: 'no route' }]);
      pauses.push((entry('mail')?.dueMs ?? 0) - aws.nowMs);
      aws.nowMs = entry('mail')?.dueMs ?? 0;
    }
    expect(pauses.slice(0, 3)).toEqual([reactionPauseMs, 2 * reactionPauseMs, 4 * reactionPauseMs]);
    expect(Math.max(...pauses)).toBe(reactionPauseMaxMs);
    expect(aws.nowMs - START_MS).toBeLessThan(providerMemoryMs);
    expect(new Set(calls.map(({ context }) => context.effectId)).size).toBe(1);
    expect(await reactAt(aws)).toMatchObject([{ kind: 'parked', reason: 'failed' }]);
    expect(entry('mail')).toMatchObject({ parked: { reason: 'failed' }, detail: 'no route' });
  });

  test('is made again before its pause is over when what it is about is written, and not beside itself', async () => {
    fail(new UnavailableError('no answer'));
    await write({ name: 'a' });
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      aws.nowMs = entry('greet')?.dueMs ?? 0;
      await reactAt(aws);
    }
    const begunMs = aws.nowMs;
    expect(entry('greet')).toMatchObject({ attempts: 3, dueMs: begunMs + 4 * reactionPauseMs });
    await write({ note: 'other' });
    expect(entry('greet')?.dueMs).toBe(begunMs + 4 * reactionPauseMs);
    aws.nowMs += 1;
    await write({ name: 'b' });
    expect(entry('greet')).toMatchObject({ attempts: 3, dueMs: begunMs + reactionRunMs });
  });

  test('that no later one can mend is parked at once', async () => {
    fail(new RefusedError('no such address'));
    await write({ status: 'paid' });
    expect(await reactAt(aws)).toMatchObject([{ kind: 'parked', reason: 'refused' }]);
  });

  test('that was overtaken by another change has failed, and parks nothing', async () => {
    await write({ status: 'paid' });
    answer = (async () => {
      await write({ status: 'sent' });
      throw new RefusedError('no such address');
    }) as never;
    expect((await reactAt(aws))[0]).toMatchObject({ kind: 'failed', detail: 'no such address' });
    expect(entry('mail')?.parked?.reason).not.toBe('broken');
  });

  test('after the provider has forgotten the key is looked up first', async () => {
    fail(new UnavailableError('no answer'));
    await write({ status: 'paid' });
    await reactAt(aws);
    aws.nowMs += providerMemoryMs;
    found = { mailed: 'paid' };
    expect(await reactAt(aws)).toMatchObject([{ kind: 'done' }]);
    expect([calls.length, lookups]).toEqual([1, 1]);
  });

  test('that cannot be looked up is parked instead', async () => {
    fail(new UnavailableError('no answer'));
    await write({ at: START_MS });
    await reactAt(aws);
    aws.nowMs += providerMemoryMs;
    expect(await reactAt(aws)).toMatchObject([{ kind: 'parked', reason: 'forgotten' }]);
  });

  test('whose condition has become another one meanwhile writes nothing, and the other is done', async () => {
    await write({ status: 'paid' });
    answer = (async ({ status }: Values) => {
      if (calls.length === 1) await write({ status: 'sent' });
      return { mailed: status ?? null };
    }) as never;
    const steps = await reactAt(aws);
    expect(steps).toMatchObject([{ kind: 'overtaken', unwritten: ['mailed'] }, { kind: 'done' }]);
    expect(aws.held(KEY)?.state.fields['mailed']?.[1]).toBe('sent');
  });

  test.each([
    ['is done at once, and wakes nobody', 3, 3, []],
    ['is woken when there is no time for it', 1, 1, [KEY]],
  ])('whose result makes the next one due: it %s', async (_, most, done, keys) => {
    await write({ level: 1 });
    answer = ({ level }) => ({ level: (Number(level) + 1) % 4 });
    let begun = 0;
    expect(await reactAt(aws, { goesOn: () => (begun += 1) <= most })).toHaveLength(done);
    expect(woken).toEqual(keys);
  });

  test('of one site is made before those of every site, whichever was due first', async () => {
    await write({ note: 'a' });
    aws.nowMs += 1;
    await write({ level: 1 });
    answer = ({ level }) => (level === undefined ? undefined : { level: 0 });
    expect((await reactAt(aws)).map(({ reaction }) => reaction)).toEqual(['climb', 'index']);
  });

  test.each([
    ['another one was done, which writes nothing', 1, ['index']],
    ['nothing was looked at', 0, []],
  ])('that there was no time for is woken when %s', async (_, most, done) => {
    await write({ note: 'a', at: START_MS + 1 });
    answer = () => {
      aws.nowMs += 1;
      return undefined;
    };
    let begun = 0;
    const steps = await reactAt(aws, { goesOn: () => (begun += 1) <= most });
    expect(steps.map(({ reaction }) => reaction)).toEqual(done);
    expect(woken).toEqual([KEY]);
  });

  test('at a paused reaction is put off', async () => {
    await write({ status: 'paid' });
    expect(await reactAt(aws, { isPaused: () => true })).toMatchObject([{ kind: 'postponed' }]);
    expect(calls).toEqual([]);
    expect(entry('mail')?.attempts).toBeUndefined();
  });
});

test('what runs at every site runs there too, returns nothing, and carries a growing fence', async () => {
  const azure = siteOf(AZURE, [AWS]);
  answer = () => undefined;
  await write({ note: 'a' });
  await cross(aws, azure);
  expect(await reactAt(azure)).toMatchObject([{ kind: 'done', reaction: 'index' }]);
  expect(azure.held(KEY)?.version).toBeUndefined();
  await reactAt(aws);
  await write({ note: 'b' });
  await reactAt(aws);
  const fences = calls.filter(({ context }) => context.site === AWS).map(({ context }) => context.fence);
  expect(fences[1]).toBeGreaterThan(fences[0] ?? 0);
  answer = () => ({ mailed: 'no' });
  await write({ note: 'c' });
  expect(await reactAt(aws)).toMatchObject([{ kind: 'parked', reason: 'refused' }]);
});

test('reactions that wake each other are parked at a bound', async () => {
  await write({ level: 1 });
  const steps: Step[] = [];
  for (let i = 0; i < effectsPerHourMax; i += 1) steps.push(...(await reactAt(aws)));
  expect(steps.at(-1)).toMatchObject({ kind: 'parked', reason: 'loop' });
  expect(calls).toHaveLength(effectsPerHourMax);
});

test('a condition that throws stops no write, and is parked', async () => {
  await write({ note: 'bad' });
  expect(entry('bad')?.parked?.reason).toBe('broken');
  expect(entry('bad')?.detail).toMatch(/SyntaxError/);
  await write({ note: 'good' });
  expect(entry('bad')).toBeUndefined();
});

test('a reaction that another release declares is kept and looked at later', async () => {
  await write({ status: 'paid' });
  Object.assign(aws.site, { reactions: { knows: () => false, conditions: () => [] } });
  await write({ note: 'x' });
  expect(await reactAt(aws)).toMatchObject([{ kind: 'postponed' }]);
  expect(entry('mail')?.effectId).toBeDefined();
});

test('what a lost site has left is taken over by one survivor, in parts', async () => {
  const azure = siteOf(AZURE, [AWS]);
  await azure.write(KEY, { status: 'paid' });
  await cross(azure, aws);
  expect(entry('mail')).toBeUndefined();
  Object.assign(aws.site, { peers: [], retired: [AZURE] });
  const report = await aws.run(setEntries(aws.site, { lost: AZURE }));
  expect(report).toMatchObject({ set: 1, unusable: [] });
  expect(await aws.run(setEntries(aws.site, { lost: AZURE }))).toMatchObject({ set: 0 });
  expect(await reactAt(aws)).toMatchObject([{ kind: 'done' }]);
});

test('what is due and was not run is woken, and nothing else', async () => {
  const woken: (readonly string[])[] = [];
  await write({ status: 'paid' });
  aws.nowMs += 10_001;
  const step = wakeDue(aws.site).next();
  expect(step.value).toMatchObject({ op: 'due', beforeMs: START_MS + 1 });
  const report = await driveReact(wakeDue(aws.site), {
    resources: {
      store: aws.store,
      waker: (keys) => {
        woken.push(keys);
        return Promise.resolve();
      },
      sleep: () => Promise.resolve(),
    },
    run: () => Promise.reject(new Error('nobody asked')),
  });
  expect(report).toMatchObject({ woken: 1, oldestMs: 10_001 });
  expect(woken).toEqual([[KEY]]);
});
