/**
 * How far a peer's event is believed.
 *
 * Invariant: nobody but a site itself can say what that site wrote, beyond what it has written. Whoever can send to a
 * queue can write any field, as a peer may; nobody can pause or report on another site's behalf, forge this site's own
 * writes, or let a vector grow without bound. (Why events are not signed: decision 0031.)
 */
import { horizonMs } from './bounds.ts';
import { ForgedStampError } from './errors.ts';
import type { ReplicationEvent } from './event.ts';
import { isForgotten, oldestMs } from './lives.ts';
import { own } from './own.ts';
import { outranks } from './policies/field.ts';
import type { Slot } from './policies/slots.ts';
import type { Site } from './protocol.ts';
import { entityOf, ERASED, idOf, type RecordState, REQUESTS } from './record.ts';
import { CONFLICT, CURSOR, HEARTBEAT, PAUSE, VERIFICATION } from './reserved.ts';
import { type SiteId, type Stamp, stampMs, stampSite } from './stamp.ts';

/** Why an event says more than its source may, whatever is held here; undefined when it does not. */
export function beyondItsSource(site: Site, { source, key, state }: ReplicationEvent): Error | undefined {
  const owner = ownerOf(key);
  if (owner !== undefined && owner !== source)
    return new ForgedStampError(`${source} sent ${key}, which only ${owner} writes`);
  const known = new Set([site.site, ...site.peers, ...(site.retired ?? [])]);
  const stranger = Object.keys(state.vector).find((name) => !known.has(name));
  if (stranger === undefined) return undefined;
  const detail = `${key} bears stamps of ${stranger}, neither a peer of ${site.site} nor among its retired sites`;
  return new ForgedStampError(detail, { mayPass: true });
}

/** The only site that writes a record about itself; undefined for every other record. */
function ownerOf(key: string): SiteId | undefined {
  switch (entityOf(key)) {
    case HEARTBEAT:
    case PAUSE:
      return idOf(key);
    case VERIFICATION:
    case CURSOR:
      return idOf(key).split('.')[0];
    default:
      return undefined;
  }
}

/**
 * Why a state of a peer cannot be: it includes more of this site's own writes than this site has made. Where the record
 * is absent, because it was removed, nothing but the clock can tell; nor can a life that began after the removal tell
 * what was written before.
 */
export function beyondItsKnowledge(
  { site, now }: Site,
  key: string,
  held: RecordState | undefined,
  state: RecordState,
): Error | undefined {
  const claimed = state.vector[site];
  if (claimed === undefined || (held !== undefined && isForgotten(state, held))) return undefined;
  // An entry of the conflict log bears the stamp of the winner, whichever site wrote it.
  if (held === undefined || isForgotten(held, state) || entityOf(key) === CONFLICT) {
    if (stampMs(claimed) <= now()) return undefined;
    const detail = `${claimed} is later than the clock of ${site}, which is said to have made it`;
    return new ForgedStampError(detail, { mayPass: true });
  }
  const rememberedMs = oldestMs(held) - horizonMs;
  const isUnknown = (stamp: Stamp): boolean => stampSite(stamp) === site && stampMs(stamp) >= rememberedMs;
  if (isUnknown(claimed) && claimed > (held.vector[site] ?? ''))
    return new ForgedStampError(`${site} has not written ${claimed}, which a peer claims to have seen`);
  const field = newsOf(held, state, isUnknown);
  if (field === undefined) return undefined;
  return new ForgedStampError(`${field} would be news of a write of ${site} to itself`);
}

/** The field of a part of this site's own that would change what it holds: it knows all that it wrote. */
function newsOf(held: RecordState, state: RecordState, isOwn: (stamp: Stamp) => boolean): string | undefined {
  const [ours, theirs] = [held.incarnation ?? 0, state.incarnation ?? 0];
  if (theirs < ours) return undefined;
  const known: Pick<RecordState, 'fields' | 'sets' | 'counters'> = theirs > ours ? { fields: {} } : held;
  for (const [field, register] of Object.entries(state.fields)) {
    // That the life before was erased goes along into the next ones, of which this site may know another.
    if (!isOwn(register[0]) || field === ERASED) continue;
    const mine = own(known.fields, field);
    if (mine === undefined || (mine[0] !== register[0] && outranks(register, mine))) return field;
  }
  for (const section of ['sets', 'counters'] as const) {
    for (const [field, slots] of Object.entries(state[section] ?? {})) {
      const held = own(known[section] ?? {}, field) ?? {};
      const isNews = ([name, [stamp]]: readonly [string, Slot]): boolean => {
        // The base of a counter is a peer's to write; a slot of a set that is gone here was removed, and stays so.
        if (field === REQUESTS || name.startsWith('-') || !isOwn(stamp)) return false;
        const mine = own(held, name)?.[0];
        return mine === undefined ? section === 'counters' : stamp > mine;
      };
      if (Object.entries(slots).some(isNews)) return field;
    }
  }
  return undefined;
}
