/** What a comparison of two sites has found, in words. Pure. */
import type { SideView, VerificationView } from './operator-api.ts';

const EXAMPLES_MAX = 5;

/** Records that one side has and the other lacks, or holds in an earlier state; of both sides together. */
export function differingIn({ sides }: Pick<VerificationView, 'sides'>): number {
  return Object.values(sides).reduce((sum, side) => sum + side.differing, 0);
}

/** While it goes on. */
export function progressOf({ from, to, sides }: VerificationView): string {
  const known = Object.entries(sides).map(([site, side]) => `${site} ${sideText(side)}`);
  return known.length === 0 ? `comparing ${from} and ${to}: reading both` : `comparing: ${known.join(', ')}`;
}

function sideText({ checked, differing, repaired }: SideView): string {
  return `offered ${checked}, lacking ${differing}, sent ${repaired}`;
}

/** Once it has ended: the verdict, and a line for each side. */
export function summaryOf(view: VerificationView): string {
  const { lastCleanAt = 'never' } = view;
  const differs = differingIn(view) > 0;
  const verdict = differs
    ? `${verdictOf(view)}. Last the same: ${lastCleanAt}.`
    : `${verdictOf(view)}, as of ${lastCleanAt}.`;
  return [verdict, ...sideLines(view).map((line) => `  ${line}`)].join('\n');
}

/** Whether the two hold the same, without a full stop. */
export function verdictOf(view: VerificationView): string {
  const { from, to } = view;
  return differingIn(view) > 0 ? `${from} and ${to} differ` : `${from} and ${to} hold the same`;
}

/** What is known of each of the two sites. */
export function sideLines({ from, to, repair, sides }: VerificationView): readonly string[] {
  return [from, to].map((site) => {
    const side = Object.hasOwn(sides, site) ? sides[site] : undefined;
    const other = site === from ? to : from;
    if (side === undefined) return `${site}: not known`;
    const counted = `${site}: ${side.counted ?? 0} records`;
    if (side.differing === 0) return `${counted}; ${other} has them all`;
    const examples =
      side.examples.length > 0 ? ` (${side.examples.slice(0, EXAMPLES_MAX).join(', ')} …)` : '';
    const sent = repair ? `; ${side.repaired} were sent` : '';
    return `${counted}; ${other} lacks ${side.differing} of them or holds them in an earlier state${examples}${sent}`;
  });
}
