/** Looks at the exposure in both directions, again and again, while clients work and faults fall. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isSilence } from '../cluster/request.ts';
import type { TestCluster } from '../cluster/test-cluster.ts';
import type { Attempt } from '../history/client-log.ts';
import type { Finding } from '../history/facts.ts';
import { checkSample, takeSample } from '../observe/exposure.ts';
import type { Random } from '../random.ts';

const EVERY_MS = 1_500;

export interface Sampled {
  /** Samples in which everybody answered, and in which somebody did not. */
  samples: number;
  unanswered: number;
  /** Writes that were looked at, and those of them that the peer did not have at that moment. */
  writes: number;
  missing: number;
  readonly findings: Finding[];
}

/** Samples until the signal. */
export async function sampleExposure(
  cluster: TestCluster,
  log: readonly Attempt[],
  { random, signal }: { readonly random: Random; readonly signal: AbortSignal },
): Promise<Sampled> {
  const sampled: Sampled = { samples: 0, unanswered: 0, writes: 0, missing: 0, findings: [] };
  const [a, b] = cluster.sites;
  const directions = [
    { origin: a, peer: b },
    { origin: b, peer: a },
  ];
  while (!signal.aborted) {
    for (const direction of directions) {
      try {
        const sample = await takeSample(cluster, direction, log, random);
        const { findings, missing } = checkSample(sample);
        sampled.samples += 1;
        sampled.writes += sample.writes.length;
        sampled.missing += missing;
        sampled.findings.push(...findings);
      } catch (error) {
        if (!isSilence(error)) throw error;
        sampled.unanswered += 1;
      }
    }
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  return sampled;
}
