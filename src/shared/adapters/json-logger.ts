/** One JSON object a line, as CloudWatch and Application Insights read it. */
import type { CurrentSpan, Logger, LogLevel, LogLine } from '../ports/telemetry.ts';

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** `write` receives whole lines, newline included. */
export function jsonLogger(options: {
  level: LogLevel;
  site: string;
  write: (line: string) => void;
  now?: () => number;
  /** The span that a line belongs to; undefined: none. */
  span?: () => CurrentSpan | undefined;
  /** Gets what is written, beside `write`. */
  also?: ((line: LogLine) => void) | undefined;
}): Logger {
  const { level, site, write, now = Date.now, span: spanOf, also } = options;
  const least = ORDER.indexOf(level);
  return {
    log(lineLevel, message, fields) {
      if (ORDER.indexOf(lineLevel) < least) return;
      const span = spanOf?.();
      const atMs = now();
      const line = {
        time: new Date(atMs).toISOString(),
        level: lineLevel,
        site,
        message,
        ...(span !== undefined && { traceId: span.traceId }),
        ...fields,
      };
      write(`${JSON.stringify(line)}\n`);
      also?.({ atMs, level: lineLevel, message, fields, span });
    },
  };
}
