/**
 * What `#cloud` exports: one module per cloud, chosen when a bundle is built by the import condition `aws` or
 * `azure`. The core never asks which one it has.
 */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { BatchHandler, QueueSender, SendResult } from '@tandem-clouds/replication/ports/queue';
import type { IndexEntries, Store } from '@tandem-clouds/replication/ports/store';
import type { Config } from '../config/config.ts';
import type { DeadLetterBox, QueueDepths } from './dead-letter-box.ts';
import type { ProbeGroup } from './probe.ts';
import type { Vault } from './secrets.ts';
import type { Logger, Metrics, OwnMetrics } from './telemetry.ts';

/** The one shape of an HTTP handler: API Gateway's payload 2.0. */
export type HttpHandler = (
  event: APIGatewayProxyEventV2,
  context: InvocationContext,
) => Promise<APIGatewayProxyStructuredResultV2>;

/** What the core reads of an invocation's context. */
export interface InvocationContext {
  readonly awsRequestId: string;
  /** Absent where the platform does not say how long the invocation may still take. */
  readonly getRemainingTimeInMillis?: () => number;
}

/** A function that a schedule starts. `true`: it has stopped at a bound of its own, and there is more to do. */
export type TimerHandler = () => Promise<boolean>;

/** Sets messages aside with a reason, in a queue that people look at. */
export interface DeadLetters {
  /** Outcomes in the order of the entries, as those of `QueueSender.send`. */
  send(
    entries: readonly {
      readonly queue: string;
      readonly id: string;
      readonly body: string;
      readonly reason: string;
      readonly detail: string;
    }[],
  ): Promise<readonly SendResult[]>;
}

/** Whether somebody waits for what a store is asked, or it may as well be done a little later. */
export type Urgency = 'live' | 'background';

export interface Cloud {
  readonly cloudName: 'aws' | 'azure';
  /**
   * @param entriesOf What of a record is in the generic indexes: whoever writes records must know all of them.
   * @param urgency Who comes first when the store throttles.
   */
  openStore(config: Config, entriesOf: IndexEntries, urgency?: Urgency): Store;
  /** The site's own queue, which `forward` empties. */
  openOutbox(config: Config): QueueSender;
  openDeadLetters(config: Config): DeadLetters;
  /** The site's own inbound queue, to which the peers send. */
  openInbox(config: Config): QueueSender;
  /** The site's own queue of comparisons. */
  openVerifyQueue(config: Config): QueueSender;
  /** The site's own queue of keys that have something to do now. */
  openReactQueue(config: Config): QueueSender;
  /** The same, of those whose records may have content, and of what its storage says of it. */
  openObjectsQueue(config: Config): QueueSender;
  openDeadLetterBox(config: Config): DeadLetterBox;
  openMetrics(options: { site: string; write: (line: string) => void; now: () => number }): Metrics;
  /** Of handlers and reactions. */
  openOwnMetrics(options: { site: string; write: (line: string) => void; now: () => number }): OwnMetrics;
  /** Where the site's secrets are. @throws TypeError when the configuration does not say. */
  openVault(config: Config): Vault;
  /** Bearer tokens for the workspace that `centralLogs` of the configuration names. */
  openCentralLogsToken(config: Config): () => Promise<string>;
  /** Counts on demand. */
  openQueueDepths(config: Config): () => Promise<QueueDepths>;
  /** Calls of each kind that the site makes, its peers' queues apart. */
  openProbes(config: Config, nonce: string): readonly ProbeGroup[];
  /** What the platform calls for an HTTP request. */
  httpEntry(handler: HttpHandler): unknown;
  /**
   * What the platform calls for a batch of messages of `queue`.
   * @param services.handleMs How long the handler may take where the platform does not bound a function by itself; the lock of
   * the queue must last for two such batches. Default `batchHandleMs`.
   */
  queueEntry(
    queue: string,
    handler: BatchHandler,
    services: {
      config: Config;
      deadLetters: DeadLetters;
      logger: Logger;
      metrics: Metrics;
      handleMs?: number;
    },
  ): unknown;
  /**
   * What the platform calls on a schedule.
   * @param services.tickMs How often the handler is to run when the platform's shortest period, which its schedule
   * then has, is longer.
   */
  timerEntry(handler: TimerHandler, services: { config: Config; tickMs?: number }): unknown;
}
