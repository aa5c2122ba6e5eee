/** Lines of logs as the collector shows them, without anything that a browser has not. */

/** The least of each range of OpenTelemetry's severity numbers. */
export const LEVELS = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 } as const;
export type Level = keyof typeof LEVELS;

export interface LogLine {
  /** Epoch milliseconds, with microseconds behind the point. */
  readonly atMs: number;
  /** 1 to 24; 0: unknown. */
  readonly severity: number;
  /** As its sender calls it. */
  readonly level: string;
  readonly site: string;
  readonly message: string;
  readonly traceId?: string;
  readonly spanId?: string;
  /** JSON values. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface LogQuery {
  readonly trace?: string | undefined;
  /** This level and all above it. */
  readonly level?: Level | undefined;
  /** In its message or its attributes, whatever the case of ASCII letters. */
  readonly text?: string | undefined;
  readonly site?: string | undefined;
  readonly limit: number;
}
