/** A drill's outcome as figures with their bars. Pure. */
import type { AtRisk, Observed } from '../history/observed.ts';
import { type Aim, type Figure, figure } from '../report/report.ts';
import type { DrillResult } from './result.ts';

/** The bar of a failover. */
export const RTO_BELOW_S = 60;
const NONE: Aim = { exactly: 0 };

export function figuresOf(observed: Observed, result: DrillResult): readonly Figure[] {
  const { moments, afterRedirect, groups } = result;
  const { back } = moments;
  const errorsOf = (group: string): number =>
    Object.values(groups.find((one) => one.group === group)?.errors ?? {}).reduce((a, b) => a + b, 0);
  return [
    ...seconds('cut → health check gives the site up', moments.detected, { below: RTO_BELOW_S }),
    ...seconds('cut → no DNS answer leads there', moments.redirected, { below: RTO_BELOW_S }),
    ...seconds('cut → first good answer elsewhere', moments.firstGood, { below: RTO_BELOW_S }),
    ...seconds('cut → last error of clients that honour the TTL (RTO)', moments.lastError, {
      below: RTO_BELOW_S,
    }),
    ...seconds('cut → all of them are served again', moments.allServed, { below: RTO_BELOW_S }),
    ...seconds('cut → good answers at their level of before (full capacity)', moments.fullCapacity),
    figure('errors of clients that honour the TTL', errorsOf('honours TTL'), ''),
    figure('their requests with a DNS answer from after the redirect', afterRedirect.requests, '', {
      atLeast: 1,
    }),
    figure('errors among these', afterRedirect.errors, '', NONE),
    figure('errors of clients that ignore the TTL', errorsOf('ignores TTL'), ''),
    ...failoverFigures(result, errorsOf('fails over')),
    ...observed.atRiskAtCut.map((reported) =>
      figure(`keys at risk at the cut, as said: ${wayOf(reported)}`, reported.keys, ''),
    ),
    figure('writes that had not crossed at the cut', observed.stayedBehind, ''),
    figure('of these not back in the end', observed.stillBehind, '', NONE),
    ...(observed.waitingAtReturn === undefined
      ? []
      : [
          figure(
            `keys waiting at the return, as said: ${wayOf(observed.waitingAtReturn)}`,
            observed.waitingAtReturn.keys,
            '',
          ),
        ]),
    ...seconds('return → the site is ready', after(moments.serves, back)),
    ...seconds('return → every acknowledged write is at both sites', after(moments.converged, back)),
    ...seconds('return → DNS leads there again', after(moments.inRotation, back)),
    figure(
      'of all these moments never came',
      // Full capacity has no bar yet, and may lie beyond the end of a short drill.
      Object.entries(moments).filter(([name, ms]) => name !== 'fullCapacity' && ms === undefined).length,
      '',
      NONE,
    ),
    figure('acknowledged writes', result.writes, '', { atLeast: 1 }),
    figure('acknowledged writes lost', result.lost, '', NONE),
    figure('keys on which the sites differ', result.diverging, '', NONE),
    figure('other violations', result.otherFindings, '', NONE),
    figure('writes that a retry found done already', result.replayed, ''),
    figure('reads', result.reads, ''),
    figure("reads that did not show the client's own write", result.staleReads, ''),
  ];
}

/** Of a load without such clients there is nothing to say. */
function failoverFigures({ failover }: DrillResult, errors: number): readonly Figure[] {
  if (failover.calls === 0) return [];
  return [
    figure('calls of clients with failover', failover.calls, ''),
    figure('of these failed', errors, '', NONE),
    figure('of these sent more than once', failover.repeated, ''),
    figure('increments among them', failover.increments, ''),
    figure('of which nobody can say whether they counted (OutcomeUnknown)', failover.outcomesUnknown, ''),
    figure('creations of which nobody can say that (OutcomeUnknown)', failover.creationsUnknown, '', NONE),
    figure('reads that were answered without the guarantee of their session', failover.stale, ''),
    figure('increments lost or counted twice', failover.miscounted, '', NONE),
  ];
}

/** True when no bar is broken. */
export function holds(figures: readonly Figure[]): boolean {
  return figures.every((one) => one.holds !== false);
}

function wayOf({ origin, peer, atLeast }: AtRisk): string {
  return `${origin} → ${peer}${atLeast ? ', at least' : ''}`;
}

function after(moment: number | undefined, back: number): number | undefined {
  return moment === undefined ? undefined : moment - back;
}

/** Of a moment that never came there is no figure; their number has a bar of its own. */
function seconds(name: string, ms: number | undefined, aim?: Aim): Figure[] {
  return ms === undefined ? [] : [figure(name, ms / 1_000, 's', aim)];
}
