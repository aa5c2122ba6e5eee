/** Requests a second over the time of a drill. Pure. */
import { type Group, GROUPS, isError, type Observed } from '../history/observed.ts';

/** One second. */
export interface Second {
  /** Of its beginning, seconds after the cut; negative before it. */
  readonly atS: number;
  /** Good answers by the site that gave them. */
  readonly good: Readonly<Record<string, number>>;
  readonly errors: Readonly<Record<Group, number>>;
  /** Keys that a site has said are not at its peer, the most of this second; absent: it said nothing. Of a drill before 2026-12: none. */
  readonly atRisk?: Readonly<Record<string, number>>;
}

/** Whole seconds only: what is left at both ends would look like a fall of the traffic. */
export function secondsOf({
  calls,
  beganMs,
  cutMs,
  endMs,
  victim,
  survivor,
  atRisk,
}: Observed): readonly Second[] {
  const first = Math.ceil((beganMs - cutMs) / 1_000);
  const count = Math.max(0, Math.floor((endMs - cutMs) / 1_000) - first);
  const said: Record<string, number>[] = Array.from({ length: count }, () => ({}));
  const seconds = said.map((keysAtRisk, index) => ({
    atS: first + index,
    good: { [victim]: 0, [survivor]: 0 },
    errors: Object.fromEntries(GROUPS.map((group) => [group, 0])) as Record<Group, number>,
    atRisk: keysAtRisk,
  }));
  for (const call of calls) {
    const second = seconds[Math.floor((call.endMs - cutMs) / 1_000) - first];
    if (second === undefined) continue;
    const site = call.site ?? call.via;
    if (isError(call)) second.errors[call.group] += 1;
    else second.good[site] = (second.good[site] ?? 0) + 1;
  }
  for (const { origin, atMs, keys } of atRisk) {
    const second = seconds[Math.floor((atMs - cutMs) / 1_000) - first];
    if (second !== undefined) second.atRisk[origin] = Math.max(second.atRisk[origin] ?? 0, keys);
  }
  return seconds;
}

/** So long the level of before has to be kept; its mean evens out the chance in when clients ask. */
export const STEADY_SECONDS = 5;
/** Of the level before the cut. */
export const STEADY_SHARE = 0.9;

/** Good answers of all sites together. */
export function goodOf({ good }: Second): number {
  return Object.values(good).reduce((sum, count) => sum + count, 0);
}

/**
 * Goodput back at its level of before: milliseconds from the cut to the first second that begins `STEADY_SECONDS` of at
 * least `STEADY_SHARE` of it, on average, and is at that level itself. Undefined when that never came, or when fewer than
 * `STEADY_SECONDS` were seen before the cut.
 */
export function fullCapacityMs(seconds: readonly Second[]): number | undefined {
  const mean = (of: readonly Second[]): number => of.reduce((sum, one) => sum + goodOf(one), 0) / of.length;
  const before = seconds.filter(({ atS }) => atS < 0);
  const after = seconds.filter(({ atS }) => atS >= 0);
  if (before.length < STEADY_SECONDS) return undefined;
  const level = mean(before) * STEADY_SHARE;
  const index = after.findIndex((second, at) => {
    const window = after.slice(at, at + STEADY_SECONDS);
    return window.length === STEADY_SECONDS && goodOf(second) >= level && mean(window) >= level;
  });
  const first = after[index];
  return first === undefined ? undefined : first.atS * 1_000;
}
