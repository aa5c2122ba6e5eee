/**
 * Invariant 13: where every site understands incarnations, a creation over a gone record begins a life of its own. That
 * nothing of an earlier life shows in it is then what the other checkers find: they judge the last life by its own writes
 * alone.
 */
import type { StoredRecord } from '../../../src/shared/replication/record.ts';
import type { Finding, LandedWrite } from '../facts.ts';

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

export function checkNewLife(write: LandedWrite, { peers, older, store }: Writer): Finding[] {
  const { key, operationId, site, basis, life, creates } = write;
  const before = basis?.state.incarnation ?? 0;
  const understood = (peer: string): boolean =>
    Number(store.records.get(`heartbeat:${peer}`)?.state.fields['semantics']?.[1] ?? 1) >= INCARNATIONS;
  const begins = creates && basis !== undefined;
  if (life > before && !begins)
    return [{ invariant, key, detail: `${operationId} began a life at ${site} and creates nothing` }];
  if (life > before && (older || !peers.every(understood)))
    return [{ invariant, key, detail: `${operationId} began a life at ${site} that a peer does not understand` }];
  return [];
}
