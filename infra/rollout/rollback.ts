/**
 * Returns one site to an earlier release at once: no gates on the way out, as the release that runs is the trouble.
 *
 * Invariant: traffic returns only after the earlier release has been verified.
 */
import type { SitePlan } from './plan.ts';
import type { Platform } from './run-rollout.ts';
import { StepError } from './run-rollout.ts';
import type { Traffic } from './traffic.ts';

export interface RollbackOptions {
  /** `previous` is what it returns to. */
  readonly plan: SitePlan;
  readonly platform: Platform;
  readonly traffic: Pick<Traffic, 'failover'>;
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Rollback {
  /** Milliseconds from the command until the earlier release was deployed, and until it was verified. */
  readonly deployedMs: number;
  readonly verifiedMs: number;
  /** False: the other cloud could not take the traffic, so the site kept it. */
  readonly moved: boolean;
}

/** One line each. */
export function rollbackText({ site, other, previous }: SitePlan): readonly string[] {
  return [
    `fail ${site} over to ${other} at once; when ${other} cannot take the traffic, ${site} keeps it`,
    `deploy ${previous ?? 'the sources'} to ${site}`,
    `verify ${site}: smoke test with ${other} as its peer`,
    `give ${site} its traffic back, in gated steps`,
  ];
}

/** @throws StepError when it did not come about; the site then has no traffic, unless the other one could not take it. */
export async function rollBack({
  plan,
  platform,
  traffic,
  report,
  signal,
}: RollbackOptions): Promise<Rollback> {
  const { site, previous } = plan;
  const [away, deploy, verify, back] = rollbackText(plan) as [string, string, string, string];
  const beganMs = performance.now();
  const passedMs = (): number => Math.round(performance.now() - beganMs);
  report(away);
  const moved = await failedOver(traffic, site, report);
  report(deploy);
  await platform.deploy(site, previous);
  const deployedMs = passedMs();
  report(verify);
  for (const line of await platform.verify(plan, previous)) report(`  ${line}`);
  const verifiedMs = passedMs();
  if (moved) {
    report(back);
    await platform.restore({ now: false }, signal);
  }
  return { deployedMs, verifiedMs, moved };
}

async function failedOver(
  traffic: RollbackOptions['traffic'],
  site: string,
  report: (line: string) => void,
): Promise<boolean> {
  try {
    await traffic.failover(site, new AbortController().signal);
    return true;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    report(`  ${error.message}`);
    return false;
  }
}
