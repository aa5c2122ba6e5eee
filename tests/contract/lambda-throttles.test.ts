/**
 * An account of little concurrency: a throttled batch has been received, and the deployed queues must outlast that.
 * The queues' own settings, and SQS with a clock of the test's own.
 */
import fs from 'node:fs';
import path from 'node:path';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { type SqsEmulator, startSqs } from '@tandem-clouds/emulators/sqs/server';
import { AccountConcurrency, concurrencyLimit } from '@tandem-clouds/local/aws-host/account-concurrency';

const TEMPLATE = parse(
  fs.readFileSync(path.join(import.meta.dirname, '../../infra/aws/queues.yml'), 'utf8'),
) as { Resources: Record<string, { Properties: Record<string, unknown> }> };

interface Declared {
  readonly visibilitySeconds: number;
  readonly maxReceiveCount: number;
}

function declared(queue: string): Declared {
  const { VisibilityTimeout, RedrivePolicy } = TEMPLATE.Resources[queue]?.Properties ?? {};
  const { maxReceiveCount } = RedrivePolicy as { maxReceiveCount: number };
  return { visibilitySeconds: Number(VisibilityTimeout), maxReceiveCount };
}

let nowMs: number;
let sqs: SqsEmulator;
let client: SQSClient;

beforeEach(async () => {
  nowMs = 1_000_000_000_000;
  sqs = await startSqs({ now: () => nowMs });
  client = new SQSClient({
    region: 'us-east-1',
    endpoint: sqs.endpoint,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});

afterEach(async () => {
  client.destroy();
  await sqs.close();
});

async function create(name: string, attributes: Record<string, string>): Promise<string> {
  const { QueueUrl = '' } = await client.send(
    new CreateQueueCommand({ QueueName: name, Attributes: attributes }),
  );
  return QueueUrl;
}

async function attribute(url: string, name: 'QueueArn' | 'ApproximateNumberOfMessages'): Promise<string> {
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [name] }),
  );
  return Attributes?.[name] ?? '';
}

/** A message whose batch is throttled so many times, one visibility timeout after the other; what became of it. */
async function throttled(
  { visibilitySeconds, maxReceiveCount }: Declared,
  times: number,
): Promise<'handled' | 'dead'> {
  const dead = await create('dead', {});
  const url = await create('work', {
    VisibilityTimeout: String(visibilitySeconds),
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: await attribute(dead, 'QueueArn'),
      maxReceiveCount,
    }),
  });
  const account = new AccountConcurrency(1);
  // The one execution that the account allows is taken by something else, until the last time.
  let release = (): void => undefined;
  const other = account.run(() => new Promise<void>((resolve) => (release = resolve)));
  await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'healthy' }));
  for (let n = 0; n <= times; n += 1) {
    if (n === times) {
      release();
      await other;
    }
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl: url }));
    if (Messages.length === 0) break;
    const response = account.run(() => Promise.resolve('handled' as const));
    if (n === times) return response;
    await expect(response).rejects.toThrow('Rate Exceeded.');
    nowMs += visibilitySeconds * 1_000;
  }
  expect(await attribute(dead, 'ApproximateNumberOfMessages')).toBe('1');
  return 'dead';
}

describe('a batch that Lambda throttles', () => {
  test.each(['OutQueue', 'InQueue', 'VerifyQueue'])(
    '20 times is handled all the same, from %s',
    async (queue) => {
      expect(await throttled(declared(queue), 20)).toBe('handled');
    },
  );

  test('was dead-lettered with the counts of before', async () => {
    expect(await throttled({ visibilitySeconds: 90, maxReceiveCount: 5 }, 20)).toBe('dead');
  });

  test.each(['OutQueue', 'InQueue', 'VerifyQueue'])('for twelve hours stays in %s', (queue) => {
    const { visibilitySeconds, maxReceiveCount } = declared(queue);
    expect(visibilitySeconds * maxReceiveCount).toBeGreaterThan(12 * 3_600);
  });
});

test.each(['0', '1.5', 'ten'])('a concurrency of %s is refused', (text) => {
  expect(() => concurrencyLimit(text)).toThrow(RangeError);
});
