/** A backlog under budgets, on virtual time: what it lets live writes wait for, and how much of the budget it uses. */
import { describe, expect, test } from '@jest/globals';
import { sweepPageSize, sweepTickMs, sweepWidthMax } from '@tandem-clouds/replication/bounds';
import { LAG_FACTOR_MAX } from '../../../../scripts/bench/catch-up/aims.ts';
import { backlogUnits } from '../../../../scripts/bench/catch-up/backlog.ts';
import {
  runVirtually,
  type VirtualFindings,
  type VirtualRun,
} from '../../../../scripts/bench/catch-up/virtual/run.ts';
import { percentile } from '../../src/report/statistics.ts';

const KEYS = 3_000;
const BUDGETS = { unitsPerSecond: 5_000, creditsPerSecond: 1_000 } as const;

const run = (options: Partial<VirtualRun> & Pick<VirtualRun, 'from'>): Promise<VirtualFindings> =>
  runVirtually({ keys: KEYS, livePerSecond: 10, baselineSeconds: 60, seed: 1, ...BUDGETS, ...options });

const lagFactor = ({ alone, during }: VirtualFindings): number =>
  percentile(during.lagMs, 0.99) / percentile(alone.lagMs, 0.99);

describe('a backlog under the budgets of the services', () => {
  test.each([
    { from: 'aws', tickMs: sweepTickMs },
    { from: 'azure', tickMs: 3 * sweepTickMs },
  ] as const)('arrives whole from $from, near the floor, and live writes go on', async ({ from, tickMs }) => {
    const found = await run({ from });
    expect(found).toMatchObject({ missing: 0, dead: 0 });
    expect(found.during.failed).toBe(0);
    expect(lagFactor(found)).toBeLessThanOrEqual(LAG_FACTOR_MAX);
    const floorMs =
      (backlogUnits({ keys: KEYS, from, pageSize: sweepPageSize * sweepWidthMax }) * 1_000) /
      BUDGETS.unitsPerSecond;
    // A tick may just have passed when the peer comes back.
    expect(found.tookMs).toBeLessThan(1.5 * floorMs + tickMs);
  });

  test('would stand before every live write, were it not for packs', async () => {
    const found = await run({ from: 'aws', packs: false });
    expect(found).toMatchObject({ missing: 0, dead: 0 });
    expect(lagFactor(found)).toBeGreaterThan(10 * LAG_FACTOR_MAX);
  });
});
