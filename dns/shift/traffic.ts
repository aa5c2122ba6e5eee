/** What may be asked of traffic: by an operator's command, or by a runbook. */
import { type RoutedRecord, sharings } from '@tandem-clouds/zone/model';
import { RefusedError } from '../errors.ts';
import { type Overrides, overridesIn, overridesName } from '../overrides.ts';
import { makePlan, type Plan, readAndPlan } from '../plan/plan.ts';
import { guardHealth } from '../plan/safety.ts';
import type { Policy } from '../policy/policy.ts';
import { type Move, move, type Mover, refuseDrift, type Timeline } from './move.ts';
import { stepsBack, stepsBackOf, stepsTo } from './steps.ts';

export type TrafficRequest =
  /** In gated steps. */
  | { readonly kind: 'shift'; readonly site: string; readonly percent: number }
  /** At once; with `force` although the zone differs from the policy otherwise. */
  | { readonly kind: 'failover'; readonly site: string; readonly force: boolean }
  /** Back to the policy; with a site, only that one. Gated unless `now`. */
  | { readonly kind: 'restore'; readonly now: boolean; readonly site?: string };

/**
 * Under the zone's lock, which the mover holds. `along` goes into the change of a single step, and so happens with it or
 * not at all.
 * @throws RefusedError when the zone differs from the policy by more than where traffic stands.
 */
export async function traffic(
  mover: Mover,
  request: TrafficRequest,
  along: (plan: Plan) => Plan = (plan) => plan,
): Promise<Timeline> {
  const plan = await readAndPlan(mover.policy, mover.provider);
  const emergency = isEmergency(request);
  if (!emergency) refuseDrift(plan);
  const way = wayOf(mover.policy, request, plan.overrides);
  return move(mover, { ...way, only: (whole) => along(emergency ? trafficOnly(whole) : whole) });
}

/** What a request would do. */
export interface Preview {
  /** Where traffic would stand after each step. */
  readonly steps: readonly Overrides[];
  /** What all steps together would change. */
  readonly plan: Plan;
  /** Why it would not be done, or not to its end. */
  readonly refusal?: string;
}

/** Reads, and changes nothing. */
export async function preview(
  { policy, provider, probe }: Pick<Mover, 'policy' | 'probe' | 'provider'>,
  request: TrafficRequest,
): Promise<Preview> {
  const live = await provider.read();
  const before = overridesIn(live.records, policy.zone);
  const { steps } = wayOf(policy, request, before);
  const emergency = isEmergency(request);
  const whole = makePlan(policy, provider, live, steps.at(-1) ?? before);
  const plan = emergency ? trafficOnly(whole) : whole;
  try {
    if (!emergency) refuseDrift(makePlan(policy, provider, live, before));
    if (plan.changes.length > 0) await guardHealth(plan, provider, probe);
    return { steps, plan };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return { steps, plan, refusal: error.message };
  }
}

function isEmergency(request: TrafficRequest): boolean {
  return request.kind === 'failover' && request.force;
}

function wayOf(policy: Policy, request: TrafficRequest, before: Overrides): Move {
  switch (request.kind) {
    case 'failover':
      return { before, gated: false, steps: [new Map([...outOf(before), [request.site, 0]])] };
    case 'shift':
      return { before, gated: true, steps: stepsTo(policy, before, request) };
    case 'restore': {
      const { now, site } = request;
      const steps = site === undefined ? stepsBack(policy, before) : stepsBackOf(policy, before, site);
      return { before, gated: !now, steps: now ? steps.slice(-1) : steps };
    }
  }
}

/** Sites that are out already stay out. */
function outOf(overrides: Overrides): [string, number][] {
  return [...overrides].filter(([, percent]) => percent === 0);
}

/** For an emergency: what the policy says otherwise waits. */
function trafficOnly(plan: Plan): Plan {
  const changes = plan.changes.filter(({ before, after }) => {
    if ((before ?? after)?.name === overridesName(plan.zone)) return true;
    return (
      before?.kind === 'routed' &&
      after?.kind === 'routed' &&
      sitesOf(after).every((site) => sitesOf(before).includes(site))
    );
  });
  return { ...plan, changes, leftovers: [] };
}

function sitesOf(record: RoutedRecord): readonly string[] {
  return sharings(record).flatMap(({ targets }) => targets.map(({ site }) => site));
}
