/** The emulator of Blob Storage: the suite, and what only the service has beside it. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ServiceBusClient } from '@azure/service-bus';
import {
  AnonymousCredential,
  type BlobClient,
  BlobSASPermissions,
  BlobServiceClient,
  type ContainerClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  newPipeline,
  SASProtocol,
  StorageSharedKeyCredential,
  type UserDelegationKey,
} from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startEmulators } from '@tandem-clouds/emulators';
import { queryToken } from '@tandem-clouds/emulators/oidc/request-token';
import { describeBlob, textOf } from '../../../../tests/contract/suites/blob-suite.ts';
import { closeAfterEach } from '../../../../tests/helpers/cleanup.ts';
import { waitUntil } from '../../../../tests/helpers/wait-until.ts';
import { type BlobEmulator, type BlobOptions, startBlob } from '../../src/blob/server.ts';
import { encoded } from '../../src/blob/structured-body.ts';

const closing = closeAfterEach();
const DAY_MS = 86_400_000;
const VERSION = '2026-10-06';

let shared: BlobEmulator;
beforeAll(async () => {
  shared = await startBlob();
});
afterAll(() => shared.close());

describeBlob('the local Blob Storage', () => ({
  url: shared.endpoint,
  account: shared.account,
  key: shared.key,
}));

function clientOf({
  endpoint,
  account,
  key,
}: Pick<BlobEmulator, 'endpoint' | 'account' | 'key'>): BlobServiceClient {
  const credential = new StorageSharedKeyCredential(account, key);
  return new BlobServiceClient(endpoint, credential, { retryOptions: { maxTries: 1 } });
}

/** The SDK sends a token by TLS only, so here it goes by a policy. */
function tokenClient(endpoint: string, token: string): BlobServiceClient {
  const pipeline = newPipeline(new AnonymousCredential(), { retryOptions: { maxTries: 1 } });
  pipeline.factories.push({
    create: (next) => ({
      sendRequest(request) {
        request.headers.set('authorization', `Bearer ${token}`);
        return next.sendRequest(request);
      },
    }),
  });
  return new BlobServiceClient(endpoint, pipeline);
}

async function open(options: BlobOptions = {}) {
  const emulator = await startBlob(options);
  closing(() => emulator.close());
  // A key is only taken within minutes of the hour, and some tests move the clock.
  const service = tokenClient(emulator.endpoint, 'any');
  const container = service.getContainerClient('photos');
  if (!(await container.exists())) await container.create();
  return { emulator, service, container, blob: (name: string) => container.getBlockBlobClient(name) };
}

function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'blob-'));
  closing(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const code = (response: Response): string | null => response.headers.get('x-ms-error-code');
const contentOf = async (blob: Pick<BlobClient, 'downloadToBuffer'>): Promise<string> =>
  (await blob.downloadToBuffer()).toString();

async function versionsOf(container: ContainerClient, options: object = {}) {
  const found: { name: string; versionId: string | undefined; current: boolean; deleted: boolean }[] = [];
  for await (const item of container.listBlobsFlat({ includeVersions: true, ...options })) {
    found.push({
      name: item.name,
      versionId: item.versionId,
      current: item.isCurrentVersion === true,
      deleted: item.properties.deletedOn !== undefined,
    });
  }
  return found;
}

test('XML that does not end is refused, and not kept', async () => {
  for (const where of ['photos/a?comp=tags', '?restype=service&comp=properties']) {
    const headers = { authorization: 'Bearer any', 'x-ms-version': VERSION };
    const request = http.request(`${shared.endpoint}/${where}`, { method: 'PUT', headers, agent: false });
    const answered = once(request, 'response');
    request.on('error', () => undefined);
    for (let mebibytes = 0; mebibytes < 16; mebibytes += 1) request.write(Buffer.alloc(1024 * 1024, 32));
    request.write(' ');
    const [response] = (await answered) as [http.IncomingMessage];
    expect([response.statusCode, response.headers['x-ms-error-code']]).toEqual([413, 'RequestBodyTooLarge']);
    request.destroy();
  }
});

describe('who may ask', () => {
  test('a request without a sign-in gets 401 with the challenge of the service', async () => {
    const response = await fetch(`${shared.endpoint}/photos/a`);
    expect([response.status, code(response)]).toEqual([401, 'NoAuthenticationInformation']);
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Bearer authorization_uri=https:\/\/login\.microsoftonline\.com\/[0-9a-f-]{36}\/oauth2\/authorize resource_id=https:\/\/storage\.azure\.com$/,
    );
  });

  test('a request with another key is AuthenticationFailed, with the text that was signed', async () => {
    const other = clientOf({ ...shared, endpoint: shared.endpoint, key: 'b3RoZXI=' });
    await expect(other.getContainerClient('photos').create()).rejects.toMatchObject({
      statusCode: 403,
      code: 'AuthenticationFailed',
      details: {
        authenticationErrorDetail: expect.stringMatching(
          /following string to sign: 'PUT\n[^]*x-ms-date/,
        ) as unknown,
      },
    });
  });

  test('a token of the issuer is taken; one for another audience, and what is none, is not', async () => {
    const emulators = await startEmulators({ services: ['oidc'] });
    closing(() => emulators.close());
    const { issuer } = emulators.oidc;
    const emulator = await startBlob({ issuer });
    closing(() => emulator.close());
    await clientOf(emulator).getContainerClient('photos').create();
    const token = await queryToken(issuer, 'https://storage.azure.com/.default');
    const container = tokenClient(emulator.endpoint, token).getContainerClient('photos');
    expect(await container.exists()).toBe(true);
    const refusal = { statusCode: 401, code: 'InvalidAuthenticationInfo' };
    const wrong = tokenClient(emulator.endpoint, await queryToken(issuer)).getContainerClient('photos');
    await expect(wrong.getProperties()).rejects.toMatchObject({ statusCode: 401 });
    await expect(wrong.getBlobClient('a').download()).rejects.toMatchObject(refusal);
    await expect(tokenClient(emulator.endpoint, 'none').getAccountInfo()).rejects.toMatchObject(refusal);
  });

  test.each([
    ['without a version', {}, 'MissingRequiredHeader'],
    ['with a version that there is not', { 'x-ms-version': '2026-10-07' }, 'InvalidHeaderValue'],
  ])('a request %s is refused', async (_title, headers, expected) => {
    const response = await fetch(`${shared.endpoint}?comp=list`, {
      headers: { ...headers, authorization: 'Bearer local' },
    });
    expect([response.status, code(response)]).toEqual([400, expected]);
    expect(await response.text()).toMatch(/<Error><Code>\w+<\/Code><Message>[^]*RequestId:[^]*x-ms-version/);
  });

  test('a request to another account is ResourceNotFound', async () => {
    const response = await fetch(`${shared.endpoint}2/photos?restype=container`);
    expect([response.status, code(response)]).toEqual([404, 'ResourceNotFound']);
  });
});

describe('a URL signed by a delegated key', () => {
  let emulator: BlobEmulator;
  let container: ContainerClient;
  let key: UserDelegationKey;
  let nowMs = Date.now();

  beforeAll(async () => {
    emulator = await startBlob({ now: () => nowMs });
    const service = tokenClient(emulator.endpoint, 'any');
    container = service.getContainerClient('photos');
    await container.create();
    await container.getBlockBlobClient('one').upload('one', 3, { tags: { a: 'b' } });
    key = await service.getUserDelegationKey(new Date(nowMs), new Date(nowMs + DAY_MS));
  });
  afterAll(() => emulator.close());

  type Values = Partial<Parameters<typeof generateBlobSASQueryParameters>[0]>;
  /** With permissions as letters. */
  const signed = (letters: string, values: Values = {}): string => {
    const sas = generateBlobSASQueryParameters(
      {
        containerName: 'photos',
        blobName: 'one',
        permissions: BlobSASPermissions.parse(letters),
        startsOn: new Date(nowMs - 1_000),
        expiresOn: new Date(nowMs + 3_600_000),
        protocol: SASProtocol.HttpsAndHttp,
        ...values,
      },
      key,
      emulator.account,
    );
    return `${container.getBlobClient(values.blobName ?? 'one').url}?${sas.toString()}`;
  };
  const answer = async (url: string, init: RequestInit = {}) => {
    const response = await fetch(url, init);
    return [response.status, code(response)];
  };
  const PUT = { method: 'PUT', body: 'two', headers: { 'x-ms-blob-type': 'BlockBlob' } };

  test.each(['2020-12-06', '2025-05-05', '2025-11-05', '2026-04-06', VERSION])(
    'is taken in the form of version %s',
    async (version) => {
      expect(await answer(signed('r', { version }))).toEqual([200, null]);
    },
  );

  test('is good for its blob and its permissions', async () => {
    expect(await answer(signed('r'))).toEqual([200, null]);
    expect(await answer(signed('r'), PUT)).toEqual([403, 'AuthorizationPermissionMismatch']);
    expect(await answer(signed('w', { blobName: 'two' }), PUT)).toEqual([201, null]);
    expect(await answer(signed('r').replace('/one?', '/two?'))).toEqual([403, 'AuthenticationFailed']);
    expect(await answer(signed('r'), { method: 'DELETE' })).toEqual([403, 'AuthorizationPermissionMismatch']);
    expect(await answer(`${signed('r')}&comp=tags`)).toEqual([403, 'AuthorizationPermissionMismatch']);
    expect(await answer(`${signed('t')}&comp=tags`)).toEqual([200, null]);
    expect(await answer(signed('w'), { ...PUT, headers: { ...PUT.headers, 'x-ms-tags': 'a=b' } })).toEqual([
      403,
      'AuthorizationPermissionMismatch',
    ]);
  });

  test('blocks need the permission to write, also where there is nothing yet', async () => {
    const block = (letters: string, query: string, body: string) =>
      answer(`${signed(letters, { blobName: 'blocks' })}&${query}`, { method: 'PUT', body });
    const refusal = [403, 'AuthorizationPermissionMismatch'];
    expect(await block('c', 'comp=block&blockid=AAAA', 'one')).toEqual(refusal);
    expect(await block('w', 'comp=block&blockid=AAAA', 'one')).toEqual([201, null]);
    const list = '<BlockList><Latest>AAAA</Latest></BlockList>';
    expect(await block('c', 'comp=blocklist', list)).toEqual(refusal);
    expect(await block('w', 'comp=blocklist', list)).toEqual([201, null]);
  });

  test.each<readonly [string, string, () => string]>([
    ['over', 'AuthenticationFailed', () => signed('r', { expiresOn: new Date(nowMs - 1) })],
    ['of tomorrow', 'AuthenticationFailed', () => signed('r', { startsOn: new Date(nowMs + DAY_MS / 2) })],
    ['changed', 'AuthenticationFailed', () => signed('r').replace('sp=r', 'sp=rw')],
    [
      'for another address',
      'AuthorizationSourceIPMismatch',
      () => signed('r', { ipRange: { start: '10.0.0.1' } }),
    ],
    ['for TLS only', 'AuthorizationProtocolMismatch', () => signed('r', { protocol: SASProtocol.Https })],
    ['of another key', 'AuthenticationFailed', () => signed('r').replace(/skoid=[^&]+/, 'skoid=somebody')],
  ])('is refused when it is %s', async (_title, expected, urlOf) => {
    expect(await answer(urlOf())).toEqual([403, expected]);
  });

  test('is taken from the address that it is for', async () => {
    expect(await answer(signed('r', { ipRange: { start: '127.0.0.0', end: '127.0.0.9' } }))).toEqual([
      200,
      null,
    ]);
  });

  test('is over when its key is', async () => {
    const url = signed('r', { expiresOn: new Date(nowMs + 3 * DAY_MS) });
    expect(await answer(url)).toEqual([200, null]);
    nowMs += DAY_MS;
    closing(() => (nowMs -= DAY_MS));
    expect(await answer(url)).toEqual([403, 'AuthenticationFailed']);
  });

  test('of a container may list it', async () => {
    const sas = generateBlobSASQueryParameters(
      {
        containerName: 'photos',
        permissions: ContainerSASPermissions.parse('l'),
        expiresOn: new Date(nowMs + 3_600_000),
      },
      key,
      emulator.account,
    );
    expect(await answer(`${container.url}?restype=container&comp=list&${sas.toString()}`)).toEqual([
      200,
      null,
    ]);
    expect(await answer(`${container.getBlobClient('one').url}?${sas.toString()}`)).toEqual([
      403,
      'AuthorizationPermissionMismatch',
    ]);
    const ofBlob = signed('r').replace('/one?', '?restype=container&comp=list&');
    expect((await answer(ofBlob))[0]).toBe(403);
  });

  test('says how the content is to be shown', async () => {
    const url = signed('r', { contentDisposition: 'attachment; filename="a.png"', contentType: 'image/png' });
    const { headers } = await fetch(url);
    expect([headers.get('content-disposition'), headers.get('content-type')]).toEqual([
      'attachment; filename="a.png"',
      'image/png',
    ]);
  });

  test('a key is given for seven days at most, and to a token only', async () => {
    const service = tokenClient(emulator.endpoint, 'any');
    await expect(
      service.getUserDelegationKey(new Date(nowMs), new Date(nowMs + 8 * DAY_MS)),
    ).rejects.toMatchObject({ statusCode: 400 });
    await expect(
      clientOf(shared).getUserDelegationKey(new Date(), new Date(Date.now() + DAY_MS)),
    ).rejects.toMatchObject({ statusCode: 403 });
  });

  test('of two uploads by a URL that may only create, one is refused', async () => {
    const url = signed('c', { blobName: 'created' });
    const answers = await Promise.all([answer(url, PUT), answer(url, PUT)]);
    expect(answers.sort()).toEqual([
      [201, null],
      [403, 'UnauthorizedBlobOverwrite'],
    ]);
  });
});

describe('versions', () => {
  test('each write makes one, and reads of an older one are pinned', async () => {
    const { container, blob } = await open({ versioning: true });
    const { versionId: first = '' } = await blob('a').upload('one', 3);
    const { versionId: second = '' } = await blob('a').upload('two', 3);
    const { versionId: third = '' } = await blob('a').setMetadata({ of: 'three' });
    expect(first < second && second < third).toBe(true);
    expect(first).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);
    expect(await contentOf(blob('a').withVersion(first))).toBe('one');
    expect(await contentOf(blob('a'))).toBe('two');
    expect(await blob('a').withVersion(second).getProperties()).toMatchObject({
      versionId: second,
      metadata: {},
    });
    expect(await blob('a').getProperties()).toMatchObject({ versionId: third, isCurrentVersion: true });
    expect(await versionsOf(container)).toEqual(
      [first, second, third].map((versionId) => ({
        name: 'a',
        versionId,
        current: versionId === third,
        deleted: false,
      })),
    );
  });

  test('what changes no content and no metadata makes none', async () => {
    const { container, blob } = await open({ versioning: true });
    await blob('a').upload('one', 3);
    await blob('a').setHTTPHeaders({ blobContentType: 'text/plain' });
    await blob('a').setTags({ a: 'b' });
    await blob('a').setAccessTier('Cool');
    expect(await versionsOf(container)).toHaveLength(1);
  });

  test('a deleted blob is its previous version, which a copy makes current again', async () => {
    const { container, blob } = await open({ versioning: true });
    const { versionId = '' } = await blob('a').upload('one', 3);
    await expect(blob('a').withVersion(versionId).delete()).rejects.toMatchObject({
      statusCode: 403,
      code: 'OperationNotAllowedOnRootBlob',
    });
    await blob('a').delete();
    expect(await blob('a').exists()).toBe(false);
    expect(await versionsOf(container)).toEqual([{ name: 'a', versionId, current: false, deleted: false }]);
    const poller = await blob('a').beginCopyFromURL(blob('a').withVersion(versionId).url, {
      intervalInMs: 1,
    });
    await poller.pollUntilDone();
    expect(await contentOf(blob('a'))).toBe('one');
    await blob('a').withVersion(versionId).delete();
    expect(await versionsOf(container)).toMatchObject([{ current: true }]);
  });

  test('a signed URL may be for one version', async () => {
    const { emulator, blob } = await open({ versioning: true });
    const { versionId = '' } = await blob('a').upload('one', 3);
    await blob('a').upload('two', 3);
    const sas = generateBlobSASQueryParameters(
      {
        containerName: 'photos',
        blobName: 'a',
        versionId,
        permissions: BlobSASPermissions.parse('r'),
        expiresOn: new Date(Date.now() + 600_000),
      },
      new StorageSharedKeyCredential(emulator.account, emulator.key),
    );
    const signed = `${blob('a').url}?${sas.toString()}`;
    expect(await (await fetch(`${signed}&versionid=${versionId}`)).text()).toBe('one');
    expect(code(await fetch(signed))).toBe('AuthenticationFailed');
  });

  test('pages of a list do not lose a version', async () => {
    const { container, blob } = await open({ versioning: true });
    for (const body of ['1', '2', '3']) await blob('a').upload(body, 1);
    await blob('b').upload('1', 1);
    const pages: (string | undefined)[] = [];
    for await (const page of container.listBlobsFlat({ includeVersions: true }).byPage({ maxPageSize: 2 }))
      pages.push(...page.segment.blobItems.map(({ versionId }) => versionId));
    expect(pages).toHaveLength(4);
    expect(new Set(pages).size).toBe(4);
  });
});

describe('what was deleted', () => {
  test('can be recovered as long as the account says, and then not', async () => {
    let nowMs = Date.now();
    const { service, container, blob } = await open({ now: () => nowMs });
    await service.setProperties({ deleteRetentionPolicy: { enabled: true, days: 2 } });
    await blob('a').upload('one', 3);
    await blob('a').delete();
    expect(await blob('a').exists()).toBe(false);
    const listed = [];
    for await (const item of container.listBlobsFlat({ includeDeleted: true })) listed.push(item);
    expect(listed).toMatchObject([{ name: 'a', deleted: true, properties: { remainingRetentionDays: 2 } }]);
    await blob('a').undelete();
    expect(await contentOf(blob('a'))).toBe('one');
    await blob('a').delete();
    nowMs += 2 * DAY_MS;
    await expect(blob('a').undelete()).rejects.toMatchObject({ statusCode: 404, code: 'BlobNotFound' });
  });

  test('a recovered version does not become the current one', async () => {
    const { service, container, blob } = await open({ versioning: true });
    await service.setProperties({ deleteRetentionPolicy: { enabled: true, days: 2 } });
    const { versionId = '' } = await blob('a').upload('one', 3);
    await blob('a').delete();
    await blob('a').withVersion(versionId).delete();
    expect(await versionsOf(container)).toEqual([]);
    expect(await versionsOf(container, { includeDeleted: true })).toMatchObject([
      { versionId, deleted: true },
    ]);
    await blob('a').undelete();
    expect(await versionsOf(container)).toMatchObject([{ versionId, current: false, deleted: false }]);
  });
});

describe('what must not be deleted', () => {
  const refusal = { statusCode: 409, code: 'BlobImmutableDueToPolicy' };

  test('a policy keeps a version until its date; unlocked it may be taken back', async () => {
    let nowMs = Date.now();
    const { blob } = await open({ versioning: true, versionImmutability: true, now: () => nowMs });
    await blob('a').upload('one', 3);
    const until = (days: number, policyMode: 'Unlocked' | 'Locked') =>
      blob('a').setImmutabilityPolicy({ expiriesOn: new Date(nowMs + days * DAY_MS), policyMode });
    await until(2, 'Unlocked');
    await expect(blob('a').delete()).rejects.toMatchObject(refusal);
    await expect(blob('a').setMetadata({ a: 'b' })).rejects.toMatchObject(refusal);
    await until(1, 'Unlocked');
    await blob('a').deleteImmutabilityPolicy();
    await blob('a').setMetadata({ a: 'b' });
    await until(2, 'Locked');
    await expect(until(1, 'Locked')).rejects.toMatchObject(refusal);
    await expect(until(3, 'Unlocked')).rejects.toMatchObject(refusal);
    await expect(blob('a').deleteImmutabilityPolicy()).rejects.toMatchObject(refusal);
    await until(3, 'Locked');
    expect(await blob('a').getProperties()).toMatchObject({ immutabilityPolicyMode: 'locked' });
    // A new version beside it is another matter.
    await blob('a').upload('two', 3);
    await blob('a').delete();
    nowMs += 3 * DAY_MS;
  });

  test('a hold keeps it until it is lifted', async () => {
    const { blob } = await open({ versioning: true, versionImmutability: true });
    await blob('a').upload('one', 3, { legalHold: true });
    expect(await blob('a').getProperties()).toMatchObject({ legalHold: true });
    await expect(blob('a').delete()).rejects.toMatchObject({ code: 'BlobImmutableDueToLegalHold' });
    await blob('a').setLegalHold(false);
    await blob('a').delete();
  });

  test('a previous version keeps its policy, and a container with one stays', async () => {
    let nowMs = Date.now();
    const { container, blob } = await open({ versioning: true, versionImmutability: true, now: () => nowMs });
    const { versionId = '' } = await blob('a').upload('one', 3, {
      immutabilityPolicy: { expiriesOn: new Date(nowMs + DAY_MS), policyMode: 'Locked' },
    });
    await blob('a').upload('two', 3);
    await expect(blob('a').withVersion(versionId).delete()).rejects.toMatchObject(refusal);
    await expect(container.delete()).rejects.toMatchObject({ statusCode: 409 });
    nowMs += DAY_MS;
    await blob('a').withVersion(versionId).delete();
  });

  test('without it being enabled, a policy is refused', async () => {
    const { blob } = await open({ versioning: true });
    await blob('a').upload('one', 3);
    await expect(blob('a').setLegalHold(true)).rejects.toMatchObject({ statusCode: 400 });
  });
});

test('a structured body is refused when a byte of it is another', async () => {
  await clientOf(shared).getContainerClient('structured').createIfNotExists();
  const content = randomBytes(10_000);
  const frame = await buffer(encoded(Readable.from([content]), content.length));
  const put = (body: Uint8Array) =>
    fetch(`${shared.endpoint}/structured/a`, {
      method: 'PUT',
      body: new Uint8Array(body),
      headers: {
        authorization: 'Bearer local',
        'x-ms-version': VERSION,
        'x-ms-blob-type': 'BlockBlob',
        'x-ms-structured-body': 'XSM/1.0; properties=crc64',
        'x-ms-structured-content-length': String(content.length),
      },
    });
  const changed = Buffer.from(frame);
  changed.writeUInt8(changed.readUInt8(5_000) ^ 1, 5_000);
  const refused = await put(changed);
  expect([refused.status, code(refused)]).toEqual([400, 'Crc64Mismatch']);
  expect((await put(frame)).status).toBe(201);
});

describe('limits', () => {
  const put = (name: string, init: RequestInit = {}, query = '') =>
    fetch(`${shared.endpoint}/limits/${name}${query}`, {
      method: 'PUT',
      body: 'x',
      ...init,
      headers: {
        authorization: 'Bearer local',
        'x-ms-version': VERSION,
        'x-ms-blob-type': 'BlockBlob',
        ...(init.headers as Record<string, string> | undefined),
      },
    });

  beforeAll(async () => {
    await clientOf(shared).getContainerClient('limits').createIfNotExists();
  });

  test.each([
    ['1,024 characters', 'n'.repeat(1_024), 201],
    ['more than 1,024 characters', 'n'.repeat(1_025), 400],
    ['254 segments', Array.from({ length: 254 }, () => 's').join('/'), 201],
    ['more than 254 segments', Array.from({ length: 255 }, () => 's').join('/'), 400],
    ['a control character', 'a%01b', 400],
    ['bytes that are no text', 'a%ff', 400],
  ])('a name with %s', async (_title, name, status) => {
    expect((await put(name)).status).toBe(status);
  });

  test('the name of a container is that of a DNS label', async () => {
    const service = clientOf(shared);
    for (const name of ['ab', 'a--b', '-ab', 'a_b', 'n'.repeat(64)]) {
      await expect(service.getContainerClient(name).create()).rejects.toMatchObject({
        statusCode: 400,
        code: 'InvalidResourceName',
      });
    }
  });

  test('metadata has 8 kB at most, and names that are identifiers', async () => {
    const meta = (name: string, value: string) => put('meta', { headers: { [`x-ms-meta-${name}`]: value } });
    expect((await meta('a', 'v'.repeat(8_191))).status).toBe(201);
    expect(code(await meta('a', 'v'.repeat(8_192)))).toBe('MetadataTooLarge');
    expect(code(await meta('a-b', 'v'))).toBe('InvalidMetadata');
    expect(code(await meta('1a', 'v'))).toBe('InvalidMetadata');
  });

  test('a blob has ten tags at most', async () => {
    const tags = (count: number) =>
      put('tags', { headers: { 'x-ms-tags': Array.from({ length: count }, (_, i) => `k${i}=v`).join('&') } });
    expect((await tags(10)).status).toBe(201);
    expect((await tags(11)).status).toBe(400);
  });

  test.each([
    ['Put Blob has 5,000 MiB at most', '', 5_000],
    ['Put Block has 4,000 MiB at most', '?comp=block&blockid=AAAA', 4_000],
  ])('%s', async (_title, query, mebibytes) => {
    const { port } = shared;
    const request = http.request({
      port,
      host: '127.0.0.1',
      method: 'PUT',
      path: `/local/limits/large${query}`,
      headers: {
        authorization: 'Bearer local',
        'x-ms-version': VERSION,
        'x-ms-blob-type': 'BlockBlob',
        'content-length': mebibytes * 1024 * 1024 + 1,
      },
    });
    request.on('error', () => undefined);
    request.flushHeaders();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect([response.statusCode, response.headers['x-ms-error-code']]).toEqual([413, 'RequestBodyTooLarge']);
    request.destroy();
  });

  test('a body without a length is MissingContentLengthHeader', async () => {
    const response = await put('chunked', {
      body: Readable.toWeb(Readable.from(['x'])),
      duplex: 'half',
    });
    expect([response.status, code(response)]).toEqual([411, 'MissingContentLengthHeader']);
  });

  test('a block id has 64 bytes at most, in base64', async () => {
    const id = (bytes: number) => encodeURIComponent(Buffer.alloc(bytes, 'i').toString('base64'));
    expect((await put('ids64', {}, `?comp=block&blockid=${id(64)}`)).status).toBe(201);
    expect((await put('ids65', {}, `?comp=block&blockid=${id(65)}`)).status).toBe(400);
    expect((await put('ids', {}, '?comp=block&blockid=no*base64')).status).toBe(400);
  });

  test('a list of blocks has 50,000 at most', async () => {
    const list = (count: number) =>
      put(
        'blocks',
        { body: `<BlockList>${'<Latest>AAAA</Latest>'.repeat(count)}</BlockList>` },
        '?comp=blocklist',
      );
    await put('blocks', {}, '?comp=block&blockid=AAAA');
    expect(code(await list(50_001))).toBe('BlockListTooLong');
    expect((await list(50_000)).status).toBe(201);
  });

  test('a checksum is given of a range of 4 MiB at most', async () => {
    const ask = (headers: Record<string, string>) =>
      put('meta', {
        method: 'GET',
        body: null,
        headers: { 'x-ms-range-get-content-md5': 'true', ...headers },
      });
    await put('meta');
    expect((await ask({})).status).toBe(400);
    expect((await ask({ 'x-ms-range': 'bytes=0-' })).status).toBe(206);
    await put('wide', { body: new Uint8Array(4 * 1024 * 1024 + 1) });
    const wide = await put('wide', {
      method: 'GET',
      body: null,
      headers: { 'x-ms-range-get-content-md5': 'true', 'x-ms-range': 'bytes=0-' },
    });
    expect([wide.status, code(wide)]).toEqual([400, 'OutOfRangeInput']);
  });

  test('a page of a list has 5,000 names at most', async () => {
    const response = await put(
      '',
      { method: 'GET', body: null },
      '?restype=container&comp=list&maxresults=9999',
    );
    expect(await response.text()).toContain('<MaxResults>5000</MaxResults>');
    const none = await put('', { method: 'GET', body: null }, '?restype=container&comp=list&maxresults=0');
    expect([none.status, code(none)]).toEqual([400, 'OutOfRangeQueryParameterValue']);
  });

  test('blocks that no list names are gone after a week', async () => {
    let nowMs = Date.now();
    const { blob } = await open({ now: () => nowMs });
    await blob('a').stageBlock('AAAA', 'one', 3);
    nowMs += 7 * DAY_MS - 1;
    expect((await blob('a').getBlockList('all')).uncommittedBlocks).toHaveLength(1);
    nowMs += 1;
    await expect(blob('a').getBlockList('all')).rejects.toMatchObject({ code: 'BlobNotFound' });
  });
});

test('a page of another origin may upload by a signed URL when the account allows it', async () => {
  const { emulator, service, container } = await open();
  const origin = 'http://localhost:3000';
  const ask = () =>
    fetch(`${container.url}/a`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'content-type,x-ms-blob-type',
      },
    });
  expect(code(await ask())).toBe('CorsPreflightFailure');
  const rule = {
    allowedOrigins: origin,
    allowedMethods: 'PUT,GET',
    allowedHeaders: 'content-type,x-ms-*',
    exposedHeaders: 'etag',
    maxAgeInSeconds: 60,
  };
  await service.setProperties({ cors: [rule] });
  expect((await service.getProperties()).cors).toEqual([rule]);
  const allowed = await ask();
  expect(allowed.status).toBe(200);
  expect(allowed.headers.get('access-control-allow-origin')).toBe(origin);
  const sas = generateBlobSASQueryParameters(
    {
      containerName: 'photos',
      blobName: 'a',
      permissions: BlobSASPermissions.parse('c'),
      expiresOn: new Date(Date.now() + 600_000),
    },
    new StorageSharedKeyCredential(emulator.account, emulator.key),
  );
  const put = await fetch(`${container.url}/a?${sas.toString()}`, {
    method: 'PUT',
    body: 'x',
    headers: { origin, 'x-ms-blob-type': 'BlockBlob' },
  });
  expect([put.status, put.headers.get('access-control-expose-headers')]).toEqual([201, 'etag']);
});

test('what happens to blobs arrives at a queue of Service Bus, as Event Grid writes it', async () => {
  const emulators = await startEmulators({
    services: ['blob', 'servicebus'],
    servicebus: { queues: { blobs: {} } },
  });
  closing(() => emulators.close());
  const { blob, servicebus } = emulators;
  blob.sendEventsTo({ connectionString: servicebus.connectionString, queue: 'blobs' });
  const container = BlobServiceClient.fromConnectionString(blob.connectionString).getContainerClient(
    'photos',
  );
  await container.create();
  const client = container.getBlockBlobClient('2026/a b.png');
  const { etag } = await client.upload('one', 3, { blobHTTPHeaders: { blobContentType: 'image/png' } });
  await client.delete();

  const bus = new ServiceBusClient(servicebus.connectionString);
  closing(() => bus.close());
  const receiver = bus.createReceiver('blobs', { receiveMode: 'receiveAndDelete' });
  const bodies: unknown[] = [];
  while (bodies.length < 2) {
    for (const message of await receiver.receiveMessages(2, { maxWaitTimeInMs: 5_000 }))
      bodies.push(message.body);
  }
  expect(bodies).toMatchObject([
    {
      eventType: 'Microsoft.Storage.BlobCreated',
      subject: '/blobServices/default/containers/photos/blobs/2026/a b.png',
      topic: expect.stringMatching(/\/providers\/Microsoft\.Storage\/storageAccounts\/local$/) as unknown,
      data: {
        api: 'PutBlob',
        eTag: etag,
        contentType: 'image/png',
        contentLength: 3,
        blobType: 'BlockBlob',
        url: `${blob.url}/photos/2026/a%20b.png`,
      },
      dataVersion: '',
      metadataVersion: '1',
    },
    { eventType: 'Microsoft.Storage.BlobDeleted', data: { api: 'DeleteBlob' } },
  ]);
  const [created, deleted] = bodies as { data: { sequencer: string } }[];
  expect(created?.data.sequencer.length).toBe(deleted?.data.sequencer.length);
});

test('an event that could not be sent is sent after the next start', async () => {
  const dataDir = temporaryFolder();
  const nobody = await startEmulators({ services: ['servicebus'] });
  const { connectionString } = nobody.servicebus;
  await nobody.close();
  const { emulator, blob } = await open({ dataDir, events: { connectionString, queue: 'blobs' } });
  await blob('a').upload('one', 3);
  await emulator.close();

  const { servicebus, close } = await startEmulators({
    services: ['servicebus'],
    servicebus: { queues: { blobs: {} } },
  });
  closing(close);
  const events = { connectionString: servicebus.connectionString, queue: 'blobs' };
  const again = await startBlob({ dataDir, events });
  closing(() => again.close());
  await waitUntil('the event', () => (servicebus.counts('blobs').active === 1 ? true : undefined));
});

test('a read that has begun gives what it began with', async () => {
  const { blob } = await open();
  const bytes = randomBytes(3_000_000);
  await blob('a').upload(bytes, bytes.length);
  const { readableStreamBody = Readable.from([]) } = await blob('a').download();
  await blob('a').upload('two', 3);
  expect(
    createHash('md5')
      .update(await buffer(readableStreamBody))
      .digest('hex'),
  ).toBe(createHash('md5').update(bytes).digest('hex'));
});

test('a name that XML cannot hold is encoded in a list', async () => {
  const { container, blob } = await open();
  await blob('a\uFFFEb/c').upload('one', 3);
  const names: string[] = [];
  for await (const { name } of container.listBlobsFlat()) names.push(name);
  for await (const { name } of container.listBlobsByHierarchy('/')) names.push(name);
  expect(names).toEqual(['a\uFFFEb/c', 'a\uFFFEb/']);
});

describe('faults', () => {
  test('a busy service answers 503 ServerBusy, and nothing is stored', async () => {
    const { emulator, blob } = await open();
    emulator.faults.add({ kind: 'error', operation: 'PutBlob', resource: 'photos', times: 1 });
    await expect(blob('a').upload('one', 3)).rejects.toMatchObject({ statusCode: 503, code: 'ServerBusy' });
    expect(await blob('a').exists()).toBe(false);
  });

  test('a lost answer leaves its effect', async () => {
    const { emulator, blob } = await open();
    emulator.faults.add({ kind: 'drop-ack', operation: 'PutBlob', times: 1 });
    await expect(blob('a').upload('one', 3)).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(await contentOf(blob('a'))).toBe('one');
  });

  test('a connection that breaks in the middle of a range leaves a beginning, and the rest can be had', async () => {
    const { emulator, blob } = await open();
    const bytes = randomBytes(1_000_000);
    await blob('a').upload(bytes, bytes.length);
    emulator.faults.add({ kind: 'cut', operation: 'GetBlob', times: 1 });
    const got: Buffer[] = [];
    const read = async (offset: number): Promise<void> => {
      const { readableStreamBody = [] } = await blob('a').download(offset, 901_000 - offset);
      for await (const piece of readableStreamBody) got.push(piece as Buffer);
    };
    // The SDK goes on by itself when an answer ends early, and not when its connection is reset.
    await expect(read(1_000)).rejects.toThrow();
    const { length } = Buffer.concat(got);
    expect(length).toBeLessThan(900_000);
    await read(1_000 + length);
    expect(Buffer.concat(got).equals(bytes.subarray(1_000, 901_000))).toBe(true);
  });

  test('other bytes than those that were stored do not fit their checksum', async () => {
    const { emulator, blob } = await open();
    await blob('a').upload('0123456789', 10);
    emulator.faults.add({ kind: 'corrupt', operation: 'GetBlob', times: 1 });
    const answer = await blob('a').download(0, 10, { rangeGetContentMD5: true });
    const got = await textOf(answer);
    const md5 = (content: string): string => createHash('md5').update(content).digest('base64');
    expect(got).not.toBe('0123456789');
    expect(Buffer.from(answer.contentMD5 ?? []).toString('base64')).toBe(md5('0123456789'));
  });
});

describe('a folder', () => {
  test('keeps everything over a kill, and nothing of what was not finished', async () => {
    const dataDir = temporaryFolder();
    const main = path.join(import.meta.dirname, '../../src/main.ts');
    const child = spawn(process.execPath, [main, '--services', 'blob', '--data-dir', dataDir, '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    closing(() => child.kill('SIGKILL'));
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { services } = JSON.parse(line.toString()) as {
      services: { blob: { url: string; account: string; key: string } };
    };
    const { url: endpoint, account, key } = services.blob;
    const container = clientOf({ endpoint, account, key }).getContainerClient('photos');
    await container.create({ metadata: { of: 'shop' } });
    const blob = container.getBlockBlobClient('a');
    await blob.upload('one', 3, { metadata: { a: 'b' }, tags: { c: 'd' } });
    await container.getBlockBlobClient('staged').stageBlock('AAAA', 'two', 3);
    const { etag } = await blob.getProperties();
    const half = http.request(`${endpoint}/photos/half`, {
      method: 'PUT',
      headers: {
        authorization: 'Bearer local',
        'x-ms-version': VERSION,
        'x-ms-blob-type': 'BlockBlob',
        'content-length': 100,
      },
    });
    half.on('error', () => undefined);
    half.write('half of it');
    child.kill('SIGKILL');
    await once(child, 'exit');

    const again = await startBlob({ dataDir: path.join(dataDir, 'blob') });
    closing(() => again.close());
    const after = clientOf(again).getContainerClient('photos');
    expect(await after.getProperties()).toMatchObject({ metadata: { of: 'shop' } });
    expect(await contentOf(after.getBlockBlobClient('a'))).toBe('one');
    expect(await after.getBlockBlobClient('a').getProperties()).toMatchObject({ etag, metadata: { a: 'b' } });
    expect(await after.getBlockBlobClient('half').exists()).toBe(false);
    await after.getBlockBlobClient('staged').commitBlockList(['AAAA']);
    expect(await contentOf(after.getBlockBlobClient('staged'))).toBe('two');
  });

  test('has no bytes of what is gone, and a journal that does not grow without end', async () => {
    const dataDir = temporaryFolder();
    const { emulator, container, blob } = await open({ dataDir, compactAbove: 10 });
    for (let round = 0; round < 30; round += 1)
      await blob('a').upload(`round ${round}`, `round ${round}`.length);
    await blob('b').upload('bee', 3);
    await blob('b').delete();
    expect(await contentOf(container.getBlockBlobClient('a'))).toBe('round 29');
    await emulator.close();
    const files = fs
      .readdirSync(path.join(dataDir, 'objects'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile());
    expect(files).toHaveLength(1);
    const lines = fs.readFileSync(path.join(dataDir, 'journal.jsonl'), 'utf8').split('\n');
    expect(lines.length).toBeLessThan(30);
  });
});
