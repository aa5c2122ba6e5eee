/** A log in which secrets that were read are not shown, should a handler pass one by mistake. */
import { maskedCharsMin } from '../bounds.ts';
import type { Logger } from '../ports/telemetry.ts';

const MASK = '***';

/** @param held Values that must not be shown. @param added In every line. */
export function maskedLogger(
  logger: Logger,
  held: () => readonly string[],
  added: Readonly<Record<string, unknown>> = {},
): Logger {
  return {
    log(level, message, fields = {}) {
      const all = { ...added, ...fields };
      const values = held().filter((value) => value.length >= maskedCharsMin);
      if (values.length === 0) {
        logger.log(level, message, all);
        return;
      }
      const masked = JSON.parse(mask(JSON.stringify([message, all]), values)) as [
        string,
        Record<string, unknown>,
      ];
      logger.log(level, ...masked);
    },
  };
}

/** In JSON text, where a value is written with its escapes. */
function mask(text: string, values: readonly string[]): string {
  return values.reduce((rest, value) => rest.replaceAll(JSON.stringify(value).slice(1, -1), MASK), text);
}
