/** Pictures of products, from their upload to their thumbnails, by the functions of a site. Runs once per cloud. */
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { storageName } from '@tandem-clouds/replication/objects/content';
import { noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import { isLive, plainValues } from '@tandem-clouds/replication/record';
import { cloudName, openStore } from '#cloud';
import { openObjects } from '#objects';
import { loadConfig } from '../../src/shared/config/config.ts';
import { crc64Of } from '../../src/shared/crc64.ts';
import { variantKey } from '../../src/shared/domain/content.ts';
import type { Objects } from '../../src/shared/ports/objects.ts';
import { invoke } from '../helpers/api.ts';
import { deliver } from '../helpers/call.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { type ObjectStorage, startBlob, startS3 } from '../helpers/object-storages.ts';
import { JPEG, jpegOfTelephone, MOVING_GIF, png, SVG } from '../helpers/pictures.ts';
import { setEnvironment } from '../helpers/sites.ts';

const NAMES = ['small', 'medium', 'large'] as const;

let clouds: LinkedClouds;
let storage: ObjectStorage;
let restore: () => void;
let store: Store;
let objects: Objects;
let pictures: unknown;
let transfer: unknown;

beforeAll(async () => {
  storage = await (cloudName === 'aws' ? startS3 : startBlob)(Date.now);
  clouds = await startLinkedClouds(cloudName);
  restore = setEnvironment(storage.env);
  const config = loadConfig(cloudName, { ...clouds.env, ...storage.env });
  store = openStore(config, noEntries);
  objects = openObjects(config);
  pictures = (await import('../../src/handlers/entities/pictures.ts')).handler;
  transfer = (await import('../../src/bridge/transfer.ts')).handler;
});

afterAll(async () => {
  objects.close();
  restore();
  await clouds.close();
  await storage.close();
});

interface Picture {
  readonly id: string;
  readonly status: string;
  readonly reason?: string;
  readonly detail?: string;
  readonly sizes?: Readonly<Record<string, { width: number; height: number; bytes: number }>>;
  readonly width?: number;
  readonly height?: number;
  readonly content?: { readonly upload: string };
  readonly upload?: { readonly id: string; readonly url: string; readonly headers: Record<string, string> };
}

async function call(
  method: string,
  path: string,
  body?: object,
): Promise<{
  status: number;
  json: Picture & { code?: string; errors?: unknown };
  headers: Readonly<Record<string, string | undefined>>;
}> {
  const response = await invoke(pictures, { method, path, ...(body !== undefined && { body }) });
  return { ...response, json: JSON.parse(response.text || '{}') as Picture };
}

const upload = (pictureId: string, bytes: Buffer, contentType = 'image/jpeg') =>
  call('POST', '/pictures', {
    pictureId,
    // By its name a picture is replaced.
    name: pictureId,
    sku: 'earl-grey',
    upload: { contentType, data: bytes.toString('base64') },
  });

/** Has done what is due. */
async function react(): Promise<void> {
  for (;;) {
    const messages = await clouds.own.take('tandem-objects');
    if (messages.length === 0) return;
    expect(await deliver(cloudName, transfer, messages)).toEqual([]);
  }
}

const read = async (id: string): Promise<Picture> => (await call('GET', `/pictures/${id}`)).json;

describe('a good picture', () => {
  test('is checked once, and shown in three sizes at an address that everybody may keep for a while', async () => {
    expect(await upload('good', jpegOfTelephone())).toMatchObject({
      status: 201,
      json: { status: 'checking' },
    });
    const early = await call('GET', '/pictures/good/small');
    expect(early).toMatchObject({ status: 404, json: { code: 'not_ready' } });
    await react();
    expect(await read('good')).toMatchObject({ status: 'ready', width: 32, height: 48 });
    for (const name of NAMES) {
      const { status, headers } = await call('GET', `/pictures/good/${name}`);
      expect([status, headers['cache-control']]).toEqual([302, 'public, max-age=60']);
      const shown = await fetch(headers['location'] ?? '');
      expect(shown.headers.get('content-type')).toBe('image/webp');
      const bytes = Buffer.from(await shown.arrayBuffer());
      expect(bytes.subarray(8, 12).toString('latin1')).toBe('WEBP');
      expect(bytes.includes('Exif')).toBe(false);
    }
  });

  test('of more than 64 KiB is sent to the storage, and checked once it is complete', async () => {
    const body = Buffer.concat([JPEG, Buffer.alloc(100_000)]);
    const announced = await call('POST', '/pictures', {
      pictureId: 'large',
      sku: 'earl-grey',
      upload: { contentType: 'image/jpeg', bytes: body.length, crc64: crc64Of(body) },
    });
    const { id = '', url = '', headers = {} } = announced.json.upload ?? {};
    expect((await fetch(url, { method: 'PUT', headers, body: new Uint8Array(body) })).ok).toBe(true);
    await react();
    expect((await read('large')).status).toBe('checking');
    expect((await call('POST', '/pictures/large/complete', { upload: id })).status).toBe(200);
    await react();
    expect((await read('large')).status).toBe('ready');
  });

  test('of which other bytes come is read again later: it may be damaged on its way', async () => {
    await upload('garbled', JPEG);
    storage.faults.set([{ kind: 'corrupt', probability: 1 }]);
    await react();
    storage.faults.set([]);
    const entry = (await store.get('picture:garbled'))!.record.reactions?.['thumbnails'];
    expect(entry).toMatchObject({ attempts: 1, detail: expect.stringContaining('not to be had') });
    expect(entry?.parked).toBeUndefined();
  });

  test('that replaces another has other thumbnails; checked again it has the same', async () => {
    await upload('replaced', JPEG);
    await react();
    const key = variantKey('thumbnail', 'replaced', 'small');
    const contentOf = async (): Promise<{ upload: string; bytes: number }> =>
      plainValues((await store.get(key))!.record.state)['content'] as never;
    const first = await contentOf();
    await upload('replaced', MOVING_GIF, 'image/gif');
    await react();
    const second = await contentOf();
    expect(second.upload).not.toBe(first.upload);
    expect((await call('POST', '/pictures/replaced/check')).json.status).toBe('checking');
    await react();
    expect(await read('replaced')).toMatchObject({ status: 'ready' });
    expect(await contentOf()).toEqual(second);
    const { content } = await objects.read(storageName(key, second.upload));
    expect(await buffer(content)).toHaveLength(second.bytes);
  });
});

describe('a bad picture', () => {
  test.each([
    ['text', Buffer.from('Dear Sir or Madam'), 'not_a_picture'],
    ['SVG that says it is a JPEG', SVG, 'unsupported_format'],
    ['a JPEG that ends in the middle', JPEG.subarray(0, 260), 'damaged'],
    [
      'a PNG of 2,500 megapixels',
      png({ width: 4, height: 4, claims: { width: 50_000, height: 50_000 } }),
      'too_many_pixels',
    ],
  ])('is refused with its reason: %s', async (what, bytes, reason) => {
    const id = `bad-${reason.replaceAll('_', '-')}-${what.length}`;
    await upload(id, bytes);
    await react();
    expect(await read(id)).toMatchObject({ status: 'refused', reason });
    for (const name of NAMES)
      expect(await call('GET', `/pictures/${id}/${name}`)).toMatchObject({
        status: 404,
        json: { code: 'refused' },
      });
  });

  test('takes away the thumbnails of the one that it replaces', async () => {
    await upload('spoiled', JPEG);
    await react();
    expect((await call('GET', '/pictures/spoiled/small')).status).toBe(302);
    await upload('spoiled', Buffer.from('no picture'));
    await react();
    expect((await call('GET', '/pictures/spoiled/small')).json.code).toBe('refused');
    for (const name of NAMES) {
      const { state } = (await store.get(variantKey('thumbnail', 'spoiled', name)))!.record;
      expect(isLive(state, Date.now())).toBe(false);
    }
    await upload('spoiled', JPEG);
    await react();
    expect((await call('GET', '/pictures/spoiled/small')).status).toBe(302);
  });

  test('of 50 MB, or of a type that is not taken, is not even announced', async () => {
    const large = { contentType: 'image/jpeg', bytes: 50_000_000, crc64: crc64Of(JPEG) };
    expect(await call('POST', '/pictures', { pictureId: 'huge', sku: 'x', upload: large })).toMatchObject({
      status: 400,
      json: { errors: [{ pointer: '/upload/bytes', rule: 'maximum' }] },
    });
    expect(await upload('vector', SVG, 'image/svg+xml')).toMatchObject({
      status: 400,
      json: { errors: [{ pointer: '/upload/contentType', rule: 'types' }] },
    });
  });
});

test('a picture that is deleted is shown no more, although its bytes stay for a while', async () => {
  await upload('deleted', JPEG);
  await react();
  expect((await call('DELETE', '/pictures/deleted')).status).toBe(204);
  for (const name of NAMES)
    expect((await call('GET', `/pictures/deleted/${name}`)).json.code).toBe('not_found');
});

test('what is written about a picture is text, whatever it looks like', async () => {
  const alt = '<script>alert(1)</script>"\u2028\'--';
  const created = await call('POST', '/pictures', { pictureId: 'marked', sku: '<b>', alt });
  expect(created).toMatchObject({ status: 201, json: { alt, sku: '<b>' } });
  expect(created.headers['content-type']).toMatch(/^application\/json/);
  expect(created.headers['x-content-type-options']).toBe('nosniff');
});
