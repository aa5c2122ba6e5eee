/** One JSON object a line, as CloudWatch and Application Insights read it. */
import type { Logger, LogLevel } from '../ports/telemetry.ts';

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** `write` receives whole lines, newline included. */
export function jsonLogger(options: {
  level: LogLevel;
  site: string;
  write: (line: string) => void;
  now?: () => number;
  /** Of the trace that a line belongs to; undefined: of none. */
  traceId?: () => string | undefined;
}): Logger {
  const { level, site, write, now = Date.now, traceId } = options;
  const least = ORDER.indexOf(level);
  return {
    log(lineLevel, message, fields) {
      if (ORDER.indexOf(lineLevel) < least) return;
      const trace = traceId?.();
      const line = {
        time: new Date(now()).toISOString(),
        level: lineLevel,
        site,
        message,
        ...(trace !== undefined && { traceId: trace }),
        ...fields,
      };
      write(`${JSON.stringify(line)}\n`);
    },
  };
}
