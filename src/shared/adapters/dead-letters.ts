/** Dead letters on any queue: the body as it came, and why it is there as attributes that the portals show. */
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';
import type { DeadLetters } from '../ports/cloud.ts';

const DETAIL_CHARACTERS_MAX = 1_000;

export function deadLettersOn(queue: QueueSender): DeadLetters {
  return {
    send: (entries) =>
      queue.send(
        entries.map(({ queue: source, id, body, reason, detail }, index) => ({
          id: String(index),
          body: body === '' ? '(empty)' : body,
          attributes: {
            source,
            messageId: id,
            reason,
            detail: detail.slice(0, DETAIL_CHARACTERS_MAX) || reason,
          },
        })),
      ),
  };
}
