/**
 * Invariant 9: a site whose record includes a write's token shows that write, or a newer or higher one of the same
 * field; and a state with the very token is the very state that the client was shown.
 */
import type { RecordState } from '../../../src/shared/replication/record.ts';
import { canonical, vectorHolds, type Acknowledged, type Finding } from '../facts.ts';

const invariant = '9 sessions';

/** Checks one read of a key against the tokens that were given out for it before. */
export function checkSession(
  site: string,
  state: RecordState | undefined,
  tokens: readonly Acknowledged[],
): Finding[] {
  if (state === undefined) return [];
  return tokens.flatMap(({ key, operationId, fields, state: told }) => {
    const token = Object.entries(told.vector);
    if (!token.every(([origin, seen]) => vectorHolds(state.vector, origin, seen))) return [];
    const same = token.length === Object.keys(state.vector).length;
    if (same && token.every(([origin, seen]) => state.vector[origin] === seen)) {
      if (canonical(state) === canonical(told)) return [];
      return [{ invariant, key, detail: `${site} names the state of ${operationId} and shows another` }];
    }
    return Object.keys(fields)
      .filter((field) => isOlder(state, told, field))
      .map((field) => ({
        invariant,
        key,
        detail: `${site} claims to include ${operationId} and shows an older ${field}`,
      }));
  });
}

/** By rank, then by stamp. */
function isOlder(shown: RecordState, told: RecordState, field: string): boolean {
  const [stamp = '', , rank = ''] = shown.fields[field] ?? [];
  const [toldStamp = '', , toldRank = ''] = told.fields[field] ?? [];
  return rank === toldRank ? stamp < toldStamp : rank < toldRank;
}
