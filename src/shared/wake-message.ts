/**
 * The message that says that a record has something to do now. It holds nothing but the key: what there is to do is in
 * the record, so a message that is lost, doubled or late changes nothing.
 */
import type { Resources } from '@tandem-clouds/replication/drive';
import type { OutboundMessage, QueueSender } from '@tandem-clouds/replication/ports/queue';

/** Wakes by a queue. What the queue does not take is woken by the sweep. */
export function wakerOn(queue: QueueSender): NonNullable<Resources['waker']> {
  return async (keys) => {
    await queue.send(keys.map((key, index): OutboundMessage => ({ id: String(index), body: textOf(key) })));
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
