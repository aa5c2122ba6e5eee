/**
 * A slow and a silent peer for an hour, at a site on Azure: the deployed queue (its settings from the template), the host
 * (its settings from host.json) and the code of `forward`, on virtual time. Nothing healthy may be dead-lettered.
 */
import path from 'node:path';
import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import rhea from 'rhea';
import { Queue } from '@tandem-clouds/emulators/service-bus/queue';
import { queueSettings } from '@tandem-clouds/emulators/service-bus/queue-options';
import type { Lock } from '@tandem-clouds/emulators/service-bus/queue-types';
import { readHostConfig } from '@tandem-clouds/local/azure-host/function-app';
import { MessageBatches, type Settler } from '@tandem-clouds/local/azure-host/message-batches';
import { readSiteTemplate } from '@tandem-clouds/local/azure-host/template';
import { forwardAttemptsMax } from '@tandem-clouds/replication/bounds';
import { drive } from '@tandem-clouds/replication/drive';
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import type { OutboundMessage, QueueSender, SendResult } from '@tandem-clouds/replication/ports/queue';
import type { Disposition, InboundMessage } from '@tandem-clouds/replication/ports/queue';
import { type Protocol, send } from '@tandem-clouds/replication/protocol';
import { batchEntry } from '../../src/shared/adapters/azure/entries.ts';
import * as bounds from '../../src/shared/bounds.ts';
import { MemoryStore } from '../helpers/memory-store.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const HOST = readHostConfig(ROOT);
const TEMPLATE = readSiteTemplate(path.join(ROOT, 'infra/azure/site.json'));
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ARRIVALS_PER_SECOND = 7;

interface Setup {
  readonly lockDurationMs: number;
  readonly maxDeliveryCount: number;
  readonly prefetchCount: number;
  readonly batchSizeMax: number;
}

/** What is deployed. */
const deployed = (queueName: string): Setup => {
  const queue = TEMPLATE.queues.find(({ name }) => name === queueName);
  if (queue === undefined) throw new Error(`no queue ${queueName}`);
  return {
    lockDurationMs: queue.lockDurationMs,
    maxDeliveryCount: queue.maxDeliveryCount,
    prefetchCount: HOST.prefetchCount,
    batchSizeMax: HOST.maxMessageBatchSize,
  };
};

/** A queue and the host in front of a function, on the clock of jest. */
class Site {
  readonly queue: Queue;
  readonly batches: MessageBatches;
  readonly lost: string[] = [];
  readonly #locks = new Map<string, Lock>();
  readonly #credit: number;
  #held = 0;
  #tokens = 0;

  constructor(setup: Setup, handler: (messages: readonly ServiceBusReceivedMessage[]) => Promise<unknown>) {
    const deps = {
      now: () => Date.now(),
      newToken: () => String((this.#tokens += 1)).padStart(32, '0'),
      record: () => undefined,
      changed: () => undefined,
    };
    const settings = queueSettings(setup);
    this.queue = new Queue('tandem-out', settings, deps, new Queue('dead', queueSettings({}), deps));
    this.#credit = setup.prefetchCount + setup.batchSizeMax;
    const settle =
      (kind: 'complete' | 'abandon') =>
      // An async function, so that what the queue throws rejects.
      // eslint-disable-next-line @typescript-eslint/require-await
      async ({ lockToken = '' }: ServiceBusReceivedMessage): Promise<void> => {
        try {
          this.queue.settle(lockToken, { kind });
        } catch (error) {
          this.lost.push(lockToken);
          throw error;
        }
      };
    const settler: Settler = {
      completeMessage: settle('complete'),
      abandonMessage: settle('abandon'),
      renewMessageLock: () => Promise.reject(new Error('batches are not renewed')),
    };
    this.batches = new MessageBatches(
      {
        queueName: 'tandem-out',
        cardinality: 'many',
        batchSizeMax: setup.batchSizeMax,
        concurrentCallsMax: 1,
        renewForMs: 0,
        functionTimeoutMs: HOST.functionTimeoutMs,
        autoComplete: true,
        run: handler,
        log: () => undefined,
      },
      settler,
    );
  }

  /** Gives the host what its credit allows, as the broker does whenever something changes. */
  pump(): void {
    this.queue.tick();
    while (this.#held < this.#credit) {
      const lock = this.queue.receive({});
      if (lock === undefined) return;
      this.#held += 1;
      this.#locks.set(lock.token, lock);
      void this.batches.add(received(lock)).then(() => {
        this.#held -= 1;
      });
    }
  }
}

const received = ({ token, message, lockedUntil }: Lock): ServiceBusReceivedMessage =>
  ({
    lockToken: token,
    messageId: message.id,
    body: message.id,
    deliveryCount: message.deliveryCount,
    applicationProperties: attributesOf.get(message.bare) ?? {},
    lockedUntilUtc: new Date(lockedUntil),
  }) as unknown as ServiceBusReceivedMessage;

/** Application properties by the bytes of their message: what AMQP would carry. */
const attributesOf = new WeakMap<Buffer, Readonly<Record<string, string>>>();

function enqueue(queue: Queue, { body, attributes = {}, delaySeconds = 0 }: OutboundMessage): void {
  const bare = rhea.message.encode({ body });
  attributesOf.set(bare, attributes);
  queue.enqueue([
    {
      id: body,
      bare,
      sessionId: undefined,
      ttlMs: undefined,
      ...(delaySeconds > 0 && { scheduledAt: Date.now() + delaySeconds * 1_000 }),
    } as unknown as Parameters<Queue['enqueue']>[0][number],
  ]);
}

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A queue that answers after a time, or, silent, not before the SDK has given up twice. */
const peer = (responsesAfterMs: number, result: SendResult): QueueSender => ({
  async send(messages) {
    await after(responsesAfterMs);
    return messages.map(() => result);
  },
  ping: () => Promise.resolve(),
  close: () => Promise.resolve(),
});

const SDK_GIVES_UP_MS = bounds.vendorAttemptsMax * bounds.queueTimeoutMs + 200;
const PEERS = {
  slow: () => peer(bounds.queueTimeoutMs - 100, undefined),
  silent: () => peer(SDK_GIVES_UP_MS, new AmbiguousError('no answer')),
} satisfies Record<string, () => QueueSender>;
type PeerName = keyof typeof PEERS;

/** `forward` without its events: each message to each peer, and what is silent is tried again three times. */
function* toAll(
  peers: readonly string[],
  messages: readonly InboundMessage[],
): Protocol<readonly Disposition[]> {
  const failed = new Set<number>();
  for (const name of peers) {
    const results = yield* send(
      name,
      messages.map(({ id, body }) => ({ id, body })),
    );
    results.forEach((error, index) => {
      if (error !== undefined) failed.add(index);
    });
  }
  return messages.map(({ attempts }, index) =>
    failed.has(index) && attempts < forwardAttemptsMax
      ? { kind: 'retry', error: new UnavailableError('silent') }
      : { kind: 'done' },
  );
}

async function anHourOf(setup: Setup, names: readonly PeerName[], { bounded = true } = {}): Promise<Site> {
  const peers = new Map(names.map((name, index) => [`${name}-${index}`, PEERS[name]()]));
  const resources = { store: new MemoryStore(), peers, sleep: after };
  const own: QueueSender = {
    send: async (messages) => {
      await after(bounds.queueTimeoutMs - 100);
      for (const message of messages) enqueue(site.queue, message);
      return messages.map(() => undefined);
    },
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const entry = batchEntry(
    'tandem-out',
    (messages, limit) => drive(toAll([...peers.keys()], messages), resources, bounded ? limit : undefined),
    {
      own,
      deadLetters: {
        send: () => Promise.reject(new Error('nothing here may be dead-lettered by the bridge')),
      },
      logger: { log: () => undefined },
      metrics: { record: () => undefined },
    },
  );
  const site: Site = new Site(setup, (messages) =>
    entry(
      messages.map(({ body }) => body as string),
      {
        invocationId: 'test',
        triggerMetadata: {
          messageIdArray: messages.map(({ messageId }) => messageId),
          deliveryCountArray: messages.map(({ deliveryCount }) => (deliveryCount ?? 0) + 1),
          applicationPropertiesArray: messages.map(({ applicationProperties }) => applicationProperties),
        },
      },
    ),
  );
  for (let second = 0; second * 1_000 < HOUR_MS; second += 1) {
    // Somewhat more than is forwarded meanwhile, so that whatever may be taken ahead is.
    for (let n = 0; n < ARRIVALS_PER_SECOND; n += 1) enqueue(site.queue, { id: '', body: `${second}-${n}` });
    site.pump();
    await jest.advanceTimersByTimeAsync(1_000);
  }
  return site;
}

describe('an hour beside peers that do not answer as they should', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000_000_000_000 });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test.each<[string, readonly PeerName[]]>([
    ['one that is slow and one that is silent', ['slow', 'silent']],
    ['four that are silent', ['silent', 'silent', 'silent', 'silent']],
    ['five that are slow', ['slow', 'slow', 'slow', 'slow', 'slow']],
  ])('%s: no lock is lost, nothing is dead-lettered', async (_, names) => {
    const { queue, lost } = await anHourOf(deployed('tandem-out'), names);
    expect({ dead: queue.counts.deadLetter, lost: lost.length }).toEqual({ dead: 0, lost: 0 });
  });

  test('what was declared before loses its locks until healthy messages are dead-lettered', async () => {
    const before = { lockDurationMs: 30_000, maxDeliveryCount: 10, prefetchCount: 100, batchSizeMax: 100 };
    const { queue, lost } = await anHourOf(before, Array(5).fill('slow') as PeerName[], { bounded: false });
    expect(lost.length).toBeGreaterThan(0);
    expect(queue.counts.deadLetter).toBeGreaterThan(0);
  });
});

describe('the worst case', () => {
  test.each(['tandem-out', 'tandem-in'])('of two batches is within the lock of %s', (name) => {
    expect(deployed(name).lockDurationMs).toBeGreaterThanOrEqual(bounds.batchLockMs);
    expect(deployed(name).lockDurationMs).toBeLessThanOrEqual(5 * MINUTE_MS);
  });

  test('of two batches with objects is within the lock of tandem-objects', () => {
    const worstMs = bounds.transferHandleMs + 2 * bounds.batchSendMs + bounds.batchSettleMs;
    expect(deployed('tandem-objects').lockDurationMs).toBeGreaterThanOrEqual(2 * worstMs);
    expect(HOST.functionTimeoutMs).toBeGreaterThan(worstMs);
    // On AWS the function's own time-out, with what is kept for the sends.
    expect(bounds.transferHandleMs).toBeLessThanOrEqual(60_000 - bounds.batchReserveMs);
    expect(bounds.transferBeginMs + bounds.objectFetchMs).toBeLessThan(bounds.transferHandleMs);
  });

  test('is not made longer by what is prefetched, nor cut off by the host', () => {
    expect(HOST.prefetchCount).toBe(0);
    expect(HOST.functionTimeoutMs).toBeGreaterThan(bounds.batchWorstMs);
  });
});
