/** Three sites, of which some keep some records: nothing that names or holds those goes to another. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { beginCollection } from '@tandem-clouds/replication/anti-entropy/collect-tombstones';
import { begin } from '@tandem-clouds/replication/anti-entropy/compare';
import { beginPurge } from '@tandem-clouds/replication/anti-entropy/purge';
import { verify } from '@tandem-clouds/replication/anti-entropy/verify';
import { applyBatch } from '@tandem-clouds/replication/apply';
import { awaitAcceptance } from '@tandem-clouds/replication/await-acceptance';
import {
  compareStepMs,
  cursorKeptMs,
  horizonMs,
  placesSettleMs,
  sweepGraceMs,
} from '@tandem-clouds/replication/bounds';
import { NotKeptHereError, RefusedError } from '@tandem-clouds/replication/errors';
import { forward } from '@tandem-clouds/replication/forward';
import { beat, leaveNotes, NO_NOTES, refusedKeys, sweptTo } from '@tandem-clouds/replication/heartbeat';
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import { isBusinessOf } from '@tandem-clouds/replication/reactions/entries';
import { DELETED } from '@tandem-clouds/replication/record';
import { sweep } from '@tandem-clouds/replication/sweep';
import { noteUnusable, unusableKeys } from '@tandem-clouds/replication/unusable-keys';
import { placementOf } from '../../../src/shared/domain/placement.ts';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { checkStep } from '../../../src/shared/validation/check-step.ts';
import { AWS, AZURE, Mesh } from '../../../tests/helpers/mesh.ts';
import { delivered, type TestSite } from '../../../tests/helpers/test-site.ts';

const EU = 'aws-eu-west-1';
const keptAt = placementOf({ patient: [AWS, EU], note: [AWS] })!;

let mesh: Mesh;
let aws: TestSite;
let azure: TestSite;
let eu: TestSite;

function declare(...sites: readonly TestSite[]): void {
  for (const site of sites) site.site = { ...site.site, keptAt };
}

/** All that a site holds and all that lies in its queues, as one text. */
function everythingAt(name: string): string {
  const queued = mesh.sites.flatMap(({ peers, verifiers }) => [
    ...(peers.get(name)?.sent ?? []),
    ...(verifiers.get(name)?.sent ?? []),
  ]);
  return JSON.stringify([[...mesh.site(name).store.items], queued]);
}

/** The site has known where records are kept for so long that nothing runs there which does not. */
async function settleIn(site: TestSite): Promise<void> {
  await site.run(beat(site.site));
  mesh.tick(placesSettleMs);
}

async function arrive(at: TestSite, from: TestSite, key: string): Promise<void> {
  const messages = from.outbox.sent.filter(({ body }) => body.includes(`"${key}"`)).map(delivered);
  await at.run(applyBatch(at.site, messages, checkEvent));
}

async function arriveAll(at: TestSite, from: TestSite): Promise<void> {
  await at.run(applyBatch(at.site, from.outbox.sent.map(delivered), checkEvent));
}

beforeEach(() => {
  mesh = new Mesh(3);
  [aws, azure, eu] = [mesh.site(AWS), mesh.site(AZURE), mesh.site(EU)];
});

describe('a write', () => {
  beforeEach(() => declare(aws, azure, eu));

  test('marks the peers that keep the record, and is published only where there is one', async () => {
    expect(Object.keys((await aws.write('patient:1', { a: 1 })).pending)).toEqual([EU]);
    expect(aws.outbox.sent).toHaveLength(1);
    const alone = await aws.write('note:1', { a: 1 });
    expect([alone.pending, alone.pendingSince, aws.outbox.sent.length]).toEqual([{}, undefined, 1]);
    expect(await aws.run(awaitAcceptance(aws.site, alone, true))).toBe(true);
  });

  test('is refused where the record is not kept, with the sites that keep it, and nothing is read or written', async () => {
    const error = await azure.write('patient:1', { a: 1 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NotKeptHereError);
    expect(error).toMatchObject({ sites: [AWS, EU], retryable: false });
    expect(azure.store.items.size).toBe(0);
  });

  test('that loses is logged where its record is kept, and nowhere else', async () => {
    await aws.write('patient:1', { a: 'first' });
    await eu.write('patient:1', { a: 'second' });
    await arrive(aws, eu, 'patient:1');
    const [entry] = [...aws.store.items.values()].filter(({ record }) => record.key.startsWith('conflict:'));
    expect(Object.keys(entry!.record.pending)).toEqual([EU]);
  });
});

describe('what a release before has left', () => {
  test('is not forwarded, and its marker for a site that does not keep it is cleared without sending', async () => {
    await aws.write('patient:1', { a: 1 });
    declare(aws);
    expect(await aws.run(forward(aws.site, aws.outboxDeliveries(), checkEvent))).toEqual([{ kind: 'done' }]);
    expect([aws.peers.get(AZURE)!.sent.length, aws.peers.get(EU)!.sent.length]).toEqual([0, 1]);
    expect(Object.keys(aws.held('patient:1')!.pending)).toEqual([AZURE]);
    aws.nowMs += sweepGraceMs + 1;
    await aws.run(sweep(aws.site));
    expect([aws.held('patient:1')!.pending, aws.peers.get(AZURE)!.sent.length]).toEqual([{}, 0]);
  });

  test('is dropped where it is not kept, whoever sent it, and its neighbours are applied', async () => {
    await aws.write('patient:1', { a: 1 });
    await aws.write('user:1', { a: 1 });
    declare(azure);
    azure.site = { ...azure.site, peers: [AWS] };
    await eu.write('patient:2', { a: 1 });
    const messages = [...aws.outbox.sent, ...eu.outbox.sent].map(delivered);
    const { dispositions, notKept } = await azure.run(applyBatch(azure.site, messages, checkEvent));
    expect(dispositions).toEqual(messages.map(() => ({ kind: 'done' })));
    expect(notKept).toEqual([
      { source: AWS, entity: 'patient' },
      { source: EU, entity: 'patient' },
    ]);
    expect([...azure.store.items.keys()]).toEqual(['user:1']);
  });

  test('is removed once a site that keeps it holds it, and not before', async () => {
    await azure.write('patient:crossed', { a: 1 });
    await arrive(aws, azure, 'patient:crossed');
    await azure.write('patient:waiting', { a: 1 });
    await azure.write('patient:lost', { a: 1 });
    for (const key of ['patient:crossed', 'patient:lost']) {
      const held = azure.store.items.get(key)!;
      azure.store.items.set(key, { ...held, record: { ...held.record, pending: {} } });
    }
    declare(aws, azure, eu);
    await settleIn(azure);
    const purge = async (): Promise<void> => {
      await azure.run(beginPurge(azure.site));
      await mesh.settle();
    };
    const patients = (): string[] => [...azure.store.items.keys()].filter((key) => key.startsWith('patient'));
    await purge();
    // AWS was not heard: its release might not know what it is asked.
    expect(patients()).toHaveLength(3);
    await aws.run(beat(aws.site));
    await arrive(azure, aws, heartbeatKey(AWS));
    await purge();
    expect(patients()).toEqual(['patient:waiting', 'patient:lost']);
    await mesh.beginAndSettle({ from: AWS, to: AZURE, repair: true });
    await purge();
    // The other one is marked for the second site that keeps it, still.
    expect([patients(), aws.held('patient:lost') !== undefined]).toEqual([['patient:waiting'], true]);
  });
});

test('what is not kept is found to the last record, step by step', async () => {
  for (let i = 0; i < 250; i += 1) await azure.write(`patient:${i}`, { a: 1 });
  await arriveAll(aws, azure);
  for (const [key, held] of azure.store.items)
    azure.store.items.set(key, { ...held, record: { ...held.record, pending: {} } });
  declare(aws, azure, eu);
  await settleIn(azure);
  await aws.run(beat(aws.site));
  await arrive(azure, aws, heartbeatKey(AWS));
  azure.store.before = (operation) => {
    if (operation === 'scan') azure.nowMs += compareStepMs + 1;
  };
  await azure.run(beginPurge(azure.site));
  await mesh.settle();
  expect([...azure.store.items.keys()].filter((key) => key.startsWith('patient'))).toEqual([]);
});

describe('what may still be written by a function that knows another declaration', () => {
  const isHeld = (): boolean => azure.held('patient:1') !== undefined;
  const purge = async (): Promise<void> => {
    await azure.run(beginPurge(azure.site));
    await mesh.settle();
  };
  const undeclared = (): Promise<unknown> => {
    const { keptAt: _, ...before } = azure.site;
    return azure.run(beat(before));
  };

  beforeEach(async () => {
    await azure.write('patient:1', { a: 1 });
    for (const site of [aws, eu]) await arrive(site, azure, 'patient:1');
    azure.store.items.set('patient:1', {
      record: { ...azure.held('patient:1')!, pending: {} },
      revision: 7,
    });
    declare(aws, azure, eu);
    await aws.run(beat(aws.site));
    await arrive(azure, aws, heartbeatKey(AWS));
  });

  test('is removed when it has ended', async () => {
    await purge();
    expect(isHeld()).toBe(true);
    await azure.run(beat(azure.site));
    mesh.tick(placesSettleMs - 1);
    await azure.run(beat(azure.site));
    await purge();
    expect(isHeld()).toBe(true);
    mesh.tick(1);
    // Nor does it matter what the site cannot read of what it has written about itself.
    azure.store.bad.set(`verification:${AZURE}.${AWS}`, { read: new RefusedError('for good') });
    await purge();
    expect(isHeld()).toBe(false);
  });

  test('has the whole time again after a rollback, also to a release that does not say what it knows', async () => {
    await settleIn(azure);
    await undeclared();
    await purge();
    expect(isHeld()).toBe(true);
    mesh.tick(1);
    await settleIn(azure);
    mesh.tick(-1);
    await purge();
    expect(isHeld()).toBe(true);
    mesh.tick(1);
    await purge();
    expect(isHeld()).toBe(false);
  });

  test('stays when the site has had another release by the time it may go', async () => {
    await settleIn(azure);
    await azure.run(beginPurge(azure.site));
    await undeclared();
    await mesh.settle();
    expect(isHeld()).toBe(true);
  });
});

describe('names from the time at which every site kept the records', () => {
  const named = (): boolean => JSON.stringify([...aws.store.items]).includes('secret');

  test('are taken out of what a site has written about itself', async () => {
    await aws.run(beat(aws.site));
    await aws.write('user:1', { a: 1 });
    await aws.write('patient:secret', { a: 1 });
    mesh.tick(60_000);
    await mesh.beginAndSettle({ from: AWS, to: AZURE, repair: false });
    await mesh.beginAndSettle({ id: 'promotion', from: AWS, to: AZURE, repair: false, of: 'patient' });
    const byPatient = { entities: ['patient'] };
    aws.site = { ...aws.site, declaredWriter: Object.assign(() => undefined, byPatient) };
    expect(JSON.stringify(aws.held(`verification:${AWS}.${AZURE}.patient`))).toContain('secret');
    const why = new RefusedError('patient:secret is refused');
    await aws.run(noteUnusable(aws.site, 'compare', new Map([['patient:secret', why]])));
    await aws.write(`cursor:${AWS}.${AZURE}.${AWS}.to`, { place: ['job', 'patient:secret'] });
    aws.store.items.delete('patient:secret');
    declare(aws);
    await aws.run(beginPurge(aws.site));
    // It might yet be needed.
    expect(named()).toBe(true);
    mesh.tick(cursorKeptMs + 1);
    await aws.run(beginPurge(aws.site));
    expect(mesh.result({ from: AWS, to: AZURE }).from).toMatchObject({ differing: 2, examples: ['user:1'] });
    expect(named()).toBe(false);
    const revisions = [...aws.store.items.values()].map(({ revision }) => revision);
    await aws.run(beginPurge(aws.site));
    expect([...aws.store.items.values()].map(({ revision }) => revision)).toEqual(revisions);
  });

  test('go no further than the first site that knows better', async () => {
    declare(aws);
    const job = { id: 'j', from: AWS, to: AZURE, atMs: aws.nowMs, repair: false };
    const totals = { checked: 2, differing: 2, repaired: 0, examples: ['patient:secret', 'user:1'] };
    await aws.run(begin(aws.site, job));
    const step = { kind: 'ended', job, side: 'from', counted: { from: 2, to: 0 }, totals };
    const message = delivered({ id: 'ended', body: JSON.stringify(step) });
    await aws.run(verify(aws.site, [message], checkStep));
    expect(mesh.result({ from: AWS, to: AZURE }).from).toMatchObject({ examples: ['user:1'] });
    expect(named()).toBe(false);
  });
});

describe('nothing in what is kept everywhere', () => {
  beforeEach(() => declare(aws, azure, eu));

  test('names a record: neither in a heartbeat nor in the result of a comparison', async () => {
    const why = new RefusedError('patient:secret is refused');
    await aws.run(beat(aws.site));
    const notes = {
      sweptTo: { sinceMs: 7, key: 'patient:secret' },
      refused: { [EU]: { 'patient:secret': 'x' } },
    };
    await aws.run(leaveNotes(aws.site, { ...NO_NOTES, ...notes }));
    await aws.run(noteUnusable(aws.site, 'compare', new Map([['patient:secret', why]])));
    const heartbeat = aws.held(heartbeatKey(AWS))!;
    expect(sweptTo(heartbeat)).toEqual({ sinceMs: 7, key: '' });
    expect(Object.keys(refusedKeys(heartbeat)[EU]!)).toEqual(['patient:*']);
    expect(unusableKeys(heartbeat, aws.nowMs).map(({ key }) => key)).toEqual(['patient:*']);
    expect(JSON.stringify(heartbeat)).not.toContain('secret');
  });

  test('names what is about a record, where the key does not say which', async () => {
    await aws.run(beat(aws.site));
    // A claim from before its entity was kept at some sites only, and an entry of the conflict log.
    for (const [key, field, value] of [
      ['unique:digest', 'claims', 'patient:1'],
      ['conflict:digest', 'record', 'patient:1'],
    ] as const) {
      const { state: real } = await aws.write('patient:x', { a: 1 });
      const stamped = real.vector[AWS]!;
      const fields = field === 'record' ? { record: [stamped, value] as const } : {};
      const sets = field === 'claims' ? { claims: { c: [stamped, { record: value }] as const } } : undefined;
      const record = {
        key,
        state: { fields, vector: real.vector, ...(sets && { sets }) },
        version: stamped,
        pending: {},
        operations: [],
      };
      aws.store.items.set(key, { record, revision: 0 });
      await aws.run(
        noteUnusable(aws.site, 'compare', new Map([[key, new RefusedError(`${key} is refused`)]])),
      );
    }
    mesh.tick(60_000);
    await mesh.beginAndSettle({ from: AWS, to: EU, repair: false });
    expect(mesh.result({ from: AWS, to: EU }).from!.differing).toBeGreaterThan(2);
    const open = [aws.held(heartbeatKey(AWS)), aws.held(`verification:${AWS}.${EU}`)];
    expect(JSON.stringify(open)).not.toContain('digest');
  });

  test('comes of comparing: sites that keep a record are repaired, others hear nothing of it', async () => {
    for (let i = 0; i < 300; i += 1) await aws.write(`patient:secret${i}`, { a: 'secret' });
    await aws.write('note:secret', { a: 'secret' });
    await aws.write('user:1', { a: 1 });
    mesh.tick(60_000);
    for (const to of [AZURE, EU]) await mesh.beginAndSettle({ id: `to ${to}`, from: AWS, to, repair: true });
    expect(mesh.result({ from: AWS, to: AZURE }).from).toMatchObject({ differing: 1, counted: 1 });
    expect(mesh.result({ from: AWS, to: EU }).from).toMatchObject({ differing: 301, repaired: 301 });
    expect([...eu.store.items.keys()].filter((key) => key.startsWith('patient:'))).toHaveLength(300);
    expect(azure.held('user:1')).toBeDefined();
    // What the other two have said about all this included.
    for (const site of [aws, eu]) await arrive(azure, site, `verification:${AWS}.${EU}`);
    expect(everythingAt(AZURE)).not.toMatch(/secret|patient:|note:/);
    expect(everythingAt(EU)).not.toContain('note:');
  });

  test('comes of a search that goes on behind a record: its cursor stays at home', async () => {
    await aws.write('alpha:1', { a: 1 });
    for (let i = 0; i < 250; i += 1) await aws.write(`patient:secret${i}`, { a: 1 });
    await aws.write('user:1', { a: 1 });
    mesh.tick(60_000);
    // Each step ends with its first page.
    aws.store.before = (operation) => {
      if (operation === 'scan') aws.nowMs += compareStepMs + 1;
    };
    const crossing: string[] = [];
    await aws.run(begin(aws.site, { id: 'j', from: AWS, to: AZURE, atMs: aws.nowMs, repair: true }));
    await mesh.settle((message) => {
      if (/"kind":"(?:offer|lacking)"/.test(message.body)) crossing.push(message.body);
      return [message];
    });
    expect([azure.held('alpha:1'), azure.held('user:1')].every(Boolean)).toBe(true);
    expect(crossing.some((body) => body.includes('"cursor":"#"'))).toBe(true);
    expect(crossing.join()).not.toContain('secret');
    expect(everythingAt(AZURE)).not.toContain('secret');
  });

  test('comes of removing tombstones: only the sites that keep one are asked', async () => {
    await aws.write('patient:1', { a: 1, [DELETED]: true });
    await arrive(eu, aws, 'patient:1');
    await aws.write('note:1', { a: 1, [DELETED]: true });
    for (const { store } of [aws, eu])
      for (const [key, held] of store.items)
        store.items.set(key, { ...held, record: { ...held.record, pending: {} } });
    mesh.tick(2 * horizonMs);
    await aws.run(beginCollection(aws.site));
    expect(everythingAt(AZURE)).not.toMatch(/patient|note/);
    await mesh.settle();
    expect([aws.held('patient:1'), aws.held('note:1')]).toEqual([undefined, undefined]);
  });
});

test('a tombstone that another release asks everybody about is not named to a site that does not keep it', async () => {
  await aws.write('patient:1', { a: 1, [DELETED]: true });
  for (const site of [eu, azure]) await arrive(site, aws, 'patient:1');
  for (const { store } of mesh.sites)
    for (const [key, held] of store.items)
      store.items.set(key, { ...held, record: { ...held.record, pending: {} } });
  mesh.tick(2 * horizonMs);
  declare(eu);
  aws.site = { ...aws.site, peers: [EU, AZURE] };
  await aws.run(beginCollection(aws.site));
  const [asked] = aws.verifiers.get(EU)!.sent.map(delivered);
  await eu.run(verify(eu.site, [asked!], checkStep));
  expect(eu.verifiers.get(AZURE)!.sent).toEqual([]);
});

test('conditions that a site made true which keeps the record no more are those of one that does', () => {
  declare(aws, eu);
  const condition = {
    reaction: 'r',
    effectId: 'e',
    site: 'origin',
    origin: AZURE,
    madeMs: 0,
    canLookUp: false,
  } as const;
  expect([aws, eu].map(({ site }) => isBusinessOf(site, 'patient:1', condition))).toEqual([false, true]);
  expect([aws, eu].map(({ site }) => isBusinessOf(site, 'user:1', condition))).toEqual([false, false]);
});
