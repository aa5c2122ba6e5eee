/**
 * The bytes of an object follow its record: from the message of the peer to the queue of objects, by the peer's storage into
 * this site's own, and to the claim. Runs once per cloud, with the other as its peer.
 */
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Emulators, startEmulators } from '@tandem-clouds/emulators';
import type { Json } from '@tandem-clouds/replication/json';
import { claim, claimants, storageName } from '@tandem-clouds/replication/objects/content';
import { change } from '@tandem-clouds/replication/policies/set';
import type { Store } from '@tandem-clouds/replication/ports/store';
import { plainValues } from '@tandem-clouds/replication/record';
import { cloudName } from '#cloud';
import { openS3Objects } from '../../src/shared/adapters/aws/open-objects.ts';
import { openBlobObjects } from '../../src/shared/adapters/azure/open-objects.ts';
import { crc64Of } from '../../src/shared/crc64.ts';
import type { Objects } from '../../src/shared/ports/objects.ts';
import { deliver } from '../helpers/call.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { setEnvironment } from '../helpers/sites.ts';
import { TestSite } from '../helpers/test-site.ts';

const MIB = 1024 * 1024;
const BUCKET = 'tandem-objects';
const CONTAINER = 'objects';
const TEXT = { contentType: 'text/plain' };

let clouds: LinkedClouds;
let storages: Emulators<'s3' | 'blob'>;
let own: Objects;
let peer: Objects;
let store: Store;
let handlers: Record<'apply' | 'transfer' | 'sweep', unknown>;
let restore: () => void;
let count = 0;
let key = '';
let upload = '';
let name = '';

beforeAll(async () => {
  clouds = await startLinkedClouds(cloudName);
  storages = await startEmulators({
    services: ['s3', 'blob'],
    s3: { buckets: [BUCKET] },
    blob: { versioning: true, containers: [CONTAINER] },
  });
  const { s3, blob } = storages;
  const [configured] = JSON.parse(clouds.env['TANDEM_PEERS'] ?? '') as object[];
  const atPeer =
    cloudName === 'aws'
      ? { objectsContainer: CONTAINER, objectsConnectionString: blob.connectionString }
      : { objectsBucket: BUCKET, objectsEndpoint: s3.endpoint };
  restore = setEnvironment({
    TANDEM_PEERS: JSON.stringify([{ ...configured, ...atPeer }]),
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    ...(cloudName === 'aws'
      ? { TANDEM_OBJECTS_BUCKET: BUCKET }
      : { TANDEM_OBJECTS_URL: blob.url, TANDEM_OBJECTS_CONTAINER: CONTAINER }),
  });
  const onAws = openS3Objects({ region: 'us-east-1', bucket: BUCKET });
  const onAzure = openBlobObjects({ container: CONTAINER, connectionString: blob.connectionString });
  [own, peer] = cloudName === 'aws' ? [onAws, onAzure] : [onAzure, onAws];
  const load = async (module: Promise<{ handler: unknown }>): Promise<unknown> => (await module).handler;
  handlers = {
    apply: await load(import('../../src/bridge/apply.ts')),
    transfer: await load(import('../../src/bridge/transfer.ts')),
    sweep: await load(import('../../src/bridge/sweep.ts')),
  };
  const runtime = await import('../../src/shared/runtime.ts');
  store = runtime.openSiteStore(runtime.openRuntime());
});

beforeEach(() => {
  count += 1;
  key = `object:${cloudName}-${count}`;
  upload = `${clouds.peer.site}.${String(count).padStart(32, '0')}`;
  name = storageName(key, upload);
});

afterEach(async () => {
  storages.s3.faults.clear();
  storages.blob.faults.clear();
  while ((await clouds.own.take('tandem-objects')).length > 0);
});

afterAll(async () => {
  restore();
  for (const each of [own, peer]) each.close();
  await Promise.all([storages.close(), clouds.close()]);
});

const heldByPeer = (): Json =>
  change({ add: [claim(upload, clouds.peer.site)], remove: [] }) as unknown as Json;

/** The peer has stored the bytes and says so. */
async function acknowledgedByPeer(body: Buffer, stored = body): Promise<void> {
  const { versionId } = await peer.put(name, stored, TEXT);
  const source = new TestSite(clouds.peer.site, [clouds.own.site]);
  source.nowMs = Date.now();
  await source.write(key, {
    ownerId: 'hedy',
    name: 'photos/1.png',
    content: {
      ...{ upload, bytes: body.length, crc64: crc64Of(body), contentType: 'image/png' },
      ...(versionId !== undefined && { versionId }),
      completedMs: source.nowMs,
    },
    heldBy: heldByPeer(),
  });
  expect(await deliver(cloudName, handlers.apply, source.outboxDeliveries())).toEqual([]);
}

const take = () => clouds.own.take('tandem-objects');
const heldBy = async (): Promise<readonly string[]> => {
  const record = (await store.get(key))?.record;
  const claims = (record && plainValues(record.state)['heldBy']) as readonly string[] | undefined;
  return [...claimants(claims ?? [], upload)].sort();
};
const both = (): string[] => [clouds.own.site, clouds.peer.site].sort();
const transfer = async (): Promise<void> => {
  expect(await deliver(cloudName, handlers.transfer, await take())).toEqual([]);
};

test('what the peer has acknowledged is fetched at once, compared, and claimed', async () => {
  const body = randomBytes(300_000);
  await acknowledgedByPeer(body);
  expect(await clouds.own.take('tandem-react')).toEqual([]);
  await transfer();
  expect((await buffer((await own.read(name)).content)).equals(body)).toBe(true);
  expect(await heldBy()).toEqual(both());
});

test('what is larger than a body comes in parts', async () => {
  const body = randomBytes(17 * MIB);
  // No storage of a peer takes it in one call from a function.
  const begun = await peer.beginUpload(name, TEXT);
  const parts = [
    await peer.putPart(begun, { number: 1, body: body.subarray(0, 16 * MIB) }),
    await peer.putPart(begun, { number: 2, body: body.subarray(16 * MIB) }),
  ];
  const { versionId } = await peer.completeUpload(begun, parts);
  const source = new TestSite(clouds.peer.site, [clouds.own.site]);
  source.nowMs = Date.now();
  await source.write(key, {
    ...{ ownerId: 'hedy', name: 'photos/2.png' },
    content: {
      ...{ upload, bytes: body.length, crc64: crc64Of(body), contentType: 'image/png' },
      ...{ versionId: versionId ?? '', completedMs: source.nowMs },
    },
    heldBy: heldByPeer(),
  });
  await deliver(cloudName, handlers.apply, source.outboxDeliveries());
  await transfer();
  const head = await own.head({ key: name });
  expect(head).toMatchObject({ bytes: body.length, checksums: { crc64: crc64Of(body) } });
  expect(await heldBy()).toEqual(both());
});

test('other bytes than were acknowledged are not claimed, and the sweep asks again', async () => {
  const body = randomBytes(1_000);
  await acknowledgedByPeer(body, randomBytes(1_000));
  await transfer();
  expect(await own.head({ key: name })).toBeUndefined();
  expect(await heldBy()).toEqual([clouds.peer.site]);
  const entry = (await store.get(key))?.record.reactions?.['hold'];
  expect(entry).toMatchObject({ attempts: 1, detail: expect.any(String) as unknown });
  expect(entry?.parked).toBeUndefined();
});

test('what this site has lost is claimed no more once its storage reports it, and fetched again', async () => {
  const body = randomBytes(1_000);
  await acknowledgedByPeer(body);
  await transfer();
  await own.purge(name);
  const report =
    cloudName === 'aws'
      ? {
          Records: [
            { eventSource: 'aws:s3', eventName: 'ObjectRemoved:Delete', s3: { object: { key: name } } },
          ],
        }
      : {
          eventType: 'Microsoft.Storage.BlobDeleted',
          subject: `/blobServices/default/containers/${CONTAINER}/blobs/${name}`,
        };
  await deliver(cloudName, handlers.transfer, [{ body: JSON.stringify(report) }]);
  expect((await buffer((await own.read(name)).content)).equals(body)).toBe(true);
  expect(await heldBy()).toEqual(both());
});

test('a message that is neither a key nor a report is set aside', async () => {
  await deliver(cloudName, handlers.transfer, [
    { body: '{"half":' },
    { body: JSON.stringify({ Event: 's3:TestEvent' }) },
  ]);
  const dead = await clouds.own.take('tandem-dead');
  expect(dead.map(({ attributes }) => [attributes['source'], attributes['reason']])).toEqual([
    ['tandem-objects', 'malformed'],
  ]);
});
