/** Probes of a site, what their refusals mean, and what outsiders add. */
import http from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { readFinding } from '../../scripts/first-check/read-finding.ts';
import { statusOf, toText } from '../../scripts/first-check/report.ts';
import { ANYWHERE, type Cloud, COMMON, PROBES } from '../../scripts/first-check/table.ts';
import { openProbes as openAws } from '../../src/shared/adapters/aws/cloud.ts';
import { openProbes as openAzure } from '../../src/shared/adapters/azure/cloud.ts';
import { countMessages } from '../../src/shared/adapters/azure/probes.ts';
import { tlsProbe } from '../../src/shared/adapters/negotiated-tls.ts';
import { peerObjectProbes } from '../../src/shared/adapters/peers/peer-object-probes.ts';
import { peerProbes } from '../../src/shared/adapters/peers/peer-probes.ts';
import type { Config, PeerConfig } from '../../src/shared/config/config.ts';
import { memoryProbe, timerProbe } from '../../src/shared/http/operations/first-check.ts';
import { firstCheck } from '../../src/shared/operations/first-check.ts';
import { type Finding, NotCheckedError, type Probe } from '../../src/shared/ports/probe.ts';
import { selfSigned } from '../helpers/self-signed.ts';

const closers: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

const elapsed = (): number => 0;
const found = async (probe: Probe): Promise<Finding> => (await firstCheck([[probe]], elapsed))[0]!;

const AWS_PEER: PeerConfig = {
  site: 'aws-us-east-1',
  cloud: 'aws',
  region: 'us-east-1',
  url: 'https://aws.example',
  inbox: 'https://sqs.us-east-1.amazonaws.com/123456789012/tandem-in',
  verify: 'https://sqs.us-east-1.amazonaws.com/123456789012/tandem-verify',
  roleArn: 'arn:aws:iam::123456789012:role/peer',
  audience: 'api://tandem-peers',
};
const AZURE_PEER: PeerConfig = {
  site: 'azure-eastus',
  cloud: 'azure',
  region: 'eastus',
  url: 'https://azure.example',
  inbox: 'tandem-in',
  verify: 'tandem-verify',
  namespace: 'tandem.servicebus.windows.net',
};
const BASE = {
  logLevel: 'error',
  operatorKeys: [],
  jwtIssuers: [],
  serviceKeys: [],
  retiredSites: [],
  rebuilding: false,
  own: {},
  trustsEverybody: false,
  callerLimits: {},
  storeTimeoutMs: 1_500,
} as const;
const sqs = (name: string): string => `https://sqs.us-east-1.amazonaws.com/123456789012/${name}`;
const CONFIGS: Record<Cloud, Config> = {
  aws: {
    ...BASE,
    site: 'aws-us-east-1',
    region: 'us-east-1',
    peers: [AZURE_PEER],
    aws: {
      table: 'tandem',
      outUrl: sqs('tandem-out'),
      inUrl: sqs('tandem-in'),
      deadUrl: sqs('tandem-dead'),
      tickUrl: sqs('tandem-tick'),
      verifyUrl: sqs('tandem-verify'),
      reactUrl: sqs('tandem-react'),
      objectsQueueUrl: sqs('tandem-objects'),
      secretsPrefix: 'tandem',
    },
  },
  azure: {
    ...BASE,
    site: 'azure-eastus',
    region: 'eastus',
    peers: [AWS_PEER],
    azure: {
      cosmosEndpoint: 'https://tandem.documents.azure.com:443/',
      cosmosKey: 'bG9jYWw=',
      cosmosDatabase: 'tandem',
      cosmosContainer: 'records',
      serviceBusNamespace: 'tandem.servicebus.windows.net',
      resourceManager: 'https://management.azure.com',
      outQueue: 'tandem-out',
      inQueue: 'tandem-in',
      deadQueue: 'tandem-dead',
      verifyQueue: 'tandem-verify',
      reactQueue: 'tandem-react',
      objectsQueue: 'tandem-objects',
    },
  },
};
/** Made by the function itself, or by the command. */
const OTHERS = ['host.timer', 'host.memory', 'http.health', 'http.replication', 'triggers'];

describe('the table', () => {
  test.each(['aws', 'azure'] as const)(
    'has a row for every probe that a site on %s makes, and no other',
    (cloud) => {
      const config = CONFIGS[cloud];
      const groups = cloud === 'aws' ? openAws(config, 'n') : openAzure(config, 'n');
      const peers = peerProbes({ site: config.site, cloud, peers: config.peers });
      const objects = peerObjectProbes(cloud, config.peers);
      const made = new Set([...[...groups, ...peers, objects].flat().map(({ id }) => id), ...OTHERS]);
      const rows = PROBES.filter(({ calls }) => calls[cloud] !== undefined).map(({ id }) => id);
      expect([...made].sort()).toEqual([...new Set(rows)].sort());
      expect(rows.length).toBe(new Set(rows).size);
    },
  );

  test('says of every probe what it calls, what it needs and where that is written, and of every refusal its mend', () => {
    for (const { id, calls, needs, source, refusals } of PROBES) {
      expect([id, Object.keys(needs)]).toEqual([id, Object.keys(calls)]);
      expect(source).toMatch(
        /^https:\/\/(docs\.aws\.amazon\.com|learn\.microsoft\.com|www\.rfc-editor\.org)\//,
      );
      for (const { means, mend } of refusals) expect([means.length, mend.length]).not.toContain(0);
    }
  });
});

// The texts are those of the vendors' errors; each row of the table is met by one.
const REFUSED: readonly [cloud: Cloud, probe: string, seen: string, mend: RegExp][] = [
  [
    'aws',
    'federation.token',
    'OutboundWebIdentityFederationDisabledException: The outbound web identity federation feature is not enabled for this account.',
    /aws iam enable-outbound-web-identity-federation/,
  ],
  [
    'aws',
    'federation.token',
    'AccessDenied: User is not authorized to perform: sts:GetWebIdentityToken',
    /federation=azure/,
  ],
  [
    'azure',
    'federation.token',
    'AuthenticationError: AADSTS500011: The resource principal named api://tandem-peers was not found in the tenant',
    /az ad app create/,
  ],
  ['azure', 'federation.token', 'ChainedTokenCredential authentication failed', /identity show/],
  [
    'aws',
    'federation.exchange',
    'AADSTS700213: No matching federated identity record found for presented assertion subject',
    /awsIssuer and awsSubjects/,
  ],
  ['aws', 'federation.exchange', "AADSTS90002: Tenant 'x' not found", /tenantId and clientId/],
  [
    'azure',
    'federation.exchange',
    'InvalidIdentityToken: No OpenIDConnect provider found in your account',
    /azureTenantId and azureAudience/,
  ],
  [
    'azure',
    'federation.exchange',
    'AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity',
    /azurePrincipalIds/,
  ],
  [
    'azure',
    'peer.send',
    'UnavailableError: aws-us-east-1: arn:aws:iam::1:role/a cannot be assumed',
    /federation.exchange of the same peer/,
  ],
  ['azure', 'store.patch', 'UnavailableError: Cosmos DB: 403', /name the action/],
  [
    'azure',
    'store.list',
    'Cosmos DB: 403: required RBAC permissions to perform action [containers/executeQuery]',
    /Tandem records/,
  ],
  ['azure', 'store.create', 'UnavailableError: Cosmos DB: 403: Forbidden', /some minutes/],
  [
    'azure',
    'store.due',
    'RefusedError: Cosmos DB: 400: The order by query does not have a corresponding composite index',
    /makes the index due/,
  ],
  [
    'aws',
    'store.due',
    'RefusedError: DynamoDB: ValidationException: The table does not have the specified index: due',
    /one index at a time/,
  ],
  ['azure', 'store.nul', 'RefusedError: Cosmos DB: 400', /json-text/],
  ['azure', 'store.surrogate', 'Error: altered', /nothing to do/],
  [
    'azure',
    'queue.send',
    'UnavailableError: Service Bus: UnauthorizedAccess: Unauthorized access',
    /some minutes/,
  ],
  [
    'azure',
    'queue.depth',
    'UnavailableError: unavailable: Resource Manager, queue tandem-dead: 403: {"error":{"code":"AuthorizationFailed"}}',
    /SERVICE_BUS_ID/,
  ],
  ['azure', 'queue.count', 'Error: HTTP 401: Unauthorized', /decision 0050/],
  [
    'aws',
    'store.write',
    'UnavailableError: DynamoDB: AccessDeniedException: not authorized to perform: dynamodb:PutItem',
    /deploy the release again/,
  ],
  [
    'aws',
    'store.write',
    'not authorized to perform: dynamodb:PutItem with an explicit deny in a service control policy',
    /service control policies/,
  ],
  [
    'aws',
    'queue.send',
    'UnavailableError: SQS: QueueDoesNotExist: The specified queue does not exist',
    /compare the parameters/,
  ],
  [
    'aws',
    'queue.send',
    'UnrecognizedClientException: The security token included in the request is invalid',
    /list-regions/,
  ],
  ['aws', 'queue.send', 'UnavailableError: SQS: RequestThrottled', /quota/],
  [
    'aws',
    'peer.objects',
    'UnavailableError: azure-eastus: AWS does not vouch for this function (AccessDenied: no)',
    /federation.token/,
  ],
  ['azure', 'peer.objects', 'UnavailableError: aws-us-east-1: S3: 403: 403', /feature objects/],
  ['azure', 'tls', 'Error: EPROTO: SSL routines::tlsv1 alert protocol version', /0067/],
  ['azure', 'tls', 'Error: DEPTH_ZERO_SELF_SIGNED_CERT: self-signed certificate', /opens TLS/],
  ['azure', 'tls', 'Error: ENOTFOUND: getaddrinfo ENOTFOUND nobody.example', /private DNS/],
  ['aws', 'tls', 'Error: ECONNREFUSED', /5671/],
  ['aws', 'host.timer', 'Error: no heartbeat of this site: its sweeper has never run', /log of sweep/],
  ['azure', 'host.memory', 'Error: 430 of 512 MB are in use', /instanceMemoryMB=2048/],
  ['azure', 'http.health', 'Error: HTTP 404', /function list/],
  ['aws', 'triggers', 'Error: after 90 s tandem-out holds 1 messages', /get-account-settings/],
];
const finding = (probe: string, seen: string): Finding => ({
  probe,
  subject: '',
  result: 'refused',
  seen,
  ms: 1,
});

describe('a refusal', () => {
  test.each(REFUSED)('on %s of %s is read: %s', (cloud, probe, seen, mend) => {
    expect(readFinding(finding(probe, seen), cloud).mend).toMatch(mend);
  });

  test('of every kind in the table is among those', () => {
    const rows = [...PROBES.flatMap(({ id, refusals }) => refusals.map((one) => ({ id, ...one })))];
    for (const { id, when } of rows) {
      expect([id, when.source, REFUSED.some(([, probe, seen]) => probe === id && when.test(seen))]).toEqual([
        id,
        when.source,
        true,
      ]);
    }
    for (const { when } of [...COMMON.aws, ...COMMON.azure, ...ANYWHERE])
      expect([when.source, REFUSED.some(([, , seen]) => when.test(seen))]).toEqual([when.source, true]);
  });

  test('that nothing knows says so, with what the service said', () => {
    const reading = readFinding(finding('queue.send', 'Error: something new'), 'aws');
    expect(reading).toMatchObject({ means: expect.stringContaining('no row'), seen: 'Error: something new' });
  });

  test('is in the report with its mend and its source, and makes the command fail unless it is harmless', () => {
    const readings = (probe: string, seen: string) => [readFinding(finding(probe, seen), 'azure')];
    const report = {
      site: 'azure-eastus',
      cloud: 'azure',
      readings: readings('queue.count', 'HTTP 401'),
    } as const;
    expect(toText(report)).toContain('REFUSED  queue.count');
    expect(toText(report)).toMatch(/mend {5}deploy again so that the app owns/);
    expect(toText(report)).toContain('0 ok, 1 to be mended, 0 harmless, 0 not checked');
    expect(statusOf(report)).toBe(1);
    expect(statusOf({ ...report, readings: readings('store.surrogate', 'altered') })).toBe(0);
  });
});

describe('a check', () => {
  test('has a finding for every probe, whatever the others do, with an error and its causes', async () => {
    const groups = [
      [
        { id: 'a', run: () => Promise.reject(new Error('outer', { cause: new Error('inner') })) },
        { id: 'b', subject: 'x', run: () => Promise.resolve('fine') },
      ],
      [{ id: 'c', run: () => Promise.reject(new NotCheckedError('nothing there')) }],
      [{ id: 'd', run: () => new Promise<string>(() => undefined) }],
    ];
    const findings = await firstCheck(groups, elapsed, 10);
    expect(findings.map(({ probe, subject, result, seen }) => [probe, subject, result, seen])).toEqual([
      ['a', '', 'refused', 'Error: outer <- Error: inner'],
      ['b', 'x', 'ok', 'fine'],
      ['c', '', 'skipped', 'nothing there'],
      ['d', '', 'refused', 'Error: no answer within 10 ms'],
    ]);
  });

  test('reads the age of a heartbeat and the memory in use', async () => {
    expect(await found(timerProbe(() => Promise.resolve(30_000), 30_000))).toMatchObject({ result: 'ok' });
    expect(await found(timerProbe(() => Promise.resolve(121_000), 30_000))).toMatchObject({
      result: 'refused',
    });
    expect(await found(timerProbe(() => Promise.resolve(undefined), 30_000))).toMatchObject({
      result: 'refused',
    });
    const mb = (n: number) => () => n * 2 ** 20;
    expect(await found(memoryProbe(mb(84), mb(512)))).toMatchObject({ result: 'ok', seen: '84 of 512 MB' });
    expect(await found(memoryProbe(mb(430), mb(512)))).toMatchObject({ result: 'refused' });
  });

  test.each([
    ['TLSv1.3', 'TLSv1.3 TLS_AES_'],
    ['TLSv1.2', 'TLSv1.2 TLS_ECDHE_ECDSA_'],
  ] as const)('says what an address negotiates: at most %s', async (maxVersion, expected) => {
    const own = selfSigned();
    const options = { ...own, maxVersion };
    const port = await listening(tls.createServer(options, (socket) => socket.on('error', () => undefined)));
    const probe = tlsProbe('x', `https://localhost:${port}`, own.cert);
    expect(await found(probe)).toMatchObject({ result: 'ok', seen: expect.stringContaining(expected) });
  });

  test('refuses an address whose certificate nobody vouches for, or that speaks no TLS', async () => {
    const port = await listening(
      tls.createServer(selfSigned(), (socket) => socket.on('error', () => undefined)),
    );
    const stranger = await found(tlsProbe('x', `https://localhost:${port}`));
    expect(readFinding(stranger, 'aws').mend).toContain('opens TLS');
    const plain = await listening(http.createServer());
    expect((await found(tlsProbe('x', `https://127.0.0.1:${plain}`))).result).toBe('refused');
    expect((await found(tlsProbe('x', 'http://127.0.0.1:1'))).result).toBe('skipped');
  });

  test('asks for the length of a queue as the platform does', async () => {
    const requested: string[] = [];
    const server = http.createServer((request, response) => {
      requested.push(`${request.url} ${request.headers.authorization}`);
      if (request.url?.startsWith('/tandem-in') === true) {
        response.end(
          '<entry><content><QueueDescription><MessageCount>7</MessageCount></QueueDescription></content></entry>',
        );
      } else
        response
          .writeHead(401)
          .end('<Error><Code>401</Code><Detail>Manage claim is required</Detail></Error>');
    });
    const base = `http://127.0.0.1:${await listening(server)}`;
    expect(await countMessages(base, 'tandem-in', 'token')).toBe('7 messages');
    expect(requested).toEqual(['/tandem-in?api-version=2021-05 Bearer token']);
    await expect(countMessages(base, 'tandem-out', 'token')).rejects.toThrow('HTTP 401');
  });

  test('names outbound federation that is switched off, with the real SDK', async () => {
    const server = http.createServer((_, response) => {
      response
        .writeHead(403, { 'content-type': 'text/xml' })
        .end(
          `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>OutboundWebIdentityFederationDisabledException</Code><Message>The outbound web identity federation feature is not enabled for this account.</Message></Error></ErrorResponse>`,
        );
    });
    const port = await listening(server);
    jest.replaceProperty(process, 'env', {
      ...process.env,
      AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${port}`,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
    });
    try {
      const [group = []] = peerProbes({ site: 'aws-us-east-1', cloud: 'aws', peers: [AZURE_PEER] });
      const [token, exchange] = await firstCheck(
        [group.filter(({ id }) => id.startsWith('federation.'))],
        elapsed,
      );
      expect(readFinding(token!, 'aws').mend).toContain('aws iam enable-outbound-web-identity-federation');
      expect(exchange).toMatchObject({ result: 'skipped' });
    } finally {
      jest.restoreAllMocks();
    }
  });
});
