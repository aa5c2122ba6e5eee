/** A run's result as figures with their aims, and as text for documents. */
import type { Violation } from '../checkers/judge.ts';
import { type Figure, figure } from '../report/report.ts';
import { longestMs, outagesOf } from './outages.ts';
import type { ChaosResult } from './run.ts';

const NONE = { exactly: 0 } as const;

/** @param writes The number of acknowledged writes that was aimed at. */
export function figuresOf(result: ChaosResult, writes: number): Figure[] {
  const { log, acknowledged, trafficMs, keys, sampled, rest, disaster, destroyed, injectedFaults, findings } =
    result;
  const count = (...invariants: string[]): number =>
    findings.filter(({ invariant }) => invariants.includes(invariant)).length;
  const known = ['acknowledged writes', '2 values', '1 convergence', '11 exposure', 'durability=all'];
  const endpoints = [...new Set(log.map(({ via }) => via))].sort();
  const unknown = log.filter(({ result, kind }) => result === 'unknown' && kind !== 'read').length;
  return [
    figure('acknowledged writes', acknowledged, '', { atLeast: writes }),
    figure('acknowledged writes lost', count('acknowledged writes', '2 values'), '', NONE),
    figure('keys that diverge or keep a marker', count('1 convergence'), '', NONE),
    figure('wrong claims of exposure', count('11 exposure'), '', NONE),
    figure('promised writes lost with their cloud', count('durability=all'), '', NONE),
    figure(
      'other violations',
      findings.filter(({ invariant }) => !known.includes(invariant)).length,
      '',
      NONE,
    ),
    ...seconds('time to converge after healing', rest.convergedMs),
    ...seconds('time until the last message was gone', rest.restedMs),
    ...endpoints.map((endpoint) => {
      const outages = outagesOf(log.filter(({ via }) => via === endpoint));
      return figure(`longest outage at ${endpoint}`, longestMs(outages) / 1_000, 's');
    }),
    figure('time of traffic', trafficMs / 1_000, 's'),
    figure('keys', keys, ''),
    figure('requests', log.length, ''),
    figure('writes without an answer that says whether they stand', unknown, ''),
    figure('dead letters put back', rest.redriven, ''),
    figure('looks at the exposure', sampled.samples, ''),
    figure('looks that somebody did not answer', sampled.unanswered, ''),
    figure('writes looked at', sampled.writes, ''),
    figure('of these not at the peer at that moment', sampled.missing, ''),
    ...(disaster === undefined
      ? []
      : [
          figure(`${destroyed} destroyed: writes acknowledged`, disaster.acknowledged, ''),
          figure(`${destroyed} destroyed: of these with durability=all`, disaster.promised, ''),
          figure(`${destroyed} destroyed: others that were lost`, disaster.lost, ''),
          figure(`${destroyed} destroyed: keys with a lost write`, disaster.lostKeys, '', {
            atMost: disaster.reportedAtRisk + disaster.writtenSince,
          }),
          figure(`${destroyed} destroyed: keys last said to be at risk`, disaster.reportedAtRisk, ''),
          figure(`${destroyed} destroyed: keys written since`, disaster.writtenSince, ''),
          figure(`${destroyed} destroyed: age of the last answer`, disaster.responseAgeMs, 'ms'),
        ]),
    ...[...injectedFaults.counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, times]) => figure(what, times, '')),
  ];
}

function seconds(name: string, ms: number | undefined): Figure[] {
  return ms === undefined ? [] : [figure(name, ms / 1_000, 's')];
}

/** The timeline as a list in Markdown. */
export function timelineOf({ injectedFaults }: Pick<ChaosResult, 'injectedFaults'>): string {
  return [
    'Timeline (minutes:seconds of traffic)',
    '',
    ...injectedFaults.timeline.map((line) => `- ${line}`),
    '',
  ].join('\n');
}

/** Violations with their evidence. */
export function textOf(violations: readonly Violation[]): string {
  return violations
    .map(({ invariant, key, detail, log, states }) =>
      [
        `VIOLATION of ${invariant}${key === undefined ? '' : `: ${key}`}`,
        `  ${detail}`,
        ...log.map((line) => `  log    ${line}`),
        ...(key === undefined
          ? []
          : Object.entries(states).map(([site, state]) => `  ${site}  ${JSON.stringify(state)}`)),
        '',
      ].join('\n'),
    )
    .join('\n');
}
