/** Structured logging, injected. Fields are JSON values; secrets and record values do not belong in them. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Logger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** What a line of the log says of the span that it belongs to. */
export interface CurrentSpan {
  /** 32 and 16 hexadecimal digits (W3C Trace Context). */
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** A line that was written. */
export interface LogLine {
  /** Epoch milliseconds. */
  readonly atMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>> | undefined;
  /** The span that it belongs to; undefined: none. */
  readonly span: CurrentSpan | undefined;
}

/** What is measured. A unit is part of a name; without one it is a count. docs/metrics.md says what alarms go by. */
export type MetricName =
  /** Per peer: keys with a write that its queue has not accepted; `exposureKeysMax` stands for more. */
  | 'KeysAtRisk'
  /** Per peer: age of the oldest of those writes; 0 when there is none. */
  | 'OldestPendingMs'
  /** Per peer: everything acknowledged here longer ago than this is held there. */
  | 'SafeTimeAgeMs'
  /** Per peer: age of its newest heartbeat here. */
  | 'HeardAgoMs'
  /** Per peer: from the writing of its heartbeat there to its applying here; below 0 when its clock is ahead. */
  | 'LagMs'
  /** Per peer: records that the latest comparison with it has found to differ. */
  | 'Differences'
  /** Keys that one run of the sweeper has sent again. */
  | 'SweptKeys'
  /** Keys with a reaction that is due; `reactionKeysMax` stands for more. */
  | 'ReactionsWaiting'
  /** For how long the oldest of them has been due; 0 when there is none. */
  | 'OldestReactionMs'
  /** Keys whose reactions are all parked; `reactionKeysMax` stands for more. */
  | 'ReactionsParked'
  /** Contents of records that this site is to have and has not; `contentKeysMax` stands for more. */
  | 'ObjectsLacking'
  /** Their bytes. */
  | 'ObjectBytesLacking'
  /** Those of them that should have been here by now. */
  | 'ObjectsOverdue'
  | 'ConflictsLogged'
  /** Values of written records that no index could take: of another type than declared, or too long. */
  | 'ValuesNotIndexed'
  /** Messages that were set aside with a reason. */
  | 'DeadLetters';

export type MetricValues = Readonly<Partial<Record<MetricName, number>>>;

/** Name → value, of a measurement of one's own: `{ provider: 'stripe' }`. Few values each: every set of them is paid for. */
export type Dimensions = Readonly<Record<string, string>>;

/** Metrics of handlers and reactions. The site is a dimension of all. */
export interface OwnMetrics {
  /**
   * Notes a value that was measured now.
   * @param name `MailsSent`, `ProviderMs`: upper camel case, 3 to 64 characters; a unit is the end of a name (`Ms`,
   * `Bytes`, `Percent`), without one it is a count.
   * @throws RangeError for a name, a value or a dimension that is not well formed.
   */
  record(name: string, value?: number, dimensions?: Dimensions): void;
}

export interface Metrics {
  /** Notes values that were measured now, of this site or of its relation to one peer. */
  record(values: MetricValues, peer?: string): void;
}
