/** Objects in both storages, through the adapters that functions use: one suite. */
import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AmbiguousError, ThrottledError } from '@tandem-clouds/replication/errors';
import { crc64Of } from '../../src/shared/crc64.ts';
import { ConflictError, ContentMismatchError, InvalidError, NotFoundError } from '../../src/shared/errors.ts';
import type { Objects, ObjectUpload } from '../../src/shared/ports/objects.ts';
import { type ObjectStorage, startBlob, startS3 } from '../helpers/object-storages.ts';
import { readingSuite } from './suites/reading-suite.ts';

const MIB = 1024 * 1024;
/** Every sort of character that a key may have at both. */
const ODD_KEY = `a b/ä+é&?#%25;:'"<>=@,$!*()~{}[]^|\`\u{1f600}/.hidden/x`;
const TEXT = { contentType: 'text/plain; charset=utf-8' };
const bytesOf = (text: string): Buffer => Buffer.from(text);
const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

let aheadMs = 0;
const now = (): number => Date.now() + aheadMs;

const OPERATIONS = {
  aws: { put: 'PutObject', get: 'GetObject', part: 'UploadPart', complete: 'CompleteMultipartUpload' },
  azure: { put: 'PutBlob', get: 'GetBlob', part: 'PutBlock', complete: 'PutBlockList' },
} as const;
/** Of a signed upload that is made again. */
const REFUSED_AGAIN = { aws: 412, azure: 403 } as const;

describe.each([
  ['aws', startS3],
  ['azure', startBlob],
] as const)('objects on %s', (cloud, start) => {
  const operation = OPERATIONS[cloud];
  let storage: ObjectStorage;
  let objects: Objects;
  let count = 0;
  let key = '';

  beforeAll(async () => {
    storage = await start(now);
    objects = storage.open();
  });
  afterAll(async () => {
    objects.close();
    await storage.close();
  });
  beforeEach(() => {
    count += 1;
    key = `test-${count}/object`;
  });
  afterEach(() => {
    storage.faults.clear();
    aheadMs = 0;
  });

  const read = async (...of: Parameters<Objects['read']>): Promise<Buffer> =>
    buffer((await objects.read(...of)).content);

  test('what is put comes back, with its attributes and checksums, under every legal name', async () => {
    const body = randomBytes(300_000);
    const name = `test-${count}/${ODD_KEY}`;
    const metadata = { owner: 'hedy', rank2: 'a=b; c' };
    const written = await objects.put(name, body, {
      ...TEXT,
      metadata,
      checksums: { sha256: sha256Of(body), crc64: crc64Of(body) },
    });
    const { content, cancel, ...about } = await objects.read(name);
    expect((await buffer(content)).equals(body)).toBe(true);
    cancel();
    const head = await objects.head({ key: name });
    expect(about).toEqual({ head, from: 0, bytes: 300_000 });
    expect(head).toEqual({
      ...written,
      ...TEXT,
      key: name,
      bytes: 300_000,
      metadata,
      modifiedMs: expect.any(Number) as unknown,
      versionId: expect.any(String) as unknown,
      checksums: { crc64: crc64Of(body) },
      announced: { sha256: sha256Of(body) },
    });
    expect(Math.abs((head?.modifiedMs ?? 0) - Date.now())).toBeLessThan(60_000);
    const { objects: listed } = await objects.list({ prefix: `test-${count}/` });
    expect(listed).toEqual([
      { key: name, bytes: 300_000, etag: written.etag, modifiedMs: expect.any(Number) as unknown },
    ]);
    // Headers have it to the second.
    expect(Math.abs((listed[0]?.modifiedMs ?? 0) - (head?.modifiedMs ?? 0))).toBeLessThan(1_000);
  });

  test('nothing at all is an object, too', async () => {
    await objects.put(key, Buffer.alloc(0), TEXT);
    expect(await read(key)).toHaveLength(0);
    expect(await objects.head({ key })).toMatchObject({ bytes: 0, checksums: { crc64: 'AAAAAAAAAAA=' } });
  });

  test('what is not there is not there', async () => {
    expect(await objects.head({ key })).toBeUndefined();
    await expect(objects.read(key)).rejects.toThrow(NotFoundError);
    await expect(objects.copy({ key }, `${key}-2`)).rejects.toThrow(NotFoundError);
    expect(await objects.delete({ key })).toBe('current');
    expect((await objects.list({ prefix: `test-${count}/` })).objects).toEqual([]);
  });

  test('bytes that are not those that were announced are not stored', async () => {
    const wrong = [{ crc64: crc64Of(bytesOf('b')) }, { sha256: sha256Of(bytesOf('b')) }];
    for (const checksums of wrong)
      await expect(objects.put(key, bytesOf('a'), { ...TEXT, checksums })).rejects.toThrow(
        ContentMismatchError,
      );
    expect(await objects.head({ key })).toBeUndefined();
  });

  test('a name, an attribute or a size that one of the clouds refuses is refused, all of it named', async () => {
    const refused = objects.put('a/../b', bytesOf('a'), { contentType: 'text', metadata: { 'x-y': 'ü' } });
    await expect(refused).rejects.toThrow(InvalidError);
    await expect(refused).rejects.toThrow(/\/key .*; \/contentType .*; \/metadata\/x-y .*; \/metadata\/x-y /);
  });

  describe('what is only to be created', () => {
    test('replaces nothing, and finds its own bytes there', async () => {
      const once = { ...TEXT, createOnly: true };
      const written = await objects.put(key, bytesOf('one'), once);
      await expect(objects.put(key, bytesOf('two'), once)).rejects.toThrow(ConflictError);
      expect(await objects.put(key, bytesOf('one'), once)).toEqual(written);
      expect(await read(key)).toEqual(bytesOf('one'));
    });

    test('is created although its answer is lost', async () => {
      storage.faults.set([{ kind: 'drop-ack', operation: operation.put, times: 1 }]);
      const written = await objects.put(key, bytesOf('one'), { ...TEXT, createOnly: true });
      expect(await objects.head({ key })).toMatchObject(written);
    });

    test('may be there when no attempt is answered, and then it counts', async () => {
      storage.faults.set([{ kind: 'drop-ack', operation: operation.put }]);
      await expect(objects.put(key, bytesOf('one'), TEXT)).rejects.toThrow(AmbiguousError);
      storage.faults.clear();
      const written = await objects.put(key, bytesOf('one'), { ...TEXT, createOnly: true });
      expect(await objects.head({ key })).toMatchObject(written);
    });
  });

  test('a storage that throttles is reported as that, and nothing is stored', async () => {
    storage.faults.set([{ kind: 'error', operation: operation.put }]);
    await expect(objects.put(key, bytesOf('one'), TEXT)).rejects.toThrow(ThrottledError);
    storage.faults.clear();
    expect(await objects.head({ key })).toBeUndefined();
  });

  describe('a signed upload', () => {
    const terms = (body: Uint8Array) => ({
      ...TEXT,
      bytes: body.length,
      metadata: { owner: 'hedy' },
      checksums: { crc64: crc64Of(body), sha256: sha256Of(body) },
    });
    const send = async (
      { url, headers }: { url: string; headers: Readonly<Record<string, string>> },
      body: Buffer,
      change: Readonly<Record<string, string>> = {},
    ): Promise<number> => {
      // It counts the length itself.
      const { 'content-length': _, ...sent } = { ...headers, ...change };
      const response = await fetch(url, { method: 'PUT', headers: sent, body: new Uint8Array(body) });
      await response.arrayBuffer();
      return response.status;
    };

    test('is good for just these bytes of this type, once', async () => {
      const body = bytesOf('hello');
      const upload = await objects.signUpload(key, terms(body));
      const refusals = [
        await send(upload, body, { 'content-type': 'text/html' }),
        await send(upload, bytesOf('hello!')),
        await send({ ...upload, url: upload.url.replace('object', 'another') }, body),
      ];
      expect(refusals).toEqual([403, 403, 403]);
      expect(await send(upload, bytesOf('hullo'))).toBe(400);
      expect(await objects.head({ key })).toBeUndefined();
      expect(await send(upload, body)).toBe(cloud === 'aws' ? 200 : 201);
      expect(await send(upload, body)).toBe(REFUSED_AGAIN[cloud]);
      expect(await objects.head({ key })).toMatchObject({
        ...TEXT,
        bytes: 5,
        metadata: { owner: 'hedy' },
        checksums: { crc64: crc64Of(body) },
        announced: { sha256: sha256Of(body) },
      });
    });

    test('does not replace what came meanwhile, and ends with its time', async () => {
      const body = bytesOf('hello');
      const upload = await objects.signUpload(key, terms(body));
      expect(upload.expiresAtMs).toBeLessThanOrEqual(now() + 300_000);
      aheadMs = 301_000;
      expect(await send(upload, body)).toBe(403);
      aheadMs = 0;
      await objects.put(key, bytesOf('first'), TEXT);
      expect(await send(upload, body)).toBe(REFUSED_AGAIN[cloud]);
      expect(await read(key)).toEqual(bytesOf('first'));
    });

    test('by SHA-256 alone says what was compared, and what was not', async () => {
      const body = bytesOf('hello');
      const sha256 = sha256Of(body);
      const upload = await objects.signUpload(key, { ...terms(body), checksums: { sha256 } });
      expect(await send(upload, body)).toBeLessThan(300);
      const { checksums, announced } = (await objects.head({ key })) ?? {};
      expect([checksums, announced]).toEqual(cloud === 'aws' ? [{ sha256 }, {}] : [{}, { sha256 }]);
    });
  });

  test('a signed download is good for one version, with the headers it names, in ranges, for its time', async () => {
    const { versionId = '' } = await objects.put(key, bytesOf('first version'), TEXT);
    await objects.put(key, bytesOf('second version'), TEXT);
    const { url } = await objects.signDownload(key, {
      versionId,
      contentDisposition: 'attachment; filename="a.txt"',
      cacheControl: 'private, max-age=60',
      contentType: 'application/octet-stream',
    });
    const response = await fetch(url, { headers: { range: 'bytes=6-' } });
    expect([response.status, await response.text()]).toEqual([206, 'version']);
    const names = ['content-disposition', 'cache-control', 'content-type'];
    expect(names.map((name) => response.headers.get(name))).toEqual([
      'attachment; filename="a.txt"',
      'private, max-age=60',
      'application/octet-stream',
    ]);
    expect(await (await fetch(url)).text()).toBe('first version');
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    expect((await fetch(url.replace('attachment', 'inline'))).status).toBe(403);
    aheadMs = 301_000;
    expect((await fetch(url)).status).toBe(403);
  });

  readingSuite(() => ({
    writer: objects,
    reader: objects,
    faults: storage.faults,
    get: operation.get,
    key,
  }));

  test('a list has what begins so, page by page', async () => {
    const keys = ['a', 'b/c', 'b/d', 'bc', 'z'].map((name) => `test-${count}/${name}`);
    await Promise.all(keys.map((name) => objects.put(name, bytesOf(name), TEXT)));
    const found: string[] = [];
    let pages = 0;
    for (let cursor: string | undefined; pages === 0 || cursor !== undefined; pages += 1) {
      const page = await objects.list({
        prefix: `test-${count}/`,
        limit: 2,
        ...(cursor !== undefined && { cursor }),
      });
      found.push(...page.objects.map((object) => object.key));
      cursor = page.cursor;
    }
    expect([found, pages]).toEqual([keys, 3]);
    const { objects: below } = await objects.list({ prefix: `test-${count}/b/` });
    expect(below.map((object) => object.key)).toEqual([keys[1], keys[2]]);
  });

  test('a deletion says what it deletes: what is current, or a version for good', async () => {
    const first = await objects.put(key, bytesOf('one'), TEXT);
    const second = await objects.put(key, bytesOf('two'), TEXT);
    expect(await objects.delete({ key })).toBe('current');
    expect(await objects.head({ key })).toBeUndefined();
    const { versionId = '' } = first;
    expect(await read(key, { versionId })).toEqual(bytesOf('one'));
    expect(await objects.delete({ key, versionId })).toBe('version');
    expect(await objects.head({ key, versionId })).toBeUndefined();
    expect(await objects.delete({ key, versionId })).toBe('version');
    const copied = await objects.copy({ key, versionId: second.versionId ?? '' }, key);
    expect(await read(key)).toEqual(bytesOf('two'));
    expect(await objects.delete({ key, versionId: copied.versionId ?? '' })).toBe('version');
    expect(await objects.head({ key, versionId: copied.versionId ?? '' })).toBeUndefined();
  });

  test('a purge takes every version of just this name, and what marks its deletion', async () => {
    const versions = [
      await objects.put(key, bytesOf('one'), TEXT),
      await objects.put(key, bytesOf('two'), TEXT),
    ];
    await objects.put(`${key}-2`, bytesOf('other'), TEXT);
    await objects.delete({ key });
    await objects.purge(key);
    for (const { versionId = '' } of versions) expect(await objects.head({ key, versionId })).toBeUndefined();
    expect(await objects.head({ key })).toBeUndefined();
    await objects.purge(key);
    expect(await read(`${key}-2`)).toEqual(bytesOf('other'));
  });

  test('a copy has attributes and checksums of its source, and may have to be new', async () => {
    const body = bytesOf('one');
    const checksums = { sha256: sha256Of(body) };
    await objects.put(key, body, { ...TEXT, metadata: { owner: 'hedy' }, checksums });
    const to = `test-${count}/ü copy`;
    const copied = await objects.copy({ key }, to, { createOnly: true });
    const head = await objects.head({ key: to });
    expect(head).toMatchObject({ ...copied, ...TEXT, metadata: { owner: 'hedy' } });
    expect([head?.checksums, head?.announced]).toEqual([{ crc64: crc64Of(body) }, checksums]);
    expect(await objects.copy({ key }, to, { createOnly: true })).toMatchObject({ etag: copied.etag });
    await objects.put(to, bytesOf('two'), TEXT);
    await expect(objects.copy({ key }, to, { createOnly: true })).rejects.toThrow(ConflictError);
  });

  describe('an upload in parts', () => {
    const whole = randomBytes(10 * MIB + 1_000);
    const bodies = [whole.subarray(0, 5 * MIB), whole.subarray(5 * MIB, 10 * MIB), whole.subarray(10 * MIB)];
    const attributes = { ...TEXT, metadata: { owner: 'hedy' }, sha256: sha256Of(whole) };
    const put = (upload: ObjectUpload, number: number) =>
      objects.putPart(upload, { number, body: bodies[number - 1] ?? Buffer.alloc(0) });

    test('is gone on with by who has its name, and becomes one object that was compared as a whole', async () => {
      const begun = await objects.beginUpload(key, attributes);
      const upload = JSON.parse(JSON.stringify(begun)) as ObjectUpload;
      expect(await objects.listParts(upload)).toEqual([]);
      await put(upload, 3);
      await put(upload, 1);
      const other = storage.open();
      const there = await other.listParts(upload);
      expect(there.map(({ number, bytes, crc64 }) => [number, bytes, crc64])).toEqual(
        [1, 3].map((number) => {
          const body = bodies[number - 1] ?? Buffer.alloc(0);
          return [number, body.length, crc64Of(body)];
        }),
      );
      other.close();
      const [first, third] = there;
      if (first === undefined || third === undefined) throw new Error('two parts');
      const parts = [first, await put(upload, 2), third];
      const checksums = { crc64: crc64Of(whole) };
      const written = await objects.completeUpload(upload, parts, { checksums, createOnly: true });
      expect(await objects.head({ key })).toMatchObject({
        ...written,
        ...TEXT,
        bytes: whole.length,
        metadata: { owner: 'hedy' },
        checksums,
        announced: { sha256: attributes.sha256 },
      });
      expect((await read(key)).equals(whole)).toBe(true);
      expect(await objects.completeUpload(upload, parts, { checksums, createOnly: true })).toEqual(written);
      expect(await objects.listParts(upload)).toEqual([]);
    });

    test('has the last body of a number, and is completed although the answer is lost', async () => {
      const upload = await objects.beginUpload(key, attributes);
      await objects.putPart(upload, { number: 1, body: bytesOf('damaged') });
      aheadMs = 1;
      storage.faults.set([{ kind: 'drop-ack', operation: operation.part, times: 1 }]);
      await objects.putPart(upload, { number: 1, body: bytesOf('whole') });
      const parts = await objects.listParts(upload);
      expect(parts).toMatchObject([{ number: 1, bytes: 5, crc64: crc64Of(bytesOf('whole')) }]);
      storage.faults.set([{ kind: 'drop-ack', operation: operation.complete, times: 1 }]);
      const written = await objects.completeUpload(upload, parts, { createOnly: true });
      expect(await objects.head({ key })).toMatchObject(written);
      expect(await read(key)).toEqual(bytesOf('whole'));
    });

    test('of other bytes than were announced, or in the wrong order, becomes nothing', async () => {
      const upload = await objects.beginUpload(key, TEXT);
      const small = await objects.putPart(upload, { number: 1, body: bytesOf('small') });
      const last = await objects.putPart(upload, { number: 2, body: bytesOf('last') });
      const checksums = { crc64: crc64Of(bytesOf('other')) };
      await expect(objects.completeUpload(upload, [last], { checksums })).rejects.toThrow(
        ContentMismatchError,
      );
      await expect(objects.completeUpload(upload, [small, last])).rejects.toThrow(
        /\/parts\/0 .* not the last/,
      );
      await expect(objects.completeUpload(upload, [last, small])).rejects.toThrow(/\/parts\/1 .* not after/);
      await expect(objects.completeUpload(upload, [])).rejects.toThrow(InvalidError);
      expect(await objects.head({ key })).toBeUndefined();
    });

    test('is not mixed with another of the same key, and replaces nothing that is to stay', async () => {
      const [one, two] = [await objects.beginUpload(key, TEXT), await objects.beginUpload(key, TEXT)];
      const ofOne = await objects.putPart(one, { number: 1, body: bytesOf('one') });
      const ofTwo = await objects.putPart(two, { number: 1, body: bytesOf('two') });
      expect(await objects.listParts(one)).toEqual([ofOne]);
      await objects.completeUpload(two, [ofTwo], { createOnly: true });
      await expect(objects.completeUpload(one, [ofOne], { createOnly: true })).rejects.toMatchObject({
        code: expect.stringMatching(/^(conflict|not_found)$/) as unknown,
      });
      expect(await read(key)).toEqual(bytesOf('two'));
    });

    test('that was ended, or whose parts are gone, is completed by nobody', async () => {
      const upload = await objects.beginUpload(key, TEXT);
      const part = await objects.putPart(upload, { number: 1, body: bytesOf('one') });
      await objects.abortUpload(upload);
      await objects.abortUpload(upload);
      // At Azure nothing but their time ends blocks.
      if (cloud === 'azure') aheadMs = 8 * 86_400_000;
      expect(await objects.listParts(upload)).toEqual([]);
      await expect(objects.completeUpload(upload, [part])).rejects.toThrow(NotFoundError);
    });
  });
});
