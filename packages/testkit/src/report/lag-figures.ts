/** Two lags of one run and their ratio. */
import { type Figure, figure } from './report.ts';
import { percentile } from './statistics.ts';

/** A reaction has as far to go as a write that crosses, and no further. */
export const RATIO_AIM = { atMost: 2 } as const;
/** Of times that are measured in whole milliseconds. */
const LEAST_MS = 1;

interface Sample {
  readonly replicatedMs?: number;
  readonly reactedMs?: number;
}

/** p50 and p99 of both, and the ratios; nothing where nothing was measured. */
export function lagFigures(name: string, samples: readonly Sample[]): Figure[] {
  const replicated = samples.flatMap(({ replicatedMs }) => replicatedMs ?? []);
  const reacted = samples.flatMap(({ reactedMs }) => reactedMs ?? []);
  if (replicated.length === 0 || reacted.length === 0) return [];
  return [
    figure(`${name}: changes`, samples.length, ''),
    ...[0.5, 0.99].flatMap((share) => {
      const [crossed, acted] = [percentile(replicated, share), percentile(reacted, share)];
      const p = `p${share * 100}`;
      return [
        figure(`${name}: write to run, ${p}`, acted, 'ms'),
        figure(`${name}: write to readable at the peer, ${p}`, crossed, 'ms'),
        figure(`${name}: ratio, ${p}`, acted / Math.max(LEAST_MS, crossed), '×', RATIO_AIM),
      ];
    }),
  ];
}
