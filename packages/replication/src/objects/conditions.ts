/**
 * What sites have to do about the content of a record, as conditions on its state (`reactions/`).
 *
 * Invariant: a site that keeps a record and does not claim its content has an entry for it, and so has the site that the
 * bytes were sent to for as long as another lacks them. So both find all of them by the index of what is due, also after a
 * crash, and an upload that replaces another, or a delete, ends what is about the one before.
 */
import { crossingLookMs } from '../bounds.ts';
import type { Condition } from '../reactions/condition.ts';
import type { RecordState } from '../record.ts';
import type { SiteId } from '../stamp.ts';
import { type Contents, CROSSING, HOLD, siteOfUpload } from './content.ts';

export interface ConditionsAt {
  /** Whose conditions they are: each site's `hold` is about itself. */
  readonly site: SiteId;
  /** The sites that keep the record, this one among them if it does; none that is gone for good. */
  readonly keptBy: readonly SiteId[];
  /** Epoch milliseconds. */
  readonly nowMs: number;
  /** Names a text by letters, digits, `-` and `_`. */
  readonly digest: (text: string) => string;
}

/** Whether a reaction is one of those that are made for what has content. */
export function isAboutContent(reaction: string): boolean {
  return reaction === HOLD || reaction === CROSSING;
}

/** Those that hold. Pure. */
export function contentConditions(
  contents: Contents,
  key: string,
  state: RecordState,
  { site, keptBy, nowMs, digest }: ConditionsAt,
): readonly Condition[] {
  const held = contents.of(key, state, nowMs);
  if (held === undefined) return [];
  const { upload, completedMs } = held.content;
  const lacking = keptBy.filter((each) => !held.heldBy.includes(each));
  const about = { site: 'origin', madeMs: completedMs, canLookUp: false, lasting: true } as const;
  const named = (reaction: string, ...by: readonly SiteId[]): Pick<Condition, 'reaction' | 'effectId'> => ({
    reaction,
    effectId: `${reaction}-${digest(JSON.stringify([key, reaction, upload, ...by]))}`,
  });
  const conditions: Condition[] = [];
  if (lacking.includes(site))
    conditions.push({ ...about, ...named(HOLD, site), origin: site, fromMs: held.fromMs });
  if (lacking.length > 0)
    // Always ahead, so that it is never run.
    conditions.push({
      ...about,
      ...named(CROSSING),
      origin: siteOfUpload(upload),
      fromMs: nowMs + crossingLookMs,
    });
  return conditions;
}
