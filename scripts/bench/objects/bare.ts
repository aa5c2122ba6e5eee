/** A copy from S3 to Blob Storage with nothing around it: both vendors' SDKs, one GET and one PUT an object. */
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  AnonymousCredential,
  BlobServiceClient,
  type ContainerClient,
  newPipeline,
} from '@azure/storage-blob';
import { OBJECTS } from '@tandem-clouds/local/processes/emulators-settings';

/** Where it copies from and to. */
export interface BareStorages {
  readonly region: string;
  readonly s3Url: string;
  readonly blobUrl: string;
}

export class BareCopy {
  readonly #s3: S3Client;
  readonly #container: ContainerClient;

  constructor({ region, s3Url, blobUrl }: BareStorages) {
    this.#s3 = new S3Client({
      region,
      endpoint: s3Url,
      forcePathStyle: true,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    const pipeline = newPipeline(new AnonymousCredential(), {});
    // The emulator takes any token; the SDK sends one by TLS only.
    pipeline.factories.push({
      create: (next) => ({
        sendRequest(request) {
          request.headers.set('authorization', 'Bearer bare');
          return next.sendRequest(request);
        },
      }),
    });
    this.#container = new BlobServiceClient(blobUrl, pipeline).getContainerClient(OBJECTS.container);
  }

  async put(key: string, body: Buffer): Promise<void> {
    await this.#s3.send(new PutObjectCommand({ Bucket: OBJECTS.bucket, Key: key, Body: body }));
  }

  async copy(key: string): Promise<void> {
    const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket: OBJECTS.bucket, Key: key }));
    const body = await buffer(Body as Readable);
    await this.#container.getBlockBlobClient(key).upload(body, body.byteLength);
  }

  close(): void {
    this.#s3.destroy();
  }
}
