/**
 * Whether an index of an application is complete, which each site notes in its own heartbeat: so it crosses, nobody else
 * writes it, and a release that knows of no indexes leaves it alone.
 *
 * Invariant: an index is asked only where this site has all of its records in it, and not before every site has: from then
 * on it is `open`, also while a peer is lost and for sites that are added later, which wait for themselves only.
 */
import type { Json } from './json.ts';
import type { StoredRecord } from './record.ts';

export const INDEXES_FIELD = 'indexes';

/** `filling`: records from before are being entered; `filled`: all of this site's are in; `open`: at every site. */
export type IndexPhase = 'filling' | 'filled' | 'open';

export interface IndexState {
  readonly phase: IndexPhase;
  /** Epoch milliseconds when the filling began, which also names it. */
  readonly sinceMs: number;
}

export type IndexStates = Readonly<Record<string, IndexState>>;

/** Index id → how far a site has come with it, by that site's heartbeat. */
export function indexStates(heartbeat: StoredRecord | undefined): IndexStates {
  const value = heartbeat?.state.fields[INDEXES_FIELD]?.[1];
  const entries = (Array.isArray(value) ? (value as Json[]) : []).flatMap((entry) => {
    const [id, phase, sinceMs] = Array.isArray(entry) ? (entry as Json[]) : [];
    const isState = typeof id === 'string' && isPhase(phase) && typeof sinceMs === 'number';
    return isState ? [[id, { phase, sinceMs }] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** As the heartbeat keeps them. */
export function indexesField(states: IndexStates): Json {
  return Object.entries(states).map(([id, { phase, sinceMs }]) => [id, phase, sinceMs]);
}

function isPhase(value: Json | undefined): value is IndexPhase {
  return value === 'filling' || value === 'filled' || value === 'open';
}

/** Whether this site may answer from an index. @param peers The peers' heartbeats, undefined for one that was never heard. */
export function isIndexUsable(
  id: string,
  own: StoredRecord | undefined,
  peers: readonly (StoredRecord | undefined)[],
): boolean {
  const phase = indexStates(own)[id]?.phase;
  if (phase === undefined || phase === 'filling') return false;
  return phase === 'open' || isFilledElsewhere(id, peers);
}

/** Whether every peer has completed an index, or one of them knows that every site had. */
export function isFilledElsewhere(id: string, peers: readonly (StoredRecord | undefined)[]): boolean {
  const phases = peers.map((peer) => indexStates(peer)[id]?.phase);
  return phases.includes('open') || phases.every((phase) => phase === 'filled');
}
