/** The archive of a site, on both storages: what is written gets there, and what is wrong with it is found. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ARCHIVE } from '@tandem-clouds/replication/archive';
import { drive } from '@tandem-clouds/replication/drive';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { forward } from '@tandem-clouds/replication/forward';
import { beat } from '@tandem-clouds/replication/heartbeat';
import type { Json } from '@tandem-clouds/replication/json';
import { localWrite } from '@tandem-clouds/replication/local-write';
import { erase } from '@tandem-clouds/replication/policies/erased';
import type { Site } from '@tandem-clouds/replication/protocol';
import { DELETED, ERASED, plainValues } from '@tandem-clouds/replication/record';
import { sweep } from '@tandem-clouds/replication/sweep';
import { archiveQueue } from '../../../src/shared/backup/archive-queue.ts';
import { listFulls, runFull } from '../../../src/shared/backup/full.ts';
import { readManifests } from '../../../src/shared/backup/manifest.ts';
import { nameOf, readName } from '../../../src/shared/backup/names.ts';
import { readArchive } from '../../../src/shared/backup/read-archive.ts';
import { planRestore, requireNewSite, restoreStates } from '../../../src/shared/backup/restore.ts';
import { runBackup } from '../../../src/shared/backup/run-backup.ts';
import { type ArchiveStorage, listArchive, readBytes } from '../../../src/shared/backup/storage.ts';
import { verifyArchive } from '../../../src/shared/backup/verify-archive.ts';
import type { Objects } from '../../../src/shared/ports/objects.ts';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { MemoryQueue } from '../../helpers/memory-queue.ts';
import { MemoryStore } from '../../helpers/memory-store.ts';
import { type ObjectStorage, startBlob, startS3 } from '../../helpers/object-storages.ts';

const BEGIN_MS = Date.parse('2026-03-01T12:00:00Z');
let nowMs = BEGIN_MS;
const now = (): number => nowMs;
const sleep = (): Promise<void> => Promise.resolve();

describe.each([
  ['S3', startS3],
  ['Blob Storage', startBlob],
] as const)('an archive in %s', (_, start) => {
  let storage: ObjectStorage;
  let objects: Objects;
  let store: MemoryStore;
  let count = 0;
  let site: Site;
  let out: MemoryQueue;
  let resources: Parameters<typeof drive>[1];

  beforeAll(async () => {
    storage = await start(Date.now);
    objects = storage.open();
  });
  afterAll(async () => {
    objects.close();
    await storage.close();
  });
  beforeEach(() => {
    nowMs = BEGIN_MS;
    count += 1;
    site = { site: `aws-${count}`, peers: ['azure-1'], archiveAt: 'azure-1', now };
    store = new MemoryStore();
    out = new MemoryQueue();
    const archive = archiveQueue({ site: site.site, now, open: () => Promise.resolve(objects) });
    resources = {
      store,
      outbox: out,
      peers: new Map([
        ['azure-1', new MemoryQueue()],
        [ARCHIVE, archive],
      ]),
      sleep,
    };
  });
  afterEach(() => {
    storage.faults.clear();
  });

  const write = async (key: string, fields: Readonly<Record<string, Json>>): Promise<void> => {
    nowMs += 1_000;
    await drive(localWrite(site, { key, operationId: `op-${nowMs}`, decide: () => fields }), resources);
  };
  const carry = (): Promise<unknown> => {
    const messages = out.sent.splice(0).map((message) => ({ ...message, attributes: {}, attempts: 1 }));
    return drive(forward(site, messages, checkEvent), resources);
  };
  const pending = (key: string): object => store.items.get(key)?.record.pending ?? {};
  const backup = () => runBackup({ site, store, storage: objects });
  const archived = (atMs?: number) =>
    readArchive(objects, { site: site.site, ...(atMs !== undefined && { atMs }) });
  const verify = () => verifyArchive(objects, { site: site.site, nowMs });

  test('holds what was written once its marker is gone', async () => {
    await write('note:a', { text: 'one' });
    expect(pending('note:a')).toHaveProperty(ARCHIVE);
    await carry();
    expect(pending('note:a')).toEqual({});
    const { states } = await archived();
    expect(states.get('note:a')).toEqual(store.items.get('note:a')?.record.state);
  });

  test('holds nothing that a site writes about itself, and marks nothing where none is kept', async () => {
    await write('heartbeat:aws-1', { at: 1 });
    expect(pending('heartbeat:aws-1')).not.toHaveProperty(ARCHIVE);
    site = { ...site, archiveAt: undefined };
    await write('note:b', { text: 'one' });
    expect(pending('note:b')).not.toHaveProperty(ARCHIVE);
  });

  test('lets the peers go on while the storage is down, and gets what it lacks by the sweep', async () => {
    storage.faults.set([{ kind: 'error' }]);
    await write('note:a', { text: 'one' });
    await carry();
    expect(Object.keys(pending('note:a'))).toEqual([ARCHIVE]);
    storage.faults.clear();
    nowMs += 60_000;
    await drive(sweep(site), resources);
    expect(pending('note:a')).toEqual({});
    expect((await archived()).states.size).toBe(1);
  });

  test('is asked less often the longer it fails', async () => {
    let asked = 0;
    let clockMs = BEGIN_MS;
    const failing = archiveQueue({
      ...{ site: 'aws-1', now: () => clockMs },
      open: () => {
        asked += 1;
        return Promise.reject(new UnavailableError('no sign-in'));
      },
    });
    await write('note:a', { text: 'one' });
    for (let second = 0; second < 600; second += 1) {
      clockMs += 1_000;
      const [result] = await failing.send(out.sent);
      expect(result).toBeInstanceOf(UnavailableError);
    }
    // At once, then after 10, 20, 40, 80 and 160 seconds more; the next pause is the longest.
    expect(asked).toBe(6);
  });

  test('clears the marker that an archive has left which is kept no more', async () => {
    await write('note:a', { text: 'one' });
    site = { ...site, archiveAt: undefined };
    nowMs += 60_000;
    await drive(sweep(site), resources);
    expect(pending('note:a')).toEqual({});
  });

  test('answers with records as they were at a moment, before and after a full', async () => {
    await write('note:a', { text: 'one' });
    const firstMs = nowMs;
    await write('note:a', { text: 'two' });
    await carry();
    nowMs += 1_000;
    expect((await backup()).full).toMatchObject({ full: 'weekly', records: 1, complete: true });
    nowMs += 1_000;
    const secondMs = nowMs;
    await write('note:a', { text: 'three' });
    await write('note:b', { text: 'new' });
    await carry();
    const textAt = async (atMs?: number) => {
      const state = (await archived(atMs)).states.get('note:a');
      return state && plainValues(state)['text'];
    };
    expect(await textAt(BEGIN_MS)).toBeUndefined();
    expect(await textAt(firstMs)).toBe('one');
    expect(await textAt(secondMs)).toBe('two');
    expect(await textAt()).toBe('three');
  });

  test('holds nothing at any moment of what was erased since, also when only a later full says so', async () => {
    await write('note:a', { text: 'of ada' });
    await write('note:b', { text: 'of ada', n: 1 });
    await write('note:c', { text: 'of bob' });
    const thenMs = nowMs;
    await carry();
    nowMs += 1_000;
    await backup();
    // The peer says that it understands erasures.
    await drive(beat({ ...site, site: 'azure-1', peers: [site.site] }), resources);
    nowMs += 1_000;
    const decideA = { decide: () => ({ [DELETED]: true, [ERASED]: 'e1' }), erases: true } as const;
    await drive(localWrite(site, { key: 'note:a', operationId: 'erase-a', ...decideA }), resources);
    const decideB = { decide: () => ({ text: erase('nobody'), [ERASED]: 'e1' }) };
    await drive(localWrite(site, { key: 'note:b', operationId: 'erase-b', ...decideB }), resources);
    await carry();
    const afterMs = nowMs;
    const check = async (atMs: number): Promise<void> => {
      const { states } = await archived(atMs);
      expect(JSON.stringify([...states])).not.toContain('ada');
      expect(plainValues(states.get('note:b')!)).toEqual({ text: 'nobody', n: 1 });
      expect(plainValues(states.get('note:c')!)).toEqual({ text: 'of bob' });
    };
    await check(thenMs);
    await check(afterMs);
    nowMs += 25 * 3_600_000;
    expect((await backup()).full?.full).toBe('daily');
    for (const name of await listArchive(objects, site.site, 'segments'))
      if (name.kind === 'segment' && name.ms >= afterMs) await objects.delete({ key: nameOf(name) });
    await check(thenMs);
  });

  test('makes a weekly full first, then daily ones, and none between', async () => {
    await write('note:a', { text: 'one' });
    expect((await backup()).full?.full).toBe('weekly');
    nowMs += 3_600_000;
    expect((await backup()).full).toBeUndefined();
    nowMs += 24 * 3_600_000;
    expect((await backup()).full?.full).toBe('daily');
    nowMs += 7 * 24 * 3_600_000;
    expect((await backup()).full?.full).toBe('weekly');
  });

  test('goes on with a full that was interrupted, and is not used before it is complete', async () => {
    for (let n = 0; n < 5; n += 1) await write(`note:${n}`, { n });
    const options = { site, store, partRecords: 2, endsMs: Infinity };
    await expect(runFull({ ...options, storage: dyingAfter(objects, 1) })).rejects.toThrow('killed');
    const open = await listFulls(objects, site.site);
    expect(open).toMatchObject([{ parts: [{ number: 1 }] }]);
    expect(open[0]?.complete).toBeUndefined();
    expect((await archived()).full).toBeUndefined();
    nowMs += 1_000;
    expect(await runFull({ ...options, storage: objects })).toMatchObject({ parts: 3, complete: true });
    const { states, full } = await archived();
    expect(full?.records).toBe(5);
    expect(states.size).toBe(5);
  });

  test('is sealed by manifests that name each other, up to the safe time', async () => {
    await write('note:a', { text: 'one' });
    await carry();
    await backup();
    await write('note:b', { text: 'two' });
    const unsentMs = nowMs;
    await backup();
    await carry();
    nowMs += 60_000;
    await backup();
    const manifests = await readManifests(objects, site.site);
    expect(manifests.map(({ manifest }) => manifest.segments.length)).toEqual([1, 1]);
    expect(manifests[1]?.manifest.previous).toBe(manifests[0]?.sha256);
    expect(Date.parse(manifests[1]?.manifest.safeTime ?? '')).toBeGreaterThan(unsentMs);
    expect(await verify()).toMatchObject({ problems: [], records: 3, unsealed: 0 });
  });

  test('does not claim what is still marked', async () => {
    await write('note:a', { text: 'one' });
    const writtenMs = nowMs;
    nowMs += 5_000;
    const { manifest } = await backup();
    expect(Date.parse(manifest?.safeTime ?? '')).toBeLessThanOrEqual(writtenMs);
  });

  test.each([
    ['missing', (key: string) => objects.purge(key), 'it is missing'],
    ['cut short', (key: string) => tear(key, (bytes) => bytes.subarray(0, -9)), 'its SHA-256 is'],
    [
      'changed',
      (key: string) => tear(key, (bytes) => Buffer.concat([bytes, Buffer.from('x')])),
      'its SHA-256 is',
    ],
  ])('names a segment that is %s', async (_what, harm, rule) => {
    await write('note:a', { text: 'one' });
    await carry();
    nowMs += 1_000;
    await backup();
    nowMs += 1_000;
    await write('note:b', { text: 'two' });
    await carry();
    nowMs += 2 * 3_600_000;
    await backup();
    const segments = await listArchive(objects, site.site, 'segments');
    const last = segments.at(-1);
    if (last === undefined) throw new Error('no segment');
    await harm(nameOf(last));
    const { problems } = await verify();
    expect(problems.join('\n')).toContain(`${nameOf(last)}: ${rule}`);
    if (rule !== 'it is missing') await expect(archived()).rejects.toThrow(nameOf(last));
  });

  const tear = async (key: string, change: (bytes: Buffer) => Uint8Array): Promise<void> => {
    const bytes = Buffer.from(await readBytes(objects, key));
    await objects.put(key, change(bytes), { contentType: 'application/gzip' });
  };

  test('is refused when a part of the full is missing', async () => {
    await write('note:a', { text: 'one' });
    await backup();
    const [full] = await listFulls(objects, site.site);
    const part = full?.parts[0];
    if (part === undefined) throw new Error('no part');
    await objects.purge(nameOf(part));
    await expect(archived()).rejects.toThrow(`${nameOf(part)}: it is missing`);
  });

  test('is restored into an empty site, compares equal, and does nothing the second time', async () => {
    for (let n = 0; n < 250; n += 1) await write(`note:${n}`, { n });
    await drive(
      localWrite(site, { key: 'note:7', operationId: 'gone', decide: () => ({ $deleted: true }) }),
      resources,
    );
    await carry();
    await backup();
    const { states } = await archived();
    const empty = new MemoryStore();
    expect(await planRestore(empty, states)).toMatchObject({ absent: 250, held: 0, strange: [], beyond: [] });
    // Interrupted: it wrote some of them.
    let reads = 0;
    empty.before = (operation) => {
      if (operation === 'getMany' && (reads += 1) > 1) throw new Error('killed');
    };
    await expect(restoreStates(empty, states, { now })).rejects.toThrow('killed');
    empty.before = () => undefined;
    expect((await restoreStates(empty, states, { now })).failed).toEqual({});
    expect(await planRestore(empty, states)).toMatchObject({ absent: 0, older: 0, held: 250, strange: [] });
    for (const [key, { record }] of store.items)
      expect(empty.items.get(key)?.record.state).toEqual(record.state);
    expect(empty.items.get('note:7')?.record.goneSince).toBeDefined();
    expect(await restoreStates(empty, states, { now })).toMatchObject({ written: 0, held: 250 });
  });

  test('is not restored under the id of a site that it is of, nor into one with other records', async () => {
    await write('note:a', { text: 'one' });
    await carry();
    const { states } = await archived();
    const plan = await planRestore(new MemoryStore(), states);
    expect(() => {
      requireNewSite(states, { site: site.site, plan, beside: true });
    }).toThrow(/under a new id/);
    await write('note:other', { text: 'two' });
    const other = await planRestore(store, states);
    expect(() => {
      requireNewSite(states, { site: 'azure-9', plan: other, beside: false });
    }).toThrow('azure-9 is not empty: it has note:other');
    expect(() => {
      requireNewSite(states, { site: 'azure-9', plan: other, beside: true });
    }).not.toThrow();
  });
});

test('names of objects are read as they were made, and others are not', () => {
  const sha256 = 'a'.repeat(64);
  const names = [
    { kind: 'segment', site: 'aws-1', ms: 1_772_366_400_000, sha256 },
    { kind: 'manifest', site: 'aws-1', ms: 1_772_366_400_000, sha256 },
    { kind: 'part', site: 'aws-1', full: 'daily', ms: 1_772_366_400_000, number: 3, sha256 },
    { kind: 'complete', site: 'aws-1', full: 'weekly', ms: 1_772_366_400_000, sha256 },
    { kind: 'content', site: 'aws-1', key: 'object:x', upload: `aws-1.${'0'.repeat(32)}` },
  ] as const;
  for (const name of names) expect(readName(nameOf(name))).toEqual(name);
  for (const other of ['v2/segments/aws-1/x', 'v1/segments/aws-1/1-a.jsonl.gz', 'v1/other/aws-1/x', 'x'])
    expect(readName(other)).toBeUndefined();
});

/** The same storage, which dies with the write after so many. */
function dyingAfter(objects: Objects, puts: number): ArchiveStorage {
  let left = puts;
  return {
    put: (...args) => {
      left -= 1;
      return left < 0 ? Promise.reject(new Error('killed')) : objects.put(...args);
    },
    read: (...args) => objects.read(...args),
    list: (...args) => objects.list(...args),
    head: (...args) => objects.head(...args),
    beginUpload: (...args) => objects.beginUpload(...args),
    putPart: (...args) => objects.putPart(...args),
    completeUpload: (...args) => objects.completeUpload(...args),
  };
}
