/** A run's result as figures with their aims. */
import { type Figure, figure } from '../../report/report.ts';
import { FROM_ELSEWHERE, type PictureChaosResult, UNDECIDED, WRONG_THUMBNAIL, WRONG_VERDICT } from './run.ts';

const NONE = { exactly: 0 } as const;

/** @param pictures The number of acknowledged pictures that was aimed at. */
export function pictureFiguresOf(result: PictureChaosResult, pictures: number): Figure[] {
  const { sent, findings, served, decidedMs, trafficMs, givenUp, injectedFaults } = result;
  const count = (invariant: string): number =>
    findings.filter((finding) => finding.invariant === invariant).length;
  const good = sent.filter(({ expected }) => expected.kind === 'ready').length;
  const reasons = Map.groupBy(sent, ({ expected }) => (expected.kind === 'ready' ? 'good' : expected.reason));
  const sites = Map.groupBy(sent, ({ site }) => site);
  return [
    figure('acknowledged pictures', sent.length, '', { atLeast: pictures }),
    ...[...sites].sort().map(([site, those]) => figure(`acknowledged at ${site}`, those.length, '')),
    figure('shapes among them', new Set(sent.map(({ what }) => what)).size, ''),
    ...[...reasons].sort().map(([reason, those]) => figure(`sent: ${reason}`, those.length, '')),
    figure(UNDECIDED, count(UNDECIDED), '', NONE),
    figure(WRONG_VERDICT, count(WRONG_VERDICT), '', NONE),
    figure(WRONG_THUMBNAIL, count(WRONG_THUMBNAIL), '', NONE),
    figure(FROM_ELSEWHERE, count(FROM_ELSEWHERE), '', NONE),
    figure('thumbnails served right, at both sites', served, '', { exactly: good * 6 }),
    figure('pictures given up after three minutes', givenUp, ''),
    ...(decidedMs === undefined
      ? []
      : [figure('time until both showed everything after healing', decidedMs / 1_000, 's')]),
    figure('time of traffic', trafficMs / 1_000, 's'),
    ...[...injectedFaults.counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, times]) => figure(what, times, '')),
  ];
}
