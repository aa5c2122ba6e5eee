/** What a run of each workload begins with: its seed says which site comes first, and what befalls the stack. */
import { Random } from '../random.ts';
import { type Episode, lineOfEpisode, type PlanOptions } from './plan.ts';

const SITES = ['aws-us-east-1', 'azure-eastus'] as const;

/** Of every workload. */
export interface PlannedOptions {
  readonly seed: number;
  /** Acknowledged writes that are wanted. */
  readonly writes: number;
  /** Acknowledged writes a second that the clients aim at. */
  readonly rate: number;
  /** Clients give up after so long, whatever they have. */
  readonly trafficMaxMs: number;
  readonly progress: (line: string) => void;
}

export interface Planned {
  readonly random: Random;
  readonly order: readonly [string, string];
  /** How long traffic is meant to last. */
  readonly plannedMs: number;
  readonly plan: readonly Episode[];
}

/** The same for the same seed. Shows the plan. */
export function planned(
  { seed, writes, rate, trafficMaxMs, progress }: PlannedOptions,
  makePlan: (options: PlanOptions) => readonly Episode[],
): Planned {
  const random = new Random(seed);
  const [first = SITES[0], second = SITES[1]] = random.shuffled(SITES);
  const plannedMs = Math.min(trafficMaxMs, (writes / rate) * 1_000);
  const plan = makePlan({ seed, trafficMs: plannedMs, sites: [first, second] });
  progress(`seed ${seed}: ${plan.length} faults in ${Math.round(plannedMs / 1_000)} s`);
  for (const episode of plan) progress(`  ${lineOfEpisode(episode)}`);
  return { random, order: [first, second], plannedMs, plan };
}
