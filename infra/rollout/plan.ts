/**
 * What a rollout does, as data: what `--dry-run` prints is what is performed. Pure.
 *
 * Invariant: a cloud is touched only while it has no traffic, and the next one only when the last one has its traffic
 * back: at every moment one cloud that is not being changed serves.
 */

export type Action = 'check' | 'deploy' | 'drain' | 'restore' | 'settle' | 'verify';

export interface Step {
  readonly action: Action;
  readonly site: string;
}

export interface RolloutPlan {
  /** The new release. */
  readonly release: string;
  /** In this order, one after the other. */
  readonly sites: readonly SitePlan[];
  readonly settleSeconds: number;
}

export interface SitePlan {
  readonly site: string;
  /** Who serves meanwhile, and with whom records are exchanged. */
  readonly other: string;
  /** What it runs now and is rolled back to; undefined: the sources, on a local stack. */
  readonly previous: string | undefined;
}

const ACTIONS: readonly Action[] = ['check', 'drain', 'settle', 'deploy', 'verify', 'restore'];

export function stepsOf({ sites }: Pick<RolloutPlan, 'sites'>): readonly Step[] {
  return sites.flatMap(({ site }) => ACTIONS.map((action) => ({ action, site })));
}

/** One line for people. */
export function stepText({ action, site }: Step, plan: RolloutPlan): string {
  const { other = '', previous } = plan.sites.find((one) => one.site === site) ?? {};
  switch (action) {
    case 'check':
      return `check ${other}: healthy, and replication within the gates of the policy`;
    case 'drain':
      return `drain ${site} through dns, in gated steps`;
    case 'settle':
      return `wait ${plan.settleSeconds} s for DNS answers to run out and requests to end`;
    case 'deploy':
      return `deploy ${plan.release} to ${site}, which runs ${previous ?? 'the sources'}`;
    case 'verify':
      return `verify ${site}: smoke test with ${other} as its peer, contract test`;
    case 'restore':
      return `give ${site} its traffic back, in gated steps`;
  }
}
