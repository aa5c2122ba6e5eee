/** `rollback aws|azure`: the release before, at once. */
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import type { Cloud } from '@tandem-clouds/local/stack/sites';
import { runningAt } from '../infra/rollout/platform.ts';
import { artefactOf, keptReleases, releaseBefore } from '../infra/rollout/releases.ts';
import { rollBack, rollbackText } from '../infra/rollout/rollback.ts';
import { sitesOf } from '../infra/rollout/sites.ts';
import { openTimeline } from '../infra/rollout/timeline.ts';
import { connect, type Target } from './rollout/connect.ts';

export interface RollbackLine {
  readonly target: Target;
  readonly cloud: Cloud;
  /** Undefined: what was made before the release that runs. */
  readonly to: string | undefined;
  readonly dryRun: boolean;
}

const report = (line: string): void => void process.stderr.write(`${line}\n`);

/** @throws UsageError when no earlier release is kept. */
function earlier(to: string | undefined, running: string | undefined, cloud: Cloud): string | undefined {
  const wanted = to ?? (running === undefined ? undefined : releaseBefore(running, keptReleases()));
  if (wanted === undefined)
    throw new UsageError(`no release before ${running ?? 'the sources'} is kept; see --to`);
  artefactOf(wanted, cloud);
  return wanted;
}

/** Returns the exit status: 1 when it did not come about. */
export async function rollback({ target, to, dryRun, cloud }: RollbackLine): Promise<number> {
  const { traffic, platform, signal } = connect(target, report);
  const timeline = dryRun ? undefined : openTimeline('rollback');
  for (const pair of sitesOf(traffic.policy, cloud)) {
    const running = to === undefined ? await runningAt(traffic.urlOf(pair.site)) : undefined;
    const plan = { ...pair, previous: earlier(to, running, cloud) };
    if (timeline === undefined) {
      for (const [index, step] of rollbackText(plan).entries()) console.log(`${index + 1}. ${step}`);
      continue;
    }
    const done = await rollBack({ plan, platform, traffic, report, signal });
    timeline.write({ ...plan, ...done });
    const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
    report(
      `${pair.site} runs ${plan.previous ?? ''} after ${seconds(done.deployedMs)}, verified after ${seconds(done.verifiedMs)}`,
    );
  }
  return 0;
}
