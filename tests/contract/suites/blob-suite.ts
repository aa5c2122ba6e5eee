/**
 * What Tandem relies on in Blob Storage, as a suite over an account: the local emulator runs it in every test run, azurite
 * in `npm run test:peers`. A difference that is known is declared in `Differences`, with its reason; a test that it concerns
 * must fail there, so that one that has gone is noticed. What azurite does not have at all (versions, policies, events,
 * keys delegated to users without TLS) is tested beside the emulator (`packages/emulators/tests/blob/server.test.ts`).
 */
import { createHash, randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import {
  type BlobDownloadResponseParsed,
  BlobSASPermissions,
  BlobServiceClient,
  type ContainerClient,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

export interface BlobAccount {
  /** Of the account. */
  readonly url: string;
  readonly account: string;
  readonly key: string;
}

/** Where an implementation is known to differ from the service. */
export interface Differences {
  /** azurite stores content whatever CRC64 is announced, and gives none back. */
  readonly checksNoCrc64?: boolean;
  /** azurite takes the frame of a structured body for content. */
  readonly hasNoStructuredBodies?: boolean;
  /** azurite answers a request for a range's MD5 only. */
  readonly hasNoCrc64OfRanges?: boolean;
  /** azurite overwrites with a signature that may only create. */
  readonly overwritesWithCreate?: boolean;
  /** azurite answers a range that begins where the blob ends, with nothing. */
  readonly readsBeyondTheEnd?: boolean;
  /** azurite calls a signature that does not hold AuthorizationFailure. */
  readonly namesRefusalsOtherwise?: boolean;
  /** azurite does not read a source of its own in Put Blob From URL. */
  readonly hasNoPutFromUrl?: boolean;
}

const md5 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('md5').update(bytes).digest());
const blockId = (number: number): string => Buffer.from(String(number).padStart(6, '0')).toString('base64');

/** What came with the answer to a download. */
export async function textOf({ readableStreamBody }: BlobDownloadResponseParsed): Promise<string> {
  return readableStreamBody === undefined ? '' : text(readableStreamBody);
}

/** Registers the suite; `accountOf` is called once the tests run. */
export function describeBlob(
  title: string,
  accountOf: () => BlobAccount,
  differences: Differences = {},
): void {
  describe(title, () => {
    let service: BlobServiceClient;
    let credential: StorageSharedKeyCredential;
    let container: ContainerClient;

    beforeAll(async () => {
      const { url, account, key } = accountOf();
      credential = new StorageSharedKeyCredential(account, key);
      service = new BlobServiceClient(url, credential, { retryOptions: { maxTries: 1 } });
      container = service.getContainerClient(`suite-${randomBytes(4).toString('hex')}`);
      await container.create();
    });
    afterAll(() => container.delete());

    const names = async (options: { prefix?: string } = {}): Promise<string[]> => {
      const found: string[] = [];
      for await (const { name } of container.listBlobsFlat(options)) found.push(name);
      return found;
    };

    test('containers are created once, described with their metadata, listed and deleted', async () => {
      const other = service.getContainerClient(`other-${randomBytes(4).toString('hex')}`);
      await other.create({ metadata: { of: 'suite' } });
      await expect(other.create()).rejects.toMatchObject({ statusCode: 409, code: 'ContainerAlreadyExists' });
      expect(await other.getProperties()).toMatchObject({ metadata: { of: 'suite' } });
      const listed: string[] = [];
      for await (const { name } of service.listContainers({ prefix: 'other-' })) listed.push(name);
      expect(listed).toContain(other.containerName);
      await other.delete();
      expect(await other.exists()).toBe(false);
      await expect(other.getBlockBlobClient('a').upload('a', 1)).rejects.toMatchObject({
        statusCode: 404,
        code: 'ContainerNotFound',
      });
    });

    test('gives back what was put, with its properties and metadata', async () => {
      const blob = container.getBlockBlobClient('put/whole');
      const bytes = randomBytes(300_000);
      const put = await blob.upload(bytes, bytes.length, {
        blobHTTPHeaders: {
          blobContentType: 'image/png',
          blobCacheControl: 'max-age=60',
          blobContentDisposition: 'inline; filename="a.png"',
        },
        metadata: { Owner: 'hedy' },
      });
      const got = await blob.downloadToBuffer();
      expect(got.equals(bytes)).toBe(true);
      const properties = await blob.getProperties();
      expect(properties).toMatchObject({
        etag: put.etag,
        contentLength: 300_000,
        contentType: 'image/png',
        cacheControl: 'max-age=60',
        contentDisposition: 'inline; filename="a.png"',
        blobType: 'BlockBlob',
        accessTier: 'Hot',
      });
      expect(
        Object.entries(properties.metadata ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
      ).toEqual([['owner', 'hedy']]);
      expect(Buffer.from(properties.contentMD5 ?? []).equals(md5(bytes))).toBe(true);
    });

    test('names of metadata may have underscores and digits', async () => {
      const blob = container.getBlockBlobClient('put/metadata');
      const metadata = { ab: '1', a_b: '2', a1: '3', _x: '4', x_2: '5', x2: '6' };
      await blob.upload('x', 1, { metadata });
      expect((await blob.getProperties()).metadata).toEqual(metadata);
    });

    test('an empty blob is one', async () => {
      const blob = container.getBlockBlobClient('put/empty');
      await blob.upload('', 0);
      expect(await textOf(await blob.download())).toBe('');
      expect(await blob.getProperties()).toMatchObject({ contentLength: 0 });
    });

    test('a range is what was asked for, with its MD5', async () => {
      const blob = container.getBlockBlobClient('put/ranges');
      await blob.upload('0123456789', 10);
      const part = await blob.download(3, 4, { rangeGetContentMD5: true });
      expect(await textOf(part)).toBe('3456');
      expect(part).toMatchObject({ contentRange: 'bytes 3-6/10', contentLength: 4 });
      expect(Buffer.from(part.contentMD5 ?? []).equals(md5(Buffer.from('3456')))).toBe(true);
      expect(await textOf(await blob.download(8))).toBe('89');
    });

    (differences.readsBeyondTheEnd === true ? test.failing : test)(
      'a range beyond the end is InvalidRange',
      async () => {
        const blob = container.getBlockBlobClient('put/short');
        await blob.upload('0123456789', 10);
        await expect(blob.download(10)).rejects.toMatchObject({ statusCode: 416, code: 'InvalidRange' });
      },
    );

    (differences.hasNoCrc64OfRanges === true ? test.failing : test)(
      'a range comes with its CRC64 when that is wanted',
      async () => {
        const blob = container.getBlockBlobClient('put/crc-of-range');
        const put = await blob.upload('3456', 4);
        const part = await blob.download(0, 4, { rangeGetContentCrc64: true });
        expect(part.contentCrc64).toEqual(put.xMsContentCrc64);
        expect(part.contentCrc64).toHaveLength(8);
      },
    );

    test('content whose MD5 is another is refused, and nothing is stored', async () => {
      const blob = container.getBlockBlobClient('put/md5');
      await expect(
        blob.upload('other', 5, { transactionalContentMD5: md5(Buffer.from('these')) }),
      ).rejects.toMatchObject({ statusCode: 400, code: 'Md5Mismatch' });
      expect(await blob.exists()).toBe(false);
      await blob.upload('these', 5, { transactionalContentMD5: md5(Buffer.from('these')) });
    });

    (differences.checksNoCrc64 === true ? test.failing : test)(
      'content whose CRC64 is another is refused, and nothing is stored',
      async () => {
        const blob = container.getBlockBlobClient('put/crc');
        const { xMsContentCrc64: crc = new Uint8Array() } = await blob.upload('these', 5);
        await expect(blob.upload('other', 5, { transactionalContentCrc64: crc })).rejects.toMatchObject({
          statusCode: 400,
          code: 'Crc64Mismatch',
        });
        await blob.upload('these', 5, { transactionalContentCrc64: crc });
        await expect(
          blob.stageBlock(blockId(1), 'other', 5, { transactionalContentCrc64: crc }),
        ).rejects.toMatchObject({ code: 'Crc64Mismatch' });
      },
    );

    (differences.hasNoStructuredBodies === true ? test.failing : test)(
      'content that the SDK checks by itself goes there and comes back, in segments',
      async () => {
        const blob = container.getBlockBlobClient('put/structured');
        const bytes = randomBytes(5_000_000);
        await blob.upload(bytes, bytes.length, { contentChecksumAlgorithm: 'StorageCrc64' });
        expect(await blob.getProperties()).toMatchObject({ contentLength: bytes.length });
        const got = await blob.downloadToBuffer(0, undefined, { contentChecksumAlgorithm: 'StorageCrc64' });
        expect(got.equals(bytes)).toBe(true);
      },
    );

    test('blocks become a blob in the order of the list, and are not seen before', async () => {
      const blob = container.getBlockBlobClient('blocks/two');
      await blob.stageBlock(blockId(1), 'second', 6);
      await blob.stageBlock(blockId(2), 'first ', 6);
      expect(await blob.exists()).toBe(false);
      const { uncommittedBlocks } = await blob.getBlockList('uncommitted');
      expect(uncommittedBlocks?.map(({ name, size }) => [name, size]).sort()).toEqual([
        [blockId(1), 6],
        [blockId(2), 6],
      ]);
      await blob.commitBlockList([blockId(2), blockId(1)], {
        blobHTTPHeaders: { blobContentType: 'text/plain' },
      });
      expect((await blob.downloadToBuffer()).toString()).toBe('first second');
      expect((await blob.getProperties()).contentType).toBe('text/plain');
      // A list may name again what the blob has, beside what is new.
      await blob.stageBlock(blockId(3), 'zeroth ', 7);
      await blob.commitBlockList([blockId(3), blockId(2)]);
      expect((await blob.downloadToBuffer()).toString()).toBe('zeroth first ');
      const list = await blob.getBlockList('all');
      expect(list.committedBlocks?.map(({ name }) => name)).toEqual([blockId(3), blockId(2)]);
      expect(list.uncommittedBlocks ?? []).toEqual([]);
    });

    test('a list with a block that is not there is InvalidBlockList', async () => {
      const blob = container.getBlockBlobClient('blocks/missing');
      await blob.stageBlock(blockId(1), 'one', 3);
      await expect(blob.commitBlockList([blockId(1), blockId(2)])).rejects.toMatchObject({
        statusCode: 400,
        code: 'InvalidBlockList',
      });
      expect(await blob.exists()).toBe(false);
    });

    test('block ids of a blob have one length', async () => {
      const blob = container.getBlockBlobClient('blocks/ids');
      await blob.stageBlock(blockId(1), 'one', 3);
      await expect(blob.stageBlock(Buffer.from('1').toString('base64'), 'one', 3)).rejects.toMatchObject({
        statusCode: 400,
        code: 'InvalidBlobOrBlock',
      });
    });

    test('what must not be there yet is created once, by whoever comes first', async () => {
      const blob = container.getBlockBlobClient('conditions/once');
      const results = await Promise.allSettled(
        ['a', 'b', 'c'].map((body) => blob.upload(body, 1, { conditions: { ifNoneMatch: '*' } })),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const refused = results.flatMap((result) =>
        result.status === 'rejected' ? [result.reason as unknown] : [],
      );
      expect(refused).toMatchObject(refused.map(() => ({ statusCode: 409, code: 'BlobAlreadyExists' })));
    });

    test('a write on another state than the one that was read is ConditionNotMet', async () => {
      const blob = container.getBlockBlobClient('conditions/etag');
      const { etag = '' } = await blob.upload('one', 3);
      await blob.upload('two', 3, { conditions: { ifMatch: etag } });
      const stale = { conditions: { ifMatch: etag } };
      const refusal = { statusCode: 412, code: 'ConditionNotMet' };
      await expect(blob.upload('three', 5, stale)).rejects.toMatchObject(refusal);
      await expect(blob.setMetadata({ a: 'b' }, stale)).rejects.toMatchObject(refusal);
      await expect(blob.delete(stale)).rejects.toMatchObject(refusal);
      await expect(blob.download(0, undefined, stale)).rejects.toMatchObject({ statusCode: 412 });
      expect((await blob.downloadToBuffer()).toString()).toBe('two');
    });

    test('a read of what has not changed is 304', async () => {
      const blob = container.getBlockBlobClient('conditions/unchanged');
      const { etag = '', lastModified } = await blob.upload('one', 3);
      for (const conditions of [{ ifNoneMatch: etag }, { ifModifiedSince: lastModified ?? new Date() }])
        await expect(blob.download(0, undefined, { conditions })).rejects.toMatchObject({ statusCode: 304 });
      const before = { ifUnmodifiedSince: new Date(0) };
      await expect(blob.download(0, undefined, { conditions: before })).rejects.toMatchObject({
        statusCode: 412,
      });
    });

    test('a write may depend on tags', async () => {
      const blob = container.getBlockBlobClient('conditions/tags');
      await blob.upload('one', 3, { tags: { state: 'draft', rank: '5' } });
      const on = (tagConditions: string) => ({ conditions: { tagConditions } });
      await expect(blob.delete(on(`"state" = 'final' OR "rank" < '5'`))).rejects.toMatchObject({
        statusCode: 412,
        code: 'ConditionNotMet',
      });
      await blob.delete(on(`"state" = 'draft' AND "rank" >= '5'`));
    });

    test.each([
      ['spaces', ' a  b '],
      ['what a URL means otherwise', 'a%20b?c=d#e+f&g;h'],
      ['quotes and angles', `"a" 'b' <c> & {d} [e] |f| ^g`],
      ['letters of many scripts', 'Ærøskøbing/Ωμέγα/日本語/עברית'],
      ['characters of two units', 'a😀b/𝒳'],
      ['dots at the end of a segment', 'a./b../c'],
      ['slashes that follow each other', 'a//b///c/'],
    ])('a name with %s is the same in a list and in a read', async (_title, name) => {
      const blob = container.getBlockBlobClient(`names/${name}`);
      await blob.upload(name, Buffer.byteLength(name));
      expect((await blob.downloadToBuffer()).toString()).toBe(name);
      expect(await names({ prefix: `names/${name}` })).toEqual([`names/${name}`]);
      await blob.delete();
    });

    test('a list comes in pages, in the order of names', async () => {
      const wanted = ['B', 'a', 'b/c', 'b0', 'ä'].map((name) => `pages/${name}`);
      await Promise.all(wanted.map((name) => container.getBlockBlobClient(name).upload('x', 1)));
      const pages: string[][] = [];
      for await (const page of container.listBlobsFlat({ prefix: 'pages/' }).byPage({ maxPageSize: 2 }))
        pages.push(page.segment.blobItems.map(({ name }) => name));
      expect(pages.flat()).toEqual(wanted);
      expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
    });

    test('a list by a delimiter has what is before it once, and what has none', async () => {
      const made = ['x/1', 'x/2', 'y', 'z/1'].map((name) => `tree/${name}`);
      await Promise.all(made.map((name) => container.getBlockBlobClient(name).upload('x', 1)));
      const found: string[] = [];
      const list = container.listBlobsByHierarchy('/', { prefix: 'tree/' }).byPage({ maxPageSize: 1 });
      for await (const { segment } of list)
        found.push(...[...(segment.blobPrefixes ?? []), ...segment.blobItems].map(({ name }) => name));
      expect(found.sort()).toEqual(['tree/x/', 'tree/y', 'tree/z/']);
    });

    test('a list has metadata and tags when they are wanted', async () => {
      const blob = container.getBlockBlobClient('listed/one');
      await blob.upload('x', 1, { metadata: { of: 'a & b' }, tags: { state: 'new' } });
      const options = { prefix: 'listed/', includeMetadata: true, includeTags: true };
      const [item] = (await container.listBlobsFlat(options).byPage().next()).value?.segment.blobItems ?? [];
      expect(item).toMatchObject({ name: 'listed/one', metadata: { of: 'a & b' }, tags: { state: 'new' } });
      expect(item?.properties).toMatchObject({ contentLength: 1, blobType: 'BlockBlob', accessTier: 'Hot' });
    });

    test('tags, headers and the tier are changed without the content', async () => {
      const blob = container.getBlockBlobClient('changed/one');
      await blob.upload('x', 1);
      await blob.setTags({ state: 'done' });
      expect((await blob.getTags()).tags).toEqual({ state: 'done' });
      await blob.setHTTPHeaders({ blobContentType: 'text/plain' });
      await blob.setAccessTier('Cool');
      expect(await blob.getProperties()).toMatchObject({ contentType: 'text/plain', accessTier: 'Cool' });
      expect((await blob.downloadToBuffer()).toString()).toBe('x');
    });

    test('a copy has the content, the properties and the metadata of its source', async () => {
      const source = container.getBlockBlobClient('copied/source');
      await source.upload('source', 6, {
        blobHTTPHeaders: { blobContentType: 'text/plain' },
        metadata: { of: 'source' },
      });
      const copy = container.getBlockBlobClient('copied/copy');
      const poller = await copy.beginCopyFromURL(source.url, { intervalInMs: 1 });
      expect(await poller.pollUntilDone()).toMatchObject({ copyStatus: 'success' });
      expect((await copy.downloadToBuffer()).toString()).toBe('source');
      expect(await copy.getProperties()).toMatchObject({
        contentType: 'text/plain',
        metadata: { of: 'source' },
      });
    });

    /** To the second, as a signature has it. */
    const signed = (name: string, permissions: string, { seconds = 600 } = {}): string => {
      const { containerName } = container;
      const sas = generateBlobSASQueryParameters(
        {
          containerName,
          blobName: name,
          permissions: BlobSASPermissions.parse(permissions),
          expiresOn: new Date(Date.now() + seconds * 1_000),
          protocol: SASProtocol.HttpsAndHttp,
          version: '2025-05-05',
        },
        credential,
      );
      return `${container.getBlockBlobClient(name).url}?${sas.toString()}`;
    };
    const put = (url: string, body: string): Promise<Response> =>
      fetch(url, { method: 'PUT', body, headers: { 'x-ms-blob-type': 'BlockBlob' } });
    const code = (response: Response): string | null => response.headers.get('x-ms-error-code');

    (differences.hasNoPutFromUrl === true ? test.failing : test)(
      'a blob may be put from a signed URL',
      async () => {
        await container.getBlockBlobClient('from/source').upload('source', 6);
        const copy = container.getBlockBlobClient('from/copy');
        await copy.syncUploadFromURL(signed('from/source', 'r'));
        expect((await copy.downloadToBuffer()).toString()).toBe('source');
        await expect(
          container.getBlockBlobClient('from/none').syncUploadFromURL(signed('from/source', 'd')),
        ).rejects.toMatchObject({ statusCode: 403 });
      },
    );

    test('a signed URL is good for what it was signed for', async () => {
      await container.getBlockBlobClient('signed/one').upload('one', 3);
      const response = await fetch(signed('signed/one', 'r'));
      expect([response.status, await response.text()]).toEqual([200, 'one']);
      expect((await put(signed('signed/two', 'w'), 'two')).status).toBe(201);
    });

    (differences.namesRefusalsOtherwise === true ? test.failing : test)(
      'a signed URL is refused when it is changed, over, or for something else',
      async () => {
        await container.getBlockBlobClient('signed/other').upload('one', 3);
        const url = signed('signed/other', 'r');
        const elsewhere = url.replace('signed/other', 'signed/one');
        const wider = url.replace('sp=r', 'sp=rw');
        for (const changed of [elsewhere, wider, signed('signed/other', 'r', { seconds: -5 })]) {
          const response = await fetch(changed);
          expect([response.status, code(response)]).toEqual([403, 'AuthenticationFailed']);
        }
        const refused = await put(url, 'two');
        expect([refused.status, code(refused)]).toEqual([403, 'AuthorizationPermissionMismatch']);
      },
    );

    (differences.overwritesWithCreate === true ? test.failing : test)(
      'a URL that may only create does not overwrite',
      async () => {
        const url = signed('signed/create', 'c');
        expect((await put(url, 'one')).status).toBe(201);
        const again = await put(url, 'two');
        expect([again.status, code(again)]).toEqual([403, 'UnauthorizedBlobOverwrite']);
        expect((await container.getBlockBlobClient('signed/create').downloadToBuffer()).toString()).toBe(
          'one',
        );
      },
    );

    test('a leased blob is written by who has the lease', async () => {
      const blob = container.getBlockBlobClient('leased/one');
      await blob.upload('one', 3);
      const lease = blob.getBlobLeaseClient();
      const { leaseId = '' } = await lease.acquireLease(60);
      await expect(blob.upload('two', 3)).rejects.toMatchObject({ statusCode: 412, code: 'LeaseIdMissing' });
      await expect(blob.getBlobLeaseClient().acquireLease(60)).rejects.toMatchObject({
        statusCode: 409,
        code: 'LeaseAlreadyPresent',
      });
      await blob.upload('two', 3, { conditions: { leaseId } });
      await lease.releaseLease();
      await blob.delete();
      await expect(blob.getProperties()).rejects.toMatchObject({ statusCode: 404 });
    });
  });
}
