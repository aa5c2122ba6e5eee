/** A run's result as figures with their aims. */
import { type Figure, figure } from '../../report/report.ts';
import { CORRUPT, LOST, NOT_FOUND, NOT_HELD, type ObjectChaosResult } from './run.ts';
import type { ReadOutcome } from './uploads.ts';

const NONE = { exactly: 0 } as const;
const MB = 1_000_000;

/** @param uploads The number of acknowledged uploads that was aimed at, at both sites together. */
export function objectFiguresOf(result: ObjectChaosResult, uploads: number): Figure[] {
  const { acknowledged, findings, reads, finalReads, heldMs, trafficMs, givenUp, injectedFaults } = result;
  const count = (invariant: string): number =>
    findings.filter((finding) => finding.invariant === invariant).length;
  const during = (outcome: ReadOutcome): number => reads.filter((read) => read.outcome === outcome).length;
  const total = [...acknowledged.values()].reduce((sum, each) => sum + each.uploads, 0);
  return [
    figure('acknowledged uploads', total, '', { atLeast: uploads }),
    ...[...acknowledged].flatMap(([site, { uploads: sent, bytes }]) => [
      figure(`sent to ${site}`, sent, ''),
      figure(`sent to ${site}, in all`, bytes / MB, 'MB'),
    ]),
    figure('lost', count(LOST), '', NONE),
    figure('corrupt', count(CORRUPT), '', NONE),
    figure('404 after acknowledgement', count(NOT_FOUND), '', NONE),
    figure('not held everywhere in the end', count(NOT_HELD), '', NONE),
    figure('read whole in the end', finalReads.filter(({ outcome }) => outcome === 'right').length, ''),
    figure('reads under faults: right', during('right'), ''),
    figure('reads under faults: 503, or the storage did not answer', during('unavailable'), ''),
    figure('reads under faults: other bytes, sent by a storage that was told to', during('corrupt'), ''),
    figure('uploads given up after three minutes', givenUp, ''),
    ...(heldMs === undefined
      ? []
      : [figure('time until both held everything after healing', heldMs / 1_000, 's')]),
    figure('time of traffic', trafficMs / 1_000, 's'),
    ...[...injectedFaults.counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, times]) => figure(what, times, '')),
  ];
}
