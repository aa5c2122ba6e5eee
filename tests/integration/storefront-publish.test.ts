/** The shop, published into each cloud's storage as its emulator serves it: what is there, in which order, and after a crash. */
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { runProgram } from '@tandem-clouds/command-line/run-program';
import { startEmulators } from '@tandem-clouds/emulators';
import { Storefront } from '@tandem-clouds/local/edge/storefront';
import { CONFIG, PAGE, readConfig } from '@tandem-clouds/storefront/build/page';
import { ASK_FIRST, FOREVER, isAsset, type ShopFile } from '@tandem-clouds/storefront/build/shop-file';
import { PROGRAM } from '../../scripts/commands/program.ts';
import { BlobShopStorage } from '../../scripts/storefront/blob-storage.ts';
import { publish, type Step } from '../../scripts/storefront/publication.ts';
import { S3ShopStorage } from '../../scripts/storefront/s3-storage.ts';
import { ReplacedMeanwhileError, type ShopStorage } from '../../scripts/storefront/shop-storage.ts';
import { setEnvironment } from '../helpers/sites.ts';

const SITES = {
  sites: [
    { name: 'aws-us-east-1', url: 'https://aws.example.com' },
    { name: 'azure-eastus', url: 'https://azure.example.com' },
  ],
};

interface Published {
  readonly body: string;
  readonly contentType: string | undefined;
  readonly cacheControl: string | undefined;
}

/** One cloud, as it is after the feature `storefront` was deployed. */
interface Place {
  readonly to: string;
  /** An empty place of its own. */
  open(): Promise<{ readonly to: string; readonly storage: ShopStorage }>;
  /** As whoever serves the files reads them. */
  read(to: string, name: string): Promise<Published | undefined>;
  close(): Promise<void>;
}

async function s3(): Promise<Place> {
  const emulators = await startEmulators({ services: ['s3'] });
  const restore = setEnvironment({ ...emulators.env, AWS_REGION: 'us-east-1' });
  const client = new S3Client({ ...emulators.s3.config, forcePathStyle: true });
  let made = 0;
  return {
    to: 'nowhere',
    async open() {
      made += 1;
      const to = `shop-${made}`;
      await client.send(new CreateBucketCommand({ Bucket: to }));
      return { to, storage: new S3ShopStorage(to, undefined) };
    },
    async read(to, name) {
      try {
        const found = await client.send(new GetObjectCommand({ Bucket: to, Key: name }));
        const body = (await found.Body?.transformToString()) ?? '';
        return { body, contentType: found.ContentType, cacheControl: found.CacheControl };
      } catch {
        return undefined;
      }
    },
    async close() {
      client.destroy();
      restore();
      await emulators.close();
    },
  };
}

async function blob(): Promise<Place> {
  const emulators = await startEmulators({ services: ['blob'] });
  const restore = setEnvironment(emulators.env);
  const container = BlobServiceClient.fromConnectionString(
    emulators.blob.connectionString,
  ).getContainerClient('$web');
  const to = emulators.blob.url;
  return {
    to,
    async open() {
      await container.deleteIfExists();
      await container.create();
      return { to, storage: new BlobShopStorage(to) };
    },
    async read(_, name) {
      try {
        const found = await container.getBlobClient(name).download();
        const chunks: Buffer[] = [];
        for await (const chunk of found.readableStreamBody ?? []) chunks.push(Buffer.from(chunk));
        return {
          body: Buffer.concat(chunks).toString(),
          contentType: found.contentType,
          cacheControl: found.cacheControl,
        };
      } catch {
        return undefined;
      }
    },
    async close() {
      restore();
      await emulators.close();
    },
  };
}

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'storefront-publish-'));
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

async function tandem(...words: string[]): Promise<{ status: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const context = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    isTerminal: false,
    colour: false,
    signal: new AbortController().signal,
  };
  const place = { name: 'tandem', resolve: (given: string) => path.resolve(dir, given) };
  const status = await runProgram(PROGRAM, words, context, place as never);
  return { status, out: out.join('\n'), err: err.join('\n') };
}

/** Three small files, as a build of that name gives them. */
function shop(build: string): ShopFile[] {
  const asset = (name: string, contentType: string): ShopFile => ({
    name,
    bytes: Buffer.from(`${name} of ${build}`),
    contentType,
    cacheControl: FOREVER,
  });
  const assets = [asset(`app-${build}.js`, 'text/javascript'), asset(`style-${build}.css`, 'text/css')];
  const page = (name: string, body: string): ShopFile => ({
    name,
    bytes: Buffer.from(body),
    contentType: 'text/plain',
    cacheControl: ASK_FIRST,
  });
  return [
    ...assets,
    page(CONFIG, '{}'),
    page(PAGE, `page of ${assets.map(({ name }) => name).join(' and ')}`),
  ];
}

async function stepsOf(storage: ShopStorage, files: readonly ShopFile[], dryRun = false): Promise<string[]> {
  const steps: Step[] = [];
  await publish(storage, { files, dryRun, onStep: (step) => steps.push(step) });
  return steps.map(({ action, name }) => `${action} ${name}`);
}

const namesIn = async (storage: ShopStorage): Promise<string[]> =>
  (await storage.list()).map(({ name }) => name).sort();

/** Ends like a process that is killed: the write of that number is not sent, and nothing after it. */
function dying(storage: ShopStorage, writes: number): ShopStorage {
  let left = writes;
  const spend = (): void => {
    left -= 1;
    if (left < 0) throw new Error('killed');
  };
  return {
    list: () => storage.list(),
    describe: (name) => storage.describe(name),
    write: async (file, notes) => (spend(), storage.write(file, notes)),
    replace: async (file, notes, expected) => (spend(), storage.replace(file, notes, expected)),
    remove: async (name) => (spend(), storage.remove(name)),
  };
}

describe.each([
  ['aws', s3],
  ['azure', blob],
])('storefront publish --cloud %s', (cloud, start) => {
  let place: Place;
  beforeAll(async () => {
    place = await start();
  });
  afterAll(() => place.close());

  test('puts there what the edge on this machine serves, byte by byte, to be kept as long', async () => {
    const { to } = await place.open();
    fs.writeFileSync(path.join(dir, 'site.json'), JSON.stringify(SITES));
    const words = ['storefront', 'publish', '--cloud', cloud, '--to', to, '--config', 'site.json'];
    const planned = await tandem(...words, '--dry-run');
    expect(planned).toMatchObject({ status: 0, err: '' });
    expect(planned.out).toMatch(/index\.html: would be written, \d+ bytes\n5 changes; nothing was changed$/);
    expect(await place.read(to, PAGE)).toBeUndefined();

    const done = await tandem(...words);
    expect(done).toMatchObject({ status: 0, err: '' });
    expect(done.out).toMatch(
      /site\.json: written, \d+ bytes\nindex\.html: written.*\nthe shop is published$/,
    );
    expect((await tandem(...words)).out).toMatch(/unchanged.*\nthe shop is as it was published$/);

    const edge = new Storefront(readConfig(SITES));
    const server = http.createServer((request, response) => void edge.responds(request, response));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    try {
      const at = (name: string): string =>
        `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name === PAGE ? '' : name}`;
      const { body = '' } = (await place.read(to, PAGE)) ?? {};
      const names = [
        PAGE,
        CONFIG,
        ...Array.from(body.matchAll(/="([a-z]+-[A-Z0-9]+\.[a-z]+)"/g), (m) => m[1] ?? ''),
      ];
      expect(names).toHaveLength(5);
      for (const name of names) {
        const served = await fetch(at(name));
        expect([name, await place.read(to, name)]).toEqual([
          name,
          {
            body: await served.text(),
            contentType: served.headers.get('content-type'),
            cacheControl: served.headers.get('cache-control'),
          },
        ]);
      }
    } finally {
      server.close();
    }
  });

  test('writes the page last, sends nothing twice, and removes what the page before the last one used', async () => {
    const { storage } = await place.open();
    expect(await stepsOf(storage, shop('A'))).toEqual([
      'write app-A.js',
      'write style-A.css',
      `write ${CONFIG}`,
      `write ${PAGE}`,
    ]);
    expect(await stepsOf(storage, shop('A'))).toEqual([
      'keep app-A.js',
      'keep style-A.css',
      `keep ${CONFIG}`,
      `keep ${PAGE}`,
    ]);
    await stepsOf(storage, shop('B'));
    // An open page of A goes on.
    expect(await namesIn(storage)).toEqual(
      ['app-A.js', 'app-B.js', CONFIG, PAGE, 'style-A.css', 'style-B.css'].sort(),
    );
    // And so after another look, which publishes nothing.
    await stepsOf(storage, shop('B'));
    expect(await namesIn(storage)).toContain('app-A.js');
    const removed = ['remove app-A.js', 'remove style-A.css'];
    expect((await stepsOf(storage, shop('C'), true)).slice(-2)).toEqual(removed);
    expect((await stepsOf(storage, shop('C'))).slice(-2)).toEqual(removed);
    expect((await namesIn(storage)).filter(isAsset)).toEqual(
      ['app-B.js', 'app-C.js', 'style-B.css', 'style-C.css'].sort(),
    );
  });

  test('that dies anywhere leaves a page with all that it names, and the next run ends it', async () => {
    // Two assets, the configuration, the page, and two files of the page before.
    for (let writes = 0; writes < 6; writes += 1) {
      const { storage, to } = await place.open();
      await stepsOf(storage, shop('A'));
      await stepsOf(storage, shop('B'));
      const next = shop('C').map((file) =>
        file.name === CONFIG ? { ...file, bytes: Buffer.from('{"other":1}') } : file,
      );
      await expect(stepsOf(dying(storage, writes), next)).rejects.toThrow('killed');
      const page = (await place.read(to, PAGE))?.body ?? '';
      expect(page).toBe(writes < 4 ? 'page of app-B.js and style-B.css' : 'page of app-C.js and style-C.css');
      for (const [name] of page.matchAll(/[a-z]+-[A-Z]\.[a-z]+/g))
        expect((await place.read(to, name))?.body).toContain(name);
      await stepsOf(storage, next);
      expect((await place.read(to, PAGE))?.body).toContain('app-C.js');
      expect((await namesIn(storage)).filter(isAsset)).toEqual(
        ['app-B.js', 'app-C.js', 'style-B.css', 'style-C.css'].sort(),
      );
    }
  });

  test('of two at a time one is refused at the page, and what the other has written stays', async () => {
    const { storage, to } = await place.open();
    await stepsOf(storage, shop('A'));
    const interrupted: ShopStorage = {
      ...dying(storage, 100),
      replace: async (...given) => {
        await stepsOf(storage, shop('C'));
        await storage.replace(...given);
      },
    };
    await expect(stepsOf(interrupted, shop('B'))).rejects.toThrow(ReplacedMeanwhileError);
    expect((await place.read(to, PAGE))?.body).toContain('app-C.js');
  });

  test('whose answer at the page was lost knows its own page again', async () => {
    const { storage, to } = await place.open();
    const twice: ShopStorage = {
      ...dying(storage, 100),
      replace: async (...given) => {
        await storage.replace(...given);
        await storage.replace(...given);
      },
    };
    await stepsOf(twice, shop('A'));
    expect((await place.read(to, PAGE))?.body).toContain('app-A.js');
  });

  test('leaves alone what is none of its files, and everything where a page does not say what it uses', async () => {
    const { storage } = await place.open();
    const [script, , , page] = shop('A') as [ShopFile, ShopFile, ShopFile, ShopFile];
    await storage.write({ ...page, bytes: Buffer.from('by hand') }, {});
    await storage.write(script, {});
    await storage.write({ ...script, name: 'robots.txt' }, {});
    expect(await stepsOf(storage, shop('B'))).not.toContainEqual(expect.stringMatching(/^remove/));
    for (const build of ['C', 'D']) await stepsOf(storage, shop(build));
    expect(await namesIn(storage)).toContain('robots.txt');
    expect(await namesIn(storage)).not.toContain('app-A.js');
  });

  test('says what is missing where nothing was deployed', async () => {
    if (cloud === 'azure') {
      const service = BlobServiceClient.fromConnectionString(
        process.env['AZURE_STORAGE_CONNECTION_STRING'] ?? '',
      );
      await service.getContainerClient('$web').deleteIfExists();
    }
    fs.writeFileSync(path.join(dir, 'site.json'), JSON.stringify(SITES));
    const { status, err } = await tandem(
      ...['storefront', 'publish', '--cloud', cloud, '--to', place.to, '--config', 'site.json'],
    );
    expect(status).toBe(1);
    expect(err).toMatch(/Deploy the feature storefront first/);
  });
});

describe('storefront publish', () => {
  const config = path.join(dir, 'bad.json');
  afterEach(() => fs.rmSync(config, { force: true }));
  const run = (...words: string[]) => tandem('storefront', 'publish', ...words);
  const AWS = ['--cloud', 'aws', '--to', 'some-bucket', '--config', 'bad.json'];

  test.each([
    ['nothing', undefined, /--config: .*bad\.json cannot be read/],
    ['no JSON', '{', /it is no JSON/],
    ['no site', '{"sites":[]}', /sites must name one site at least/],
    [
      'mistakes in several fields',
      '{"sites":[{"name":"","url":"ftp://x"}],"payments":"cash"}',
      /sites\[0\]\.name must be a name; sites\[0\]\.url must be an http or https URL .*; payments must be/,
    ],
    [
      'a site that a page over TLS may not ask',
      '{"sites":[{"name":"a","url":"http://a.example"}]}',
      /sites\[0\]\.url must begin with https, for a page that comes by https: http:\/\/a\.example/,
    ],
  ])('refuses a configuration with %s, before it asks any cloud', async (_, text, message) => {
    if (text !== undefined) fs.writeFileSync(config, text);
    const { status, err } = await run(...AWS);
    expect(err).toMatch(message);
    expect(status).toBe(1);
  });

  test.each([
    [
      'a URL for a bucket',
      ['--cloud', 'aws', '--to', 'https://x.example', '--config', 'a'],
      'not the name of a bucket',
    ],
    [
      'a name for an account',
      ['--cloud', 'azure', '--to', 'shop', '--config', 'a'],
      'not the URL of a storage account',
    ],
    [
      'a region at Azure',
      ['--cloud', 'azure', '--to', 'https://x.example', '--region', 'eastus', '--config', 'a'],
      '--region is for --cloud aws',
    ],
  ])('refuses %s', async (_, words, message) => {
    const { status, err } = await run(...words);
    expect([status, err]).toEqual([2, expect.stringContaining(message)]);
  });
});
