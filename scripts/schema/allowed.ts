/** Which breaking changes are refused: all but those that somebody names. */
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import type { SchemaChange } from './change.ts';

/**
 * @param allowed Places, each whole: `booking.fields.title.maxLength`.
 * @throws UsageError when a place names no breaking change: it was mistyped, or is done
 */
export function refusedOf(
  changes: readonly SchemaChange[],
  allowed: readonly string[],
): readonly SchemaChange[] {
  const breaking = changes.filter(({ kind }) => kind === 'breaking');
  for (const place of allowed)
    if (!breaking.some((change) => change.place === place))
      throw new UsageError(`--allow-breaking: there is no breaking change at '${place}'`);
  return breaking.filter(({ place }) => !allowed.includes(place));
}
