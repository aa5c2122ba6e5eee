/** Invariant 9: a site whose record includes a write's token shows that write, or a newer one of the same field. */
import type { RecordState } from '../../../src/shared/replication/record.ts';
import { vectorHolds, type Acknowledged, type Finding } from '../facts.ts';

const invariant = '9 sessions';

/** Checks one read of a key against the tokens that were given out for it before. */
export function checkSession(
  site: string,
  state: RecordState | undefined,
  tokens: readonly Acknowledged[],
): Finding[] {
  if (state === undefined) return [];
  return tokens.flatMap(({ key, operationId, stamp, fields, token }) => {
    const covered = Object.entries(token).every(([origin, seen]) => vectorHolds(state.vector, origin, seen));
    if (!covered) return [];
    return Object.keys(fields)
      .filter((field) => (state.fields[field]?.[0] ?? '') < stamp)
      .map((field) => ({
        invariant,
        key,
        detail: `${site} claims to include ${operationId} and shows an older ${field}`,
      }));
  });
}
