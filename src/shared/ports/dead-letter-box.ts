/** The messages that a site has set aside, as people look at them and settle them. */

/** One message that was set aside. */
export interface DeadLetter {
  /** Names the message for as long as it is there. Letters, digits and hyphens. */
  readonly id: string;
  /** The queue that it was set aside from, `tandem-in`, `tandem-out`, `tandem-verify`, `tandem-react` or `tandem-objects`; empty when nothing says so. */
  readonly source: string;
  readonly reason: string;
  readonly detail: string;
  readonly body: string;
  /** Epoch milliseconds: when it was sent to the queue that it is in. */
  readonly atMs: number;
}

/** How much was looked at. */
export interface Sample {
  readonly scanned: number;
  /** There may be more than that. */
  readonly atLeast: boolean;
}

/** What a decision leaves to be done. */
export interface Verdict {
  /** Ids of the letters that are to be removed: whatever was to be done with them is done. */
  readonly remove: ReadonlySet<string>;
  /** Whether to go on looking. */
  readonly goOn: boolean;
}

export interface DeadLetterBox {
  /**
   * Shows up to `limit` letters, page by page, and consumes none. SQS cannot peek: there each is hidden from others
   * until the look ends, and for a minute when its process dies. @throws UnavailableError @throws AmbiguousError
   */
  scan(limit: number, see: (messages: readonly DeadLetter[]) => void): Promise<Sample>;
  /**
   * Hands over up to `limit` letters, page by page, locked; removes what the decision names *after* it was made, and
   * releases the rest at the end. When the process dies, whatever was not removed comes back by itself.
   * @throws UnavailableError @throws AmbiguousError
   */
  settle(limit: number, decide: (messages: readonly DeadLetter[]) => Promise<Verdict>): Promise<Sample>;
}

/** Messages in the queues of a site. */
export interface QueueDepths {
  readonly out: QueueDepth;
  readonly in: QueueDepth;
  /** Set aside, by the bridge or by the broker. */
  readonly dead: QueueDepth;
}

export interface QueueDepth {
  readonly messages: number;
  /** There may be more. */
  readonly atLeast: boolean;
}
