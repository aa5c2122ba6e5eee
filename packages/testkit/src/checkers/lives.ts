/**
 * Invariant 13: where every site understands incarnations, a creation over a gone record begins a life of its own. That
 * nothing of an earlier life shows in it is then what the other checkers find: they judge the last life by its own writes
 * alone.
 */
import type { StoredRecord } from '@tandem-clouds/replication/record';
import type { CommittedWrite, Finding } from '../history/facts.ts';

const invariant = '13 lives';
/** The semantics that came with incarnations. */
const INCARNATIONS = 2;

/** A site as this checker needs it. */
interface Writer {
  readonly peers: readonly string[];
  /** Runs a release from before incarnations. */
  readonly older: boolean;
  readonly store: { readonly records: ReadonlyMap<string, StoredRecord> };
}

/** Whether a site and, by what it has heard, each of its peers understands incarnations. */
export function areAllNew({ peers, older, store }: Writer): boolean {
  return (
    !older &&
    peers.every(
      (peer) =>
        Number(store.records.get(`heartbeat:${peer}`)?.state.fields['semantics']?.[1] ?? 1) >= INCARNATIONS,
    )
  );
}

/** @param understood What `areAllNew` said when the write began. */
export function checkNewLife(write: CommittedWrite, at: Writer, understood: boolean): Finding[] {
  const { key, operationId, site, basis, life, creates } = write;
  const before = basis?.state.incarnation ?? 0;
  const begins = creates && basis !== undefined;
  const what = ((): string | undefined => {
    if (life > before && !begins) return 'began a life and creates nothing';
    if (life > before && !areAllNew(at)) return 'began a life that a peer does not understand';
    if (life !== before + 1 && begins && understood) return 'began no life of its own';
    return undefined;
  })();
  return what === undefined ? [] : [{ invariant, key, detail: `${operationId} at ${site} ${what}` }];
}
