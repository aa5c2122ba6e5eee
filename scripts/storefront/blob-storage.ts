/** The container `$web` of an account that serves it as a static website (infra/azure/parts/storefront.json). */
import { DefaultAzureCredential } from '@azure/identity';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import type { ShopFile } from '@tandem-clouds/storefront/build/shop-file';
import {
  type ListedFile,
  type Notes,
  ReplacedMeanwhileError,
  type ShopStorage,
  type StoredFile,
} from './shop-storage.ts';

const CONTAINER = '$web';

const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode;

export class BlobShopStorage implements ShopStorage {
  readonly #container: ContainerClient;

  /**
   * Signed in as whoever `az login`, a federated token or a managed identity says. `AZURE_STORAGE_CONNECTION_STRING`, which
   * the Azure CLI knows too, leads to an emulator: accounts of ours take no keys.
   */
  constructor(account: string) {
    const connection = process.env['AZURE_STORAGE_CONNECTION_STRING'];
    const service =
      connection === undefined
        ? new BlobServiceClient(account, new DefaultAzureCredential())
        : BlobServiceClient.fromConnectionString(connection);
    this.#container = service.getContainerClient(CONTAINER);
  }

  async list(): Promise<readonly ListedFile[]> {
    const files: ListedFile[] = [];
    for await (const { name, properties } of this.#container.listBlobsFlat())
      files.push({ name, writtenAtMs: properties.lastModified.getTime() });
    return files;
  }

  async describe(name: string): Promise<StoredFile | undefined> {
    try {
      const found = await this.#container.getBlobClient(name).getProperties();
      return {
        version: found.etag ?? '',
        contentType: found.contentType ?? '',
        cacheControl: found.cacheControl ?? '',
        notes: found.metadata ?? {},
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
    try {
      await this.#put(
        file,
        notes,
        expected === undefined ? { ifNoneMatch: '*' } : { ifMatch: expected.version },
      );
    } catch (error) {
      // 409: it was made meanwhile.
      if (statusOf(error) !== 412 && statusOf(error) !== 409) throw error;
      throw new ReplacedMeanwhileError(`${file.name} was written meanwhile`, { cause: error });
    }
  }

  async remove(name: string): Promise<void> {
    await this.#container.getBlobClient(name).deleteIfExists();
  }

  async #put(
    { name, bytes, contentType, cacheControl }: ShopFile,
    notes: Notes,
    conditions: { readonly ifMatch?: string; readonly ifNoneMatch?: string },
  ): Promise<void> {
    await this.#container.getBlockBlobClient(name).upload(Buffer.from(bytes), bytes.length, {
      blobHTTPHeaders: { blobContentType: contentType, blobCacheControl: cacheControl },
      metadata: { ...notes },
      conditions,
    });
  }
}
