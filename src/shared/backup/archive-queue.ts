/**
 * The archive as the bridge sees it: a queue whose messages are durable once the file that holds them is.
 *
 * Invariant: a message is taken only when the storage has said that it has its file, under a name that no other bytes have. A
 * storage that fails, or does not answer within `archiveWriteMs`, is left alone for longer each time, so that it does not slow
 * down what goes to the peers in the same run: the markers stand, and the sweep comes back.
 */
import { AppError, isRetryable, ThrottledError, UnavailableError } from '@tandem-clouds/replication/errors';
import { eventVersion, type ReplicationEvent, stateOf } from '@tandem-clouds/replication/event';
import type { OutboundMessage, QueueSender, SendResult } from '@tandem-clouds/replication/ports/queue';
import type { SiteId } from '@tandem-clouds/replication/stamp';
import { archiveFileBytes, archiveRestMaxMs, archiveRestMs, archiveWriteMs } from '../bounds.ts';
import type { Objects } from '../ports/objects.ts';
import { timeLimit } from '../time-limit.ts';
import { type ArchivedRecord, encodeFile } from './file.ts';
import { nameOf } from './names.ts';

/** What of a storage is written to. */
export type WritableObjects = Pick<Objects, 'put' | 'close'>;

interface ArchiveQueueOptions {
  readonly site: SiteId;
  /** Opened with the first message: what a function never uses costs its start nothing. */
  readonly open: () => Promise<WritableObjects>;
  readonly now: () => number;
}

export const GZIP = 'application/gzip';

export function archiveQueue({ site, open, now }: ArchiveQueueOptions): QueueSender {
  let opened: Promise<WritableObjects> | undefined;
  let restsUntilMs = 0;
  let failures = 0;
  let why = '';

  const write = async (messages: readonly OutboundMessage[]): Promise<SendResult> => {
    if (now() < restsUntilMs) return new UnavailableError(`the archive is left alone for a while: ${why}`);
    try {
      const ms = now();
      const head = { kind: 'segment', site, madeAt: new Date(ms).toISOString() } as const;
      const { bytes, sha256 } = encodeFile({ head, records: messages.map(recordOf) });
      const name = nameOf({ kind: 'segment', site, ms, sha256 });
      // One that comes late is a file more of the same records, which merges to the same.
      await timeLimit({ ms: archiveWriteMs }).run(async () => {
        opened ??= open().catch((error: unknown) => {
          opened = undefined;
          throw error;
        });
        await (await opened).put(name, bytes, { contentType: GZIP, createOnly: true });
      });
      failures = 0;
      return undefined;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      why = error.message;
      restsUntilMs = now() + Math.min(archiveRestMs * 2 ** failures, archiveRestMaxMs);
      failures += 1;
      const message = `archive: ${error.message}`;
      if (error instanceof ThrottledError)
        return new ThrottledError(message, { cause: error, retryAfterMs: error.retryAfterMs });
      // Whatever the storage refuses, it is not for what one of the records is.
      return isRetryable(error) ? error : new UnavailableError(message, { cause: error });
    }
  };

  return {
    async send(messages) {
      const results: SendResult[] = [];
      for (const group of bySize(messages)) {
        const result = await write(group);
        results.push(...group.map(() => result));
      }
      return results;
    },
    ping: () => Promise.resolve(),
    close: async () => (await opened)?.close(),
  };
}

function recordOf({ body }: OutboundMessage): ArchivedRecord {
  const event = JSON.parse(body) as ReplicationEvent;
  return { key: event.key, state: stateOf(event), version: eventVersion(event) };
}

function bySize(messages: readonly OutboundMessage[]): readonly OutboundMessage[][] {
  const groups: OutboundMessage[][] = [];
  let bytes = Infinity;
  for (const message of messages) {
    if (bytes + message.body.length > archiveFileBytes) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(message);
    bytes += message.body.length;
  }
  return groups;
}
