/** The redrive of one dead-letter queue, and how far it has come: kept in the journal. */
export interface MoveTask {
  readonly handle: string;
  readonly sourceArn: string;
  /** Without it, every message goes back to the queue that it came from. */
  readonly destinationArn?: string;
  readonly messagesPerSecond?: number;
  readonly status: 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';
  readonly moved: number;
  readonly toMove: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Messages that arrived at or after this position stay. */
  readonly keyLimit: number;
  readonly failureReason?: string;
}
