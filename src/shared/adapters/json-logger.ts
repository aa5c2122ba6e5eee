/** One JSON object a line, as CloudWatch and Application Insights read it. */
import type { Logger, LogLevel } from '../ports/telemetry.ts';

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** `write` receives whole lines, newline included. */
export function jsonLogger(options: {
  level: LogLevel;
  site: string;
  write: (line: string) => void;
  now?: () => number;
}): Logger {
  const { level, site, write, now = Date.now } = options;
  const least = ORDER.indexOf(level);
  return {
    log(lineLevel, message, fields) {
      if (ORDER.indexOf(lineLevel) < least) return;
      const line = { time: new Date(now()).toISOString(), level: lineLevel, site, message, ...fields };
      write(`${JSON.stringify(line)}\n`);
    },
  };
}
