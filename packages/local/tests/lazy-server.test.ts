import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { startBlob } from '@tandem-clouds/emulators/blob/server';
import { startS3 } from '@tandem-clouds/emulators/s3/server';
import { openS3Objects } from '../../../src/shared/adapters/aws/open-objects.ts';
import { openBlobObjects } from '../../../src/shared/adapters/azure/open-objects.ts';
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
    const keys = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };
    closing(setEnvironment(keys));
    const endpoint = `http://127.0.0.1:${s3.port}`;
    const token = { token: 'any', expiresOnTimestamp: Date.now() + 3_600_000 };
    const objects = [
      openS3Objects({ region: 'us-east-1', bucket: 'tandem-objects', endpoint }),
      openBlobObjects({
        url: `http://127.0.0.1:${blob.port}/tandem`,
        container: 'objects',
        identity: { getToken: () => Promise.resolve(token) },
      }),
    ];
    return { objects, close: () => Promise.all([s3.close(), blob.close()]) };
  };
  const first = await start();
  expect(opened).toBe(0);
  for (const objects of first.objects) {
    const put = (name: string) => objects.put(name, Buffer.from(name), TEXT);
    await Promise.all(['a', 'b', 'c'].map(put));
    expect((await objects.head({ key: 'a' }))?.versionId).toBeDefined();
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
