/**
 * Moves traffic step by step under the zone's lock.
 *
 * Invariant: between two steps the zone says one whole state, and says it in its overrides; so whatever ends a move, an
 * interruption, a breach, an outage, the next command starts from what is true.
 */
import { type RoutedRecord, sharings } from '@tandem-clouds/zone/model';
import { RefusedError, TrafficError } from '../errors.ts';
import type { Overrides } from '../overrides.ts';
import { overridden } from '../overrides.ts';
import { applyPlan } from '../plan/apply-plan.ts';
import type { Lock } from '../plan/lock.ts';
import { type Plan, readAndPlan } from '../plan/plan.ts';
import { guardHealth, type Probe, serving } from '../plan/safety.ts';
import type { Policy } from '../policy/policy.ts';
import { recordsOf } from '../policy/records.ts';
import type { Clock, Provider } from '../provider.ts';
import { breach, p99, type Sample } from './gates.ts';
import type { Observe } from './observe.ts';

export interface Mover {
  readonly policy: Policy;
  readonly provider: Provider;
  readonly lock: Lock;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly probe: Probe;
  readonly report: (text: string) => void;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** What a move that is interrupted leaves: its latest step, which is the default, or where traffic stood before. */
  readonly whenStopped?: 'return' | 'stay';
  /** Called after each step and each look: where traffic stands, and what was seen. */
  readonly onMoment?: (moment: Moment) => void;
  /** A site that the gates do not judge: traffic is moved away from it because it is in trouble. */
  readonly unjudged?: string;
}

export interface Move {
  readonly steps: readonly Overrides[];
  /** Where traffic stands, and returns to. */
  readonly before: Overrides;
  /** Each step is held and watched. */
  readonly gated: boolean;
  /** Leaves out changes that are none of this move. */
  readonly only?: (plan: Plan) => Plan;
}

export interface Moment {
  /** RFC 3339. */
  readonly at: string;
  /** Counted from 1; 0: back where it was. */
  readonly step: number;
  /** Name → site → percent or weight, of the weighted names. */
  readonly shares: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly samples: readonly Sample[];
}

export type ShiftResult = 'done' | 'failed' | 'interrupted' | 'returned' | 'stuck';

/** What happened, for the screen and for the file. */
export interface Timeline {
  readonly startedAt: string;
  readonly endedAt: string;
  /** `returned`: a gate was crossed, or it was stopped; `stuck`: and the way back was closed as well. */
  readonly result: ShiftResult;
  readonly reason?: string;
  readonly moments: readonly Moment[];
}

/** Does not reject for what the timeline can say. */
export async function move(mover: Mover, plan: Move): Promise<Timeline> {
  const { clock, report, signal } = mover;
  const startedAt = stamp(clock);
  const moments: Moment[] = [];
  const end = (result: ShiftResult, reason?: string): Timeline => ({
    startedAt,
    endedAt: stamp(clock),
    result,
    ...(reason !== undefined && { reason }),
    moments,
  });
  for (const [index, overrides] of plan.steps.entries()) {
    if (signal.aborted) return end(...(await stop(mover, plan, index)));
    try {
      await take(mover, overrides, plan.only);
    } catch (error) {
      if (!(error instanceof TrafficError)) throw error;
      return end('failed', `step ${index + 1} of ${plan.steps.length} was not made: ${error.message}`);
    }
    report(`step ${index + 1} of ${plan.steps.length}: ${inWords(sharesOf(mover.policy, overrides))}`);
    mover.onMoment?.(momentOf(mover, overrides, index + 1, []));
    const watched = plan.gated ? await hold(mover, overrides, index + 1) : { moments: [] };
    moments.push(...watched.moments);
    if (watched.reason !== undefined) {
      report(`${watched.reason}; returning to where it was`);
      return end(...(await goBack(mover, plan, watched.reason)));
    }
    if (!plan.gated) moments.push(momentOf(mover, overrides, index + 1, []));
  }
  if (signal.aborted && plan.gated && mover.whenStopped === 'return')
    return end(...(await stop(mover, plan, plan.steps.length)));
  return end('done');
}

async function stop(mover: Mover, plan: Move, taken: number): Promise<[ShiftResult, string]> {
  if (taken === 0 || mover.whenStopped !== 'return') return ['interrupted', stoppedAt(taken, plan)];
  return goBack(mover, plan, `stopped after step ${taken} of ${plan.steps.length}`);
}

async function goBack(mover: Mover, { before, only }: Move, reason: string): Promise<[ShiftResult, string]> {
  try {
    await take(mover, before, only);
    mover.report(`returned: ${inWords(sharesOf(mover.policy, before))}`);
    mover.onMoment?.(momentOf(mover, before, 0, []));
    return ['returned', reason];
  } catch (error) {
    if (!(error instanceof TrafficError)) throw error;
    return ['stuck', `${reason}; and traffic could not be returned: ${error.message}`];
  }
}

/** One step: planned from the live zone, guarded, made. */
async function take(
  { policy, provider, lock, probe }: Mover,
  overrides: Overrides,
  only?: Move['only'],
): Promise<void> {
  await lock.renew();
  const whole = await readAndPlan(policy, provider, overrides);
  const plan = only === undefined ? whole : only(whole);
  await guardHealth(plan, provider, probe);
  await applyPlan(plan, provider);
}

/** Watches for a window, or until a breach is certain or the operator interrupts. */
async function hold(
  mover: Mover,
  overrides: Overrides,
  step: number,
): Promise<{ moments: readonly Moment[]; reason?: string }> {
  const { policy, clock, lock, signal } = mover;
  const { holdSeconds, sampleSeconds, requestsPerSample, gates } = policy.shift;
  const rounds = Math.max(1, Math.round(holdSeconds / sampleSeconds));
  const window = { gates, requestsPerSite: rounds * requestsPerSample };
  const moments: Moment[] = [];
  for (let round = 0; round < rounds && !signal.aborted; round += 1) {
    await clock.sleep((holdSeconds * 1000) / rounds, signal);
    await lock.renew();
    const moment = momentOf(mover, overrides, step, await sample(mover, overrides));
    moments.push(moment);
    mover.onMoment?.(moment);
    const reason = breach(
      moments.flatMap(({ samples }) => samples).filter(({ site }) => site !== mover.unjudged),
      window,
    );
    mover.report(`  ${inBrief(moment.samples)}`);
    if (reason !== undefined) return { moments, reason };
  }
  return { moments };
}

/** Sites with traffic are asked as a client asks; every site is asked for replication. */
async function sample({ policy, observe }: Mover, overrides: Overrides): Promise<readonly Sample[]> {
  const busy = new Set(
    routed(policy, overrides)
      .flatMap(sharings)
      .flatMap((sharing) => serving(sharing).map(({ site }) => site)),
  );
  const samples = Object.entries(policy.sites).flatMap(([site, { url }]) =>
    url === undefined ? [] : [{ site, url, requests: busy.has(site) ? policy.shift.requestsPerSample : 0 }],
  );
  return Promise.all(samples.map(observe));
}

function routed(policy: Policy, overrides: Overrides): readonly RoutedRecord[] {
  return recordsOf(policy)
    .map((record) => overridden(record, overrides))
    .filter((record): record is RoutedRecord => record.kind === 'routed');
}

function sharesOf(policy: Policy, overrides: Overrides): Moment['shares'] {
  return Object.fromEntries(
    routed(policy, overrides)
      .filter(({ strategy }) => strategy === 'weighted')
      .map(({ name, targets }) => [
        name,
        Object.fromEntries(targets.map(({ site, weight = 0 }) => [site, weight])),
      ]),
  );
}

function momentOf(
  { policy, clock }: Mover,
  overrides: Overrides,
  step: number,
  samples: readonly Sample[],
): Moment {
  return { at: stamp(clock), step, shares: sharesOf(policy, overrides), samples };
}

function stoppedAt(index: number, { steps }: Move): string {
  return index === 0
    ? 'stopped before the first step; nothing was changed'
    : `stopped after step ${index} of ${steps.length}; traffic stays as that step left it, and restore brings it back`;
}

function inWords(shares: Moment['shares']): string {
  const names = Object.entries(shares).map(
    ([name, sites]) =>
      `${name}: ${Object.entries(sites)
        .map(([site, share]) => `${site} ${share}`)
        .join(', ')}`,
  );
  return names.length === 0 ? 'no weighted name' : names.join('; ');
}

function inBrief(samples: readonly Sample[]): string {
  return samples
    .map(({ site, latenciesMs, errors, peers }) => {
      const lag =
        typeof peers === 'string' ? peers : `lag ${Math.max(0, ...peers.map(({ lagMs }) => lagMs))} ms`;
      const answers =
        latenciesMs.length === 0 ? 'no traffic' : `${errors} errors, p99 ${p99(latenciesMs).toFixed(0)} ms`;
      return `${site}: ${answers}, ${lag}`;
    })
    .join('; ');
}

function stamp(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}

/** @throws RefusedError when the zone differs from the policy by more than where traffic stands. */
export function refuseDrift(plan: Plan): void {
  if (plan.changes.length === 0) return;
  throw new RefusedError(
    `${plan.zone} differs from the policy in ${plan.changes.length} records beside where traffic stands; ` +
      'plan and apply first, so that a shift moves nothing but traffic',
  );
}
