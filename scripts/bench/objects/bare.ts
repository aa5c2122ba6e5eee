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
import type { StackSite } from '@tandem-clouds/command-line/running-stack';
import { OBJECTS } from '@tandem-clouds/local/processes/emulators-settings';

export class BareCopy {
  readonly #s3: S3Client;
  readonly #container: ContainerClient;

  constructor(aws: StackSite, azure: StackSite) {
    this.#s3 = new S3Client({
      region: aws.region,
      endpoint: aws.endpoints['s3'] ?? '',
      forcePathStyle: true,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
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
    const service = new BlobServiceClient(azure.endpoints['blob'] ?? '', pipeline);
    this.#container = service.getContainerClient(OBJECTS.container);
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
