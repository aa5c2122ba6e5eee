/** An inventory of a site's storage by its functions, and what operators see of it. Runs once per cloud. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { drive } from '@tandem-clouds/replication/drive';
import type { Json } from '@tandem-clouds/replication/json';
import { localWrite } from '@tandem-clouds/replication/local-write';
import { claim, type Content, storageName } from '@tandem-clouds/replication/objects/content';
import { change } from '@tandem-clouds/replication/policies/set';
import { noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import { cloudName, openStore } from '#cloud';
import { openObjects } from '#objects';
import { loadConfig } from '../../src/shared/config/config.ts';
import { crc64Of } from '../../src/shared/crc64.ts';
import type { Objects } from '../../src/shared/ports/objects.ts';
import { callAsOperator, invoke, OPERATOR_ENV, type Response } from '../helpers/api.ts';
import { deliver } from '../helpers/call.ts';
import { freshResponse } from '../helpers/fresh-response.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { type ObjectStorage, startBlob, startS3 } from '../helpers/object-storages.ts';
import { setEnvironment } from '../helpers/sites.ts';

const handlers = new Map<string, unknown>();
let clouds: LinkedClouds;
let storage: ObjectStorage;
let restore: () => void;
let store: Store;
let objects: Objects;

beforeAll(async () => {
  storage = await (cloudName === 'aws' ? startS3 : startBlob)(Date.now);
  clouds = await startLinkedClouds(cloudName);
  const env = { ...OPERATOR_ENV, ...storage.env };
  restore = setEnvironment(env);
  const config = loadConfig(cloudName, { ...clouds.env, ...env });
  store = openStore(config, noEntries);
  objects = openObjects(config);
  const load = async (name: string, module: Promise<{ handler: unknown }>): Promise<void> =>
    void handlers.set(name, (await module).handler);
  await load('operations', import('../../src/handlers/operations.ts'));
  await load('replication', import('../../src/handlers/replication.ts'));
  await load('transfer', import('../../src/bridge/transfer.ts'));
  await load('hourly', import('../../src/bridge/verify-hourly.ts'));
  await load('sweep', import('../../src/bridge/sweep.ts'));
});

afterAll(async () => {
  objects.close();
  restore();
  await clouds.close();
  await storage.close();
});

const operate = (method: string, path: string, body?: object): Promise<Response> =>
  callAsOperator(handlers.get('operations'), method, path, body);

/** A record with content that both sites claim. */
async function put(id: string, text: string): Promise<string> {
  const { own, peer } = clouds;
  const key = `object:${id}`;
  const upload = `${own.site}.${id.padStart(32, '0')}`;
  const content: Content = {
    ...{ upload, bytes: text.length, crc64: crc64Of(Buffer.from(text)) },
    ...{ contentType: 'text/plain', completedMs: Date.now() - 3_600_000 },
  };
  const site = { site: own.site, peers: [], now: Date.now };
  const heldBy = change({ add: [own.site, peer.site].map((each) => claim(upload, each)) });
  const fields = { name: id, content: content as unknown as Json, heldBy };
  const resources = { store, sleep: () => Promise.resolve() };
  await drive(localWrite(site, { key, operationId: upload, decide: () => fields }), resources);
  const name = storageName(key, upload);
  await objects.put(name, Buffer.from(text), { contentType: 'text/plain', createOnly: true });
  return name;
}

/** Hands the steps of an inventory to the function that takes them, one after the other. Returns how many there were. */
async function takeSteps(): Promise<number> {
  for (let steps = 0; ; steps += 1) {
    const messages = await clouds.own.take('tandem-objects');
    const step = messages.find(({ body }) => body.startsWith('{"inventory"'));
    if (step === undefined) return steps;
    expect(await deliver(cloudName, handlers.get('transfer'), [{ body: step.body }])).toEqual([]);
  }
}

async function inventoryOf(site: string): Promise<Record<string, unknown> | undefined> {
  const { json } = await operate('GET', 'inventories');
  return (json['inventories'] as Record<string, unknown>[]).find((each) => each['site'] === site);
}

describe(`an inventory at a site on ${cloudName}`, () => {
  test('is begun once a day, and finds nothing where the storage has everything', async () => {
    await put('1', 'of one');
    await put('2', 'of the other');
    expect(await inventoryOf(clouds.own.site)).toBeUndefined();
    await deliver(cloudName, handlers.get('hourly'), 'timer');
    expect(await takeSteps()).toBeGreaterThan(0);
    const found = { checked: 2, bytes: 18, missing: 0, corrupt: 0, unused: 0, strange: 0, read: false };
    expect(await inventoryOf(clouds.own.site)).toMatchObject({ ...found, endedAt: expect.any(String) });
    await deliver(cloudName, handlers.get('hourly'), 'timer');
    expect(await takeSteps()).toBe(0);
  });

  test('that an operator asks for reads the bytes, and what is missing is no longer claimed and is lacking', async () => {
    const name = await put('3', 'of a third');
    await objects.delete({ key: name });
    const { status, json } = await operate('POST', 'inventories', { read: true });
    expect([status, json['endedAt']]).toEqual([202, undefined]);
    await takeSteps();
    const found = { id: json['id'], checked: 3, missing: 1, corrupt: 0, lost: 0, examples: ['object:3'] };
    expect(await inventoryOf(clouds.own.site)).toMatchObject({ ...found, read: true });

    const { own, peer } = clouds;
    expect((await operate('GET', 'contents/object:3')).json).toMatchObject({
      exists: true,
      content: { bytes: 10, heldBy: [peer.site], lackedBy: [own.site] },
      fetching: { attempts: 0 },
    });
    const replication = await freshResponse(async () => {
      const { text } = await invoke(handlers.get('replication'), { method: 'GET', path: '/replication' });
      return JSON.parse(text) as Record<string, unknown> & { now: string };
    });
    const lacking = { objects: 1, bytes: 10, overdue: 1 };
    expect(replication).toMatchObject({
      content: { lacking, atLeast: false, inventory: { missing: 1 } },
      inbound: [{ site: peer.site, content: lacking }],
      peers: [{ site: peer.site, content: { objects: 0 } }],
    });
    expect(JSON.stringify(replication)).not.toContain('object:3');

    const lines: string[] = [];
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      lines.push(String(text));
      return true;
    });
    await deliver(cloudName, handlers.get('sweep'), 'timer');
    jest.restoreAllMocks();
    const measured = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(measured).toContainEqual(
      expect.objectContaining({ ObjectsLacking: 1, ObjectBytesLacking: 10, ObjectsOverdue: 1 }),
    );
  });

  test.each([
    ['a record that is not there', 'GET', 'contents/object:none', 404],
    ['a record without content', 'GET', 'contents/user:1', 404],
  ])('%s is refused', async (_, method, path, status) => {
    expect((await operate(method, path)).status).toBe(status);
  });
});
