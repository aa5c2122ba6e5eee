/**
 * A local emulator for an Azure Service Bus namespace: AMQP 1.0 without TLS on 127.0.0.1, for the real SDK.
 *
 * It keeps the behaviour that the product relies on: peek-lock, delivery counts, dead-lettering, scheduling,
 * deferral, sessions, duplicate detection and the limits of the Basic and Standard tiers. It has no topics, no
 * transactions and no authorization.
 */
import type { Emulator, EmulatorOptions } from '../core/emulator.ts';
import { Faults } from '../core/faults.ts';
import { UsageMeter } from '../core/usage.ts';
import { Broker } from './broker.ts';
import { startControlServer } from './control-server.ts';
import type { Credits } from './credits.ts';
import type { AmqpCondition } from './errors.ts';
import type { QueueOptions } from './queue-options.ts';
import type { QueueCounts } from './queue-types.ts';
import type { Tier } from './tiers.ts';

export type { QueueOptions } from './queue-options.ts';
export type { QueueCounts } from './queue-types.ts';

/** 256 kB, the limit of the Basic and Standard tiers. */
const MAX_MESSAGE_BYTES = 256 * 1024;

export interface ServiceBusOptions extends EmulatorOptions {
  /** Queues to create, or to update, at the start. */
  readonly queues?: Readonly<Record<string, QueueOptions>>;
  /** Port of the HTTP control server on 127.0.0.1; 0 or absent picks a free one. */
  readonly controlPort?: number;
  /** Default Standard; `npm start` takes the one of the template. */
  readonly tier?: Tier;
  /** Credits of the namespace; default 1,000 in Basic and Standard. Infinity: no budget. */
  readonly creditsPerSecond?: number | undefined;
  /** Bytes of one message, and of one batch. Default 262,144, as in the Basic and Standard tiers. */
  readonly maxMessageBytes?: number;
  /** Told of defects of the emulator itself. Default: the standard error output. */
  readonly onError?: (error: unknown) => void;
}

export interface ServiceBusEmulator extends Emulator {
  /** Base URL of the control server. */
  readonly controlUrl: string;
  /**
   * Creates a queue, or gives an existing one these options (absent: leaves it as it is).
   * @throws TypeError naming the option that is wrong.
   */
  createQueue(name: string, options?: QueueOptions): void;
  /**
   * How many messages stand where, as of now.
   * @throws TypeError when there is no such queue.
   */
  counts(name: string): QueueCounts;
  /** Does what has become due, as `counts` does first: after a test has moved the clock. */
  tick(): void;
  /** Called for each link that is detached because it is idle. */
  onDetach: (why: AmqpCondition) => void;
  /** What the namespace has spent of its credits. */
  readonly credits: Credits['totals'];
}

/** What the SDK is configured with; the key is of no account. */
function connectionString(port: number): string {
  return `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=local;SharedAccessKey=local;UseDevelopmentEmulator=true;`;
}

/**
 * Starts an emulator; `endpoint` of the result is a connection string.
 *
 * An injected `now` decides about locks, schedules and expiry. Its alarm runs on real time all the same, so a test
 * that moves the clock calls `counts`, which first does what has become due.
 *
 * @throws TypeError when an option of a queue is wrong; Error when a port is taken or the journal is damaged.
 */
export async function startServiceBus(options: ServiceBusOptions = {}): Promise<ServiceBusEmulator> {
  const faults = new Faults();
  const usage = new UsageMeter();
  const broker = new Broker({
    dataDir: options.dataDir,
    now: options.now ?? Date.now,
    faults,
    usage,
    tier: options.tier ?? 'Standard',
    creditsPerSecond: options.creditsPerSecond,
    maxMessageBytes: options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
    report: options.onError ?? ((error) => console.error('service-bus emulator:', error)),
  });
  try {
    for (const [name, queueOptions] of Object.entries(options.queues ?? {})) {
      broker.registry.createQueue(name, queueOptions);
    }
    const port = await broker.listen(options.port ?? 0);
    const control = await startControlServer(options.controlPort ?? 0, {
      faults,
      usage,
      registry: broker.registry,
    });
    return {
      endpoint: connectionString(port),
      port,
      faults,
      controlUrl: control.url,
      tick: () => broker.tick(),
      get onDetach() {
        return broker.onDetach;
      },
      set onDetach(listener) {
        broker.onDetach = listener;
      },
      get credits() {
        return broker.credits.totals;
      },
      createQueue: (name, queueOptions) => void broker.registry.createQueue(name, queueOptions),
      counts: (name) => {
        broker.tick();
        return broker.registry.counts(name);
      },
      close: async () => {
        await Promise.all([control.close(), broker.close()]);
      },
    };
  } catch (error) {
    await broker.close();
    throw error;
  }
}
