/**
 * Entries: what a site still has to do because a condition on a record holds, and what it has done.
 *
 * Invariant: an entry stands for as long as its condition holds and its effect has not been done here. It becomes durable
 * in the very put that makes the condition true, at a write and at a merge alike; so no message, purge or crash can end a
 * reaction. Entries are a site's own, like markers: they never cross, and two sites need not agree about them. Who runs
 * what follows from the state alone (`isBusinessOf`).
 *
 * A condition that stood before the write, without an entry, is none of this write's: a reaction that is new, or that was
 * declared by a release that knew nothing of it, runs for old records only when it is asked to (`scan.ts`).
 */
import { reactionPausedMs, reactionRunMs } from '../bounds.ts';
import { keeps, peersOf } from '../placement.ts';
import type { Site } from '../protocol.ts';
import type { RecordState, StoredRecord } from '../record.ts';
import type { SiteId } from '../stamp.ts';
import type { Condition } from './condition.ts';
import type { ParkReason, ReactionEntries, ReactionEntry } from './entry.ts';

/**
 * Whether a condition is this site's to act on. The business of a site that is gone for good is that of the survivor with
 * the least name, so that all who have the same configuration agree without a word; and so is that of a site which no longer
 * keeps the record. Of what one site writes at a time, every site has the entry, and only the one that writes acts on it
 * (`react.ts`): so nothing is left to be taken over when another one does.
 */
export function isBusinessOf(site: Site, key: string, { site: where, origin }: Condition): boolean {
  if (where === 'every' || origin === site.site || site.declaredWriter?.(key) !== undefined) return true;
  const isLeft = site.retired?.includes(origin) === true || !keeps(site, origin, { key });
  return isLeft && heirOf(site, key) === site.site;
}

/** Who takes over what sites that are gone for good have left: of a record that some sites keep, one of those. */
export function heirOf(site: Site, key = ''): SiteId {
  return [site.site, ...peersOf(site, { key })].sort()[0] ?? site.site;
}

/** The conditions that hold and are this site's to act on. */
export function conditionsAt(
  site: Site,
  key: string,
  state: RecordState | undefined,
): ReadonlyMap<string, Condition> {
  if (state === undefined || site.reactions === undefined) return new Map();
  const held = site.reactions.conditions(key, state, site.now());
  return new Map(
    held.filter((each) => isBusinessOf(site, key, each)).map((condition) => [condition.reaction, condition]),
  );
}

/** What a record's entries become by a write. */
export interface Transition {
  readonly held: StoredRecord | undefined;
  readonly state: RecordState;
  /** The effect whose result this write is. */
  readonly done?: { readonly reaction: string; readonly effectId: string } | undefined;
  /** Sets an entry also for a condition that stood before without one. */
  readonly asked?: boolean;
}

/** The entries after a write; undefined: none. A function that declares no reactions leaves them as they are. */
export function entriesAfter(
  site: Site,
  key: string,
  { held, state, done, asked = false }: Transition,
): ReactionEntries | undefined {
  const entries = held?.reactions ?? {};
  const { reactions } = site;
  if (reactions === undefined) return held?.reactions;
  const after = conditionsAt(site, key, state);
  if (after.size === 0 && held?.reactions === undefined) return undefined;
  const before =
    asked || after.size === 0 ? new Map<string, Condition>() : conditionsAt(site, key, held?.state);
  const next: Record<string, ReactionEntry> = {};
  for (const reaction of new Set([...Object.keys(entries), ...after.keys()])) {
    const entry = entries[reaction];
    const kept =
      entry !== undefined && !reactions.knows(key, reaction)
        ? entry
        : entryAfter(site.now(), {
            entry: done?.reaction === reaction ? { ...entry, done: done.effectId } : (entry ?? {}),
            before: before.get(reaction),
            after: after.get(reaction),
            isDone: done?.reaction === reaction,
            standsBy: isStandby(site, key, after.get(reaction)),
          });
    if (Object.keys(kept).length > 0) next[reaction] = kept;
  }
  return Object.keys(next).length === 0 ? undefined : next;
}

function entryAfter(
  nowMs: number,
  {
    entry,
    before,
    after,
    isDone,
    standsBy,
  }: {
    readonly entry: ReactionEntry;
    readonly before: Condition | undefined;
    readonly after: Condition | undefined;
    readonly isDone: boolean;
    readonly standsBy: boolean;
  },
): ReactionEntry {
  const rest = lasting(entry);
  if (after === undefined) return rest;
  const { effectId, broken } = after;
  // Whoever writes has made the condition false by then, as a rule.
  const fromMs = standsBy
    ? Math.max(after.fromMs ?? 0, entry.dueMs ?? nowMs + reactionPausedMs)
    : after.fromMs;
  if (broken !== undefined)
    return { ...rest, effectId, parked: parkedAs(entry, 'broken', nowMs), detail: broken };
  if (entry.done === effectId && after.site === 'every') return rest;
  // What was done just now should be over. Later its result may have been overwritten by that of an overruled effect: then
  // it is done again under the same name, which a provider that honours it takes for what it is.
  if (entry.done === effectId && isDone)
    return { ...rest, effectId, parked: { reason: 'stands', atMs: nowMs } };
  if (entry.effectId === effectId && entry.parked?.reason !== 'broken') {
    if (entry.parked !== undefined) return entry;
    if ((entry.attempts ?? 0) > 0) return isNews(before, after) ? sooner(entry, nowMs) : entry;
    return { ...entry, dueMs: fromMs ?? Math.min(entry.dueMs ?? nowMs, nowMs) };
  }
  if (entry.effectId === undefined && before?.effectId === effectId) return rest;
  return { ...rest, effectId, dueMs: fromMs ?? nowMs };
}

/** Whether what an effect is about was written once more, and its name is the same. */
function isNews(before: Condition | undefined, after: Condition): boolean {
  return before !== undefined && before.madeMs !== after.madeMs;
}

/** The pause before the next attempt is for what nobody has touched; an attempt that is under way is let end. */
function sooner(entry: ReactionEntry, nowMs: number): ReactionEntry {
  const { dueMs = nowMs, fence: begunMs = nowMs } = entry;
  return { ...entry, dueMs: Math.min(dueMs, Math.max(nowMs, begunMs + reactionRunMs)) };
}

/** Whether another site has made a condition true that the site acts on which writes then. */
function isStandby(site: Site, key: string, condition: Condition | undefined): boolean {
  const isOther = condition?.site === 'origin' && condition.origin !== site.site;
  return isOther && site.declaredWriter?.(key) !== undefined;
}

/** What outlives an effect. */
export function lasting({ fence, done, tried, hour }: ReactionEntry): ReactionEntry {
  return {
    ...(fence !== undefined && { fence }),
    ...(done !== undefined && { done }),
    ...(tried !== undefined && { tried }),
    ...(hour !== undefined && { hour }),
  };
}

/** Parked since the first time that it was for this reason. */
function parkedAs(
  { parked }: ReactionEntry,
  reason: ParkReason,
  atMs: number,
): NonNullable<ReactionEntry['parked']> {
  return parked?.reason === reason ? parked : { reason, atMs };
}

/** An entry that is parked. */
export function park(entry: ReactionEntry, reason: ParkReason, atMs: number, detail?: string): ReactionEntry {
  const { dueMs: _, detail: last, ...rest } = entry;
  const said = detail ?? last;
  return { ...rest, parked: { reason, atMs }, ...(said !== undefined && { detail: said }) };
}

/** Whether anything is due. */
export function isDue({ reactions = {} }: StoredRecord, nowMs: number): boolean {
  return Object.values(reactions).some((entry) => isEntryDue(entry, nowMs));
}

function isEntryDue({ dueMs }: ReactionEntry, nowMs: number): boolean {
  return dueMs !== undefined && dueMs <= nowMs;
}

/**
 * The entry to act on, of those that are due: what one site does comes before what each does for itself, because somebody waits
 * for it; then what has been due for longest.
 */
export function nextDue(site: Site, record: StoredRecord): readonly [string, ReactionEntry] | undefined {
  const nowMs = site.now();
  const due = Object.entries(record.reactions ?? {})
    .filter(([, entry]) => isEntryDue(entry, nowMs))
    .sort(([, a], [, b]) => (a.dueMs ?? 0) - (b.dueMs ?? 0));
  if (due.length < 2) return due[0];
  const conditions = conditionsAt(site, record.key, record.state);
  return due.find(([reaction]) => conditions.get(reaction)?.site === 'origin') ?? due[0];
}

/** Effects that were begun on a record within the hour. */
export function effectsWithinHour(record: StoredRecord, nowMs: number, hourMs: number): number {
  return Object.values(record.reactions ?? {}).reduce(
    (sum, { hour }) => sum + (hour !== undefined && nowMs - hour.fromMs < hourMs ? hour.effects : 0),
    0,
  );
}

/** The parts of a record that its entries are; nothing where there are none. */
export function withEntries(entries: ReactionEntries | undefined): { readonly reactions?: ReactionEntries } {
  return entries === undefined || Object.keys(entries).length === 0 ? {} : { reactions: entries };
}
