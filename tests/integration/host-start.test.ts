/** A function host that cannot start ends, whatever it is that fails, so that its supervisor can start it again. */
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import type { Emulator } from '@tandem-clouds/emulators/core/emulator';
import { startDynamo } from '@tandem-clouds/emulators/dynamodb/server';
import { startServiceBus } from '@tandem-clouds/emulators/service-bus/server';
import { startSqs } from '@tandem-clouds/emulators/sqs/server';
import { cleanEnvironment, copyAwsService, sls } from '../helpers/aws-service.ts';
import { copyAzureService } from '../helpers/azure-service.ts';
import { closeAfterEach } from '../helpers/cleanup.ts';

const ENDS_WITHIN_MS = 100_000;

const onCleanup = closeAfterEach();

function closing<T extends Emulator>(emulator: T): T {
  onCleanup(() => emulator.close());
  return emulator;
}

/** Runs `sls offline` to its end. @returns Exit status and output. */
async function host(dir: string, cloud: string, env: Record<string, string>) {
  onCleanup(() => fs.rmSync(dir, { recursive: true, force: true }));
  const { child, output } = sls(dir, ['offline', '-c', `serverless.${cloud}.yml`], cleanEnvironment(env));
  onCleanup(() => void child.kill('SIGKILL'));
  const [status] = (await once(child, 'exit')) as [number | null];
  return { status, output: output.join('') };
}

describe('a function host ends with a status and the reason', () => {
  test.each([
    ['the table is throttled', 'dynamodb', { kind: 'error', code: 'ThrottlingException' }, /Throttling/],
    ['the table does not answer', 'dynamodb', { kind: 'latency', latencyMs: 3_600_000 }, /[Tt]ime/],
    ['the queues are refused', 'sqs', { kind: 'error' }, /./],
    ['the queues do not answer', 'sqs', { kind: 'latency', latencyMs: 3_600_000 }, /[Tt]ime/],
  ] as const)(
    'at AWS, when %s',
    async (_title, service, fault, reason) => {
      const dynamo = closing(await startDynamo());
      const sqs = closing(await startSqs());
      (service === 'sqs' ? sqs : dynamo).faults.set([fault]);
      const { status, output } = await host(copyAwsService(), 'aws', {
        AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
        AWS_ENDPOINT_URL_SQS: sqs.endpoint,
        TANDEM_HTTP_PORT: '0',
      });
      expect(output).toMatch(reason);
      expect(status).toBe(1);
    },
    ENDS_WITHIN_MS,
  );

  test.each([
    ['is throttled', 429],
    ['does not answer', undefined],
  ])(
    'at Azure, when the database %s',
    async (_title, status) => {
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
      expect(ended.output).toContain(`Cosmos DB at ${endpoint}`);
      expect(ended.status).toBe(1);
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
  onCleanup(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
