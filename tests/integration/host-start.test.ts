/** A function host that cannot start ends, whatever it is that fails, so that its supervisor can start it again. */
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Emulator } from '@tandem-clouds/emulators/core/emulator';
import { startDynamo } from '@tandem-clouds/emulators/dynamodb/server';
import { startServiceBus } from '@tandem-clouds/emulators/service-bus/server';
import { startSqs } from '@tandem-clouds/emulators/sqs/server';
import { cleanEnvironment, copyAwsService, sls } from '../helpers/aws-service.ts';
import { copyAzureService } from '../helpers/azure-service.ts';

const ENDS_WITHIN_MS = 100_000;

const closers: (() => unknown)[] = [];

function closing<T extends Emulator>(emulator: T): T {
  closers.push(() => emulator.close());
  return emulator;
}

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

/** Runs `sls offline` to its end. */
async function host(dir: string, cloud: string, env: Record<string, string>): Promise<Ended> {
  closers.push(() => fs.rmSync(dir, { recursive: true, force: true }));
  const { child, output } = sls(dir, ['offline', '-c', `serverless.${cloud}.yml`], cleanEnvironment(env));
  closers.push(() => void child.kill('SIGKILL'));
  const [status] = (await once(child, 'exit')) as [number | null];
  return { status, output: output.join('') };
}

const AT_AWS = [
  ['the table is throttled', 'dynamodb', { kind: 'error', code: 'ThrottlingException' }, /Throttling/],
  ['the table does not answer', 'dynamodb', { kind: 'latency', latencyMs: 3_600_000 }, /[Tt]ime/],
  ['the queues are refused', 'sqs', { kind: 'error' }, /./],
  ['the queues do not answer', 'sqs', { kind: 'latency', latencyMs: 3_600_000 }, /[Tt]ime/],
] as const;

const AT_AZURE: [string, number | undefined][] = [
  ['is throttled', 429],
  ['does not answer', undefined],
];

async function atAws([, service, fault]: (typeof AT_AWS)[number]): Promise<Ended> {
  const dynamo = closing(await startDynamo());
  const sqs = closing(await startSqs());
  (service === 'sqs' ? sqs : dynamo).faults.set([fault]);
  return host(copyAwsService(), 'aws', {
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    TANDEM_HTTP_PORT: '0',
  });
}

async function atAzure([, status]: (typeof AT_AZURE)[number]): Promise<Ended & { endpoint: string }> {
  const endpoint = await answering(status);
  const broker = closing(await startServiceBus());
  const ended = await host(copyAzureService(), 'azure', {
    COSMOS_ENDPOINT: endpoint,
    COSMOS_KEY: Buffer.from('local').toString('base64'),
    ServiceBus: broker.endpoint,
    SERVICE_BUS_CONNECTION: broker.endpoint,
    SERVICE_BUS_CONTROL_URL: broker.controlUrl,
    TANDEM_HTTP_PORT: '0',
  });
  return { ...ended, endpoint };
}

// All at once: what they do is wait.
const awsHosts = new Map<string, Promise<Ended>>();
const azureHosts = new Map<string, ReturnType<typeof atAzure>>();

beforeAll(() => {
  for (const one of AT_AWS) awsHosts.set(one[0], atAws(one));
  for (const one of AT_AZURE) azureHosts.set(one[0], atAzure(one));
  // Each is reported by its test.
  for (const one of [...awsHosts.values(), ...azureHosts.values()]) one.catch(() => undefined);
});

afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

describe('a function host ends with a status and the reason', () => {
  test.each(AT_AWS)(
    'at AWS, when %s',
    async (title, _service, _fault, reason) => {
      const ended = await awsHosts.get(title);
      expect(ended?.output).toMatch(reason);
      expect(ended?.status).toBe(1);
    },
    ENDS_WITHIN_MS,
  );

  test.each(AT_AZURE)(
    'at Azure, when the database %s',
    async (title) => {
      const ended = await azureHosts.get(title);
      expect(ended?.output).toContain(`Cosmos DB at ${ended?.endpoint}`);
      expect(ended?.status).toBe(1);
    },
    ENDS_WITHIN_MS,
  );
});

/** A server that answers every request with this status, or never. */
async function answering(status: number | undefined): Promise<string> {
  const server = http.createServer((_request, response) => {
    if (status !== undefined) response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
