/** What the trigger process is told to run. Plain data: it travels over the IPC channel. */
import type { QueueTrigger, ScheduleTrigger } from './service-model.ts';
import type { RecursiveLoop } from './recursion.ts';
import type { Environment } from './local-environment.ts';
import type { ResourcePlan } from './resource-plan.ts';

export interface PlannedFunction {
  /** Deployed name: `tandem-prod-forward`. */
  readonly name: string;
  /** Absolute path of the bundle that esbuild wrote. */
  readonly bundle: string;
  /** Name of the export. */
  readonly exportName: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  /** What becomes of a chain of invocations that triggers this function again and again. */
  readonly recursiveLoop: RecursiveLoop;
}

export interface BridgePlan {
  /** Announced as `<site>.bridge`. */
  readonly site: string;
  readonly region: string;
  readonly functions: Readonly<Record<string, PlannedFunction>>;
  readonly queues: readonly QueueTrigger[];
  readonly schedules: readonly ScheduleTrigger[];
  /** To find the queues, and to create them again when a stand-in without a data folder restarts. */
  readonly resources: ResourcePlan;
  /** What the functions find in `process.env`, apart from what the process was started with. */
  readonly environment: Environment;
}

export type ToBridge =
  | { readonly type: 'start'; readonly plan: BridgePlan }
  | { readonly type: 'reload' }
  | { readonly type: 'stop' };

/** Every function is loaded and every queue is being received from. */
export interface FromBridge {
  readonly type: 'ready';
}
