import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { startBlob } from '@tandem-clouds/emulators/blob/server';
import { startS3 } from '@tandem-clouds/emulators/s3/server';
import { resourceManagerSettings } from '@tandem-clouds/emulators/service-bus/resource-manager';
import { startServiceBus } from '@tandem-clouds/emulators/service-bus/server';
import { openObjects as openOnAws } from '../../../src/shared/adapters/aws/open-objects.ts';
import { openObjects as openOnAzure } from '../../../src/shared/adapters/azure/open-objects.ts';
import type { Config } from '../../../src/shared/config/config.ts';
import { closeAfterEach } from '../../../tests/helpers/cleanup.ts';
import { setEnvironment } from '../../../tests/helpers/sites.ts';
import { type Acceptor, listenLazily } from '../src/processes/lazy-server.ts';

const closing = closeAfterEach();
const TEXT = { contentType: 'text/plain' };

function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lazy-'));
  closing(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('the emulators of objects are opened by whoever connects first, and keep what they are given', async () => {
  const [s3Dir, blobDir] = [temporaryFolder(), temporaryFolder()];
  // Where the app gets tokens of its identity.
  const bus = await startServiceBus({});
  closing(() => bus.close());
  closing(setEnvironment(resourceManagerSettings(`http://127.0.0.1:${bus.port}`)));
  let opened = 0;
  const start = async () => {
    const counted = (open: () => Promise<Acceptor>) => () => ((opened += 1), open());
    const s3 = await listenLazily(
      0,
      counted(() => startS3({ dataDir: s3Dir, buckets: ['tandem-objects'] })),
    );
    const blob = await listenLazily(
      0,
      counted(() =>
        startBlob({ account: 'tandem', dataDir: blobDir, containers: ['objects'], versioning: true }),
      ),
    );
    closing(() => Promise.all([s3.close(), blob.close()]));
    closing(
      setEnvironment({
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
        AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${s3.port}`,
      }),
    );
    const url = `http://127.0.0.1:${blob.port}/tandem`;
    const config = {
      region: 'us-east-1',
      aws: { objectsBucket: 'tandem-objects' },
      azure: { objectsUrl: url, objectsContainer: 'objects' },
    } as unknown as Config;
    const objects = [openOnAws(config), openOnAzure(config)];
    return { objects, close: () => Promise.all([s3.close(), blob.close()]) };
  };
  const first = await start();
  expect(opened).toBe(0);
  for (const objects of first.objects) {
    const put = (name: string) => objects.put(name, Buffer.from(name), TEXT);
    await Promise.all(['a', 'b', 'c'].map(put));
    expect((await objects.head({ key: 'a' }))?.versionId).toBeDefined();
    const { url } = await objects.signDownload('b', {});
    expect(await (await fetch(url)).text()).toBe('b');
  }
  expect(opened).toBe(2);
  await first.close();
  const second = await start();
  for (const objects of second.objects)
    expect((await objects.list()).objects.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
});

test('what cannot be opened ends its connections, and is tried again; what is closed opens nothing', async () => {
  let attempts = 0;
  const reported: unknown[] = [];
  const open = () => {
    attempts += 1;
    return attempts === 1 ? Promise.reject(new Error('no')) : startS3();
  };
  const lazy = await listenLazily(0, open, (error) => reported.push(error));
  const get = () => fetch(`http://127.0.0.1:${lazy.port}/`).then(({ status }) => status);
  await expect(get()).rejects.toThrow();
  expect([await get(), attempts]).toEqual([403, 2]);
  expect(reported).toEqual([new Error('no')]);
  await lazy.close();
  await expect(get()).rejects.toThrow();
  expect(attempts).toBe(2);
});
