/** The real SDKs against HTTP emulators of AWS STS, an Azure app's identity endpoint and Entra. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type SqsEmulator, startSqs } from '@tandem-clouds/emulators/sqs/server';
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';
import { openSqs } from '../../../src/shared/adapters/aws/open-queue.ts';
import { openPeers } from '../../../src/shared/adapters/peers/open-peers.ts';
import { identityAt, roleAt } from '../../../src/shared/adapters/peers/peer-credentials.ts';
import { settleBatch } from '../../../src/shared/adapters/settle-batch.ts';
import type { PeerConfig } from '../../../src/shared/config/config.ts';
import { timeLimit } from '../../../src/shared/time-limit.ts';

interface Requested {
  readonly url: URL;
  readonly headers: http.IncomingHttpHeaders;
  readonly form: URLSearchParams;
}
interface Response {
  readonly status: number;
  readonly body: string;
}

let server: http.Server;
let origin: string;
let sqs: SqsEmulator;
let requested: Requested[];
/** By what is asked for: an `Action` of STS, `identity` or `entra`. */
let responses: Record<string, () => Response>;
const before = { ...process.env };

const TENANT = '11111111-1111-1111-1111-111111111111';
const CLIENT = '22222222-2222-2222-2222-222222222222';
const AUDIENCE = 'api://tandem-peers';
const ROLE = 'arn:aws:iam::123456789012:role/tandem-peer-sender';

const awsPeer = (rest: object = {}) =>
  ({
    site: 'aws-us-east-1',
    cloud: 'aws',
    region: 'us-east-1',
    url: origin,
    inbox: sqs.queueUrlOf('tandem-in'),
    verify: sqs.queueUrlOf('tandem-verify'),
    endpoint: sqs.endpoint,
    roleArn: ROLE,
    audience: AUDIENCE,
    ...rest,
  }) as Extract<PeerConfig, { cloud: 'aws' }>;
const azurePeer = {
  site: 'azure-eastus',
  cloud: 'azure',
  region: 'eastus',
  url: 'http://127.0.0.1',
  inbox: 'tandem-in',
  verify: 'tandem-verify',
  namespace: 'tandem.servicebus.windows.net',
  tenantId: TENANT,
  clientId: CLIENT,
} as const;

const open = (peer: PeerConfig): QueueSender => {
  const queue = openPeers([peer]).get(peer.site);
  if (queue === undefined) throw new Error('no queue');
  return queue;
};

const ok = (body: string): Response => ({ status: 200, body });
const xml = (action: string, inner: string): Response =>
  ok(
    `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${inner}</${action}Result></${action}Response>`,
  );
const denied = (code: string): Response => ({
  status: 403,
  body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>not this one</Message></Error></ErrorResponse>`,
});
const inAnHour = (): Date => new Date(Date.now() + 3_600_000);
const role = (key: string, expiration = inAnHour()): Response =>
  xml(
    'AssumeRoleWithWebIdentity',
    `<Credentials><AccessKeyId>${key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken><Expiration>${expiration.toISOString()}</Expiration></Credentials>`,
  );

/** What the emulators were asked for, in order. */
const calls = (): string[] => requested.map(kindOf);
function kindOf({ url, form }: Requested): string {
  if (url.pathname.startsWith('/identity')) return 'identity';
  if (url.pathname.endsWith('/oauth2/v2.0/token')) return 'entra';
  return form.get('Action') ?? url.pathname;
}

beforeAll(async () => {
  server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const query = { url: new URL(request.url ?? '', origin), headers: request.headers, form };
      requested.push(query);
      const reply = responses[kindOf(query)]?.() ?? { status: 404, body: '' };
      const type = reply.body.startsWith('<') ? 'text/xml' : 'application/json';
      response.writeHead(reply.status, { 'content-type': type }).end(reply.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  sqs = await startSqs();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_STS: origin,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'lambda',
    AWS_SECRET_ACCESS_KEY: 'secret',
    IDENTITY_ENDPOINT: `${origin}/identity`,
    IDENTITY_HEADER: 'the-app',
  });
  const client = openSqs({ region: 'us-east-1', endpoint: sqs.endpoint });
  await client.send(new CreateQueueCommand({ QueueName: 'tandem-in' }));
  client.destroy();
});

afterAll(async () => {
  process.env = before;
  server.closeAllConnections();
  await Promise.all([new Promise((resolve) => server.close(resolve)), sqs.close()]);
});

beforeEach(() => {
  requested = [];
  responses = {
    identity: () =>
      ok(
        JSON.stringify({
          access_token: 'token-of-the-app',
          expires_on: String(Math.floor(inAnHour().getTime() / 1000)),
          resource: AUDIENCE,
          token_type: 'Bearer',
        }),
      ),
    AssumeRoleWithWebIdentity: () => role('ASIA1'),
    GetWebIdentityToken: () =>
      xml(
        'GetWebIdentityToken',
        `<WebIdentityToken>token-of-the-role</WebIdentityToken><Expiration>${inAnHour().toISOString()}</Expiration>`,
      ),
    entra: () =>
      ok(JSON.stringify({ token_type: 'Bearer', expires_in: 3600, access_token: 'for-service-bus' })),
  };
});

/** Carries what is meant for Entra, which the SDK asks by TLS only, to the emulator. */
const toEmulator: NonNullable<NonNullable<Parameters<typeof identityAt>[1]>['http']> = {
  sendRequest: async (request) => {
    const { pathname, search } = new URL(request.url);
    const response = await fetch(`${origin}${pathname}${search}`, {
      method: request.method,
      headers: request.headers.toJSON(),
      ...(typeof request.body === 'string' && { body: request.body }),
    });
    const headers = new Map(response.headers);
    return {
      request,
      status: response.status,
      bodyAsText: await response.text(),
      headers: Object.assign(headers, {
        set: (name: string, value: string) => void headers.set(name, value),
        delete: (name: string) => void headers.delete(name),
        toJSON: () => Object.fromEntries(headers),
      }) as unknown as (typeof request)['headers'],
    };
  },
};

describe('an Azure app that sends to a queue on AWS', () => {
  test("assumes the peer's role with a token of its managed identity", async () => {
    await expect(roleAt(awsPeer())?.()).resolves.toMatchObject({
      accessKeyId: 'ASIA1',
      sessionToken: 'session',
    });
    const sts = requested.find(({ form }) => form.has('Action'));
    expect(Object.fromEntries(sts?.form ?? [])).toMatchObject({
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: ROLE,
      WebIdentityToken: 'token-of-the-app',
      DurationSeconds: '3600',
    });
    expect(sts?.headers.authorization).toBeUndefined();
  });

  test('asks the identity endpoint for a token made out to the application that the role trusts', async () => {
    // A token is kept for as long as it is good: another audience asks anew.
    await roleAt(awsPeer({ audience: 'api://another' }))?.();
    const identity = requested.find((query) => kindOf(query) === 'identity');
    expect(identity?.url.searchParams.get('resource')).toBe('api://another');
    expect(identity?.headers['x-identity-header']).toBe('the-app');
  });

  test('sends with it, and asks once for all batches that leave at the same time', async () => {
    const queue = open(awsPeer());
    const results = await Promise.all([1, 2, 3].map((n) => queue.send([{ id: '0', body: `message ${n}` }])));
    expect(results).toEqual([[undefined], [undefined], [undefined]]);
    expect(calls().filter((call) => call === 'AssumeRoleWithWebIdentity')).toHaveLength(1);
    expect(sqs.queues()['tandem-in']?.visible).toBe(3);
    await queue.close();
  });

  test('signs with new credentials shortly before the old ones end, and goes on with those while there are none', async () => {
    const soon = new Date(Date.now() + 4 * 60_000);
    const given = [role('ASIA1', soon), denied('AccessDenied')];
    responses['AssumeRoleWithWebIdentity'] = () => given.shift() ?? role('ASIA3');
    const queue = open(awsPeer());
    for (const id of ['0', '1', '2']) {
      await expect(queue.send([{ id, body: 'message' }])).resolves.toEqual([undefined]);
    }
    // The second is refused, and for some seconds nobody asks again.
    expect(calls().filter((call) => call === 'AssumeRoleWithWebIdentity')).toHaveLength(2);
    await queue.close();
  });

  test('keeps the message for another try when the role refuses, and says what to look at', async () => {
    responses['AssumeRoleWithWebIdentity'] = () => denied('AccessDenied');
    const queue = open(awsPeer());
    const [error] = await queue.send([{ id: '0', body: 'message' }]);
    expect(error).toMatchObject({ code: 'unavailable', retryable: true });
    expect(error?.message).toMatch(
      /^aws-us-east-1: arn:aws:iam::123456789012:role\/tandem-peer-sender cannot be assumed \(AccessDenied: not this one\); does the role trust/,
    );
    const log = jest.fn();
    const message = { id: 'm', body: '', attributes: {}, attempts: 1 };
    const retries = await settleBatch(
      'tandem-out',
      [message],
      () => Promise.resolve([{ kind: 'retry', error: error! }]),
      {
        deadLetters: { send: () => Promise.resolve([]) },
        logger: { log },
        metrics: { record: () => undefined },
        times: { handle: timeLimit({ ms: 1_000 }), send: () => timeLimit({ ms: 1_000 }) },
      },
    );
    expect(retries.map(({ message: { id } }) => id)).toEqual(['m']);
    expect(log).toHaveBeenCalledWith(
      'warn',
      'message will be delivered again',
      expect.objectContaining({ error: error?.message }),
    );
    await queue.close();
  });

  test('says so when its own identity gives no token', async () => {
    responses['identity'] = () => ({ status: 400, body: '{"error":"invalid_resource"}' });
    await expect(roleAt(awsPeer({ audience: 'api://unknown' }))?.()).rejects.toThrow(
      /^aws-us-east-1: the app's identity has no token for api:\/\/unknown \(.*; does the app have a managed identity/s,
    );
  });

  test('without a role, signs with the keys of the environment', () => {
    const { roleArn, audience, ...peer } = awsPeer();
    expect([roleArn, audience, roleAt(peer)]).toEqual([ROLE, AUDIENCE, undefined]);
  });
});

describe('a Lambda function that sends to a queue on Azure', () => {
  test("exchanges AWS's word about its role for a token of the peer's identity", async () => {
    const token = await identityAt(azurePeer, { http: toEmulator })?.getToken(
      'https://servicebus.azure.net/.default',
    );
    expect(token).toMatchObject({ token: 'for-service-bus' });
    expect((token?.expiresOnTimestamp ?? 0) - Date.now()).toBeGreaterThan(3_500_000);
    const [sts] = requested.filter(({ form }) => form.has('Action'));
    expect(Object.fromEntries(sts?.form ?? [])).toMatchObject({
      Action: 'GetWebIdentityToken',
      'Audience.member.1': 'api://AzureADTokenExchange',
      SigningAlgorithm: 'RS256',
      DurationSeconds: '300',
    });
    expect(sts?.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=lambda\//);
    const entra = requested.find((query) => kindOf(query) === 'entra');
    expect(entra?.url.pathname).toContain(TENANT);
    expect(Object.fromEntries(entra?.form ?? [])).toMatchObject({
      client_id: CLIENT,
      scope: 'https://servicebus.azure.net/.default',
      grant_type: 'client_credentials',
      client_assertion: 'token-of-the-role',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
  });

  test('asks once for all links that open at the same time, and keeps the token', async () => {
    const identity = identityAt(azurePeer, { http: toEmulator })!;
    await Promise.all([1, 2, 3].map(() => identity.getToken('scope')));
    await identity.getToken('scope');
    expect(calls().filter((call) => ['GetWebIdentityToken', 'entra'].includes(call))).toHaveLength(2);
  });

  test.each([
    [
      'AWS does not vouch for it',
      'GetWebIdentityToken',
      () => denied('OutboundWebIdentityFederationDisabled'),
      /^azure-eastus: AWS does not vouch for this function \(OutboundWebIdentityFederationDisabled.*: not this one\); is outbound identity federation on/,
    ],
    [
      'Entra does not know its role',
      'entra',
      () => ({
        status: 401,
        body: JSON.stringify({
          error: 'invalid_client',
          error_description:
            'AADSTS700213: No matching federated identity record found for presented subject',
        }),
      }),
      /^azure-eastus: Entra gives no token for 2{8}-.*AADSTS700213.*; does a federated credential/s,
    ],
  ])('says which peer and what to look at when %s', async (_, step, response, message) => {
    responses[step] = response;
    const refused = identityAt(azurePeer, { http: toEmulator })?.getToken('scope');
    await expect(refused).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(message),
    });
  });

  test('without an identity there, signs in with what the environment has', () => {
    const { tenantId, clientId, ...peer } = azurePeer;
    expect([tenantId, clientId, identityAt(peer)]).toEqual([TENANT, CLIENT, undefined]);
  });
});
