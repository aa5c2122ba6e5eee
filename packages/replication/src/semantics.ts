/**
 * What merging means, by number: two releases that run side by side must merge the same events to the same contents.
 *
 * Invariant: a state that an older release would merge by another rule is written only once every peer understands it.
 * Each site says in its heartbeat what it understands; a peer that was never heard understands nothing new.
 */
import { UnavailableError } from './errors.ts';
import { heartbeatKey, understoodBy } from './heartbeat-record.ts';
import { readKeys } from './isolate.ts';
import type { Protocol, Site } from './protocol.ts';

/** Creations over a gone record raise the incarnation, which ranks before everything; comparisons include contents. */
export const INCARNATIONS = 2;

/** Members of an object have registers of their own, which stand over an older object (`policies/members.ts`). */
export const MEMBERS = 3;

/** Events of a backlog come several in one message, through the queue of comparisons (`packs.ts`). */
export const PACKS = 4;

/** Records are kept at some sites only, and others ask for leave to remove them (`anti-entropy/purge.ts`). */
export const PLACES = 5;

/** Of what was erased nothing is remembered, nor logged when it arrives late (`lives.ts`). */
export const ERASURES = 6;

/** The newest semantics that this release understands. */
export const SEMANTICS = Math.max(INCARNATIONS, MEMBERS, PACKS, PLACES, ERASURES);

/** @throws UnavailableError naming what is lacking, as long as a peer runs a release that does not understand them. */
export function* requireUnderstood(site: Site, semantics: number): Protocol<void> {
  if (yield* areUnderstood(site, semantics)) return;
  throw new UnavailableError(
    `not every peer of ${site.site} has said that its release understands semantics ${semantics}: upgrade it, or wait for its heartbeat`,
  );
}

/** Whether every peer understands these semantics, by the heartbeats that have arrived here and can be read. */
export function* areUnderstood(site: Site, semantics: number): Protocol<boolean> {
  const keys = site.peers.map(heartbeatKey);
  const { held } = yield* readKeys(keys);
  return keys.every((key) => understoodBy(held.get(key)?.record) >= semantics);
}
