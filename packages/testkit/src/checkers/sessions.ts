/**
 * Invariant 9: a site whose record includes a write's token shows that write, or a newer or higher one of the same
 * field; and a state with the very token is the very state that the client was shown.
 */
import type { RecordState } from '@tandem-clouds/replication/record';
import {
  type Acknowledged,
  canonical,
  type Finding,
  type Forgotten,
  isForgottenWrite,
  stillHolds,
  vectorHolds,
} from '../history/facts.ts';

const invariant = '9 sessions';

/** Checks one read of a key against the tokens that were given out for it before. @param forgotten What sites have removed. */
export function checkSession(
  site: string,
  state: RecordState | undefined,
  tokens: readonly Acknowledged[],
  forgotten: Forgotten = new Map(),
): Finding[] {
  if (state === undefined) return [];
  return tokens.flatMap((write) => {
    const { key, operationId, fields, state: reported } = write;
    // What was overruled by a later life is included, and does not show; what was removed is not even included.
    if ((state.incarnation ?? 0) !== (reported.incarnation ?? 0)) return [];
    if (isForgottenWrite(forgotten, key, write.site, write.stamp) && !stillHolds(state, write)) return [];
    const token = Object.entries(reported.vector);
    if (!token.every(([origin, seen]) => vectorHolds(state.vector, origin, seen))) return [];
    const same = token.length === Object.keys(state.vector).length;
    if (same && token.every(([origin, seen]) => state.vector[origin] === seen)) {
      if (canonical(state) === canonical(reported)) return [];
      return [{ invariant, key, detail: `${site} names the state of ${operationId} and shows another` }];
    }
    return checkFields(site, state, { key, operationId, fields, reported: reported.fields });
  });
}

/** Checks a state that includes a write: it shows none of the write's fields older than the writer was told. */
export function checkFields(
  site: string,
  state: RecordState,
  write: Pick<Acknowledged, 'key' | 'operationId' | 'fields'> & { readonly reported: RecordState['fields'] },
): Finding[] {
  const { key, operationId, fields, reported } = write;
  return Object.keys(fields)
    .filter((field) => isOlder(state.fields, reported, field))
    .map((field) => ({
      invariant,
      key,
      detail: `${site} claims to include ${operationId} and shows an older ${field}`,
    }));
}

/** By rank, then by stamp. */
function isOlder(shown: RecordState['fields'], reported: RecordState['fields'], field: string): boolean {
  const [stamp = '', , rank = ''] = shown[field] ?? [];
  const [reportedStamp = '', , reportedRank = ''] = reported[field] ?? [];
  return rank === reportedRank ? stamp < reportedStamp : rank < reportedRank;
}
