/** A short chaos run: real processes, real SDKs, the menu of faults in half a minute, and a cloud lost at the end. */
import { expect, test } from '@jest/globals';
import { textOf } from '@tandem-clouds/testkit/chaos/figures';
import { runChaos } from '@tandem-clouds/testkit/chaos/run';

const SEED = 11;
const WRITES = 300;
const AT_MOST_MS = 400_000;

test(
  `no acknowledged write is lost, no site differs, no promise is broken (seed ${SEED})`,
  async () => {
    const { acknowledged, violations, sampled, injectedFaults, disaster } = await runChaos({
      seed: SEED,
      writes: WRITES,
      rate: 12,
      trafficMaxMs: 60_000,
      // A busy machine may need long to start a host again; what counts is that it converges.
      convergedWithinMs: 240_000,
      quietWithinMs: 0,
      burstMs: 4_000,
      progress: () => undefined,
    });
    expect(textOf(violations)).toBe('');
    expect(acknowledged).toBeGreaterThanOrEqual(WRITES);
    // It did look, and there was something to see.
    expect(sampled.samples).toBeGreaterThan(5);
    expect([...injectedFaults.counts.keys()].join()).toMatch(/SIGKILL/);
    expect(disaster?.promised).toBeGreaterThan(0);
    expect(disaster?.lost).toBeGreaterThan(0);
  },
  AT_MOST_MS,
);
