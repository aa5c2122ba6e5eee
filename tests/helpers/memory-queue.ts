/** A queue sender in memory, with failures on demand. */
import type { OutboundMessage, QueueSender, SendResult } from '@tandem-clouds/replication/ports/queue';

export class MemoryQueue implements QueueSender {
  readonly sent: OutboundMessage[] = [];
  /** Decides about each message; return an error to refuse it. */
  refuse: (message: OutboundMessage) => Error | undefined = () => undefined;

  send(messages: readonly OutboundMessage[]): Promise<readonly SendResult[]> {
    return Promise.resolve(
      messages.map((message) => {
        const error = this.refuse(message);
        if (error === undefined) this.sent.push(message);
        return error;
      }),
    );
  }

  ping(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
