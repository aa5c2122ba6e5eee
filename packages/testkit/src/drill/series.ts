/** Requests a second over the time of a drill. Pure. */
import { type Group, GROUPS, isError, type Observed } from '../history/observed.ts';

/** One second. */
export interface Second {
  /** Of its beginning, seconds after the cut; negative before it. */
  readonly atS: number;
  /** Good answers by the site that gave them. */
  readonly good: Readonly<Record<string, number>>;
  readonly errors: Readonly<Record<Group, number>>;
}

/** Whole seconds only: what is left at both ends would look like a fall of the traffic. */
export function secondsOf({ calls, beganMs, cutMs, endMs, victim, survivor }: Observed): readonly Second[] {
  const first = Math.ceil((beganMs - cutMs) / 1_000);
  const count = Math.max(0, Math.floor((endMs - cutMs) / 1_000) - first);
  const seconds = Array.from({ length: count }, (_second, index) => ({
    atS: first + index,
    good: { [victim]: 0, [survivor]: 0 },
    errors: Object.fromEntries(GROUPS.map((group) => [group, 0])) as Record<Group, number>,
  }));
  for (const call of calls) {
    const second = seconds[Math.floor((call.endMs - cutMs) / 1_000) - first];
    if (second === undefined) continue;
    const site = call.site ?? call.via;
    if (isError(call)) second.errors[call.group] += 1;
    else second.good[site] = (second.good[site] ?? 0) + 1;
  }
  return seconds;
}
