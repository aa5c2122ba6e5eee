/** A bucket behind CloudFront (infra/aws/features/storefront.yml). */
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from '@aws-sdk/client-s3';
import type { ShopFile } from '@tandem-clouds/storefront/build/shop-file';
import {
  type ListedFile,
  type Notes,
  ReplacedMeanwhileError,
  type ShopStorage,
  type StoredFile,
} from './shop-storage.ts';

const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;

export class S3ShopStorage implements ShopStorage {
  readonly #client: S3Client;
  readonly #bucket: string;

  /** Signed in as whatever the SDK finds: the environment, a profile, a role. `AWS_ENDPOINT_URL_S3` leads to an emulator. */
  constructor(bucket: string, region: string | undefined) {
    // A bucket in the host's name does not exist at an emulator.
    const forcePathStyle = process.env['AWS_ENDPOINT_URL_S3'] !== undefined;
    this.#client = new S3Client({ forcePathStyle, ...(region !== undefined && { region }) });
    this.#bucket = bucket;
  }

  async list(): Promise<readonly ListedFile[]> {
    const files: ListedFile[] = [];
    let after: string | undefined;
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({ Bucket: this.#bucket, ContinuationToken: after }),
      );
      for (const { Key = '', LastModified } of page.Contents ?? [])
        files.push({ name: Key, writtenAtMs: LastModified?.getTime() ?? 0 });
      after = page.NextContinuationToken;
    } while (after !== undefined);
    return files;
  }

  async describe(name: string): Promise<StoredFile | undefined> {
    try {
      const head = await this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: name }));
      return {
        version: head.ETag ?? '',
        contentType: head.ContentType ?? '',
        cacheControl: head.CacheControl ?? '',
        notes: head.Metadata ?? {},
      };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async write(file: ShopFile, notes: Notes): Promise<void> {
    await this.#put(file, notes, {});
  }

  async replace(file: ShopFile, notes: Notes, expected: StoredFile | undefined): Promise<void> {
    const condition = expected === undefined ? { IfNoneMatch: '*' } : { IfMatch: expected.version };
    try {
      await this.#put(file, notes, condition);
    } catch (error) {
      // 409: another conditional write is under way.
      if (statusOf(error) !== 412 && statusOf(error) !== 409) throw error;
      throw new ReplacedMeanwhileError(`${file.name} was written meanwhile`, { cause: error });
    }
  }

  async remove(name: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: name }));
  }

  async #put(
    { name, bytes, contentType, cacheControl }: ShopFile,
    notes: Notes,
    condition: Pick<PutObjectCommandInput, 'IfMatch' | 'IfNoneMatch'>,
  ): Promise<void> {
    await this.#client.send(
      new PutObjectCommand({
        Bucket: this.#bucket,
        Key: name,
        Body: bytes,
        ContentType: contentType,
        CacheControl: cacheControl,
        Metadata: { ...notes },
        ...condition,
      }),
    );
  }
}
