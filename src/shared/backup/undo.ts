/**
 * What brings a record back to what it was before a moment, as new writes: for a disaster that is in the records themselves and
 * has crossed to every site, so that no site and no merge can help. Pure.
 *
 * Invariant: only what was written between the two moments is taken back. A field that was written after them is right and stays; a
 * field that has its old value already is left alone, so that doing it again changes nothing.
 */
import { canonicalJson } from '@tandem-clouds/replication/canonical-json';
import type { Json } from '@tandem-clouds/replication/json';
import { withErasuresOf } from '@tandem-clouds/replication/lives';
import { own } from '@tandem-clouds/replication/own';
import { fieldValue } from '@tandem-clouds/replication/policies/field';
import { memberOf } from '@tandem-clouds/replication/policies/members';
import { elementsOf } from '@tandem-clouds/replication/policies/set';
import {
  fieldNames,
  isLive,
  partsOf,
  type RecordState,
  REQUESTS,
  slotsOf,
  stateName,
} from '@tandem-clouds/replication/record';
import { stampMs } from '@tandem-clouds/replication/stamp';

export interface UndoWindow {
  /** Epoch milliseconds: records are brought back to what they were then. */
  readonly beforeMs: number;
  /** What is written later is right and stays. */
  readonly untilMs: number;
  /** Whether a record that was created in between is deleted. */
  readonly deletesCreated: boolean;
}

export interface FieldUndo {
  readonly field: string;
  readonly from: Json;
  readonly to: Json;
  readonly as: 'value' | 'set' | 'counter';
}

/** The change of one record; `state` names the state that it was made for. */
export interface RecordUndo {
  readonly key: string;
  readonly state: string;
  readonly fields: readonly FieldUndo[];
  /** The record as a whole: it was deleted in between and comes back, or was created and goes. */
  readonly life?: 'back' | 'gone';
  /** Fields that were written again later, and stay. */
  readonly kept: readonly string[];
  /** Field → why it is left to a person. */
  readonly open: Readonly<Record<string, string>>;
}

/** Undefined: nothing of it was written in between, or it is what it was. */
export function undoOf(
  key: string,
  archived: RecordState | undefined,
  now: RecordState,
  window: UndoWindow,
): RecordUndo | undefined {
  const then = archived && withErasuresOf(archived, now);
  const { beforeMs, untilMs, deletesCreated } = window;
  const wasLive = then !== undefined && isLive(then, beforeMs);
  const lives = isLive(now, untilMs);
  const fields: FieldUndo[] = [];
  const kept: string[] = [];
  const open: Record<string, string> = {};
  if (!wasLive) {
    if (!lives || newestMs(now) <= beforeMs) return undefined;
    if (newestMs(now) > untilMs) kept.push('$deleted');
    else if (deletesCreated) return { key, state: stateName(now), fields, life: 'gone', kept, open };
    else open['$deleted'] = 'it was created in between; --delete-created deletes it';
    return { key, state: stateName(now), fields, kept, open };
  }
  if (!lives && isWithin(now.fields['$deleted']?.[0], window)) {
    const values = fieldNames(then).filter((name) => !name.startsWith('$') && memberOf(name) === undefined);
    for (const field of values) {
      const parts = partsOf(then, field);
      const to = fieldValue(parts);
      const as = parts.set !== undefined ? 'set' : parts.counter !== undefined ? 'counter' : 'value';
      if (to !== null) fields.push({ field, from: null, to, as });
    }
    return { key, state: stateName(now), fields, life: 'back', kept, open };
  }
  if (!lives) return { key, state: stateName(now), fields, kept: ['$deleted'], open };
  for (const field of new Set([...fieldNames(now), ...fieldNames(then)])) {
    if (field.startsWith('$') || field === REQUESTS) continue;
    const stamps = stampsOf(now, field);
    // What was taken out of a set leaves no stamp behind.
    if (partsOf(now, field).set === undefined && stamps.every((ms) => ms <= beforeMs)) continue;
    const from = fieldValue(partsOf(now, field));
    const to = fieldValue(partsOf(then, field));
    if (canonicalJson(from) === canonicalJson(to)) continue;
    const change = changeOf(field, { from, to, then, now }, window);
    if ('kept' in change) kept.push(field);
    else if ('open' in change) open[field] = change.open;
    else if (canonicalJson(change.from) !== canonicalJson(change.to)) fields.push(change);
  }
  if (fields.length === 0 && kept.length === 0 && Object.keys(open).length === 0) return undefined;
  return { key, state: stateName(now), fields, kept, open };
}

function changeOf(
  field: string,
  { from, to, then, now }: { from: Json; to: Json; then: RecordState; now: RecordState },
  { beforeMs, untilMs }: UndoWindow,
): FieldUndo | { readonly kept: true } | { readonly open: string } {
  if (memberOf(field) !== undefined || hasMembers(now, field) || hasMembers(then, field))
    return { open: 'it is merged member by member: write what is right by the API' };
  const { set, counter } = partsOf(now, field);
  if (set !== undefined) {
    const right = Object.values(set)
      .filter(([stamp]) => stampMs(stamp) > untilMs)
      .map(([, value]) => value);
    const wanted = [...elementsOf(partsOf(then, field)), ...right];
    return { field, from, to: unique(wanted), as: 'set' };
  }
  const stamps = stampsOf(now, field);
  if (counter !== undefined) {
    // What a site has added is one sum: what is right in it cannot be told from what is not.
    if (stamps.some((ms) => ms > untilMs))
      return { open: 'it was counted on since: what is right in it cannot be told' };
    return typeof from === 'number' && typeof to === 'number'
      ? { field, from, to, as: 'counter' }
      : { open: 'it is no number' };
  }
  if (stamps.some((ms) => ms > untilMs)) return { kept: true };
  return stamps.some((ms) => ms > beforeMs) ? { field, from, to, as: 'value' } : { kept: true };
}

function hasMembers({ fields }: RecordState, field: string): boolean {
  return Object.keys(fields).some((name) => memberOf(name)?.field === field);
}

function unique(elements: readonly Json[]): Json {
  return [...new Map(elements.map((element) => [canonicalJson(element), element])).values()];
}

function isWithin(stamp: string | undefined, { beforeMs, untilMs }: UndoWindow): boolean {
  if (stamp === undefined) return false;
  const ms = stampMs(stamp);
  return ms > beforeMs && ms <= untilMs;
}

function stampsOf(state: RecordState, field: string): readonly number[] {
  const register = own(state.fields, field)?.[0];
  const slots = [own(state.sets ?? {}, field), own(state.counters ?? {}, field)].flatMap((each) =>
    Object.values(each ?? {}).map(([stamp]) => stamp),
  );
  return [...(register === undefined ? [] : [register]), ...slots].map(stampMs);
}

function newestMs(state: RecordState): number {
  const stamps = [...Object.values(state.fields), ...slotsOf(state)].map(([stamp]) => stampMs(stamp));
  return Math.max(0, ...stamps);
}
