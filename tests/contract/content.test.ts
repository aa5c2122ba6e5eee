/** The routes of an entity with content, over both storages of objects; records are in memory. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { applyBatch } from '@tandem-clouds/replication/apply';
import { uploadCompletedMs, uploadKeptMs } from '@tandem-clouds/replication/bounds';
import { storageName } from '@tandem-clouds/replication/objects/content';
import { crc64Of } from '../../src/shared/crc64.ts';
import { contentFields } from '../../src/shared/domain/content.ts';
import { ContentAccounts } from '../../src/shared/domain/content-accounts.ts';
import { ContentStorage } from '../../src/shared/domain/content-storage.ts';
import { defineEntity } from '../../src/shared/domain/define-entity.ts';
import { ContentRequests } from '../../src/shared/http/content-requests.ts';
import type { Objects, ReadableObjects } from '../../src/shared/ports/objects.ts';
import { checkEvent } from '../../src/shared/validation/check-event.ts';
import type { ObjectStorage } from '../helpers/object-storages.ts';
import { startBlob, startS3 } from '../helpers/object-storages.ts';
import { type OwnedApi, ownedApi } from '../helpers/owned-entity.ts';

const SITES = { aws: 'aws-us-east-1', azure: 'azure-eastus' } as const;
const HEDY = 'hedy';
const ADA = 'ada';
const OWNED = [{ name: HEDY }, { name: ADA }];

const picture = defineEntity({
  name: 'picture',
  collection: 'pictures',
  idField: 'pictureId',
  description: 'A picture',
  required: [],
  access: { owner: 'ownerId' },
  fields: {
    ...contentFields,
    ownerId: { type: 'string', maxLength: 256 },
    album: { type: 'string', maxLength: 100 },
  },
  content: {
    types: ['image/*', 'text/plain'],
    bytesMax: 1_000_000_000,
    quota: { ownerBytes: 200_000_000, ownerObjects: 3 },
  },
  example: { album: 'pottery' },
});
const { content: rules } = picture;

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

interface Picture {
  readonly id: string;
  readonly content?: { readonly upload: string; readonly bytes: number; readonly crc64: string };
  readonly heldBy: readonly string[];
  readonly upload?: {
    readonly id: string;
    readonly method: string;
    readonly url: string;
    readonly headers: Record<string, string>;
  };
  readonly code?: string;
  readonly errors?: readonly { readonly pointer: string; readonly rule: string }[];
}

describe.each([
  ['aws', startS3],
  ['azure', startBlob],
] as const)('content at %s', (cloud, start) => {
  const site = SITES[cloud];
  let storage: ObjectStorage;
  let objects: Objects;
  let api: OwnedApi;
  let uuids = 0;
  let operations = 0;
  let now = Date.now();
  /** How far the site's clock is ahead of its storage's. */
  let later = 0;

  const apiOf = (
    name: string,
    own: Objects | undefined,
    peers: ReadonlyMap<string, ReadableObjects>,
  ): OwnedApi =>
    // Of two sites that begin alike, the operations are others.
    ownedApi(picture, OWNED, () => `${name}-${String((operations += 1)).padStart(12, '0')}`, {
      name,
      content: (replica) =>
        new ContentRequests(picture, rules ?? never(), {
          storage: new ContentStorage({
            site: name,
            own,
            peers,
            newId: () => `018f0000-0000-7000-8000-${String((uuids += 1)).padStart(12, '0')}`,
            now: () => now + later,
            sha256: () => {
              const hash = createHash('sha256');
              return { update: (bytes) => hash.update(bytes), digest: () => hash.digest('base64') };
            },
          }),
          accounts: new ContentAccounts(picture, replica),
          find: (key) => replica.read(key, []),
        }),
    });

  beforeAll(async () => {
    storage = await start(() => now);
    objects = storage.open();
  });
  afterAll(async () => {
    objects.close();
    await storage.close();
  });
  beforeEach(() => {
    now = Date.now();
    later = 0;
    api = apiOf(site, objects, new Map());
  });
  afterEach(() => {
    storage.faults.clear();
  });

  const ask = async (
    method: string,
    path: string,
    body?: object,
    {
      caller = HEDY,
      headers = {},
      at = api,
    }: { caller?: string; headers?: Record<string, string>; at?: OwnedApi } = {},
  ): Promise<{ status: number; body: Picture; headers: Readonly<Record<string, string | undefined>> }> => {
    const response = await at.call(caller, { method, path, headers, ...(body !== undefined && { body }) });
    return { ...response, body: JSON.parse(response.text || '{}') as Picture };
  };
  const announce = async (name: string, bytes: Uint8Array, terms: object): Promise<Picture> =>
    (
      await ask('POST', '/pictures', {
        name,
        upload: { contentType: 'image/png', bytes: bytes.length, ...terms },
      })
    ).body;
  const send = async ({ upload }: Picture, bytes: Uint8Array): Promise<number> => {
    const { 'content-length': _, ...headers } = upload?.headers ?? {};
    const response = await fetch(upload?.url ?? '', { method: 'PUT', headers, body: Buffer.from(bytes) });
    return response.status;
  };
  const uploaded = async (name: string, bytes: Uint8Array): Promise<Picture> => {
    const announced = await announce(name, bytes, { crc64: crc64Of(bytes) });
    expect(await send(announced, bytes)).toBeLessThan(300);
    return (await ask('POST', `/pictures/${announced.id}/complete`, { upload: announced.upload?.id })).body;
  };
  const download = async (id: string): Promise<Buffer> => {
    const { status, headers } = await ask('GET', `/pictures/${id}/content`);
    expect(status).toBe(302);
    const response = await fetch(headers['location'] ?? '');
    expect(response.status).toBe(200);
    return Buffer.from(await response.arrayBuffer());
  };

  test.each(['crc64', 'sha256'] as const)(
    'what is announced with %s, sent and completed is read',
    async (by) => {
      const bytes = randomBytes(300_000);
      const name = `a b/ü%41?#&'"<x>.png`;
      const announced = await announce(
        name,
        bytes,
        by === 'crc64' ? { crc64: crc64Of(bytes) } : { sha256: sha256Of(bytes) },
      );
      expect(announced.content).toBeUndefined();
      expect((await ask('GET', `/pictures/${announced.id}/content`)).body.code).toBe('not_found');
      expect(
        (await ask('POST', `/pictures/${announced.id}/complete`, { upload: announced.upload?.id })).body.code,
      ).toBe('not_uploaded');
      expect(await send(announced, bytes)).toBeLessThan(300);
      const { status, body } = await ask('POST', `/pictures/${announced.id}/complete`, {
        upload: announced.upload?.id,
      });
      expect(status).toBe(200);
      expect(body.content).toMatchObject({
        upload: announced.upload?.id,
        bytes: 300_000,
        crc64: crc64Of(bytes),
      });
      expect(body.heldBy).toEqual([`${announced.upload?.id}@${site}`]);
      expect((await download(body.id)).equals(bytes)).toBe(true);
    },
  );

  test('bytes that come with the request are there with its answer, once for one key', async () => {
    const upload = { contentType: 'text/plain', data: Buffer.from('hello').toString('base64') };
    const headers = { 'idempotency-key': 'one' };
    const first = await ask('POST', '/pictures', { name: 'hello.txt', album: 'a', upload }, { headers });
    expect(first.status).toBe(201);
    expect((await download(first.body.id)).toString()).toBe('hello');
    const again = await ask('POST', '/pictures', { name: 'hello.txt', album: 'a', upload }, { headers });
    expect(again.body.content).toEqual(first.body.content);
    // Without the key it is another upload of the same name, and so of the same record.
    const other = await ask('POST', '/pictures', { name: 'hello.txt', upload });
    expect([other.status, other.body.id]).toEqual([200, first.body.id]);
    expect(other.body.content?.upload).not.toBe(first.body.content?.upload);
    const nobodys = await ask('POST', '/pictures', { name: 'hello.txt', upload }, { caller: ADA });
    expect(nobodys.body.id).not.toBe(first.body.id);
    expect((await ask('GET', `/pictures/${first.body.id}/content`, undefined, { caller: ADA })).status).toBe(
      404,
    );
  });

  test('other bytes than were announced are refused by the storage, or when they are completed', async () => {
    const bytes = randomBytes(1_000);
    const other = randomBytes(1_000);
    const byCrc = await announce('crc', bytes, { crc64: crc64Of(bytes) });
    expect(await send(byCrc, other)).toBeGreaterThanOrEqual(400);
    expect(
      (await ask('POST', `/pictures/${byCrc.id}/complete`, { upload: byCrc.upload?.id })).body.code,
    ).toBe('not_uploaded');
    expect(await send(byCrc, bytes.subarray(1))).toBeGreaterThanOrEqual(400);
    const bySha = await announce('sha', bytes, { sha256: sha256Of(bytes) });
    await send(bySha, other);
    const { status, body } = await ask('POST', `/pictures/${bySha.id}/complete`, {
      upload: bySha.upload?.id,
    });
    expect([status, body.code]).toEqual(cloud === 'aws' ? [409, 'not_uploaded'] : [422, 'not_as_announced']);
    // Something else under the name, put there by somebody who may: its size is not the one that was announced.
    const sized = await announce('size', bytes, { crc64: crc64Of(bytes) });
    const key = storageName(`picture:${sized.id}`, sized.upload?.id ?? '');
    await objects.put(key, other.subarray(1), { contentType: 'image/png', metadata: { bytes: '1000' } });
    expect(
      (await ask('POST', `/pictures/${sized.id}/complete`, { upload: sized.upload?.id })).body.code,
    ).toBe('not_as_announced');
  });

  test('a signature that was changed, used for another name, or is too old takes nothing', async () => {
    const bytes = randomBytes(10);
    const announced = await announce('signed', bytes, { crc64: crc64Of(bytes) });
    const url = announced.upload?.url ?? '';
    const changed = {
      ...announced,
      upload: { ...announced.upload, url: url.replace('/picture/', '/pictura/') },
    } as Picture;
    expect(await send(changed, bytes)).toBe(403);
    now += 301_000;
    expect(await send(announced, bytes)).toBe(403);
    now -= 301_000;
    expect(await send(announced, bytes)).toBeLessThan(300);
  });

  test('an upload is completed once: what was announced later is not undone, whoever asks again', async () => {
    const [older, newer] = [randomBytes(10), randomBytes(20)];
    const first = await announce('twice', older, { crc64: crc64Of(older) });
    const second = await announce('twice', newer, { crc64: crc64Of(newer) });
    expect(second.id).toBe(first.id);
    await send(first, older);
    await send(second, newer);
    const complete = (upload: string | undefined): ReturnType<typeof ask> =>
      ask('POST', `/pictures/${first.id}/complete`, { upload });
    expect((await complete(first.upload?.id)).body.content?.bytes).toBe(10);
    const { body } = await complete(second.upload?.id);
    expect(body.content?.bytes).toBe(20);
    expect(body.heldBy).toEqual([`${second.upload?.id}@${site}`]);
    expect((await complete(second.upload?.id)).body.content).toEqual(body.content);
    const { status, body: late } = await complete(first.upload?.id);
    expect([status, late.code]).toEqual([409, 'overtaken']);
    expect((await download(first.id)).equals(newer)).toBe(true);
  });

  test('what was sent is completed within six days, long before it may be removed', async () => {
    const bytes = randomBytes(9);
    const [first, second] = [
      await announce('in-time', bytes, { crc64: crc64Of(bytes) }),
      await announce('too-late', bytes, { crc64: crc64Of(bytes) }),
    ];
    for (const each of [first, second]) expect(await send(each, bytes)).toBeLessThan(300);
    const complete = ({ id, upload }: Picture) =>
      ask('POST', `/pictures/${id}/complete`, { upload: upload?.id });
    later = uploadCompletedMs - 60_000;
    expect((await complete(first)).status).toBe(200);
    later += 120_000;
    expect((await complete(second)).body.code).toBe('not_uploaded');
    expect(uploadCompletedMs).toBeLessThanOrEqual(uploadKeptMs - 24 * 3_600_000);
  });

  test('an upload is completed at another site, which asks the storage that it was sent to', async () => {
    const other = apiOf('aws-eu-west-1', undefined, new Map([[site, objects]]));
    const bytes = randomBytes(10);
    const announced = await announce('elsewhere', bytes, { crc64: crc64Of(bytes) });
    await send(announced, bytes);
    const record = api.site.held(`picture:${announced.id}`);
    if (record === undefined) return never();
    other.site.store.items.set(record.key, { record, revision: 1 });
    const path = `/pictures/${announced.id}/complete`;
    const { status, body } = await ask('POST', path, { upload: announced.upload?.id }, { at: other });
    expect([status, body.heldBy]).toEqual([200, [`${announced.upload?.id}@${site}`]]);
    // The bytes are not there, and nobody answers for those who have them.
    const read = await ask('GET', `/pictures/${announced.id}/content`, undefined, { at: other });
    expect([read.status, read.body.code]).toEqual([503, 'content_unavailable']);
    const unknown = announced.upload?.id.replace(site, 'aws-lost-1');
    expect((await ask('POST', path, { upload: unknown }, { at: other })).status).toBe(503);
    // Without a storage of its own a site takes no upload.
    const upload = { contentType: 'text/plain', data: 'aGVsbG8=' };
    expect((await ask('POST', '/pictures', { name: 'none', upload }, { at: other })).status).toBe(503);
  });

  test('a name that two sites have not heard of each other about keeps what was completed at one of them', async () => {
    const other = apiOf('aws-eu-west-1', undefined, new Map([[site, objects]]));
    for (const each of [api, other]) each.site.site = { ...each.site.site, peers: [site, 'aws-eu-west-1'] };
    const bytes = randomBytes(10);
    const announced = await announce('both', bytes, { crc64: crc64Of(bytes) });
    await send(announced, bytes);
    await ask('POST', `/pictures/${announced.id}/complete`, { upload: announced.upload?.id });
    // As a client does whose first answer was late.
    other.site.nowMs += 1_000;
    const again = await ask('POST', '/pictures', { name: 'both' }, { at: other });
    expect([again.status, again.body.id]).toEqual([201, announced.id]);
    await api.site.run(applyBatch(api.site.site, other.site.outboxDeliveries(), checkEvent));
    const { body } = await ask('GET', `/pictures/${announced.id}`);
    expect(body.content?.upload).toBe(announced.upload?.id);
    expect(body.heldBy).toEqual([`${announced.upload?.id}@${site}`]);
  });

  test('a storage that does not answer is 503, and nothing is acknowledged', async () => {
    const bytes = randomBytes(10);
    const announced = await announce('faulty', bytes, { crc64: crc64Of(bytes) });
    await send(announced, bytes);
    storage.faults.set([{ kind: 'error' }]);
    const { status } = await ask('POST', `/pictures/${announced.id}/complete`, {
      upload: announced.upload?.id,
    });
    expect(status).toBe(503);
    expect((await ask('GET', `/pictures/${announced.id}`)).body.content).toBeUndefined();
  });

  test('each rule that a body breaks is named', async () => {
    const wrong = async (body: object): Promise<readonly unknown[]> => {
      const { status, body: problem } = await ask('POST', '/pictures', body);
      return [status, ...(problem.errors ?? []).map(({ pointer }) => pointer)];
    };
    const crc64 = crc64Of(randomBytes(1));
    expect(await wrong({ name: 'a', upload: { contentType: 'application/pdf', bytes: 1, crc64 } })).toEqual([
      400,
      '/upload/contentType',
    ]);
    expect(await wrong({ name: 'a', upload: { contentType: 'image/png' } })).toEqual([
      400,
      '/upload/bytes',
      '/upload/crc64',
    ]);
    expect(
      await wrong({
        name: 'a',
        upload: { contentType: 'image/png', bytes: 100_000_000, sha256: sha256Of(randomBytes(1)) },
      }),
    ).toEqual([400, '/upload/crc64']);
    expect(
      await wrong({ name: 'a', upload: { contentType: 'image/png', bytes: 1_000_000_001, crc64 } }),
    ).toEqual([400, '/upload/bytes']);
    expect(await wrong({ name: 'a', upload: { contentType: 'image/png', bytes: 3, data: 'aGk=' } })).toEqual([
      400,
      '/upload/bytes',
    ]);
    expect(await wrong({ name: 'a', upload: { contentType: 'image/png', data: 'no base64!' } })).toEqual([
      400,
      '/upload/data',
    ]);
    expect(await wrong({ upload: { contentType: 'image/png', bytes: 1, crc64 } })).toEqual([400, '/name']);
    expect(await wrong({ name: 'a', content: {} })).toEqual([400, '/content']);
    expect(await wrong({ name: 'a', pictureId: 'chosen' })).toEqual([400, '/pictureId']);
    const { body } = await ask('POST', '/pictures', { name: 'a' });
    const patched = await ask('PATCH', `/pictures/${body.id}`, { name: 'b' });
    expect([patched.status, patched.body.errors?.[0]?.pointer]).toEqual([400, '/name']);
  });

  test('what is more than an owner may have is refused before it is sent, and what is deleted makes room', async () => {
    const large = { contentType: 'image/png', bytes: 200_000_001, crc64: crc64Of(randomBytes(1)) };
    expect((await ask('POST', '/pictures', { name: 'large', upload: large })).body.code).toBe(
      'quota_exceeded',
    );
    const ids: string[] = [];
    for (const name of ['1', '2', '3']) ids.push((await uploaded(name, randomBytes(10))).id);
    const upload = { contentType: 'text/plain', data: 'aGVsbG8=' };
    const refused = await ask('POST', '/pictures', { name: '4', upload });
    expect([refused.status, refused.body.code]).toEqual([403, 'quota_exceeded']);
    // Another upload of one that is counted is no other object, and another owner's are others.
    expect((await ask('POST', '/pictures', { name: '3', upload })).status).toBe(200);
    expect((await ask('POST', '/pictures', { name: '4', upload }, { caller: ADA })).status).toBe(201);
    expect((await ask('DELETE', `/pictures/${ids[0] ?? ''}`)).status).toBe(204);
    expect((await ask('POST', '/pictures', { name: '4', upload })).status).toBe(200);
    expect((await ask('GET', `/pictures/${ids[0] ?? ''}/content`)).status).toBe(404);
  });
});

function never(): never {
  throw new TypeError('this is always there');
}
