/** The latest comparisons, from what several sites say of them. Pure. */
import type { VerificationView } from '@tandem-clouds/operator/operator-api';

const KEPT_MAX = 20;

/**
 * Each once, the latest first. Of one that both sites know, the one that says more is kept: its end, or else the count that is
 * further on.
 * @param before What was known: a site keeps the latest of each direction only.
 */
export function mergeComparisons(
  before: readonly VerificationView[],
  found: readonly VerificationView[],
): readonly VerificationView[] {
  const byId = new Map<string, VerificationView>();
  for (const view of [...before, ...found]) {
    const known = byId.get(view.id);
    if (known === undefined || weightOf(view) >= weightOf(known)) byId.set(view.id, view);
  }
  return [...byId.values()].sort((a, b) => (a.begunAt < b.begunAt ? 1 : -1)).slice(0, KEPT_MAX);
}

function weightOf({ ended, sides }: VerificationView): number {
  const sum = Object.values(sides).reduce((all, { checked, repaired }) => all + checked + repaired, 0);
  return (ended ? Number.MAX_SAFE_INTEGER / 2 : 0) + sum + Object.keys(sides).length;
}
