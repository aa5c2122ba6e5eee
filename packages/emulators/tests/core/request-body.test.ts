/** No emulator keeps more of a request than its service takes, and each says so as its service does. */
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ARM_BODY_BYTES_MAX, startAzureControlPlane } from '../../src/azure-control-plane/server.ts';
import { API_BODY_BYTES_MAX, startHttpEmulator } from '../../src/core/http-emulator.ts';
import { CONTROL_BODY_BYTES_MAX } from '../../src/core/request-body.ts';
import { REQUEST_BYTES_MAX as COSMOS, startCosmos } from '../../src/cosmos/server.ts';
import { REQUEST_BYTES_MAX as DYNAMO, startDynamo } from '../../src/dynamodb/server.ts';
import { BODY_BYTES_MAX as KEY_VAULT, startKeyVault } from '../../src/key-vault/server.ts';
import { TOKEN_PATH } from '../../src/oidc/protocol.ts';
import { FORM_BYTES_MAX, startIssuer } from '../../src/oidc/server.ts';
import { REQUEST_BYTES_MAX as SECRETS, startSecretsManager } from '../../src/secrets-manager/server.ts';
import { startServiceBus } from '../../src/service-bus/server.ts';
import { LIMITS } from '../../src/sqs/limits.ts';
import { startSqs } from '../../src/sqs/server.ts';

const urls = new Map<string, string>();
const closing: (() => unknown)[] = [];
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
  const open = (name: string, url: string, close: () => unknown): void => {
    urls.set(name, url);
    closing.push(close);
  };
  for (const [name, start] of [
    ['dynamo', startDynamo],
    ['sqs', startSqs],
    ['secrets', startSecretsManager],
    ['cosmos', startCosmos],
    ['keyVault', startKeyVault],
  ] as const) {
    const emulator = await start();
    open(name, emulator.endpoint.replace(/\/$/, ''), () => emulator.close());
  }
  const bus = await startServiceBus();
  open('bus', bus.controlUrl, () => bus.close());
  const issuer = await startIssuer();
  open('oidc', issuer.url, () => issuer.close());
  const other = await startHttpEmulator(() => ({ status: 200, body: 'read' }));
  open('other', other.url, () => other.close());
  const arm = await startAzureControlPlane({
    subscription: 's',
    login: { token: 't' } as never,
    packages: {} as never,
  });
  open('arm', `http://127.0.0.1:${arm.port}`, () => arm.close());
});

afterAll(async () => {
  agent.destroy();
  for (const close of closing.reverse()) await close();
});

interface Target {
  readonly at: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

/** Sends so many bytes that are JSON, in chunks: nothing says beforehand how many come. */
function send({ at, path: where = '/', method = 'POST', headers = {} }: Target, bytes: number) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const request = http.request(`${urls.get(at) ?? ''}${where}`, { method, headers, agent });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.write('{}');
    const piece = Buffer.alloc(64 * 1024, ' ');
    for (let left = bytes - 2; left > 0; left -= piece.length) request.write(piece.subarray(0, left));
    request.end();
  });
}

const aws = (target: string): Record<string, string> => ({ 'x-amz-target': `Service.${target}` });
const json = { 'content-type': 'application/json' };
const token = { authorization: 'Bearer t' };
const FAULTS = { path: '/_tandem/faults', method: 'PUT' };

test.each<[string, Target, number, number, RegExp]>([
  ['DynamoDB', { at: 'dynamo', headers: aws('BatchWriteItem') }, DYNAMO, 413, /^$/],
  [
    'SQS, a message',
    { at: 'sqs', headers: aws('SendMessage') },
    LIMITS.requestBytesMax,
    400,
    /shorter than 1048576/,
  ],
  [
    'SQS, a batch',
    { at: 'sqs', headers: aws('SendMessageBatch') },
    LIMITS.requestBytesMax,
    400,
    /BatchRequestTooLong/,
  ],
  ['Secrets Manager', { at: 'secrets', headers: aws('PutSecretValue') }, SECRETS, 400, /65,536/],
  [
    'Cosmos DB',
    { at: 'cosmos', path: '/dbs', headers: { authorization: 'x' } },
    COSMOS,
    413,
    /RequestEntityTooLarge/,
  ],
  [
    'Key Vault',
    { at: 'keyVault', path: '/secrets/a?api-version=7.5', method: 'PUT', headers: { ...token, ...json } },
    KEY_VAULT,
    400,
    /too large/,
  ],
  ['OpenID Connect', { at: 'oidc', path: TOKEN_PATH }, FORM_BYTES_MAX, 413, /invalid_request/],
  [
    'Resource Manager',
    { at: 'arm', path: '/subscriptions', headers: { ...token, host: 'management.azure.com' } },
    ARM_BODY_BYTES_MAX,
    413,
    /more than/,
  ],
  ['the APIs of DNS', { at: 'other' }, API_BODY_BYTES_MAX, 413, /^$/],
  ['faults', { at: 'sqs', ...FAULTS }, CONTROL_BODY_BYTES_MAX, 413, /more than 1048576/],
  ['budgets', { at: 'cosmos', path: '/_tandem/budget', method: 'PUT' }, CONTROL_BODY_BYTES_MAX, 413, /^$/],
  [
    'queues of Service Bus',
    { at: 'bus', path: '/_tandem/queues/q', method: 'PUT' },
    CONTROL_BODY_BYTES_MAX,
    413,
    /more than/,
  ],
])('%s', async (_, target, bytesMax, status, says) => {
  const within = await send(target, bytesMax);
  expect(within).not.toEqual({ status, text: expect.stringMatching(says) });
  const beyond = await send(target, bytesMax + 1);
  expect(beyond).toEqual({ status, text: expect.stringMatching(says) });
  // The connection is as it was.
  expect((await send(target, 2)).status).toBe(within.status);
});

test('nothing reads a body without a bound', () => {
  const root = path.join(import.meta.dirname, '../../src');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const unbounded = files.filter((file) =>
    readFileSync(path.join(root, file), 'utf8').includes('node:stream/consumers'),
  );
  expect(unbounded).toEqual([]);
});
