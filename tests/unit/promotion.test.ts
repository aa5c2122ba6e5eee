/** `tandem promote` over two sites in memory: what it says, what it waits for, and what it does not do. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { VerificationView } from '@tandem-clouds/operator/operator-api';
import { applyBatch } from '@tandem-clouds/replication/apply';
import { forward } from '@tandem-clouds/replication/forward';
import type { InboundMessage } from '@tandem-clouds/replication/ports/queue';
import { entityOf } from '@tandem-clouds/replication/record';
import { perform, planOf } from '../../scripts/operate/promotion.ts';
import type { WriterSite } from '../../scripts/operate/writer-site.ts';
import { writerDrainMs, writerSettleMs } from '../../src/shared/bounds.ts';
import { placementOf } from '../../src/shared/domain/placement.ts';
import { verificationRoutes } from '../../src/shared/http/operations/verifications.ts';
import { writerRoutes, type WriterView } from '../../src/shared/http/operations/writers.ts';
import type { HttpRequest } from '../../src/shared/http/route.ts';
import { pendingView } from '../../src/shared/operations/pending-view.ts';
import { checkEvent } from '../../src/shared/validation/check-event.ts';
import { AWS, AZURE, Mesh } from '../helpers/mesh.ts';
import { delivered, type TestSite } from '../helpers/test-site.ts';

let mesh: Mesh;
let aws: TestSite;
let azure: TestSite;
let sites: readonly WriterSite[];
let isCut: boolean;
let sleptMs: number;
let notes: string[];

/** The site by its own routes for operators. */
function writerSite(site: TestSite): WriterSite {
  let count = 0;
  const ids = { next: () => `${site.site.site} ${(count += 1)}` };
  const declared = { account: AWS };
  const routes = [
    ...writerRoutes(site.site, site.resources, declared),
    ...verificationRoutes(site.site, site.resources, { ids, writers: declared }),
  ];
  const reply = async (method: string, path: string, request: object): Promise<unknown> => {
    const route = routes.find((each) => each.method === method && each.path === path)!;
    return (await route.handle({ query: {}, ...request } as HttpRequest)).body;
  };
  const call = async (method: string, path: string, body?: unknown): Promise<readonly WriterView[]> =>
    ((await reply(method, path, { body })) as { writers: readonly WriterView[] }).writers;
  return {
    site: site.site.site,
    writers: () => call('GET', '/replication/writers'),
    close: (step) => call('POST', '/replication/writers/close', step),
    open: (step) => call('POST', '/replication/writers/open', step),
    pending: () => pendingView(site.site, site.store, 100),
    compare: async (body) =>
      (await reply('POST', '/replication/verifications', { body })) as VerificationView,
    comparisons: async (entity) =>
      (
        (await reply('GET', '/replication/verifications', { query: { entity } })) as {
          verifications: readonly VerificationView[];
        }
      ).verifications,
    heardMsAgo: () => Promise.resolve(12_000),
  };
}

/** Time passes, and unless the sites are cut apart what was published crosses. */
async function sleep(ms: number): Promise<void> {
  sleptMs += ms;
  for (const site of mesh.sites) site.nowMs += ms;
  if (isCut) return;
  for (const [from, to] of [
    [aws, azure],
    [azure, aws],
  ] as const) {
    await from.run(forward(from.site, from.outbox.sent.splice(0).map(delivered), checkEvent));
    const crossed = from.peers.get(to.site.site)!.sent.splice(0).map(delivered);
    const kept = crossed.filter(({ body }) => !isHeldUp(body));
    heldUp.push(...crossed.filter(({ body }) => isHeldUp(body)));
    await to.run(applyBatch(to.site, kept, checkEvent));
  }
  await mesh.settle();
}

/** What the queue of the other site has accepted, and is not applied there: retried, or dead-lettered. */
const heldUp: InboundMessage[] = [];
let isHeldUp: (body: string) => boolean;

const promote = async (to: string, lost?: string): Promise<string | undefined> =>
  perform(sites, await planOf(sites, { entity: 'account', to, lost }), {
    sleep,
    note: (line) => void notes.push(line),
  });
const writerAt = async (index: number): Promise<WriterView | undefined> => (await sites[index]!.writers())[0];

beforeEach(() => {
  mesh = new Mesh();
  [aws, azure] = [mesh.site(AWS), mesh.site(AZURE)];
  for (const site of [aws, azure])
    site.site = { ...site.site, declaredWriter: (key) => (entityOf(key) === 'account' ? AWS : undefined) };
  sites = [aws, azure].map(writerSite);
  [isCut, sleptMs, notes] = [false, 0, []];
  isHeldUp = () => false;
  heldUp.length = 0;
});

describe('a promotion while both live', () => {
  test('names what it will wait for, and changes nothing by that', async () => {
    await aws.write('account:1', { a: 1 });
    await aws.write('user:1', { a: 1 });
    expect(await planOf(sites, { entity: 'account', to: AZURE, lost: undefined })).toMatchObject({
      from: AWS,
      to: AZURE,
      way: 'move',
      waiting: ['account:1'],
    });
    expect(await writerAt(0)).toEqual({ entity: 'account', declared: AWS, site: AWS, epoch: 0 });
  });

  test('opens the next one when all has arrived, and neither writes before', async () => {
    await aws.write('account:1', { a: 1 });
    expect(await promote(AZURE)).toBeUndefined();
    expect(sleptMs).toBeGreaterThanOrEqual(writerSettleMs);
    expect(azure.held('account:1')!.state.fields['a']![1]).toBe(1);
    await azure.write('account:1', { a: 2 });
    expect(await aws.write('account:1', { a: 3 }).catch((error: unknown) => error)).toMatchObject({
      code: 'writer_moving',
    });
    await sleep(0);
    expect(await aws.write('account:1', { a: 3 }).catch((error: unknown) => error)).toMatchObject({
      code: 'not_writer_here',
      sites: [AZURE],
    });
    expect((await planOf(sites, { entity: 'account', to: AZURE, lost: undefined })).way).toBe('there');
  });

  test('gives up where nothing crosses; then it goes on, or is given back', async () => {
    await aws.write('account:1', { a: 1 });
    isCut = true;
    expect(await promote(AZURE)).toContain('nobody writes');
    expect(sleptMs).toBeGreaterThanOrEqual(writerDrainMs);
    expect((await planOf(sites, { entity: 'account', to: AZURE, lost: undefined })).way).toBe('goOn');
    expect(await promote(AWS)).toBeUndefined();
    await aws.write('account:1', { a: 2 });
    isCut = false;
    expect(await promote(AZURE)).toBeUndefined();
    expect((await writerAt(1))?.site).toBe(AZURE);
  });
});

describe('what the next one has accepted and not applied', () => {
  const isAccount = (body: string): boolean => body.includes('account:1');

  test('is found by a comparison and sent again, also when it is never delivered again', async () => {
    await aws.write('account:1', { a: 1 });
    isHeldUp = (body) => isAccount(body) && heldUp.length === 0;
    expect(await promote(AZURE)).toBeUndefined();
    expect(heldUp).toHaveLength(1);
    expect(azure.held('account:1')!.state.fields['a']![1]).toBe(1);
  });

  test('is waited for as long as it does not come; what others write meanwhile is not', async () => {
    await aws.write('account:1', { a: 1 });
    const queue = aws.peers.get(AZURE)!;
    const send = queue.send.bind(queue);
    // Accepted, and never delivered.
    queue.send = async (messages) => {
      const crossing = new Set(messages.filter(({ body }) => !isAccount(body)));
      await send([...crossing]);
      return messages.map(() => undefined);
    };
    const settle = mesh.settle.bind(mesh);
    const closed: (string | undefined)[] = [];
    mesh.settle = async () => {
      await aws.write(`user:${sleptMs}`, { a: 1 });
      closed.push((await writerAt(1))?.closedBy);
      if (closed.length === 9) queue.send = send;
      return settle();
    };
    expect(await promote(AZURE)).toBeUndefined();
    expect(new Set(closed)).toEqual(new Set([AWS]));
    expect(closed.length).toBeGreaterThan(9);
    expect(azure.held('account:1')!.state.fields['a']![1]).toBe(1);
  });
});

test('a promotion that somebody else undoes meanwhile opens nobody else', async () => {
  const undone = perform(sites, await planOf(sites, { entity: 'account', to: AZURE, lost: undefined }), {
    note: () => undefined,
    sleep: async (ms) => {
      await sleep(ms);
      const plan = await planOf(sites, { entity: 'account', to: AWS, lost: undefined });
      if (plan.way === 'goOn') await perform(sites, plan, { sleep, note: () => undefined });
    },
  });
  await expect(undone).rejects.toThrow(`${AWS} is at epoch 2, not 1`);
  await aws.write('account:1', { a: 1 });
  await sleep(0);
  expect(await writerAt(1)).toMatchObject({ site: AWS, epoch: 2 });
});

test('a promotion waits also for what another site has written in its time', async () => {
  const side = { counted: 0, checked: 0, differing: 0, repaired: 0, examples: [] };
  const compared = {
    ...{ id: 'c', from: 'third', to: AZURE },
    sides: { third: side },
  } as unknown as VerificationView;
  const third: WriterSite = {
    ...sites[0]!,
    site: 'third',
    compare: () => Promise.resolve(compared),
    comparisons: () => Promise.resolve([compared]),
    pending: async () => {
      const view = await sites[0]!.pending();
      const left = ['account:9', 'unique:x'].filter(
        (_, index) => sleptMs <= writerSettleMs + 5_000 * (index + 1),
      );
      const keys = left.map((key) => ({ key, since: view.now }));
      return { ...view, peers: [{ site: AZURE, keys, atLeast: false }] };
    },
  };
  sites = [...sites, third];
  expect(await promote(AZURE)).toBeUndefined();
  expect(sleptMs).toBeGreaterThan(writerSettleMs + 10_000);
});

test('a site that does not keep the records is not opened, also after a loss', async () => {
  azure.site = { ...azure.site, keptAt: placementOf({ account: [AWS] })! };
  sites = [writerSite(azure)];
  await expect(promote(AZURE, AWS)).rejects.toMatchObject({
    failures: [{ pointer: '/entity', rule: 'sites' }],
  });
});

describe('a promotion after a loss', () => {
  test('opens at once; what comes back obeys, and what it had not sent crosses and merges', async () => {
    await aws.write('account:1', { a: 'kept', labels: 'lost' });
    const [, survivor] = sites;
    const both = sites;
    sites = [survivor!];
    await expect(planOf(sites, { entity: 'account', to: AZURE, lost: 'azure-x' })).rejects.toThrow(
      `account is written at ${AWS}, not at azure-x`,
    );
    await expect(promote(AZURE)).rejects.toThrow(`fence it and say --lost ${AWS}`);
    expect(await planOf(sites, { entity: 'account', to: AZURE, lost: AWS })).toMatchObject({
      way: 'lost',
      heardMsAgo: 12_000,
    });
    expect(await promote(AZURE, AWS)).toBeUndefined();
    azure.nowMs += 1_000;
    await azure.write('account:1', { a: 'new' });
    sites = both;
    // What had not crossed is named where it lies.
    expect((await sites[0]!.pending()).peers[0]!.keys.map(({ key }) => key)).toEqual(['account:1']);
    aws.nowMs += 2_000;
    azure.nowMs += 1_000;
    await sleep(0);
    expect(await aws.write('account:1', { a: 'x' }).catch((error: unknown) => error)).toMatchObject({
      sites: [AZURE],
    });
    for (const site of [aws, azure])
      expect(site.held('account:1')!.state.fields).toMatchObject({
        a: [expect.anything(), 'new'],
        labels: [expect.anything(), 'lost'],
      });
  });
});
