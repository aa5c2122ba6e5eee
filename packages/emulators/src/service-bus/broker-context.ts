/** What the AMQP side of the broker shares: the parts that receive, deliver and manage all get this. */
import type { Connection } from 'rhea';
import type { Faults } from '../core/faults.ts';
import { FileWriteError } from '../core/files.ts';
import { billedChunks, type UsageMeter } from '../core/usage.ts';
import type { Delays } from './alarm.ts';
import type { Credits } from './credits.ts';
import { type AmqpCondition, BrokerError } from './errors.ts';
import type { IdleLinks } from './idle-links.ts';

export interface BrokerContext {
  readonly faults: Faults;
  readonly usage: UsageMeter;
  readonly delays: Delays;
  readonly credits: Credits;
  readonly idle: Pick<IdleLinks, 'used'>;
  /** Epoch milliseconds. */
  now(): number;
  /** Breaks a connection as a network failure would: the client learns nothing of what went before. */
  cut(connection: Connection): void;
  /** Tells a person of a defect of the broker itself. */
  report(error: unknown): void;
}

/** What a client is told of an error; a defect is reported, and the client learns only that there was one. */
export function conditionOf(error: unknown, context: Pick<BrokerContext, 'report'>): BrokerError {
  if (error instanceof BrokerError) return error;
  if (error instanceof FileWriteError) {
    context.report(error.message);
    return new BrokerError('com.microsoft:server-busy', error.message, 503);
  }
  context.report(error);
  return new BrokerError('amqp:internal-error', 'The emulator failed; see its log.', 500);
}

/** The plain condition, for frames that take nothing else. */
export function plain({ condition, description }: AmqpCondition): AmqpCondition {
  return { condition, description };
}

/**
 * Counts one billable operation on one message: sending it, delivering it, settling it. A batch saves calls, not
 * operations, and each further 64 kB is one more.
 * https://azure.microsoft.com/pricing/details/service-bus/ (frequently asked questions: the operations meter)
 */
export function countOperation(
  { usage }: Pick<BrokerContext, 'usage'>,
  queue: string,
  operation: string,
  bytes = 0,
): void {
  usage.add(queue, operation, { operations: billedChunks(bytes), messages: 1 });
}
