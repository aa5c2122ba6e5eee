/** Both storages of objects, by their emulators, as functions open them. */
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { BlobServiceClient } from '@azure/storage-blob';
import { startEmulators } from '@tandem-clouds/emulators';
import type { Faults } from '@tandem-clouds/emulators/core/faults';
import { openS3Objects } from '../../src/shared/adapters/aws/open-objects.ts';
import { openBlobObjects } from '../../src/shared/adapters/azure/open-objects.ts';
import type { Objects } from '../../src/shared/ports/objects.ts';
import { setEnvironment } from './sites.ts';

export interface ObjectStorage {
  readonly faults: Faults;
  /** What a function finds in its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Another instance on the same storage, as another function has it. */
  open(): Objects;
  close(): Promise<void>;
}

/** @param now Of the service. */
export async function startS3(now: () => number): Promise<ObjectStorage> {
  const emulators = await startEmulators({ services: ['s3'], now });
  const restore = setEnvironment(emulators.env);
  const client = new S3Client({ ...emulators.s3.config, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: 'photos' }));
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await client.send(new PutBucketVersioningCommand({ Bucket: 'photos', VersioningConfiguration }));
  client.destroy();
  return {
    faults: emulators.s3.faults,
    env: { TANDEM_OBJECTS_BUCKET: 'photos', AWS_ENDPOINT_URL_S3: emulators.s3.endpoint },
    open: () => openS3Objects({ region: 'us-east-1', bucket: 'photos' }),
    async close() {
      restore();
      await emulators.close();
    },
  };
}

/** @param now Of the service. */
export async function startBlob(now: () => number): Promise<ObjectStorage> {
  const emulators = await startEmulators({ services: ['blob'], blob: { versioning: true }, now });
  const { url, connectionString, faults } = emulators.blob;
  await BlobServiceClient.fromConnectionString(connectionString).getContainerClient('photos').create();
  const token = { token: 'any', expiresOnTimestamp: Date.now() + 3_600_000 };
  const identity = { getToken: () => Promise.resolve(token) };
  return {
    faults,
    env: { TANDEM_OBJECTS_URL: url, TANDEM_OBJECTS_CONTAINER: 'photos' },
    open: () => openBlobObjects({ url, container: 'photos', identity }),
    close: () => emulators.close(),
  };
}
