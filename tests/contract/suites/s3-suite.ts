/**
 * What Tandem relies on in S3, as a suite over an endpoint: the local emulator runs it in every test run, servers of others
 * in `npm run test:peers`. A difference that is known is declared there by the title of the test, with its reason; such a
 * test must fail, so that a difference that has gone is noticed.
 */
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  PutPublicAccessBlockCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, test as plainTest } from '@jest/globals';

/** Title of a test that must fail there → why. */
export type Differences = Readonly<Record<string, string>>;

export const S3_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

export function newS3Client(
  endpoint: string,
  { credentials = S3_CREDENTIALS, maxAttempts = 1 } = {},
): S3Client {
  return new S3Client({ endpoint, region: 'us-east-1', credentials, maxAttempts, forcePathStyle: true });
}

const MIB = 1024 * 1024;
/** Every sort of character that a key may have. */
const NAME = `a b/ä+é&?#%25;:'"<>=@,$!*()~{}[]^|\\\`\u{1f600}/.hidden//x`;

interface Place {
  readonly endpointOf: () => string;
  readonly credentials?: typeof S3_CREDENTIALS;
  readonly differences?: Differences;
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** A request as it is written here, without an SDK. */
export async function rawRequest(
  url: string,
  { body = '', ...options }: http.RequestOptions & { readonly body?: Buffer | string } = {},
): Promise<Answer> {
  const request = http.request(url, options);
  request.end(body);
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
  const text = (await buffer(response)).toString();
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

/** Registers the suite. */
export function describeS3(name: string, { endpointOf, credentials, differences = {} }: Place): void {
  const unused = new Set(Object.keys(differences));
  /** Of the name that tools look for. */
  const test = (title: string, run: () => Promise<void>): void => {
    (unused.delete(title) ? plainTest.failing : plainTest)(title, run);
  };

  describe(name, () => {
    let client: S3Client;
    let buckets = 0;

    beforeAll(() => {
      client = newS3Client(endpointOf(), { ...(credentials && { credentials }) });
    });

    afterAll(() => client.destroy());

    async function newBucket(more: { readonly isLocked?: boolean; readonly isVersioned?: boolean } = {}) {
      const Bucket = `suite-${(buckets += 1)}`;
      await client.send(
        new CreateBucketCommand({ Bucket, ...(more.isLocked && { ObjectLockEnabledForBucket: true }) }),
      );
      if (more.isVersioned) await setVersioning(Bucket, 'Enabled');
      return Bucket;
    }

    const setVersioning = (Bucket: string, Status: 'Enabled' | 'Suspended') =>
      client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));

    const put = (
      Bucket: string,
      Key: string,
      Body: string | Buffer | Readable,
      more: Partial<Omit<PutObjectCommandInput, 'Body'>> = {},
    ) => client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));

    async function get(Bucket: string, Key: string, more: Partial<GetObjectCommandInput> = {}) {
      const { Body, ...rest } = await client.send(new GetObjectCommand({ Bucket, Key, ...more }));
      return { ...rest, bytes: Buffer.from((await Body?.transformToByteArray()) ?? []) };
    }

    const textOf = async (...args: Parameters<typeof get>): Promise<string> =>
      (await get(...args)).bytes.toString();

    const list = (Bucket: string, more: Partial<ListObjectsV2CommandInput> = {}) =>
      client.send(new ListObjectsV2Command({ Bucket, ...more }));

    const remove = (Bucket: string, Key: string, more: object = {}) =>
      client.send(new DeleteObjectCommand({ Bucket, Key, ...more }));

    const refusal = (name: string, httpStatusCode: number) => ({ name, $metadata: { httpStatusCode } });

    async function expectRefused(sent: Promise<unknown>, code: string, status: number): Promise<void> {
      await expect(sent).rejects.toMatchObject(refusal(code, status));
    }

    describe('buckets', () => {
      test('are created, found, listed and deleted once they are empty', async () => {
        const Bucket = await newBucket();
        await client.send(new HeadBucketCommand({ Bucket }));
        const { Buckets } = await client.send(new ListBucketsCommand({}));
        expect(Buckets?.map((one) => one.Name)).toContain(Bucket);
        await put(Bucket, 'a', 'x');
        await expectRefused(client.send(new DeleteBucketCommand({ Bucket })), 'BucketNotEmpty', 409);
        await remove(Bucket, 'a');
        await client.send(new DeleteBucketCommand({ Bucket }));
        await expectRefused(client.send(new HeadBucketCommand({ Bucket })), 'NotFound', 404);
        await expectRefused(list(Bucket), 'NoSuchBucket', 404);
      });

      test('have names that DNS allows', async () => {
        for (const Bucket of ['No', 'a..b', '192.168.5.4', 'xn--bucket', 'ends-'])
          await expectRefused(client.send(new CreateBucketCommand({ Bucket })), 'InvalidBucketName', 400);
      });

      test('keep what they are configured with', async () => {
        const Bucket = await newBucket();
        const blocked = {
          BlockPublicAcls: true,
          IgnorePublicAcls: true,
          BlockPublicPolicy: true,
          RestrictPublicBuckets: true,
        };
        await client.send(
          new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: blocked }),
        );
        expect(
          (await client.send(new GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration,
        ).toEqual(blocked);
        const rule = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' as const } };
        await client.send(
          new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules: [rule] } }),
        );
        const { ServerSideEncryptionConfiguration } = await client.send(
          new GetBucketEncryptionCommand({ Bucket }),
        );
        expect(ServerSideEncryptionConfiguration?.Rules).toMatchObject([rule]);
        const Policy = JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Sid: 'TlsOnly',
              Effect: 'Deny',
              Principal: '*',
              Action: 's3:*',
              Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            },
          ],
        });
        await client.send(new PutBucketPolicyCommand({ Bucket, Policy }));
        const kept = await client.send(new GetBucketPolicyCommand({ Bucket }));
        expect(JSON.parse(kept.Policy ?? '')).toEqual(JSON.parse(Policy));
        expect((await client.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined();
        await setVersioning(Bucket, 'Enabled');
        expect((await client.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Enabled');
      });

      test('take lifecycle rules that are well formed', async () => {
        const Bucket = await newBucket();
        const kept = () => client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
        await expectRefused(kept(), 'NoSuchLifecycleConfiguration', 404);
        const set = (...Rules: object[]) =>
          client.send(
            new PutBucketLifecycleConfigurationCommand({
              Bucket,
              LifecycleConfiguration: { Rules: Rules as never },
            }),
          );
        const rule = {
          ID: 'clean',
          Status: 'Enabled',
          Filter: { Prefix: '' },
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        };
        const tiers = {
          ID: 'tiers',
          Status: 'Enabled',
          Filter: { Prefix: 'a/' },
          Transitions: [{ Days: 0, StorageClass: 'INTELLIGENT_TIERING' }],
        };
        const old = {
          ID: 'old',
          Status: 'Enabled',
          Filter: { Prefix: '' },
          NoncurrentVersionExpiration: { NoncurrentDays: 30 },
        };
        await set(rule, tiers, old);
        expect((await kept()).Rules).toMatchObject([rule, tiers, old]);
        await expectRefused(set(rule, rule), 'InvalidArgument', 400);
        await expectRefused(set({ ...rule, Status: 'On' }), 'MalformedXML', 400);
        await expectRefused(
          set({ ...old, NoncurrentVersionExpiration: { NoncurrentDays: 0 } }),
          'InvalidArgument',
          400,
        );
        await expectRefused(
          set({ ...tiers, Transitions: [{ Days: 5, StorageClass: 'STANDARD_IA' }] }),
          'InvalidArgument',
          400,
        );
      });
    });

    describe('objects', () => {
      test('keep their bytes, headers and metadata, under every legal name', async () => {
        const Bucket = await newBucket();
        const bytes = randomBytes(100_000);
        const written = await put(Bucket, NAME, bytes, {
          ContentType: 'image/png',
          CacheControl: 'max-age=60',
          ContentDisposition: 'attachment; filename="x"',
          Metadata: { owner: 'hedy' },
        });
        expect(written.ETag).toBe(`"${createHash('md5').update(bytes).digest('hex')}"`);
        const read = await get(Bucket, NAME);
        expect(read.bytes.equals(bytes)).toBe(true);
        expect(read).toMatchObject({
          ContentType: 'image/png',
          CacheControl: 'max-age=60',
          ContentDisposition: 'attachment; filename="x"',
          Metadata: { owner: 'hedy' },
          ContentLength: 100_000,
          ETag: written.ETag,
        });
        const head = await client.send(new HeadObjectCommand({ Bucket, Key: NAME }));
        expect(head).toMatchObject({
          ContentLength: 100_000,
          ETag: written.ETag,
          Metadata: { owner: 'hedy' },
        });
        expect((await list(Bucket)).Contents?.map(({ Key, Size }) => [Key, Size])).toEqual([[NAME, 100_000]]);
      });

      test('that are not there are refused by their codes', async () => {
        const Bucket = await newBucket();
        await expectRefused(get(Bucket, 'none'), 'NoSuchKey', 404);
        await expectRefused(client.send(new HeadObjectCommand({ Bucket, Key: 'none' })), 'NotFound', 404);
        await expectRefused(put('no-such-bucket-here', 'a', 'x'), 'NoSuchBucket', 404);
        expect((await remove(Bucket, 'none')).$metadata.httpStatusCode).toBe(204);
      });

      test('are read in ranges', async () => {
        const Bucket = await newBucket();
        await put(Bucket, 'a', '0123456789');
        const range = async (Range: string) => {
          const { bytes, ContentRange, $metadata } = await get(Bucket, 'a', { Range });
          return [bytes.toString(), ContentRange, $metadata.httpStatusCode];
        };
        expect(await range('bytes=2-4')).toEqual(['234', 'bytes 2-4/10', 206]);
        expect(await range('bytes=7-')).toEqual(['789', 'bytes 7-9/10', 206]);
        expect(await range('bytes=-3')).toEqual(['789', 'bytes 7-9/10', 206]);
        expect(await range('bytes=8-100')).toEqual(['89', 'bytes 8-9/10', 206]);
        await expectRefused(get(Bucket, 'a', { Range: 'bytes=10-' }), 'InvalidRange', 416);
      });

      test('are read under conditions', async () => {
        const Bucket = await newBucket();
        const { ETag = '' } = await put(Bucket, 'a', 'x');
        const { LastModified = new Date(0) } = await get(Bucket, 'a');
        const earlier = new Date(LastModified.getTime() - 60_000);
        expect(await textOf(Bucket, 'a', { IfMatch: ETag })).toBe('x');
        expect(await textOf(Bucket, 'a', { IfNoneMatch: '"other"' })).toBe('x');
        expect(await textOf(Bucket, 'a', { IfModifiedSince: earlier })).toBe('x');
        expect(await textOf(Bucket, 'a', { IfMatch: ETag, IfUnmodifiedSince: earlier })).toBe('x');
        await expectRefused(get(Bucket, 'a', { IfMatch: '"other"' }), 'PreconditionFailed', 412);
        await expectRefused(get(Bucket, 'a', { IfUnmodifiedSince: earlier }), 'PreconditionFailed', 412);
        await expect(get(Bucket, 'a', { IfNoneMatch: ETag })).rejects.toMatchObject({
          $metadata: { httpStatusCode: 304 },
        });
        await expect(get(Bucket, 'a', { IfModifiedSince: LastModified })).rejects.toMatchObject({
          $metadata: { httpStatusCode: 304 },
        });
      });

      test('are created once, and replaced by who read them', async () => {
        const Bucket = await newBucket();
        const results = await Promise.allSettled(
          ['one', 'two', 'three'].map((body) => put(Bucket, 'a', body, { IfNoneMatch: '*' })),
        );
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        await expectRefused(put(Bucket, 'a', 'x', { IfNoneMatch: '*' }), 'PreconditionFailed', 412);
        const { ETag = '' } = await get(Bucket, 'a');
        await put(Bucket, 'a', 'replaced', { IfMatch: ETag });
        await expectRefused(put(Bucket, 'a', 'late', { IfMatch: ETag }), 'PreconditionFailed', 412);
        expect(await textOf(Bucket, 'a')).toBe('replaced');
        await expectRefused(put(Bucket, 'none', 'x', { IfMatch: ETag }), 'NoSuchKey', 404);
      });

      test('are deleted by who read them', async () => {
        const Bucket = await newBucket();
        const { ETag = '' } = await put(Bucket, 'a', 'x');
        await expectRefused(remove(Bucket, 'a', { IfMatch: '"other"' }), 'PreconditionFailed', 412);
        await remove(Bucket, 'a', { IfMatch: ETag });
        await expectRefused(get(Bucket, 'a'), 'NoSuchKey', 404);
      });

      test('are copied, with their own attributes or new ones', async () => {
        const Bucket = await newBucket();
        const { ETag = '' } = await put(Bucket, NAME, 'content', {
          ContentType: 'text/css',
          Metadata: { a: '1' },
        });
        const CopySource = `${Bucket}/${encodeURIComponent(NAME)}`;
        const copy = (more: object) =>
          client.send(new CopyObjectCommand({ Bucket, CopySource, Key: 'copy', ...more }));
        expect((await copy({})).CopyObjectResult?.ETag).toBe(ETag);
        expect(await get(Bucket, 'copy')).toMatchObject({ ContentType: 'text/css', Metadata: { a: '1' } });
        await copy({ MetadataDirective: 'REPLACE', Metadata: { b: '2' }, ContentType: 'text/html' });
        expect(await get(Bucket, 'copy')).toMatchObject({ ContentType: 'text/html', Metadata: { b: '2' } });
        expect(await textOf(Bucket, 'copy')).toBe('content');
        await expectRefused(copy({ CopySourceIfMatch: '"other"' }), 'PreconditionFailed', 412);
        await expectRefused(copy({ Key: NAME }), 'InvalidRequest', 400);
        await expectRefused(copy({ CopySource: `${Bucket}/none` }), 'NoSuchKey', 404);
      });

      test('are deleted many at once, and each says what became of it', async () => {
        const Bucket = await newBucket();
        await put(Bucket, 'a&b', 'x');
        await put(Bucket, NAME, 'x');
        const Objects = [{ Key: 'a&b' }, { Key: NAME }, { Key: 'none' }];
        const { Deleted, Errors } = await client.send(
          new DeleteObjectsCommand({ Bucket, Delete: { Objects } }),
        );
        expect(Deleted?.map(({ Key }) => Key)).toEqual(['a&b', NAME, 'none']);
        expect(Errors).toBeUndefined();
        expect((await list(Bucket)).KeyCount).toBe(0);
      });

      test('have tags', async () => {
        const Bucket = await newBucket();
        await put(Bucket, 'a', 'x', { Tagging: 'team=tandem' });
        const tags = async () =>
          (await client.send(new GetObjectTaggingCommand({ Bucket, Key: 'a' }))).TagSet;
        expect(await tags()).toEqual([{ Key: 'team', Value: 'tandem' }]);
        const set = (count: number) =>
          client.send(
            new PutObjectTaggingCommand({
              ...{ Bucket, Key: 'a' },
              Tagging: { TagSet: Array.from({ length: count }, (_, n) => ({ Key: `k${n}`, Value: 'v' })) },
            }),
          );
        await set(10);
        expect(await tags()).toHaveLength(10);
        await expect(set(11)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
      });
    });

    describe('checksums', () => {
      const CHECK_TEXT = '123456789';
      // https://reveng.sourceforge.io/crc-catalogue/all.htm
      const KNOWN = {
        CRC32: 'y/Q5Jg==',
        CRC32C: '4waSgw==',
        CRC64NVME: 'rosUhgp5mIg=',
        SHA1: createHash('sha1').update(CHECK_TEXT).digest('base64'),
        SHA256: createHash('sha256').update(CHECK_TEXT).digest('base64'),
      };

      test('of every algorithm are computed, kept and given back', async () => {
        const Bucket = await newBucket();
        for (const [algorithm, value] of Object.entries(KNOWN)) {
          const ChecksumAlgorithm = algorithm as keyof typeof KNOWN;
          const written = await put(Bucket, algorithm, CHECK_TEXT, { ChecksumAlgorithm });
          const head = await client.send(
            new HeadObjectCommand({ Bucket, Key: algorithm, ChecksumMode: 'ENABLED' }),
          );
          expect([written, head]).toMatchObject([
            { [`Checksum${algorithm}`]: value, ChecksumType: 'FULL_OBJECT' },
            { [`Checksum${algorithm}`]: value, ChecksumType: 'FULL_OBJECT' },
          ]);
        }
      });

      test('that are wrong are refused, and nothing is kept', async () => {
        const Bucket = await newBucket();
        for (const [algorithm, value] of Object.entries(KNOWN)) {
          const wrong = put(Bucket, algorithm, 'something else', { [`Checksum${algorithm}`]: value });
          await expectRefused(wrong, 'BadDigest', 400);
        }
        const ContentMD5 = createHash('md5').update(CHECK_TEXT).digest('base64');
        await expectRefused(put(Bucket, 'md5', 'something else', { ContentMD5 }), 'BadDigest', 400);
        await put(Bucket, 'md5', CHECK_TEXT, { ContentMD5 });
        expect((await list(Bucket)).Contents?.map(({ Key }) => Key)).toEqual(['md5']);
      });

      test('come after a body in chunks, which is kept without its frame', async () => {
        const Bucket = await newBucket();
        const bytes = randomBytes(300_000);
        for (const ChecksumAlgorithm of ['CRC32', 'CRC64NVME', 'SHA256'] as const) {
          const Body = Readable.from([bytes.subarray(0, 10), bytes.subarray(10)]);
          await put(Bucket, ChecksumAlgorithm, Body, {
            ContentLength: bytes.length,
            ChecksumAlgorithm,
            ContentEncoding: 'br',
          });
          const read = await get(Bucket, ChecksumAlgorithm, { ChecksumMode: 'ENABLED' });
          expect(read.bytes.equals(bytes)).toBe(true);
          expect(read.ContentEncoding).toBe('br');
        }
      });

      test('that a client does not send are computed by S3', async () => {
        const Bucket = await newBucket();
        const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'a' }));
        expect((await rawRequest(url, { method: 'PUT', body: CHECK_TEXT })).status).toBe(200);
        const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'a', ChecksumMode: 'ENABLED' }));
        expect(head).toMatchObject({ ChecksumCRC64NVME: KNOWN.CRC64NVME, ChecksumType: 'FULL_OBJECT' });
      });
    });

    describe('multipart uploads', () => {
      const first = randomBytes(5 * MIB);
      const whole = Buffer.concat([first, Buffer.from('the end')]);

      async function start(more: Partial<CreateMultipartUploadCommandInput> = {}) {
        const Bucket = await newBucket();
        const { UploadId } = await client.send(
          new CreateMultipartUploadCommand({ Bucket, Key: 'big', ...more }),
        );
        return { Bucket, Key: 'big', UploadId };
      }
      type Upload = Awaited<ReturnType<typeof start>>;

      const part = async (upload: Upload, PartNumber: number, Body: Buffer | string, more: object = {}) => {
        const sent = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body, ...more }));
        const { ETag, ChecksumCRC32, ChecksumSHA256, ChecksumCRC64NVME } = sent;
        return { PartNumber, ETag, ChecksumCRC32, ChecksumSHA256, ChecksumCRC64NVME };
      };

      const complete = (
        upload: Upload,
        Parts: object[],
        more: Partial<CompleteMultipartUploadCommandInput> = {},
      ) =>
        client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...more }));

      test('become one object, with a checksum of the checksums of its parts', async () => {
        const upload = await start({
          ChecksumAlgorithm: 'SHA256',
          ContentType: 'video/mp4',
          Metadata: { a: '1' },
        });
        // In any order, and the second try counts.
        const last = await part(upload, 7, 'the end', { ChecksumAlgorithm: 'SHA256' });
        await part(upload, 2, 'another', { ChecksumAlgorithm: 'SHA256' });
        const begin = await part(upload, 2, first, { ChecksumAlgorithm: 'SHA256' });
        const done = await complete(upload, [begin, last]);
        const md5s = [first, 'the end'].map((bytes) => createHash('md5').update(bytes).digest());
        const sha256s = [first, 'the end'].map((bytes) => createHash('sha256').update(bytes).digest());
        const expected = {
          ETag: `"${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-2"`,
          ChecksumSHA256: `${createHash('sha256').update(Buffer.concat(sha256s)).digest('base64')}-2`,
        };
        expect(done).toMatchObject({ ...expected, ChecksumType: 'COMPOSITE' });
        const read = await get(upload.Bucket, 'big');
        expect(read.bytes.equals(whole)).toBe(true);
        expect(read).toMatchObject({ ...expected, ContentType: 'video/mp4', Metadata: { a: '1' } });
      });

      test('have a checksum of the whole where the algorithm can', async () => {
        const upload = await start({ ChecksumAlgorithm: 'CRC64NVME' });
        const parts = [
          await part(upload, 1, first, { ChecksumAlgorithm: 'CRC64NVME' }),
          await part(upload, 2, 'the end', { ChecksumAlgorithm: 'CRC64NVME' }),
        ];
        const single = await put(upload.Bucket, 'single', whole, { ChecksumAlgorithm: 'CRC64NVME' });
        await expectRefused(
          complete(upload, parts, { ChecksumCRC64NVME: 'AAAAAAAAAAA=', ChecksumType: 'FULL_OBJECT' }),
          'BadDigest',
          400,
        );
        const done = await complete(upload, parts, {
          ChecksumType: 'FULL_OBJECT',
          ...(single.ChecksumCRC64NVME !== undefined && { ChecksumCRC64NVME: single.ChecksumCRC64NVME }),
        });
        expect(single.ChecksumCRC64NVME).toMatch(/^.{11}=$/);
        expect(done).toMatchObject({
          ChecksumCRC64NVME: single.ChecksumCRC64NVME,
          ChecksumType: 'FULL_OBJECT',
        });
        const refused = client.send(
          new CreateMultipartUploadCommand({
            ...upload,
            ChecksumAlgorithm: 'SHA256',
            ChecksumType: 'FULL_OBJECT',
          }),
        );
        await expectRefused(refused, 'InvalidRequest', 400);
      });

      test('want parts of 5 MB, in order, by their ETags', async () => {
        const upload = await start({ ChecksumAlgorithm: 'CRC32' });
        const [one, two] = [await part(upload, 1, 'small'), await part(upload, 2, first)];
        await expectRefused(complete(upload, [one, two]), 'EntityTooSmall', 400);
        await expectRefused(complete(upload, [two, one]), 'InvalidPartOrder', 400);
        await expectRefused(complete(upload, [{ ...one, ETag: two.ETag }]), 'InvalidPart', 400);
        await expectRefused(complete(upload, [{ ...one, PartNumber: 3 }]), 'InvalidPart', 400);
        await expectRefused(complete(upload, []), 'MalformedXML', 400);
        for (const number of [0, 10_001])
          await expectRefused(part(upload, number, 'x'), 'InvalidArgument', 400);
        await complete(upload, [one]);
      });

      test('are refused a part with a checksum of another algorithm', async () => {
        const upload = await start({ ChecksumAlgorithm: 'CRC32' });
        await expectRefused(part(upload, 1, 'x', { ChecksumAlgorithm: 'SHA256' }), 'InvalidRequest', 400);
        const without = await start();
        await expectRefused(part(without, 1, 'x'), 'InvalidRequest', 400);
      });

      test('are completed once, however often that is sent, or aborted', async () => {
        const upload = await start({ ChecksumAlgorithm: 'CRC32' });
        const parts = [await part(upload, 1, 'x')];
        const { ETag } = await complete(upload, parts);
        expect((await complete(upload, parts)).ETag).toBe(ETag);
        await expectRefused(part(upload, 2, 'x'), 'NoSuchUpload', 404);
        const aborted = await start({ ChecksumAlgorithm: 'CRC32' });
        await part(aborted, 1, 'x');
        await client.send(new AbortMultipartUploadCommand(aborted));
        await expectRefused(part(aborted, 2, 'x'), 'NoSuchUpload', 404);
        expect((await list(aborted.Bucket)).KeyCount).toBe(0);
      });

      test('create an object once', async () => {
        const upload = await start({ ChecksumAlgorithm: 'CRC32' });
        const parts = [await part(upload, 1, 'x')];
        await put(upload.Bucket, 'big', 'first');
        await expectRefused(complete(upload, parts, { IfNoneMatch: '*' }), 'PreconditionFailed', 412);
        expect(await textOf(upload.Bucket, 'big')).toBe('first');
      });

      test('are listed with their parts', async () => {
        const upload = await start({ ChecksumAlgorithm: 'CRC32' });
        for (const number of [1, 2, 3]) await part(upload, number, `part ${number}`);
        const { Bucket } = upload;
        const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
        expect(Uploads?.map(({ Key, UploadId }) => [Key, UploadId])).toEqual([['big', upload.UploadId]]);
        const page = await client.send(new ListPartsCommand({ ...upload, MaxParts: 2 }));
        expect([page.IsTruncated, page.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])]).toEqual([
          true,
          [
            [1, 6],
            [2, 6],
          ],
        ]);
        const { NextPartNumberMarker: PartNumberMarker } = page;
        const rest = await client.send(new ListPartsCommand({ ...upload, PartNumberMarker }));
        expect([rest.IsTruncated, rest.Parts?.map(({ PartNumber }) => PartNumber)]).toEqual([false, [3]]);
      });

      test('take parts from other objects', async () => {
        const upload = await start({ ChecksumAlgorithm: 'CRC32' });
        const { Bucket } = upload;
        await put(Bucket, 'source', whole);
        const copied = async (PartNumber: number, CopySourceRange: string) => {
          const command = new UploadPartCopyCommand({
            ...upload,
            PartNumber,
            CopySource: `${Bucket}/source`,
            CopySourceRange,
          });
          const { CopyPartResult } = await client.send(command);
          return { PartNumber, ETag: CopyPartResult?.ETag, ChecksumCRC32: CopyPartResult?.ChecksumCRC32 };
        };
        const parts = [
          await copied(1, `bytes=0-${5 * MIB - 1}`),
          await copied(2, `bytes=${5 * MIB}-${5 * MIB + 2}`),
        ];
        await complete(upload, parts);
        expect((await get(Bucket, 'big')).bytes.equals(whole.subarray(0, 5 * MIB + 3))).toBe(true);
        await expect(copied(3, `bytes=0-${6 * MIB}`)).rejects.toMatchObject({
          $metadata: { httpStatusCode: expect.any(Number) as never },
        });
      });

      test('can be read part by part', async () => {
        const upload = await start({ ChecksumAlgorithm: 'CRC32' });
        await complete(upload, [await part(upload, 1, first), await part(upload, 2, 'the end')]);
        const second = await get(upload.Bucket, 'big', { PartNumber: 2 });
        expect([second.bytes.toString(), second.PartsCount, second.ContentRange]).toEqual([
          'the end',
          2,
          `bytes ${5 * MIB}-${5 * MIB + 6}/${5 * MIB + 7}`,
        ]);
      });
    });

    describe('lists', () => {
      async function filled(...keys: string[]): Promise<string> {
        const Bucket = await newBucket();
        await Promise.all(keys.map((key) => put(Bucket, key, 'x')));
        return Bucket;
      }

      test('come in pages, in the order of UTF-8, without a gap or a repeat', async () => {
        const keys = ['B', 'a', 'a/1', 'a/2', 'b', 'é', '\u{ffdd}', '\u{1f600}'];
        const Bucket = await filled(...keys.toReversed());
        const found: (string | undefined)[] = [];
        let ContinuationToken: string | undefined;
        do {
          const page: Awaited<ReturnType<typeof list>> = await list(Bucket, {
            MaxKeys: 3,
            ContinuationToken,
          });
          found.push(...(page.Contents ?? []).map(({ Key }) => Key));
          ContinuationToken = page.NextContinuationToken;
        } while (ContinuationToken !== undefined);
        expect(found).toEqual(keys);
        expect(
          (await list(Bucket, { StartAfter: 'a/1', Prefix: 'a' })).Contents?.map(({ Key }) => Key),
        ).toEqual(['a/2']);
        await expect(list(Bucket, { ContinuationToken: 'wrong' })).rejects.toMatchObject({
          name: 'InvalidArgument',
        });
      });

      test('are grouped by a delimiter, in pages too', async () => {
        const Bucket = await filled('a/1', 'a/2', 'b', 'c/1', 'c/d/1', 'd');
        const names = ({ Contents = [], CommonPrefixes = [] }: Awaited<ReturnType<typeof list>>) => [
          ...Contents.map(({ Key }) => Key),
          ...CommonPrefixes.map(({ Prefix }) => Prefix),
        ];
        expect(names(await list(Bucket, { Delimiter: '/' }))).toEqual(['b', 'd', 'a/', 'c/']);
        expect(names(await list(Bucket, { Delimiter: '/', Prefix: 'c/' }))).toEqual(['c/1', 'c/d/']);
        const page = await list(Bucket, { Delimiter: '/', MaxKeys: 1 });
        expect([names(page), page.IsTruncated]).toEqual([['a/'], true]);
        const { NextContinuationToken: ContinuationToken } = page;
        expect(names(await list(Bucket, { Delimiter: '/', ContinuationToken }))).toEqual(['b', 'd', 'c/']);
      });

      test('give names that XML has no way for in an encoding', async () => {
        const Bucket = await filled('a\u0001b', 'a b+c/ü');
        const { Contents, EncodingType } = await list(Bucket, { EncodingType: 'url' });
        expect([EncodingType, Contents?.map(({ Key }) => Key)]).toEqual([
          'url',
          ['a%01b', 'a%20b%2Bc/%C3%BC'],
        ]);
      });
    });

    describe('versions', () => {
      test('are kept, read by their id, and deleted one by one', async () => {
        const Bucket = await newBucket({ isVersioned: true });
        const one = await put(Bucket, 'a', 'one');
        const two = await put(Bucket, 'a', 'two');
        const marker = await remove(Bucket, 'a');
        expect(marker).toMatchObject({
          DeleteMarker: true,
          VersionId: expect.stringMatching(/.{3,}/) as never,
        });
        await expectRefused(get(Bucket, 'a'), 'NoSuchKey', 404);
        expect(await textOf(Bucket, 'a', { VersionId: one.VersionId })).toBe('one');
        await expectRefused(get(Bucket, 'a', { VersionId: marker.VersionId }), 'MethodNotAllowed', 405);
        const { Versions = [], DeleteMarkers = [] } = await client.send(
          new ListObjectVersionsCommand({ Bucket }),
        );
        expect(Versions.map(({ VersionId, IsLatest }) => [VersionId, IsLatest])).toEqual([
          [two.VersionId, false],
          [one.VersionId, false],
        ]);
        expect(DeleteMarkers.map(({ VersionId, IsLatest }) => [VersionId, IsLatest])).toEqual([
          [marker.VersionId, true],
        ]);
        await remove(Bucket, 'a', { VersionId: marker.VersionId });
        expect(await textOf(Bucket, 'a')).toBe('two');
        await remove(Bucket, 'a', { VersionId: two.VersionId });
        expect(await textOf(Bucket, 'a')).toBe('one');
        await expectRefused(get(Bucket, 'a', { VersionId: two.VersionId }), 'NoSuchVersion', 404);
      });

      test('that were there before versioning, or while it is suspended, are the null version', async () => {
        const Bucket = await newBucket();
        expect((await put(Bucket, 'a', 'before')).VersionId).toBeUndefined();
        await setVersioning(Bucket, 'Enabled');
        const { VersionId } = await put(Bucket, 'a', 'while');
        await setVersioning(Bucket, 'Suspended');
        await put(Bucket, 'a', 'suspended');
        expect(await textOf(Bucket, 'a', { VersionId: 'null' })).toBe('suspended');
        expect(await textOf(Bucket, 'a', { VersionId })).toBe('while');
        await remove(Bucket, 'a');
        await expectRefused(get(Bucket, 'a'), 'NoSuchKey', 404);
        const { Versions = [], DeleteMarkers = [] } = await client.send(
          new ListObjectVersionsCommand({ Bucket }),
        );
        expect([Versions.map((one) => one.VersionId), DeleteMarkers.map((one) => one.VersionId)]).toEqual([
          [VersionId],
          ['null'],
        ]);
      });

      test('are listed in pages, the newest of a key first', async () => {
        const Bucket = await newBucket({ isVersioned: true });
        const ids: (string | undefined)[] = [];
        for (const key of ['a', 'a', 'a', 'b', 'b']) ids.push((await put(Bucket, key, 'x')).VersionId);
        const found: (string | undefined)[] = [];
        let markers = {};
        for (let isTruncated: boolean | undefined = true; isTruncated;) {
          const page = await client.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 2, ...markers }));
          found.push(...(page.Versions ?? []).map(({ VersionId }) => VersionId));
          markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
          isTruncated = page.IsTruncated;
        }
        expect(found).toEqual([ids[2], ids[1], ids[0], ids[4], ids[3]]);
      });
    });

    describe('locks', () => {
      const DAY_MS = 86_400_000;
      const tomorrow = () => new Date(Math.ceil(Date.now() / 1000) * 1000 + DAY_MS);

      test('of retention keep a version from deletion, those of governance unless they are bypassed', async () => {
        const Bucket = await newBucket({ isLocked: true });
        const ObjectLockRetainUntilDate = tomorrow();
        const lock = (ObjectLockMode: 'GOVERNANCE' | 'COMPLIANCE') =>
          put(Bucket, ObjectLockMode, 'x', { ObjectLockMode, ObjectLockRetainUntilDate });
        const [governed, complied] = [await lock('GOVERNANCE'), await lock('COMPLIANCE')];
        expect(await get(Bucket, 'GOVERNANCE')).toMatchObject({
          ObjectLockMode: 'GOVERNANCE',
          ObjectLockRetainUntilDate,
        });
        await remove(Bucket, 'COMPLIANCE');
        const [g, c] = [{ VersionId: governed.VersionId }, { VersionId: complied.VersionId }];
        await expectRefused(remove(Bucket, 'GOVERNANCE', g), 'AccessDenied', 403);
        await expectRefused(
          remove(Bucket, 'COMPLIANCE', { ...c, BypassGovernanceRetention: true }),
          'AccessDenied',
          403,
        );
        const retain = (until: Date, more = {}) =>
          client.send(
            new PutObjectRetentionCommand({
              ...{ Bucket, Key: 'COMPLIANCE', ...c, ...more },
              Retention: { Mode: 'COMPLIANCE', RetainUntilDate: until },
            }),
          );
        await expectRefused(
          retain(new Date(ObjectLockRetainUntilDate.getTime() - 60_000), { BypassGovernanceRetention: true }),
          'AccessDenied',
          403,
        );
        await retain(new Date(ObjectLockRetainUntilDate.getTime() + 60_000));
        const kept = await client.send(new GetObjectRetentionCommand({ Bucket, Key: 'COMPLIANCE', ...c }));
        expect(kept.Retention?.RetainUntilDate?.getTime()).toBe(ObjectLockRetainUntilDate.getTime() + 60_000);
        await remove(Bucket, 'GOVERNANCE', { ...g, BypassGovernanceRetention: true });
      });

      test('of a legal hold stay until they are taken off', async () => {
        const Bucket = await newBucket({ isLocked: true });
        const { VersionId } = await put(Bucket, 'a', 'x', { ObjectLockLegalHoldStatus: 'ON' });
        const held = { Bucket, Key: 'a', VersionId };
        expect((await client.send(new GetObjectLegalHoldCommand(held))).LegalHold?.Status).toBe('ON');
        await expectRefused(
          remove(Bucket, 'a', { VersionId, BypassGovernanceRetention: true }),
          'AccessDenied',
          403,
        );
        await client.send(new PutObjectLegalHoldCommand({ ...held, LegalHold: { Status: 'OFF' } }));
        await remove(Bucket, 'a', { VersionId });
      });

      test('are of buckets that have them, which are versioned for ever', async () => {
        const [Bucket, plain] = [await newBucket({ isLocked: true }), await newBucket()];
        const DefaultRetention = { Mode: 'GOVERNANCE' as const, Days: 1 };
        await client.send(
          new PutObjectLockConfigurationCommand({
            Bucket,
            ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention } },
          }),
        );
        const { ObjectLockConfiguration } = await client.send(
          new GetObjectLockConfigurationCommand({ Bucket }),
        );
        expect(ObjectLockConfiguration?.Rule?.DefaultRetention).toMatchObject(DefaultRetention);
        await put(Bucket, 'a', 'x');
        expect((await get(Bucket, 'a')).ObjectLockMode).toBe('GOVERNANCE');
        await expectRefused(setVersioning(Bucket, 'Suspended'), 'InvalidBucketState', 409);
        await expectRefused(
          client.send(new GetObjectLockConfigurationCommand({ Bucket: plain })),
          'ObjectLockConfigurationNotFoundError',
          404,
        );
        await expectRefused(put(plain, 'a', 'x', { ObjectLockLegalHoldStatus: 'ON' }), 'InvalidRequest', 400);
      });
    });

    describe('signatures', () => {
      test('of another secret, or of nobody, are refused', async () => {
        const Bucket = await newBucket();
        const { accessKeyId } = credentials ?? S3_CREDENTIALS;
        const other = newS3Client(endpointOf(), { credentials: { accessKeyId, secretAccessKey: 'wrong' } });
        try {
          await expectRefused(other.send(new ListObjectsV2Command({ Bucket })), 'SignatureDoesNotMatch', 403);
        } finally {
          other.destroy();
        }
        const anonymous = await rawRequest(`${endpointOf()}/${Bucket}/a`);
        expect([anonymous.status, anonymous.text]).toEqual([
          403,
          expect.stringContaining('<Code>AccessDenied</Code>'),
        ]);
      });

      test('in an address let anybody write and read, just that, until they expire', async () => {
        const Bucket = await newBucket();
        const upload = await getSignedUrl(
          client,
          new PutObjectCommand({
            Bucket,
            Key: NAME,
            ContentType: 'text/plain',
            ContentLength: 5,
            IfNoneMatch: '*',
          }),
          {
            expiresIn: 60,
            signableHeaders: new Set(['content-type', 'content-length', 'if-none-match', 'host']),
          },
        );
        const headers = { 'content-type': 'text/plain', 'content-length': '5', 'if-none-match': '*' };
        const send = (change: object, body: string) =>
          rawRequest(upload, { method: 'PUT', headers: { ...headers, ...change }, body });
        expect((await send({ 'content-type': 'text/html' }, 'hello')).status).toBe(403);
        expect((await send({ 'content-length': '6' }, 'hello!')).status).toBe(403);
        expect((await send({}, 'hello')).status).toBe(200);
        expect((await send({}, 'again')).status).toBe(412);
        const command = new GetObjectCommand({ Bucket, Key: NAME, ResponseContentType: 'image/gif' });
        const download = await getSignedUrl(client, command, { expiresIn: 60 });
        const answer = await rawRequest(download);
        expect([answer.text, answer.headers['content-type']]).toEqual(['hello', 'image/gif']);
        expect((await rawRequest(download.replace('image%2Fgif', 'text%2Fhtml'))).status).toBe(403);
        const signingDate = new Date(Date.now() - 120_000);
        const expired = await rawRequest(await getSignedUrl(client, command, { expiresIn: 60, signingDate }));
        expect([expired.status, expired.text]).toEqual([403, expect.stringContaining('Request has expired')]);
      });
    });

    plainTest('every difference names a test', () => {
      expect([...unused]).toEqual([]);
    });
  });
}
