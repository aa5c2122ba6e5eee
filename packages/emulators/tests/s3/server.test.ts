/** Our S3 by itself: the suite, and what needs its clock, its faults, a kill, or a request that no SDK sends. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  describeS3,
  newS3Client,
  rawRequest,
  S3_CREDENTIALS,
} from '../../../../tests/contract/suites/s3-suite.ts';
import { closeAfterEach } from '../../../../tests/helpers/cleanup.ts';
import { spawnEmulator } from '../../../../tests/helpers/emulator-process.ts';
import { waitUntil } from '../../../../tests/helpers/wait-until.ts';
import { bodyOf } from '../../src/s3/body.ts';
import { S3Error } from '../../src/s3/errors.ts';
import { type S3Emulator, type S3Options, startS3 } from '../../src/s3/server.ts';
import { authorize, type Payload } from '../../src/s3/signature.ts';
import { startSqs } from '../../src/sqs/server.ts';

const START = Date.UTC(2026, 0, 15, 12);
let shared: S3Emulator;
let client: S3Client;
const onEnd = closeAfterEach();

async function start(options: S3Options = {}): Promise<S3Emulator> {
  const emulator = await startS3(options);
  onEnd(() => emulator.close());
  return emulator;
}

function clientOf({ endpoint }: { readonly endpoint: string }, options = {}): S3Client {
  const other = newS3Client(endpoint, options);
  onEnd(() => other.destroy());
  return other;
}

function newFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 's3-'));
  onEnd(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

beforeAll(async () => {
  shared = await startS3();
  client = newS3Client(shared.endpoint);
});
afterEach(() => shared.faults.clear());
afterAll(async () => {
  client.destroy();
  await shared.close();
});

let buckets = 0;
async function newBucket(by = client): Promise<string> {
  const Bucket = `own-${(buckets += 1)}`;
  await by.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}

const put = (Bucket: string, Key: string, Body: string | Buffer, more = {}, by = client) =>
  by.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));

async function get(Bucket: string, Key: string, more = {}, by = client): Promise<string> {
  const { Body } = await by.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return (await Body?.transformToString()) ?? '';
}

async function keysOf(Bucket: string, by = client): Promise<(string | undefined)[]> {
  return ((await by.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key);
}

describeS3('the local S3', { endpointOf: () => shared.endpoint });

describe('the examples of AWS', () => {
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html, sigv4-streaming-trailers.html
  const rules = {
    credentials: [
      { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
    ],
    region: 'us-east-1',
    now: () => Date.UTC(2013, 4, 24),
  };
  const scope = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';
  const plain = {
    method: 'GET',
    bucket: 'examplebucket',
    key: 'test.txt',
    path: '/test.txt',
    parameters: [],
    query: new Map(),
  };
  const signed = (headers: Record<string, string>, signature: string) => ({
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=${Object.keys(headers).sort().join(';')},Signature=${signature}`,
  });

  test('are accepted: a header, and an address', () => {
    const headers = {
      host: 'examplebucket.s3.amazonaws.com',
      range: 'bytes=0-9',
      'x-amz-content-sha256': createHash('sha256').digest('hex'),
      'x-amz-date': '20130524T000000Z',
    };
    const right = 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41';
    expect(authorize({ ...plain, headers: signed(headers, right) }, rules).kind).toBe('signed');
    const changed = signed({ ...headers, range: 'bytes=0-10' }, right);
    expect(() => authorize({ ...plain, headers: changed }, rules)).toThrow('does not match');
    const parameters: [string, string][] = [
      ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
      ['X-Amz-Credential', scope],
      ['X-Amz-Date', '20130524T000000Z'],
      ['X-Amz-Expires', '86400'],
      ['X-Amz-SignedHeaders', 'host'],
      ['X-Amz-Signature', 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404'],
    ];
    const address = { ...plain, headers: { host: headers.host }, parameters, query: new Map(parameters) };
    expect(authorize(address, rules).kind).toBe('unsigned');
  });

  test('refuse names of headers that no request has, but every object', () => {
    const headers = {
      host: 'a',
      'x-amz-date': '20130524T000000Z',
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    };
    for (const name of ['constructor', '__proto__', 'toString']) {
      const authorization = `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=${[...Object.keys(headers), name].join(';')},Signature=00`;
      expect(() => authorize({ ...plain, headers: { ...headers, authorization } }, rules)).toThrow(S3Error);
    }
  });

  const TRAILER = 'x-amz-checksum-crc32c:sOO8/Q==\r\n';
  const EXAMPLES = [
    {
      name: 'chunks',
      payload: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      extra: { 'content-length': '66824' },
      seed: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
      chunks: [
        'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
        '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
        'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
      ],
      end: '\r\n',
    },
    {
      name: 'chunks with a trailing checksum',
      payload: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
      extra: { 'x-amz-trailer': 'x-amz-checksum-crc32c' },
      seed: '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
      chunks: [
        'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
        '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
        '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
      ],
      end: `${TRAILER}x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n`,
    },
  ];

  async function read(example: (typeof EXAMPLES)[number], change: (wire: string) => string = (wire) => wire) {
    const headers = signed(
      {
        host: 's3.amazonaws.com',
        'x-amz-date': '20130524T000000Z',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        'x-amz-content-sha256': example.payload,
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': '66560',
        ...(example.extra as Record<string, string>),
      },
      example.seed,
    );
    const request = { ...plain, method: 'PUT', path: '/examplebucket/chunkObject.txt', headers };
    const payload: Payload = authorize(request, rules);
    const [one, two, last] = example.chunks;
    const chunk = (bytes: number, signature = ''): string =>
      `${bytes.toString(16)};chunk-signature=${signature}\r\n${bytes === 0 ? '' : `${'a'.repeat(bytes)}\r\n`}`;
    const wire = change(chunk(65_536, one) + chunk(1024, two) + chunk(0, last) + example.end);
    // In pieces that fit no line and no chunk.
    async function* raw(): AsyncGenerator<Buffer> {
      for (let at = 0; at < wire.length; at += 1_000) {
        await Promise.resolve();
        yield Buffer.from(wire.slice(at, at + 1_000));
      }
    }
    const body = bodyOf(request, payload, raw());
    let text = '';
    for await (const piece of body.content) text += Buffer.from(piece).toString();
    return { text, trailers: [...body.trailers] };
  }

  test.each(EXAMPLES)('are read: $name', async (example) => {
    const { text, trailers } = await read(example);
    expect(text).toBe('a'.repeat(66_560));
    expect(trailers).toEqual(example.end === '\r\n' ? [] : [['x-amz-checksum-crc32c', 'sOO8/Q==']]);
  });

  test.each(EXAMPLES)('are refused when something was changed on the way: $name', async (example) => {
    await expect(read(example, (wire) => wire.replace('aaaa', 'aaba'))).rejects.toThrow('does not match');
    await expect(read(example, (wire) => wire.slice(0, 66_000))).rejects.toMatchObject({
      code: 'IncompleteBody',
    });
    const [, two = ''] = example.chunks;
    await expect(read(example, (wire) => wire.replace(two, two.replace('1', '2')))).rejects.toThrow(
      'does not match',
    );
    if (example.end === '\r\n') return;
    await expect(read(example, (wire) => wire.replace('sOO8', 'sOO9'))).rejects.toThrow('does not match');
    await expect(read(example, (wire) => wire.replace(TRAILER, ''))).rejects.toMatchObject({
      code: 'MalformedTrailerError',
    });
  });
});

describe('who may do something', () => {
  test('a clock that is more than 15 minutes off is refused', async () => {
    const emulator = await start({ now: () => Date.now() + 16 * 60_000 });
    // It would correct its clock and try again.
    const late = clientOf(emulator, { maxAttempts: 1 });
    await expect(late.send(new CreateBucketCommand({ Bucket: 'late' }))).rejects.toMatchObject({
      name: 'RequestTimeTooSkewed',
      $metadata: { httpStatusCode: 403 },
    });
  });

  test('a signature for another region is refused, and the right one named', async () => {
    const emulator = await start({ region: 'eu-west-1' });
    const refused = clientOf(emulator).send(new CreateBucketCommand({ Bucket: 'elsewhere' }));
    await expect(refused).rejects.toMatchObject({
      name: 'AuthorizationHeaderMalformed',
      Region: 'eu-west-1',
    });
    const url = await getSignedUrl(clientOf(emulator), new GetObjectCommand({ Bucket: 'b', Key: 'k' }));
    expect((await rawRequest(url)).text).toContain("the region 'us-east-1' is wrong; expecting 'eu-west-1'");
  });

  test('temporary credentials are nothing without their token, nor after their time', async () => {
    let now = Date.now();
    const temporary = {
      accessKeyId: 'ASIA',
      secretAccessKey: 'secret',
      sessionToken: 'token',
      expiresAt: now + 60_000,
    };
    const emulator = await start({ credentials: [temporary], now: () => now });
    const as = (credentials: object) =>
      clientOf(emulator, { credentials: { ...S3_CREDENTIALS, ...credentials } });
    const { accessKeyId, secretAccessKey } = temporary;
    const create = (by: S3Client, Bucket = 'temporary') => by.send(new CreateBucketCommand({ Bucket }));
    await create(as(temporary));
    await expect(create(as({ accessKeyId, secretAccessKey }))).rejects.toMatchObject({
      name: 'InvalidAccessKeyId',
    });
    await expect(create(as({ ...temporary, sessionToken: 'other' }))).rejects.toMatchObject({
      name: 'InvalidToken',
    });
    const download = await getSignedUrl(
      as(temporary),
      new GetObjectCommand({ Bucket: 'temporary', Key: 'k' }),
    );
    expect((await rawRequest(download)).text).toContain('NoSuchKey');
    now += 120_000;
    await expect(create(as(temporary))).rejects.toMatchObject({ name: 'ExpiredToken' });
    expect((await rawRequest(download)).text).toContain('ExpiredToken');
  });

  test('an address is valid for seven days at most, and a header of S3 must be signed', async () => {
    const Bucket = await newBucket();
    const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'a' }), {
      expiresIn: 604_800,
    });
    const longer = await rawRequest(url.replace('X-Amz-Expires=604800', 'X-Amz-Expires=604801'));
    expect([longer.status, longer.text]).toEqual([
      400,
      expect.stringContaining('AuthorizationQueryParametersError'),
    ]);
    const more = await rawRequest(url, {
      method: 'PUT',
      headers: { 'x-amz-storage-class': 'STANDARD' },
      body: 'x',
    });
    expect([more.status, more.text]).toEqual([
      403,
      expect.stringContaining('<HeadersNotSigned>x-amz-storage-class<'),
    ]);
    expect((await rawRequest(url, { method: 'PUT', body: 'x' })).status).toBe(200);
  });

  test('a page in a browser, or another name for this machine, is refused', async () => {
    const answers = await Promise.all([
      rawRequest(shared.endpoint, { headers: { host: 'evil.example' } }),
      rawRequest(shared.endpoint, { headers: { origin: 'https://evil.example' } }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([403, 403]);
  });

  test('a bucket may be named in the host', async () => {
    const Bucket = await newBucket();
    await put(Bucket, 'a/b', 'found');
    const virtual = new S3Client({
      endpoint: 'http://localhost',
      region: 'us-east-1',
      credentials: S3_CREDENTIALS,
    });
    onEnd(() => virtual.destroy());
    const { host, pathname, search } = new URL(
      await getSignedUrl(virtual, new GetObjectCommand({ Bucket, Key: 'a/b' })),
    );
    expect(host).toBe(`${Bucket}.localhost`);
    const answer = await rawRequest(shared.endpoint + pathname + search, { headers: { host } });
    expect([answer.status, answer.text]).toEqual([200, 'found']);
  });
});

describe('limits', () => {
  const refused = (code: string, httpStatusCode = 400) => ({ name: code, $metadata: { httpStatusCode } });

  test('a key has at most 1,024 bytes of UTF-8', async () => {
    const Bucket = await newBucket();
    await put(Bucket, 'é'.repeat(512), 'x');
    await expect(put(Bucket, `${'é'.repeat(512)}a`, 'x')).rejects.toMatchObject(refused('KeyTooLongError'));
  });

  test('metadata of a user has at most 2 kB', async () => {
    const Bucket = await newBucket();
    await put(Bucket, 'a', 'x', { Metadata: { k: 'v'.repeat(2047) } });
    await expect(put(Bucket, 'a', 'x', { Metadata: { k: 'v'.repeat(2048) } })).rejects.toMatchObject(
      refused('MetadataTooLarge'),
    );
  });

  test('one PUT takes at most 5 GB, which is refused before it is sent', async () => {
    const Bucket = await newBucket();
    const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'a' }));
    const request = http.request(url, {
      method: 'PUT',
      headers: { 'content-length': 5 * 1024 ** 3 + 1, expect: '100-continue' },
    });
    request.flushHeaders();
    let isContinued = false;
    request.once('continue', () => (isContinued = true));
    const response = await new Promise<http.IncomingMessage>((resolve) => request.once('response', resolve));
    expect([response.statusCode, isContinued]).toEqual([400, false]);
    request.destroy();
    const unknown = await rawRequest(url, {
      method: 'PUT',
      headers: { 'transfer-encoding': 'chunked' },
      body: 'x',
    });
    expect([unknown.status, unknown.text]).toEqual([411, expect.stringContaining('MissingContentLength')]);
  });

  test('what is not served is refused, not taken for something else', async () => {
    const Bucket = await newBucket();
    await put(Bucket, 'a', 'x');
    await expect(client.send(new GetObjectAclCommand({ Bucket, Key: 'a' }))).rejects.toMatchObject(
      refused('NotImplemented', 501),
    );
  });
});

describe('at the same time', () => {
  test('a write under a condition notices that the key was deleted while its content came', async () => {
    const Bucket = await newBucket();
    const url = await getSignedUrl(
      client,
      new PutObjectCommand({ Bucket, Key: 'a', ContentLength: 4, IfNoneMatch: '*' }),
      { signableHeaders: new Set(['host', 'if-none-match', 'content-length']) },
    );
    const request = http.request(url, {
      method: 'PUT',
      headers: { 'content-length': 4, 'if-none-match': '*' },
    });
    request.write('ab');
    await waitUntil('the upload has begun', () => shared.uploads > 0 || undefined);
    await put(Bucket, 'a', 'other');
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    request.end('cd');
    const response = await new Promise<http.IncomingMessage>((resolve) => request.once('response', resolve));
    expect(response.statusCode).toBe(409);
    response.resume();
    expect(await keysOf(Bucket)).toEqual([]);
  });

  test('a reader keeps what it reads while it is replaced', async () => {
    const Bucket = await newBucket();
    const bytes = Buffer.alloc(3_000_000, 1);
    await put(Bucket, 'a', bytes);
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'a' }));
    await put(Bucket, 'a', 'new');
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(bytes)).toBe(true);
  });
});

describe('after a kill', () => {
  test('everything that was acknowledged is there, and nothing else', async () => {
    const dataDir = newFolder();
    const first = await spawnEmulator('s3', dataDir);
    onEnd(() => first.kill());
    const before = clientOf(first);
    const Bucket = 'durable';
    await before.send(new CreateBucketCommand({ Bucket }));
    await before.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    );
    const one = await put(Bucket, 'a', 'one', { ContentType: 'text/css' }, before);
    await put(Bucket, 'a', 'two', {}, before);
    await put(Bucket, 'gone', 'x', {}, before);
    await before.send(new DeleteObjectCommand({ Bucket, Key: 'gone' }));
    const upload = { Bucket, Key: 'parts', UploadId: '' };
    const algorithm = { ChecksumAlgorithm: 'CRC32' as const };
    upload.UploadId =
      (await before.send(new CreateMultipartUploadCommand({ ...upload, ...algorithm }))).UploadId ?? '';
    const part = await before.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'part' }));
    const url = await getSignedUrl(before, new PutObjectCommand({ Bucket, Key: 'half' }));
    const half = http
      .request(url, { method: 'PUT', headers: { 'content-length': 10 } })
      .on('error', () => undefined);
    half.write('half');
    await waitUntil('the half is in a file', () => filesIn(dataDir).length > 4 || undefined);
    await first.kill();

    const second = await start({ dataDir });
    const after = clientOf(second);
    expect(await keysOf(Bucket, after)).toEqual(['a']);
    expect(await get(Bucket, 'a', {}, after)).toBe('two');
    const old = await after.send(new GetObjectCommand({ Bucket, Key: 'a', VersionId: one.VersionId }));
    expect([await old.Body?.transformToString(), old.ContentType, old.ETag]).toEqual([
      'one',
      'text/css',
      one.ETag,
    ]);
    const Parts = [{ PartNumber: 1, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 }];
    await after.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    expect(await get(Bucket, 'parts', {}, after)).toBe('part');
    // Two versions of one key, that of the deleted one, and the part.
    expect(filesIn(dataDir)).toHaveLength(4);
  });

  function filesIn(dataDir: string): string[] {
    const objects = path.join(dataDir, 'objects');
    return fs
      .readdirSync(objects, { recursive: true, encoding: 'utf8' })
      .filter((name) => fs.statSync(path.join(objects, name)).isFile());
  }
});

describe('faults', () => {
  test('a throttled request is 503 SlowDown, which the SDK tries again', async () => {
    const Bucket = await newBucket();
    shared.faults.add({ kind: 'error', operation: 'PutObject', resource: Bucket, times: 1 });
    await expect(put(Bucket, 'a', 'x')).rejects.toMatchObject({
      name: 'SlowDown',
      $metadata: { httpStatusCode: 503 },
    });
    expect(await keysOf(Bucket)).toEqual([]);
    shared.faults.add({ kind: 'error', operation: 'PutObject', resource: Bucket, times: 1 });
    await put(Bucket, 'a', 'x', {}, clientOf(shared, { maxAttempts: 2 }));
  });

  test('an answer is lost after the effect', async () => {
    const Bucket = await newBucket();
    shared.faults.add({ kind: 'drop-ack', operation: 'PutObject', times: 1 });
    await expect(put(Bucket, 'a', 'x')).rejects.toThrow(/hang up|ECONNRESET/);
    expect(await get(Bucket, 'a')).toBe('x');
  });

  test('a connection breaks in the middle of a range, which a reader can resume', async () => {
    const Bucket = await newBucket();
    const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, n) => n % 251));
    await put(Bucket, 'a', bytes);
    shared.faults.add({ kind: 'cut', operation: 'GetObject', times: 1 });
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'a' }));
    const read: Buffer[] = [];
    const response = await new Promise<http.IncomingMessage>((resolve) => http.get(url, resolve));
    await expect(
      (async () => {
        for await (const piece of response) read.push(piece as Buffer);
      })(),
    ).rejects.toThrow('aborted');
    const got = Buffer.concat(read);
    expect([got.length > 0, got.length < bytes.length]).toEqual([true, true]);
    const { Body } = await client.send(
      new GetObjectCommand({ Bucket, Key: 'a', Range: `bytes=${got.length}-` }),
    );
    expect(Buffer.concat([got, Buffer.from((await Body?.transformToByteArray()) ?? [])]).equals(bytes)).toBe(
      true,
    );
  });

  test('other bytes come, which the checksum shows', async () => {
    const Bucket = await newBucket();
    await put(Bucket, 'a', 'original');
    shared.faults.add({ kind: 'corrupt', operation: 'GetObject', times: 1 });
    await expect(get(Bucket, 'a', { ChecksumMode: 'ENABLED' })).rejects.toThrow(/[Cc]hecksum/);
    expect(await get(Bucket, 'a')).toBe('original');
  });

  test('what is done is counted by bucket, operation and bytes', async () => {
    const Bucket = await newBucket();
    await put(Bucket, 'a', 'hello');
    await get(Bucket, 'a', { Range: 'bytes=0-1' });
    const usage = (await (await fetch(`${shared.endpoint}/_tandem/usage`)).json()) as Record<string, unknown>;
    expect(usage[Bucket]).toMatchObject({
      PutObject: { requests: 1, bytesIn: 5 },
      GetObject: { requests: 1, bytesOut: 2 },
    });
  });
});

describe('notifications', () => {
  const EVENTS = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'] as const;

  test('tell a queue what was created and removed, at least once, also after a kill', async () => {
    const dataDir = newFolder();
    const sqs = await startSqs();
    onEnd(() => sqs.close());
    const queue = new SQSClient({ endpoint: sqs.endpoint, region: 'us-east-1', credentials: S3_CREDENTIALS });
    onEnd(() => queue.destroy());
    const { QueueUrl } = await queue.send(new CreateQueueCommand({ QueueName: 'objects' }));
    const first = await startS3({ dataDir, sqsEndpoint: sqs.endpoint });
    onEnd(() => first.close());
    const by = clientOf(first);
    const Bucket = await newBucket(by);
    const configure = (QueueArn: string) =>
      by.send(
        new PutBucketNotificationConfigurationCommand({
          Bucket,
          NotificationConfiguration: {
            QueueConfigurations: [
              {
                Id: 'pictures',
                QueueArn,
                Events: [...EVENTS],
                Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: 'in/' }] } },
              },
            ],
          },
        }),
      );
    await expect(configure(sqs.arnOf('none'))).rejects.toMatchObject({ name: 'InvalidArgument' });
    await configure(sqs.arnOf('objects'));
    const written = await put(Bucket, 'in/a b', 'hello', {}, by);
    await put(Bucket, 'out/c', 'x', {}, by);
    // The next one is pending when the emulator goes.
    sqs.faults.add({ kind: 'error', operation: 'SendMessage' });
    await by.send(new DeleteObjectCommand({ Bucket, Key: 'in/a b' }));
    await first.close();
    sqs.faults.clear();
    const second = await start({ dataDir });
    second.deliverTo(sqs.endpoint);
    const bodies: { readonly Records?: readonly unknown[] }[] = [];
    while (bodies.length < 3) {
      const { Messages = [] } = await queue.send(
        new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5, MaxNumberOfMessages: 10 }),
      );
      for (const { Body = '' } of Messages) bodies.push(JSON.parse(Body) as (typeof bodies)[number]);
    }
    expect(bodies[0]).toMatchObject({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket });
    const records = bodies.slice(1).flatMap(({ Records = [] }) => Records);
    const object = { key: 'in/a+b', sequencer: expect.stringMatching(/^[0-9A-F]{18}$/) as never };
    expect(records).toMatchObject([
      {
        eventSource: 'aws:s3',
        eventName: 'ObjectCreated:Put',
        awsRegion: 'us-east-1',
        s3: {
          configurationId: 'pictures',
          bucket: { name: Bucket, arn: `arn:aws:s3:::${Bucket}` },
          object: { ...object, size: 5, eTag: written.ETag?.replaceAll('"', '') },
        },
      },
      { eventName: 'ObjectRemoved:Delete', s3: { object } },
    ]);
    const sequencers = (records as { s3: { object: { sequencer: string } } }[]).map(
      ({ s3 }) => s3.object.sequencer,
    );
    expect(sequencers).toEqual([...sequencers].sort());
  });
});

test('a lock ends with its time', async () => {
  let now = START;
  const emulator = await start({ now: () => now });
  const by = new S3Client({
    ...{ endpoint: emulator.endpoint, region: 'us-east-1', credentials: S3_CREDENTIALS, maxAttempts: 1 },
    systemClockOffset: START - Date.now(),
  });
  onEnd(() => by.destroy());
  await by.send(new CreateBucketCommand({ Bucket: 'locked', ObjectLockEnabledForBucket: true }));
  const until = {
    ObjectLockMode: 'COMPLIANCE' as const,
    ObjectLockRetainUntilDate: new Date(START + 60_000),
  };
  const { VersionId } = await put('locked', 'a', 'x', until, by);
  const remove = () => by.send(new DeleteObjectCommand({ Bucket: 'locked', Key: 'a', VersionId }));
  await expect(remove()).rejects.toMatchObject({ name: 'AccessDenied' });
  now += 61_000;
  await remove();
});
