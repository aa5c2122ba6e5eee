/**
 * Performs a rollout, step by step, and goes back when a step fails.
 *
 * Invariant: a cloud gets traffic only with a release that has been verified there, the new one or the one that it had.
 * Whatever ends a rollout, the outcome says of each cloud what it runs and whether it has its traffic.
 */
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { type Action, type RolloutPlan, type SitePlan, type Step, stepsOf, stepText } from './plan.ts';

/** What can be done to a cloud. Each rejects with StepError when it did not come about. */
export interface Platform {
  /** The other cloud can carry everything, and nobody else has moved traffic. */
  check(plan: SitePlan): Promise<void>;
  drain(site: string, signal: AbortSignal): Promise<void>;
  settle(seconds: number, signal: AbortSignal): Promise<void>;
  /** @param release undefined: the sources. */
  deploy(site: string, release: string | undefined): Promise<void>;
  /** Resolves with what was seen, for the timeline. */
  verify(plan: SitePlan, release: string | undefined): Promise<readonly string[]>;
  restore(how: { readonly now: boolean }, signal: AbortSignal): Promise<void>;
}

/** A step that did not come about, for a reason that a person can act on. */
export class StepError extends CommandError {
  override readonly name = 'StepError';
}

export interface CloudState {
  readonly release: string | undefined;
  readonly traffic: 'drained' | 'in part' | 'served';
  readonly verified: boolean;
}

export interface TakenStep extends Partial<Step> {
  readonly what: string;
  /** RFC 3339. */
  readonly at: string;
  readonly ms: number;
  readonly result: 'done' | 'failed' | 'interrupted';
  readonly details?: readonly string[];
}

/** What happened, for the screen and for the file. */
export interface RolloutResult {
  readonly release: string;
  /** `stuck`: neither forward nor back; a person has to look. */
  readonly result: 'done' | 'interrupted' | 'rolled back' | 'running' | 'stuck';
  readonly reason?: string;
  readonly steps: readonly TakenStep[];
  readonly clouds: Readonly<Record<string, CloudState>>;
}

export interface RolloutOptions {
  readonly plan: RolloutPlan;
  readonly platform: Platform;
  readonly report: (line: string) => void;
  /** After each step. */
  readonly record: (result: RolloutResult) => void;
  /** Asks for an orderly end. */
  readonly signal: AbortSignal;
}

/** Rejects only for defects. */
export async function runRollout(options: RolloutOptions): Promise<RolloutResult> {
  return new Rollout(options).run();
}

class Rollout {
  readonly #options: RolloutOptions;
  readonly #steps: TakenStep[] = [];
  readonly #clouds = new Map<string, CloudState>();

  constructor(options: RolloutOptions) {
    this.#options = options;
    for (const { site, previous } of options.plan.sites) {
      this.#clouds.set(site, { release: previous, traffic: 'served', verified: true });
    }
  }

  async run(): Promise<RolloutResult> {
    const { plan, signal } = this.#options;
    for (const step of stepsOf(plan)) {
      const site = plan.sites.find((one) => one.site === step.site);
      if (site === undefined) continue;
      const failure = signal.aborted
        ? 'interrupted'
        : await this.#try(stepText(step, plan), step, () => this.#take(step.action, site));
      if (failure === undefined) continue;
      return signal.aborted ? this.#stop(step.action, site) : this.#goBack(step.action, site, failure);
    }
    return this.#end('done');
  }

  /** Undefined, or why it did not come about. */
  async #try(
    what: string,
    step: Partial<Step>,
    act: () => Promise<readonly string[] | undefined>,
  ): Promise<string | undefined> {
    const { report, signal } = this.#options;
    report(what);
    const at = new Date().toISOString();
    const beganMs = performance.now();
    const taken = (result: TakenStep['result'], details?: readonly string[]): void => {
      const ms = Math.round(performance.now() - beganMs);
      this.#steps.push({ ...step, what, at, ms, result, ...(details && { details }) });
      for (const line of details ?? []) report(`  ${line}`);
      this.#options.record(this.#result('running'));
    };
    try {
      taken('done', await act());
      return undefined;
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      taken(signal.aborted ? 'interrupted' : 'failed', [error.message]);
      return error.message;
    }
  }

  async #take(action: Action, plan: SitePlan): Promise<readonly string[] | undefined> {
    const { platform, signal, plan: whole } = this.#options;
    const { site } = plan;
    switch (action) {
      case 'check':
        await platform.check(plan);
        return undefined;
      case 'drain':
        this.#now(site, { traffic: 'in part' });
        await platform.drain(site, signal);
        this.#now(site, { traffic: 'drained' });
        return undefined;
      case 'settle':
        await platform.settle(whole.settleSeconds, signal);
        return undefined;
      case 'deploy':
        return this.#deploy(site, whole.release);
      case 'verify':
        return this.#verify(plan, whole.release);
      case 'restore':
        return this.#restore(site, { now: false }, signal);
    }
  }

  async #deploy(site: string, release: string | undefined): Promise<undefined> {
    this.#now(site, { release, verified: false });
    await this.#options.platform.deploy(site, release);
  }

  async #verify(plan: SitePlan, release: string | undefined): Promise<readonly string[]> {
    const seen = await this.#options.platform.verify(plan, release);
    this.#now(plan.site, { verified: true });
    return seen;
  }

  async #restore(site: string, how: { readonly now: boolean }, signal: AbortSignal): Promise<undefined> {
    this.#now(site, { traffic: 'in part' });
    await this.#options.platform.restore(how, signal);
    this.#now(site, { traffic: 'served' });
  }

  /** A step has failed: the cloud goes back to what it had, and gets its traffic back with that. */
  async #goBack(action: Action, plan: SitePlan, reason: string): Promise<RolloutResult> {
    const { site, previous } = plan;
    if (action === 'check') return this.#end('rolled back', reason);
    // An interrupt does not stop the way back.
    const { signal } = new AbortController();
    const deployed = action === 'deploy' || action === 'verify' || action === 'restore';
    const name = previous ?? 'the sources';
    const steps: [string, Action, () => Promise<readonly string[] | undefined>][] = [
      ...(deployed
        ? ([
            [`ROLL BACK ${site} to ${name}`, 'deploy', () => this.#deploy(site, previous)],
            [`verify ${site} on ${name}`, 'verify', () => this.#verify(plan, previous)],
          ] as [string, Action, () => Promise<readonly string[] | undefined>][])
        : []),
      [`give ${site} its traffic back`, 'restore', () => this.#restore(site, { now: true }, signal)],
    ];
    for (const [what, kind, act] of steps) {
      const failure = await this.#try(what, { action: kind, site }, act);
      if (failure !== undefined) return this.#end('stuck', `${reason}; and on the way back: ${failure}`);
    }
    return this.#end('rolled back', reason);
  }

  /** Somebody wants an end: before anything was deployed the traffic returns; after that the cloud stays as it is. */
  async #stop(action: Action, plan: SitePlan): Promise<RolloutResult> {
    const { site } = plan;
    const { release, traffic } = this.#clouds.get(site) ?? {};
    const untouched = release === plan.previous;
    if (
      untouched &&
      traffic !== 'served' &&
      (action === 'drain' || action === 'settle' || action === 'deploy')
    ) {
      const { signal } = new AbortController();
      const failure = await this.#try(`give ${site} its traffic back`, { action: 'restore', site }, () =>
        this.#restore(site, { now: true }, signal),
      );
      if (failure !== undefined) return this.#end('stuck', `interrupted; and on the way back: ${failure}`);
    }
    return this.#end('interrupted');
  }

  #now(site: string, change: Partial<CloudState>): void {
    const state = this.#clouds.get(site) ?? { release: undefined, traffic: 'served', verified: true };
    this.#clouds.set(site, { ...state, ...change });
  }

  #result(result: RolloutResult['result'], reason?: string): RolloutResult {
    return {
      release: this.#options.plan.release,
      result,
      ...(reason !== undefined && { reason }),
      steps: this.#steps,
      clouds: Object.fromEntries(this.#clouds),
    };
  }

  #end(result: RolloutResult['result'], reason?: string): RolloutResult {
    const end = this.#result(result, reason);
    this.#options.record(end);
    return end;
  }
}

/** What each cloud is like now, and what to do about it. */
export function cloudsText({ clouds }: RolloutResult): readonly string[] {
  return Object.entries(clouds).map(([site, { release, traffic, verified }]) => {
    const runs = `${site} runs ${release ?? 'the sources'}${verified ? '' : ', NOT VERIFIED'}`;
    if (traffic === 'served') return `${runs}, and has its traffic`;
    const next = verified
      ? 'npm run tandem -- dns restore'
      : 'npm run tandem -- rollout again, or npm run tandem -- rollback';
    return `${runs}, and ${traffic === 'drained' ? 'has no traffic' : 'has its traffic in part'}: ${next}`;
  });
}
