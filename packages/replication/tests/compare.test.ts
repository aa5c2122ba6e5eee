import { describe, expect, test } from '@jest/globals';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { checkStep } from '../../../src/shared/validation/check-step.ts';
import { AWS, AZURE, Mesh } from '../../../tests/helpers/mesh.ts';
import { delivered } from '../../../tests/helpers/test-site.ts';
import { beginCollection } from '../src/anti-entropy/collect-tombstones.ts';
import { begin } from '../src/anti-entropy/compare.ts';
import type { Job } from '../src/anti-entropy/job.ts';
import { verify } from '../src/anti-entropy/verify.ts';
import { applyBatch } from '../src/apply.ts';
import { compareGraceSeconds, compareHopsMax, horizonMs, tombstoneMarginMs } from '../src/bounds.ts';
import { UnavailableError } from '../src/errors.ts';
import { DELETED } from '../src/record.ts';

describe('comparing two sites', () => {
  test('that has taken more steps than any needs ends, and says so where a person looks', async () => {
    const mesh = new Mesh();
    await mesh.agree(3);
    const site = mesh.site(AWS);
    const job: Job = { id: 'endless', from: AWS, to: AZURE, atMs: site.nowMs, repair: false };
    await site.run(begin(site.site, { ...job, hops: compareHopsMax - 1 }));
    // The last one that may be taken is the first digest, and the other side's is one too many.
    expect(await mesh.settle()).toEqual([
      { kind: 'done' },
      { kind: 'dead', reason: 'refused', detail: expect.stringContaining('begin another') },
    ]);
    expect(mesh.result(job).endedAtMs).toBeUndefined();
  });

  test('counts every step that led to a step', async () => {
    const mesh = new Mesh();
    await mesh.agree(3);
    await mesh.site(AWS).write('user:new', { name: 'new' });
    mesh.tick(60_000);
    const hops: (number | undefined)[] = [];
    const site = mesh.site(AWS);
    await site.run(begin(site.site, { id: 'j', from: AWS, to: AZURE, atMs: site.nowMs, repair: false }));
    await mesh.settle((message) => {
      hops.push((JSON.parse(message.body) as { job: Job }).job.hops);
      return [message];
    });
    // digest, digest; find, offer, lacking and ended of the one side; ended of the other, which lacks nothing.
    expect(hops.sort()).toEqual([1, 2, 2, 3, 4, 5, undefined]);
  });

  test('that hold the same finds nothing and says when', async () => {
    const mesh = new Mesh();
    await mesh.agree(50);
    const result = await mesh.compare();
    expect(result).toMatchObject({
      from: { counted: 50, differing: 0 },
      to: { counted: 50, differing: 0 },
      lastCleanAtMs: result.job.atMs,
    });
    expect(result.endedAtMs).toBeDefined();
  });

  test('counts what either lacks, names examples, and changes nothing', async () => {
    const mesh = new Mesh();
    await mesh.agree(20);
    mesh.site(AZURE).store.items.delete('user:3');
    mesh.site(AWS).store.items.delete('user:5');
    mesh.site(AWS).store.items.delete('user:6');
    const result = await mesh.compare();
    expect(result.from).toMatchObject({
      counted: 18,
      checked: 1,
      differing: 1,
      repaired: 0,
      examples: ['user:3'],
    });
    expect(result.to).toMatchObject({ counted: 19, checked: 2, differing: 2, repaired: 0 });
    expect(result).not.toHaveProperty('lastCleanAtMs');
    expect(mesh.site(AZURE).held('user:3')).toBeUndefined();
  });

  test('repairs by the ordinary path what either lacks or holds in an earlier state', async () => {
    const mesh = new Mesh();
    await mesh.agree(20);
    mesh.site(AZURE).store.items.delete('user:3');
    mesh.site(AWS).store.items.delete('user:5');
    await mesh.site(AZURE).write('user:7', { name: 'newer' });
    mesh.site(AZURE).outbox.sent.length = 0;
    mesh.tick(60_000);
    const result = await mesh.compare({ repair: true });
    expect([result.from?.repaired, result.to?.repaired]).toEqual([1, 2]);
    expect(mesh.states(AWS)).toEqual(mesh.states(AZURE));
    expect(mesh.site(AZURE).held('user:5')?.pending).toEqual({});
    expect((await mesh.compare({ id: 'again' })).lastCleanAtMs).toBeDefined();
  });

  test('marks what the peer lacks before it sends it, so that a send that fails is the sweeper’s', async () => {
    const mesh = new Mesh();
    await mesh.agree(3);
    mesh.site(AZURE).store.items.delete('user:1');
    mesh.site(AWS).peers.get(AZURE)!.refuse = () => new UnavailableError('down');
    await mesh.compare({ repair: true });
    expect(Object.keys(mesh.site(AWS).held('user:1')!.pending)).toEqual([AZURE]);
  });

  test('fills an empty site, also with what the source never wrote itself', async () => {
    const mesh = new Mesh();
    await mesh.agree(7_000);
    const aws = mesh.site(AWS);
    for (const { record } of aws.store.items.values()) Reflect.deleteProperty(record, 'version');
    mesh.site(AZURE).store.items.clear();
    const result = await mesh.compare({ repair: true });
    expect(result.from).toMatchObject({ checked: 7_000, differing: 7_000, repaired: 7_000 });
    expect(mesh.states(AZURE)).toEqual(mesh.states(AWS));
  });

  test('waits for what is under way before it believes a difference', async () => {
    const mesh = new Mesh();
    await mesh.agree(5);
    await mesh.site(AWS).write('user:9', { name: 'under way' });
    const aws = mesh.site(AWS);
    await aws.run(begin(aws.site, { id: 'job', from: AWS, to: AZURE, atMs: aws.nowMs + 1, repair: true }));
    const late = aws.outboxDeliveries();
    await mesh.settle((message) => {
      if (message.delaySeconds !== undefined) {
        void mesh.site(AZURE).run(applyBatch(mesh.site(AZURE).site, late, checkEvent));
      }
      return [message];
    });
    expect(mesh.delaySeconds).toBe(compareGraceSeconds);
    expect(mesh.result()).toMatchObject({ from: { differing: 0, repaired: 0 } });
    expect(mesh.result().lastCleanAtMs).toBeDefined();
  });

  test('a record that is written all the time is no difference', async () => {
    const mesh = new Mesh();
    await mesh.agree(5);
    const aws = mesh.site(AWS);
    await aws.write('user:1', { name: 'hot' });
    await aws.run(begin(aws.site, { id: 'job', from: AWS, to: AZURE, atMs: aws.nowMs, repair: true }));
    await mesh.settle((message) => {
      if (message.delaySeconds !== undefined) void aws.write('user:1', { name: 'hotter' });
      return [message];
    });
    expect(mesh.result()).toMatchObject({ from: { differing: 0 }, to: { differing: 0 } });
  });

  test('of one entity finds what of it the other lacks, and leaves the result about all records alone', async () => {
    const mesh = new Mesh();
    await mesh.agree(3);
    const whole = await mesh.compare();
    for (const key of ['order:1', 'unique:x', 'user:new']) await mesh.site(AWS).write(key, { a: 1 });
    const of = { of: 'order', id: 'of orders', repair: true };
    expect((await mesh.compare(of)).from).toMatchObject({
      counted: 2,
      differing: 2,
      repaired: 2,
      examples: expect.arrayContaining(['order:1', 'unique:x']),
    });
    expect((await mesh.compare({ ...of, id: 'again' })).from).toMatchObject({ counted: 2, differing: 0 });
    expect(mesh.result()).toEqual(whole);
    expect(mesh.site(AZURE).held('user:new')).toBeUndefined();
  });

  test('of one entity counts what has changed meanwhile: nobody knows whether the other has what it was', async () => {
    const mesh = new Mesh();
    const site = mesh.site(AWS);
    await site.write('order:1', { a: 1 });
    let steps = 0;
    const job = { id: 'job', from: AWS, to: AZURE, of: 'order', atMs: site.nowMs, repair: false };
    await site.run(begin(site.site, job));
    await mesh.settle((message) => {
      steps += 1;
      if (steps === 2) void site.write('order:1', { a: 2 });
      return [message];
    });
    expect(mesh.result(job).from).toMatchObject({ counted: 1, checked: 0, differing: 1 });
  });

  test('every step may be taken twice', async () => {
    const mesh = new Mesh();
    await mesh.agree(20);
    mesh.site(AZURE).store.items.delete('user:3');
    const aws = mesh.site(AWS);
    await aws.run(begin(aws.site, { id: 'job', from: AWS, to: AZURE, atMs: aws.nowMs, repair: true }));
    let left = 30;
    await mesh.settle((message) => (left-- > 0 ? [message, message] : [message]));
    expect(mesh.states(AWS)).toEqual(mesh.states(AZURE));
    expect(mesh.result().endedAtMs).toBeDefined();
  });

  test('exchanges less than one per cent of what identical sites hold', async () => {
    const mesh = new Mesh();
    await mesh.agree(2_000);
    await mesh.compare();
    const perRecord = 1_000;
    expect(mesh.crossed).toBeLessThan(100_000 * perRecord * 0.01);
  });

  test.each([
    ['what is no step', '{}', 'malformed'],
    ['what is not JSON', '{', 'malformed'],
    ['a step for another site', JSON.stringify(ended({ from: AZURE, to: AWS })), 'foreign'],
    ['a step of a stranger', JSON.stringify(ended({ from: 'gcp-1', to: AWS })), 'foreign'],
  ])('sets %s aside with a reason', async (_, body, reason) => {
    const { site } = { site: new Mesh().site(AWS) };
    expect(await site.run(verify(site.site, [delivered({ id: 'm', body })], checkStep))).toMatchObject([
      { kind: 'dead', reason },
    ]);
  });

  test('keeps a step whose site has no store just now', async () => {
    const site = new Mesh().site(AWS);
    site.store.before = () => {
      throw new UnavailableError('throttled');
    };
    const body = JSON.stringify(ended({ from: AWS, to: AZURE }));
    expect(await site.run(verify(site.site, [delivered({ id: 'm', body })], checkStep))).toMatchObject([
      { kind: 'retry' },
    ]);
  });
});

function ended(sites: { from: string; to: string }): object {
  return {
    kind: 'ended',
    job: { id: 'j', atMs: 1, repair: false, ...sites },
    side: 'from',
    counted: { from: 0, to: 0 },
    totals: { checked: 0, differing: 0, repaired: 0, examples: [] },
  };
}

/** More than every site keeps a tombstone. */
const KEPT_MS = horizonMs + tombstoneMarginMs + 1;

describe('collecting tombstones', () => {
  const gone = async (mesh: Mesh): Promise<void> => {
    await mesh.agree(2);
    const aws = mesh.site(AWS);
    aws.outbox.sent.length = 0;
    await aws.write('user:1', { [DELETED]: true });
    for (const site of mesh.sites.slice(1)) {
      await site.run(applyBatch(site.site, aws.outboxDeliveries(), checkEvent));
    }
    for (const site of mesh.sites)
      site.store.items.get('user:1')!.record = { ...site.held('user:1')!, pending: {} };
  };
  const collection = async (mesh: Mesh, at: string = AWS): Promise<boolean> => {
    const site = mesh.site(at);
    await site.run(beginCollection(site.site));
    await mesh.settle();
    return site.held('user:1') === undefined;
  };

  test('removes one that every site has held for longer than the horizon, and a margin for clocks', async () => {
    const mesh = new Mesh(3);
    await gone(mesh);
    mesh.tick(horizonMs + 1);
    expect(await collection(mesh)).toBe(false);
    mesh.tick(tombstoneMarginMs);
    expect(await collection(mesh)).toBe(true);
    expect(mesh.site(AWS).held('user:0')).toBeDefined();
    expect(await collection(mesh, AZURE)).toBe(true);
  });

  test.each<[string, (mesh: Mesh) => void]>([
    ['younger than the horizon', () => undefined],
    [
      'that reached one site late',
      (mesh) => {
        mesh.tick(KEPT_MS);
        const entry = mesh.sites[2]!.store.items.get('user:1')!;
        entry.record = { ...entry.record, goneSince: mesh.sites[2]!.nowMs - horizonMs };
      },
    ],
    [
      'of which one site holds nothing by a clock that is behind',
      (mesh) => {
        mesh.tick(KEPT_MS);
        mesh.sites[2]!.store.items.delete('user:1');
        mesh.sites[2]!.nowMs -= 10_000;
      },
    ],
    [
      'of which a site that is being filled holds nothing',
      (mesh) => {
        mesh.tick(KEPT_MS);
        const filled = mesh.sites[2]!;
        filled.store.items.delete('user:1');
        Object.assign(filled.site, { rebuilding: true });
      },
    ],
    [
      'younger by the clock of one site',
      (mesh) => {
        mesh.tick(KEPT_MS);
        mesh.sites[2]!.nowMs -= 10_000;
      },
    ],
    [
      'with something pending',
      (mesh) => {
        mesh.tick(KEPT_MS);
        const entry = mesh.site(AWS).store.items.get('user:1')!;
        entry.record = { ...entry.record, pending: { [AZURE]: entry.record.version ?? '' } };
      },
    ],
    [
      'that a peer has not received',
      (mesh) => {
        mesh.tick(KEPT_MS);
        mesh.sites[2]!.store.items.set('user:1', mesh.sites[2]!.store.items.get('user:0')!);
      },
    ],
  ])('leaves one %s', async (_, change) => {
    const mesh = new Mesh(3);
    await gone(mesh);
    change(mesh);
    expect(await collection(mesh)).toBe(false);
  });
});
