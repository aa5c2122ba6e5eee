/** A run's result as figures with their aims. */
import { BEYOND, MISSING, PARKED, parkedBy } from '../../checkers/reacted.ts';
import { type Reacted, REACTION } from '../../history/reacted.ts';
import { lagFigures } from '../../report/lag-figures.ts';
import { type Figure, figure } from '../../report/report.ts';
import type { ReactionChaosResult } from './run.ts';

const NONE = { exactly: 0 } as const;

/** @param changes The number of acknowledged changes that was aimed at. */
export function reactionFiguresOf(result: ReactionChaosResult, changes: number): Figure[] {
  const { acknowledged, findings, takeOver, rest, reactedMs, lags, reacted, trafficMs, log } = result;
  const count = (...invariants: string[]): number =>
    findings.filter(({ invariant }) => invariants.includes(invariant)).length;
  const known = ['acknowledged writes', '1 convergence', MISSING, BEYOND, PARKED];
  return [
    figure('acknowledged changes', acknowledged, '', { atLeast: changes }),
    figure('effects missing of changes that stood', count(MISSING), '', NONE),
    figure('effects or names beyond one per change', count(BEYOND), '', NONE),
    figure('parked without a reason that applies', count(PARKED), '', NONE),
    figure('acknowledged changes lost', count('acknowledged writes'), '', NONE),
    figure('keys that diverge or keep a marker', count('1 convergence'), '', NONE),
    figure(
      'other violations',
      findings.filter(({ invariant }) => !known.includes(invariant)).length,
      '',
      NONE,
    ),
    ...effectFigures(takeOver?.reacted ?? reacted),
    ...(takeOver === undefined
      ? [figure('sites taken over', 0, '', { atLeast: 1 })]
      : [
          figure(`${takeOver.lost} lost: changes acknowledged in the burst`, takeOver.acknowledged, ''),
          figure(`${takeOver.lost} lost: of these gone with it`, takeOver.gone, ''),
          figure(`${takeOver.lost} lost: left without an effect`, takeOver.left, '', { atLeast: 1 }),
          figure(`${takeOver.lost} lost: set by the take-over`, takeOver.set, '', { atLeast: takeOver.left }),
          figure(`${takeOver.lost} lost: set by a second one`, takeOver.setAgain, ''),
          ...seconds('time until all that was left had its effect', takeOver.reactedMs),
        ]),
    ...lagFigures('without faults', lags.quiet),
    ...lagFigures('over all', lags.all),
    ...seconds('time to converge after healing', rest.convergedMs),
    ...seconds('time until the last message was gone', rest.restedMs),
    ...seconds('then time until all was acted on', reactedMs),
    figure('time of traffic', trafficMs / 1_000, 's'),
    figure('requests', log.length, ''),
    figure('dead letters put back', rest.redriven, ''),
    ...[...result.injectedFaults.counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, times]) => figure(what, times, '')),
  ];
}

function effectFigures(reacted: Reacted): Figure[] {
  const { calls, changes } = reacted;
  const names = new Set(calls.map(({ effectId }) => effectId));
  const performed = calls.filter((call) => call.performed).length;
  const undone = calls.filter(({ reply }) => reply === 'failed' || reply === 'refused').length;
  const unknown = calls.filter(({ reply }) => reply === 'late' || reply === 'lost').length;
  const twice = [...changes.values()].filter(({ takenBy }) => takenBy.size > 1).length;
  return [
    figure(
      'changes that may stand',
      [...changes.values()].filter(({ takenBy }) => takenBy.size > 0).length,
      '',
    ),
    figure('of these sent to both sites', twice, ''),
    figure('effect ids', names.size, ''),
    figure('effects', performed, ''),
    figure('calls', calls.length, ''),
    figure('repeated calls', calls.length - names.size, ''),
    figure('calls that the provider refused or failed', undone, ''),
    figure('calls that were done and not answered in time', unknown, ''),
    ...[...parkedBy(reacted)].map(([reason, times]) => figure(`${REACTION} parked: ${reason}`, times, '')),
  ];
}

function seconds(name: string, ms: number | undefined): Figure[] {
  return ms === undefined ? [] : [figure(name, ms / 1_000, 's')];
}
