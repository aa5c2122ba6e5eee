/** One key or page that fails for good, of every kind, in everything that goes through keys: the others go on. */
import { describe, expect, test } from '@jest/globals';
import { UnreadableError } from '../../../src/shared/errors.ts';
import { pendingView } from '../../../src/shared/operations/pending-view.ts';
import { replicationView } from '../../../src/shared/operations/replication-view.ts';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { checkStep } from '../../../src/shared/validation/check-step.ts';
import { AWS, AZURE, Mesh } from '../../../tests/helpers/mesh.ts';
import { TestSite } from '../../../tests/helpers/test-site.ts';
import { backfillKeys, backfillState } from '../src/anti-entropy/backfill.ts';
import { beginCollection } from '../src/anti-entropy/collect-tombstones.ts';
import { digest } from '../src/anti-entropy/compare.ts';
import { verificationKey } from '../src/anti-entropy/verification.ts';
import { applyBatch } from '../src/apply.ts';
import {
  horizonMs,
  sweepGraceMs,
  tombstoneMarginMs,
  unusableKeptMs,
  unusableKeysMax,
} from '../src/bounds.ts';
import { RefusedError, TooLargeError, UnavailableError } from '../src/errors.ts';
import { forward } from '../src/forward.ts';
import { beat } from '../src/heartbeat.ts';
import { heartbeatKey } from '../src/heartbeat-record.ts';
import { type KeysRead, readKeys, scanPage } from '../src/isolate.ts';
import { pauseKey } from '../src/paused-peers.ts';
import type { Protocol } from '../src/protocol.ts';
import { DELETED } from '../src/record.ts';
import { sweep } from '../src/sweep.ts';
import { noteUnusable, unusableKeys } from '../src/unusable-keys.ts';

const BAD = 'user:7';
const COUNT = 20;
const unreadable = new UnreadableError('no record');
const refused = new RefusedError('not taken');
const tooLarge = new TooLargeError('too large');

const keys = (count = COUNT): string[] => Array.from({ length: count }, (_, i) => `user:${i}`);
const others = keys().filter((key) => key !== BAD);

async function written(site: TestSite): Promise<void> {
  for (const key of keys()) await site.write(key, { name: key });
}

/** Drives a protocol of reads with answers of the test; returns its result and how many calls it made. */
function responded<Result>(
  protocol: Protocol<Result>,
  response: (effect: {
    readonly op?: string;
    readonly keys?: readonly string[];
    readonly limit?: number;
    readonly ordered?: boolean;
    readonly site?: string;
    readonly messages?: readonly { readonly body: string }[];
  }) => unknown,
): { result: Result; calls: number } {
  let step = protocol.next();
  let calls = 0;
  while (step.done !== true) {
    calls += 1;
    try {
      step = protocol.next(response(step.value));
    } catch (error) {
      step = protocol.throw(error);
    }
  }
  return { result: step.value, calls };
}

describe('reading keys of which one fails for good', () => {
  const reading = (
    fails: (requested: readonly string[]) => Error | undefined,
  ): { result: KeysRead; calls: number } =>
    responded(readKeys(keys(100)), ({ keys: requested = [] }) => {
      const error = fails(requested);
      if (error !== undefined) throw error;
      return new Map(requested.map((key) => [key, { record: key, revision: '1' }]));
    });

  test('names it, reads the others, and asks a few times more', () => {
    const { result, calls } = reading((requested) => (requested.includes(BAD) ? refused : undefined));
    expect([...result.failed]).toEqual([[BAD, refused]]);
    expect([...result.held.keys()]).toEqual(keys(100).filter((key) => key !== BAD));
    expect(calls).toBeLessThan(20);
  });

  test('names none when only so many of them together are too much', () => {
    const { result } = reading((requested) => (requested.length > 10 ? tooLarge : undefined));
    expect([result.failed.size, result.held.size]).toEqual([0, 100]);
  });

  test('leaves what may pass to whoever tries again', () => {
    const passing = new UnavailableError('throttled');
    expect(() => reading(() => passing)).toThrow(passing);
  });

  test('a page of a scan that is refused is asked for in smaller ones, down to a single record', () => {
    const page = { records: [] };
    const requested: (number | undefined)[] = [];
    const scanning = (most: number) =>
      responded(scanPage(undefined, 500), ({ limit = 0 }) => {
        requested.push(limit);
        if (limit > most) throw tooLarge;
        return page;
      });
    expect(scanning(100).result).toBe(page);
    expect(requested).toEqual([500, 250, 125, 63]);
  });

  const record = (key: string) => ({ record: { key }, revision: '1' });
  test.each([
    ['cannot be read alone either', true],
    ['can be read alone', false],
  ])('a page that is refused with a single record, which %s, is passed over', (_, isBad) => {
    const { result } = responded(scanPage('c', 4), ({ op, keys: requested = [] }) => {
      if (op === 'scan') throw refused;
      if (op === 'scanKeys') return { keys: [BAD], next: 'd' };
      if (isBad) throw unreadable;
      return new Map(requested.map((key) => [key, record(key)]));
    });
    expect(result).toEqual(
      isBad
        ? { records: [], unreadable: new Map([[BAD, unreadable]]), next: 'd' }
        : { records: [{ key: BAD }], next: 'd' },
    );
  });

  test('a store that cannot tell where to go on is scanned anew, in an order in which it can', () => {
    const page = { records: [], next: 'by key' };
    const { result } = responded(scanPage('c', 4), ({ op, ordered }) => {
      if (op === 'scanKeys') return undefined;
      if (ordered === true) return page;
      throw refused;
    });
    expect(result).toEqual({ ...page, again: true });
  });

  test.each(['from', 'to'] as const)('a comparison whose side "%s" is scanned anew begins anew', (side) => {
    const site = { site: side === 'from' ? AWS : AZURE, peers: [AWS, AZURE], now: () => 0 };
    const job = { id: 'j', from: AWS, to: AZURE, atMs: 0, repair: false };
    const passed: unknown[] = [];
    const step = { kind: 'digest', job, side, counted: { from: 9, to: 3 }, cursor: 'c' } as const;
    responded(digest(site, step), ({ op, ordered, messages = [], site: to }) => {
      if (op === 'tell') {
        passed.push([to, JSON.parse(messages[0]?.body ?? '')]);
        return [undefined];
      }
      if (op === 'scanKeys') return undefined;
      if (ordered === true) return { records: [], next: 'by key' };
      throw refused;
    });
    const anew = {
      kind: 'digest',
      job: { ...job, ordered: true },
      side: 'from',
      counted: { from: 0, to: 0 },
    };
    expect(passed).toEqual([[AWS, anew]]);
    expect(checkStep(anew)).toEqual([]);
    // And then each side is scanned so from its first page on.
    const requested: unknown[] = [];
    const { cursor: _, ...first } = step;
    responded(digest(site, { ...first, job: { ...job, ordered: true } }), ({ op, ordered }) => {
      if (op === 'scan') requested.push(ordered);
      return op === 'scan' ? { records: [] } : [undefined];
    });
    expect(requested).toEqual([true]);
  });

  test('a store that refuses whatever it is asked is given up', () => {
    expect(() =>
      responded(scanPage('c', 4), () => {
        throw refused;
      }),
    ).toThrow(refused);
  });
});

describe('sweep', () => {
  test.each<[string, (aws: TestSite) => void, RegExp]>([
    ['that cannot be read', (aws) => aws.store.bad.set(BAD, { read: unreadable }), /no record/],
    ['whose marker cannot be removed', (aws) => aws.store.bad.set(BAD, { change: refused }), /not taken/],
    [
      'that the queue refuses for good',
      (aws) => {
        aws.peers.get(AZURE)!.refuse = ({ body }) => (body.includes(`"${BAD}"`) ? refused : undefined);
      },
      /not taken/,
    ],
    [
      'that is too large for the queue',
      (aws) => {
        aws.peers.get(AZURE)!.refuse = ({ body }) => (body.includes(`"${BAD}"`) ? tooLarge : undefined);
      },
      /too large/,
    ],
  ])('passes over a key %s, and names it', async (_, break_, reason) => {
    const aws = new TestSite(AWS, [AZURE]);
    await written(aws);
    break_(aws);
    aws.nowMs += sweepGraceMs + 1;
    const report = await aws.run(sweep(aws.site));
    expect(report.refused).toEqual({ [AZURE]: { [BAD]: expect.stringMatching(reason) } });
    expect(report.silent).toEqual({});
    expect(others.filter((key) => Object.keys(aws.held(key)?.pending ?? {}).length > 0)).toEqual([]);
    const view = await pendingView(aws.site, aws.store, 100);
    expect(view.peers[0]?.keys.map(({ key }) => key)).toEqual([BAD]);
  });
});

describe('apply', () => {
  const arriving = async (): Promise<{
    azure: TestSite;
    messages: ReturnType<TestSite['outboxDeliveries']>;
  }> => {
    const aws = new TestSite(AWS, [AZURE]);
    const azure = new TestSite(AZURE, [AWS]);
    await written(aws);
    await azure.run(applyBatch(azure.site, aws.outboxDeliveries(), checkEvent));
    aws.outbox.sent.length = 0;
    for (const key of keys()) await aws.write(key, { name: 'newer' });
    return { azure, messages: aws.outboxDeliveries() };
  };

  test.each([
    ['that cannot be read', { read: unreadable }, 'unreadable'],
    ['that cannot be written', { change: refused }, 'refused'],
    ['that the store finds too large', { change: tooLarge }, 'too_large'],
  ])('dead-letters what is about a key %s, with its reason, and applies the rest', async (_, bad, reason) => {
    const { azure, messages } = await arriving();
    azure.store.bad.set(BAD, bad);
    const { dispositions } = await azure.run(applyBatch(azure.site, messages, checkEvent));
    expect(dispositions).toEqual(
      keys().map((key) =>
        key === BAD ? { kind: 'dead', reason, detail: expect.any(String) } : { kind: 'done' },
      ),
    );
    expect(others.filter((key) => azure.held(key)?.state.fields['name']?.[1] !== 'newer')).toEqual([]);
  });
});

describe('forward', () => {
  test('dead-letters what a queue refuses for good, and carries the rest', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    await written(aws);
    aws.peers.get(AZURE)!.refuse = ({ body }) => (body.includes(`"${BAD}"`) ? tooLarge : undefined);
    const dispositions = await aws.run(forward(aws.site, aws.outboxDeliveries(), checkEvent));
    expect(dispositions).toMatchObject(
      keys().map((key) => (key === BAD ? { kind: 'dead', reason: 'too_large' } : { kind: 'done' })),
    );
    expect(Object.keys(aws.held(BAD)?.pending ?? {})).toEqual([AZURE]);
  });

  test('leaves a marker that cannot be removed to the sweeper, and removes the others', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    await written(aws);
    aws.store.bad.set(BAD, { change: refused });
    const dispositions = await aws.run(forward(aws.site, aws.outboxDeliveries(), checkEvent));
    expect(new Set(dispositions.map(({ kind }) => kind))).toEqual(new Set(['done']));
    expect(keys().filter((key) => Object.keys(aws.held(key)?.pending ?? {}).length > 0)).toEqual([BAD]);
  });
});

const namesOf = (site: TestSite): [string, string][] =>
  unusableKeys(site.held(heartbeatKey(site.site.site)), site.nowMs).map(({ key, during }) => [key, during]);

describe('comparison and repair', () => {
  test('go on beside a record that the site which has it cannot read', async () => {
    const mesh = new Mesh();
    await mesh.agree(COUNT);
    mesh.site(AZURE).store.items.delete('user:3');
    mesh.site(AWS).store.bad.set(BAD, { read: unreadable });
    const result = await mesh.compare({ repair: true });
    expect(result.from).toMatchObject({ counted: COUNT - 1, repaired: 1 });
    expect(mesh.site(AZURE).held('user:3')).toBeDefined();
    expect(namesOf(mesh.site(AWS))).toContainEqual([BAD, 'compare']);
  });

  test('count what the other site cannot read as a difference, and do not send it again', async () => {
    const mesh = new Mesh();
    await mesh.agree(COUNT);
    mesh.site(AZURE).store.bad.set(BAD, { read: unreadable });
    const result = await mesh.compare({ repair: true });
    expect(result.from).toMatchObject({ differing: 1, repaired: 0, examples: [BAD] });
    expect(result).not.toHaveProperty('lastCleanAtMs');
    expect(mesh.applied).toEqual([]);
    expect(namesOf(mesh.site(AZURE))).toEqual([[BAD, 'compare']]);
  });

  test('send what can be marked, and name what cannot', async () => {
    const mesh = new Mesh();
    await mesh.agree(COUNT);
    for (const key of [BAD, 'user:3', 'user:4']) mesh.site(AZURE).store.items.delete(key);
    mesh.site(AWS).store.bad.set(BAD, { change: refused });
    const result = await mesh.compare({ repair: true });
    expect(result.from).toMatchObject({ differing: 3, repaired: 2 });
    expect(namesOf(mesh.site(AWS))).toEqual([[BAD, 'repair']]);
  });

  test('repair although their own result cannot be kept', async () => {
    const mesh = new Mesh();
    await mesh.agree(COUNT);
    mesh.site(AZURE).store.items.delete('user:3');
    const result = verificationKey({ from: AWS, to: AZURE });
    mesh.site(AWS).store.bad.set(result, { read: unreadable, change: refused });
    const dispositions = await mesh.beginAndSettle({ repair: true });
    expect(new Set(dispositions.map(({ kind }) => kind))).toEqual(new Set(['done']));
    expect(mesh.site(AZURE).held('user:3')).toBeDefined();
    expect(namesOf(mesh.site(AWS))).toEqual([[result, 'compare']]);
  });

  test('go on although the heartbeat, which would name the key, cannot be written either', async () => {
    const mesh = new Mesh();
    await mesh.agree(COUNT);
    mesh.site(AWS).store.bad.set(BAD, { read: unreadable });
    mesh.site(AWS).store.bad.set(heartbeatKey(AWS), { read: unreadable, change: refused });
    expect((await mesh.compare()).endedAtMs).toBeDefined();
  });

  test('fill a new site with all but what its store refuses, and do not call it filled', async () => {
    const mesh = new Mesh();
    await mesh.agree(COUNT);
    const azure = mesh.site(AZURE);
    azure.store.items.clear();
    azure.store.bad.set(BAD, { change: refused });
    await mesh.compare({ repair: true });
    expect(Object.keys(mesh.states(AZURE)).sort()).toEqual([...others].sort());
    expect(mesh.applied.filter(({ kind }) => kind !== 'done')).toMatchObject([
      { kind: 'dead', reason: 'refused' },
    ]);
    mesh.tick(60_000);
    const again = await mesh.compare({ id: 'again', repair: true });
    expect(again.from).toMatchObject({ differing: 1, examples: [BAD] });
    expect(backfillState(azure.site, await azure.store.getMany(backfillKeys(azure.site))).ok).toBe(false);
  });
});

describe('the removal of tombstones', () => {
  test.each([
    ['read', AWS, { read: unreadable }],
    ['read by another site', AZURE, { read: unreadable }],
    ['removed', AWS, { change: refused }],
  ])('passes over one that cannot be %s, and names it', async (_, where, bad) => {
    const mesh = new Mesh();
    await mesh.agree(COUNT);
    const aws = mesh.site(AWS);
    aws.outbox.sent.length = 0;
    for (const key of keys()) await aws.write(key, { [DELETED]: true });
    await mesh.site(AZURE).run(applyBatch(mesh.site(AZURE).site, aws.outboxDeliveries(), checkEvent));
    for (const site of mesh.sites)
      for (const entry of site.store.items.values()) entry.record = { ...entry.record, pending: {} };
    mesh.tick(horizonMs + tombstoneMarginMs + 1);
    mesh.site(where).store.bad.set(BAD, bad);
    await aws.run(beginCollection(aws.site));
    const dispositions = await mesh.settle();
    expect(new Set(dispositions.map(({ kind }) => kind))).toEqual(new Set(['done']));
    expect(Object.keys(mesh.states(AWS))).toEqual([BAD]);
    expect(namesOf(mesh.site(where))).toEqual([[BAD, 'tombstones']]);
  });
});

describe('keys that a site cannot use', () => {
  const noting = (site: TestSite, key: string): Promise<void> =>
    site.run(noteUnusable(site.site, 'compare', new Map([[key, unreadable]])));

  test('stand beside the heartbeat for as long as they are met again, the newest first, and not too many', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    await aws.run(beat(aws.site));
    await noting(aws, BAD);
    const revision = (): number => aws.store.items.get(heartbeatKey(AWS))?.revision ?? 0;
    const before = revision();
    await noting(aws, BAD);
    expect(revision()).toBe(before);
    aws.nowMs += unusableKeptMs / 2;
    for (const key of keys(unusableKeysMax)) if (key !== BAD) await noting(aws, key);
    const held = unusableKeys(aws.held(heartbeatKey(AWS)), aws.nowMs);
    expect(held).toHaveLength(unusableKeysMax);
    expect(held.at(-1)).toMatchObject({
      key: BAD,
      reason: 'no record',
      sinceMs: aws.nowMs - unusableKeptMs / 2,
    });
    await noting(aws, 'user:one-more');
    expect(namesOf(aws).map(([key]) => key)).not.toContain(BAD);
    aws.nowMs += unusableKeptMs + 1;
    expect(namesOf(aws)).toEqual([]);
  });

  test('are shown to operators, with those that the question itself has met', async () => {
    const aws = new TestSite(AWS, [AZURE]);
    await noting(aws, BAD);
    aws.store.bad.set(pauseKey(AWS), { read: unreadable });
    const { unusable } = await pendingView(aws.site, aws.store, 100);
    expect(unusable).toMatchObject([
      { key: pauseKey(AWS), during: 'status', reason: 'no record' },
      { key: BAD, during: 'compare', reason: 'no record' },
    ]);
    const { peers } = await replicationView(aws.site, aws.store);
    expect(peers[0]?.problem).toMatch(/what is paused cannot be read: no record/);
  });
});
