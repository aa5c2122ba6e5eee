/** What a site makes of its records and its storage when it compares them. */
import { describe, expect, test } from '@jest/globals';
import { crc64Of } from '../../../src/shared/crc64.ts';
import { UnreadableError } from '../../../src/shared/errors.ts';
import { MemoryStorage } from '../../../tests/helpers/memory-storage.ts';
import { START_MS, TestSite } from '../../../tests/helpers/test-site.ts';
import {
  conflictKeptMs,
  inventoryAccountsMax,
  inventoryAgainMs,
  inventoryConflictsMax,
  inventoryEveryMs,
  replacedKeptMs,
  uploadKeptMs,
} from '../src/bounds.ts';
import { UnavailableError } from '../src/errors.ts';
import { BEATEN_AT, heartbeatKey } from '../src/heartbeat-record.ts';
import type { Json } from '../src/json.ts';
import { emptied } from '../src/lives.ts';
import { contentConditions } from '../src/objects/conditions.ts';
import { claim, claimants, type Content, type Contents, storageName } from '../src/objects/content.ts';
import type { ObjectProtocol } from '../src/objects/effects.ts';
import { holdWithin } from '../src/objects/hold.ts';
import { takeInventory } from '../src/objects/inventory.ts';
import {
  beginInventory,
  inventoryKey,
  inventoryOf,
  type InventoryReport,
} from '../src/objects/inventory-record.ts';
import type { InventoryParts, InventoryStep } from '../src/objects/inventory-step.ts';
import { addUsage, NO_SUMS, Summing, usageIn } from '../src/objects/usage.ts';
import { change } from '../src/policies/set.ts';
import { driveReact } from '../src/reactions/drive-react.ts';
import { react } from '../src/reactions/react.ts';
import { DELETED, isDeleted, isLive, plainValues } from '../src/record.ts';
import { USAGE } from '../src/reserved.ts';

const [AWS, AZURE] = ['aws-1', 'azure-1'] as const;
const DAY = 24 * 3_600_000;
const LONG_AGO = START_MS - 30 * DAY;

const contents: Contents = {
  may: (key) => key.startsWith('object:'),
  isNothingWithout: (key) => key !== 'object:profile',
  of(key, state, nowMs) {
    const { content, heldBy } = plainValues(state) as { content?: Content; heldBy?: string[] };
    if (!key.startsWith('object:') || content === undefined || !isLive(state, nowMs)) return undefined;
    const { completedMs } = content;
    return {
      content,
      heldBy: claimants(heldBy ?? [], content.upload),
      fromMs: completedMs,
      byMs: completedMs + 1,
    };
  },
};

const bytesOf = (text: string): Buffer => Buffer.from(text);
const uploadOf = (number: number, site: string = AWS): string =>
  `${site}.${String(number).padStart(32, '0')}`;
const contentOf = (upload: string, text: string): Content => ({
  upload,
  bytes: text.length,
  crc64: crc64Of(bytesOf(text)),
  contentType: 'text/plain',
  completedMs: LONG_AGO,
});

class Place {
  readonly site: TestSite;
  readonly storage: MemoryStorage;
  readonly parts: InventoryParts;
  /** Calls of the storage after which a step has no more time. */
  left = Infinity;

  constructor(name: string = AWS, peers: readonly string[] = [AZURE]) {
    this.site = new TestSite(name, peers);
    this.site.nowMs = LONG_AGO;
    this.storage = new MemoryStorage(() => this.site.nowMs);
    this.storage.before = () => (this.left -= 1);
    this.parts = {
      contents,
      accountsOf: ({ state }) => [`${USAGE}:${(state.fields['owner']?.[1] ?? '') as string}`],
      deletion: ({ state }) => ({ ...emptied(state), [DELETED]: true }),
      parentOf: ({ state }) => (state.fields['parent']?.[1] ?? undefined) as string | undefined,
      goesOn: () => this.left > 0,
    };
  }

  /** A record with content that is here, and is claimed. */
  async object(
    id: string,
    text: string,
    { upload = uploadOf(1), claims = [AWS, AZURE] as readonly string[], owner = 'ada' } = {},
  ): Promise<string> {
    const key = `object:${id}`;
    const heldBy = change({ add: claims.map((site) => claim(upload, site)) });
    const fields = { owner, content: contentOf(upload, text) as unknown as Json, heldBy };
    await this.site.write(key, {}, { operationId: upload, decide: () => fields });
    this.storage.put(storageName(key, upload), bytesOf(text));
    return storageName(key, upload);
  }

  /** As the peers' heartbeats say. */
  async hear(agoMs = 0): Promise<void> {
    for (const peer of this.site.site.peers)
      await this.site.write(heartbeatKey(peer), { [BEATEN_AT]: this.site.nowMs - agoMs });
  }

  /** One inventory to its end. @param calls What each step has time for. */
  async take({ read = false, calls = Infinity, hear = true } = {}): Promise<InventoryReport> {
    if (hear) await this.hear();
    const id = `i${this.site.nowMs}`;
    let step = await this.site.run(beginInventory(this.site.site, { id, read, asked: true }));
    while (step !== undefined) {
      this.left = calls;
      // As a message carries it.
      const sent = JSON.parse(JSON.stringify(step)) as InventoryStep;
      step = await this.run(takeInventory(this.site.site, sent, this.parts));
    }
    return this.report();
  }

  run<Result>(protocol: ObjectProtocol<Result>): Promise<Result> {
    return driveReact(protocol, { resources: this.site.resources, objects: this.storage.perform });
  }

  report(): InventoryReport {
    return inventoryOf(this.site.held(inventoryKey(this.site.site.site)))!;
  }

  claimsOf(id: string): readonly string[] {
    const { state } = this.site.held(`object:${id}`)!;
    return contents.of(`object:${id}`, state, this.site.nowMs)?.heldBy ?? [];
  }
}

async function place(objects: readonly string[] = []): Promise<Place> {
  const made = new Place();
  for (const id of objects) await made.object(id, `bytes of ${id}`);
  made.site.nowMs = START_MS;
  return made;
}

describe('an inventory of what is claimed', () => {
  test('finds nothing where the storage has all of it, whatever the time of a step', async () => {
    const aws = await place(['a', 'b', 'c']);
    const expected = { checked: 3, bytes: 30, missing: 0, corrupt: 0, unused: 0, removed: 0, strange: 0 };
    for (const calls of [Infinity, 1]) {
      const report = await aws.take({ calls });
      expect(report).toMatchObject({ phase: 'ended', counts: expected, examples: [] });
      aws.site.nowMs += 1;
    }
    expect(aws.claimsOf('a')).toEqual([AWS, AZURE]);
  });

  test('takes away the claim of what is missing or other, so that it is fetched again, and says what is lost', async () => {
    const aws = await place(['a', 'b', 'c']);
    aws.storage.objects.delete(storageName('object:a', uploadOf(1)));
    aws.storage.put(storageName('object:b', uploadOf(1)), bytesOf('other bytes'), LONG_AGO);
    await aws.site.write(
      'object:c',
      {},
      { decide: () => ({ heldBy: change({ remove: [claim(uploadOf(1), AZURE)] }) }) },
    );
    aws.storage.objects.delete(storageName('object:c', uploadOf(1)));
    const { counts, examples } = await aws.take();
    expect(counts).toMatchObject({ checked: 3, missing: 2, corrupt: 1, lost: 1 });
    expect(examples).toEqual(['object:a', 'object:b', 'object:c']);
    expect(['a', 'b', 'c'].map((id) => aws.claimsOf(id))).toEqual([[AZURE], [AZURE], []]);
    // Nobody asks for what is not claimed.
    aws.site.nowMs += 1;
    expect((await aws.take()).counts).toMatchObject({ checked: 0, missing: 0 });
  });

  test('reads the bytes when that is asked for, and gives up those that are rotten where another has them', async () => {
    const aws = await place(['a', 'b', 'c']);
    const nameOf = (id: string): string => storageName(`object:${id}`, uploadOf(1));
    aws.storage.rot(nameOf('a'));
    aws.storage.rot(nameOf('c'));
    await aws.site.write(
      'object:c',
      {},
      { decide: () => ({ heldBy: change({ remove: [claim(uploadOf(1), AZURE)] }) }) },
    );
    expect((await aws.take()).counts).toMatchObject({ corrupt: 0 });
    aws.site.nowMs += 1;
    const { counts } = await aws.take({ read: true, calls: 1 });
    expect(counts).toMatchObject({ checked: 3, missing: 0, corrupt: 2, lost: 1 });
    expect(['a', 'b', 'c'].map((id) => aws.claimsOf(id))).toEqual([[AZURE], [AWS, AZURE], [AWS]]);
    expect(['a', 'b', 'c'].map((id) => aws.storage.objects.has(nameOf(id)))).toEqual([false, true, true]);
  });

  test('makes what is missing, or rotten, to be fetched again from another site', async () => {
    const aws = await place(['a', 'b']);
    const there = new MemoryStorage(() => START_MS);
    aws.storage.peers = new Map([[AZURE, there]]);
    for (const [name, { body }] of aws.storage.objects) there.put(name, body);
    const { site } = aws;
    site.site = {
      ...site.site,
      reactions: {
        knows: () => true,
        conditions: (key, state, nowMs) =>
          key.startsWith('object:')
            ? contentConditions(contents, key, state, {
                ...{ site: AWS, keptBy: [AWS, AZURE], nowMs },
                digest: (text) => text,
              })
            : [],
      },
    };
    const [missing, rotten] = ['a', 'b'].map((id) => storageName(`object:${id}`, uploadOf(1)));
    aws.storage.objects.delete(missing!);
    aws.storage.rot(rotten!);
    expect((await aws.take({ read: true })).counts).toMatchObject({ missing: 1, corrupt: 1, lost: 0 });
    site.nowMs += 1;
    for (const id of ['a', 'b'])
      await driveReact(react(site.site, `object:${id}`, { within: holdWithin(contents) }), {
        resources: site.resources,
        objects: aws.storage.perform,
      });
    expect(['a', 'b'].map((id) => [...aws.claimsOf(id)].sort())).toEqual([
      [AWS, AZURE],
      [AWS, AZURE],
    ]);
    site.nowMs += 1;
    expect((await aws.take({ read: true })).counts).toMatchObject({ checked: 2, missing: 0, corrupt: 0 });
  });

  test('fails with the storage, and changes nothing then', async () => {
    const aws = await place(['a']);
    aws.storage.objects.clear();
    aws.storage.before = () => {
      throw new UnavailableError('the storage');
    };
    await expect(aws.take()).rejects.toThrow('the storage');
    expect(aws.claimsOf('a')).toEqual([AWS, AZURE]);
  });

  test('is taken once a day, goes on when it was lost, and ends when another is asked for', async () => {
    const { site, ...aws } = await place();
    const begin = (id: string, asked = false): Promise<InventoryStep | undefined> =>
      site.run(beginInventory(site.site, { id, asked }));
    const first = await begin('i1');
    expect(await begin('i2')).toBeUndefined();
    site.nowMs += inventoryAgainMs + 1;
    const second = await begin('i3');
    const run = (step: InventoryStep): Promise<InventoryStep | undefined> =>
      driveReact(takeInventory(site.site, step, aws.parts), {
        resources: site.resources,
        objects: aws.storage.perform,
      });
    expect(await run(first!)).toBeUndefined();
    const names = await run(second!);
    expect(names?.phase).toBe('names');
    expect(await run(names!)).toBeUndefined();
    expect(inventoryOf(site.held(inventoryKey(AWS)))).toMatchObject({ id: 'i3', phase: 'ended' });
    expect(await begin('i4')).toBeUndefined();
    site.nowMs += inventoryEveryMs;
    expect(await begin('i5')).toMatchObject({ id: 'i5', read: false });
    expect(await begin('i6', true)).toMatchObject({ id: 'i6' });
    site.site = { ...site.site, rebuilding: true };
    expect(await begin('i7', true)).toBeUndefined();
  });
});

describe('an inventory of the names of a storage', () => {
  /** An object whose content was replaced long ago, and the name of the bytes before. */
  async function replaced({ claims = [AWS, AZURE] as readonly string[] } = {}): Promise<[Place, string]> {
    const aws = await place();
    aws.site.nowMs = LONG_AGO;
    const old = await aws.object('a', 'old');
    await aws.object('a', 'new', { upload: uploadOf(2), claims });
    aws.site.nowMs = START_MS;
    return [aws, old];
  }

  test('removes what was replaced for a day', async () => {
    const [aws, old] = await replaced();
    aws.site.nowMs = LONG_AGO + replacedKeptMs - 1;
    expect((await aws.take()).counts).toMatchObject({ unused: 1, unusedBytes: 3, removed: 0 });
    aws.site.nowMs = LONG_AGO + replacedKeptMs + 1;
    expect((await aws.take()).counts).toMatchObject({ unused: 1, removed: 1, removedBytes: 3 });
    expect([...aws.storage.objects.keys()]).toEqual([storageName('object:a', uploadOf(2))]);
    expect(old).not.toBe(storageName('object:a', uploadOf(2)));
  });

  test.each<[string, (aws: Place) => Promise<unknown>]>([
    ['a peer is not heard', (aws) => aws.hear(2 * 3_600_000).then(() => aws.take({ hear: false }))],
    [
      'an entry of the conflict log names it',
      async (aws) => {
        const loser = { stamp: '', site: AZURE, value: contentOf(uploadOf(1), 'old') as unknown as Json };
        await aws.site.write('conflict:1', {
          record: 'object:a',
          field: 'content',
          loser,
          winner: {},
          reason: '',
        });
        return aws.take();
      },
    ],
    [
      'its record cannot be read',
      (aws) => {
        aws.site.store.bad.set('object:a', { read: new UnreadableError('object:a') });
        return aws.take();
      },
    ],
  ])('removes nothing while %s', async (_, act) => {
    const [aws, old] = await replaced();
    await act(aws);
    expect(aws.storage.objects.has(old)).toBe(true);
  });

  test('keeps what was replaced until this site has what replaced it, or nobody can review a conflict', async () => {
    const [aws, old] = await replaced({ claims: [AZURE] });
    await aws.take();
    expect(aws.storage.objects.has(old)).toBe(true);
    aws.site.nowMs = LONG_AGO + conflictKeptMs + replacedKeptMs + 1;
    await aws.take();
    expect(aws.storage.objects.has(old)).toBe(false);
  });

  test('removes what was deleted for a day, as long as this site has known of it', async () => {
    const aws = await place(['a']);
    await aws.site.write('object:a', {}, { decide: (held) => aws.parts.deletion(held!) });
    aws.site.nowMs += replacedKeptMs - 1;
    expect((await aws.take()).counts).toMatchObject({ unused: 1, removed: 0 });
    aws.site.nowMs += 2 + 5 * 60_000;
    expect((await aws.take()).counts).toMatchObject({ unused: 1, removed: 1 });
  });

  test('removes uploads that were never completed, and records that never had any, after a week', async () => {
    const aws = await place();
    const pending = storageName('object:a', uploadOf(9));
    await aws.site.write('object:a', { owner: 'ada' });
    // One that may be without: a profile without a picture.
    await aws.site.write('object:profile', { owner: 'ada' });
    await aws.object('b', 'b');
    const later = storageName('object:b', uploadOf(9));
    for (const name of [pending, later]) aws.storage.put(name, bytesOf('sent'));
    aws.site.nowMs += uploadKeptMs - 1;
    expect((await aws.take()).counts).toMatchObject({ unused: 2, removed: 0, abandoned: 0 });
    aws.site.nowMs += 2;
    expect((await aws.take()).counts).toMatchObject({ unused: 2, removed: 1, abandoned: 1 });
    expect(isDeleted(aws.site.held('object:a')!.state)).toBe(true);
    expect(isDeleted(aws.site.held('object:profile')!.state)).toBe(false);
    expect(aws.storage.objects.has(later)).toBe(false);
    aws.site.nowMs += replacedKeptMs + 5 * 60_000;
    expect((await aws.take()).counts).toMatchObject({ unused: 1, removed: 1 });
    expect([...aws.storage.objects.keys()]).toEqual([storageName('object:b', uploadOf(1))]);
  });

  test('reports strange names, and never removes them', async () => {
    const aws = await place(['a']);
    const strange = ['content/x', 'content/other/1/x', storageName('object:nobody', uploadOf(1))];
    for (const name of strange) aws.storage.put(name, bytesOf('?'), LONG_AGO);
    aws.storage.put('elsewhere/1', bytesOf('?'), LONG_AGO);
    const { counts, examples } = await aws.take();
    expect(counts).toMatchObject({ strange: 3, unused: 0, removed: 0 });
    expect([...examples].sort()).toEqual([...strange].sort());
    expect(aws.storage.objects.size).toBe(5);
  });
});

describe('the usage of owners', () => {
  const usage = (aws: Place, owner: string): unknown => usageIn(aws.site.held(`${USAGE}:${owner}`));

  test('is put right by the site with the least name, and left alone where something has just changed', async () => {
    const aws = await place();
    aws.site.nowMs = LONG_AGO;
    await aws.object('a', '12345');
    await aws.object('b', '123', { owner: 'eve' });
    await aws.site.run(
      addUsage(aws.site.site, `${USAGE}:ada`, { change: { bytes: 7, objects: 2 }, operationId: 'x' }),
    );
    await aws.site.run(
      addUsage(aws.site.site, `${USAGE}:gone`, { change: { bytes: 7, objects: 2 }, operationId: 'x' }),
    );
    aws.site.nowMs = START_MS;
    await aws.object('c', '1', { owner: 'eve' });
    expect((await aws.take()).counts.corrected).toBe(2);
    expect(['ada', 'eve', 'gone'].map((owner) => usage(aws, owner))).toEqual([
      { bytes: 5, objects: 1 },
      { bytes: 0, objects: 0 },
      { bytes: 0, objects: 0 },
    ]);
    aws.site.nowMs += 10 * 60_000;
    expect((await aws.take()).counts.corrected).toBe(1);
    expect(usage(aws, 'eve')).toEqual({ bytes: 4, objects: 2 });
    aws.site.nowMs += 10 * 60_000;
    expect((await aws.take()).counts.corrected).toBe(0);
  });

  test('is left to the other site by one with a greater name', async () => {
    const azure = new Place(AZURE, [AWS]);
    await azure.object('a', '12345');
    azure.site.nowMs = START_MS;
    expect((await azure.take()).counts.corrected).toBe(0);
    expect(usage(azure, 'ada')).toEqual({ bytes: 0, objects: 0 });
  });

  test('is summed up for so many accounts at a time, one look after the other', () => {
    const accounts = Array.from({ length: 7 }, (_, i) => `${USAGE}:${i}`);
    const settled = { content: { bytes: 1 }, isSettled: true };
    const seen: string[] = [];
    let sums = NO_SUMS;
    for (let look = 0; look < 3; look += 1) {
      const summing = new Summing({ from: sums.from, of: {} }, 3);
      for (const account of [...accounts].reverse().concat(accounts)) summing.add(account, settled);
      sums = summing.sums;
      expect(Object.values(sums.of).every((sum) => sum?.[0] === 2)).toBe(true);
      seen.push(...Object.keys(sums.of));
      sums = { from: Object.keys(sums.of).sort().at(-1)!, of: {} };
    }
    expect(seen.sort()).toEqual(accounts);
  });
});

test('a step fits a message, whatever was found', async () => {
  const aws = await place();
  const step = (await aws.site.run(beginInventory(aws.site.site, { id: 'i1' })))!;
  const key = (i: number): string => `${USAGE}:${String(i).padStart(64, '0')}.${'e'.repeat(40)}`;
  const of = Object.fromEntries(
    Array.from({ length: inventoryAccountsMax }, (_, i) => [key(i), [1e15, 1e9] as const]),
  );
  const conflicts = Array.from({ length: inventoryConflictsMax }, (_, i) => String(i).padStart(16, '0'));
  const examples = Array.from({ length: 20 }, () => 'x'.repeat(200));
  const full = {
    ...step,
    sums: { from: key(0), until: key(1), of },
    conflicts,
    examples,
    cursor: 'c'.repeat(4_096),
  };
  expect(JSON.stringify(full).length).toBeLessThan(200 * 1024);
});

describe('what goes with another record', () => {
  const child = async (aws: Place, id: string, parent: string): Promise<void> => {
    await aws.site.write(`object:${id}`, {}, { decide: () => ({ parent }) });
  };
  const isLeft = (aws: Place, id: string): boolean =>
    aws.site.held(`object:${id}`)!.state.fields[DELETED]?.[1] !== true;

  test('is deleted once that is, and its bytes a day later', async () => {
    const aws = await place(['a', 'b']);
    await child(aws, 'a', 'product:gone');
    await child(aws, 'b', 'product:there');
    for (const id of ['gone', 'there']) await aws.site.write(`product:${id}`, { name: id });
    expect((await aws.take()).counts).toMatchObject({ abandoned: 0 });
    await aws.site.write('product:gone', { [DELETED]: true });
    aws.site.nowMs += 1;
    expect((await aws.take()).counts).toMatchObject({ abandoned: 1, removed: 0 });
    expect([isLeft(aws, 'a'), isLeft(aws, 'b')]).toEqual([false, true]);
    aws.site.nowMs += replacedKeptMs + 600_000;
    expect((await aws.take()).counts).toMatchObject({ abandoned: 0, removed: 1 });
    expect(aws.storage.objects.has(storageName('object:a', uploadOf(1)))).toBe(false);
    expect(aws.storage.objects.has(storageName('object:b', uploadOf(1)))).toBe(true);
  });

  test('stays while that may be on its way, and while a peer was not heard', async () => {
    const aws = await place([]);
    await aws.object('a', 'bytes');
    await child(aws, 'a', 'product:unknown');
    expect((await aws.take()).counts).toMatchObject({ abandoned: 0 });
    aws.site.nowMs += uploadKeptMs + 1;
    expect((await aws.take({ hear: false })).counts).toMatchObject({ abandoned: 0 });
    aws.site.nowMs += 1;
    expect((await aws.take()).counts).toMatchObject({ abandoned: 1 });
  });
});
