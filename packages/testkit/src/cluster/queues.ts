/** The queues of a site as its emulators tell them, without taking anything; and moving dead letters back. */
import {
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { ServiceBusClient } from '@azure/service-bus';
import type { StackSite } from '@tandem-clouds/command-line/running-stack';
import type { Vector } from '@tandem-clouds/replication/vector';
import { queryJson } from './request.ts';

const RESPONSE_WITHIN_MS = 5_000;
const ACCOUNT = '000000000000';
const DEAD = 'tandem-dead';
const BATCH = 10;

/** What a message carries, read without the product's code. */
export interface Carried {
  readonly key: string;
  readonly vector: Vector;
}

/**
 * The states that wait in a queue or, for `tandem-in`, among the dead letters; those of a pack, too.
 * @throws NoAnswerError
 */
export async function carriedBy(site: StackSite, queue: string): Promise<readonly Carried[]> {
  const bodies = (await query(site, `/${queue}/bodies`)) as readonly string[];
  return bodies.flatMap((body) => {
    const message = parse(body);
    return (message?.events ?? [message]).flatMap((event) =>
      event?.key === undefined ? [] : [{ key: event.key, vector: event.state?.vector ?? {} }],
    );
  });
}

/**
 * The states that a site's peers have sent and that it has not applied. What a pack leaves goes on to the inbound queue, so
 * the queues are read in the order in which a state moves, and none is missed. @throws NoAnswerError
 */
export async function carriedTo(site: StackSite): Promise<readonly Carried[]> {
  return [...(await carriedBy(site, 'tandem-verify')), ...(await carriedBy(site, 'tandem-in'))];
}

/** Messages that are in the site's own and inbound queue and in those of reactions, and set aside. @throws NoAnswerError */
export async function depths(
  site: StackSite,
): Promise<{ out: number; in: number; react: number; dead: number }> {
  const counts = (await query(site, '')) as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  const sum = (queue: string, ...states: string[]): number =>
    states.reduce((total, state) => total + Number(counts[queue]?.[state] ?? 0), 0);
  const held = (queue: string): number =>
    sum(queue, 'visible', 'inFlight', 'delayed', 'active', 'scheduled', 'deferred');
  return {
    out: held('tandem-out'),
    in: held('tandem-in'),
    react: held('tandem-react') + held('tandem-objects'),
    dead: held(DEAD) + sum('tandem-in', 'deadLetter') + sum('tandem-out', 'deadLetter'),
  };
}

/** What an operator does after a bad day: every dead letter goes back to where it came from. Returns how many. */
export function redrive(site: StackSite): Promise<number> {
  return site.cloud === 'aws' ? redriveSqs(site) : redriveServiceBus(site);
}

interface EventText {
  readonly key?: string;
  readonly source?: string;
  readonly state?: { readonly vector?: Vector };
  /** Of a pack. */
  readonly events?: readonly EventText[];
  /** Of a step of a comparison, and of a pack. */
  readonly kind?: string;
}

function parse(body: string): EventText | undefined {
  try {
    return JSON.parse(body) as EventText;
  } catch {
    return undefined;
  }
}

/** Steps and packs left the queue of comparisons, events of the site itself its own queue, all others its inbound one. */
function queueOf(site: StackSite, body: string): string {
  const message = parse(body);
  if (message?.kind !== undefined) return 'tandem-verify';
  return message?.source === site.site ? 'tandem-out' : 'tandem-in';
}

async function query({ cloud, endpoints }: StackSite, path: string): Promise<unknown> {
  const base = cloud === 'aws' ? endpoints['sqs'] : endpoints['serviceBusControl'];
  return queryJson(new URL(`/_tandem/queues${path}`, base), RESPONSE_WITHIN_MS);
}

async function redriveSqs(site: StackSite): Promise<number> {
  const endpoint = site.endpoints['sqs'] ?? '';
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new SQSClient({ region: site.region, endpoint, credentials });
  const url = (queue: string): string => `${endpoint}/${ACCOUNT}/${queue}`;
  let moved = 0;
  try {
    for (;;) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl: url(DEAD), MaxNumberOfMessages: BATCH }),
      );
      if (Messages.length === 0) return moved;
      for (const { Body = '' } of Messages) {
        await client.send(new SendMessageCommand({ QueueUrl: url(queueOf(site, Body)), MessageBody: Body }));
      }
      const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
      await client.send(new DeleteMessageBatchCommand({ QueueUrl: url(DEAD), Entries }));
      moved += Messages.length;
    }
  } finally {
    client.destroy();
  }
}

async function redriveServiceBus(site: StackSite): Promise<number> {
  const client = new ServiceBusClient(site.endpoints['serviceBus'] ?? '', {
    retryOptions: { maxRetries: 1, timeoutInMs: RESPONSE_WITHIN_MS },
  });
  try {
    let moved = 0;
    for (const [queue, subQueueType] of [
      [DEAD, undefined],
      ['tandem-in', 'deadLetter'],
      ['tandem-out', 'deadLetter'],
    ] as const) {
      const receiver = client.createReceiver(queue, subQueueType === undefined ? {} : { subQueueType });
      for (;;) {
        const messages = await receiver.receiveMessages(BATCH, { maxWaitTimeInMs: 500 });
        if (messages.length === 0) break;
        for (const message of messages) {
          const text = textOf(message.body);
          const sender = client.createSender(queueOf(site, text));
          await sender.sendMessages({ body: Buffer.from(text), contentType: 'application/json' });
          await receiver.completeMessage(message);
          await sender.close();
        }
        moved += messages.length;
      }
      await receiver.close();
    }
    return moved;
  } finally {
    await client.close();
  }
}

/** The SDK has parsed it when it could. */
function textOf(body: unknown): string {
  if (Buffer.isBuffer(body)) return body.toString('utf8');
  return typeof body === 'string' ? body : JSON.stringify(body);
}
