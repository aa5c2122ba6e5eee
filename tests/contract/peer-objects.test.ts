/**
 * Objects of other sites, read with what the configuration says of a peer, and what protocols ask of storages done with them:
 * over both emulators, from either to the other.
 */
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startEmulators } from '@tandem-clouds/emulators';
import type { Faults } from '@tandem-clouds/emulators/core/faults';
import { ThrottledError, UnavailableError } from '@tandem-clouds/replication/errors';
import type { Json } from '@tandem-clouds/replication/json';
import type { ObjectEffect, ObjectFacts, PartFacts } from '@tandem-clouds/replication/objects/effects';
import { openS3Objects } from '../../src/shared/adapters/aws/open-objects.ts';
import { openBlobObjects } from '../../src/shared/adapters/azure/open-objects.ts';
import { openPeerObjects } from '../../src/shared/adapters/peers/open-peer-objects.ts';
import type { PeerConfig } from '../../src/shared/config/config.ts';
import { crc64Of } from '../../src/shared/crc64.ts';
import { ContentMismatchError, NotFoundError } from '../../src/shared/errors.ts';
import { performObjects } from '../../src/shared/objects/perform.ts';
import type { Objects } from '../../src/shared/ports/objects.ts';
import { setEnvironment } from '../helpers/sites.ts';
import { readingSuite } from './suites/reading-suite.ts';

const MIB = 1024 * 1024;
const BUCKET = 'tandem-objects';
const CONTAINER = 'objects';
const TEXT = { contentType: 'text/plain' };

interface Site {
  readonly site: string;
  /** As the other site has it. */
  readonly peer: PeerConfig;
  readonly objects: Objects;
  readonly faults: Faults;
}

let sites: Record<'aws' | 'azure', Site>;
let close: () => Promise<void>;

beforeAll(async () => {
  const emulators = await startEmulators({ services: ['s3', 'blob'], blob: { versioning: true } });
  const { s3, blob } = emulators;
  // Of the two, the SDK finds the keys in the environment; the address of a peer's is in its configuration.
  const { AWS_ENDPOINT_URL_S3: _, ...env } = emulators.env;
  const restore = setEnvironment(env);
  const client = new S3Client({ ...s3.config, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await client.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration }));
  client.destroy();
  const { connectionString } = blob;
  await BlobServiceClient.fromConnectionString(connectionString).getContainerClient(CONTAINER).create();
  const queues = { inbox: 'https://q/in', verify: 'https://q/verify', url: 'http://127.0.0.1' };
  sites = {
    aws: {
      site: 'aws-us-east-1',
      peer: {
        ...queues,
        ...{ site: 'aws-us-east-1', cloud: 'aws', region: 'us-east-1' },
        ...{ objectsBucket: BUCKET, objectsEndpoint: s3.endpoint },
      },
      objects: openS3Objects({ region: 'us-east-1', bucket: BUCKET, endpoint: s3.endpoint }),
      faults: s3.faults,
    },
    azure: {
      site: 'azure-eastus',
      peer: {
        ...queues,
        ...{ site: 'azure-eastus', cloud: 'azure', region: 'eastus' },
        ...{ objectsContainer: CONTAINER, objectsConnectionString: connectionString },
      },
      objects: openBlobObjects({ container: CONTAINER, connectionString }),
      faults: blob.faults,
    },
  };
  close = async () => {
    restore();
    sites.aws.objects.close();
    await emulators.close();
  };
});

afterAll(() => close());
afterEach(() => {
  for (const { faults } of Object.values(sites)) faults.clear();
});

const openPeer = (peer: PeerConfig) => {
  const found = openPeerObjects([peer]).get(peer.site);
  if (found === undefined) throw new Error(`${peer.site}: no storage`);
  return found;
};

test('a peer that names no storage is not there', () => {
  const {
    objectsBucket: _,
    objectsEndpoint: _endpoint,
    ...bare
  } = sites.aws.peer as Extract<PeerConfig, { cloud: 'aws' }>;
  expect([...openPeerObjects([bare, sites.azure.peer]).keys()]).toEqual(['azure-eastus']);
});

const OPERATIONS = {
  aws: { get: 'GetObject', head: 'HeadObject', put: 'PutObject' },
  azure: { get: 'GetBlob', head: 'GetBlobProperties', put: 'PutBlob' },
} as const;

describe.each([
  ['aws', 'azure'],
  ['azure', 'aws'],
] as const)('objects of a peer on %s', (at, from) => {
  let source: Site;
  let reader: ReturnType<typeof openPeer>;
  let own: Site;
  let count = 0;
  let key = '';
  beforeAll(() => {
    source = sites[at];
    own = sites[from];
    reader = openPeer(source.peer);
  });
  afterAll(() => reader.close());
  beforeEach(() => {
    count += 1;
    key = `content/object/${at}-${count}/upload`;
  });
  const perform = (effect: ObjectEffect): Promise<unknown> =>
    performObjects({
      site: own.site,
      own: own.objects,
      peers: new Map([[source.site, reader]]),
      bodiesAtOnce: 1,
    })(effect);
  const contentOf = (body: Uint8Array) => ({
    upload: 'upload',
    bytes: body.length,
    crc64: crc64Of(body),
    contentType: 'image/png',
    completedMs: 0,
  });
  const here = async (name = key): Promise<Buffer> => buffer((await own.objects.read(name)).content);
  const there = {
    get from() {
      return source.site;
    },
    get name() {
      return key;
    },
  };

  readingSuite(() => ({
    writer: source.objects,
    reader,
    faults: source.faults,
    get: OPERATIONS[at].get,
    key,
  }));

  test('of which the storage, or the way to it, fails name the peer', async () => {
    await source.objects.put(key, Buffer.from('a'), TEXT);
    source.faults.set([{ kind: 'error', operation: OPERATIONS[at].get }]);
    await expect(reader.read(key)).rejects.toMatchObject({
      name: 'ThrottledError',
      message: expect.stringMatching(`^${source.site}: `) as unknown,
    });
    source.faults.set([{ kind: 'cut', operation: OPERATIONS[at].get }]);
    await expect(reader.read(key).then(({ content }) => buffer(content))).rejects.toThrow(
      new RegExp(`^${source.site}: ${key}: the connection broke`),
    );
  });

  test('that this site may not read are not fetched, and the peer is named', async () => {
    const wrong: PeerConfig =
      source.peer.cloud === 'aws'
        ? source.peer
        : {
            ...source.peer,
            objectsConnectionString:
              source.peer.objectsConnectionString?.replace(
                /AccountKey=[^;]+/,
                `AccountKey=${Buffer.from('another').toString('base64')}`,
              ) ?? '',
          };
    const restore = setEnvironment({ AWS_SECRET_ACCESS_KEY: 'another' });
    try {
      const refusing = openPeer(wrong);
      const peers = new Map([[source.site, refusing]]);
      const refused = performObjects({ site: own.site, own: own.objects, peers, bodiesAtOnce: 1 })({
        ...{ op: 'objectFetch', source: there, name: key, content: contentOf(Buffer.from('a')) },
      });
      await expect(refused).rejects.toMatchObject({
        name: 'UnavailableError',
        message: expect.stringMatching(new RegExp(`^${source.site}: .*403`)) as unknown,
      });
      refusing.close();
    } finally {
      restore();
    }
  });

  describe('fetched as a whole', () => {
    const body = randomBytes(300_000);
    const content = contentOf(body);
    const fetchIt = (): Promise<unknown> => perform({ op: 'objectFetch', source: there, name: key, content });

    test('are here as they were there, compared, and fetched twice they are written once', async () => {
      const { versionId = '' } = await source.objects.put(key, body, TEXT);
      await perform({
        op: 'objectFetch',
        source: { ...there, from: source.site, name: key, versionId },
        name: key,
        content,
      });
      expect((await here()).equals(body)).toBe(true);
      const head = (await perform({ op: 'objectHead', at: own.site, name: key })) as ObjectFacts;
      expect(head).toMatchObject({ bytes: body.length, crc64: content.crc64 });
      await fetchIt();
      expect(await perform({ op: 'objectHead', at: own.site, name: key })).toEqual(head);
      expect(await own.objects.head({ key })).toMatchObject({ contentType: 'image/png' });
      expect(await perform({ op: 'objectHead', at: source.site, name: `${key}-2` })).toBeUndefined();
    });

    test.each([
      ['cut', 'is continued', undefined],
      ['corrupt', 'stores nothing', ContentMismatchError],
      ['error', 'stores nothing', ThrottledError],
    ] as const)('over a way that is %s it %s', async (kind, _, failure) => {
      await source.objects.put(key, body, TEXT);
      source.faults.set([{ kind, operation: OPERATIONS[at].get, ...(kind === 'cut' && { times: 2 }) }]);
      if (failure === undefined) {
        await fetchIt();
        expect((await here()).equals(body)).toBe(true);
      } else {
        await expect(fetchIt()).rejects.toThrow(failure);
        expect(await own.objects.head({ key })).toBeUndefined();
      }
    });

    test('of another size, or not there at all, store nothing', async () => {
      await expect(fetchIt()).rejects.toThrow(NotFoundError);
      await source.objects.put(key, body.subarray(1), TEXT);
      await expect(fetchIt()).rejects.toThrow(ContentMismatchError);
      expect(await own.objects.head({ key })).toBeUndefined();
    });

    test('take the place of damaged bytes under their name', async () => {
      await source.objects.put(key, body, TEXT);
      await own.objects.put(key, Buffer.from('damaged'), TEXT);
      await fetchIt();
      expect((await here()).equals(body)).toBe(true);
    });

    test('of a site that nothing is known of are not fetched', async () => {
      await expect(
        perform({ op: 'objectFetch', source: { from: 'aws-mars', name: key }, name: key, content }),
      ).rejects.toThrow(UnavailableError);
    });
  });

  describe('fetched in parts', () => {
    const body = randomBytes(6 * MIB);
    const content = contentOf(body);
    const part = (upload: Json, number: number, fromByte: number, bytes: number) =>
      perform({ op: 'partFetch', source: there, upload, number, fromByte, bytes }) as Promise<PartFacts>;

    test('are gone on with by another invocation, and compared as a whole', async () => {
      await source.objects.put(key, body, TEXT);
      // Which they take the place of.
      await own.objects.put(key, Buffer.from('damaged'), TEXT);
      const begun = (await perform({ op: 'partsBegin', name: key, content })) as Json;
      const upload = JSON.parse(JSON.stringify(begun)) as Json;
      await part(upload, 1, 0, 5 * MIB);
      source.faults.set([{ kind: 'cut', operation: OPERATIONS[at].get, times: 1 }]);
      await part(upload, 2, 5 * MIB, MIB);
      const parts = (await perform({ op: 'partsList', upload })) as PartFacts[];
      expect(parts).toMatchObject([
        { number: 1, bytes: 5 * MIB, crc64: crc64Of(body.subarray(0, 5 * MIB)) },
        { number: 2, bytes: MIB, crc64: crc64Of(body.subarray(5 * MIB)) },
      ]);
      await perform({ op: 'partsComplete', upload, parts, crc64: content.crc64 });
      expect((await here()).equals(body)).toBe(true);
      expect(await perform({ op: 'objectHead', at: own.site, name: key })).toMatchObject({
        bytes: body.length,
        crc64: content.crc64,
      });
    });

    test('of other bytes than were announced become nothing, and of fewer are no part', async () => {
      await source.objects.put(key, body.subarray(0, 1_000), TEXT);
      const upload = (await perform({ op: 'partsBegin', name: key, content })) as Json;
      await expect(part(upload, 1, 0, 1_001)).rejects.toThrow(ContentMismatchError);
      await expect(part(upload, 1, 1_000, 1)).rejects.toThrow(ContentMismatchError);
      const parts = [await part(upload, 1, 0, 1_000)];
      await expect(perform({ op: 'partsComplete', upload, parts, crc64: content.crc64 })).rejects.toThrow(
        ContentMismatchError,
      );
      await perform({ op: 'partsAbort', upload });
      expect(await own.objects.head({ key })).toBeUndefined();
    });
  });

  test('are listed page by page, and deleted with all their versions', async () => {
    const prefix = `${key}/`;
    for (const name of ['a', 'b', 'b']) await own.objects.put(prefix + name, Buffer.from(name), TEXT);
    interface Page {
      readonly objects: readonly { readonly name: string }[];
      readonly cursor?: string;
    }
    const first = (await perform({ op: 'objectList', prefix, limit: 1 })) as Page;
    const second = (await perform({ op: 'objectList', prefix, limit: 1, cursor: first.cursor })) as Page;
    expect([first, second].map(({ objects }) => objects)).toMatchObject([
      [{ name: `${prefix}a`, bytes: 1 }],
      [{ name: `${prefix}b`, bytes: 1 }],
    ]);
    const { versionId = '' } = (await own.objects.head({ key: `${prefix}a` })) ?? {};
    await perform({ op: 'objectDelete', name: `${prefix}a`, versionId });
    for (const name of ['b', 'c']) await perform({ op: 'objectDelete', name: prefix + name });
    expect(await perform({ op: 'objectList', prefix, limit: 10 })).toEqual({ objects: [] });
  });

  test('have no place at a site without storage', async () => {
    const without = performObjects({ site: own.site, own: undefined, peers: new Map(), bodiesAtOnce: 1 });
    await expect(without({ op: 'objectHead', at: own.site, name: key })).rejects.toThrow(/has no place/);
  });
});
