/**
 * The message that says that a record has something to do now. It holds nothing but the key: what there is to do is in
 * the record, so a message that is lost, doubled or late changes nothing.
 */
import type { Resources } from '@tandem-clouds/replication/drive';
import type { OutboundMessage, QueueSender } from '@tandem-clouds/replication/ports/queue';

export type Waker = NonNullable<Resources['waker']>;

/** Wakes by a queue. What the queue does not take is woken by the sweep. */
export function wakerOn(queue: QueueSender): Waker {
  return async (keys) => {
    await queue.send(keys.map((key, index): OutboundMessage => ({ id: String(index), body: textOf(key) })));
  };
}

/** Keys of records that may have content are worked on by the function that has the storages, all others by the other one. */
export function wakerBy(
  hasContent: (key: string) => boolean,
  queues: { content: Waker; others: Waker },
): Waker {
  return async (keys) => {
    const [content, others] = [keys.filter(hasContent), keys.filter((key) => !hasContent(key))];
    await Promise.all([
      content.length > 0 ? queues.content(content) : undefined,
      others.length > 0 ? queues.others(others) : undefined,
    ]);
  };
}

function textOf(key: string): string {
  return JSON.stringify({ key });
}

/** The key of a message; undefined: it is no such message. */
export function wokenKey(body: string): string | undefined {
  try {
    const { key } = JSON.parse(body) as { key?: unknown };
    return typeof key === 'string' && key.includes(':') ? key : undefined;
  } catch {
    return undefined;
  }
}
